//! The progress of an account's newest collection, and those who wait for it.

use tokio::sync::watch;

/// The progress of the newest collection.
#[derive(Debug, Default)]
pub(super) struct Progress(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest collection in which every query that is needed has been started.
    all_queried: u64,
    /// Queries in flight that a collection waits for, whichever it is.
    awaited: usize,
    /// Those who wait for single queries rather than for all.
    watchers: usize,
}

impl Progress {
    /// A handle on the collection of this number, which has started.
    pub(super) fn handle(&self, collection: u64) -> CollectionHandle {
        CollectionHandle {
            collection,
            state: self.0.subscribe(),
        }
    }

    /// Notes that every query that the collection of this number needs has been started.
    pub(super) fn mark_all_queried(&self, collection: u64) {
        self.0
            .send_modify(|state| state.all_queried = state.all_queried.max(collection));
    }

    /// Adds a query that a collection waits for.
    pub(super) fn add_awaited(&self) {
        self.0.send_if_modified(|state| {
            state.awaited += 1;
            false
        });
    }

    /// Notes the end of a query. `was_awaited` is set if a collection waited for it.
    pub(super) fn query_ended(&self, was_awaited: bool) {
        self.0.send_if_modified(|state| {
            state.awaited -= usize::from(was_awaited);
            // Most ends of a large collection's queries wake nobody.
            (was_awaited && state.awaited == 0) || state.watchers > 0
        });
    }

    /// The ends of queries from now on.
    pub(super) fn query_ends(&self) -> QueryEnds<'_> {
        let mut state = self.0.subscribe();
        self.0.send_modify(|state| state.watchers += 1);
        state.mark_unchanged();
        QueryEnds {
            progress: self,
            state,
        }
    }
}

/// A collection that has been started in one account.
#[derive(Debug)]
pub(in crate::collect) struct CollectionHandle {
    collection: u64,
    state: watch::Receiver<State>,
}

impl CollectionHandle {
    /// Waits until every cluster has been queried and every query has ended, in this collection or in
    /// one that took over.
    pub(in crate::collect) async fn finished(mut self) {
        let collection = self.collection;
        // An error means that the account's collector is gone, and nothing is left to wait for.
        drop(
            self.state
                .wait_for(|state| state.all_queried >= collection && state.awaited == 0)
                .await,
        );
    }
}

/// The ends of queries. Each end costs a wake while this exists.
#[derive(Debug)]
pub(super) struct QueryEnds<'a> {
    progress: &'a Progress,
    state: watch::Receiver<State>,
}

impl QueryEnds<'_> {
    /// Waits until a query has ended, or may have.
    pub(super) async fn next(&mut self) {
        self.state.changed().await.expect("the sender is borrowed");
    }
}

// Whoever watches may be dropped at any await, so this can't be a plain call.
impl Drop for QueryEnds<'_> {
    fn drop(&mut self) {
        self.progress.0.send_modify(|state| state.watchers -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_collection_is_finished_once_all_are_queried_and_none_is_awaited() {
        let progress = Progress::default();
        let mut first = Box::pin(progress.handle(1).finished());
        progress.add_awaited();
        progress.mark_all_queried(1);
        assert!(first.as_mut().now_or_never().is_none(), "one is awaited");
        progress.query_ended(false);
        assert!(first.as_mut().now_or_never().is_none(), "another has ended");
        progress.query_ended(true);
        assert!(first.now_or_never().is_some());
        assert!(progress.handle(2).finished().now_or_never().is_none());
        progress.mark_all_queried(3);
        assert!(progress.handle(2).finished().now_or_never().is_some());
    }

    #[test]
    fn each_end_wakes_those_who_watch_and_only_as_long_as_they_do() {
        let progress = Progress::default();
        progress.add_awaited();
        progress.add_awaited();
        {
            let mut ends = progress.query_ends();
            assert!(ends.next().now_or_never().is_none());
            progress.query_ended(true);
            assert!(ends.next().now_or_never().is_some());
        }
        assert_eq!(progress.0.borrow().watchers, 0);
    }
}
