//! What has happened in the world, for whoever wants to know whether a client has seen it: a page
//! of the stand-in's own, which the vendor does not have. Nobody has to sign for it and no fault
//! strikes it.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Sim;
use crate::api::upgrade_status::words;
use crate::error_response::json;
use crate::request::Received;
use crate::response::Reply;
use crate::world::cluster::Cluster;

/// Where it is.
pub(crate) const PATH: &str = "/chronicle";

/// Nothing older is told.
const MEMORY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize)]
struct Chronicle {
    now: f64,
    /// Since when it tells.
    since: f64,
    clusters: Vec<Life>,
}

#[derive(Serialize)]
struct Life {
    cluster: String,
    region: String,
    name: String,
    /// When it came; absent if it was always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    came: Option<f64>,
    /// When it went or is going to.
    #[serde(skip_serializing_if = "Option::is_none")]
    goes: Option<f64>,
    /// Where its upgrade stood in the beginning, and every change since, as the script has them.
    phases: Vec<Change>,
    /// When an answer about it looked good and was not so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lies: Vec<f64>,
}

#[derive(Serialize)]
struct Change {
    at: f64,
    status: &'static str,
    step: &'static str,
}

/// Whether this is what is asked for.
pub(crate) fn is_asked_for(received: &Received) -> bool {
    received.method == Method::GET && received.path == PATH
}

/// `GET /chronicle[?since=TIME]`: every cluster's life since a time of day in seconds, or since the
/// world began.
pub(crate) fn page(sim: &Sim, received: &Received, millis: i64) -> Reply {
    let world = &sim.world;
    let now = world.clock.at(millis);
    let asked = received
        .parameter("since")
        .and_then(|text| text.parse().ok())
        .and_then(|since| Timestamp::from_second(since).ok());
    let oldest = now.checked_sub(MEMORY).unwrap_or(now);
    let since = asked
        .unwrap_or_else(|| world.clock.at(0))
        .max(oldest)
        .min(now);
    let from = world.clock.millis_at(since).max(0);
    let lies = sim.journal.lies();
    let life = |cluster: &Cluster, came: Option<i64>, goes: Option<i64>| {
        let (from, to) = (
            came.map_or(from, |came| came.max(from)),
            goes.map_or(millis, |goes| (goes - 1).min(millis)),
        );
        let changes = std::iter::once((from, cluster.script.at(from).phase))
            .chain(cluster.script.transitions(from, to));
        let phases = changes.map(|(at, phase)| {
            let (status, step) = words(phase);
            Change {
                at: seconds(world.clock.at(at)),
                status: if status.is_empty() { "none" } else { status },
                step,
            }
        });
        Life {
            cluster: cluster.id.to_string(),
            region: cluster.region.to_string(),
            name: cluster.name(),
            came: came.map(|came| seconds(world.clock.at(came))),
            goes: goes.map(|goes| seconds(world.clock.at(goes))),
            phases: phases.collect(),
            lies: lies
                .get(&cluster.id)
                .into_iter()
                .flatten()
                .filter(|at| **at >= from)
                .map(|at| seconds(world.clock.at(*at)))
                .collect(),
        }
    };
    let mut clusters: Vec<_> = world
        .residents()
        .iter()
        .map(|cluster| life(cluster, None, None))
        .collect();
    clusters.extend(
        world
            .stays(from, millis)
            .map(|(cluster, stay)| life(&cluster, Some(stay.comes), Some(stay.goes))),
    );
    let chronicle = Chronicle {
        now: seconds(now),
        since: seconds(world.clock.at(from)),
        clusters,
    };
    Reply::new(StatusCode::OK, "application/json", json(&chronicle))
}

/// As Prometheus writes times.
fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}
