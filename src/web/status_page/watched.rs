//! Everything that an account watches beside upgrades: marks on a cluster, and lines of its details.
//!
//! A new answer is shown by a few lines in [`describe`]; no template changes.

use jiff::{SignedDuration, Timestamp};

use super::details::Details;
use super::messages::Messages;
use crate::queries::Watched;
use crate::queries::plans::Plan;

/// Planned operations are announced this long before they start.
const SOON: SignedDuration = SignedDuration::from_hours(24);
/// The end of support is announced this long before it comes.
const ENDING: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Something about a cluster that people should know in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// An operation starts within a day, or runs.
    Planned,
    /// Its version is out of support.
    Unsupported,
    /// The support of its version ends soon.
    Ending,
}

impl Mark {
    pub(super) const ALL: [Self; 3] = [Self::Planned, Self::Unsupported, Self::Ending];

    /// The word for it in links and class names.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unsupported => "unsupported",
            Self::Ending => "ending",
        }
    }

    pub(super) fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.slug() == slug)
    }

    pub(super) fn label(self, t: &Messages) -> &'static str {
        match self {
            Self::Planned => t.planned,
            Self::Unsupported => t.unsupported,
            Self::Ending => t.ending,
        }
    }

    /// The time that it is about, if `watched` has the mark.
    pub(super) fn time(self, watched: &Watched, now: Timestamp) -> Option<Timestamp> {
        let support = watched.version_support.as_ref();
        let end = support.and_then(|support| support.end_of_support);
        match self {
            Self::Planned => next_plan(watched, now)?.start,
            Self::Unsupported => end.filter(|end| *end <= now),
            Self::Ending => end.filter(|end| *end > now && end.duration_since(now) <= ENDING),
        }
    }
}

/// The first operation that starts within a day, or runs.
pub(super) fn next_plan(watched: &Watched, now: Timestamp) -> Option<&Plan> {
    let mut plans = watched.plans.iter().flat_map(|plans| plans.iter());
    plans.find(|plan| {
        let is_soon = |start: Timestamp| start.duration_since(now) <= SOON;
        !plan.state.is_ended() && plan.start.is_some_and(is_soon)
    })
}

/// Adds everything that is known to the details of the cluster.
pub(super) fn describe(watched: &Watched, t: &Messages, details: &mut Details) {
    for plan in watched.plans.iter().flat_map(|plans| plans.iter()) {
        let (start, end) = (details.time_text(plan.start), details.time_text(plan.end));
        let window = if end.is_empty() {
            start
        } else {
            format!("{start} – {end}")
        };
        let state = plan.state.as_str();
        let parts = [&*plan.kind, &plan.target, state, &window, &plan.reason];
        details.parts(t.plan, &parts);
    }
    if let Some(support) = &watched.version_support {
        details.time(t.end_of_support, support.end_of_support);
        details.number(t.versions_behind, support.versions_behind);
    }
}
