//! What the reader can change: which clusters, in which order, how many, how often. All of it works
//! without scripts.

use super::display_status::DisplayStatus;
use super::html::{Html, markup};
use super::number::grouped;
use super::query::{Column, Direction, PageQuery, Sort};
use super::selection::{PAGE_SIZE, Selection};

/// The intervals of reloading that are offered, in seconds.
const INTERVALS: [(Option<u32>, &str); 3] =
    [(None, "off"), (Some(15), "15 s"), (Some(60), "1 min")];

/// Pages that are named beside the present one, on either side.
const NEAR_PAGES: usize = 2;

/// Writes the form that filters and sorts.
pub(super) fn form(html: &mut Html, query: &PageQuery, selection: &Selection<'_>, total: usize) {
    markup!(html, "<form class=\"controls\" method=\"get\">\n");
    markup!(
        html,
        "<label class=\"find\">Find <input type=\"search\" name=\"q\" maxlength=\"200\" value=\"{}\"",
        query.text
    );
    markup!(
        html,
        " placeholder=\"name, ID, account, region, version, label=value, message\"></label>\n"
    );
    markup!(
        html,
        "<label>Status <select name=\"status\"><option value=\"\">All</option>"
    );
    for status in DisplayStatus::ALL {
        option(
            html,
            status.slug(),
            status.label(),
            query.status == Some(status),
        );
    }
    markup!(
        html,
        "</select></label>\n<label>Sort by <select name=\"sort\">"
    );
    for column in Column::ALL {
        for direction in [Direction::Ascending, Direction::Descending] {
            let sort = Sort { column, direction };
            option(html, &sort.slug(), order(sort), query.sort == sort);
        }
    }
    markup!(html, "</select></label>\n");
    if let Some(seconds) = query.refresh {
        markup!(
            html,
            "<input type=\"hidden\" name=\"refresh\" value=\"{}\">\n",
            seconds
        );
    }
    markup!(html, "<button type=\"submit\">Show</button>\n");
    if query.is_filtered() {
        let shown = grouped(selection.total());
        markup!(
            html,
            "<p class=\"matching\">{} of {} · <a href=\"{}\">Show all</a></p>\n",
            shown,
            grouped(total),
            query.unfiltered().link()
        );
    }
    markup!(html, "</form>\n");
}

fn option(html: &mut Html, value: &str, label: &str, selected: bool) {
    markup!(
        html,
        "<option value=\"{}\"{}>{}</option>",
        value,
        if selected { " selected" } else { "" },
        label
    );
}

/// What an order is called where there is no column to click on.
fn order(sort: Sort) -> &'static str {
    match (sort.column, sort.direction) {
        (Column::Status, Direction::Ascending) => "Most urgent first",
        (Column::Status, Direction::Descending) => "Least urgent first",
        (Column::Name, Direction::Ascending) => "Name, A to Z",
        (Column::Name, Direction::Descending) => "Name, Z to A",
        (Column::Since, Direction::Ascending) => "Longest in its state first",
        (Column::Since, Direction::Descending) => "Latest change first",
        (Column::Version, Direction::Ascending) => "Oldest version first",
        (Column::Version, Direction::Descending) => "Newest version first",
        (Column::Account, Direction::Ascending) => "Account and region, A to Z",
        (Column::Account, Direction::Descending) => "Account and region, Z to A",
        (Column::Reading, Direction::Ascending) => "Oldest reading first",
        (Column::Reading, Direction::Descending) => "Newest reading first",
    }
}

/// Writes the choice of how often the page reloads.
pub(super) fn refresh(html: &mut Html, query: &PageQuery) {
    markup!(html, "<p class=\"refresh\">Reload:");
    for (interval, label) in INTERVALS {
        choice(
            html,
            &query.refreshed(interval),
            label,
            query.refresh == interval,
        );
    }
    if let Some(seconds) = query.refresh.filter(|_| {
        INTERVALS
            .iter()
            .all(|(interval, _)| *interval != query.refresh)
    }) {
        choice(html, query, &format!("{seconds} s"), true);
    }
    markup!(html, "</p>\n");
}

/// Writes the links to the other pages, if there are any. The `label` tells two of them on one page
/// apart.
pub(super) fn pages(html: &mut Html, label: &str, query: &PageQuery, selection: &Selection<'_>) {
    if selection.pages == 1 {
        return;
    }
    let (present, last) = (selection.skipped_pages, selection.pages - 1);
    let first_row = present * PAGE_SIZE;
    let range = (
        grouped(first_row + 1),
        grouped(first_row + selection.rows.len()),
        grouped(selection.total()),
    );
    markup!(
        html,
        "<nav class=\"pages\" aria-label=\"{}\"><p>{} to {} of {}</p>\n",
        label,
        range.0,
        range.1,
        range.2
    );
    if present > 0 {
        choice(html, &query.after_pages(present - 1), "Previous", false);
    }
    let near = present.saturating_sub(NEAR_PAGES)..=(present + NEAR_PAGES).min(last);
    if *near.start() > 0 {
        choice(html, &query.after_pages(0), "1", false);
        markup!(html, "<span>…</span>");
    }
    let end = *near.end();
    for page in near {
        choice(
            html,
            &query.after_pages(page),
            &grouped(page + 1),
            page == present,
        );
    }
    if end < last {
        markup!(html, "<span>…</span>");
        choice(html, &query.after_pages(last), &grouped(last + 1), false);
    }
    if present < last {
        choice(html, &query.after_pages(present + 1), "Next", false);
    }
    markup!(html, "</nav>\n");
}

fn choice(html: &mut Html, query: &PageQuery, label: &str, chosen: bool) {
    let current = if chosen { "true" } else { "false" };
    markup!(
        html,
        " <a href=\"{}\" aria-current=\"{}\">{}</a>",
        query.link(),
        current,
        label
    );
}
