//! Kubernetes versions: those that a cluster runs one after the other, and those on offer.

use std::fmt;

use crate::random::mix;
use crate::world::clock::DAY;

/// The newest minor version on offer.
const NEWEST_MINOR: u64 = 34;

/// The oldest minor version that the API still knows.
const OLDEST_MINOR: u64 = 28;

/// Number of minor versions in which a new cluster can be created.
const CREATABLE_MINORS: u64 = 3;

/// Patch versions in a minor version before the next minor version follows.
const STEPS: u64 = 6;

/// Length of the support of a minor version in days.
const SUPPORT_DAYS: i64 = 520;

/// End of support of each minor version, from the oldest one, in days after the start of the world.
const END_OF_SUPPORT: [i64; 7] = [-200, -75, 24, 130, 240, 350, 460];

/// A version such as `1.32.3-aliyun.1`. Each minor version begins with `.1-aliyun.1`,
/// `.1-aliyun.2`, `.3-aliyun.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KubernetesVersion {
    pub(crate) minor: u64,
    /// Number of earlier patch versions of the minor version.
    step: u64,
}

/// The versions that one cluster runs, one after each successful upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VersionTrack {
    first: KubernetesVersion,
    /// The cluster gets only patch versions after it has reached this one.
    last_minor: u64,
    updates: Updates,
}

/// Versions that are newer than the one of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Updates {
    Available,
    /// The cluster is up to date as long as it is not upgraded.
    NoneAtFirst,
}

impl KubernetesVersion {
    /// The version in a text such as `1.32.3-aliyun.1`, if the API knows its minor version.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("1.")?.splitn(2, '.');
        let minor = parts.next()?.parse().ok()?;
        let (patch, build) = parts.next()?.split_once("-aliyun.")?;
        let (patch, build): (u64, u64) = (patch.parse().ok()?, build.parse().ok()?);
        let version = Self {
            minor,
            step: patch.checked_sub(1)?.checked_add(build.checked_sub(1)?)?,
        };
        let is_known = (OLDEST_MINOR..=NEWEST_MINOR).contains(&minor);
        (is_known && version.to_string() == text).then_some(version)
    }

    /// The versions on offer at `millis`: the newest one of each minor version, newest first.
    pub(crate) fn offered(millis: i64) -> impl Iterator<Item = Self> {
        // No cluster is upgraded more often than once in a minute, so none runs a newer version.
        let minutes = u64::try_from(millis / 60_000).unwrap_or_default();
        (OLDEST_MINOR..=NEWEST_MINOR).rev().map(move |minor| Self {
            minor,
            step: 2 * STEPS + minutes,
        })
    }

    /// Returns true if a new cluster can have this version.
    pub(crate) fn is_creatable(self) -> bool {
        self.minor + CREATABLE_MINORS > NEWEST_MINOR
    }

    /// Returns true for the minor version that has been released last.
    pub(crate) fn is_newest_minor(self) -> bool {
        self.minor == NEWEST_MINOR
    }

    /// Returns true until the end of support.
    pub(crate) fn is_supported(self, millis: i64) -> bool {
        millis / DAY < self.end_of_support()
    }

    /// End of support in days after the start of the world.
    pub(crate) fn end_of_support(self) -> i64 {
        let index = usize::try_from(self.minor.saturating_sub(OLDEST_MINOR)).unwrap_or_default();
        END_OF_SUPPORT.get(index).copied().unwrap_or_default()
    }

    /// Release in days after the start of the world.
    pub(crate) fn release(self) -> i64 {
        self.end_of_support() - SUPPORT_DAYS
    }

    /// The versions to which a cluster can be upgraded directly.
    pub(crate) fn upgradable(self) -> Vec<Self> {
        let next_patch = Self {
            step: self.step + 1,
            ..self
        };
        let next_minor = Self {
            minor: self.minor + 1,
            step: 0,
        };
        [next_patch, next_minor]
            .into_iter()
            .filter(|version| version.minor <= NEWEST_MINOR)
            .collect()
    }

    /// The newest version that is `minors` minor versions older.
    pub(crate) fn behind(self, minors: u64) -> Self {
        Self {
            minor: self.minor.saturating_sub(minors),
            step: STEPS - 1,
        }
    }
}

impl VersionTrack {
    /// Starts in one of two supported minor versions, and goes up to the newest one.
    pub(crate) fn current(seed: u64) -> Self {
        Self {
            first: KubernetesVersion {
                minor: 31 + mix(&[seed, 7]) % 2,
                step: mix(&[seed, 6]) % STEPS,
            },
            last_minor: NEWEST_MINOR,
            updates: Updates::Available,
        }
    }

    /// Stays in the minor version whose support ends next.
    pub(crate) fn support_ends_soon(seed: u64) -> Self {
        Self {
            first: KubernetesVersion {
                minor: 30,
                step: mix(&[seed, 6]) % STEPS,
            },
            last_minor: 30,
            updates: Updates::Available,
        }
    }

    /// Starts in a minor version whose support has ended; the next version is a supported one.
    pub(crate) fn unsupported() -> Self {
        Self {
            first: KubernetesVersion {
                minor: 29,
                step: STEPS - 1,
            },
            last_minor: NEWEST_MINOR,
            updates: Updates::Available,
        }
    }

    /// Starts with the newest version.
    pub(crate) fn up_to_date() -> Self {
        Self {
            first: KubernetesVersion {
                minor: NEWEST_MINOR,
                step: 2 * STEPS,
            },
            last_minor: NEWEST_MINOR,
            updates: Updates::NoneAtFirst,
        }
    }

    /// The version after a number of successful upgrades.
    pub(crate) fn after(&self, successes: u64) -> KubernetesVersion {
        let (mut minor, mut step) = (self.first.minor, self.first.step + successes);
        while step >= STEPS && minor < self.last_minor {
            (minor, step) = (minor + 1, step - STEPS);
        }
        KubernetesVersion { minor, step }
    }

    /// The version of the next upgrade; `None` if the cluster is up to date.
    pub(crate) fn next(&self, successes: u64) -> Option<KubernetesVersion> {
        let is_up_to_date = successes == 0 && self.updates == Updates::NoneAtFirst;
        (!is_up_to_date).then(|| self.after(successes + 1))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (patch, build) = (1 + self.step / 2 * 2, 1 + self.step % 2);
        write!(formatter, "1.{}.{patch}-aliyun.{build}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written() {
        for version in KubernetesVersion::offered(90_000) {
            let text = version.to_string();
            assert_eq!(KubernetesVersion::parse(&text), Some(version), "{text}");
        }
        for text in ["", "1.32", "1.32.1", "1.99.1-aliyun.1", "1.32.2-aliyun.9"] {
            assert_eq!(KubernetesVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_track_goes_up_to_its_last_minor_version_and_then_on_by_patches() {
        let track = VersionTrack::unsupported();
        let versions: Vec<_> = [0, 1, 6, 7, 30, 40]
            .map(|successes| track.after(successes).to_string())
            .into();
        assert_eq!(
            versions,
            [
                "1.29.5-aliyun.2",
                "1.30.1-aliyun.1",
                "1.30.5-aliyun.2",
                "1.31.1-aliyun.1",
                "1.34.5-aliyun.2",
                "1.34.15-aliyun.2",
            ]
        );
    }
}
