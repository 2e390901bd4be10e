//! One cluster of the table: its texts and times as the template shows them.

use std::cmp::Ordering;

use ack_client::text::clean_message;
use ack_client::{Reason, Step};
use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::format::Age;
use super::query::PageQuery;
use crate::cluster::ClusterInfo;
use crate::snapshot::{ClusterReading, Failure, Outcome};
use crate::upgrade::UpgradeState;

/// Labels that are shown without opening the details.
const SHOWN_LABELS: usize = 3;
/// The steps that every upgrade goes through.
const STEPS: [Step; 4] = [
    Step::NotStart,
    Step::Prechecking,
    Step::Upgrading,
    Step::Success,
];
/// The name of the first step, once an upgrade has left it.
const STARTED: &str = "Start";

#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) reading: &'a ClusterReading,
    pub(super) status: DisplayStatus,
    now: Timestamp,
}

/// A label of the configuration, and the link to all clusters that have it.
pub(super) struct Label {
    pub(super) text: String,
    pub(super) link: String,
}

/// The version that a cluster goes to, or could go to.
pub(super) enum NextVersion {
    Target(String),
    Possible(String),
}

impl<'a> Row<'a> {
    pub(super) fn new(reading: &'a ClusterReading, now: Timestamp) -> Self {
        Self {
            reading,
            status: DisplayStatus::of(reading),
            now,
        }
    }

    pub(super) fn cluster(&self) -> &'a ClusterInfo {
        &self.reading.cluster
    }

    pub(super) fn state(&self) -> Option<&'a UpgradeState> {
        match &self.reading.outcome {
            Outcome::Up(state) => Some(state),
            Outcome::Down(_) | Outcome::NotAsked => None,
        }
    }

    pub(super) fn failure(&self) -> Option<&'a Failure> {
        match &self.reading.outcome {
            Outcome::Down(failure) => Some(failure),
            Outcome::Up(_) | Outcome::NotAsked => None,
        }
    }

    pub(super) fn region(&self) -> &'a str {
        let region = self.cluster().region.as_ref();
        region.map_or("", |region| region.as_str())
    }

    pub(super) fn name(&self) -> String {
        clean_message(&self.cluster().name)
    }

    pub(super) fn shown_labels(&self) -> Vec<Label> {
        let mut labels = Vec::new();
        for (name, value) in self.cluster().labels.iter().take(SHOWN_LABELS) {
            let text = format!("{name}={value}");
            labels.push(Label {
                link: PageQuery::of_text(&text).link(),
                text: clean_message(&text),
            });
        }
        labels
    }

    /// The number of labels that only the details show.
    pub(super) fn hidden_labels(&self) -> usize {
        self.cluster().labels.len().saturating_sub(SHOWN_LABELS)
    }

    /// The API's message about a failed upgrade or a failed query.
    pub(super) fn message(&self) -> String {
        match &self.reading.outcome {
            Outcome::Up(state) => clean_message(state.error_message.as_deref().unwrap_or_default()),
            Outcome::Down(failure) => clean_message(&failure.message),
            Outcome::NotAsked => String::new(),
        }
    }

    /// Returns true if the steps need no words: all went well, or none was ever taken.
    pub(super) fn has_plain_steps(&self) -> bool {
        let step = self.state().map(|state| state.step);
        matches!(
            (self.status, step),
            (DisplayStatus::Succeeded, Some(Step::Success))
                | (DisplayStatus::Never, Some(Step::NotStart))
        )
    }

    pub(super) fn since(&self) -> Option<Age> {
        self.state().and(self.age(self.reading.since))
    }

    pub(super) fn task_started(&self) -> Option<Age> {
        let state = self.state().filter(|_| self.status.needs_attention())?;
        self.age(state.started)
    }

    pub(super) fn answered(&self) -> Option<Age> {
        self.age(self.reading.last_success)
    }

    pub(super) fn version(&self) -> String {
        clean_message(&self.cluster().version)
    }

    pub(super) fn next_version(&self) -> Option<NextVersion> {
        let present = self.version();
        let target = clean_message(self.state().map_or("", |state| &state.target_version));
        if !target.is_empty() && target != present {
            return Some(NextVersion::Target(target));
        }
        let next = clean_message(&self.cluster().next_version);
        (!next.is_empty() && next != present).then_some(NextVersion::Possible(next))
    }

    /// The known facts about the cluster that the columns leave out, by name.
    pub(super) fn details(&self) -> Vec<(String, String)> {
        let mut details = Details::default();
        let cluster = self.cluster();
        if let Some(state) = self.state() {
            details.text("Task", &state.task_id);
            details.text("Task status", state.task_status.as_str());
            details.text("Precheck report", &state.precheck_report_id);
            details.text("Target version", &state.target_version);
            details.time("Task created", self.age(state.started));
            details.time("Task changed", self.age(state.updated));
            details.text("Source", state.source.as_str());
            details.time("In this state", self.age(self.reading.since));
        }
        details.time("Last answer", self.answered());
        if let Some(duration) = self.reading.duration {
            details.text(
                "Last query took",
                &format!("{:.2} s", duration.as_secs_f64()),
            );
        }
        details.text(
            "Cluster state",
            cluster.state.as_deref().unwrap_or_default(),
        );
        details.text("Type", &cluster.cluster_type);
        details.text("Edition", &cluster.spec);
        details.text("Next version", &cluster.next_version);
        for (name, value) in &cluster.labels {
            details.text(&format!("Label {name}"), value);
        }
        details.0
    }

    fn age(&self, at: Option<Timestamp>) -> Option<Age> {
        let now = self.now;
        at.map(|at| Age { at, now })
    }
}

