//! Bodies that are sent completely, truncated, oversized or byte by byte.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The body of a response.
#[derive(Debug)]
pub(crate) struct OutgoingBody {
    remaining: Remaining,
    /// Pause before the next chunk.
    pause: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum Remaining {
    Complete(Option<Bytes>),
    Truncated(Option<Bytes>),
    Spaces(u64),
    Drip(Bytes, Duration),
}

/// Pause in which the beginning of a truncated body is sent, before the connection breaks.
const TRUNCATION_DELAY: Duration = Duration::from_millis(10);

/// One chunk of an oversized body. Spaces, so that a JSON parser goes on reading.
static SPACES: [u8; 4096] = [b' '; 4096];

impl OutgoingBody {
    /// All of `body`.
    pub(crate) fn complete(body: Bytes) -> Self {
        Self {
            remaining: Remaining::Complete((!body.is_empty()).then_some(body)),
            pause: None,
        }
    }

    /// `beginning`, then a broken connection.
    pub(crate) fn truncated(beginning: Bytes) -> Self {
        Self {
            remaining: Remaining::Truncated(Some(beginning)),
            pause: None,
        }
    }

    /// `length` spaces.
    pub(crate) fn spaces(length: u64) -> Self {
        Self {
            remaining: Remaining::Spaces(length),
            pause: None,
        }
    }

    /// `body`, one byte in each `interval`.
    pub(crate) fn drip(body: Bytes, interval: Duration) -> Self {
        Self {
            remaining: Remaining::Drip(body, interval),
            pause: None,
        }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let (chunk, delay) = match &mut self.remaining {
            Remaining::Complete(body) => (body.take(), None),
            Remaining::Truncated(beginning) => match beginning.take() {
                Some(beginning) => (Some(beginning), Some(TRUNCATION_DELAY)),
                None => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            },
            Remaining::Spaces(left) => {
                let size = SPACES
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= size as u64;
                (
                    (size > 0).then(|| Bytes::from_static(&SPACES[..size])),
                    None,
                )
            }
            Remaining::Drip(body, interval) => (
                (!body.is_empty()).then(|| body.split_to(1)),
                Some(*interval),
            ),
        };
        self.pause = delay.map(|delay| Box::pin(sleep(delay)));
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.remaining, Remaining::Complete(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.remaining {
            Remaining::Complete(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Remaining::Drip(body, _) => SizeHint::with_exact(body.len() as u64),
            Remaining::Truncated(_) | Remaining::Spaces(_) => SizeHint::default(),
        }
    }
}
