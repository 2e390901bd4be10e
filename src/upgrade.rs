//! The upgrade of one cluster, in the exporter's own words, whichever operation told it.

use jiff::Timestamp;

/// A closed set of values of which one holds at a time, exposed as one series a value.
pub trait StateSet: Copy + Eq + 'static {
    /// Every value, in the order of exposition.
    const ALL: &'static [Self];

    /// The value of the label.
    fn as_str(self) -> &'static str;
}

macro_rules! state_set {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl StateSet for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

state_set! {
    /// How the upgrade as a whole stands.
    Status {
        /// No upgrade has been started.
        None = "none",
        /// Under way.
        Running = "running",
        /// Paused, by someone or by an error.
        Pause = "pause",
        /// Ended well.
        Success = "success",
        /// Ended badly.
        Fail = "fail",
        /// Canceled.
        Canceled = "canceled",
        /// A value the vendor's reference does not list.
        Unknown = "unknown",
    }
}

state_set! {
    /// The step that the upgrade has reached.
    Step {
        /// Nothing has begun.
        NotStart = "not_start",
        /// The checks before the upgrade are running.
        Prechecking = "prechecking",
        /// The control plane is being upgraded.
        Upgrading = "upgrading",
        /// Paused between steps.
        Pause = "pause",
        /// All steps are done.
        Success = "success",
        /// A value the vendor's reference does not list, or none where there should be one.
        Unknown = "unknown",
    }
}

state_set! {
    /// How the task behind the upgrade stands.
    TaskStatus {
        /// There is no task.
        None = "none",
        /// Not finished, paused included.
        Running = "running",
        /// Ended well.
        Success = "success",
        /// Ended badly.
        Failed = "failed",
        /// A value the vendor's reference does not list.
        Unknown = "unknown",
    }
}

impl Status {
    /// The status that a word of the API stands for, whichever operation uses it; None if there is
    /// no such word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "running" | "pending" | "pausing" | "resuming" | "cancelling" | "canceling" => {
                Some(Self::Running)
            }
            "pause" | "paused" => Some(Self::Pause),
            "success" | "succeeded" => Some(Self::Success),
            "fail" | "failed" | "error" => Some(Self::Fail),
            "canceled" | "cancelled" => Some(Self::Canceled),
            _ => None,
        }
    }

    /// How the task behind an upgrade of this status stands.
    pub fn of_task(self) -> TaskStatus {
        match self {
            Self::None => TaskStatus::None,
            Self::Running | Self::Pause => TaskStatus::Running,
            Self::Success => TaskStatus::Success,
            Self::Fail => TaskStatus::Failed,
            Self::Canceled | Self::Unknown => TaskStatus::Unknown,
        }
    }

    /// Whether nothing will change before somebody starts another upgrade.
    pub fn is_idle(self) -> bool {
        matches!(
            self,
            Self::None | Self::Success | Self::Fail | Self::Canceled
        )
    }
}

/// Who told the state of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceName {
    /// `GetUpgradeStatus`.
    UpgradeStatus,
    /// `DescribeClusterTasks` and `DescribeTaskInfo`.
    Tasks,
}

impl SourceName {
    /// The value of the label, and of `source` in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpgradeStatus => "upgrade_status",
            Self::Tasks => "tasks",
        }
    }
}

/// What is known of one cluster's upgrade. Text that the vendor did not give is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeState {
    /// Who told it.
    pub source: SourceName,
    /// The whole upgrade.
    pub status: Status,
    /// The step reached.
    pub step: Step,
    /// The task behind it.
    pub task_status: TaskStatus,
    /// The vendor's message, if there is one; raw, so cleaned where it is shown.
    pub error_message: Option<String>,
    /// ID of the precheck's report.
    pub precheck_report_id: String,
    /// ID of the upgrade task (task operations only).
    pub task_id: String,
    /// Kubernetes version upgraded to (task operations only).
    pub target_version: String,
    /// When the task was created (task operations only).
    pub started: Option<Timestamp>,
    /// When the task last changed (task operations only).
    pub updated: Option<Timestamp>,
}

impl UpgradeState {
    /// Whether `later` is the same upgrade in the same status and step. A task that is not told is
    /// any.
    pub fn is_same_state(&self, later: &Self) -> bool {
        let is_same_task =
            self.task_id == later.task_id || self.task_id.is_empty() || later.task_id.is_empty();
        is_same_task && self.status == later.status && self.step == later.step
    }

    /// The state of a cluster that was never upgraded.
    pub fn never(source: SourceName) -> Self {
        Self {
            source,
            status: Status::None,
            step: Step::NotStart,
            task_status: TaskStatus::None,
            error_message: None,
            precheck_report_id: String::new(),
            task_id: String::new(),
            target_version: String::new(),
            started: None,
            updated: None,
        }
    }
}

/// The longest error message that is shown, in characters.
pub const MAX_MESSAGE: usize = 256;

/// The vendor's text as it may be shown: line breaks and tabs become one space, other control
/// characters go, at most [`MAX_MESSAGE`] characters stay, the last of which says that there were
/// more.
pub fn clean_message(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(4 * MAX_MESSAGE));
    let mut length = 0;
    for c in text.trim().chars() {
        let c = match c {
            '\r' | '\n' | '\t' if clean.ends_with(' ') => continue,
            '\r' | '\n' | '\t' => ' ',
            c if c.is_control() => continue,
            c => c,
        };
        if length == MAX_MESSAGE {
            clean.pop();
            clean.push('…');
            break;
        }
        clean.push(c);
        length += 1;
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_task_is_another_state_and_another_source_is_not() {
        let state = |task: &str| UpgradeState {
            task_id: task.to_owned(),
            ..UpgradeState::never(SourceName::Tasks)
        };
        assert!(state("T-1").is_same_state(&state("T-1")));
        assert!(!state("T-1").is_same_state(&state("T-2")));
        assert!(state("").is_same_state(&state("T-1")) && state("T-1").is_same_state(&state("")));
        assert!(!state("T-1").is_same_state(&UpgradeState {
            step: Step::Upgrading,
            ..state("T-1")
        }));
        assert!(!state("T-1").is_same_state(&UpgradeState {
            status: Status::Fail,
            ..state("T-1")
        }));
    }

    #[test]
    fn a_message_is_cleaned_and_cut_by_characters() {
        assert_eq!(clean_message("  a\r\n\tb\u{7f}\u{1b}c  d "), "a bc  d");
        let cut = clean_message(&"升".repeat(300));
        assert_eq!(
            (cut.chars().count(), cut.chars().last()),
            (MAX_MESSAGE, Some('…'))
        );
        let whole = "升".repeat(MAX_MESSAGE);
        assert_eq!(
            clean_message(&format!("{whole}\u{1b} \n")),
            whole,
            "nothing is left out that could be seen"
        );
        assert_eq!(clean_message("\n"), "");
    }
}
