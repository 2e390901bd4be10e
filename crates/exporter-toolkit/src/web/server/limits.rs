//! The time-outs and caps of a server.

use std::time::Duration;

/// The time that each step of a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the TLS handshake and the head of the first request.
    pub head: Duration,
    /// From one request to the next.
    pub idle: Duration,
    /// For the next piece of a response, once it is known.
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

impl Timeouts {
    /// The time-outs of a server that stops. An HTTP/2 client is asked for requests on their way, and
    /// one that has gone never responds.
    pub(super) fn draining(self) -> Self {
        Self {
            head: DRAIN_GRACE,
            idle: DRAIN_GRACE,
            send: self.send.min(DRAIN_SEND),
            ..self
        }
    }

    pub(super) fn shortest(self) -> Duration {
        self.head.min(self.idle).min(self.send)
    }
}

/// The time that connections without a request have to end, once the server stops.
pub(super) const DRAIN_GRACE: Duration = Duration::from_secs(1);

/// The time that a client has to take a whole response, once the server stops.
const DRAIN_SEND: Duration = Duration::from_secs(5);

/// The time-outs and caps of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time-outs of a connection.
    pub timeouts: Timeouts,
    /// Connections open at once.
    pub connections: usize,
    /// Requests handled at once, health checks and reloads aside; 0 is no limit.
    pub requests: u32,
    /// Bytes of responses that clients have not taken. The newest response may be longer.
    pub unsent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            connections: MAX_CONNECTIONS,
            requests: 40,
            unsent: 32 << 20,
        }
    }
}

impl Limits {
    pub(super) fn requests(self) -> usize {
        match usize::try_from(self.requests) {
            Ok(limit @ 1..) => limit,
            _ => usize::MAX,
        }
    }
}

/// More than all that scrape, and few enough for a container of 128 MiB. Without a password, a
/// connection can hold 50 KiB over HTTP/2, and 64 KiB in the TLS handshake.
const MAX_CONNECTIONS: usize = 512;

/// Returns the number of connections that `descriptors` allow. The others are for calls to the API
/// and for files.
pub fn connections(descriptors: u64) -> usize {
    usize::try_from(descriptors / 2).map_or(MAX_CONNECTIONS, |half| half.min(MAX_CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_others() {
        for (descriptors, expected) in [(0, 0), (256, 128), (1024, 512), (u64::MAX, 512)] {
            assert_eq!(connections(descriptors), expected, "{descriptors}");
        }
    }
}
