//! The closed sets of words in which the API tells how an upgrade stands.

macro_rules! state_set {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl $type {
            /// Every value, in the order of the API's reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it, in lower case.
            pub fn as_str(self) -> &'static str {
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
