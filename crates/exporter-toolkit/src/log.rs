//! Logs in the shape of the Prometheus family: logfmt or JSON with `time`, `level`, `source`, `msg`
//! and the event's fields.

mod outlet;

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use self::outlet::Outlet;

/// The lowest level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything, each query's result included.
    Debug,
    /// What changes.
    Info,
    /// What may need a look.
    Warn,
    /// What does not work.
    Error,
}

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// What waits to be written to standard error.
static OUTLET: Outlet = Outlet::new(outlet::ROOM);

/// Sends events to standard error, by way of a thread that writes them: nobody else waits for who
/// reads them. Events of the program's own `crates` and of this one are logged from `level` on,
/// those of the targets `always` whatever the level, and those of other crates from errors on.
pub fn init(level: LogLevel, format: LogFormat, crates: &[&str], always: &[&str]) {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let shown = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_targets(crates.iter().map(|name| (*name, level)))
        .with_targets(always.iter().map(|target| (*target, LevelFilter::DEBUG)));
    OUTLET.serve(write, move |lines| Line(format).lost(lines));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Handover)
        .event_format(Line(format));
    let subscriber = tracing_subscriber::registry().with(shown).with(lines);
    // A second call, in tests, keeps the first subscriber.
    drop(tracing::subscriber::set_global_default(subscriber));
}

/// Has a line that is no event written in its turn: the last words of the program, where logs may
/// be off.
pub fn say(line: &str) {
    hand_over(format!("{line}\n").as_bytes());
}

/// Waits until what has been logged is written, but not long for somebody who does not read it.
pub fn flush() {
    OUTLET.drain();
}

/// What may still wait to be written. It is when this ends, whatever the reason.
#[derive(Debug)]
pub struct Unwritten;

impl Drop for Unwritten {
    fn drop(&mut self) {
        flush();
    }
}

/// Takes a line with each write.
struct Handover;

impl Write for Handover {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        hand_over(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hand_over(line: &[u8]) {
    if !OUTLET.put(line) {
        write(line);
    }
}

/// Locked, so that nothing comes between the two halves of a line, not even a panic's message.
fn write(line: &[u8]) {
    outlet::write_whole(&mut io::stderr().lock(), line);
}

struct Line(LogFormat);

impl Line {
    fn text(
        &self,
        level: &str,
        source: String,
        message: String,
        others: Vec<(String, Value)>,
    ) -> String {
        let mut line = Map::new();
        line.insert(
            "time".to_owned(),
            Value::String(format!("{:.3}", Timestamp::now())),
        );
        line.insert("level".to_owned(), Value::String(level.to_owned()));
        line.insert("source".to_owned(), Value::String(source));
        line.insert("msg".to_owned(), Value::String(message));
        line.extend(others);
        match self.0 {
            LogFormat::Json => format!("{}\n", Value::Object(line)),
            LogFormat::Logfmt => format!("{}\n", logfmt(&line)),
        }
    }

    /// What stands in the place of lines that found no room. No event: it would have to wait for
    /// room itself.
    fn lost(&self, lines: u64) -> String {
        let message = "the log is read too slowly: lines are lost here".to_owned();
        self.text(
            "WARN",
            source(Some(file!()), Some(line!())),
            message,
            vec![("lines".to_owned(), lines.into())],
        )
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let source = source(metadata.file(), metadata.line());
        writer.write_str(&self.text(
            level(*metadata.level()),
            source,
            fields.message,
            fields.others,
        ))
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

fn source(file: Option<&str>, line: Option<u32>) -> String {
    let file = file.unwrap_or("unknown");
    let file = file.split_once("src/").map_or(file, |(_, file)| file);
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// The event's fields in their order.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(String, Value)>,
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        self.others.push((field.name().to_owned(), value));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.set(field, Value::String(text));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, Value::String(value.to_owned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }
}

/// `key=value` pairs; a value is quoted, with Go's escapes, where it would be ambiguous without.
fn logfmt(line: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(256);
    for (key, value) in line {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(key);
        out.push('=');
        match value {
            Value::String(text) if is_plain(text) => out.push_str(text),
            Value::String(text) => quote(&mut out, text),
            other => write!(out, "{other}").expect("a String takes every write"),
        }
    }
    out
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| {
            c > ' ' && c != '"' && c != '=' && c != '\\' && c != '\u{7f}' && !c.is_control()
        })
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes every write");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(format: LogFormat, event: impl FnOnce()) -> String {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let to_log = log.reopen().expect("the file");
        let subscriber = tracing_subscriber::fmt()
            .with_writer(to_log)
            .event_format(Line(format))
            .finish();
        tracing::subscriber::with_default(subscriber, event);
        std::fs::read_to_string(log.path()).expect("UTF-8")
    }

    #[test]
    fn a_line_of_logfmt_is_one_line_whatever_the_vendor_says() {
        let line = logged(LogFormat::Logfmt, || {
            tracing::warn!(
                cluster = "c1",
                error = "a \"b\"\nlevel=ERROR",
                count = 3,
                "cluster does not answer"
            );
        });
        assert!(line.ends_with("msg=\"cluster does not answer\" cluster=c1 error=\"a \\\"b\\\"\\nlevel=ERROR\" count=3\n"), "{line}");
        assert!(
            line.starts_with("time=20") && line.contains("Z level=WARN source=log.rs:"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_line_of_json_is_an_object_with_the_same_keys() {
        let line = logged(LogFormat::Json, || {
            tracing::info!(listening = true, "ready");
        });
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["msg"], "ready");
        assert_eq!(value["level"], "INFO");
        assert_eq!(value["listening"], true);
    }

    #[test]
    fn what_tells_of_lost_lines_has_the_shape_of_any_line() {
        let line = Line(LogFormat::Logfmt).lost(12);
        assert!(
            line.contains("Z level=WARN source=log.rs:") && line.ends_with(" lines=12\n"),
            "{line}"
        );
        let value: Map<String, Value> =
            serde_json::from_str(&Line(LogFormat::Json).lost(12)).expect("JSON");
        assert_eq!(
            value.keys().collect::<Vec<_>>(),
            ["time", "level", "source", "msg", "lines"]
        );
    }
}
