//! `--wait`: the clusters until their upgrades have ended.

use std::collections::HashMap;
use std::process::ExitCode;

use ack_client::clock::Clock;
use ack_client::names::ClusterId;
use exporter_toolkit::log;
use tokio::time::{Instant, sleep, timeout};

use super::follow::{Follower, Form, Verdict};
use super::notices::Notices;
use super::poll::{Poll, Poller};
use super::terminal::Size;
use super::{code, report};
use crate::cli::{Output, StatusArgs, exit};
use crate::run::RunError;
use crate::snapshot::Failure;
use crate::wait::{Goal, Progress, UpgradeWait};

/// Shows the clusters until their upgrades have ended, or the time of `--timeout` is over.
pub(super) async fn wait(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    clock: Clock,
) -> Result<ExitCode, RunError> {
    let form = match (args.output.format, Size::of_stdout()) {
        (Output::Json, _) => Form::SummaryOnly,
        (Output::Table, Some(size)) => Form::Terminal(args.format(Some(size.columns))),
        (Output::Table, None) => Form::Lines,
    };
    let mut follower = Follower::new(form, clock.now());
    let polling = poll_until_ended(args, poller, &mut follower, clock);
    let ended = match args.repeat.timeout {
        None => Some(polling.await),
        Some(limit) => timeout(limit, polling).await.ok(),
    };
    match ended {
        Some(Ok((progress, last))) => {
            follower.finish(Verdict::Ended(progress), clock.now());
            report(args, poller, &last);
            Ok(code(progress))
        }
        Some(Err(error)) => {
            follower.clear();
            Err(error)
        }
        None => {
            follower.finish(Verdict::TimedOut, clock.now());
            Ok(exit::timed_out())
        }
    }
}

/// Polls until the progress of all clusters is final. Returns it and the last poll.
async fn poll_until_ended(
    args: &StatusArgs,
    poller: &mut Poller<'_>,
    follower: &mut Follower,
    clock: Clock,
) -> Result<(Progress, Poll), RunError> {
    let mut wait = UpgradeWait::new(Goal {
        target_version: args.repeat.target_version.clone(),
        since: args.repeat.since,
    });
    let mut notices = Notices::default();
    loop {
        let mut poll = poller.poll().await?;
        let unread = refresh(poller, &wait, &mut poll).await;
        let progress = wait.evaluate(&poll.snapshot, poll.coverage, &unread);
        let lines = notices.new_lines(&wait, &poll.snapshot, &unread);
        if !lines.is_empty() {
            follower.clear();
        }
        for line in &lines {
            log::write_line(line);
        }
        if args.output.format == Output::Json {
            args.print(&poll.snapshot, clock.now());
        }
        let clusters = poll.snapshot.clusters.clone();
        let each = clusters
            .iter()
            .map(|reading| (reading.cluster.id.clone(), wait.progress(reading, &unread)))
            .collect();
        follower.follow(clusters, each, clock.now());
        if progress != Progress::Pending {
            return Ok((progress, poll));
        }
        sleep(args.repeat.interval).await;
    }
}

/// Reads the details of the clusters whose upgrades have ended into `poll`. Returns the failures of
/// those that could not be read.
async fn refresh(
    poller: &Poller<'_>,
    wait: &UpgradeWait,
    poll: &mut Poll,
) -> HashMap<ClusterId, Failure> {
    let to_refresh = wait.clusters_to_refresh(&poll.snapshot);
    if to_refresh.is_empty() {
        return HashMap::new();
    }
    let deadline = Instant::now() + poller.patience;
    let mut read = poller
        .collector
        .refresh_details(&to_refresh, deadline)
        .await;
    let mut unread = HashMap::new();
    for reading in &mut poll.snapshot.clusters {
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
