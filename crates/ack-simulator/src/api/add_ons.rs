//! `ListClusterAddonInstances` and `ListAddons`.

use serde_json::{Value, json};

use crate::api::variation::vary;
use crate::api::{OperationCall, invalid_parameter};
use crate::error_response::ErrorResponse;
use crate::random::{mix, of_text};
use crate::world::add_ons::{ADD_ONS, AddOn, AddOnState, Installation};
use crate::world::versions::KubernetesVersion;

/// Number of properties in the `config_schema` of an add-on, which makes the list long.
const SCHEMA_PROPERTIES: usize = 60;

/// The parameters of `ListAddons` in place of `cluster_id`, beside `cluster_version`. A dedicated
/// cluster has no `cluster_spec`.
const COMBINATION: [&str; 3] = ["region_id", "cluster_type", "profile"];

/// The body of `ListClusterAddonInstances`.
pub(super) fn installed(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let add_ons: Vec<_> = cluster
        .add_ons(call.millis)
        .into_iter()
        .map(|add_on| {
            let mut entry = json!({
                "name": add_on.name,
                "version": add_on.version,
                "state": state(add_on.state),
            });
            vary(&mut entry, mix(&[cluster.tag, of_text(add_on.name)]), &[]);
            entry
        })
        .collect();
    Ok(json!({ "addons": add_ons }).to_string())
}

fn state(state: AddOnState) -> &'static str {
    match state {
        AddOnState::Active => "active",
        AddOnState::Upgrading => "upgrading",
        AddOnState::Failed => "failed",
    }
}

/// The body of `ListAddons`: for one cluster, or for a combination of properties.
pub(super) fn offered(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let version = match call.parameter("cluster_id") {
        Some(_) => call.cluster()?.state(call.millis).version,
        None => version_of_combination(call)?,
    };
    let add_ons: Vec<_> = ADD_ONS
        .iter()
        .map(|add_on| offer(add_on, version))
        .collect();
    Ok(json!({ "addons": add_ons }).to_string())
}

fn version_of_combination(call: &OperationCall<'_>) -> Result<KubernetesVersion, ErrorResponse> {
    for name in COMBINATION {
        call.require(name)?;
    }
    let version = call.require("cluster_version")?;
    KubernetesVersion::parse(version).ok_or_else(|| invalid_parameter("cluster_version", version))
}

fn offer(add_on: &AddOn, version: KubernetesVersion) -> Value {
    let properties: serde_json::Map<_, _> = (0..SCHEMA_PROPERTIES)
        .map(|number| {
            let property = json!({"type": "string", "default": "", "description": "a setting"});
            (format!("{}Setting{number}", add_on.name), property)
        })
        .collect();
    json!({
        "name": add_on.name,
        "version": add_on.newest(version),
        "category": add_on.category,
        "managed": add_on.is_managed,
        "install_by_default": add_on.installation == Installation::ByDefault,
        "architecture": ["amd64", "arm64"],
        "supported_actions": ["Install", "Upgrade", "Modify", "Uninstall"],
        // JSON inside a string, as the API sends it.
        "config_schema": json!({"type": "object", "properties": properties}).to_string(),
    })
}
