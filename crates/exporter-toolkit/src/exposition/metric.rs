//! The declaration of a family.

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
    /// A value that goes up and down. State sets and infos are gauges too, as their labels are not
    /// those that OpenMetrics demands.
    Gauge,
    /// A value that only goes up.
    Counter,
    /// Counts by upper bound.
    Histogram,
}

impl Kind {
    /// Returns the word of the TYPE line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}
