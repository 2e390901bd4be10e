//! Metrics pages of snapshots with any content: names, labels, messages, times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ClusterState, Reason};
use ack_client::{Status, Step, TaskStatus};
use ack_upgrade_exporter::cluster::ClusterInfo;
use ack_upgrade_exporter::collect::ScrapeMetrics as _;
use ack_upgrade_exporter::config::{ErrorMessages, Metrics, StateSets};
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::queries::Watched;
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, Outcome, Snapshot,
};
use ack_upgrade_exporter::upgrade::{SourceName, UpgradeState};
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;

use super::outputs;

/// Makes a snapshot of the bytes. Every page of it is legal.
pub fn pages(input: &[u8]) {
    let mut input = Input(input);
    let options = Metrics {
        error_message: if input.flag() {
            ErrorMessages::Shown
        } else {
            ErrorMessages::Hidden
        },
        state_sets: if input.flag() {
            StateSets::Full
        } else {
            StateSets::Active
        },
        ..Metrics::default()
    };
    let clusters = (0..input.byte() % 6)
        .filter_map(|_| input.reading())
        .collect();
    let accounts: Vec<_> = (0..input.byte() % 4)
        .filter_map(|_| input.account())
        .collect();
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    for account in &accounts {
        own.call_metrics(&account.account);
    }
    let snapshot = Snapshot {
        at: input.time().unwrap_or(Timestamp::UNIX_EPOCH),
        duration: input.duration(),
        budget: input.duration(),
        complete: input.flag(),
        shard: Shard::default(),
        clusters,
        accounts,
    };
    outputs::check(&snapshot, &own, &options);
}

/// Converts bytes into values; zeros follow the last byte.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn number(&mut self) -> i64 {
        i64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn some<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| value(self))
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    fn time(&mut self) -> Option<Timestamp> {
        if self.flag() {
            Timestamp::from_nanosecond(i128::from(self.number())).ok()
        } else {
            None
        }
    }

    fn duration(&mut self) -> Duration {
        Duration::from_nanos(self.number().unsigned_abs())
    }

    fn region(&mut self) -> Option<Region> {
        Region::parse(&self.text()).ok()
    }

    fn reading(&mut self) -> Option<ClusterReading> {
        let cluster = ClusterInfo {
            id: ClusterId::parse(&self.text()).ok()?,
            name: self.text(),
            account: AccountName::parse(&self.text()).ok()?,
            region: self.region(),
            cluster_type: self.text(),
            spec: self.text(),
            profile: String::new(),
            version: self.text(),
            next_version: self.text(),
            state: self.some(|input| input.one(ClusterState::ALL)),
            labels: (0..self.byte() % 3)
                .map(|number| (format!("user_{number}"), self.text()))
                .collect::<BTreeMap<_, _>>(),
        };
        let outcome = match self.byte() % 3 {
            0 => Outcome::Up(Arc::new(self.state())),
            1 => Outcome::Down(self.failure()),
            _ => Outcome::NotAsked,
        };
        let duration = self.some(Self::duration);
        Some(ClusterReading {
            cluster: Arc::new(cluster),
            outcome,
            duration,
            last_success: self.time(),
            since: self.time(),
            watched: Watched::default(),
            queries: Vec::new(),
        })
    }

    fn state(&mut self) -> UpgradeState {
        UpgradeState {
            source: self.one(&[SourceName::UpgradeStatus, SourceName::Tasks]),
            status: self.one(Status::ALL),
            step: self.one(Step::ALL),
            task_status: self.one(TaskStatus::ALL),
            error_message: self.some(Self::text),
            precheck_report_id: self.text(),
            task_id: self.text(),
            target_version: self.text(),
            started: self.time(),
            updated: self.time(),
        }
    }

    fn failure(&mut self) -> Failure {
        Failure {
            reason: self.one(Reason::ALL),
            message: self.text(),
            lasting: false,
        }
    }

    fn account(&mut self) -> Option<AccountReading> {
        let discoveries = (0..self.byte() % 3)
            .filter_map(|_| {
                Some(DiscoveryReading {
                    region: self.region()?,
                    failure: self.some(Self::failure),
                    clusters: usize::from(self.byte()),
                })
            })
            .collect();
        Some(AccountReading {
            account: AccountName::parse(&self.text()).ok()?,
            provider: self.some(Self::text),
            credentials_expiry: self.time(),
            sources: (0..self.byte() % 3)
                .map(|_| (self.text(), self.one(&["tasks", "upgrade_status"])))
                .collect(),
            discoveries,
            queries: Vec::new(),
        })
    }
}
