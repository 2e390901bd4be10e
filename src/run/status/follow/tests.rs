//! The whole output of a wait, in terminals of several widths and in a pipe.

use std::collections::HashMap;

use ack_client::{Reason, Status, Step};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

use super::{Follower, Form, Verdict};
use crate::run::status::fixture::{NOW, cluster, down, never, up, with_message};
use crate::run::status::live::Update;
use crate::run::status::table::{Color, Format, Header};
use crate::run::status::terminal::Size;
use crate::snapshot::{ClusterReading, Outcome};
use crate::wait::Progress;

const TABLE: Form = Form::Terminal(Format {
    width: None,
    color: Color::Off,
    header: Header::Shown,
});

/// Clusters of which `first` and `second` are being upgraded.
fn fleet(first: Outcome, second: Outcome) -> Vec<ClusterReading> {
    vec![
        cluster("0a", "analytics-staging-2", never()),
        cluster("1b", "生产集群-上海", first),
        cluster("5f", "shop-prod", second),
    ]
}

fn progress(clusters: &[ClusterReading]) -> HashMap<ack_client::names::ClusterId, Progress> {
    let of = |outcome: &Outcome| match outcome {
        Outcome::Up(state) => match state.status {
            Status::None | Status::Success => Progress::Done,
            Status::Fail | Status::Canceled => Progress::Failed,
            _ => Progress::Pending,
        },
        Outcome::Down(_) | Outcome::NotAsked => Progress::Pending,
    };
    let clusters = clusters.iter();
    clusters
        .map(|reading| (reading.cluster.id.clone(), of(&reading.outcome)))
        .collect()
}

fn after(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

/// The output of a wait of four polls, of which the last is its end.
fn output(form: Form, columns: usize) -> String {
    let size = Size { columns, lines: 24 };
    let running = |step| up(Status::Running, step, [300, 5]);
    let broken = with_message(
        up(Status::Fail, Step::Upgrading, [300, 5]),
        "etcd member etcd-1 did not become healthy in 600 seconds; see the event log",
    );
    let succeeded = || up(Status::Success, Step::Success, [300, 5]);
    let silent = down(Reason::Timeout, "DescribeClusterTasks: no response in 10s");
    let mut follower = Follower::new(form, NOW);
    let mut text = String::new();
    for (number, clusters) in (0..).zip([
        fleet(running(Step::Prechecking), running(Step::Upgrading)),
        fleet(running(Step::Upgrading), silent),
        fleet(succeeded(), running(Step::Upgrading)),
        fleet(succeeded(), broken),
    ]) {
        let each = progress(&clusters);
        let update = follower.update(clusters, each, after(5 * number), size);
        text.push_str(&written(&update));
    }
    let ending = follower.ending(Verdict::Ended(Progress::Failed), after(20), size);
    text + &written(&Update::lasting(ending))
}

/// The lines that stay, and those that are replaced behind a bar.
fn written(update: &Update) -> String {
    let live = update.live.iter().map(|line| format!("| {line}\n"));
    let lasting = update.lasting.iter().map(|line| format!("{line}\n"));
    lasting.chain(live).collect::<String>() + "\n"
}

#[test]
fn a_wait_in_60_columns() {
    assert_snapshot!(output(TABLE, 60));
}

#[test]
fn a_wait_in_100_columns() {
    assert_snapshot!(output(TABLE, 100));
}

#[test]
fn a_wait_in_200_columns() {
    assert_snapshot!(output(TABLE, 200));
}

#[test]
fn a_wait_in_a_pipe_has_a_line_for_each_change() {
    assert_snapshot!(output(Form::Lines, 80));
}

#[test]
fn a_wait_that_prints_json_has_only_a_summary() {
    assert_snapshot!(output(Form::SummaryOnly, 80).trim(), @"failed or canceled: shop-prod after 20s; 3 clusters: 1 fail, 1 success, 1 none");
}
