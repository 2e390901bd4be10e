//! `DescribeKubernetesVersionMetadata`: the versions on offer, with the end of their support.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{OperationCall, invalid_parameter};
use crate::error_response::{self, ErrorResponse};
use crate::world::clock::utc;
use crate::world::versions::KubernetesVersion;

/// One version. The body of the response is a bare array of them.
#[derive(Serialize)]
struct VersionEntry {
    version: String,
    release_date: String,
    /// The end of support; null for a version that is too new to have one.
    expiration_date: Option<String>,
    creatable: bool,
    /// Only if the query asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    upgradable_versions: Option<Vec<String>>,
    runtimes: [Runtime; 2],
    /// Images for nodes, which make the response long.
    images: Vec<Value>,
    capabilities: Value,
    meta_data: Value,
}

#[derive(Serialize)]
struct Runtime {
    name: &'static str,
    version: &'static str,
}

/// The kind of the clusters that a query is about; each has its own dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClusterKind {
    Managed,
    Serverless,
    Dedicated,
}

const RUNTIMES: [Runtime; 2] = [
    Runtime {
        name: "containerd",
        version: "2.1.3",
    },
    Runtime {
        name: "Sandboxed-Container.runv",
        version: "2.2.0",
    },
];

/// Image type, platform and version of the systems for nodes.
const SYSTEMS: [(&str, &str, &str); 6] = [
    ("AliyunLinux3", "AliyunLinux", "3"),
    ("AliyunLinux3ContainerOptimized", "AliyunLinux", "3"),
    ("ContainerOS", "ContainerOS", "3.3"),
    ("Ubuntu", "Ubuntu", "22.04"),
    ("RedHatEnterpriseLinux", "RedHat", "9"),
    ("WindowsCore", "Windows Server 2022", "2022"),
];

/// The body of the response.
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    call.require("Region")?;
    let kind = cluster_kind(call)?;
    let entries: Vec<_> = requested_versions(call)?
        .into_iter()
        .map(|version| VersionEntry::new(call, kind, version))
        .collect();
    Ok(error_response::json(&entries))
}

fn cluster_kind(call: &OperationCall<'_>) -> Result<ClusterKind, ErrorResponse> {
    let is_serverless = call
        .parameter("Profile")
        .is_some_and(|profile| profile.eq_ignore_ascii_case("Serverless"));
    match call.require("ClusterType")? {
        "Kubernetes" => Ok(ClusterKind::Dedicated),
        "ManagedKubernetes" if is_serverless => Ok(ClusterKind::Serverless),
        "ManagedKubernetes" => Ok(ClusterKind::Managed),
        other => Err(invalid_parameter("ClusterType", other)),
    }
}

/// One version if the query names it, otherwise those of its mode.
fn requested_versions(call: &OperationCall<'_>) -> Result<Vec<KubernetesVersion>, ErrorResponse> {
    if let Some(version) = call.parameter("KubernetesVersion") {
        return Ok(KubernetesVersion::parse(version).into_iter().collect());
    }
    let offered = KubernetesVersion::offered(call.millis);
    match call.parameter("Mode").unwrap_or("creatable") {
        "creatable" => Ok(offered.filter(|version| version.is_creatable()).collect()),
        "supported" => Ok(offered
            .filter(|version| version.is_supported(call.millis))
            .collect()),
        other => Err(invalid_parameter("Mode", other)),
    }
}

impl VersionEntry {
    fn new(call: &OperationCall<'_>, kind: ClusterKind, version: KubernetesVersion) -> Self {
        let shift = match kind {
            ClusterKind::Managed => 0,
            ClusterKind::Serverless => -5,
            ClusterKind::Dedicated => -10,
        };
        let is_open_ended = kind == ClusterKind::Dedicated && version.is_newest_minor();
        let with_upgrades = call.parameter("KubernetesVersion").is_some()
            && call.parameter("QueryUpgradableVersion") == Some("true");
        Self {
            version: version.to_string(),
            release_date: day(call, version.release()),
            expiration_date: (!is_open_ended).then(|| day(call, version.end_of_support() + shift)),
            creatable: version.is_creatable(),
            upgradable_versions: with_upgrades.then(|| {
                let versions = version.upgradable();
                versions.iter().map(ToString::to_string).collect()
            }),
            runtimes: RUNTIMES,
            images: SYSTEMS.iter().flat_map(images).collect(),
            capabilities: json!({"AnyAZ": true, "ChargeType": "PostPaid"}),
            meta_data: json!({"EtcdVersion": "v3.5.17"}),
        }
    }
}

fn day(call: &OperationCall<'_>, days: i64) -> String {
    utc(call.world().clock.midnight(days))
}

/// The images of one system, for both processor architectures.
fn images((image_type, platform, os_version): &(&str, &str, &str)) -> [Value; 2] {
    let os_type = if platform.starts_with("Windows") {
        "Windows"
    } else {
        "Linux"
    };
    ["x86_64", "arm64"].map(|architecture| {
        json!({
            "image_id": format!(
                "{}_{os_version}_{architecture}_20G_alibase_20260831.vhd",
                image_type.to_lowercase()
            ),
            "image_name": format!("{platform} {os_version} for ACK, {architecture}"),
            "image_type": image_type,
            "platform": platform,
            "os_type": os_type,
            "os_version": os_version,
            "architecture": architecture,
            "image_category": "system",
        })
    })
}
