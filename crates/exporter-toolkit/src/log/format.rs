//! An event as one line.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use safe_input::text::is_invisible;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;

#[derive(Debug, Clone, Copy)]
pub(super) struct LineFormatter(pub(super) LogFormat);

impl LineFormatter {
    /// Returns the line, its line feed included.
    pub(super) fn line(
        self,
        level: &str,
        source: String,
        message: String,
        fields: Vec<(String, Value)>,
    ) -> String {
        let mut line = Map::new();
        line.insert(
            "time".to_owned(),
            Value::String(format!("{:.3}", Timestamp::now())),
        );
        line.insert("level".to_owned(), Value::String(level.to_owned()));
        line.insert("source".to_owned(), Value::String(source));
        line.insert("msg".to_owned(), Value::String(message));
        line.extend(fields);
        match self.0 {
            LogFormat::Json => format!("{}\n", json(line)),
            LogFormat::Logfmt => format!("{}\n", logfmt(&line)),
        }
    }
}

impl<S, N> FormatEvent<S, N> for LineFormatter
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
        let mut fields = EventFields::default();
        event.record(&mut fields);
        writer.write_str(&self.line(
            level(*metadata.level()),
            source(metadata.file(), metadata.line()),
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

/// Returns the value of `source`: the file's path below `src/`, and the line.
pub(super) fn source(file: Option<&str>, line: Option<u32>) -> String {
    let file = file.unwrap_or("unknown");
    let file = file.split_once("src/").map_or(file, |(_, file)| file);
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// The event's fields in their order.
#[derive(Default)]
struct EventFields {
    message: String,
    others: Vec<(String, Value)>,
}

impl EventFields {
    fn add(&mut self, field: &Field, value: Value) {
        self.others.push((field.name().to_owned(), value));
    }
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, Value::String(text));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::String(value.to_owned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}

/// Returns an object in which invisible characters are escaped. They can be in its strings alone.
fn json(line: Map<String, Value>) -> String {
    let text = Value::Object(line).to_string();
    if !text.contains(is_invisible) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("a String takes every write");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns `key=value` pairs; a value is quoted, with Go's escapes, where it would be ambiguous
/// without.
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
        && text
            .chars()
            .all(|c| c > ' ' && c != '"' && c != '=' && c != '\\' && !is_invisible(c))
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
            c if c <= '\u{ffff}' && is_invisible(c) => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes every write");
            }
            c if is_invisible(c) => {
                write!(out, "\\U{:08x}", u32::from(c)).expect("a String takes every write");
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
            .event_format(LineFormatter(format))
            .finish();
        tracing::subscriber::with_default(subscriber, event);
        std::fs::read_to_string(log.path()).expect("UTF-8")
    }

    #[test]
    fn a_line_of_logfmt_is_one_line_with_any_text_in_its_fields() {
        let line = logged(LogFormat::Logfmt, || {
            tracing::warn!(
                cluster = "c1",
                error = "a \"b\"\nlevel=ERROR",
                count = 3,
                "cluster does not answer"
            );
        });
        assert!(
            line.ends_with(
                "msg=\"cluster does not answer\" cluster=c1 error=\"a \
                                \\\"b\\\"\\nlevel=ERROR\" count=3\n"
            ),
            "{line}"
        );
        assert!(
            line.starts_with("time=20") && line.contains("Z level=WARN source=log/format.rs:"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn characters_that_cannot_be_seen_are_escaped_in_every_format() {
        let text = "a\u{1b}\u{202e}升\u{200d}\u{7f}\u{e0041}";
        let event = || tracing::info!(text, "seen");
        let line = logged(LogFormat::Logfmt, event);
        assert!(
            line.ends_with(" text=\"a\\u001b\\u202e升\\u200d\\u007f\\U000e0041\"\n"),
            "{line}"
        );
        let line = logged(LogFormat::Json, event);
        assert!(
            line.contains(r"a\u001b\u202e升\u200d\u007f\udb40\udc41"),
            "{line}"
        );
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["text"], text);
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
}
