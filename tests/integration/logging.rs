//! The log of the built program without a reader, with a slow reader, and after its reader closed
//! it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ack_simulator::{Action, Fault, Rule};

use crate::process::{Exporter, PROGRAM, get, wait_until_ok};
use crate::simulated_api::SimulatedApi;

/// The number of mistakes of a configuration that are logged, each with a line of more than a
/// thousand characters.
const MISTAKES: usize = 100;

/// The number of reloads whose mistakes the log queue has no room for.
const RELOADS: usize = 60;

fn with_mistakes(api: &SimulatedApi) -> String {
    with_many_mistakes(api, MISTAKES)
}

fn with_many_mistakes(api: &SimulatedApi, count: usize) -> String {
    let mistakes: Vec<_> = (0..count)
        .map(|number| format!("{}{number}: 1", "wrong".repeat(200)))
        .collect();
    format!("{}{}\n", api.yaml(1), mistakes.join("\n"))
}

/// The status of the response, which comes after all lines are logged.
fn reload(exporter: &Exporter) -> u16 {
    let mut stream = TcpStream::connect(&exporter.address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a socket");
    stream
        .write_all(b"POST /-/reload HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status")
}

fn mistakes(log: &str) -> usize {
    log.lines()
        .filter(|line| line.contains("wrongwrong"))
        .count()
}

/// Waits until it is no longer ready. A connection that was made before and is used after is
/// closed, so it may take another.
fn wait_until_stopping(exporter: &Exporter) {
    let is_stopping = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(&exporter.address)?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response.split(' ').nth(1) == Some("503"))
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !is_stopping().unwrap_or(false) {
        assert!(Instant::now() < end, "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_log_that_nobody_reads_blocks_neither_scrapes_nor_shutdown() {
    let api = SimulatedApi::new(100);
    let unlimited = "    rate_limit: {requests_per_second: 100000, burst: 100000}\n    clusters:\n";
    api.write(&api.yaml(100).replace("    clusters:\n", unlimited));
    let mut exporter = Exporter::start(&api.config(), &["--log.queries", "--log.level=debug"]);
    let reading = Arc::clone(&exporter.reading);
    let _nobody_reads = reading.lock().expect("nobody panics with it");
    // Ten times what a pipe takes, and more.
    for _ in 0..30 {
        get(&format!("http://{}/metrics", exporter.address));
    }
    assert_eq!(api.sim.count(Action::GetUpgradeStatus), 3000);
    wait_until_ok(
        &format!("http://{}/-/ready", exporter.address),
        Duration::from_secs(20),
    );
    let began = Instant::now();
    exporter.signal("TERM");
    assert_eq!(exporter.wait().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn the_log_reports_the_number_of_lost_lines() {
    let api = SimulatedApi::new(2);
    let exporter = Exporter::start(&api.config(), &["--web.enable-lifecycle"]);
    api.write(&with_mistakes(&api));
    let reading = Arc::clone(&exporter.reading);
    let nobody_reads = reading.lock().expect("nobody panics with it");
    for _ in 0..RELOADS {
        assert_eq!(reload(&exporter), 500);
    }
    drop(nobody_reads);
    exporter.wait_for_log("lines are lost here");
    api.write(&api.yaml(1));
    assert_eq!(reload(&exporter), 200);
    let log = exporter.end();
    let told: Vec<_> = log
        .lines()
        .filter(|line| line.contains("lines are lost here"))
        .collect();
    let [told] = told[..] else {
        panic!("{told:#?}")
    };
    assert!(told.contains(" level=WARN source=log.rs:"), "{told}");
    let lost: usize = told
        .split("lines=")
        .last()
        .and_then(|count| count.parse().ok())
        .expect("a number");
    assert!(lost > 0, "{told}");
    assert_eq!(
        mistakes(&log) + lost,
        RELOADS * MISTAKES,
        "what is not there is counted"
    );
    assert!(
        log.lines().all(|line| line.starts_with("time=20")),
        "nothing but whole lines"
    );
    let place = |text: &str| {
        log.find(text)
            .unwrap_or_else(|| panic!("{text} is in the log"))
    };
    assert!(
        place("lines are lost here") < place("configuration reloaded"),
        "it stands where they would"
    );
}

#[test]
fn shutdown_writes_every_log_line() {
    for (signals, code) in [(1, 0), (2, 1)] {
        let api = SimulatedApi::new(1);
        let mut exporter = Exporter::start(&api.config(), &["--web.enable-lifecycle"]);
        api.write(&with_mistakes(&api));
        let mut scrape = None;
        if signals == 2 {
            api.sim.add_fault(Rule::new(Fault::Hang));
            let address = exporter.address.clone();
            let mut stream = TcpStream::connect(address).expect("it listens");
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: e\r\n\r\n")
                .expect("sent");
            scrape = Some(stream);
            api.wait_for_calls(1);
        }
        assert_eq!(reload(&exporter), 500);
        exporter.signal("TERM");
        if scrape.is_some() {
            wait_until_stopping(&exporter);
            exporter.signal("TERM");
        }
        assert_eq!(exporter.wait().code(), Some(code));
        let log = exporter.rest();
        assert_eq!(mistakes(&log), MISTAKES, "{signals} signals");
        let last = if signals == 1 {
            "msg=stopped"
        } else {
            "requests in flight may finish"
        };
        assert!(
            log.lines().last().is_some_and(|line| line.contains(last)),
            "{:?}",
            log.lines().last()
        );
    }
}

#[test]
fn a_reload_logs_a_hundred_mistakes_and_the_number_of_the_others() {
    let api = SimulatedApi::new(1);
    let exporter = Exporter::start(&api.config(), &["--web.enable-lifecycle"]);
    api.write(&with_many_mistakes(&api, MISTAKES + 23));
    assert_eq!(reload(&exporter), 500);
    exporter.wait_for_log("more mistakes are not shown");
    let log = exporter.end();
    assert_eq!(mistakes(&log), MISTAKES);
    assert!(
        log.contains("msg=\"more mistakes are not shown\" mistakes=23"),
        "{log}"
    );
}

#[test]
fn every_mistake_is_logged_before_exit_and_a_closed_log_changes_no_exit_code() {
    let api = SimulatedApi::new(1);
    api.write(&with_mistakes(&api));
    let check = || {
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", api.config().display()))
            .arg("--config.check")
            .stdout(Stdio::null());
        command
    };
    let output = check().output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(mistakes(&String::from_utf8_lossy(&output.stderr)), MISTAKES);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(
        check()
            .stderr(writer)
            .status()
            .expect("the program runs")
            .code(),
        Some(2)
    );
}
