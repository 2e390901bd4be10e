//! The paths of the pages, for links between them.

/// The paths as a client has to ask for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The prefix of every path; empty or starting with a slash, never ending in one.
    pub prefix: String,
    /// The path of the metrics, without the prefix.
    pub telemetry: String,
}

impl Paths {
    /// The path of the metrics as a client has to ask for it.
    pub fn metrics(&self) -> String {
        self.to(&self.telemetry)
    }

    /// `path`, which starts with a slash, as a client has to ask for it.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}
