//! One shape for each condition, so that no state is told by its colour alone.

use super::condition::Condition;
use super::html::{Html, markup};

/// The shapes, which every other place on the page refers to.
pub(super) const SPRITE: &str = include_str!("icons.svg");

/// Draws the shape of `condition`. It says nothing that the text beside it does not say.
pub(super) fn write(html: &mut Html, condition: Condition) {
    markup!(
        html,
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{}\"/></svg>",
        condition.slug()
    );
}

/// Writes the shape of `condition` and its name.
pub(super) fn badge(html: &mut Html, condition: Condition) {
    markup!(html, "<span class=\"badge\">");
    write(html, condition);
    markup!(html, "{}</span>", condition.label());
}
