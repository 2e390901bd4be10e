//! One cluster: who it is, how its upgrade stands, and how well that is known.

use ack_client::Reason;
use ack_client::text::clean_message;
use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::html::{Html, markup};
use super::query::PageQuery;
use super::selection::Row;
use super::{age, details, icon, progress};
use crate::snapshot::Failure;
use crate::upgrade::UpgradeState;

/// Labels that are shown without opening the details.
const SHOWN_LABELS: usize = 3;

/// Writes the row.
pub(super) fn write(html: &mut Html, row: &Row<'_>, now: Timestamp) {
    markup!(
        html,
        "<tr class=\"{} {}\">\n",
        row.status.slug(),
        volume(row.status)
    );
    cluster(html, row);
    upgrade(html, row, now);
    since(html, row, now);
    version(html, row);
    markup!(
        html,
        "<td class=\"where\"><span>{}</span> <span class=\"region\">{}</span></td>\n",
        row.cluster().account,
        row.region()
    );
    reading(html, row, now);
    markup!(html, "</tr>\n");
}

/// How much room the row gets.
fn volume(status: DisplayStatus) -> &'static str {
    match status {
        DisplayStatus::NotAsked | DisplayStatus::Succeeded | DisplayStatus::Never => "quiet",
        _ => "loud",
    }
}

fn cluster(html: &mut Html, row: &Row<'_>) {
    let cluster = row.cluster();
    let name = clean_message(&cluster.name);
    markup!(html, "<th scope=\"row\" class=\"cluster\">");
    if !name.is_empty() {
        markup!(html, "<span class=\"name\">{}</span> ", name);
    }
    markup!(html, "<code class=\"id\">{}</code>", cluster.id);
    if !cluster.labels.is_empty() {
        markup!(html, "<span class=\"labels\">");
        for (name, value) in cluster.labels.iter().take(SHOWN_LABELS) {
            let text = format!("{name}={value}");
            let link = PageQuery {
                text: text.clone(),
                ..PageQuery::default()
            }
            .link();
            markup!(html, " <a href=\"{}\">{}</a>", link, clean_message(&text));
        }
        if cluster.labels.len() > SHOWN_LABELS {
            markup!(html, " +{}", cluster.labels.len() - SHOWN_LABELS);
        }
        markup!(html, "</span>");
    }
    markup!(html, "</th>\n");
}

fn upgrade(html: &mut Html, row: &Row<'_>, now: Timestamp) {
    markup!(html, "<td class=\"upgrade\"><div class=\"line\">");
    icon::badge(html, row.status);
    match (row.state(), row.failure()) {
        (Some(state), _) => progressing(html, row.status, state),
        (None, Some(failure)) => silent(html, failure),
        (None, None) => markup!(
            html,
            "<span class=\"hint\">its turn has not come yet</span></div>\n"
        ),
    }
    details::write(html, row, now);
    markup!(html, "</td>\n");
}

fn progressing(html: &mut Html, status: DisplayStatus, state: &UpgradeState) {
    progress::write(html, status, state.step);
    markup!(html, "</div>\n");
    let message = clean_message(state.error_message.as_deref().unwrap_or_default());
    if !message.is_empty() {
        markup!(html, "<p class=\"message\">{}</p>\n", message);
    }
}

fn silent(html: &mut Html, failure: &Failure) {
    markup!(
        html,
        "<span class=\"hint\">{} <code>{}</code></span></div>\n",
        explained(failure.reason),
        failure.reason.as_str()
    );
    let message = clean_message(&failure.message);
    if !message.is_empty() {
        markup!(html, "<p class=\"message\">{}</p>\n", message);
    }
}

/// A reason as one says it.
fn explained(reason: Reason) -> &'static str {
    match reason {
        Reason::Auth => "credentials missing or refused",
        Reason::Forbidden => "permission missing",
        Reason::NotFound => "no such cluster",
        Reason::Throttled => "throttled by the vendor",
        Reason::RateLimited => "held back by the account's rate limit",
        Reason::Timeout => "no answer in time",
        Reason::Network => "no connection",
        Reason::Server => "an error on the vendor's side",
        Reason::Decode => "reply not understood",
        Reason::Other => "the query failed",
    }
}

fn since(html: &mut Html, row: &Row<'_>, now: Timestamp) {
    markup!(html, "<td class=\"since\">");
    match row.reading.since.filter(|_| row.state().is_some()) {
        Some(since) => age::write(html, since, now),
        None => nothing(html),
    }
    if let Some(started) = row
        .state()
        .and_then(|state| state.started)
        .filter(|_| row.status.needs_attention())
    {
        markup!(html, " <span class=\"started\">task ");
        age::write(html, started, now);
        markup!(html, "</span>");
    }
    markup!(html, "</td>\n");
}

fn version(html: &mut Html, row: &Row<'_>) {
    let cluster = row.cluster();
    let (present, next) = (
        clean_message(&cluster.version),
        clean_message(&cluster.next_version),
    );
    let target = clean_message(row.state().map_or("", |state| &state.target_version));
    markup!(html, "<td class=\"version\">");
    if present.is_empty() {
        nothing(html);
    } else {
        markup!(html, "<span>{}</span>", present);
    }
    if !target.is_empty() && target != present {
        markup!(html, " <span class=\"target\">→ {}</span>", target);
    } else if !next.is_empty() && next != present {
        markup!(html, " <span class=\"next\">next {}</span>", next);
    }
    markup!(html, "</td>\n");
}

fn reading(html: &mut Html, row: &Row<'_>, now: Timestamp) {
    markup!(html, "<td class=\"reading\">");
    match row.reading.last_success {
        Some(at) => {
            age::write(html, at, now);
            markup!(html, " ago");
        }
        None => markup!(html, "never"),
    }
    markup!(html, "</td>\n");
}

fn nothing(html: &mut Html) {
    markup!(html, "<span class=\"nothing\" title=\"not known\">–</span>");
}
