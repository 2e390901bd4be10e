//! The socket of a connection, which records what goes over it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Interval, interval};
use tokio_util::either::Either;

use super::connections::ConnectionActivity;
use crate::web::guard::{Accepted, Protocol};

/// The read buffer of a connection, and with it the largest head, in bytes.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// The room for the first head, in bytes; enough for one of Prometheus.
const USUAL_HEAD: usize = 512;

/// The time after which the reset of a connection whose request is being handled is noticed.
const RESET_INTERVAL: Duration = Duration::from_secs(1);

/// A stream that records reads and flushes. It fails once its client has reset it, even while
/// nobody reads or writes.
pub(super) struct TrackedStream {
    accepted: Accepted<TcpStream>,
    activity: Arc<ConnectionActivity>,
    /// The rest of the first head, which was read ahead.
    head: Bytes,
    reset: Interval,
}

impl TrackedStream {
    /// Reads until the first head is complete or too long. Until then a connection costs next to
    /// nothing: hyper would give it a buffer of 8 KiB for its first byte.
    pub(super) async fn read_head(
        mut accepted: Accepted<TcpStream>,
        activity: Arc<ConnectionActivity>,
    ) -> io::Result<Self> {
        let mut head = BytesMut::with_capacity(USUAL_HEAD);
        let mut seen: usize = 0;
        // The end of a head may have begun in the bytes before.
        while head.len() < MAX_HEAD && !has_end(&head[seen.saturating_sub(3)..]) {
            seen = head.len();
            if accepted.stream.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Self {
            accepted,
            activity,
            head: head.freeze(),
            reset: interval(RESET_INTERVAL),
        })
    }

    /// Looks for a reset. While a request is handled hyper does not read, so that a client which
    /// has only closed its half gets its response; and so it does not notice one.
    fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let socket = match &self.accepted.stream {
            Either::Left(socket) => socket,
            Either::Right(tls) => tls.get_ref().0,
        };
        if let Some(error) = socket.take_error().unwrap_or_else(Some) {
            return Poll::Ready(error);
        }
        // To look again after the next tick.
        while self.reset.poll_tick(context).is_ready() {}
        Poll::Pending
    }
}

/// Returns whether a head ends in `bytes`; lone line feeds count, as they do for hyper.
fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

impl AsyncRead for TrackedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let length = self.head.len().min(buffer.remaining());
            buffer.put_slice(&self.head.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.accepted.stream).poll_read(context, buffer))?;
        // HTTP/2 has frames besides those of requests.
        if buffer.filled().len() > before && self.accepted.protocol == Protocol::Http1 {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TrackedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.accepted.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.accepted.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.accepted.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.accepted.stream).poll_flush(context))?;
        if self.activity.flushed()
            && let Poll::Ready(error) = self.poll_reset(context)
        {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.accepted.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_an_empty_line() {
        for (bytes, expected) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], true),
            (b"GET / HTTP/1.1\n\n", true),
            (b"GET / HTTP/1.1\r\n", false),
            (b"GET / HTTP/1.1\r\n\r", false),
            (b"\n\r\n", true),
            (b"", false),
        ] {
            assert_eq!(has_end(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
