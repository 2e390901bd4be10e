//! The open connections: their time-outs, and which of them is closed when there are too many.
//!
//! hyper has no time-out for a response that the client does not take, and its header time-out also
//! counts the rest between two requests. A new connection never waits behind slow ones: at the cap,
//! the oldest of the first [`EvictionClass`] is closed for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use super::limits::Timeouts;

/// The time that every client has to take a response before another may have its place.
const MIN_SENDING: Duration = Duration::from_secs(5);

/// The states in which a connection may be closed, in the order in which the cap closes them. One
/// whose request is being handled is in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EvictionClass {
    /// A request's head is not complete.
    Reading,
    /// There is no request.
    Idle,
    /// The client has not taken all of a response.
    Sending,
}

/// The connections of a server.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    cap: usize,
    slots: Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    timeouts: Timeouts,
    next: u64,
    open: HashMap<u64, Slot>,
}

#[derive(Debug)]
struct Slot {
    close: CancellationToken,
    /// The class while there is no request, and its beginning.
    rest: (EvictionClass, Instant),
    /// Requests without a response yet.
    handled: usize,
    /// Responses that hyper has not taken whole.
    responses: usize,
    /// The time since which there has been a response that is not on the wire.
    sending: Option<Instant>,
}

impl ConnectionTable {
    pub(super) fn new(cap: usize, timeouts: Timeouts) -> Arc<Self> {
        let slots = Mutex::new(Slots {
            timeouts,
            next: 0,
            open: HashMap::new(),
        });
        Arc::new(Self { cap, slots })
    }

    /// Adds a connection, if need be in place of another; None if none can be closed.
    pub(super) fn open(self: &Arc<Self>) -> Option<Arc<ConnectionActivity>> {
        let mut slots = self.lock();
        if slots.open.len() >= self.cap && !slots.evict() {
            return None;
        }
        let (id, close) = (slots.next, CancellationToken::new());
        slots.next += 1;
        slots.open.insert(id, Slot::new(close.clone()));
        drop(slots);
        let table = Arc::clone(self);
        Some(Arc::new(ConnectionActivity { table, id, close }))
    }

    /// Closes one connection, as if a new one had come.
    pub(super) fn evict(&self) {
        self.lock().evict();
    }

    /// Leaves connections without a request no more than `grace`. A client of HTTP/2 is asked
    /// whether one is on its way, and one that has gone never says.
    pub(super) fn drain(&self, grace: Duration) {
        let mut slots = self.lock();
        slots.timeouts.head = grace;
        slots.timeouts.idle = grace;
        for slot in slots.open.values_mut() {
            slot.rest.1 = Instant::now();
        }
    }

    /// The numbers of open connections and of their requests.
    pub(super) fn counts(&self) -> (usize, usize) {
        let slots = self.lock();
        let requests = |slot: &Slot| slot.handled + slot.responses;
        (slots.open.len(), slots.open.values().map(requests).sum())
    }

    /// Closes connections whose time is over, until the future is dropped.
    pub(super) async fn enforce(self: Arc<Self>) {
        let Timeouts {
            head, idle, send, ..
        } = self.lock().timeouts;
        let mut interval = interval(head.min(idle).min(send) / 8);
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
    fn evict(&mut self) -> bool {
        let closable = self
            .open
            .iter()
            .filter_map(|(id, slot)| Some((slot.class()?, *id)));
        let Some(((class, since), id)) = closable.min() else {
            return false;
        };
        if class == EvictionClass::Sending && since.elapsed() < MIN_SENDING {
            return false;
        }
        self.open.remove(&id).inspect(|slot| slot.close.cancel());
        true
    }

    fn close_overdue(&mut self) {
        let timeouts = self.timeouts;
        self.open.retain(|_, slot| {
            let is_overdue = slot.is_overdue(timeouts);
            if is_overdue {
                slot.close.cancel();
            }
            !is_overdue
        });
    }
}

impl Slot {
    fn new(close: CancellationToken) -> Self {
        Self {
            close,
            rest: (EvictionClass::Reading, Instant::now()),
            handled: 0,
            responses: 0,
            sending: None,
        }
    }

    /// The class, and its beginning; None while requests are handled.
    fn class(&self) -> Option<(EvictionClass, Instant)> {
        // Behind a response that is not taken, the next requests of a pipeline wait.
        match self.sending {
            Some(since) => Some((EvictionClass::Sending, since)),
            None => (self.handled == 0).then_some(self.rest),
        }
    }

    fn is_overdue(&self, timeouts: Timeouts) -> bool {
        let Some((class, since)) = self.class() else {
            return false;
        };
        let limit = match class {
            EvictionClass::Reading => timeouts.head,
            EvictionClass::Idle => timeouts.idle,
            EvictionClass::Sending => timeouts.send,
        };
        since.elapsed() >= limit
    }

    fn rest(&mut self, class: EvictionClass) {
        self.rest = (class, Instant::now());
    }
}

/// The state of one connection, which its socket and its requests keep up to date. The connection
/// leaves the table when this is dropped.
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

    /// Records the end of the handshake: the time for the first head begins.
    pub(super) fn accepted(&self) {
        self.update(|slot| slot.rest(EvictionClass::Reading));
    }

    /// Records bytes from a client of HTTP/1: on an idle connection, the beginning of a head.
    pub(super) fn received(&self) {
        self.update(|slot| {
            if matches!(slot.class(), Some((EvictionClass::Idle, _))) {
                slot.rest(EvictionClass::Reading);
            }
        });
    }

    /// Records that all that was written is on the wire. Returns whether requests are handled now.
    pub(super) fn flushed(&self) -> bool {
        let mut is_handling = false;
        self.update(|slot| {
            if slot.responses == 0 && slot.sending.take().is_some() {
                slot.rest(EvictionClass::Idle);
            }
            is_handling = slot.class().is_none();
        });
        is_handling
    }

    /// Records a complete head.
    pub(super) fn request(self: &Arc<Self>) -> RequestGuard {
        self.update(|slot| slot.handled += 1);
        RequestGuard {
            connection: Arc::clone(self),
            has_response: false,
        }
    }

    fn update(&self, change: impl FnOnce(&mut Slot)) {
        // One that has been closed may still write its last bytes.
        if let Some(slot) = self.table.lock().open.get_mut(&self.id) {
            change(slot);
        }
    }
}

impl Drop for ConnectionActivity {
    fn drop(&mut self) {
        self.table.lock().open.remove(&self.id);
    }
}

/// A request and its response. The connection is idle again once this is dropped and all has been
/// sent.
#[derive(Debug)]
pub(super) struct RequestGuard {
    connection: Arc<ConnectionActivity>,
    has_response: bool,
}

impl RequestGuard {
    /// Records that the response is known: the client's time to take it begins.
    pub(super) fn respond(&mut self) {
        self.has_response = true;
        self.connection.update(|slot| {
            slot.handled -= 1;
            slot.responses += 1;
            slot.sending.get_or_insert_with(Instant::now);
        });
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.connection.update(|slot| {
            slot.rest(EvictionClass::Idle);
            if self.has_response {
                slot.responses -= 1;
            } else {
                slot.handled -= 1;
            }
        });
    }
}

#[cfg(test)]
mod tests;
