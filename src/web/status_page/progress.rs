//! The steps of an upgrade, drawn as progress.

use std::cmp::Ordering;

use ack_client::Step;

use super::display_status::DisplayStatus;
use super::html::{Html, markup};
use super::icon;

/// The steps that every upgrade goes through, as they are called while an upgrade is at them.
const STEPS: [&str; 4] = ["Not started", "Prechecking", "Upgrading", "Done"];
/// The first step, once an upgrade has left it.
const STARTED: &str = "Start";

/// Where an upgrade stands among [`STEPS`].
enum Place {
    /// At one of them.
    At(usize),
    /// Somewhere between the first and the last; the vendor says no more.
    Between(&'static str),
}

/// Draws how far an upgrade has come that is in `status` at `step`.
pub(super) fn write(html: &mut Html, status: DisplayStatus, step: Step) {
    let place = Place::of(step);
    // What is over and went well, or never began, needs no words.
    let plain = match (status, step) {
        (DisplayStatus::Succeeded, Step::Success) | (DisplayStatus::Never, Step::NotStart) => {
            " plain"
        }
        _ => "",
    };
    markup!(
        html,
        "<div class=\"steps{}\" role=\"progressbar\" aria-label=\"Steps\" aria-valuemin=\"1\" aria-valuemax=\"4\"",
        plain
    );
    markup!(html, " aria-valuetext=\"{}\"", place.text(status));
    match place {
        Place::At(position) => at(html, status, position),
        Place::Between(name) => between(html, status, name),
    }
    markup!(html, "</div>");
}

fn at(html: &mut Html, status: DisplayStatus, position: usize) {
    markup!(html, " aria-valuenow=\"{}\">", position + 1);
    for (step, name) in STEPS.iter().enumerate() {
        match step.cmp(&position) {
            Ordering::Less if step == 0 => markup!(html, "<span class=\"done\">{}</span>", STARTED),
            Ordering::Less => markup!(html, "<span class=\"done\">{}</span>", name),
            Ordering::Equal => now(html, status, "now", name),
            Ordering::Greater => markup!(html, "<span class=\"todo\">{}</span>", name),
        }
    }
}

fn between(html: &mut Html, status: DisplayStatus, name: &str) {
    markup!(html, "><span class=\"done\">{}</span>", STARTED);
    now(html, status, "now between", name);
    markup!(html, "<span class=\"todo\">{}</span>", STEPS[3]);
}

fn now(html: &mut Html, status: DisplayStatus, class: &'static str, name: &str) {
    markup!(html, "<span class=\"{}\">", class);
    icon::write(html, status);
    markup!(html, "{}</span>", name);
}

impl Place {
    fn of(step: Step) -> Self {
        match step {
            Step::NotStart => Self::At(0),
            Step::Prechecking => Self::At(1),
            Step::Upgrading => Self::At(2),
            Step::Success => Self::At(3),
            Step::Pause => Self::Between("Paused between steps"),
            Step::Unknown => Self::Between("Step not known"),
        }
    }

    /// The picture in words.
    fn text(&self, status: DisplayStatus) -> String {
        match self {
            Self::At(position) => format!(
                "{}: {}, step {} of 4",
                status.label(),
                STEPS[*position],
                position + 1
            ),
            Self::Between(name) => format!("{}: {name}", status.label()),
        }
    }
}
