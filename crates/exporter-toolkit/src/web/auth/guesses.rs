//! How many wrong passwords one client may try.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::web::limits::RateLimit;

/// Ten wrong passwords at once and one a second after that: no hindrance to people, and a twentieth
/// of one core at bcrypt's usual cost.
const LIMIT: RateLimit = RateLimit {
    interval: Duration::from_secs(1),
    burst: NonZeroU32::new(10).expect("10 is not zero"),
};

/// The most clients that are told apart; some 100 KiB.
const CLIENTS: usize = 4096;

/// One token bucket for each client that tried a password.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    /// When a client's bucket is full again. One that is full already need not be here.
    full: Mutex<HashMap<IpAddr, Instant>>,
}

impl Guesses {
    /// Counts a try of `client`, or says how long until it has another.
    pub(super) fn charge(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let client = network(client);
        let charged = LIMIT.take(full.get(&client).copied().unwrap_or(now), now)?;
        if full.len() >= CLIENTS {
            make_room(&mut full, now);
        }
        full.insert(client, charged);
        Ok(())
    }

    /// Takes a charge back, since the password was right.
    pub(super) fn forgive(&self, client: IpAddr) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full) = full.get_mut(&network(client)) {
            *full = full.checked_sub(LIMIT.interval).unwrap_or(*full);
        }
    }
}

/// Forgets the clients whose buckets are full and, if that is not enough, the one whose bucket is
/// nearest to it.
fn make_room(full: &mut HashMap<IpAddr, Instant>, now: Instant) {
    full.retain(|_, full| *full > now);
    if full.len() >= CLIENTS
        && let Some(nearest) = full
            .iter()
            .min_by_key(|(_, full)| **full)
            .map(|(client, _)| *client)
    {
        full.remove(&nearest);
    }
}

/// The client as one who hands out addresses sees it: an IPv6 host has a whole /64 to choose from.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn one_client_runs_out_of_guesses_and_gets_them_back_with_time() {
        let guesses = Guesses::default();
        let now = Instant::now();
        let client = address("192.0.2.1");
        assert_eq!(
            (0..20)
                .filter(|_| guesses.charge(client, now).is_ok())
                .count(),
            10
        );
        assert_eq!(guesses.charge(client, now), Err(Duration::from_secs(1)));
        assert_eq!(
            guesses.charge(address("192.0.2.2"), now),
            Ok(()),
            "another client is not concerned"
        );
        assert_eq!(guesses.charge(client, now + Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_right_password_costs_no_guess() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..100 {
            assert_eq!(guesses.charge(address("::1"), now), Ok(()));
            guesses.forgive(address("::1"));
        }
    }

    #[test]
    fn addresses_of_one_host_count_together() {
        let guesses = Guesses::default();
        let now = Instant::now();
        let tries = (0..20)
            .filter(|host| {
                guesses
                    .charge(address(&format!("2001:db8::{host:x}")), now)
                    .is_ok()
            })
            .count();
        assert_eq!(tries, 10);
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn the_clients_that_are_remembered_are_bounded() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for client in 0..10_000_u32 {
            assert_eq!(guesses.charge(IpAddr::V4(client.into()), now), Ok(()));
        }
        assert_eq!(guesses.full.lock().expect("not poisoned").len(), CLIENTS);
    }
}
