//! Who is connected, and who has to go when there are too many.
//!
//! A new connection never waits behind slow ones: at the cap, the one that has been without a
//! complete head the longest is dropped for it; if all have sent theirs, the one that has been idle
//! the longest; if there is none, the one that has had an answer before it the longest and does not
//! take it. One whose answer is thought out or has just been sent is never dropped; where all are
//! like that, the new one is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a client may take an answer before another may have its place.
const TAKING: Duration = Duration::from_secs(5);

/// All connections of a server.
#[derive(Debug)]
pub(super) struct Crowd {
    cap: usize,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    open: HashMap<u64, Arc<Notify>>,
    /// Those that could be dropped, the first one first.
    dispensable: BTreeSet<(Dispensable, u64)>,
}

/// A connection that need not wait for us; what orders first is dropped first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dispensable {
    /// It has owed a head since.
    Owing(Instant),
    /// It has been idle since.
    Idle(Instant),
    /// It has been sent an answer since, and has not taken all of it. Dispensable after [`TAKING`].
    Sending(Instant),
}

/// A connection's place in the crowd; free again when dropped.
#[derive(Debug)]
pub(super) struct Member {
    crowd: Arc<Crowd>,
    number: u64,
    dropped: Arc<Notify>,
}

impl Crowd {
    /// A crowd of at most `cap` connections.
    pub(super) fn new(cap: usize) -> Arc<Self> {
        Arc::new(Self {
            cap,
            members: Mutex::default(),
        })
    }

    /// Takes a new connection in, if need be for another; None if none can go.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Member> {
        let mut members = self.lock();
        if members.open.len() >= self.cap && !members.drop_one() {
            return None;
        }
        let number = members.next;
        members.next += 1;
        let dropped = Arc::new(Notify::new());
        members.open.insert(number, Arc::clone(&dropped));
        drop(members);
        Some(Member {
            crowd: Arc::clone(self),
            number,
            dropped,
        })
    }

    /// Drops one, as if a new connection had come.
    pub(super) fn make_room(&self) {
        self.lock().drop_one();
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn drop_one(&mut self) -> bool {
        let Some(&first @ (state, number)) = self.dispensable.first() else {
            return false;
        };
        if matches!(state, Dispensable::Sending(since) if since.elapsed() < TAKING) {
            return false;
        }
        self.dispensable.remove(&first);
        if let Some(dropped) = self.open.remove(&number) {
            dropped.notify_one();
        }
        true
    }
}

impl Member {
    /// Tells the crowd that the connection went from one state to another; None has its answer
    /// thought out.
    pub(super) fn turn(&self, from: Option<Dispensable>, to: Option<Dispensable>) {
        let mut members = self.crowd.lock();
        if let Some(from) = from {
            members.dispensable.remove(&(from, self.number));
        }
        // One that has been dropped already is no longer known.
        if let Some(to) = to.filter(|_| members.open.contains_key(&self.number)) {
            members.dispensable.insert((to, self.number));
        }
    }

    /// Waits until the connection has to go.
    pub(super) fn dropped(&self) -> impl Future<Output = ()> + Send + 'static {
        let dropped = Arc::clone(&self.dropped);
        async move { dropped.notified().await }
    }

    /// Takes the connection out; `from` is its last state.
    pub(super) fn leave(&self, from: Option<Dispensable>) {
        self.turn(from, None);
        self.crowd.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_dropped(member: &Member) -> bool {
        tokio::time::timeout(Duration::from_millis(1), member.dropped())
            .await
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_head_goes_first_and_those_that_are_answered_never() {
        let crowd = Crowd::new(3);
        let [answered, idle, owing] = [(); 3].map(|()| crowd.enter().expect("room"));
        let now = Instant::now();
        idle.turn(None, Some(Dispensable::Idle(now)));
        owing.turn(None, Some(Dispensable::Owing(now + Duration::from_secs(1))));
        let first = crowd.enter().expect("room for one that owes its head");
        assert!(is_dropped(&owing).await && !is_dropped(&idle).await);
        let second = crowd.enter().expect("room for one that is idle");
        assert!(is_dropped(&idle).await);
        assert!(
            crowd.enter().is_none(),
            "nobody is dropped who is being answered"
        );
        assert!(
            !is_dropped(&answered).await && !is_dropped(&first).await && !is_dropped(&second).await
        );
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_do_not_take_their_answer_go_last_and_not_at_once() {
        let crowd = Crowd::new(2);
        let [taking, idle] = [(); 2].map(|()| crowd.enter().expect("room"));
        taking.turn(None, Some(Dispensable::Sending(Instant::now())));
        tokio::time::advance(Duration::from_secs(10)).await;
        idle.turn(None, Some(Dispensable::Idle(Instant::now())));
        let new = crowd.enter().expect("room for one that is idle");
        assert!(is_dropped(&idle).await && !is_dropped(&taking).await);
        new.turn(None, Some(Dispensable::Sending(Instant::now())));
        let _newer = crowd.enter().expect("room for one that does not read");
        assert!(is_dropped(&taking).await);
        assert!(crowd.enter().is_none(), "five seconds are for everybody");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(crowd.enter().is_some());
        assert!(is_dropped(&new).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_leaves_makes_room_and_one_who_was_dropped_does_not_count_twice() {
        let crowd = Crowd::new(1);
        let first = crowd.enter().expect("room");
        let state = Some(Dispensable::Owing(Instant::now()));
        first.turn(None, state);
        let second = crowd.enter().expect("the first goes");
        first.turn(state, state);
        first.leave(state);
        assert!(crowd.enter().is_none());
        second.leave(None);
        assert!(crowd.enter().is_some());
    }
}
