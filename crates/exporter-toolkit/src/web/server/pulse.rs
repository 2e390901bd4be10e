//! What a connection is doing, and how long it may go on doing it.
//!
//! A head has to be complete in time, from the connection's first moment or from the head's own
//! first byte; between requests a connection may rest for minutes, as those of Prometheus do; while
//! a request is worked on, time is ours; and an answer has to be taken in time, so that a client
//! that stops reading does not keep what it has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::crowd::{Crowd, Dispensable, Member};
use super::limits::Patience;
use crate::web::door::Protocol;

/// The state of one connection, shared by its socket and its answers.
#[derive(Debug)]
pub(super) struct Pulse {
    patience: Patience,
    member: Member,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    protocol: Protocol,
    /// What it does when there are no answers.
    rest: Dispensable,
    answers: Vec<Answer>,
    next: u64,
}

#[derive(Debug)]
struct Answer {
    number: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is being found out.
    Thinking,
    /// It has been on its way since.
    Sending(Instant),
    /// All of it is in the hands of the socket, which has not yet sent it. On its way since.
    Flushing(Instant),
}

/// A request that is being answered; the connection rests again once this is dropped and all has
/// been sent.
#[derive(Debug)]
pub(super) struct Answering {
    pulse: Arc<Pulse>,
    number: u64,
}

impl Pulse {
    /// A connection that has just come in; None if there is no room for it.
    pub(super) fn start(crowd: &Arc<Crowd>, patience: Patience) -> Option<Arc<Self>> {
        let member = crowd.enter()?;
        let rest = Dispensable::Owing(Instant::now());
        member.turn(None, Some(rest));
        let state = State {
            protocol: Protocol::Http1,
            rest,
            answers: Vec::new(),
            next: 0,
        };
        Some(Arc::new(Self {
            patience,
            member,
            state: Mutex::new(state),
        }))
    }

    /// Waits until the connection has to make room for another.
    pub(super) fn dropped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.member.dropped()
    }

    /// The client is through the door: its time for the first head begins.
    pub(super) fn greeted(&self, protocol: Protocol) {
        self.change(|state| {
            state.protocol = protocol;
            state.rest = Dispensable::Owing(Instant::now());
        });
    }

    /// Bytes came. On a connection at rest they are the beginning of a head; HTTP/2 has other
    /// things to say, too.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        if state.protocol == Protocol::Http1
            && state.answers.is_empty()
            && matches!(state.rest, Dispensable::Idle(_))
        {
            self.apply(&mut state, |state| {
                state.rest = Dispensable::Owing(Instant::now());
            });
        }
    }

    /// All that was written is on the wire.
    pub(super) fn flushed(&self) {
        let mut state = self.lock();
        if state
            .answers
            .iter()
            .any(|answer| matches!(answer.stage, Stage::Flushing(_)))
        {
            self.apply(&mut state, |state| {
                state
                    .answers
                    .retain(|answer| !matches!(answer.stage, Stage::Flushing(_)));
                state.rest = Dispensable::Idle(Instant::now());
            });
        }
    }

    /// A head is complete.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        let mut state = self.lock();
        let number = state.next;
        self.apply(&mut state, |state| {
            state.next += 1;
            state.answers.push(Answer {
                number,
                stage: Stage::Thinking,
            });
        });
        Answering {
            pulse: Arc::clone(self),
            number,
        }
    }

    /// When the connection has to end if nothing changes until then.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(match self.lock().dispensable()? {
            Dispensable::Owing(since) => since + self.patience.head,
            Dispensable::Idle(since) => since + self.patience.idle,
            Dispensable::Sending(since) => since + self.patience.send,
        })
    }

    /// Whether there has been nothing to answer for `time`.
    pub(super) fn has_rested(&self, time: Duration) -> bool {
        match self.lock().dispensable() {
            Some(Dispensable::Owing(since) | Dispensable::Idle(since)) => since.elapsed() >= time,
            Some(Dispensable::Sending(_)) | None => false,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.apply(&mut self.lock(), change);
    }

    fn apply(&self, state: &mut State, change: impl FnOnce(&mut State)) {
        let before = state.dispensable();
        change(state);
        let after = state.dispensable();
        if before != after {
            self.member.turn(before, after);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn dispensable(&self) -> Option<Dispensable> {
        if self.answers.is_empty() {
            return Some(self.rest);
        }
        // Behind an answer that is not taken, the next ones of a row wait to be thought out.
        let sending = self.answers.iter().filter_map(|answer| match answer.stage {
            Stage::Thinking => None,
            Stage::Sending(since) | Stage::Flushing(since) => Some(since),
        });
        sending.min().map(Dispensable::Sending)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        let state = self.lock().dispensable();
        self.member.leave(state);
    }
}

impl Answering {
    /// The answer is known and on its way.
    pub(super) fn sending(&self) {
        self.pulse.change(|state| {
            if let Some(answer) = state
                .answers
                .iter_mut()
                .find(|answer| answer.number == self.number)
            {
                answer.stage = Stage::Sending(Instant::now());
            }
        });
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.pulse.change(|state| {
            if state.protocol == Protocol::Http2 {
                // Answers are sent side by side, and a flush is of all of them.
                state.answers.retain(|answer| answer.number != self.number);
                state.rest = Dispensable::Idle(Instant::now());
                return;
            }
            let found = state
                .answers
                .iter_mut()
                .find(|answer| answer.number == self.number);
            let Some(answer) = found else { return };
            answer.stage = match answer.stage {
                Stage::Sending(since) | Stage::Flushing(since) => Stage::Flushing(since),
                Stage::Thinking => Stage::Flushing(Instant::now()),
            };
        });
    }
}
