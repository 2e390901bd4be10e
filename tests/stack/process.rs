//! The program under test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running demo; ends with the value.
pub struct Demo {
    /// Host and port of the exporter.
    pub address: String,
    /// The exporter's URL, without a slash at the end.
    pub base: String,
    child: Child,
    /// Kept open: what the program says later must not end in a broken pipe.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Demo {
    /// Starts a demo on ports of the system's choice, with `flags` more.
    pub fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ack-upgrade-exporter"))
            .args(["demo", "--web.listen-address=127.0.0.1:0", "--log.level=warn"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let page = stdout.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let line = line.trim().strip_prefix("page")?.trim().to_owned();
            Some(line.trim_end_matches('/').to_owned())
        });
        let base = page.expect("the demo says where its page is");
        Self { address: base.trim_start_matches("http://").to_owned(), base, child, _stdout: stdout }
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
    let rest = url.strip_prefix("http://").expect("http");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(authority).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n").expect("sends");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("reads");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{url}: {head}");
    body.to_owned()
}
