//! `DescribeRegions`.

use serde::Serialize;

use crate::api::OperationCall;
use crate::error_response::{ErrorResponse, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionList<'a> {
    regions: Vec<RegionEntry<'a>>,
    request_id: &'a str,
}

/// In camel case, unlike the other operations: Alibaba Cloud's SDKs read it like this.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionEntry<'a> {
    region_id: &'a str,
    local_name: &'a str,
}

/// The body of the response.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every operation has the same signature"
)]
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let regions = call
        .simulator
        .regions
        .iter()
        .map(|region| RegionEntry {
            region_id: region.as_str(),
            local_name: local_name(region.as_str()),
        })
        .collect();
    Ok(json(&RegionList {
        regions,
        request_id: call.request_id,
    }))
}

fn local_name(region: &str) -> &str {
    match region {
        "cn-hangzhou" => "华东1（杭州）",
        "cn-shanghai" => "华东2（上海）",
        "cn-beijing" => "华北2（北京）",
        "ap-southeast-1" => "新加坡",
        other => other,
    }
}
