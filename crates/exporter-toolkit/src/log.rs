//! Logs in the shape of the Prometheus family: logfmt or JSON with `time`, `level`, `source`, `msg`
//! and the event's fields, on standard error.

mod format;
mod queue;

use std::io::{self, Write};
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use self::format::{LineFormatter, source};
use self::queue::LogQueue;

/// The lowest level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything, each query's result included.
    Debug,
    /// Changes.
    Info,
    /// Events that may need attention.
    Warn,
    /// Failures.
    Error,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error => Self::ERROR,
        }
    }
}

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// The lines of this process; none before [`init`].
static QUEUE: OnceLock<LogQueue> = OnceLock::new();

/// Sends events to standard error. A thread writes them, so a reader that stops holds up nothing
/// else; lines that find no room meanwhile are lost, and a later line says how many.
///
/// Events of the program's own `crates`, of this one and of `safe_input` are logged from `level` on,
/// those of `targets` from the level beside each, and those of other crates from errors on.
pub fn init(level: LogLevel, format: LogFormat, crates: &[&str], targets: &[(&str, LogLevel)]) {
    let own = LevelFilter::from(level);
    let single = targets
        .iter()
        .map(|(name, level)| (*name, LevelFilter::from(*level)));
    let targets = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_target(safe_input::LOG_TARGET, own)
        .with_targets(crates.iter().map(|name| (*name, own)))
        .with_targets(single);
    let formatter = LineFormatter(format);
    QUEUE.get_or_init(|| {
        LogQueue::start(queue::CAPACITY, write_to_stderr, move |lines| {
            loss_report(formatter, lines)
        })
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| QueueWriter)
        .event_format(formatter);
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // A second call, in tests, keeps the first subscriber.
    drop(tracing::subscriber::set_global_default(subscriber));
}

/// Writes a line that is no event, after those logged before it. For the last words of a program,
/// where logs may be off.
pub fn write_line(line: &str) {
    write_in_turn(format!("{line}\n").as_bytes());
}

/// Waits until all that was logged is written: at most a second if nobody reads, and five seconds
/// however slowly somebody does.
pub fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.drain();
    }
}

/// Calls [`flush`] when it is dropped, so that a panic leaves no line unwritten.
#[derive(Debug)]
#[must_use = "it flushes when it is dropped"]
pub struct FlushGuard;

impl Drop for FlushGuard {
    fn drop(&mut self) {
        flush();
    }
}

/// A writer that takes a whole line with each write.
struct QueueWriter;

impl Write for QueueWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        write_in_turn(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_in_turn(line: &[u8]) {
    match QUEUE.get() {
        Some(queue) => queue.push(line),
        None => write_to_stderr(line),
    }
}

/// Locked, so that nothing comes between the two halves of a line, not even a panic's message.
fn write_to_stderr(line: &[u8]) {
    queue::write_whole(&mut io::stderr().lock(), line);
}

/// The line in the place of `lines` that found no room. No event: it would need room itself.
fn loss_report(formatter: LineFormatter, lines: usize) -> String {
    formatter.line(
        "WARN",
        source(Some(file!()), Some(line!())),
        "the log is read too slowly: lines are lost here".to_owned(),
        vec![("lines".to_owned(), lines.into())],
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn a_loss_report_has_the_shape_of_any_line() {
        let line = loss_report(LineFormatter(LogFormat::Logfmt), 12);
        assert!(
            line.contains("Z level=WARN source=log.rs:") && line.ends_with(" lines=12\n"),
            "{line}"
        );
        let line = loss_report(LineFormatter(LogFormat::Json), 12);
        let value: Map<String, Value> = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            value.keys().collect::<Vec<_>>(),
            ["time", "level", "source", "msg", "lines"]
        );
    }
}
