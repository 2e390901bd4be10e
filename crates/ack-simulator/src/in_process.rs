//! A transport without a socket.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{ResponseFuture, Transport, TransportError};
use bytes::Bytes;
use http::Request;

use crate::Simulator;
use crate::response::{Delivery, Response};

/// A transport for `ack-client` that calls a [`Simulator`] directly.
///
/// Faults of the connection become the errors that they cause over a socket. Time is tokio's, so
/// tests can pause it.
#[derive(Debug, Clone)]
pub struct InProcess(pub Arc<Simulator>);

impl Transport for InProcess {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        Box::pin(async move { receive(self.0.handle(request).await).await })
    }
}

async fn receive(response: Response) -> Result<http::Response<Bytes>, TransportError> {
    match response.delivery {
        Delivery::Complete => Ok(response.into_http()),
        Delivery::Hang => std::future::pending().await,
        Delivery::Reset => Err(TransportError::Broken(
            "the connection broke: connection reset by peer".to_owned(),
        )),
        Delivery::Truncated => Err(TransportError::Broken(
            "the connection broke: end of file before message length reached".to_owned(),
        )),
        Delivery::Huge(_) => Err(TransportError::TooLarge),
        Delivery::Drip(interval) => {
            let bytes = u32::try_from(response.body.len()).unwrap_or(u32::MAX);
            tokio::time::sleep(interval.checked_mul(bytes).unwrap_or(Duration::MAX)).await;
            Ok(response.into_http())
        }
    }
}