#[derive(Default)]
struct Details(Vec<(String, String)>);

impl Details {
    fn text(&mut self, name: &str, value: &str) {
        let value = clean_message(value);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value));
        }
    }

    fn time(&mut self, name: &str, age: Option<Age>) {
        if let Some(age) = age {
            self.text(name, &format!("{} ({age} ago)", age.absolute()));
        }
    }
}

/// The place of a step among [`STEPS`]. None if it is between the first and the last, and the API
/// says no more.
pub(super) fn position(step: Step) -> Option<usize> {
    match step {
        Step::NotStart => Some(0),
        Step::Prechecking => Some(1),
        Step::Upgrading => Some(2),
        Step::Success => Some(3),
        Step::Pause | Step::Unknown => None,
    }
}

/// The steps of an upgrade that is at `present`, each with its class in the style sheet.
pub(super) fn steps(present: Step) -> Vec<(&'static str, &'static str)> {
    let Some(position) = position(present) else {
        let present = ("now between", step_name(present));
        return vec![
            ("done", STARTED),
            present,
            ("todo", step_name(Step::Success)),
        ];
    };
    let mut steps = Vec::with_capacity(STEPS.len());
    for (at, step) in STEPS.into_iter().enumerate() {
        steps.push(match at.cmp(&position) {
            Ordering::Less if at == 0 => ("done", STARTED),
            Ordering::Less => ("done", step_name(step)),
            Ordering::Equal => ("now", step_name(step)),
            Ordering::Greater => ("todo", step_name(step)),
        });
    }
    steps
}

pub(super) fn step_name(step: Step) -> &'static str {
    match step {
        Step::NotStart => "Not started",
        Step::Prechecking => "Prechecking",
        Step::Upgrading => "Upgrading",
        Step::Success => "Done",
        Step::Pause => "Paused between steps",
        Step::Unknown => "Step not known",
    }
}

/// Explains the reason of a failed query.
pub(super) fn explained(reason: Reason) -> &'static str {
    match reason {
        Reason::Auth => "credentials missing or refused",
        Reason::Forbidden => "permission missing",
        Reason::NotFound => "no such cluster",
        Reason::Throttled => "throttled by the API",
        Reason::RateLimited => "held back by the account's rate limit",
        Reason::Timeout => "no response in time",
        Reason::Network => "no connection",
        Reason::Server => "an error of the API",
        Reason::Decode => "response not understood",
        Reason::Other => "the query failed",
    }
}
