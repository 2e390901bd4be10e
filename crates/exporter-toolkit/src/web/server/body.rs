//! The body of a response, sent piece by piece.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connections::RequestGuard;

/// The bytes that hyper takes at a time. It would take a page as one piece and call that sent.
const PIECE: usize = 16 << 10;

/// A whole body, and its request, which ends once hyper has the last piece.
#[derive(Debug)]
pub(super) struct GuardedBody {
    rest: Bytes,
    guard: RequestGuard,
}

impl GuardedBody {
    pub(super) fn new(whole: Bytes, guard: RequestGuard) -> Self {
        Self { rest: whole, guard }
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { rest, guard } = self.get_mut();
        if rest.is_empty() {
            return Poll::Ready(None);
        }
        guard.progress();
        // A copy, since the last piece may wait for the client and would keep the whole page.
        let piece = Bytes::copy_from_slice(&rest.split_to(rest.len().min(PIECE)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
