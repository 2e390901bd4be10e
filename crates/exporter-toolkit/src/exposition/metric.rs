//! The declaration of a family.

use super::format::Format;

/// The declaration of a metric: all that a page says of it besides its samples.
///
/// A family without a sample is left out of the page, with its HELP and TYPE.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The full name, `_total` included.
    pub name: &'static str,
    /// The type in the TYPE line.
    pub kind: Kind,
    /// The names of the labels in their order on the page, without the `le` of a histogram and
    /// without labels that the operator adds.
    pub labels: &'static [&'static str],
    /// The text of the HELP line.
    pub help: &'static str,
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down. State sets are gauges too: OpenMetrics demands that the label
    /// of a state set has the name of the family.
    Gauge,
    /// A constant 1 whose labels are the facts. The name ends in `_info`. A type of its own in
    /// OpenMetrics, a gauge in the text format.
    Info,
    /// A value that only goes up.
    Counter,
    /// Counts by upper bound.
    Histogram,
}

/// The units that names end in, as OpenMetrics spells them.
const UNITS: [&str; 2] = ["seconds", "bytes"];

// === impl Metric ===

impl Metric {
    /// The name of the family. OpenMetrics leaves out the suffix that the type prescribes.
    pub(super) fn family_name(&self, format: Format) -> &'static str {
        match (format, self.kind) {
            (Format::OpenMetrics, Kind::Counter) => self.name.trim_end_matches("_total"),
            (Format::OpenMetrics, Kind::Info) => self.name.trim_end_matches("_info"),
            _ => self.name,
        }
    }

    /// The unit in the UNIT line, which only OpenMetrics has.
    pub(super) fn unit(&self, format: Format) -> Option<&'static str> {
        let (_, last_word) = self.family_name(format).rsplit_once('_')?;
        let unit = UNITS.into_iter().find(|unit| *unit == last_word);
        unit.filter(|_| format == Format::OpenMetrics)
    }
}

// === impl Kind ===

impl Kind {
    /// Returns the word of the TYPE line in `format`.
    pub fn word(self, format: Format) -> &'static str {
        match (self, format) {
            (Self::Info, Format::OpenMetrics) => "info",
            (Self::Gauge | Self::Info, _) => "gauge",
            (Self::Counter, _) => "counter",
            (Self::Histogram, _) => "histogram",
        }
    }
}
