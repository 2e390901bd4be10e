//! All else that is known of one cluster, for whoever opens it.

use ack_client::text::clean_message;
use jiff::Timestamp;

use super::age;
use super::html::{Html, markup};
use super::selection::Row;

/// Writes the parts that are known.
pub(super) fn write(html: &mut Html, row: &Row<'_>, now: Timestamp) {
    let cluster = row.cluster();
    markup!(html, "<details><summary>Details</summary><dl>\n");
    if let Some(state) = row.state() {
        text(html, "Task", &state.task_id);
        text(html, "Task status", state.task_status.as_str());
        text(html, "Precheck report", &state.precheck_report_id);
        text(html, "Target version", &state.target_version);
        time(html, "Task created", state.started, now);
        time(html, "Task changed", state.updated, now);
        text(html, "Source", state.source.as_str());
        time(html, "In this state", row.reading.since, now);
    }
    time(html, "Last answer", row.reading.last_success, now);
    if let Some(duration) = row.reading.duration {
        text(
            html,
            "Last query took",
            &format!("{:.2} s", duration.as_secs_f64()),
        );
    }
    text(
        html,
        "Cluster state",
        cluster.state.as_deref().unwrap_or_default(),
    );
    text(html, "Type", &cluster.cluster_type);
    text(html, "Edition", &cluster.spec);
    text(html, "Next version", &cluster.next_version);
    for (name, value) in &cluster.labels {
        text(html, &format!("Label {name}"), value);
    }
    markup!(html, "</dl></details>\n");
}

fn text(html: &mut Html, name: &str, value: &str) {
    let value = clean_message(value);
    if !value.is_empty() {
        markup!(html, "<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
    }
}

fn time(html: &mut Html, name: &str, at: Option<Timestamp>, now: Timestamp) {
    if let Some(at) = at {
        let ago = age::length(age::seconds_since(at, now));
        markup!(
            html,
            "<div><dt>{}</dt><dd>{} ({} ago)</dd></div>\n",
            name,
            age::absolute(at),
            ago
        );
    }
}
