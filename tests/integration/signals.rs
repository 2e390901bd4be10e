//! The built program from start to shutdown: sockets, signals, reloads, and their log lines.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ack_simulator::{Action, Fault, KeyPair, Rule};
use command_fds::{CommandFdExt as _, FdMapping};

use crate::process::{Exporter, PROGRAM, get, has_ipv6, wait_until_ok};
use crate::simulated_api::SimulatedApi;

/// The whole response to a GET, or the text of the error.
fn fetch(address: &str, path: &str) -> String {
    let exchange = || {
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n"
        )?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    };
    exchange().unwrap_or_else(|error: std::io::Error| error.to_string())
}

fn scrape_apart(exporter: &Exporter) -> JoinHandle<String> {
    let address = exporter.address.clone();
    std::thread::spawn(move || fetch(&address, "/metrics"))
}

fn metric(exporter: &Exporter, name: &str) -> String {
    let page = get(&format!("http://{}/metrics", exporter.address));
    page.lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("{name} is on the page"))
        .trim()
        .to_owned()
}

#[test]
fn the_first_signal_lets_a_scrape_finish_and_exits_0() {
    for signal in ["TERM", "INT"] {
        let api = SimulatedApi::new(5);
        let mut exporter = Exporter::start(&api.config(), &[]);
        api.sim
            .add_fault(Rule::new(Fault::Slow(Duration::from_secs(4))));
        let scrape = scrape_apart(&exporter);
        api.wait_for_calls(5);
        exporter.signal(signal);
        exporter.wait_for_log("requests in flight may finish");
        // New requests are rejected, so that no new work begins. The kubelet still sees a live
        // process.
        assert!(fetch(&exporter.address, "/metrics").starts_with("HTTP/1.1 503"));
        assert!(fetch(&exporter.address, "/-/ready").starts_with("HTTP/1.1 503"));
        assert!(fetch(&exporter.address, "/-/healthy").starts_with("HTTP/1.1 200"));
        let page = scrape.join().expect("the scraper ends");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert_eq!(
            page.lines()
                .filter(|line| line.starts_with("cs_up{") && line.ends_with(" 1"))
                .count(),
            5,
            "{page}"
        );
        assert_eq!(exporter.wait().code(), Some(0), "SIG{signal}");
        assert_eq!(api.sim.count(Action::GetUpgradeStatus), 5);
    }
}

#[test]
fn the_second_signal_exits_at_once() {
    let api = SimulatedApi::new(3);
    let mut exporter = Exporter::start(&api.config(), &[]);
    api.sim.add_fault(Rule::new(Fault::Hang));
    let scrape = scrape_apart(&exporter);
    api.wait_for_calls(3);
    exporter.signal("TERM");
    exporter.wait_for_log("requests in flight may finish");
    let began = Instant::now();
    exporter.signal("TERM");
    assert_eq!(exporter.wait().code(), Some(1));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(
        !scrape
            .join()
            .expect("the scraper ends")
            .starts_with("HTTP/1.1 200")
    );
}

