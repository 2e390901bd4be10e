//! The body of a response, and what is held until it has been sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connections::RequestGuard;
use crate::web::limits::RequestPermit;

/// The bytes that hyper takes at a time. It would take a page as one piece and call that sent.
const PIECE: usize = 64 << 10;

/// A whole body, sent piece by piece.
#[derive(Debug)]
pub(super) struct GuardedBody {
    rest: Bytes,
    _permit: Option<RequestPermit>,
    _guard: RequestGuard,
}

impl GuardedBody {
    pub(super) fn new(whole: Bytes, permit: Option<RequestPermit>, guard: RequestGuard) -> Self {
        Self {
            rest: whole,
            _permit: permit,
            _guard: guard,
        }
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = &mut self.get_mut().rest;
        if rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
