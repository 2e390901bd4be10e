//! The built program as a child process, for all test binaries.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The path of the program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ack-upgrade-exporter");

/// The time limit of one wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running exporter; ends with the value.
pub struct Exporter {
    /// Host and port.
    pub address: String,
    /// While it is locked, nobody reads the log.
    pub reading: Arc<Mutex<()>>,
    child: Child,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

/// The log of an exporter so far.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Log {
    /// Waits for the line with `text` in it that makes them `count`.
    fn wait_for(&self, text: &str, count: usize) -> String {
        let mut lines = self.lines.lock().expect("nobody panics with it");
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = lines
                .iter()
                .filter(|line| line.contains(text))
                .nth(count - 1)
            {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text} is not in the log: {lines:#?}");
            lines = self
                .more
                .wait_timeout(lines, left)
                .expect("nobody panics with it")
                .0;
        }
    }
}

impl Exporter {
    /// Serves `config` on a port of the system's choice, with `flags` more.
    pub fn start(config: &Path, flags: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", config, flags)
    }

    /// The same on a given address.
    pub fn start_on(listen: &str, config: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address={listen}"))
            .args(flags);
        Self::run(&mut command)
    }

    /// The same without an environment, after the shell has run `limits`, and with the lowest log
    /// level.
    pub fn confined(config: &Path, limits: &str, flags: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &format!("ulimit -c 0; {limits} exec \"$0\" \"$@\""),
                PROGRAM,
            ])
            .arg(format!("--config.file={}", config.display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=debug"])
            .args(flags)
            .env_clear()
            .env("RUST_BACKTRACE", "1");
        Self::run(&mut command)
    }

    /// Runs a command that becomes an exporter.
    pub fn run(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the exporter starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe"))
            .split(b'\n')
            .map_while(Result::ok);
        let log = Arc::new(Log::default());
        let writer = Arc::clone(&log);
        let reading = Arc::new(Mutex::new(()));
        let may_read = Arc::clone(&reading);
        // To the end, so that nothing is lost.
        let reader = std::thread::spawn(move || {
            for line in lines {
                // A test that fails while it holds it wants the rest all the same.
                drop(may_read.lock());
                let line = String::from_utf8_lossy(&line).into_owned();
                writer
                    .lines
                    .lock()
                    .expect("nobody panics with it")
                    .push(line);
                writer.more.notify_all();
            }
        });
        let line = log.wait_for("listening", 1);
        // Of logfmt or JSON.
        let address = line
            .split("address")
            .nth(1)
            .map(|rest| rest.trim_start_matches(['=', '"', ':']));
        let address = address
            .and_then(|rest| rest.split([' ', '"']).next())
            .expect("an address")
            .to_owned();
        Self {
            address,
            reading,
            child,
            log,
            reader: Some(reader),
        }
    }

    /// Waits for a line with `text` in it.
    pub fn wait_for_log(&self, text: &str) -> String {
        self.wait_for_logs(text, 1)
    }

    /// Waits for the line with `text` in it that makes them `count`.
    pub fn wait_for_logs(&self, text: &str, count: usize) -> String {
        self.log.wait_for(text, count)
    }

    /// All that has been logged so far.
    pub fn logged(&self) -> Vec<String> {
        self.log
            .lines
            .lock()
            .expect("nobody panics with it")
            .clone()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status();
        assert!(sent.expect("a shell").success(), "SIG{name} is sent");
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(
                Instant::now() < end,
                "the exporter does not end: {:#?}",
                self.logged()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the exporter and returns its whole log. It ends by SIGTERM, because SIGKILL would lose
    /// the last lines.
    pub fn end(mut self) -> String {
        self.signal("TERM");
        self.wait();
        self.rest()
    }

    /// The whole log of an exporter that has ended.
    pub fn rest(mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("it only reads");
        }
        self.logged().join("\n")
    }

    fn kill(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A running demo; ends with the value.
pub struct Demo {
    /// Host and port of the exporter.
    pub address: String,
    /// The exporter's URL, without a slash at the end.
    pub base: String,
    /// The URL of the simulated API.
    pub api: String,
    /// All that the demo prints when it starts.
    pub announcement: String,
    child: Child,
    /// Kept open, because a later line of the program must not end in a broken pipe.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Demo {
    /// Starts a demo on ports of the system's choice, with `flags` more.
    pub fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args([
                "demo",
                "--web.listen-address=127.0.0.1:0",
                "--log.level=warn",
            ])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let lines = stdout.by_ref().lines().map_while(Result::ok);
        let announcement: Vec<_> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
        let url = |word: &str| {
            let found = announcement
                .iter()
                .find_map(|line| line.trim().strip_prefix(word));
            let found = found.expect("the demo says where things are").trim();
            found.trim_end_matches('/').to_owned()
        };
        let (base, api) = (url("page"), url("endpoint "));
        Self {
            address: base.trim_start_matches("http://").to_owned(),
            base,
            api,
            announcement: announcement.join("\n"),
            child,
            _stdout: stdout,
        }
    }

    /// A configuration that discovers all clusters of the simulated account.
    pub fn config(&self) -> String {
        format!(
            "accounts:\n  - name: demo\n    endpoint: {}\n    \
             credentials: {{type: access_key, access_key_id: LTAI5tDemoOnlyNotARealKey, \
             access_key_secret: DemoOnlyNotARealSecret00000000}}\n    \
             discovery: {{regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}}\n",
            self.api
        )
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs the program in `folder`, without an environment, to its end. Returns its output, the
/// messages beside it, and its exit code.
pub fn run(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(PROGRAM)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// Returns true if this machine has IPv6.
pub fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

/// The body of a plain GET over loopback; fails the test on anything but 200.
pub fn get(url: &str) -> String {
    let (head, body) = exchange(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    assert!(is_ok(&head), "{url}: {head}");
    body
}

/// Sends GETs until the response is 200; fails the test after `patience`.
pub fn wait_until_ok(url: &str, patience: Duration) {
    let end = Instant::now() + patience;
    while !exchange(url).is_ok_and(|(head, _)| is_ok(&head)) {
        assert!(Instant::now() < end, "{url} does not answer well");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_ok(head: &str) -> bool {
    head.split(' ').nth(1) == Some("200")
}

fn exchange(url: &str) -> std::io::Result<(String, String)> {
    let rest = url.strip_prefix("http://").expect("http");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    Ok((head.to_owned(), body.to_owned()))
}
