//! The regions that Alibaba Cloud is known to have.

use exporter_toolkit::yaml::complaint::nearest;

/// The regions with a host in the SDK for ACK, as of 2026-10. A region that is newer than this list
/// is a reason for a warning, not for an error.
const KNOWN: [&str; 40] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-7",
    "ap-southeast-8",
    "cn-beijing",
    "cn-beijing-finance-1",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-hangzhou-finance",
    "cn-heyuan",
    "cn-heyuan-acdr-1",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-north-2-gov-1",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-wulanchabu-gic-1",
    "cn-zhangjiakou",
    "cn-zhengzhou-jva",
    "cn-zhongwei",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
];

/// The warning about `region` if it is not known.
pub(super) fn doubt(region: &str) -> Option<String> {
    if KNOWN.contains(&region) {
        return None;
    }
    let guess = nearest(region, KNOWN.into_iter())
        .map_or_else(String::new, |known| format!(", did you mean {known}?"));
    Some(format!("region {region} is not known{guess}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_is_not_known_is_doubted_and_the_nearest_is_named() {
        for (region, doubted) in [
            ("cn-hangzhou", None),
            ("us-southeast-1", None),
            (
                "cn-hangzou",
                Some("region cn-hangzou is not known, did you mean cn-hangzhou?"),
            ),
            (
                "ap-southeast-11",
                Some("region ap-southeast-11 is not known, did you mean ap-southeast-1?"),
            ),
            ("mars", Some("region mars is not known")),
        ] {
            assert_eq!(doubt(region).as_deref(), doubted, "{region}");
        }
    }
}
