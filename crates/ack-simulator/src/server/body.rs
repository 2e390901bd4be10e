//! Bodies that come whole, in part, without end, or in drops.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A reply's body on its way out.
#[derive(Debug)]
pub(crate) struct Played {
    rest: Rest,
    /// What has to pass before the next piece.
    wait: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum Rest {
    Whole(Option<Bytes>),
    Cut(Option<Bytes>),
    Endless(u64),
    Drip(Bytes, Duration),
}

/// Long enough for what was written to be sent before the connection breaks.
const BEFORE_THE_CUT: Duration = Duration::from_millis(10);

/// One piece of an endless body. Spaces, so that a reader of JSON goes on.
static FILLING: [u8; 4096] = [b' '; 4096];

impl Played {
    /// All of `body`.
    pub(crate) fn whole(body: Bytes) -> Self {
        Self {
            rest: Rest::Whole((!body.is_empty()).then_some(body)),
            wait: None,
        }
    }

    /// `beginning`, then a broken connection.
    pub(crate) fn cut(beginning: Bytes) -> Self {
        Self {
            rest: Rest::Cut(Some(beginning)),
            wait: None,
        }
    }

    /// `length` bytes of nothing.
    pub(crate) fn endless(length: u64) -> Self {
        Self {
            rest: Rest::Endless(length),
            wait: None,
        }
    }

    /// `body`, a byte each `interval`.
    pub(crate) fn drip(body: Bytes, interval: Duration) -> Self {
        Self {
            rest: Rest::Drip(body, interval),
            wait: None,
        }
    }
}

impl Body for Played {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        let (piece, pause) = match &mut self.rest {
            Rest::Whole(body) => (body.take(), None),
            Rest::Cut(beginning) => match beginning.take() {
                Some(beginning) => (Some(beginning), Some(BEFORE_THE_CUT)),
                None => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            },
            Rest::Endless(left) => {
                let size = FILLING
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= size as u64;
                (
                    (size > 0).then(|| Bytes::from_static(&FILLING[..size])),
                    None,
                )
            }
            Rest::Drip(body, interval) => (
                (!body.is_empty()).then(|| body.split_to(1)),
                Some(*interval),
            ),
        };
        self.wait = pause.map(|pause| Box::pin(sleep(pause)));
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.rest, Rest::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Rest::Drip(body, _) => SizeHint::with_exact(body.len() as u64),
            Rest::Cut(_) | Rest::Endless(_) => SizeHint::default(),
        }
    }
}
