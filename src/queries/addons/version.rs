//! The order of the versions of add-ons, such as `v1.9.3.10` or `v1.31.1-aliyun.1`.

use std::cmp::Ordering;

/// The words with which the suffix of a version before a release begins.
const BEFORE_RELEASE: [&str; 4] = ["alpha", "beta", "pre", "rc"];

/// A version in two parts.
struct Version<'a> {
    numbers: Vec<u64>,
    /// The part after the first hyphen or plus sign.
    suffix: &'a str,
}

impl<'a> Version<'a> {
    fn parse(version: &'a str) -> Option<Self> {
        let version = version.trim_start_matches(['v', 'V']);
        let (numbers, suffix) = version.split_once(['-', '+']).unwrap_or((version, ""));
        let numbers: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        let mut numbers = numbers.ok()?;
        // 1.2 is 1.2.0.
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers, suffix })
    }
}

/// Returns true if the version `offered` is newer than `installed`. The API offers its newest
/// version, so a different one is taken as newer where the text does not show the order.
pub(super) fn is_newer(offered: &str, installed: &str) -> bool {
    if offered.is_empty() || installed.is_empty() {
        return false;
    }
    match (Version::parse(offered), Version::parse(installed)) {
        (Some(offered), Some(installed)) => match offered.numbers.cmp(&installed.numbers) {
            Ordering::Less => false,
            Ordering::Equal => is_newer_suffix(offered.suffix, installed.suffix),
            Ordering::Greater => true,
        },
        _ => offered != installed,
    }
}

fn is_newer_suffix(offered: &str, installed: &str) -> bool {
    match (offered, installed) {
        ("", installed) => is_before_release(installed),
        // The name of a build, which only one of two operations may tell.
        (_, "") => false,
        (offered, installed) => is_newer_build(offered, installed),
    }
}

fn is_before_release(suffix: &str) -> bool {
    let suffix = suffix.to_ascii_lowercase();
    BEFORE_RELEASE.iter().any(|word| suffix.starts_with(word))
}

/// Compares suffixes such as `aliyun.1`. Words, such as hashes, have no order.
fn is_newer_build(offered: &str, installed: &str) -> bool {
    let mut installed = installed.split(['.', '-']);
    for part in offered.split(['.', '-']) {
        let Some(other) = installed.next() else {
            return true;
        };
        if part != other {
            return match (part.parse::<u64>(), other.parse::<u64>()) {
                (Ok(number), Ok(other)) => number > other,
                _ => true,
            };
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_order(older: &str, newer: &str) {
        assert!(is_newer(newer, older), "{newer} is newer than {older}");
        assert!(!is_newer(older, newer), "{older} is older than {newer}");
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_order("v1.9.3.10", "v1.11.3.2");
        assert_order("v1.9.3.9", "v1.9.3.10");
        assert_order("v0.3.9.8", "v0.6.4.2");
        assert_order("1.1.24", "v1.2");
        assert_order("v1.9.3", "v1.9.3.1");
        assert_order("v1.31.9-aliyun.9", "v1.32.1-aliyun.1");
    }

    #[test]
    fn a_suffix_counts_where_the_numbers_are_equal() {
        assert_order("v1.31.1-aliyun.9", "v1.31.1-aliyun.10");
        assert_order("v1.31.1-aliyun", "v1.31.1-aliyun.1");
        assert_order("v1.2.0-rc.1", "v1.2.0-rc.2");
        assert_order("v1.2.0-RC1", "v1.2.0");
        assert_order("v1.2.0-beta.3", "v1.2");
    }

    #[test]
    fn the_same_version_is_no_update_in_whatever_spelling() {
        for (one, other) in [
            ("v1.2.3", "v1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("v1.2", "v1.2.0"),
            ("v1.9.3.10", "v1.9.3.10-7dfca203-aliyun"),
            ("latest", "latest"),
            ("v1.2.3", ""),
            ("", ""),
        ] {
            assert!(!is_newer(one, other), "{one} {other}");
            assert!(!is_newer(other, one), "{other} {one}");
        }
    }

    #[test]
    fn another_version_without_an_order_is_taken_as_newer() {
        assert!(is_newer("v1.2.3-921e63a-aliyun", "v1.2.3-a0b1c2d-aliyun"));
        assert!(is_newer("stable", "v1.2.3"));
        assert!(is_newer("v99999999999999999999", "v1"));
    }
}
