//! All clusters of a lane, and which of them are next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, ErrorKind, ListedCluster};
use jiff::Timestamp;
use tokio::time::Instant;

use super::patience::Patience;
use super::record::{Change, Flight, Memory, Origin, Record, Target, Waiting};
use crate::snapshot::{ClusterInfo, Failure};
use crate::upgrade::UpgradeState;

/// The clusters of a lane and how its round stands.
#[derive(Debug)]
pub(super) struct Roster {
    pub(super) records: BTreeMap<ClusterId, Record>,
    /// What an earlier configuration knew, until the lists have shown which clusters there still
    /// are.
    inherited: HashMap<ClusterId, Memory>,
    pub(super) waiting: Waiting,
    pub(super) patience: Patience,
    /// The number of the query that takes off next.
    next_flight: u64,
}

/// How clusters are left out of a round while nothing is going on in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idling {
    /// How long an answer is good while the list shows nothing new.
    pub(super) interval: Duration,
}

/// Of the clusters whose time is over, so many in a hundred are asked again in one round, so that
/// those that were first asked together do not stay together.
const WAKING_PERCENT: usize = 1;

impl Roster {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let records = targets
            .into_iter()
            .map(|target| {
                (
                    target.info.id.clone(),
                    Record::new(target, Memory::default()),
                )
            })
            .collect();
        Self {
            records,
            inherited: HashMap::new(),
            waiting: Waiting::ForToken,
            patience: Patience::default(),
            next_flight: 0,
        }
    }

    /// The queries that started before `now` and have by then been silent for longer than their
    /// share of a round of `length`.
    pub(super) fn silent(&self, now: Instant, length: Duration) -> impl Iterator<Item = &Flight> {
        let flights = self
            .records
            .values()
            .filter_map(|record| record.flight.as_ref())
            .filter(move |flight| flight.started < now);
        flights.filter(move |flight| {
            now - flight.started > self.patience.share(flight.started, length)
        })
    }

    /// True if the query of `id` that took off as `flight` has not ended.
    pub(super) fn is_under_way(&self, id: &ClusterId, flight: &Flight) -> bool {
        self.records
            .get(id)
            .is_some_and(|record| record.has_flight(flight.number))
    }

    /// A number for the query that takes off.
    pub(super) fn number_flight(&mut self) -> u64 {
        self.next_flight += 1;
        self.next_flight
    }

    /// Takes the result of the query of `id` that took off as `flight` and ended at `now`, after
    /// `duration`. None if nothing is remembered of it: the cluster is gone from the list, or gone
    /// and back; the query ended because all queries did, which `is_stopping` tells; or it was
    /// never more than a wait for the account's own rate limit.
    pub(super) fn land(
        &mut self,
        id: &ClusterId,
        flight: &Flight,
        result: Result<UpgradeState, ApiError>,
        duration: Duration,
        now: Timestamp,
        is_stopping: bool,
    ) -> Option<Change> {
        let record = self
            .records
            .get_mut(id)
            .filter(|record| record.has_flight(flight.number))?;
        record.flight = None;
        match &result {
            Ok(_) if !flight.budget.has_waited_for_rate_limit() => self.patience.answered(duration),
            Ok(_) => self.patience.heard(),
            Err(error) if error.status.is_some() => self.patience.heard(),
            Err(_) => {}
        }
        match &result {
            Err(_) if is_stopping => None,
            Err(error) if error.kind == ErrorKind::RateLimited => {
                // First in turn again.
                record.asked = flight.asked_before;
                None
            }
            Ok(_) | Err(_) => Some(record.finish(
                result.map_err(|error| Failure::of(&error)),
                flight,
                duration,
                now,
            )),
        }
    }

    /// The clusters that have not been asked in `round`. Those that were left out of the last round
    /// come first, and among those of one round the ones that answered: a cluster that is silent
    /// must not cost the others their place.
    pub(super) fn due(&self, round: u64, wanted: impl Fn(&Record) -> bool) -> Vec<ClusterId> {
        let mut due: Vec<_> = self
            .records
            .iter()
            .filter(|(_, record)| record.asked < round && wanted(record))
            .collect();
        due.sort_by_key(|(_, record)| (record.asked, record.is_failing()));
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Takes the list of `region` for `round`: clusters that are new come in, those that are gone
    /// go, the others learn what it says of them. With `idling`, clusters in which nothing is going
    /// on are left out of the round.
    pub(super) fn take_list(
        &mut self,
        region: &Region,
        list: &[ListedCluster],
        newcomers: Vec<Target>,
        round: Option<(u64, Idling)>,
        now: Timestamp,
    ) {
        let listed: HashMap<_, _> = list.iter().map(|cluster| (&cluster.id, cluster)).collect();
        let wanted: HashSet<_> = newcomers
            .iter()
            .map(|target| target.info.id.clone())
            .collect();
        self.records.retain(|id, record| {
            let is_of_list = record.target.origin == Origin::Discovered
                && record.target.info.region.as_ref() == Some(region);
            !is_of_list || wanted.contains(id)
        });
        for target in newcomers {
            let id = target.info.id.clone();
            let memory = self.inherited.remove(&id);
            self.records
                .entry(id)
                .or_insert_with(|| Record::new(target, memory.unwrap_or_default()));
        }
        for (id, record) in &mut self.records {
            if let Some(cluster) = listed.get(id) {
                learn(&mut record.target.info, cluster);
                record.changed = cluster.updated;
            }
        }
        if let Some((round, idling)) = round {
            self.leave_idle_out(&listed, round, idling, now);
        }
    }

    fn leave_idle_out(
        &mut self,
        listed: &HashMap<&ClusterId, &ListedCluster>,
        round: u64,
        idling: Idling,
        now: Timestamp,
    ) {
        let quiet = self
            .records
            .iter_mut()
            .filter(|(id, record)| {
                record.asked < round
                    && listed
                        .get(id)
                        .is_some_and(|cluster| is_quiet(&cluster.state))
            })
            .filter_map(|(_, record)| Some((record.idle_since_reading()?, record)));
        let (changed, mut idle): (Vec<_>, Vec<_>) =
            quiet.partition(|(_, record)| record.has_changed());
        for (_, record) in changed {
            record.keep();
        }
        idle.sort_by_key(|(read, _)| *read);
        let mut may_wake = (idle.len() * WAKING_PERCENT / 100).max(1);
        for (read, record) in idle {
            if read.elapsed() >= idling.interval && may_wake > 0 {
                may_wake -= 1;
            } else {
                record.confirm(round, now);
            }
        }
    }

    /// All that is remembered, by cluster.
    pub(super) fn memories(&self) -> HashMap<ClusterId, Memory> {
        let known = self
            .records
            .iter()
            .map(|(id, record)| (id.clone(), record.memory().clone()));
        self.inherited.clone().into_iter().chain(known).collect()
    }

    /// Takes over what an earlier roster remembers.
    pub(super) fn inherit(&mut self, mut memories: HashMap<ClusterId, Memory>) {
        for (id, record) in &mut self.records {
            if let Some(memory) = memories.remove(id) {
                *record = Record::new(record.target.clone(), memory);
            }
        }
        self.inherited = memories;
    }

    /// Forgets the clusters that an earlier roster remembers and nobody has named: the lists have
    /// been read by now.
    pub(super) fn disinherit(&mut self) {
        self.inherited = HashMap::new();
    }
}

