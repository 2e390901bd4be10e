//! Phases of an upgrade.

/// The state of a cluster's newest upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// No upgrade has ever started.
    NotStarted,
    /// The precheck is running.
    Prechecking,
    /// The control plane is being upgraded.
    Upgrading,
    /// A user has paused the upgrade.
    Paused,
    /// The upgrade has succeeded.
    Succeeded,
    /// The upgrade has failed in this stage.
    Failed(UpgradeStage),
    /// A user has canceled the upgrade in this stage. No schedule contains it, because
    /// `GetUpgradeStatus` documents no such status; a test sets it.
    Canceled(UpgradeStage),
}

/// The two stages of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UpgradeStage {
    /// The checks before the upgrade.
    Precheck,
    /// The upgrade of the control plane.
    Upgrade,
}

impl Phase {
    /// Returns true while the upgrade is running or paused.
    pub fn is_in_progress(self) -> bool {
        matches!(self, Self::Prechecking | Self::Upgrading | Self::Paused)
    }

    /// The current stage, or the last one of an upgrade that has ended.
    pub(crate) fn stage(self) -> UpgradeStage {
        match self {
            Self::NotStarted | Self::Prechecking => UpgradeStage::Precheck,
            Self::Upgrading | Self::Paused | Self::Succeeded => UpgradeStage::Upgrade,
            Self::Failed(stage) | Self::Canceled(stage) => stage,
        }
    }
}
