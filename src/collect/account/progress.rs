//! How far an account's newest collection is, and who waits for what of it.

use tokio::sync::watch;

/// How far the newest collection is.
#[derive(Debug, Default)]
pub(super) struct Progress(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest collection in which nobody is left to be asked.
    asked: u64,
    /// Queries under way that a collection waits for, whichever it is.
    in_flight: usize,
    /// Those who wait for single queries rather than for all.
    watchers: usize,
}

impl Progress {
    /// The collection of this number has begun.
    pub(super) fn handle(&self, collection: u64) -> CollectionHandle {
        CollectionHandle {
            collection,
            state: self.0.subscribe(),
        }
    }

    /// Nobody is left to be asked in the collection of this number.
    pub(super) fn asked(&self, collection: u64) {
        self.0
            .send_modify(|state| state.asked = state.asked.max(collection));
    }

    /// A collection waits for one more query that is under way.
    pub(super) fn query_started(&self) {
        self.0.send_if_modified(|state| {
            state.in_flight += 1;
            false
        });
    }

    /// One query fewer is under way, which a collection waited for or did not. In a large collection it is
    /// rarely the one that somebody waits for.
    pub(super) fn query_ended(&self, awaited: bool) {
        self.0.send_if_modified(|state| {
            state.in_flight -= usize::from(awaited);
            (awaited && state.in_flight == 0) || state.watchers > 0
        });
    }

    /// Each landing from now on.
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
    /// Waits until every cluster has been asked and has answered or failed, in this collection or in one
    /// that took over.
    pub(in crate::collect) async fn finished(mut self) {
        let collection = self.collection;
        // The sender lives in the account; without it there is nobody left to wait for.
        drop(
            self.state
                .wait_for(|state| state.asked >= collection && state.in_flight == 0)
                .await,
        );
    }
}

/// Watches the ends of queries, which costs a wake each, for as long as it is there.
#[derive(Debug)]
pub(super) struct QueryEnds<'a> {
    progress: &'a Progress,
    state: watch::Receiver<State>,
}

impl QueryEnds<'_> {
    /// Waits until something has landed, or may have.
    pub(super) async fn next(&mut self) {
        self.state.changed().await.expect("the sender is borrowed");
    }
}

impl Drop for QueryEnds<'_> {
    fn drop(&mut self) {
        self.progress.0.send_modify(|state| state.watchers -= 1);
    }
}
