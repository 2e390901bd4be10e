//! One cluster of the table: its texts and times as the template shows them.

use std::cmp::Ordering;

use ack_client::text::clean_message;
use ack_client::{ClusterState, Reason, Step};
use jiff::Timestamp;

use super::details::Details;
use super::display_status::DisplayStatus;
use super::format::{self, Age};
use super::messages::Messages;
use super::watched::{self, Mark, Marked};
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

#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) reading: &'a ClusterReading,
    pub(super) status: DisplayStatus,
    now: Timestamp,
    t: &'static Messages,
}

/// The version that a cluster goes to, or could go to.
pub(super) enum NextVersion {
    Target(String),
    Possible(String),
}

impl<'a> Row<'a> {
    pub(super) fn new(reading: &'a ClusterReading, now: Timestamp, t: &'static Messages) -> Self {
        Self {
            reading,
            status: DisplayStatus::of(reading),
            now,
            t,
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

    /// The name of the cluster, or its ID if the name is not known.
    pub(super) fn name(&self) -> String {
        let name = clean_message(&self.cluster().name);
        if name.is_empty() {
            self.cluster().id.to_string()
        } else {
            name
        }
    }

    /// The cluster in the console of Alibaba Cloud. Private installations, whose endpoints need no
    /// region, have consoles of their own.
    pub(super) fn console(&self) -> Option<String> {
        let ClusterInfo { id, region, .. } = self.cluster();
        let region = region.as_ref()?;
        Some(format!(
            "https://cs.console.aliyun.com/#/k8s/cluster/{id}/v2/info/overview?region={region}"
        ))
    }

    /// The labels of the configuration that are shown, as `name=value`.
    pub(super) fn shown_labels(&self) -> Vec<String> {
        let labels = self.cluster().labels.iter().take(SHOWN_LABELS);
        labels
            .map(|(name, value)| clean_message(&format!("{name}={value}")))
            .collect()
    }

    /// The number of labels that only the details show.
    pub(super) fn hidden_labels(&self) -> usize {
        self.cluster().labels.len().saturating_sub(SHOWN_LABELS)
    }

    /// The API's message about a failed upgrade or a failed query.
    pub(super) fn message(&self) -> String {
        let message = match &self.reading.outcome {
            Outcome::Up(state) => state.error_message.as_deref().unwrap_or_default(),
            Outcome::Down(failure) => &failure.message,
            Outcome::NotAsked => "",
        };
        format::message(message, self.t)
    }

    /// The beginning of the present state, or of the silence of a cluster that does not answer.
    pub(super) fn since(&self) -> Option<Timestamp> {
        match self.reading.outcome {
            Outcome::Up(_) => self.reading.since,
            Outcome::Down(_) | Outcome::NotAsked => self.reading.last_success,
        }
    }

    /// The creation of the task that somebody has to look after.
    pub(super) fn task_started(&self) -> Option<Timestamp> {
        let state = self.state().filter(|_| self.status.needs_attention())?;
        state.started
    }

    pub(super) fn age(&self, at: Timestamp) -> Age {
        let (now, t) = (self.now, self.t);
        Age { at, now, t }
    }

    pub(super) fn version(&self) -> String {
        clean_message(&self.cluster().version)
    }

    pub(super) fn next_version(&self) -> Option<NextVersion> {
        let present = self.version();
        let state = self.state().filter(|_| self.status.needs_attention());
        let target = clean_message(state.map_or("", |state| &state.target_version));
        if !target.is_empty() && target != present {
            return Some(NextVersion::Target(target));
        }
        let next = clean_message(&self.cluster().next_version);
        (!next.is_empty() && next != present).then_some(NextVersion::Possible(next))
    }

    /// The marks of the cluster.
    pub(super) fn marks(&self) -> Vec<Marked<'a>> {
        watched::marks(&self.reading.watched, self.now)
    }

    /// The text of a mark of the cluster.
    pub(super) fn mark_text(&self, marked: &Marked<'_>) -> String {
        let age = marked.at.map(|at| self.age(at));
        let relative = age.map_or_else(String::new, |age| age.relative());
        let subject = clean_message(marked.subject);
        match (marked.mark, age) {
            (Mark::Unsupported, Some(age)) => format!("{} {age}", self.t.unsupported_since),
            (Mark::Ending, Some(age)) => format!("{} {age}", self.t.ending_in),
            _ => format!("{subject} {relative}").trim_end().to_owned(),
        }
    }

    /// The known facts about the cluster that the columns leave out, by name.
    pub(super) fn details(&self) -> Vec<(String, String)> {
        let (cluster, reading, t) = (self.cluster(), self.reading, self.t);
        let mut details = Details::new(self.now, t);
        if let Some(state) = self.state() {
            details.text(t.task_id, &state.task_id);
            details.text(t.task_status, state.task_status.as_str());
            details.text(t.precheck_report, &state.precheck_report_id);
            details.text(t.target_version, &state.target_version);
            details.time(t.task_created, state.started);
            details.time(t.task_changed, state.updated);
            details.text(t.source, state.source.as_str());
            details.time(t.in_this_state, reading.since);
        }
        details.time(t.last_answer, reading.last_success);
        let seconds = reading.duration.map(|duration| duration.as_secs_f64());
        details.number(
            t.query_took,
            seconds.map(|seconds| format!("{seconds:.2} s")),
        );
        watched::describe(&reading.watched, t, &mut details);
        for query in &reading.queries {
            if let Some(failure) = &query.failure {
                let name = format!("{} {}", t.query, query.query);
                details.parts(&name, &[explained(failure.reason, t), &failure.message]);
            }
        }
        details.text(
            t.cluster_state,
            cluster.state.map_or("", ClusterState::as_str),
        );
        details.text(t.cluster_type, &cluster.cluster_type);
        details.text(t.edition, &cluster.spec);
        details.text(t.next_version, &cluster.next_version);
        for (name, value) in &cluster.labels {
            details.text(&format!("{} {name}", t.label), value);
        }
        details.facts
    }
}

/// The place of a step among [`STEPS`]. None if it is between the first and the last, and the API
/// says no more.
pub(super) fn position(step: Step) -> Option<usize> {
    STEPS.iter().position(|known| *known == step)
}

/// The steps of an upgrade that is at `present`, each with its class in the style sheet.
pub(super) fn steps(present: Step, t: &Messages) -> Vec<(&'static str, &'static str)> {
    let Some(position) = position(present) else {
        let present = ("now between", step_name(present, t));
        return vec![("done", t.step_start), present, ("todo", t.step_done)];
    };
    let mut steps = Vec::with_capacity(STEPS.len());
    for (at, step) in STEPS.into_iter().enumerate() {
        steps.push(match at.cmp(&position) {
            Ordering::Less if at == 0 => ("done", t.step_start),
            Ordering::Less => ("done", step_name(step, t)),
            Ordering::Equal => ("now", step_name(step, t)),
            Ordering::Greater => ("todo", step_name(step, t)),
        });
    }
    steps
}

pub(super) fn step_name(step: Step, t: &Messages) -> &'static str {
    match step {
        Step::NotStart => t.step_not_started,
        Step::Prechecking => t.step_prechecking,
        Step::Upgrading => t.step_upgrading,
        Step::Success => t.step_done,
        Step::Pause => t.step_between,
        Step::Unknown => t.step_unknown,
    }
}

/// Explains the reason of a failed query.
pub(super) fn explained(reason: Reason, t: &Messages) -> &'static str {
    match reason {
        Reason::Auth => t.reason_auth,
        Reason::Forbidden => t.reason_forbidden,
        Reason::NotFound => t.reason_not_found,
        Reason::Throttled => t.reason_throttled,
        Reason::RateLimited => t.reason_rate_limited,
        Reason::Timeout => t.reason_timeout,
        Reason::Network => t.reason_network,
        Reason::Server => t.reason_server,
        Reason::Decode => t.reason_decode,
        Reason::Other => t.reason_other,
    }
}