#[test]
fn idle_connections_and_half_sent_heads_do_not_delay_shutdown() {
    let api = SimulatedApi::new(1);
    let mut exporter = Exporter::start(&api.config(), &[]);
    let mut idle = TcpStream::connect(&exporter.address).expect("it listens");
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: e\r\n\r\n")
        .expect("sent");
    idle.read_exact(&mut [0; 12]).expect("a response");
    let mut half = TcpStream::connect(&exporter.address).expect("it listens");
    half.write_all(b"GET /metr").expect("sent");
    let _silent = TcpStream::connect(&exporter.address).expect("it listens");
    // Connections are accepted in order: after this response, all are accepted.
    assert!(fetch(&exporter.address, "/-/ready").starts_with("HTTP/1.1 200"));
    let began = Instant::now();
    exporter.signal("TERM");
    assert_eq!(exporter.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

fn descriptors(exporter: &Exporter) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", exporter.id()))
        .expect("Linux")
        .count()
}

#[test]
fn thousands_of_aborted_scrapes_leak_no_file_descriptor() {
    let api = SimulatedApi::new(5);
    let exporter = Exporter::start(&api.config(), &[]);
    let settled = || {
        // The last clients may still hold all permits for a moment.
        wait_until_ok(
            &format!("http://{}/metrics", exporter.address),
            Duration::from_secs(30),
        );
        descriptors(&exporter)
    };
    let before = settled();
    api.sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_millis(20))));
    for number in 0..3000 {
        let mut stream = TcpStream::connect(&exporter.address).expect("there is room");
        let head: &[u8] = if number % 3 == 0 {
            b"GET /metrics HTTP/1.1\r\nHo"
        } else {
            b"GET /metrics HTTP/1.1\r\nHost: e\r\n\r\n"
        };
        stream.write_all(head).expect("sent");
    }
    api.sim.clear_faults();
    let end = Instant::now() + Duration::from_secs(30);
    // The connections to the API stay in the pool, at most one for each cluster.
    while settled() > before + 5 {
        assert!(
            Instant::now() < end,
            "{} descriptors, {before} before",
            descriptors(&exporter)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let in_flight = metric(
        &exporter,
        "cs_exporter_api_requests_in_flight{account=\"test\",operation=\"GetUpgradeStatus\"}",
    );
    assert_eq!(in_flight, "0");
}

#[test]
fn sighup_reloads_and_a_bad_file_keeps_the_old_configuration() {
    let api = SimulatedApi::new(5);
    let exporter = Exporter::start(&api.config(), &[]);
    let count = || metric(&exporter, "cs_exporter_clusters ");
    assert_eq!(count(), "5");
    let line = exporter.wait_for_log("rate limit of the account");
    assert!(
        line.contains("clusters_named=5 calls_a_scrape=240"),
        "what the limit covers is said: {line}"
    );
    api.write(&api.yaml(3));
    exporter.signal("HUP");
    exporter.wait_for_log("configuration reloaded");
    assert_eq!(count(), "3");
    api.write("accounts:\n  - {name: test, sauce: auto}\n");
    exporter.signal("HUP");
    exporter.wait_for_log("path=accounts[0].sauce");
    let line = exporter.wait_for_log("path=accounts[0].clusters");
    assert!(
        line.contains("level=ERROR") && line.contains("the old one stays"),
        "{line}"
    );
    assert_eq!(
        (
            count().as_str(),
            metric(&exporter, "cs_exporter_config_last_reload_successful ").as_str()
        ),
        ("3", "0")
    );
    api.write(&api.yaml(3));
    exporter.signal("HUP");
    exporter.wait_for_log("configuration unchanged");
    let refused = fetch(&exporter.address, "/-/reload");
    assert!(
        refused.starts_with("HTTP/1.1 405"),
        "not without --web.enable-lifecycle: {refused}"
    );
    assert!(
        !exporter
            .logged()
            .iter()
            .any(|line| line.contains(KeyPair::demo().access_key_secret.expose()))
    );
}

#[test]
fn a_changed_file_is_reloaded_by_polling() {
    let api = SimulatedApi::new(4);
    let exporter = Exporter::start(&api.config(), &["--config.auto-reload-interval=1s"]);
    api.write(&api.yaml(2));
    exporter.wait_for_log("configuration reloaded");
    assert_eq!(metric(&exporter, "cs_exporter_clusters "), "2");
}

/// Replaces the configuration by a pipe. A reader of it hangs until the pipe is written.
fn make_pipe(api: &SimulatedApi) {
    std::fs::remove_file(api.config()).expect("removed");
    assert!(
        Command::new("mkfifo")
            .args(["-m", "700"])
            .arg(api.config())
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
}

/// Waits until the pipe has a reader. Reading ends when the returned file is dropped.
fn write_slowly(api: &SimulatedApi) -> File {
    File::options()
        .write(true)
        .open(api.config())
        .expect("it is being read")
}

#[test]
fn a_hanging_reload_does_not_delay_shutdown() {
    for (flag, before, after) in [
        (None, Some("HUP"), None),
        (Some("--config.auto-reload-interval=1s"), None, Some("HUP")),
    ] {
        let api = SimulatedApi::new(1);
        let mut exporter = Exporter::start(&api.config(), flag.as_slice());
        make_pipe(&api);
        if let Some(signal) = before {
            exporter.signal(signal);
        }
        let _hanging = write_slowly(&api);
        if let Some(signal) = after {
            exporter.signal(signal);
        }
        // Time for the signal to reach the reload.
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        exporter.signal("TERM");
        assert_eq!(exporter.wait().code(), Some(0), "{flag:?}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
    }
}

#[test]
fn a_hanging_start_does_not_delay_shutdown() {
    let api = SimulatedApi::new(1);
    make_pipe(&api);
    let config = format!("--config.file={}", api.config().display());
    let mut exporter = Command::new(PROGRAM)
        .args([&config, "--web.listen-address=127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let _hanging = write_slowly(&api);
    let began = Instant::now();
    assert!(
        Command::new("kill")
            .args(["-TERM", &exporter.id().to_string()])
            .status()
            .expect("a program")
            .success()
    );
    assert_eq!(exporter.wait().expect("it ends").code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let mut log = String::new();
    exporter
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut log)
        .expect("UTF-8");
    assert!(
        log.contains("stopped before the configuration was read"),
        "{log}"
    );
}

#[test]
fn a_slow_lookup_of_the_listen_address_does_not_delay_shutdown() {
    let api = SimulatedApi::new(1);
    // glibc reads this file before it asks a name server, so a pipe acts as a silent name server.
    let aliases = api.folder.path().join("aliases");
    assert!(
        Command::new("mkfifo")
            .arg(&aliases)
            .status()
            .expect("a program")
            .success(),
        "a pipe with a name"
    );
    let config = format!("--config.file={}", api.config().display());
    let mut exporter = Command::new(PROGRAM)
        .args([&config, "--web.listen-address=somewhere:0"])
        .env("HOSTALIASES", &aliases)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (say, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || say.send(File::options().write(true).open(aliases)));
    let _hanging = loop {
        if let Ok(opened) = hear.recv_timeout(Duration::from_millis(50)) {
            break opened.expect("it is being read");
        }
        if exporter.try_wait().expect("a child").is_some() {
            // Some machines use no name server, or not through glibc.
            return;
        }
    };
    let began = Instant::now();
    assert!(
        Command::new("kill")
            .args(["-TERM", &exporter.id().to_string()])
            .status()
            .expect("a program")
            .success()
    );
    let ended = loop {
        match exporter.try_wait().expect("a child") {
            None if began.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            ended => break ended,
        }
    };
    // The thread of a hanging lookup is abandoned.
    drop(exporter.kill());
    assert_eq!(ended.expect("it ends").code(), Some(0));
    let mut log = String::new();
    exporter
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut log)
        .expect("UTF-8");
    assert!(log.contains("stopped before it listened"), "{log}");
}

#[test]
fn a_hanging_reload_over_http_does_not_delay_shutdown() {
    let api = SimulatedApi::new(1);
    let mut exporter = Exporter::start(&api.config(), &["--web.enable-lifecycle"]);
    make_pipe(&api);
    let mut client = TcpStream::connect(&exporter.address).expect("it listens");
    client
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let _hanging = write_slowly(&api);
    let began = Instant::now();
    exporter.signal("TERM");
    assert_eq!(exporter.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let mut response = String::new();
    client.read_to_string(&mut response).expect("a response");
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
}

fn threads(exporter: &Exporter) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", exporter.id()))
        .expect("Linux")
        .count()
}

#[test]
fn hanging_reloads_over_http_get_a_response_and_block_no_scrape() {
    let api = SimulatedApi::new(3);
    let exporter = Exporter::start(
        &api.config(),
        &["--web.enable-lifecycle", "--web.max-requests=2"],
    );
    let is_up = || {
        fetch(&exporter.address, "/metrics")
            .lines()
            .filter(|line| line.starts_with("cs_up{") && line.ends_with(" 1"))
            .count()
    };
    assert_eq!(is_up(), 3);
    let before = threads(&exporter);
    make_pipe(&api);
    let request_reload = || {
        let mut client = TcpStream::connect(&exporter.address).expect("it listens");
        client
            .write_all(b"POST /-/reload HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
            .expect("sent");
        client
    };
    let first = request_reload();
    let mut slow = write_slowly(&api);
    let clients: Vec<_> = std::iter::once(first)
        .chain((0..200).map(|_| request_reload()))
        .collect();
    assert_eq!(is_up(), 3);
    let during = threads(&exporter);
    assert!(during <= before + 2, "{during} threads, {before} before");
    let responses = clients.into_iter().map(|mut client| {
        let mut response = String::new();
        client
            .set_read_timeout(Some(Duration::from_secs(40)))
            .expect("not zero");
        client.read_to_string(&mut response).expect("a response");
        response
    });
    let responses: Vec<_> = responses.collect();
    assert!(
        responses
            .iter()
            .all(|response| response.starts_with("HTTP/1.1 503")),
        "{responses:#?}"
    );
    assert!(
        responses[0].contains("a reload is under way"),
        "{}",
        responses[0]
    );
    // The reload continues.
    slow.write_all(api.yaml(2).as_bytes()).expect("written");
    drop(slow);
    exporter.wait_for_log("configuration reloaded");
    assert_eq!(is_up(), 2);
}

#[test]
fn sighup_during_a_reload_reloads_afterwards() {
    let api = SimulatedApi::new(5);
    let exporter = Exporter::start(&api.config(), &[]);
    make_pipe(&api);
    exporter.signal("HUP");
    let mut slow = write_slowly(&api);
    std::fs::remove_file(api.config()).expect("removed");
    api.write(&api.yaml(2));
    for _ in 0..3 {
        exporter.signal("HUP");
    }
    slow.write_all(api.yaml(3).as_bytes()).expect("written");
    drop(slow);
    exporter.wait_for_logs("configuration reloaded", 2);
    assert_eq!(metric(&exporter, "cs_exporter_clusters "), "2");
}

#[test]
fn sockets_of_systemd_are_served() {
    let api = SimulatedApi::new(2);
    // Some build machines have no IPv6.
    let second = if has_ipv6() { "[::1]:0" } else { "127.0.0.1:0" };
    let sockets: Vec<_> = ["127.0.0.1:0", second]
        .iter()
        .map(|address| TcpListener::bind(address).expect("a port"))
        .collect();
    let addresses: Vec<_> = sockets
        .iter()
        .map(|socket| socket.local_addr().expect("an address").to_string())
        .collect();
    let mappings = sockets
        .into_iter()
        .zip(3..)
        .map(|(socket, child_fd)| FdMapping {
            parent_fd: socket.into(),
            child_fd,
        });
    // The shell's process becomes the exporter, as systemd's would.
    let script = format!(
        "LISTEN_PID=$$ LISTEN_FDS=2 exec {PROGRAM} --config.file={} --web.systemd-socket",
        api.config().display()
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .fd_mappings(mappings.collect())
        .expect("different descriptors");
    let mut exporter = Exporter::run(&mut command);
    for address in &addresses {
        wait_until_ok(
            &format!("http://{address}/-/ready"),
            Duration::from_secs(20),
        );
        assert!(get(&format!("http://{address}/metrics")).contains("cs_up{"));
    }
    exporter.signal("TERM");
    assert_eq!(exporter.wait().code(), Some(0));
}

/// Exit code and standard error of the program.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .output()
        .expect("the program runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn mistakes_at_the_start_are_reported_at_once_and_no_port_is_bound() {
    let api = SimulatedApi::new(1);
    let config = format!("--config.file={}", api.config().display());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let listen = format!("--web.listen-address={address}");
    let (code, said) = run(&[&config, &listen]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&address), "{said}");

    let web = api.folder.path().join("web.yml");
    std::fs::write(&web, "basic_auth_users: {alice: plain}\nhttp_server: {}\n").expect("written");
    api.write("accounts:\n  - {name: test, sauce: auto}\nscrape: {timeout: soon}\n");
    let web = format!("--web.config.file={}", web.display());
    let (code, said) = run(&[&config, &web, &listen]);
    assert_eq!(code, Some(2), "{said}");
    for mistake in [
        "accounts[0].sauce",
        "accounts[0].clusters",
        "scrape.timeout",
        "http_server",
        "alice",
    ] {
        assert!(said.contains(mistake), "{mistake} is named: {said}");
    }
    for wrong in [
        "--no.such.flag",
        "--web.listen-address=nowhere",
        "--web.max-requests=many",
        "--log.level=loud",
    ] {
        assert_eq!(run(&[&config, wrong]).0, Some(2), "{wrong}");
    }
    assert_eq!(run(&["--config.file=/nonexistent"]).0, Some(2));
    assert_eq!(run(&[]).0, Some(2));
}
