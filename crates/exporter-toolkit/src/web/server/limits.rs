//! The time-outs and caps of a server.

use std::time::Duration;

/// The time that each step of a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a request's head, from its first byte or from the handshake on.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// To take a response, once it is known.
    pub send: Duration,
    /// For requests in flight, once the server stops.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            // Prometheus closes its own after 5 minutes; a server that is first may meet a scrape
            // that is on its way.
            idle: Duration::from_secs(360),
            send: Duration::from_secs(60),
            // The longest budget of a scrape, and a little. systemd's unit and the Helm chart kill
            // the process after 30 s, since the scrape configurations that are shipped have a
            // time-out of 25 s; whoever sets more raises both.
            drain: Duration::from_secs(130),
        }
    }
}

/// The time-outs and caps of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time-outs of a connection.
    pub timeouts: Timeouts,
    /// Connections open at once.
    pub connections: usize,
    /// Requests handled at once, health checks and reloads aside; 0 is no limit.
    pub requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            connections: MAX_CONNECTIONS,
            requests: 40,
        }
    }
}

/// A slow connection costs less than 4 KiB and one that has been served 20 KiB, so this is bounded
/// by memory rather than by descriptors where the system allows many of them.
const MAX_CONNECTIONS: usize = 8192;

/// File descriptors that connections leave to calls to the API and to files.
const RESERVED: u64 = 2048;

/// Returns the number of connections that `descriptors` allow.
pub fn connections(descriptors: u64) -> usize {
    let left = descriptors - RESERVED.min(descriptors / 2);
    usize::try_from(left).map_or(MAX_CONNECTIONS, |left| left.min(MAX_CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_others() {
        for (descriptors, expected) in [
            (0, 0),
            (1024, 512),
            (4096, 2048),
            (6000, 3952),
            (20_000, 8192),
            (u64::MAX, 8192),
        ] {
            assert_eq!(connections(descriptors), expected, "{descriptors}");
        }
    }
}
