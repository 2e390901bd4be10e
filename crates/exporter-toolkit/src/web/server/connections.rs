//! The open connections: their time-outs, and which of them is closed for others.
//!
//! Nobody waits behind clients that are slow or ask for much. When there are too many connections,
//! requests at once, or bytes that nobody takes, one connection is closed for the new one.

mod slot;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use self::slot::{Body, Phase, Request, Rest, Slot};
use super::limits::Limits;

/// The time for which a request keeps its permit when others want it.
const FAIR_TIME: Duration = Duration::from_secs(10);

/// The connections of a server.
#[derive(Debug)]
pub(super) struct ConnectionTable(Mutex<Slots>);

#[derive(Debug)]
struct Slots {
    limits: Limits,
    is_draining: bool,
    next: u64,
    open: HashMap<u64, Slot>,
}

impl ConnectionTable {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Slots {
            limits,
            is_draining: false,
            next: 0,
            open: HashMap::new(),
        })))
    }

    /// Adds a connection, if need be in place of another; None if none can be closed.
    pub(super) fn open(self: &Arc<Self>, client: IpAddr) -> Option<Arc<ConnectionActivity>> {
        let mut slots = self.lock();
        if slots.is_full() && !slots.evict() {
            return None;
        }
        let (id, slot) = (slots.new_id(), Slot::new(client));
        let close = slot.close.clone();
        slots.open.insert(id, slot);
        drop(slots);
        let table = Arc::clone(self);
        Some(Arc::new(ConnectionActivity { table, id, close }))
    }

    /// True if a new connection takes the place of another.
    pub(super) fn is_full(&self) -> bool {
        self.lock().is_full()
    }

    /// Closes one connection, as if a new one had come.
    pub(super) fn evict(&self) {
        self.lock().evict();
    }

    /// Applies the time-outs of a server that stops. From now on, a client that takes its response
    /// piece by piece gets no more time for each.
    pub(super) fn drain(&self) {
        let mut slots = self.lock();
        slots.limits.timeouts = slots.limits.timeouts.draining();
        slots.is_draining = true;
        slots.open.values_mut().for_each(Slot::restart);
    }

    /// The numbers of open connections and of their requests.
    pub(super) fn counts(&self) -> (usize, usize) {
        let slots = self.lock();
        let requests = slots.open.values().map(|slot| slot.requests.len());
        (slots.open.len(), requests.sum())
    }

    /// Closes connections whose time is over, until the future is dropped.
    pub(super) async fn enforce(self: Arc<Self>) {
        let mut interval = interval(self.lock().limits.timeouts.shortest() / 8);
        loop {
            interval.tick().await;
            let mut slots = self.lock();
            let timeouts = slots.limits.timeouts;
            while slots.close_first(|slot| slot.is_overdue(timeouts).then_some(())) {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn is_full(&self) -> bool {
        self.open.len() >= self.limits.connections
    }

    fn new_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Closes the first connection by `order`, of those that have one. Returns false if none has.
    fn close_first<K: Ord>(&mut self, order: impl Fn(&Slot) -> Option<K>) -> bool {
        let ordered = self.open.iter().map(|(id, slot)| (order(slot), *id));
        let first = ordered.filter(|(key, _)| key.is_some()).min();
        let closed = first.and_then(|(_, id)| self.open.remove(&id));
        closed.inspect(|slot| slot.close.cancel()).is_some()
    }

    /// Closes a connection for a new one: of the client that has the most, the one without progress
    /// for longest. A request with a permit is left alone.
    fn evict(&mut self) -> bool {
        let counts = self.count_by_client(|_| 1);
        self.close_first(|slot| {
            let is_evictable = slot.permits().next().is_none();
            is_evictable.then(|| (Reverse(counts[&slot.client]), slot.since()))
        })
    }

    /// Closes a connection for the permit of a request of `client`: the one with the oldest permit,
    /// of the client that has the most. A client with as many as any other has to wait until that
    /// is [`FAIR_TIME`] old.
    fn replace_permit(&mut self, client: IpAddr) -> bool {
        let counts = self.count_by_client(|slot| slot.permits().count());
        let own = counts[&client];
        self.close_first(|slot| {
            let (since, count) = (slot.permits().min()?, counts[&slot.client]);
            let is_old = count >= own && since.elapsed() >= FAIR_TIME;
            (is_old || count > own + 1).then_some((Reverse(count), since))
        })
    }

    /// Closes the connections whose clients have taken nothing for longest, until `body` and the
    /// others that are being sent have no more bytes than the limit, each counted once.
    fn make_room(&mut self, body: Body) {
        let is_other = |(_, other): &(Instant, Body)| *other != body;
        loop {
            let others = self.open.values().flat_map(Slot::sending).filter(is_other);
            let others: HashSet<_> = others.map(|(_, other)| other).collect();
            let length: usize = others.iter().map(|other| other.length).sum();
            let oldest = |slot: &Slot| {
                slot.sending()
                    .filter(is_other)
                    .map(|(since, _)| since)
                    .min()
            };
            if length + body.length <= self.limits.unsent || !self.close_first(oldest) {
                return;
            }
        }
    }

    fn count_by_client(&self, count: impl Fn(&Slot) -> usize) -> BTreeMap<IpAddr, usize> {
        let mut counts = BTreeMap::new();
        for slot in self.open.values() {
            *counts.entry(slot.client).or_default() += count(slot);
        }
        counts
    }

    fn request(&mut self, guard: &RequestGuard) -> Option<&mut Request> {
        let slot = self.open.get_mut(&guard.connection.id)?;
        slot.requests.get_mut(&guard.id)
    }

    fn enter(&mut self, guard: &RequestGuard, phase: Phase) {
        if let Some(request) = self.request(guard) {
            *request = Request::new(phase);
        }
    }
}

/// One open connection. It leaves the table when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    table: Arc<ConnectionTable>,
    id: u64,
    close: CancellationToken,
}

impl ConnectionActivity {
    /// Cancelled when the connection has to close.
    pub(super) fn close(&self) -> &CancellationToken {
        &self.close
    }

    /// Records a complete head.
    pub(super) fn request(self: &Arc<Self>) -> RequestGuard {
        let (mut slots, connection) = (self.table.lock(), Arc::clone(self));
        let id = slots.new_id();
        // One that has been closed may still read a head.
        if let Some(slot) = slots.open.get_mut(&self.id) {
            slot.requests.insert(id, Request::new(Phase::Checking));
        }
        RequestGuard { connection, id }
    }
}

impl Drop for ConnectionActivity {
    fn drop(&mut self) {
        self.table.lock().open.remove(&self.id);
    }
}

/// A request and its response.
#[derive(Debug)]
pub(super) struct RequestGuard {
    connection: Arc<ConnectionActivity>,
    id: u64,
}

impl RequestGuard {
    /// Takes a permit, if need be of another connection. Returns false if there is none.
    pub(super) fn admit(&self) -> bool {
        let mut slots = self.connection.table.lock();
        let Some(slot) = slots.open.get(&self.connection.id) else {
            return false;
        };
        let client = slot.client;
        let permits = slots.open.values().flat_map(Slot::permits).count();
        let is_admitted = permits < slots.limits.requests() || slots.replace_permit(client);
        if is_admitted {
            slots.enter(self, Phase::Admitted);
        }
        is_admitted
    }

    /// Frees the permit, since the response is known: the client's time to take it begins. Other
    /// connections are closed if there are too many bytes that nobody takes.
    pub(super) fn respond(&self, body: &Bytes) {
        let body = Body::of(body);
        let mut slots = self.connection.table.lock();
        slots.make_room(body);
        slots.enter(self, Phase::Sending(body));
    }

    /// Records that the client takes its response.
    pub(super) fn progress(&self) {
        let mut slots = self.connection.table.lock();
        if !slots.is_draining
            && let Some(request) = slots.request(self)
        {
            request.since = Instant::now();
        }
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut slots = self.connection.table.lock();
        if let Some(slot) = slots.open.get_mut(&self.connection.id) {
            slot.requests.remove(&self.id);
            slot.rest = (Rest::Idle, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
