//! The promises that hold in every run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_upgrade_exporter::snapshot::{Outcome, Snapshot};
use tokio::time::Instant;

use super::case::{Case, FAULTS_END, RECOVERY};
use super::run::{Page, Run};
use crate::fleet::{tally, word};

const SECOND: Duration = Duration::from_secs(1);

/// The attempts at one call.
const MAX_ATTEMPTS: usize = 4;

/// The time for which scrapes may hold a collector after a reload.
const LONGEST_SCRAPE: Duration = Duration::from_secs(60);

/// The time from the end of throttling to the configured rate, at most.
const THROTTLING: Duration = Duration::from_secs(60);

/// The time for which a cluster that is gone may be on the page: the interval of the lists with its
/// jitter, and the time between two looks at the world.
const GHOST: Duration = Duration::from_secs(150);

/// The paths of the calls that only one query makes, and only once for a subject.
const SINGLE: [&str; 5] = [
    "/upgrade/status",
    "/clusters?",
    "/nodepools",
    "/addon_instances",
    "/operation/plans",
];

/// Those of them that are made for scrapes too.
const OF_SCRAPES: [&str; 2] = ["/upgrade/status", "/clusters?"];

/// Tokens for later calls that the watched queries and the one that is next may hold.
const HELD_BY_WATCHED: u32 = 7;

/// Calls of watched queries that run at once, beside the others.
const SPARE_CONCURRENCY: usize = 2;

impl Run {
    pub fn check(&self, case: &Case) {
        for page in &self.pages {
            self.check_page(case, page);
        }
        self.check_calls_of_clusters(case);
        self.check_in_flight(case);
        self.check_rate(case);
        self.check_concurrency(case);
        self.check_watched(case);
        self.check_recovery(case);
        self.check_reload(case);
    }

    /// A page comes in time, with every cluster that is configured and none that is long gone.
    fn check_page(&self, case: &Case, page: &Page) {
        let took = page.ended - page.started;
        assert!(took <= page.budget + SECOND / 100, "a page took {took:?}");
        let shown: BTreeSet<_> = ids(&page.snapshot).collect();
        assert_eq!(shown.len(), page.snapshot.clusters.len(), "a cluster twice");
        if !case.is_discovered {
            assert_eq!(shown.len(), self.permanent.len(), "a cluster is missing");
        }
        if page.started < self.began + FAULTS_END + GHOST {
            return;
        }
        for id in shown {
            let seen = *self.last_seen.get(id).expect("it was in the fleet");
            let is_alive = seen + GHOST >= page.started;
            assert!(is_alive, "{id} is gone since {:?}", page.started - seen);
        }
    }

    /// Each demand takes at most one call for a cluster, and its repetitions.
    fn check_calls_of_clusters(&self, case: &Case) {
        if case.source != "upgrade_status" {
            return;
        }
        let most = if case.faults.is_empty() {
            self.demands
        } else {
            self.demands * MAX_ATTEMPTS
        };
        for id in &self.permanent {
            let path = format!("/{id}/upgrade/status");
            let calls = self.calls.iter().filter(|call| call.target.contains(&path));
            let calls = calls.count();
            assert!(calls <= most, "{id}: {calls} calls for {most} scrapes");
        }
    }

    /// Nothing is in flight twice. A scrape before a reload and one after it do not know of each
    /// other.
    fn check_in_flight(&self, case: &Case) {
        let reload = case.reload_at.map(|after| self.began + after);
        let mut ends: BTreeMap<&str, (Instant, Option<Instant>)> = BTreeMap::new();
        for call in &self.calls {
            if !SINGLE.iter().any(|part| call.target.contains(part)) {
                continue;
            }
            if let Some((started, ended)) = ends.get(call.target.as_str()) {
                let has_ended = ended.is_some_and(|ended| ended <= call.started);
                let is_of_scrapes = OF_SCRAPES.iter().any(|part| call.target.contains(part));
                let is_over_reload = is_of_scrapes
                    && reload
                        .is_some_and(|at| *started <= at + LONGEST_SCRAPE && at <= call.started);
                assert!(has_ended || is_over_reload, "{} twice", call.target);
            }
            ends.insert(&call.target, (call.started, call.ended));
        }
    }

    /// No window has more calls than a burst and what the rate gives in it, but for the tokens that
    /// were given before: a query has those of all its calls from its start.
    fn check_rate(&self, case: &Case) {
        // What `auto` finds out has limits of its own.
        let (more_rate, more_burst) = if case.source == "auto" {
            (5, 10)
        } else {
            (0, 0)
        };
        let rate = f64::from(case.requests_per_second + more_rate);
        let burst = f64::from(case.burst + more_burst);
        let held = match case.source {
            "upgrade_status" => HELD_BY_WATCHED,
            _ => HELD_BY_WATCHED + case.concurrency,
        };
        let (mut left, mut last) = (burst, self.began);
        for call in &self.calls {
            let since = call.started - last;
            left = (left + since.as_secs_f64() * rate).min(burst) - 1.0;
            last = call.started;
            let is_within = left > -f64::from(held) - 1e-3;
            assert!(is_within, "{left} at {:?}", last - self.began);
        }
    }

