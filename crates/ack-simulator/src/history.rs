//! `GET /history`: the real history of every cluster, to compare with the metrics of an exporter.
//!
//! The page belongs to the simulator; the API has nothing like it. It needs no signature, and no
//! fault applies to it.

use std::collections::HashMap;

use ack_client::names::ClusterId;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Simulator;
use crate::api::upgrade_status::{status, step};
use crate::error_response::json;
use crate::request::ReceivedRequest;
use crate::response::Response;
use crate::world::clock::WorldClock;
use crate::world::cluster::Cluster;
use crate::world::ephemeral::Lifetime;
use crate::world::phase::Phase;

/// The path of the page.
const PATH: &str = "/history";

/// Age of the oldest events on the page.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize)]
struct History {
    now: f64,
    /// Time of the oldest events on the page.
    since: f64,
    clusters: Vec<ClusterHistory>,
}

#[derive(Serialize)]
struct ClusterHistory {
    cluster: String,
    region: String,
    name: String,
    /// Creation; absent for a permanent cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<f64>,
    /// Deletion, which may be in the future; absent for a permanent cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<f64>,
    /// The first phase on the page and every later change, according to the schedule.
    phases: Vec<PhaseChange>,
    /// Times of well-formed responses with wrong values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    misleading: Vec<f64>,
}

#[derive(Serialize)]
struct PhaseChange {
    at: f64,
    status: &'static str,
    step: &'static str,
}

/// Everything that the history of a cluster is read from. Times are in milliseconds since the start
/// of the world.
struct HistoryReader<'a> {
    clock: &'a WorldClock,
    from: i64,
    to: i64,
    misleading: HashMap<ClusterId, Vec<i64>>,
}

pub(crate) fn is_requested(request: &ReceivedRequest) -> bool {
    request.method == Method::GET && request.path == PATH
}

/// The page since `?since=TIME` in Unix seconds, or since the start of the world.
pub(crate) fn page(simulator: &Simulator, request: &ReceivedRequest, millis: i64) -> Response {
    let world = &simulator.world;
    let reader = HistoryReader {
        clock: &world.clock,
        from: first_millis(&world.clock, request, millis),
        to: millis,
        misleading: simulator.call_log.misleading(),
    };
    let mut clusters = Vec::new();
    for cluster in world.permanent_clusters() {
        clusters.push(reader.cluster(&cluster, None));
    }
    for (cluster, lifetime) in world.ephemeral_clusters(reader.from, reader.to) {
        clusters.push(reader.cluster(&cluster, Some(lifetime)));
    }
    let history = History {
        now: reader.seconds(reader.to),
        since: reader.seconds(reader.from),
        clusters,
    };
    Response::new(StatusCode::OK, "application/json", json(&history))
}

/// The start of the page in milliseconds since the start of the world.
fn first_millis(clock: &WorldClock, request: &ReceivedRequest, millis: i64) -> i64 {
    let now = clock.at(millis);
    let requested = request
        .parameter("since")
        .and_then(|text| text.parse().ok())
        .and_then(|since| Timestamp::from_second(since).ok());
    let oldest = now.checked_sub(RETENTION).unwrap_or(now);
    let since = requested
        .unwrap_or_else(|| clock.at(0))
        .max(oldest)
        .min(now);
    clock.millis_at(since).max(0)
}

impl HistoryReader<'_> {
    fn cluster(&self, cluster: &Cluster, lifetime: Option<Lifetime>) -> ClusterHistory {
        let from = lifetime.map_or(self.from, |lifetime| lifetime.created.max(self.from));
        let to = lifetime.map_or(self.to, |lifetime| (lifetime.deleted - 1).min(self.to));
        let first = (from, cluster.schedule.state_at(from).phase);
        let phases = std::iter::once(first)
            .chain(cluster.schedule.transitions(from, to))
            .map(|(at, phase)| self.phase_change(at, phase))
            .collect();
        ClusterHistory {
            cluster: cluster.id.to_string(),
            region: cluster.region.to_string(),
            name: cluster.name(),
            created: lifetime.map(|lifetime| self.seconds(lifetime.created)),
            deleted: lifetime.map(|lifetime| self.seconds(lifetime.deleted)),
            phases,
            misleading: self.misleading_since(&cluster.id),
        }
    }

    fn phase_change(&self, at: i64, phase: Phase) -> PhaseChange {
        PhaseChange {
            at: self.seconds(at),
            status: match status(phase) {
                "" => "none",
                status => status,
            },
            step: step(phase),
        }
    }

    fn misleading_since(&self, cluster: &ClusterId) -> Vec<f64> {
        let times = self.misleading.get(cluster).into_iter().flatten();
        times
            .filter(|at| **at >= self.from)
            .map(|at| self.seconds(*at))
            .collect()
    }

    /// Unix seconds, as in Prometheus.
    fn seconds(&self, millis: i64) -> f64 {
        self.clock.at(millis).as_duration().as_secs_f64()
    }
}
