//! One look at the fleet in the terminal, or as many as it takes for the upgrades to end.

use std::collections::HashSet;
use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::text::clean_message;
use ack_client::{Status, Step};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};
use unicode_width::UnicodeWidthStr as _;

use super::accounts::load;
use super::serve::build;
use super::{Failure, say};
use crate::cli::{FailOn, Output, StatusArgs, exit};
use crate::collect::Collector;
use crate::config::Config;
use crate::shard::Shard;
use crate::snapshot::{self, ClusterInfo, ClusterReading, Outcome, Snapshot};
use crate::upgrade::UpgradeState;
use crate::wait::{Goal, Notice, Unread, Verdict, Waiting};
use crate::web::json;

/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Shows the clusters; the exit code says whether they could be read and, where that is asked for,
/// how their upgrades are.
pub(super) async fn status(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let config = load(&args.accounts)?;
    let (collector, clock) = build(&config, Shard::default())?;
    let looks = look(args, &config, &collector, clock);
    let code = match args.timeout {
        None => looks.await,
        Some(limit) => timeout(limit, looks).await.unwrap_or_else(|_| {
            tracing::error!("--timeout is over, and not all upgrades have ended");
            Ok(exit::timed_out())
        }),
    };
    collector.stop().await;
    code
}

/// Looks once or, as `args` say, until the upgrades have ended or nobody reads it.
async fn look(
    args: &StatusArgs,
    config: &Config,
    collector: &Arc<Collector>,
    clock: Clock,
) -> Result<ExitCode, Failure> {
    let goal = Goal {
        target_version: args.target_version.clone(),
        since: args.since,
    };
    let mut waiting = Waiting::new(goal);
    // The targets that were there once: what goes afterwards was no mistake on the command line.
    let (mut told, mut met) = (HashSet::new(), HashSet::new());
    loop {
        let seen = collector
            .collect(Instant::now() + config.scrape.timeout)
            .await;
        let mut snapshot = args.select(&seen);
        let missing = args.targets.iter().filter(|target| {
            !snapshot
                .clusters
                .iter()
                .any(|reading| reading.cluster.is_meant(target))
        });
        let missing: HashSet<_> = missing.collect();
        met.extend(
            args.targets
                .iter()
                .filter(|target| !missing.contains(target)),
        );
        let are_all_known = collector.clusters().is_some();
        if let Some(target) = missing.iter().find(|target| !met.contains(*target))
            && are_all_known
        {
            return Err(Failure::Usage(format!(
                "{target} is not among the clusters"
            )));
        }
        let unread = if args.wait {
            read_again(collector, &waiting, &mut snapshot, config.scrape.timeout).await
        } else {
            Unread::new()
        };
        let is_read = show(&snapshot, clock.now(), args);
        let is_whole = missing.is_empty()
            && !snapshot.clusters.is_empty()
            && (are_all_known || !args.targets.is_empty());
        let verdict = if args.wait {
            waiting.judge(&snapshot, is_whole, &unread)
        } else {
            args.judge(&snapshot, is_whole)
        };
        for (cluster, notice) in waiting.notices(&snapshot, &unread).filter(|_| args.wait) {
            if told.insert((cluster.id.clone(), notice)) {
                tell(cluster, notice, unread.get(&cluster.id));
            }
        }
        // Whoever waits wants the exit code, whoever watches wants to see.
        let goes_on = if args.wait {
            verdict == Verdict::Pending
        } else {
            args.watch && is_read
        };
        if !goes_on {
            if !is_whole {
                tell_missing(collector, &snapshot);
            }
            return Ok(code(verdict));
        }
        sleep(args.interval).await;
    }
}

/// Reads again what the clusters are whose upgrades have ended, so that the table shows it. Returns
/// those that could not be read.
async fn read_again(
    collector: &Collector,
    waiting: &Waiting,
    look: &mut Snapshot,
    limit: Duration,
) -> Unread {
    let to_read = waiting.to_read(look);
    if to_read.is_empty() {
        return Unread::new();
    }
    let mut read = collector
        .refresh_details(&to_read, Instant::now() + limit)
        .await;
    let mut unread = Unread::new();
    for reading in &mut look.clusters {
        match read.remove(&reading.cluster.id) {
            Some(Ok(info)) => reading.cluster = info,
            Some(Err(failure)) => drop(unread.insert(reading.cluster.id.clone(), failure)),
            None => {}
        }
    }
    unread
}

