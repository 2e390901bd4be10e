//! Compression of response bodies.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::negotiate::Encoding;

/// The smallest body that is compressed, in bytes. A smaller one fits into one packet anyway.
const SMALLEST: usize = 1024;

/// The fastest level. On a page of 10,000 clusters the next level saves a third of what is left and
/// takes a quarter longer. The network between exporter and Prometheus is rarely worth that.
const LEVEL: u32 = 1;

impl Encoding {
    /// The value of `Content-Encoding`, if the response needs that header.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }
}

/// Encodes `body` as `wanted`, unless it is too small, and returns it with its encoding. A large
/// body takes tens of milliseconds, so do not call this on a thread that others wait for.
pub fn encode(body: Bytes, wanted: Encoding) -> (Bytes, Encoding) {
    match wanted {
        Encoding::Gzip if body.len() >= SMALLEST => (gzip(&body), Encoding::Gzip),
        Encoding::Gzip | Encoding::Identity => (body, Encoding::Identity),
    }
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::new(LEVEL));
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .expect("a vector takes any bytes")
        .into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_large_body_shrinks_and_reads_back_the_same() {
        let body = Bytes::from("cs_up{cluster=\"c1\"} 1\n".repeat(100));
        let (encoded, done) = encode(body.clone(), Encoding::Gzip);
        assert_eq!(done.header(), Some("gzip"));
        assert!(encoded.len() < body.len() / 10);
        let mut decoded = Vec::new();
        GzDecoder::new(&encoded[..])
            .read_to_end(&mut decoded)
            .unwrap();
        assert_eq!(decoded, body);
    }

    #[test]
    fn a_small_body_and_one_that_was_not_asked_for_stay_as_they_are() {
        let small = Bytes::from_static(b"cs_up 1\n");
        assert_eq!(
            encode(small.clone(), Encoding::Gzip),
            (small, Encoding::Identity)
        );
        let large = Bytes::from(vec![b'x'; 5000]);
        assert_eq!(
            encode(large.clone(), Encoding::Identity),
            (large, Encoding::Identity)
        );
    }
}
