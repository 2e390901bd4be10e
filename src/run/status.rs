//! `status`: the clusters as a table or JSON, once or until their upgrades have ended.

mod table;

use std::collections::{HashMap, HashSet};
use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ack_client::Status;
use ack_client::clock::Clock;
use ack_client::names::ClusterId;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use self::table::table;
use super::accounts::load;
use super::serve::build;
use super::{RunError, print};
use crate::cli::{FailOn, Output, StatusArgs, exit};
use crate::cluster::ClusterInfo;
use crate::collect::Collector;
use crate::config::Config;
use crate::shard::Shard;
use crate::snapshot::{self, ClusterReading, Outcome, Snapshot};
use crate::wait::{Coverage, Goal, Notice, Progress, UpgradeWait};
use crate::web::json;

/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Shows the clusters. The exit code says whether all could be read and, where that is asked for,
/// how their upgrades ended.
pub(super) async fn status(args: &StatusArgs) -> Result<ExitCode, RunError> {
    let config = load(&args.accounts)?;
    let (collector, clock) = build(&config, Shard::default())?;
    let result = poll(args, &config, &collector, clock);
    let code = match args.timeout {
        None => result.await,
        Some(limit) => timeout(limit, result).await.unwrap_or_else(|_| {
            tracing::error!("--timeout is over before all upgrades have ended");
            Ok(exit::timed_out())
        }),
    };
    collector.stop().await;
    code
}

/// Polls once or, as `args` say, until the upgrades have ended or standard output is closed.
async fn poll(
    args: &StatusArgs,
    config: &Config,
    collector: &Arc<Collector>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    let goal = Goal {
        target_version: args.target_version.clone(),
        since: args.since,
    };
    let mut wait = UpgradeWait::new(goal);
    // A target that was found once is no mistake on the command line, even if it goes later.
    let (mut shown, mut found) = (HashSet::new(), HashSet::new());
    loop {
        let collected = collector
            .collect(Instant::now() + config.scrape.timeout)
            .await;
        let mut snapshot = args.select(&collected);
        let missing = args.targets.iter().filter(|target| {
            !snapshot
                .clusters
                .iter()
                .any(|reading| reading.cluster.is_meant(target))
        });
        let missing: HashSet<_> = missing.collect();
        found.extend(
            args.targets
                .iter()
                .filter(|target| !missing.contains(target)),
        );
        let are_lists_known = collector.clusters().is_some();
        if let Some(target) = missing.iter().find(|target| !found.contains(*target))
            && are_lists_known
        {
            return Err(RunError::Usage(format!(
                "{target} is not among the clusters"
            )));
        }
        let unread = if args.wait {
            refresh(collector, &wait, &mut snapshot, config.scrape.timeout).await
        } else {
            HashMap::new()
        };
        let is_shown = show(&snapshot, clock.now(), args);
        let is_full = missing.is_empty()
            && !snapshot.clusters.is_empty()
            && (are_lists_known || !args.targets.is_empty());
        let coverage = if is_full {
            Coverage::Full
        } else {
            Coverage::Partial
        };
        let progress = if args.wait {
            wait.evaluate(&snapshot, coverage, &unread)
        } else {
            args.evaluate(&snapshot, coverage)
        };
        for (cluster, notice) in wait.notices(&snapshot, &unread).filter(|_| args.wait) {
            if shown.insert((cluster.id.clone(), notice)) {
                log_notice(cluster, notice, unread.get(&cluster.id));
            }
        }
        // A wait goes on without a reader, for its exit code; --watch does not.
        let continues = if args.wait {
            progress == Progress::Pending
        } else {
            args.watch && is_shown
        };
        if !continues {
            if coverage == Coverage::Partial {
                log_missing(collector, &snapshot);
            }
            return Ok(code(progress));
        }
        sleep(args.interval).await;
    }
}

/// Reads the details of the clusters whose upgrades have ended into `snapshot`. Returns the failures
/// of those that could not be read.
async fn refresh(
    collector: &Collector,
    wait: &UpgradeWait,
    snapshot: &mut Snapshot,
    limit: Duration,
) -> HashMap<ClusterId, snapshot::Failure> {
    let to_refresh = wait.clusters_to_refresh(snapshot);
    if to_refresh.is_empty() {
        return HashMap::new();
    }
    let mut read = collector
        .refresh_details(&to_refresh, Instant::now() + limit)
        .await;
    let mut unread = HashMap::new();
    for reading in &mut snapshot.clusters {
        match read.remove(&reading.cluster.id) {
            Some(Ok(info)) => reading.cluster = info,
            Some(Err(failure)) => {
                unread.insert(reading.cluster.id.clone(), failure);
            }
            None => {}
        }
    }
    unread
}

/// Logs the reasons for which clusters may be missing from the table.
fn log_missing(collector: &Collector, snapshot: &Snapshot) {
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

fn log_notice(cluster: &ClusterInfo, notice: Notice, unread: Option<&snapshot::Failure>) {
    let (id, version, state) = (
        &cluster.id,
        &cluster.version,
        cluster.state.as_deref().unwrap_or_default(),
    );
    let error = unread.map_or("the API does not return it", |failure| &failure.message);
    match notice {
        Notice::Unidentified => {
            tracing::warn!(cluster = %id, "its version or the end of its last upgrade is unknown; \
                waiting until an upgrade is under way");
        }
        Notice::OtherVersion => {
            tracing::warn!(cluster = %id, version, "it has another version than --target-version; \
                waiting for an upgrade to that one");
        }
        Notice::NotRunning => {
            tracing::warn!(cluster = %id, state, "its upgrade has succeeded; waiting until its state is running");
        }
        Notice::StateUnreadable => {
            tracing::warn!(cluster = %id, error, "its upgrade has succeeded; its state cannot be read");
        }
        Notice::VersionUnknown => {
            tracing::error!(cluster = %id, error, "which version it has now cannot be read");
        }
    }
}

fn code(progress: Progress) -> ExitCode {
    match progress {
        Progress::Done | Progress::Pending => exit::OK,
        Progress::Failed => exit::failed_upgrade(),
        Progress::Unknown => exit::not_queried(),
    }
}

/// Prints one snapshot. Returns false if standard output is closed.
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
    print(&format!("{clear}{}", text.trim_end()))
}

impl StatusArgs {
    /// The clusters of `snapshot` that the command line names, or all.
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

    /// The progress of the clusters without a wait. A cluster that could not be read is never done.
    fn evaluate(&self, snapshot: &Snapshot, coverage: Coverage) -> Progress {
        let has_failed = |reading: &ClusterReading| match &reading.outcome {
            Outcome::Up(state) => matches!(state.status, Status::Fail | Status::Canceled),
            Outcome::Down(_) | Outcome::NotAsked => false,
        };
        let is_read = |reading: &ClusterReading| matches!(reading.outcome, Outcome::Up(_));
        if self.fail_on.contains(&FailOn::Failed) && snapshot.clusters.iter().any(has_failed) {
            Progress::Failed
        } else if coverage == Coverage::Full && snapshot.clusters.iter().all(is_read) {
            Progress::Done
        } else {
            Progress::Unknown
        }
    }
}