/// Tells on standard error why the table does not show all that there may be.
fn tell_missing(collector: &Collector, snapshot: &Snapshot) {
    let unread = collector.unread_lists();
    for (account, region) in &unread {
        tracing::error!(%account, %region, "the cluster list could not be read in time");
    }
    if unread.is_empty() && snapshot.clusters.is_empty() {
        tracing::error!(
            "no cluster found: the cluster lists have none that the configuration selects"
        );
    }
}

/// Tells on standard error what the table does not show.
fn tell(cluster: &ClusterInfo, notice: Notice, unread: Option<&snapshot::Failure>) {
    let (id, version, state) = (
        &cluster.id,
        &cluster.version,
        cluster.state.as_deref().unwrap_or_default(),
    );
    let error = unread.map_or("the API does not tell it", |failure| &failure.message);
    match notice {
        Notice::Untold => {
            tracing::warn!(cluster = %id, "nothing tells which version it has or when its last upgrade ended; waiting until one is seen under way");
        }
        Notice::OtherVersion => {
            tracing::warn!(cluster = %id, version, "it has another version than --target-version; waiting for an upgrade to that one");
        }
        Notice::NotRunning => {
            tracing::warn!(cluster = %id, state, "its upgrade has succeeded; waiting until its state is running");
        }
        Notice::Unconfirmed => {
            tracing::warn!(cluster = %id, error, "its upgrade has succeeded; its state cannot be read");
        }
        Notice::NoVersion => {
            tracing::error!(cluster = %id, error, "its upgrade has succeeded; which version it has now cannot be read");
        }
    }
}

fn code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Good | Verdict::Pending => exit::OK,
        Verdict::Failed => exit::failed_upgrade(),
        Verdict::Unknown => exit::not_queried(),
    }
}

/// Shows one look. Returns whether somebody reads it.
fn show(snapshot: &Snapshot, now: Timestamp, args: &StatusArgs) -> bool {
    let text = match args.output {
        Output::Json => json::clusters(Some(snapshot), now),
        Output::Table => table(&snapshot.clusters, now),
    };
    let clear = if args.watch && args.output == Output::Table && stdout().is_terminal() {
        CLEAR
    } else {
        ""
    };
    say(&format!("{clear}{}", text.trim_end()))
}