/// Whether a cluster in `state` is not being upgraded: in any state of the vendor's reference but
/// `upgrading` and `updating`. One that is missing or not in the reference says nothing.
fn is_quiet(state: &str) -> bool {
    matches!(
        state,
        "initial"
            | "failed"
            | "running"
            | "removing"
            | "draining"
            | "scaling"
            | "inactive"
            | "unavailable"
            | "deleting"
            | "deleted"
            | "delete_failed"
            | "waiting"
            | "disconnected"
    )
}

/// Puts what the list says into `info`; the operator's own name and labels stand.
pub(super) fn learn(info: &mut Arc<ClusterInfo>, cluster: &ListedCluster) {
    let name = if info.name.is_empty() {
        &cluster.name
    } else {
        &info.name
    };
    let state = Some(cluster.state.as_str()).filter(|state| !state.is_empty());
    let is_known = info.name == *name
        && info.cluster_type == cluster.cluster_type
        && info.spec == cluster.spec
        && info.version == cluster.version
        && info.next_version == cluster.next_version
        && info.state.as_deref() == state;
    if !is_known {
        *info = Arc::new(ClusterInfo {
            id: info.id.clone(),
            name: name.clone(),
            account: info.account.clone(),
            region: info.region.clone(),
            cluster_type: cluster.cluster_type.clone(),
            spec: cluster.spec.clone(),
            version: cluster.version.clone(),
            next_version: cluster.next_version.clone(),
            state: state.map(str::to_owned),
            labels: info.labels.clone(),
        });
    }
}
