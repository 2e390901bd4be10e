//! `ListClusterChecks` and `GetClusterCheck`.

use http::StatusCode;
use serde_json::{Value, json};

use crate::api::OperationCall;
use crate::api::variation::vary;
use crate::error_response::ErrorResponse;
use crate::random::mix;
use crate::world::World;
use crate::world::checks::{Check, CheckResult, CheckSubject, Verdict};
use crate::world::clock::utc_nanos;
use crate::world::cluster::Cluster;

/// Group, name and target of the items of every check.
const ITEMS: [(&str, &str, &str); 4] = [
    ("ClusterResource", "APIService", "v1beta1.metrics.k8s.io"),
    (
        "ClusterResource",
        "DeprecatedAPI",
        "flowcontrol.apiserver.k8s.io/v1beta3",
    ),
    ("Node", "KubeletVersion", "cn-hangzhou.10.0.3.17"),
    ("ClusterAddon", "CoreDNS", "coredns"),
];

/// The item that has the verdict of a check.
const DECISIVE: &str = "KubeletVersion";

/// The body of `ListClusterChecks`.
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let (kind, target) = (call.parameter("type"), call.parameter("target"));
    let checks: Vec<_> = cluster
        .checks(call.millis)
        .iter()
        .filter(|check| kind.is_none_or(|kind| kind == check.subject.kind()))
        .filter(|check| target.is_none_or(|target| target == check.subject.target(cluster)))
        .map(|check| entry(call.world(), cluster, check))
        .collect();
    Ok(json!({ "checks": checks }).to_string())
}

/// The body of `GetClusterCheck`.
pub(super) fn info(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let id = call.ids.at("check");
    let check = cluster
        .checks(call.millis)
        .into_iter()
        .find(|check| check_id(call.world(), cluster, check) == id)
        .ok_or_else(|| {
            ErrorResponse::service(
                StatusCode::NOT_FOUND,
                "ErrorCheckNotFound",
                format!("check {id} not found"),
            )
        })?;
    let mut body = entry(call.world(), cluster, &check);
    body["check_items"] = items(&check.result);
    Ok(body.to_string())
}

fn entry(world: &World, cluster: &Cluster, check: &Check) -> Value {
    let time = |millis| utc_nanos(world.clock.at(millis));
    // The status is the one of the check itself. Its verdict is in its items.
    let (status, message, finished) = match check.result {
        CheckResult::Running => ("Running", "task running", String::new()),
        CheckResult::Finished { at, .. } => ("Succeeded", "task succeed", time(at)),
        CheckResult::Broken { at } => {
            ("Failed", "task failed: context deadline exceeded", time(at))
        }
    };
    let mut entry = json!({
        "check_id": check_id(world, cluster, check),
        "type": check.subject.kind(),
        "status": status,
        "message": message,
        "created_at": time(check.created),
        "finished_at": finished,
    });
    let seed = mix(&[cluster.tag, 170, check.number]);
    vary(&mut entry, seed, &["message"]);
    entry
}

/// Nanoseconds since 1970, the cluster and five letters:
/// `1697100584236600453-c0de…-clustercheck-lboto`.
fn check_id(world: &World, cluster: &Cluster, check: &Check) -> String {
    let nanos = world.clock.at(check.created).as_nanosecond();
    let draw = mix(&[cluster.tag, 171, check.number]);
    let letters: String = (0..5)
        .map(|place| {
            char::from(b"abcdefghijklmnopqrstuvwxyz"[usize::from(draw.to_le_bytes()[place] % 26)])
        })
        .collect();
    format!("{nanos}-{}-clustercheck-{letters}", cluster.id)
}

/// A list for the name of each item. The level is the key of an object.
fn items(result: &CheckResult) -> Value {
    let CheckResult::Finished { verdict, .. } = result else {
        return Value::Null;
    };
    let items = ITEMS.iter().map(|(group, name, target)| {
        let (level, message) = match verdict {
            Verdict::Warning if *name == DECISIVE => ("warning", "one minor version behind"),
            Verdict::Failed(message) if *name == DECISIVE => ("error", message.as_str()),
            _ => ("normal", ""),
        };
        let finding = json!({"Message": message, "Targets": [{"Target": target}]});
        let item = json!({"Group": group, "Level": {level: finding}});
        ((*name).to_owned(), json!([item]))
    });
    Value::Object(items.collect())
}

impl CheckSubject {
    fn kind(&self) -> &'static str {
        match self {
            Self::Cluster => "ClusterUpgrade",
            Self::ControlPlane => "MasterUpgrade",
            Self::NodePool(_) => "NodePoolUpgrade",
        }
    }

    fn target<'a>(&'a self, cluster: &'a Cluster) -> &'a str {
        match self {
            Self::Cluster | Self::ControlPlane => cluster.id.as_str(),
            Self::NodePool(id) => id,
        }
    }
}