/// One line a cluster, columns as wide as they have to be; a Chinese character takes two places.
/// What others have written is cleaned: a terminal obeys it.
fn table(readings: &[ClusterReading], now: Timestamp) -> String {
    let mut rows = vec![
        [
            "CLUSTER", "NAME", "STATUS", "PROGRESS", "STEP", "SINCE", "VERSION", "MESSAGE",
        ]
        .map(str::to_owned),
    ];
    rows.extend(readings.iter().map(|reading| row(reading, now)));
    let widths: Vec<_> = (0..rows[0].len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{:1$}", "", width - cell.width()));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn row(reading: &ClusterReading, now: Timestamp) -> [String; 8] {
    let info = &reading.cluster;
    // This process has only just begun to look, so what the task says of itself comes first.
    let told = match &reading.outcome {
        Outcome::Up(state) if state.status.is_idle() => state.updated,
        Outcome::Up(state) => state.started,
        Outcome::Down(_) | Outcome::NotAsked => None,
    };
    let since = told.map_or_else(String::new, |since| age(since, now));
    let current = clean_message(&info.version);
    let (status, progress, step, version, message) = match &reading.outcome {
        Outcome::Up(state) => (
            state.status.as_str().to_owned(),
            bar(state),
            state.step.as_str().to_owned(),
            version(&current, &clean_message(&state.target_version)),
            state
                .error_message
                .as_deref()
                .map(clean_message)
                .unwrap_or_default(),
        ),
        Outcome::Down(failure) => (
            "?".to_owned(),
            String::new(),
            String::new(),
            current,
            format!(
                "{}: {}",
                failure.reason.as_str(),
                clean_message(&failure.message)
            ),
        ),
        Outcome::NotAsked => (
            "?".to_owned(),
            String::new(),
            String::new(),
            current,
            "not asked: beyond the rate limit".to_owned(),
        ),
    };
    [
        info.id.to_string(),
        clean_message(&info.name),
        status,
        progress,
        step,
        since,
        version,
        message,
    ]
}

/// The way through the steps: done, at hand, to come.
fn bar(state: &UpgradeState) -> String {
    let at = match state.step {
        Step::NotStart | Step::Unknown => 0,
        Step::Prechecking => 1,
        Step::Pause | Step::Upgrading => 2,
        Step::Success => 3,
    };
    let here = match state.status {
        Status::Fail | Status::Canceled => 'x',
        Status::Pause => '=',
        _ if at == 3 => '#',
        _ => '>',
    };
    let cell = |place: usize| match place {
        place if place < at => '#',
        place if place == at && at > 0 => here,
        _ => '.',
    };
    if at == 0 && state.status == Status::None {
        String::new()
    } else {
        format!("[{}]", (1..=3).map(cell).collect::<String>())
    }
}

fn version(current: &str, target: &str) -> String {
    if target.is_empty() || target == current {
        current.to_owned()
    } else {
        format!("{current} -> {target}")
    }
}

fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

impl StatusArgs {
    /// The clusters asked for, of those of `snapshot`.
    fn select(&self, snapshot: &Snapshot) -> Snapshot {
        let mut selected = snapshot.clone();
        selected.clusters.retain(|reading| {
            self.targets.is_empty()
                || self
                    .targets
                    .iter()
                    .any(|target| reading.cluster.is_meant(target))
        });
        selected
    }

    /// What one look means, waiting aside. What could not be read is never good, whatever is not
    /// asked for.
    fn judge(&self, look: &Snapshot, is_whole: bool) -> Verdict {
        let has_failed = |reading: &ClusterReading| matches!(&reading.outcome, Outcome::Up(state) if matches!(state.status, Status::Fail | Status::Canceled));
        let is_read = |reading: &ClusterReading| matches!(reading.outcome, Outcome::Up(_));
        if self.fail_on.contains(&FailOn::Failed) && look.clusters.iter().any(has_failed) {
            Verdict::Failed
        } else if is_whole && look.clusters.iter().all(is_read) {
            Verdict::Good
        } else {
            Verdict::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ack_client::Reason;
    use ack_client::names::{AccountName, ClusterId};

    use super::*;
    use crate::snapshot::{self, ClusterInfo};
    use crate::upgrade::SourceName;

    fn reading(outcome: Outcome) -> ClusterReading {
        let cluster = ClusterInfo {
            id: ClusterId::parse("c1").expect("an ID"),
            name: "shop\u{1b}[2J\r\n\u{9b}31m".to_owned(),
            account: AccountName::parse("a").expect("a name"),
            region: None,
            cluster_type: String::new(),
            spec: String::new(),
            version: "1.31\u{1b}]0;owned\u{7}".to_owned(),
            next_version: String::new(),
            state: None,
            labels: BTreeMap::new(),
        };
        ClusterReading {
            cluster: Arc::new(cluster),
            outcome,
            duration: None,
            last_success: None,
            since: None,
        }
    }

    #[test]
    fn columns_stand_below_each_other_whatever_the_names_are_written_in() {
        let named = |name: &str| {
            let mut reading = reading(Outcome::NotAsked);
            Arc::make_mut(&mut reading.cluster).name = name.to_owned();
            reading
        };
        let table = table(&["生产集群", "shop", ""].map(named), Timestamp::UNIX_EPOCH);
        let place = |line: &str, word: &str| line[..line.find(word).expect("it is there")].width();
        let header = table.lines().next().map(|line| place(line, "STATUS"));
        assert!(
            table
                .lines()
                .skip(1)
                .all(|line| Some(place(line, "?")) == header),
            "{table}"
        );
    }

    #[test]
    fn no_text_of_the_vendors_reaches_the_terminal_as_it_is() {
        let state = UpgradeState {
            target_version: "1.32\u{1b}c".to_owned(),
            error_message: Some("node\u{1b}[31m".to_owned()),
            ..UpgradeState::never(SourceName::Tasks)
        };
        let failure = snapshot::Failure {
            reason: Reason::Other,
            message: "proxy\n\u{1b}[A".to_owned(),
            lasting: false,
        };
        let readings = [
            Outcome::Up(Arc::new(state)),
            Outcome::Down(failure),
            Outcome::NotAsked,
        ]
        .map(reading);
        let table = table(&readings, Timestamp::UNIX_EPOCH);
        assert_eq!(table.lines().count(), 1 + readings.len(), "{table:?}");
        assert!(
            !table.chars().any(|c| c.is_control() && c != '\n'),
            "{table:?}"
        );
        assert!(
            table.contains("shop[2J 31m") && table.contains("1.31]0;owned -> 1.32c"),
            "{table:?}"
        );
    }
}
