//! A connection's socket, which ends the connection when its time is over or its client has gone.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::pulse::Pulse;
use crate::web::door::Stream;

/// The read buffer of a connection, and with it the largest head, in bytes.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// What is read at a time before hyper has the connection.
const FIRST_READ: usize = 4096;

/// How often it is looked whether a client is still there that waits for its answer.
const LOOK: Duration = Duration::from_secs(1);

/// A stream that fails with [`io::ErrorKind::TimedOut`] once its connection's deadline is over, and
/// with what the system says once its client has reset it, though nobody reads or writes.
pub(super) struct Watched {
    stream: Stream<TcpStream>,
    pulse: Arc<Pulse>,
    /// What was read ahead.
    ahead: BytesMut,
    timer: Pin<Box<Sleep>>,
}

impl Watched {
    pub(super) fn new(stream: Stream<TcpStream>, pulse: Arc<Pulse>) -> Self {
        let timer = Box::pin(sleep_until(pulse.deadline().unwrap_or_else(Instant::now)));
        Self {
            stream,
            pulse,
            ahead: BytesMut::new(),
            timer,
        }
    }

    /// Reads ahead until the first head is complete or too long. Until then a connection costs next
    /// to nothing: hyper would give it a buffer of 8 KiB for its first byte.
    pub(super) async fn first_head(&mut self) -> io::Result<()> {
        let mut ahead = BytesMut::new();
        while ahead.len() < MAX_HEAD {
            let seen = ahead.len();
            poll_fn(|context| self.poll_more(context, &mut ahead)).await?;
            // The end of a head may have begun in the bytes before.
            if has_end(&ahead[seen.saturating_sub(3)..]) {
                break;
            }
        }
        self.ahead = ahead;
        Ok(())
    }

    fn poll_more(
        &mut self,
        context: &mut Context<'_>,
        ahead: &mut BytesMut,
    ) -> Poll<io::Result<()>> {
        // On the stack, so that the connection keeps no more than what came.
        let mut space = [0; FIRST_READ];
        let mut chunk = ReadBuf::new(&mut space);
        ready!(Pin::new(self).poll_read(context, &mut chunk))?;
        if chunk.filled().is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        ahead.extend_from_slice(chunk.filled());
        Poll::Ready(Ok(()))
    }

    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let Some(deadline) = self.pulse.deadline() else {
            return Poll::Pending;
        };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer
            .as_mut()
            .poll(context)
            .map(|()| io::ErrorKind::TimedOut.into())
    }

    /// Looks now and then whether the client has reset a connection on which an answer is thought
    /// out: hyper does not read meanwhile, so that a client which has only closed its half is
    /// answered, and so does not notice.
    fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.pulse.deadline().is_none() {
            if let Some(error) = self.stream.get_ref().take_error().unwrap_or_else(Some) {
                return Poll::Ready(error);
            }
            self.timer.as_mut().reset(Instant::now() + LOOK);
            ready!(self.timer.as_mut().poll(context));
        }
        Poll::Pending
    }

    /// What is pending fails once the deadline is over.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Pending => self.poll_deadline(context).map(Err),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

/// Whether a head ends in `bytes`; lone line feeds are taken, as hyper takes them.
fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.has_remaining() {
            let taken = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(&this.ahead.split_to(taken));
            if this.ahead.is_empty() {
                this.ahead = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.pulse.received();
        }
        // Not only where nothing comes: a client that sends a byte at a time always has something
        // ready.
        if let Poll::Ready(error) = this.poll_deadline(context) {
            return Poll::Ready(Err(error));
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(context, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(context);
        if matches!(polled, Poll::Ready(Ok(()))) {
            this.pulse.flushed();
            if let Poll::Ready(error) = this.poll_reset(context) {
                return Poll::Ready(Err(error));
            }
        }
        this.watch(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_shutdown(context);
        this.watch(context, polled)
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
