//! The writer of pages.
//!
//! It does not check that a series comes once only; that is up to the caller.

use bytes::Bytes;

use super::format::Format;
use super::metric::Metric;
use super::value::Value;

/// A metrics page in one buffer.
#[derive(Debug)]
pub struct Page {
    format: Format,
    buffer: Vec<u8>,
}

/// One family of a page. HELP and TYPE are written before the first sample, so an empty family
/// leaves no trace.
#[derive(Debug)]
pub struct Family<'page> {
    page: &'page mut Page,
    metric: &'static Metric,
    header: Header,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Missing,
    Written,
}

/// One sample of a family. Labels are added first; the value ends it.
#[derive(Debug)]
#[must_use = "a sample without its value is half a line"]
pub struct Sample<'page> {
    page: &'page mut Page,
    labels: usize,
}

// === impl Page ===

impl Page {
    /// Creates an empty page with room for `capacity` bytes.
    pub fn with_capacity(format: Format, capacity: usize) -> Self {
        Self {
            format,
            buffer: Vec::with_capacity(capacity),
        }
    }

    /// Begins the family of `metric`.
    pub fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        Family {
            page: self,
            metric,
            header: Header::Missing,
        }
    }

    /// Returns the format of the page.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Ends the page and returns its text.
    pub fn finish(mut self) -> Bytes {
        if self.format == Format::OpenMetrics {
            self.buffer.extend_from_slice(b"# EOF\n");
        }
        self.buffer.into()
    }

    fn write_header(&mut self, metric: &Metric) {
        let name = metric.family_name(self.format);
        self.write_text(["# HELP ", name, " "]);
        match self.format {
            Format::Text => escape(&mut self.buffer, metric.help, |byte| {
                matches!(byte, b'\\' | b'\n')
            }),
            Format::OpenMetrics => escape(&mut self.buffer, metric.help, |byte| {
                matches!(byte, b'\\' | b'\n' | b'"')
            }),
        }
        let kind = metric.kind.word(self.format);
        self.write_text(["\n# TYPE ", name, " ", kind, "\n"]);
        if let Some(unit) = metric.unit(self.format) {
            self.write_text(["# UNIT ", name, " ", unit, "\n"]);
        }
    }

    fn write_text<const N: usize>(&mut self, parts: [&str; N]) {
        for part in parts {
            self.buffer.extend_from_slice(part.as_bytes());
        }
    }
}

// === impl Family ===

impl Family<'_> {
    /// Begins a sample.
    pub fn sample(&mut self) -> Sample<'_> {
        self.sample_of("")
    }

    /// Adds a histogram from the upper bounds and cumulative counts of its `buckets`. The last
    /// bucket, with the bound `+Inf`, is added from `count`.
    pub fn histogram<'a, L: Iterator<Item = (&'a str, &'a str)>>(
        &mut self,
        labels: impl Fn() -> L,
        buckets: impl Iterator<Item = (f64, u64)>,
        sum: f64,
        count: u64,
    ) {
        for (bound, count) in buckets.chain([(f64::INFINITY, count)]) {
            let bound = Value::from(bound).text(self.page.format);
            self.sample_of("_bucket")
                .labels(labels())
                .label("le", &bound)
                .value(count);
        }
        self.sample_of("_sum").labels(labels()).value(sum);
        self.sample_of("_count").labels(labels()).value(count);
    }

    fn sample_of(&mut self, suffix: &str) -> Sample<'_> {
        self.begin();
        self.page
            .buffer
            .extend_from_slice(self.metric.name.as_bytes());
        self.page.buffer.extend_from_slice(suffix.as_bytes());
        Sample {
            page: self.page,
            labels: 0,
        }
    }

    /// Adds a whole line in three parts, its line feed included. It must be what
    /// [`sample`](Self::sample) writes for this family; the parts that many lines share are
    /// composed once only.
    pub fn line(&mut self, parts: [&[u8]; 3]) {
        self.begin();
        for part in parts {
            self.page.buffer.extend_from_slice(part);
        }
    }

    fn begin(&mut self) {
        if self.header == Header::Missing {
            self.page.write_header(self.metric);
            self.header = Header::Written;
        }
    }
}

// === impl Sample ===

impl Sample<'_> {
    /// Adds a label.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.push_label(name, value);
        self
    }

    /// Adds several labels.
    pub fn labels<'a>(mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (name, value) in labels {
            self.push_label(name, value);
        }
        self
    }

    /// Ends the sample.
    pub fn value(self, value: impl Into<Value>) {
        let buffer = &mut self.page.buffer;
        buffer.extend_from_slice(if self.labels == 0 { b" " } else { b"} " });
        value.into().write(self.page.format, buffer);
        buffer.push(b'\n');
    }

    fn push_label(&mut self, name: &str, value: &str) {
        let buffer = &mut self.page.buffer;
        buffer.push(if self.labels == 0 { b'{' } else { b',' });
        self.labels += 1;
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(b"=\"");
        escape(buffer, value, |byte| matches!(byte, b'\\' | b'\n' | b'"'));
        buffer.push(b'"');
    }
}

/// Adds `text` with a backslash before each byte that is `special`, a line feed becoming `\n`.
fn escape(buffer: &mut Vec<u8>, text: &str, special: fn(u8) -> bool) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| special(byte)) {
        buffer.extend_from_slice(&rest[..at]);
        buffer.extend_from_slice(match rest[at] {
            b'\n' => b"\\n",
            b'"' => b"\\\"",
            _ => b"\\\\",
        });
        rest = &rest[at + 1..];
    }
    buffer.extend_from_slice(rest);
}
