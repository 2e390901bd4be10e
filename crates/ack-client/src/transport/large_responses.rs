//! The limit of large responses in memory.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The responses of more than [`MAX_RESPONSE`](super::MAX_RESPONSE) that are in memory at once.
const MAX_LARGE: usize = 2;

/// The large responses of one transport. Clones share the limit.
#[derive(Debug, Clone)]
pub(super) struct LargeResponses(Arc<Semaphore>);

impl Default for LargeResponses {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LARGE)))
    }
}

impl LargeResponses {
    /// Waits until one more response may become large.
    pub(super) async fn enter(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.0)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }
}

/// Returns `body`, which counts as a large response until it is dropped.
pub(super) fn counted(body: Bytes, permit: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(LargeBody {
        body,
        _permit: permit,
    })
}

struct LargeBody {
    body: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for LargeBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
