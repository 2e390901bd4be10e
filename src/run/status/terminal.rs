//! The terminal: its size, its colours, and its second screen.

use std::io::{self, IsTerminal as _, Stdout, Write as _};

use anstream::AutoStream;
use clap::ColorChoice;
use terminal_size::{Height, Width, terminal_size_of};

use super::table::Color;

/// Switches to the second screen, and hides the cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Shows the cursor, and returns to the first screen.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// Goes to the upper left corner.
const HOME: &str = "\x1b[H";
/// Clears the rest of the line, and goes to the next one.
const NEXT_LINE: &str = "\x1b[K\r\n";
/// Clears the rest of the line.
const CLEAR_LINE: &str = "\x1b[K";
/// Clears the rest of the screen.
const CLEAR_BELOW: &str = "\x1b[J";

/// The size of a terminal, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) lines: usize,
}

// The size of most terminals, for one that does not know its own.
impl Default for Size {
    fn default() -> Self {
        Self {
            columns: 80,
            lines: 24,
        }
    }
}

impl Size {
    /// The size of the terminal that standard output is; None if it is none.
    pub(super) fn of_stdout() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let size = terminal_size_of(stdout)
            .filter(|(width, height)| width.0 > 0 && height.0 > 0)
            .map(|(Width(columns), Height(lines))| Self {
                columns: columns.into(),
                lines: lines.into(),
            });
        Some(size.unwrap_or_default())
    }
}

/// Decides on the colours of standard output.
pub(super) fn color(choice: ColorChoice) -> Color {
    let has_colors = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    };
    if has_colors { Color::On } else { Color::Off }
}

/// The second screen of the terminal; the first one is shown again when it is dropped.
#[derive(Debug)]
pub(super) struct SecondScreen(Stdout);

impl SecondScreen {
    pub(super) fn enter() -> Self {
        let mut screen = Self(io::stdout());
        // That the terminal is gone shows at the next drawing.
        drop(screen.write(ENTER));
        screen
    }

    /// Shows `lines`, which replace those shown before. Returns false if the terminal is gone.
    pub(super) fn draw(&mut self, lines: &[String]) -> bool {
        let lines = lines.join(NEXT_LINE);
        self.write(&format!("{HOME}{lines}{CLEAR_LINE}{CLEAR_BELOW}"))
            .is_ok()
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())?;
        self.0.flush()
    }
}

impl Drop for SecondScreen {
    fn drop(&mut self) {
        drop(self.write(LEAVE));
    }
}
