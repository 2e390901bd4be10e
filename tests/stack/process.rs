//! The program under test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ack-upgrade-exporter");

/// A running exporter; ends with the value.
pub struct Exporter {
    /// Host and port.
    pub address: String,
    child: Child,
}

impl Exporter {
    /// Serves `config` on a port of the system's choice, with `flags` more.
    pub fn start(config: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", config.display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the exporter starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split("msg=listening address=").nth(1)?.split(' ').next()?.to_owned()));
        // Its log is read to the end, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { address: address.expect("the exporter says where it listens"), child }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A running demo; ends with the value.
pub struct Demo {
    /// Host and port of the exporter.
    pub address: String,
    /// The exporter's URL, without a slash at the end.
    pub base: String,
    /// The URL of the stand-in for the vendor's API.
    pub api: String,
    child: Child,
    /// Kept open: what the program says later must not end in a broken pipe.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Demo {
    /// Starts a demo on ports of the system's choice, with `flags` more.
    pub fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["demo", "--web.listen-address=127.0.0.1:0", "--log.level=warn"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut said = |word: &str| {
            let lines = stdout.by_ref().lines().map_while(Result::ok);
            let found = lines.into_iter().find_map(|line| Some(line.trim().strip_prefix(word)?.trim().to_owned()));
            found.expect("the demo says where things are").trim_end_matches('/').to_owned()
        };
        let (base, api) = (said("page"), said("endpoint"));
        Self { address: base.trim_start_matches("http://").to_owned(), base, api, child, _stdout: stdout }
    }

    /// The configuration of somebody who finds all clusters of the simulated account.
    pub fn config(&self) -> String {
        format!(
            "accounts:\n  - name: demo\n    endpoint: {}\n    credentials: {{type: access_key, access_key_id: LTAI5tDemoOnlyNotARealKey, \
             access_key_secret: DemoOnlyNotARealSecret00000000}}\n    discovery: {{regions: [cn-hangzhou, cn-shanghai, ap-southeast-1]}}\n",
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

/// The body of a plain GET over loopback; fails the test on anything but 200.
pub fn get(url: &str) -> String {
    let (head, body) = exchange(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    assert!(is_ok(&head), "{url}: {head}");
    body
}

/// Asks until the answer is 200; fails the test after `patience`.
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
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    Ok((head.to_owned(), body.to_owned()))
}
