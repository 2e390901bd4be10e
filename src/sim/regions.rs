//! `DescribeRegions`.

use serde::Serialize;

use super::refusal::json;
use crate::names::Region;

#[derive(Serialize)]
struct List<'a> {
    regions: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    region_id: &'a str,
    local_name: &'a str,
}

/// The reply's body.
pub(super) fn body(regions: &[Region]) -> String {
    json(&List {
        regions: regions.iter().map(|region| Entry { region_id: region.as_str(), local_name: local_name(region.as_str()) }).collect(),
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
