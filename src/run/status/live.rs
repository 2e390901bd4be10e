//! Lines of a terminal that are replaced again and again, below lines that stay.

use std::io::{self, Write as _};

use exporter_toolkit::log;

/// The output of one poll.
#[derive(Debug, Default)]
pub(super) struct Update {
    /// The lines that stay.
    pub(super) lasting: Vec<String>,
    /// The lines that the next poll replaces.
    pub(super) live: Vec<String>,
}

impl Update {
    pub(super) fn lasting(lasting: Vec<String>) -> Self {
        let live = Vec::new();
        Self { lasting, live }
    }
}

/// The lines at the end of standard output that the next update replaces.
#[derive(Debug, Default)]
pub(super) struct LiveLines {
    number: usize,
}

impl LiveLines {
    pub(super) fn replace(&mut self, update: &Update) {
        let mut text = String::new();
        if self.number > 0 {
            text = format!("\x1b[{}A\r\x1b[J", self.number);
        }
        for line in update.lasting.iter().chain(&update.live) {
            text.push_str(line);
            text.push('\n');
        }
        self.number = update.live.len();
        log::flush();
        let mut stdout = io::stdout().lock();
        // A wait goes on without a reader, for its exit code.
        drop(
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        );
    }
}
