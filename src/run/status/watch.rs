//! `--watch`: the clusters again and again, on a terminal in its second screen.

use std::process::ExitCode;

use ack_client::clock::Clock;
use jiff::Timestamp;
use tokio::time::sleep;

use super::poll::Poller;
use super::summary;
use super::table::cut;
use super::terminal::{SecondScreen, Size};
use crate::cli::{Output, StatusArgs, exit};
use crate::run::signals::StopSignals;
use crate::run::{RunError, print};
use crate::snapshot::Snapshot;

/// Shows the clusters until standard output is closed or, on a terminal, until a signal.
pub(super) async fn watch(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    if args.output.format == Output::Json || Size::of_stdout().is_none() {
        return watch_lines(args, poller, clock).await;
    }
    let mut stop = StopSignals::listen().map_err(|error| RunError::Runtime(error.to_string()))?;
    let watching = watch_screen(args, poller, clock);
    stop.interrupt(watching).await.unwrap_or(Ok(exit::OK))
}

async fn watch_lines(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    loop {
        let poll = poller.poll().await?;
        let now = clock.now();
        let is_open = args.output.format == Output::Json || print(&format!("{now:.0}"));
        if !(is_open && args.print(&args.shown(&poll.snapshot), now)) {
            return Ok(exit::OK);
        }
        sleep(args.repeat.interval).await;
    }
}

async fn watch_screen(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    let first = poller.poll().await?;
    let mut snapshot = first.snapshot;
    let mut screen = SecondScreen::enter();
    while let Some(size) = Size::of_stdout()
        && screen.draw(&frame(args, &snapshot, clock.now(), size))
    {
        sleep(args.repeat.interval).await;
        snapshot = poller.poll().await?.snapshot;
    }
    Ok(exit::OK)
}

/// The lines of one screen: the time and the counts, and as much of the table as fits.
fn frame(args: &StatusArgs, snapshot: &Snapshot, now: Timestamp, size: Size) -> Vec<String> {
    let title = format!("{now:.0}  {}", summary::counts(&snapshot.clusters));
    let mut lines = vec![cut(&title, size.columns), String::new()];
    lines.extend(args.lines(&args.shown(snapshot), now, Some(size.columns)));
    let hidden = lines.len().saturating_sub(size.lines);
    if hidden > 0 {
        lines.truncate(size.lines.saturating_sub(1));
        lines.push(cut(&format!("{} more", hidden + 1), size.columns));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;
    use insta::assert_snapshot;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::run::status::fixture::{NOW, fleet};
    use crate::shard::Shard;

    /// The screen of a terminal of this width and 10 lines.
    fn screen(columns: usize, color: &str) -> String {
        let color = format!("--color={color}");
        let cli = Cli::try_parse_from(["x", "status", "--watch", &color]).expect("good flags");
        let Some(Command::Status(args)) = cli.command else {
            panic!("{cli:?}")
        };
        let snapshot = Snapshot {
            at: NOW,
            duration: Duration::ZERO,
            budget: Duration::ZERO,
            complete: true,
            shard: Shard::default(),
            clusters: fleet(),
            accounts: Vec::new(),
        };
        let size = Size { columns, lines: 10 };
        frame(&args, &snapshot, NOW, size).join("\n")
    }

    #[test]
    fn a_screen_of_60_columns() {
        assert_snapshot!(screen(60, "never"));
    }

    #[test]
    fn a_screen_of_100_columns() {
        assert_snapshot!(screen(100, "never"));
    }

    #[test]
    fn a_screen_of_200_columns_in_colour() {
        let screen = screen(200, "always");
        assert_snapshot!(screen.replace('\u{1b}', "ESC"));
    }
}
