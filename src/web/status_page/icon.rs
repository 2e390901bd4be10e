//! One shape for each status, so that no state is told by its colour alone.

use super::display_status::DisplayStatus;
use super::html::{Html, markup};

/// The shapes, which every other place on the page refers to.
pub(super) const SPRITE: &str = include_str!("icons.svg");

/// Draws the shape of `status`. It says nothing that the text beside it does not say.
pub(super) fn write(html: &mut Html, status: DisplayStatus) {
    markup!(
        html,
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{}\"/></svg>",
        status.slug()
    );
}

/// Writes the shape of `status` and its name.
pub(super) fn badge(html: &mut Html, status: DisplayStatus) {
    markup!(html, "<span class=\"badge\">");
    write(html, status);
    markup!(html, "{}</span>", status.label());
}
