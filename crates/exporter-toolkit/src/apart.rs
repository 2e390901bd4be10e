//! Work that would hold up the async threads, done apart from them.

use tokio::task::spawn_blocking;

/// The work ended in a panic, which has said where. What it said besides stays there: it may quote
/// a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the exporter made a mistake of its own over it; please report this with what it wrote to standard error"
)]
pub struct Panicked;

/// Does `work` on a thread where it may block. Dropping the future does not end it.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    // Nobody cancels it, so it is a panic.
    spawn_blocking(work).await.map_err(|_| Panicked)
}
