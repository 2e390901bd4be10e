//! The stand-in without a socket.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{ResponseFuture, Transport, TransportError};
use bytes::Bytes;
use http::Request;

use super::Sim;
use super::reply::{Manner, Reply};

/// A transport that ends in a [`Sim`]. What would go wrong on the wire goes wrong in the same way;
/// time is tokio's.
#[derive(Debug, Clone)]
pub struct InProcess(pub Arc<Sim>);

impl Transport for InProcess {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        Box::pin(async move { arrive(self.0.handle(request).await).await })
    }
}

async fn arrive(reply: Reply) -> Result<http::Response<Bytes>, TransportError> {
    match reply.manner {
        Manner::Whole => Ok(reply.into_response()),
        Manner::Hang => std::future::pending().await,
        Manner::Reset => Err(TransportError::Broken(
            "the connection broke: connection reset by peer".to_owned(),
        )),
        Manner::Truncated => Err(TransportError::Broken(
            "the connection broke: end of file before message length reached".to_owned(),
        )),
        Manner::Huge(_) => Err(TransportError::TooLarge),
        Manner::Drip(interval) => {
            let bytes = u32::try_from(reply.body.len()).unwrap_or(u32::MAX);
            tokio::time::sleep(interval.checked_mul(bytes).unwrap_or(Duration::MAX)).await;
            Ok(reply.into_response())
        }
    }
}
