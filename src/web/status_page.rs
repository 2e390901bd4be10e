//! The page at `/`: the fleet as the last scrape saw it, for people.
//!
//! A pure function of a snapshot and of what the reader asked to see. Nothing on it asks the
//! vendor, nothing comes from elsewhere, and everything works without scripts: filter and order are
//! links and a form.

mod age;
mod controls;
mod details;
pub mod display_status;
mod html;
mod icon;
mod number;
mod policy;
mod progress;
pub mod query;
mod row;
mod selection;
mod summary;
mod table;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::html::{Html, markup};
use self::selection::{Row, Selection};
use super::paths::Paths;
use crate::snapshot::Snapshot;

pub use policy::headers;
pub use query::PageQuery;

/// Room for what every page has.
const FRAME: usize = 24 * 1024;
/// Room for a row.
const ROW: usize = 2 * 1024;

/// The page of the last snapshot, if there is one, as `query` asks for it. To be sent with
/// [`headers`].
pub fn page(
    snapshot: Option<&Snapshot>,
    now: Timestamp,
    query: &PageQuery,
    paths: &Paths,
) -> String {
    let rows = snapshot.map_or(0, |snapshot| {
        snapshot.clusters.len().min(selection::PAGE_SIZE)
    });
    let mut html = Html::with_capacity(FRAME + ROW * rows);
    match snapshot {
        Some(snapshot) => fleet(&mut html, snapshot, now, query, paths),
        None => nothing_yet(&mut html, query, paths),
    }
    html.finish()
}

fn fleet(html: &mut Html, snapshot: &Snapshot, now: Timestamp, query: &PageQuery, paths: &Paths) {
    let counts = selection::count(
        snapshot
            .clusters
            .iter()
            .map(|reading| Row::new(reading).status),
    );
    open(html, &summary::title(&counts), query, paths);
    markup!(html, "<div class=\"lead\"><div><h1>Cluster upgrades</h1>\n");
    summary::provenance(html, snapshot, now);
    markup!(html, "</div>\n");
    controls::refresh(html, query);
    markup!(html, "</div>\n");
    summary::notices(html, snapshot, now);
    summary::tiles(html, &counts, query);
    clusters(html, snapshot, now, query);
    close(html, LEGEND);
}

fn clusters(html: &mut Html, snapshot: &Snapshot, now: Timestamp, query: &PageQuery) {
    if snapshot.clusters.is_empty() {
        markup!(
            html,
            "<div class=\"empty\"><h2>No clusters</h2><p>The configuration names none"
        );
        markup!(
            html,
            ", and no cluster list has shown one that it selects.</p></div>\n"
        );
        return;
    }
    let selection = Selection::new(&snapshot.clusters, query);
    markup!(
        html,
        "<section aria-labelledby=\"clusters\">\n<h2 id=\"clusters\" class=\"unseen\">Clusters</h2>\n"
    );
    controls::form(html, query, &selection, snapshot.clusters.len());
    if selection.rows.is_empty() {
        markup!(
            html,
            "<div class=\"empty\"><h3>No cluster matches</h3><p><a href=\"{}\">Show all</a></p></div>\n",
            query.unfiltered().link()
        );
    } else {
        controls::pages(html, "Pages", query, &selection);
        table::write(html, &selection, query, now);
        controls::pages(html, "Pages, below the clusters", query, &selection);
    }
    markup!(html, "</section>\n");
}

fn nothing_yet(html: &mut Html, query: &PageQuery, paths: &Paths) {
    open(html, "No scrape yet", query, paths);
    markup!(html, "<div class=\"lead\"><h1>Cluster upgrades</h1>\n");
    controls::refresh(html, query);
    markup!(
        html,
        "</div>\n<div class=\"empty\"><h2>No scrape yet</h2>\n"
    );
    markup!(
        html,
        "<p>Prometheus has not asked for <code>{}</code> since this exporter started. ",
        paths.metrics()
    );
    markup!(
        html,
        "This page shows what the last scrape saw and never asks the vendor itself.</p>\n"
    );
    markup!(
        html,
        "<p>Let Prometheus scrape it, or open <a href=\"{}\">the metrics</a> once by hand:</p>\n",
        paths.metrics()
    );
    markup!(
        html,
        "<pre><code>scrape_configs:\n  - job_name: ack-upgrades\n    honor_labels: true\n"
    );
    markup!(
        html,
        "    metrics_path: {}\n    static_configs:\n      - targets: [\"ADDRESS:PORT\"]",
        paths.metrics()
    );
    markup!(html, "</code></pre></div>\n");
    close(html, "");
}

const LEGEND: &str = "Since: when this exporter first saw the present status and step; it starts anew with the process, so the state may be \
    older. Task: when the vendor created the upgrade task. Answered: when the last query succeeded. This page shows the last scrape; \
    it never asks the vendor itself.";

fn open(html: &mut Html, title: &str, query: &PageQuery, paths: &Paths) {
    markup!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    );
    markup!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    );
    markup!(
        html,
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
    );
    if let Some(seconds) = query.refresh {
        markup!(
            html,
            "<meta http-equiv=\"refresh\" content=\"{}\">\n",
            seconds
        );
    }
    markup!(
        html,
        "<title>{} · ack-upgrade-exporter</title>\n<style>",
        title
    );
    html.file(policy::STYLE);
    markup!(html, "</style>\n</head>\n<body>\n");
    html.file(icon::SPRITE);
    markup!(
        html,
        "<header>\n<p class=\"product\"><strong>ack-upgrade-exporter</strong> <span>{}</span></p>\n",
        env!("CARGO_PKG_VERSION")
    );
    markup!(html, "<nav aria-label=\"Exporter\">");
    let links = [
        ("Metrics", paths.metrics()),
        ("JSON", paths.to("/api/v1/clusters")),
        ("Service discovery", paths.to("/sd")),
        ("Configuration", paths.to("/config")),
        ("Readiness", paths.to("/-/ready")),
    ];
    for (label, path) in links {
        markup!(html, " <a href=\"{}\">{}</a>", path, label);
    }
    markup!(html, "</nav>\n</header>\n<main>\n");
}

fn close(html: &mut Html, legend: &str) {
    markup!(html, "</main>\n");
    if !legend.is_empty() {
        markup!(html, "<footer><p>{}</p></footer>\n", legend);
    }
    markup!(html, "</body>\n</html>\n");
}