    /// No more calls are in flight than may be.
    fn check_concurrency(&self, case: &Case) {
        if case.source == "auto" {
            return;
        }
        let mut changes: Vec<(Instant, i32)> = Vec::new();
        for call in &self.calls {
            changes.push((call.started, 1));
            changes.extend(call.ended.map(|ended| (ended, -1)));
        }
        changes.sort_unstable();
        let (mut in_flight, mut peak) = (0, 0);
        for (_, change) in changes {
            in_flight += change;
            peak = peak.max(in_flight);
        }
        let most = case.concurrency as usize + SPARE_CONCURRENCY;
        assert!(
            usize::try_from(peak).is_ok_and(|peak| peak <= most),
            "{peak} at once"
        );
    }

    /// Each watched subject is asked about in time once there are no faults, if there are calls to
    /// spare.
    fn check_watched(&self, case: &Case) {
        let from = self.began + FAULTS_END;
        let until = from + RECOVERY;
        let calls = self.calls.iter().filter(|call| call.started >= from);
        let used = f64::from(u32::try_from(calls.count()).expect("they are few"));
        if used / RECOVERY.as_secs_f64() > 0.3 * f64::from(case.requests_per_second) {
            return;
        }
        for (key, part) in [("node_pools", "/nodepools"), ("addons", "/addon_instances")] {
            let interval = case.watch.iter().find(|(name, _)| *name == key);
            let interval = Duration::from_secs(interval.map_or(0, |(_, seconds)| *seconds));
            if interval.is_zero() {
                continue;
            }
            let most = 2 * interval + 2 * THROTTLING + self.time_of_watched(case);
            for id in &self.permanent {
                let path = format!("/{id}{part}");
                let asked = self.calls.iter().filter(|call| call.target.contains(&path));
                let mut last = from;
                for call in asked.filter(|call| call.started >= from) {
                    assert!(call.started - last <= most, "{key} of {id} waits");
                    last = call.started;
                }
                assert!(
                    until - last <= most,
                    "{key} of {id} waits: {:?}",
                    until - last
                );
            }
        }
    }

    /// The time that the watched queries take, one after another.
    fn time_of_watched(&self, case: &Case) -> Duration {
        let subjects = self.permanent.len() * case.watch.len();
        u32::try_from(subjects).expect("they are few") * (4 * case.latency + SECOND)
    }

    /// Once the faults have ended, every cluster is up in time and stays up.
    fn check_recovery(&self, case: &Case) {
        let clusters = u32::try_from(self.permanent.len() + case.ghosts).expect("they are few");
        let longest = case.scrapers.iter().map(|scraper| scraper.interval).max();
        let calls = 4 * clusters;
        let time = THROTTLING
            + 4 * longest.unwrap_or_default()
            + calls * SECOND / case.requests_per_second
            + calls * case.latency / case.concurrency
            + if case.is_discovered {
                GHOST
            } else {
                Duration::ZERO
            };
        let recovered = self.began + FAULTS_END + time;
        let judged = self.pages.iter().filter(|page| page.started >= recovered);
        assert!(judged.clone().count() > 0, "no page after {time:?}");
        for page in judged {
            for id in &self.permanent {
                let reading = page
                    .snapshot
                    .clusters
                    .iter()
                    .find(|one| one.cluster.id == *id);
                let is_up = reading.is_some_and(|one| matches!(one.outcome, Outcome::Up(_)));
                assert!(
                    is_up,
                    "{id} is {:?} {:?} after the faults: {:?}",
                    reading.map(word),
                    page.started - (self.began + FAULTS_END),
                    tally(&page.snapshot)
                );
            }
        }
    }

    /// A reload keeps what is known.
    fn check_reload(&self, case: &Case) {
        let Some((before, after)) = &self.reload else {
            return;
        };
        // The page before it may be one of some seconds ago.
        if case.scrape.contains("cache_ttl") {
            return;
        }
        let (before, after) = (known(&before.snapshot), known(&after.snapshot));
        for (one, other) in before.iter().zip(&after) {
            let is_kept = one.1.is_none() || one.1 == other.1;
            assert!(
                is_kept && (one.0, one.2) == (other.0, other.2),
                "{one:?} {other:?}"
            );
        }
        assert_eq!(before.len(), after.len(), "a reload");
    }
}

fn ids(snapshot: &Snapshot) -> impl Iterator<Item = &ClusterId> {
    snapshot.clusters.iter().map(|reading| &reading.cluster.id)
}

/// The clusters, with the states and the parts that are known.
fn known(snapshot: &Snapshot) -> Vec<(&ClusterId, Option<String>, [bool; 4])> {
    let reading = snapshot.clusters.iter().map(|reading| {
        let watched = &reading.watched;
        let parts = [
            watched.plans.is_some(),
            watched.node_pools.is_some(),
            watched.maintenance.is_some(),
            watched.addons.installed.is_some(),
        ];
        // A query that has been in flight for too long is a time-out on the page, and no result.
        let state = match reading.outcome {
            Outcome::Up(_) => Some(word(reading)),
            Outcome::Down(_) | Outcome::NotAsked => None,
        };
        (&reading.cluster.id, state, parts)
    });
    reading.collect()
}
