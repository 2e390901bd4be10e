//! The exporter as a process of its own, which can be starved, looked into and read to the last line.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ack-upgrade-exporter");

/// A running exporter; killed when dropped.
pub struct Exporter {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// What a request was answered.
pub struct Answer {
    pub status: u16,
    /// The head and the body.
    pub text: String,
}

impl Exporter {
    /// Starts it with the configuration in `file` and `arguments`, after the shell's `limits`, and waits until it listens.
    pub fn start(file: &Path, limits: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -c 0; {limits} exec \"$0\" \"$@\""), PROGRAM])
            .arg(format!("--config.file={}", file.display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=debug"])
            .args(arguments)
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell");
        let stderr = child.stderr.take().expect("it is piped");
        let log = Arc::new(Mutex::new(String::new()));
        let (found, address) = channel();
        let copy = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if let Some(address) = listening(&line) {
                    // Nobody waits for a second one.
                    _ = found.send(address);
                }
                let mut log = copy.lock().expect("nobody panics here");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let address = wait_for(&address, &log);
        Self { child, address, log, reader: Some(reader) }
    }

    /// Gets `path` with further lines of the head. None if there is no answer within `limit`.
    pub async fn ask(&self, path: &str, head: &str, limit: Duration) -> Option<Answer> {
        self.request("GET", path, head, limit).await
    }

    /// The same with any method.
    pub async fn request(&self, method: &str, path: &str, head: &str, limit: Duration) -> Option<Answer> {
        timeout(limit, async {
            let mut stream = TcpStream::connect(self.address).await.ok()?;
            let request = format!("{method} {path} HTTP/1.1\r\nhost: exporter\r\nconnection: close\r\n{head}\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let status = text.split(' ').nth(1)?.parse().ok()?;
            Some(Answer { status, text })
        })
        .await
        .ok()?
    }

    /// So many connections on which nothing is said.
    pub async fn connect(&self, count: usize) -> Vec<TcpStream> {
        let mut streams = Vec::new();
        for _ in 0..count {
            streams.push(TcpStream::connect(self.address).await.expect("a connection"));
        }
        streams
    }

    /// The page of a scrape that gives up after `seconds`.
    pub async fn scrape(&self, seconds: u64) -> String {
        let head = format!("x-prometheus-scrape-timeout-seconds: {seconds}\r\n");
        let answer = self.ask("/metrics", &head, Duration::from_secs(seconds)).await;
        let answer = answer.unwrap_or_else(|| panic!("no page within {seconds} s\n{}", self.log()));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    /// The ID of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let found = status.lines().find_map(|candidate| candidate.strip_prefix(line)?.strip_prefix(':'));
        found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).expect("a number")
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics here").clone()
    }

    /// Ends it and returns all that it has logged.
    pub fn end(mut self) -> String {
        self.kill();
        self.log()
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How many samples of `page` begin with `start` and are 1.
pub fn ones(page: &str, start: &str) -> usize {
    page.lines().filter(|line| line.starts_with(start) && line.ends_with(" 1")).count()
}

fn wait_for(address: &Receiver<SocketAddr>, log: &Mutex<String>) -> SocketAddr {
    let found = address.recv_timeout(Duration::from_secs(20));
    found.unwrap_or_else(|_| panic!("it does not listen\n{}", log.lock().expect("nobody panics here")))
}

/// The address in the line that tells of it, in either format.
fn listening(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("listening")?.1;
    let at = rest.find("127.0.0.1:")?;
    rest[at..].split(['"', ' ']).next()?.parse().ok()
}
