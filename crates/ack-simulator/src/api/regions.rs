//! `DescribeRegions`.

use ack_client::names::Region;
use serde::Serialize;

use crate::error_response::json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    regions: Vec<Entry<'a>>,
    request_id: &'a str,
}

/// In camel case, unlike the other operations: so the vendor's SDKs read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    region_id: &'a str,
    local_name: &'a str,
}

/// The reply's body.
pub(crate) fn body(regions: &[Region], request_id: &str) -> String {
    let regions = regions.iter().map(Region::as_str);
    json(&List {
        regions: regions
            .map(|region| Entry {
                region_id: region,
                local_name: local_name(region),
            })
            .collect(),
        request_id,
    })
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
