//! The open connections: their time-outs, and which of them is closed for others.
//!
//! hyper has no time-out for a response that the client does not take. A new connection never waits
//! behind others: at the cap, the first of the order of [`Class`] is closed for it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use super::limits::{Limits, Timeouts};

/// The states in which a connection may be closed for another, first to last. Within one, it is a
/// connection of the client that has the most, and of those the one without progress for longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// There was no request yet.
    New,
    /// There is no request.
    Idle,
    /// A password is checked, or the client has not taken a response.
    Waiting,
}

/// The connections of a server.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    limits: Limits,
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    timeouts: Timeouts,
    is_draining: bool,
    next: u64,
    open: HashMap<u64, Slot>,
}

#[derive(Debug)]
struct Slot {
    client: IpAddr,
    close: CancellationToken,
    class_without_requests: Class,
    /// The beginning, or the end of the last request.
    since: Instant,
    requests: HashMap<u64, Request>,
}

#[derive(Debug)]
struct Request {
    phase: Phase,
    /// The beginning of the phase, or the last piece of the response that was taken.
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Checking,
    /// It has a permit, and so its connection is not closed for another.
    Admitted,
    Sending(Body),
}

/// The memory of a body. Responses that share it have the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    address: usize,
    length: usize,
}

impl ConnectionTable {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        let slots = Mutex::new(Slots {
            timeouts: limits.timeouts,
            is_draining: false,
            next: 0,
            open: HashMap::new(),
        });
        Arc::new(Self { limits, slots })
    }

    /// Adds a connection, if need be in place of another; None if none can be closed.
    pub(super) fn open(self: &Arc<Self>, client: IpAddr) -> Option<Arc<ConnectionActivity>> {
        let mut slots = self.lock();
        if slots.open.len() >= self.limits.connections && !slots.evict() {
            return None;
        }
        let (id, slot) = (slots.new_id(), Slot::new(client));
        let close = slot.close.clone();
        slots.open.insert(id, slot);
        drop(slots);
        let table = Arc::clone(self);
        Some(Arc::new(ConnectionActivity { table, id, close }))
    }

    /// Closes one connection, as if a new one had come.
    pub(super) fn evict(&self) {
        self.lock().evict();
    }

    /// Applies the time-outs of a server that stops. From now on, a client that takes its response
    /// piece by piece gets no more time for each.
    pub(super) fn drain(&self) {
        let (mut slots, now) = (self.lock(), Instant::now());
        slots.timeouts = slots.timeouts.draining();
        slots.is_draining = true;
        for slot in slots.open.values_mut() {
            slot.since = now;
            for request in slot.requests.values_mut() {
                request.since = now;
            }
        }
    }

    /// The numbers of open connections and of their requests.
    pub(super) fn counts(&self) -> (usize, usize) {
        let slots = self.lock();
        let requests = slots.open.values().map(|slot| slot.requests.len());
        (slots.open.len(), requests.sum())
    }

    /// Closes connections whose time is over, until the future is dropped.
    pub(super) async fn enforce(self: Arc<Self>) {
        let mut interval = interval(self.limits.timeouts.shortest() / 8);
        loop {
            interval.tick().await;
            self.lock().close_overdue();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn new_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn evict(&mut self) -> bool {
        let mut of_client = HashMap::new();
        for slot in self.open.values() {
            *of_client.entry(slot.client).or_insert(0) += 1;
        }
        let order = |(id, slot): (&u64, &Slot)| {
            let count: usize = of_client[&slot.client];
            Some((slot.class()?, Reverse(count), slot.since(), *id))
        };
        let Some((.., id)) = self.open.iter().filter_map(order).min() else {
            return false;
        };
        self.close(id);
        true
    }

    /// Closes the connections whose clients have taken nothing for longest, until `body` and the
    /// others that are being sent are no more than `limit` bytes, each counted once.
    fn make_room(&mut self, body: Body, limit: usize) {
        loop {
            let (mut others, mut oldest) = (HashMap::new(), None);
            for (id, slot) in &self.open {
                for (since, other) in slot.sending().filter(|(_, other)| *other != body) {
                    others.insert(other.address, other.length);
                    oldest = Some(oldest.map_or((since, *id), |known| (since, *id).min(known)));
                }
            }
            let is_enough = others.values().sum::<usize>() + body.length <= limit;
            match oldest {
                Some((_, id)) if !is_enough => self.close(id),
                _ => return,
            }
        }
    }

    fn close(&mut self, id: u64) {
        if let Some(slot) = self.open.remove(&id) {
            slot.close.cancel();
        }
    }

    fn close_overdue(&mut self) {
        let timeouts = self.timeouts;
        let overdue = self.open.extract_if(|_, slot| slot.is_overdue(timeouts));
        overdue.for_each(|(_, slot)| slot.close.cancel());
    }
}

impl Slot {
    fn new(client: IpAddr) -> Self {
        Self {
            client,
            close: CancellationToken::new(),
            class_without_requests: Class::New,
            since: Instant::now(),
            requests: HashMap::new(),
        }
    }

    /// None while a request is admitted.
    fn class(&self) -> Option<Class> {
        let mut requests = self.requests.values();
        if self.requests.is_empty() {
            Some(self.class_without_requests)
        } else {
            let is_admitted = requests.any(|request| request.phase == Phase::Admitted);
            (!is_admitted).then_some(Class::Waiting)
        }
    }

    /// The time since which there is no progress.
    fn since(&self) -> Instant {
        let of_requests = self.requests.values().map(|request| request.since);
        of_requests.min().unwrap_or(self.since)
    }

    /// The bodies that are being sent, each with the time since which nothing of it is taken.
    fn sending(&self) -> impl Iterator<Item = (Instant, Body)> {
        let requests = self.requests.values();
        requests.filter_map(|request| match request.phase {
            Phase::Sending(body) => Some((request.since, body)),
            Phase::Checking | Phase::Admitted => None,
        })
    }

    fn is_overdue(&self, timeouts: Timeouts) -> bool {
        let is_stalled = |(since, _): (Instant, Body)| since.elapsed() >= timeouts.send;
        self.sending().any(is_stalled)
            || match self.class() {
                Some(Class::New) => self.since.elapsed() >= timeouts.head,
                Some(Class::Idle) => self.since.elapsed() >= timeouts.idle,
                Some(Class::Waiting) | None => false,
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
        let mut slots = self.table.lock();
        let id = slots.new_id();
        // One that has been closed may still read a head.
        if let Some(slot) = slots.open.get_mut(&self.id) {
            let (phase, since) = (Phase::Checking, Instant::now());
            slot.requests.insert(id, Request { phase, since });
        }
        RequestGuard {
            connection: Arc::clone(self),
            id,
        }
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
    /// Records that the request has a permit.
    pub(super) fn admit(&self) {
        self.update(|request| request.phase = Phase::Admitted);
    }

    /// Records that the response is known: the client's time to take it begins. Other connections
    /// are closed if the responses that nobody takes have too many bytes.
    pub(super) fn respond(&self, body: &Bytes) {
        let body = Body {
            address: body.as_ptr().addr(),
            length: body.len(),
        };
        let table = &self.connection.table;
        table.lock().make_room(body, table.limits.unsent);
        self.update(|request| request.phase = Phase::Sending(body));
    }

    /// Records that the client takes its response.
    pub(super) fn progress(&self) {
        self.update(|_| {});
    }

    fn update(&self, change: impl FnOnce(&mut Request)) {
        let mut slots = self.connection.table.lock();
        let is_draining = slots.is_draining;
        let slot = slots.open.get_mut(&self.connection.id);
        let Some(request) = slot.and_then(|slot| slot.requests.get_mut(&self.id)) else {
            return;
        };
        let before = request.phase;
        change(request);
        if request.phase != before || !is_draining {
            request.since = Instant::now();
        }
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut slots = self.connection.table.lock();
        if let Some(slot) = slots.open.get_mut(&self.connection.id) {
            slot.requests.remove(&self.id);
            slot.class_without_requests = Class::Idle;
            slot.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests;
