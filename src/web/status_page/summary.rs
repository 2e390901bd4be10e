//! The fleet in a second: how many clusters stand how, and how far the numbers can be trusted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::html::{Html, markup};
use super::number::grouped;
use super::query::PageQuery;
use super::{age, icon};
use crate::snapshot::Snapshot;

/// The statuses that have a tile of their own, whether a cluster is in them or not.
const TILES: [DisplayStatus; 4] = [
    DisplayStatus::Running,
    DisplayStatus::Paused,
    DisplayStatus::Failed,
    DisplayStatus::NotAnswering,
];
/// The age from which on a snapshot is called old, in seconds. Few Prometheus servers ask less
/// often.
const OLD: u64 = 300;
/// Failed cluster lists that are named.
const NAMED_LISTS: usize = 5;

/// The window's title: what a row of tabs should tell.
pub(super) fn title(counts: &BTreeMap<DisplayStatus, usize>) -> String {
    let parts: Vec<String> = TILES
        .iter()
        .filter_map(|status| {
            Some(format!(
                "{} {}",
                grouped(*counts.get(status)?),
                status.label().to_lowercase()
            ))
        })
        .collect();
    if parts.is_empty() {
        "No upgrade under way".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Writes the numbers; each leads to its clusters.
pub(super) fn tiles(html: &mut Html, counts: &BTreeMap<DisplayStatus, usize>, query: &PageQuery) {
    markup!(
        html,
        "<nav class=\"tiles\" aria-label=\"Clusters by status\">\n"
    );
    for status in TILES {
        let count = counts.get(&status).copied().unwrap_or(0);
        tile(html, status, status.heading(), count, query);
    }
    let others = DisplayStatus::ALL
        .into_iter()
        .filter(|status| !TILES.contains(status));
    let others: Vec<_> = others
        .filter_map(|status| Some((status, *counts.get(&status)?)))
        .collect();
    if !others.is_empty() {
        markup!(html, "<ul class=\"rest\">\n");
        for (status, count) in others {
            markup!(html, "<li>");
            tile(html, status, status.label(), count, query);
            markup!(html, "</li>\n");
        }
        markup!(html, "</ul>\n");
    }
    markup!(html, "</nav>\n");
}

fn tile(html: &mut Html, status: DisplayStatus, label: &str, count: usize, query: &PageQuery) {
    let chosen = query.status == Some(status);
    let link = query.of_status(Some(status).filter(|_| !chosen)).link();
    let empty = if count == 0 { " zero" } else { "" };
    markup!(
        html,
        "<a class=\"tile {}{}\" href=\"{}\"",
        status.slug(),
        empty,
        link
    );
    if chosen {
        markup!(html, " aria-current=\"true\"");
    }
    markup!(html, "><span class=\"count\">");
    icon::write(html, status);
    markup!(
        html,
        "{}</span> <span class=\"what\">{}</span></a>\n",
        grouped(count),
        label
    );
}

/// Writes how old the numbers are and what they cover.
pub(super) fn provenance(html: &mut Html, snapshot: &Snapshot, now: Timestamp) {
    let count = snapshot.clusters.len();
    let plural = if count == 1 { "" } else { "s" };
    markup!(
        html,
        "<p class=\"provenance\"><strong>{} cluster{}</strong> as of the last scrape, ",
        grouped(count),
        plural
    );
    age::write(html, snapshot.at, now);
    markup!(html, " ago");
    if snapshot.shard.total() > 1 {
        markup!(
            html,
            " · shard {} of {}",
            u64::from(snapshot.shard.ordinal()) + 1,
            snapshot.shard.total()
        );
    }
    // With a rate limit below the size of the fleet this is so in every scrape, and no reason to
    // raise the voice.
    if !snapshot.complete {
        markup!(
            html,
            " · incomplete: some had not been asked or had not answered by then"
        );
    }
    markup!(html, "</p>\n");
}

/// Writes what a reader must know before trusting the rest.
pub(super) fn notices(html: &mut Html, snapshot: &Snapshot, now: Timestamp) {
    if age::seconds_since(snapshot.at, now) >= OLD {
        markup!(
            html,
            "<p class=\"notice\"><strong>This picture is old.</strong> It was taken "
        );
        age::write(html, snapshot.at, now);
        markup!(
            html,
            " ago; Prometheus has not asked since. Clusters may be in another state by now.</p>\n"
        );
    }
    let failed: Vec<(&str, &str)> = snapshot
        .accounts
        .iter()
        .flat_map(|account| {
            account
                .discoveries
                .iter()
                .map(move |discovery| (account, discovery))
        })
        .filter(|(_, discovery)| !discovery.succeeded)
        .map(|(account, discovery)| (account.account.as_str(), discovery.region.as_str()))
        .collect();
    if failed.is_empty() {
        return;
    }
    markup!(
        html,
        "<p class=\"notice\"><strong>Clusters may be missing.</strong> The cluster list could not be read of "
    );
    for (at, (account, region)) in failed.iter().take(NAMED_LISTS).enumerate() {
        markup!(
            html,
            "{}{} in {}",
            if at == 0 { "" } else { ", " },
            account,
            region
        );
    }
    if failed.len() > NAMED_LISTS {
        markup!(html, " and {} more", failed.len() - NAMED_LISTS);
    }
    markup!(html, ".</p>\n");
}
