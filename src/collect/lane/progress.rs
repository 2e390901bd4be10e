//! How far a lane's newest round is, and who waits for what of it.

use tokio::sync::watch;

/// How far the newest round is.
#[derive(Debug, Default)]
pub(super) struct Progress(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest round in which nobody is left to be asked.
    asked: u64,
    /// Queries under way that a round waits for, whichever it is.
    in_flight: usize,
    /// Those who wait for single queries rather than for all.
    watchers: usize,
}

impl Progress {
    /// The round of this number has begun.
    pub(super) fn started(&self, round: u64) -> Started {
        Started {
            round,
            state: self.0.subscribe(),
        }
    }

    /// Nobody is left to be asked in the round of this number.
    pub(super) fn asked(&self, round: u64) {
        self.0
            .send_modify(|state| state.asked = state.asked.max(round));
    }

    /// A round waits for one more query that is under way.
    pub(super) fn take_off(&self) {
        self.0.send_if_modified(|state| {
            state.in_flight += 1;
            false
        });
    }

    /// One query fewer is under way, which a round waited for or did not. In a large round it is
    /// rarely the one that somebody waits for.
    pub(super) fn land(&self, awaited: bool) {
        self.0.send_if_modified(|state| {
            state.in_flight -= usize::from(awaited);
            (awaited && state.in_flight == 0) || state.watchers > 0
        });
    }

    /// Each landing from now on.
    pub(super) fn landings(&self) -> Landings<'_> {
        let mut state = self.0.subscribe();
        self.0.send_modify(|state| state.watchers += 1);
        state.mark_unchanged();
        Landings {
            progress: self,
            state,
        }
    }
}

/// A round that has been started in one lane.
#[derive(Debug)]
pub(in crate::collect) struct Started {
    round: u64,
    state: watch::Receiver<State>,
}

impl Started {
    /// Waits until every cluster has been asked and has answered or failed, in this round or in one
    /// that took over.
    pub(in crate::collect) async fn finished(mut self) {
        let round = self.round;
        // The sender lives in the lane; without it there is nobody left to wait for.
        drop(
            self.state
                .wait_for(|state| state.asked >= round && state.in_flight == 0)
                .await,
        );
    }
}

/// Watches the landings, which costs a wake each, for as long as it is there.
#[derive(Debug)]
pub(super) struct Landings<'a> {
    progress: &'a Progress,
    state: watch::Receiver<State>,
}

impl Landings<'_> {
    /// Waits until something has landed, or may have.
    pub(super) async fn next(&mut self) {
        self.state.changed().await.expect("the sender is borrowed");
    }
}

impl Drop for Landings<'_> {
    fn drop(&mut self) {
        self.progress.0.send_modify(|state| state.watchers -= 1);
    }
}
