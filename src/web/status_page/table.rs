//! The clusters, one a row; on a narrow screen the style sheet makes cards of them.

use jiff::Timestamp;

use super::html::{Html, markup};
use super::number::grouped;
use super::query::{Column, Direction, PageQuery};
use super::row;
use super::selection::{Row, Selection};

/// Rows from which on the quiet ones get a single line.
const DENSE: usize = 100;

/// The heads of the columns, with their class and what they say to a pointer.
const HEADS: [(&str, Column, &str, &str); 6] = [
    (
        "cluster",
        Column::Name,
        "Cluster",
        "Name, cluster ID, and the labels of the configuration",
    ),
    (
        "upgrade",
        Column::Status,
        "Upgrade",
        "Status, step, and what the vendor says about it",
    ),
    (
        "since",
        Column::Since,
        "Since",
        "How long this exporter has seen the present status and step",
    ),
    (
        "version",
        Column::Version,
        "Version",
        "Kubernetes version, and the one it is going to or could go to",
    ),
    ("where", Column::Account, "Account", "Account and region"),
    (
        "reading",
        Column::Reading,
        "Answered",
        "When the last query was answered",
    ),
];

/// Writes the table of what `selection` shows.
pub(super) fn write(html: &mut Html, selection: &Selection<'_>, query: &PageQuery, now: Timestamp) {
    let density = if selection.rows.len() > DENSE {
        "dense"
    } else {
        "roomy"
    };
    markup!(
        html,
        "<table class=\"{}\">\n<caption>Clusters and their upgrades</caption>\n",
        density
    );
    head(html, query);
    if query.sort.column == Column::Status {
        for group in selection
            .rows
            .chunk_by(|one, other| one.status == other.status)
        {
            markup!(html, "<tbody>\n");
            group_head(html, group, selection);
            rows(html, group, now);
            markup!(html, "</tbody>\n");
        }
    } else {
        markup!(html, "<tbody>\n");
        rows(html, &selection.rows, now);
        markup!(html, "</tbody>\n");
    }
    markup!(html, "</table>\n");
}

fn head(html: &mut Html, query: &PageQuery) {
    markup!(html, "<thead><tr>");
    for (class, column, label, title) in HEADS {
        let (order, arrow) = match query.sort.direction {
            _ if query.sort.column != column => ("none", ""),
            Direction::Ascending => ("ascending", "▲"),
            Direction::Descending => ("descending", "▼"),
        };
        let link = query.sorted(query.sort.clicked(column)).link();
        markup!(
            html,
            "<th scope=\"col\" class=\"{}\" aria-sort=\"{}\"><a href=\"{}\" title=\"{}\">{}",
            class,
            order,
            link,
            title,
            label
        );
        markup!(html, "<span aria-hidden=\"true\">{}</span></a></th>", arrow);
    }
    markup!(html, "</tr></thead>\n");
}

fn group_head(html: &mut Html, group: &[Row<'_>], selection: &Selection<'_>) {
    let Some(status) = group.first().map(|row| row.status) else {
        return;
    };
    // All of the group, though some may be on another page.
    let count = selection
        .matching
        .get(&status)
        .copied()
        .unwrap_or(group.len());
    markup!(
        html,
        "<tr class=\"group {}\"><th scope=\"rowgroup\" colspan=\"{}\">",
        status.slug(),
        HEADS.len()
    );
    markup!(
        html,
        "{} <span class=\"size\">{}</span></th></tr>\n",
        status.heading(),
        grouped(count)
    );
}

fn rows(html: &mut Html, rows: &[Row<'_>], now: Timestamp) {
    for row in rows {
        row::write(html, row, now);
    }
}
