//! The shard of an instance: the clusters that it is responsible for.
//!
//! Jump consistent hash (Lamping and Veach, 2014) over FNV-1a 64 of the cluster ID, as
//! kube-state-metrics does with objects: when the total grows from n to n + 1, about one cluster in
//! n + 1 moves. The function must never change: during a rolling upgrade, clusters would be without
//! an instance.

use ack_client::names::ClusterId;

/// One of the shards that all clusters are divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    ordinal: u32,
    total: u32,
}

/// The reasons for which a shard is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    /// The total is 0.
    #[error("the total of shards must be above 0")]
    NoShards,
    /// The ordinal is not below the total.
    #[error("shard {ordinal} of {total} does not exist: ordinals run from 0 to {}", total - 1)]
    OutOfRange { ordinal: u32, total: u32 },
    /// The host name does not end in `-` and a number.
    #[error(
        "the host name {0:?} does not end in a dash and an ordinal, as a StatefulSet's pods do"
    )]
    NoOrdinal(String),
}

impl Default for Shard {
    /// The only shard, which has all clusters.
    fn default() -> Self {
        Self {
            ordinal: 0,
            total: 1,
        }
    }
}

impl Shard {
    /// Shard `ordinal`, counted from 0, of `total`.
    pub fn new(ordinal: u32, total: u32) -> Result<Self, InvalidShard> {
        match total {
            0 => Err(InvalidShard::NoShards),
            _ if ordinal >= total => Err(InvalidShard::OutOfRange { ordinal, total }),
            _ => Ok(Self { ordinal, total }),
        }
    }

    /// The shard of a pod of a `StatefulSet`, whose host name ends in its ordinal: `exporter-2`.
    pub fn from_hostname(hostname: &str, total: u32) -> Result<Self, InvalidShard> {
        let pod = hostname.split('.').next().unwrap_or_default();
        let ordinal = pod
            .rsplit_once('-')
            .and_then(|(_, ordinal)| ordinal.parse().ok());
        Self::new(
            ordinal.ok_or_else(|| InvalidShard::NoOrdinal(hostname.to_owned()))?,
            total,
        )
    }

    /// The number of this shard, counted from 0.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// The number of shards.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Returns true if the cluster is in this shard.
    pub fn owns(&self, cluster: &ClusterId) -> bool {
        jump(fnv1a(cluster.as_str().as_bytes()), self.total) == self.ordinal
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The bucket of `key` among `buckets`, which is at least 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the published algorithm; the quotient is below 2^32 where it is used"
)]
#[expect(clippy::cast_sign_loss, reason = "the quotient is never negative")]
fn jump(mut key: u64, buckets: u32) -> u32 {
    let mut bucket = 0;
    let mut next = 0;
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as u64;
    }
    bucket as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> ClusterId {
        ClusterId::parse(text).expect("a cluster ID")
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        // From the reference implementation of jump hash.
        for (key, buckets, bucket) in [
            (0, 1, 0),
            (1, 1, 0),
            (10_863_919_174_838_991, 11, 6),
            (2_016_238_256_797_177_309, 11, 3),
            (1_673_758_223_894_951_030, 11, 5),
        ] {
            assert_eq!(jump(key, buckets), bucket, "{key} in {buckets}");
        }
    }

    #[test]
    fn the_host_name_of_a_pod_has_its_ordinal() {
        assert_eq!(
            Shard::from_hostname("ack-upgrade-exporter-2", 3),
            Shard::new(2, 3)
        );
        assert_eq!(
            Shard::from_hostname("exporter-0.exporter.monitoring.svc", 1),
            Shard::new(0, 1)
        );
        assert!(matches!(
            Shard::from_hostname("exporter", 3),
            Err(InvalidShard::NoOrdinal(_))
        ));
        assert!(matches!(
            Shard::from_hostname("exporter-3", 3),
            Err(InvalidShard::OutOfRange { .. })
        ));
        assert_eq!(Shard::new(0, 0), Err(InvalidShard::NoShards));
    }

    proptest! {
        #[test]
        fn every_cluster_is_in_exactly_one_shard(
            text in "[A-Za-z0-9_-]{1,64}",
            total in 1u32..200,
        ) {
            let cluster = id(&text);
            let shards = (0..total).map(|ordinal| Shard { ordinal, total });
            let owners = shards.filter(|shard| shard.owns(&cluster)).count();
            prop_assert_eq!(owners, 1);
        }
    }

    #[test]
    fn shards_are_even_and_few_clusters_move_when_the_total_grows() {
        let clusters: Vec<_> = (0..100_000)
            .map(|number| id(&format!("c{number:032x}")))
            .collect();
        let owner = |cluster: &ClusterId, total| {
            (0..total).find(|ordinal| {
                Shard {
                    ordinal: *ordinal,
                    total,
                }
                .owns(cluster)
            })
        };
        let mut moved = 0;
        let mut sizes = [0_usize; 10];
        for cluster in &clusters {
            let (before, after) = (owner(cluster, 9), owner(cluster, 10));
            sizes[after.expect("an owner") as usize] += 1;
            if before != after {
                moved += 1;
                assert_eq!(after, Some(9), "a cluster that moves goes to the new shard");
            }
        }
        assert!(moved < clusters.len() * 11 / 100, "{moved}");
        assert!(
            sizes.iter().all(|size| (9_500..=10_500).contains(size)),
            "{sizes:?}"
        );
    }
}
