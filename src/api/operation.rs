//! The operations of CS 2015-12-15 that this exporter knows.

/// One operation, named as the vendor names it: in `x-acs-action`, in RAM policies (`cs:` before it) and in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// The state of one cluster's upgrade.
    GetUpgradeStatus,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[Self::GetUpgradeStatus];

    /// The vendor's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetUpgradeStatus => "GetUpgradeStatus",
        }
    }
}
