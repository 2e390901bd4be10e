//! The settings of automatic upgrades in `DescribeClusterDetail`.

use serde_json::{Value, json};

use crate::random::mix;
use crate::world::World;
use crate::world::clock::{DAY, beijing, utc};
use crate::world::cluster::Cluster;
use crate::world::cluster_traits::PlanPattern;

/// The time of a window in the two formats of the API.
const TIME_OF_DAY: &str = "19:00:00Z";
const DATE_AND_TIME: &str = "2026-01-01T02:00:00.000+08:00";

/// `operation_policy`. Clusters with plans have automatic upgrades; some of the others have no
/// policy at all.
pub(super) fn operation_policy(cluster: &Cluster) -> Value {
    let draw = mix(&[cluster.schedule.seed(), 150]);
    let channel = match draw % 3 {
        0 => "patch",
        1 => "stable",
        _ => "rapid",
    };
    match cluster.traits.plans {
        PlanPattern::None if draw.is_multiple_of(5) => Value::Null,
        PlanPattern::None => json!({"cluster_auto_upgrade": {"enabled": false, "channel": ""}}),
        _ => json!({"cluster_auto_upgrade": {"enabled": true, "channel": channel}}),
    }
}

/// `maintenance_window`, in one of the forms that the models of several years have.
pub(super) fn maintenance_window(world: &World, cluster: &Cluster) -> Value {
    if cluster.traits.plans == PlanPattern::EveryNight {
        return every_night();
    }
    match mix(&[cluster.schedule.seed(), 151]) % 6 {
        0 | 1 => json!({
            "enable": true,
            "maintenance_time": DATE_AND_TIME,
            "duration": "3h",
            "weekly_period": "Thursday",
            "recurrence": "",
        }),
        2 => json!({
            "enable": true,
            "maintenance_time": TIME_OF_DAY,
            "duration": "4h",
            "weekly_period": "Monday,Thursday",
        }),
        3 => json!({
            "enable": true,
            "maintenance_time": DATE_AND_TIME,
            "duration": "6h",
            "weekly_period": "Thursday",
            "recurrence": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU",
            "exclusions": exclusions(world),
        }),
        4 => json!({
            "enable": false,
            "maintenance_time": "",
            "duration": "",
            "weekly_period": "",
        }),
        _ => Value::Null,
    }
}

/// A window on each day of the week, at the time of the nightly plans.
fn every_night() -> Value {
    json!({
        "enable": true,
        "maintenance_time": DATE_AND_TIME,
        "duration": "4h",
        "weekly_period": "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
        "recurrence": "",
        "exclusions": [],
    })
}

/// Times without automatic upgrades: one that includes the start of the world, and a later one.
fn exclusions(world: &World) -> Value {
    let at = |days: i64| world.clock.at(days * DAY);
    json!([
        {
            "name": "sale",
            "description": "no changes during the sale",
            "scope": "NoUpgrades",
            "start_time": beijing(at(-2)),
            "end_time": beijing(at(5)),
        },
        {
            "name": "year end",
            "description": "",
            "scope": "NoMinorUpgrades",
            "start_time": utc(at(20)),
            "end_time": utc(at(60)),
        },
    ])
}
