//! What a page says of a family.

/// A metric as its readers know it.
///
/// A family stands on a page only while it has a series: one that nothing feeds (discovery where
/// none is configured, credentials before the first answer, a started time that the source does not
/// tell) is left out, HELP and all.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its full name, `_total` included.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// Its labels, in the order of exposition; `le` of a histogram and the operator's own labels
    /// apart.
    pub labels: &'static [&'static str],
    /// What it means, for people.
    pub help: &'static str,
}

/// How the values of a metric behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down; state sets and infos too, since their labels are not those that
    /// OpenMetrics would demand.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts by size.
    Histogram,
}

impl Kind {
    /// The word in a TYPE line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}
