//! `status`: the clusters as a table or JSON, once or until their upgrades have ended.

mod change;
#[cfg(test)]
mod fixture;
mod follow;
mod live;
mod notices;
mod order;
mod poll;
mod progress_line;
mod selection;
mod summary;
mod table;
mod terminal;
mod wait;
mod watch;

use std::process::ExitCode;

use ack_client::Status;
use ack_client::clock::Clock;
use exporter_toolkit::log;
use jiff::Timestamp;

use self::poll::{Poll, Poller};
use self::table::{Format, Header, Table};
use self::terminal::Size;
use super::accounts::{RegionFlag, load};
use super::missing::unread_lists;
use super::serve::build;
use super::{RunError, print, print_warnings};
use crate::cli::{FailOn, Output, StatusArgs, exit};
use crate::shard::Shard;
use crate::snapshot::{ClusterReading, Outcome, Snapshot};
use crate::wait::{Coverage, Progress};
use crate::web::json;

/// Shows the clusters. The exit code says whether all could be read and, where that is asked for,
/// how their upgrades ended.
pub(super) async fn status(args: &StatusArgs) -> Result<ExitCode, RunError> {
    let mut config = load(&args.accounts, RegionFlag::Filter)?;
    args.narrow(&mut config)?;
    let (collector, clock) = build(&config, Shard::default())?;
    let mut poller = Poller::new(args, &collector, config.scrape.timeout);
    let code = if args.repeat.wait {
        wait::wait(args, &mut poller, clock).await
    } else if args.repeat.watch {
        watch::watch(args, &mut poller, clock).await
    } else {
        once(args, &mut poller, clock).await
    };
    collector.stop().await;
    code
}

async fn once(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    let poll = poller.poll().await?;
    let shown = args.shown(&poll.snapshot);
    args.print(&shown, clock.now());
    let size = Size::of_stdout();
    if args.output.format == Output::Table && size.is_some() && !shown.clusters.is_empty() {
        print(&format!("\n{}", summary::counts(&poll.snapshot.clusters)));
    }
    report(args, poller, &poll);
    Ok(code(args.evaluate(&poll)))
}

/// Prints the reasons for which clusters are missing from the table.
fn report(args: &StatusArgs, poller: &Poller<'_>, poll: &Poll) {
    let is_hidden = |reading: &&ClusterReading| {
        !matches!(reading.outcome, Outcome::Up(_)) && !args.shows(&reading.outcome)
    };
    let hidden = poll.snapshot.clusters.iter().filter(is_hidden);
    let names = summary::names(hidden.map(|reading| &*reading.cluster));
    if !names.is_empty() {
        print_warnings(&format!(
            "could not be read, and not shown because of --status: {names}"
        ));
    }
    if poll.coverage == Coverage::Full {
        return;
    }
    let unread = unread_lists(poller.collector);
    for line in &unread {
        log::write_line(&format!("error: {line}"));
    }
    if unread.is_empty() && poll.snapshot.clusters.is_empty() {
        log::write_line(
            "error: no cluster found: the cluster lists have none that the configuration selects",
        );
    }
}

fn code(progress: Progress) -> ExitCode {
    match progress {
        Progress::Done | Progress::Pending => exit::OK,
        Progress::Failed => exit::failed_upgrade(),
        Progress::Unknown => exit::not_queried(),
    }
}

impl StatusArgs {
    /// The clusters of `snapshot` that are to be shown.
    fn shown(&self, snapshot: &Snapshot) -> Snapshot {
        let mut shown = snapshot.clone();
        shown
            .clusters
            .retain(|reading| self.shows(&reading.outcome));
        shown
    }

    /// Prints `shown`. Returns false if standard output is closed.
    fn print(&self, shown: &Snapshot, now: Timestamp) -> bool {
        match self.output.format {
            Output::Json => print(&json::clusters(Some(shown), now)),
            Output::Table => {
                let width = Size::of_stdout().map(|size| size.columns);
                let lines = self.lines(shown, now, width);
                lines.is_empty() || print(&lines.join("\n"))
            }
        }
    }

    /// The table of `shown`.
    fn lines(&self, shown: &Snapshot, now: Timestamp, width: Option<usize>) -> Vec<String> {
        let mut clusters = shown.clusters.clone();
        order::sort(&mut clusters);
        Table::new(&clusters, now, self.format(width)).lines(&clusters)
    }

    fn format(&self, width: Option<usize>) -> Format {
        Format {
            width,
            color: terminal::color(self.output.color),
            header: if self.output.no_headers {
                Header::Hidden
            } else {
                Header::Shown
            },
        }
    }

    /// The progress of the clusters without a wait. A cluster that could not be read is never done.
    fn evaluate(&self, poll: &Poll) -> Progress {
        let clusters = &poll.snapshot.clusters;
        let has_failed = |reading: &ClusterReading| match &reading.outcome {
            Outcome::Up(state) => matches!(state.status, Status::Fail | Status::Canceled),
            Outcome::Down(_) | Outcome::NotAsked => false,
        };
        let is_read = |reading: &ClusterReading| matches!(reading.outcome, Outcome::Up(_));
        if self.output.fail_on.contains(&FailOn::Failed) && clusters.iter().any(has_failed) {
            Progress::Failed
        } else if poll.coverage == Coverage::Full && clusters.iter().all(is_read) {
            Progress::Done
        } else {
            Progress::Unknown
        }
    }
}
