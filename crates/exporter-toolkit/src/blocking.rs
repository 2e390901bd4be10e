//! Work that blocks, on a thread where it may.

use tokio::task::spawn_blocking;

/// The error of work that panicked.
///
/// It leaves out the text of the panic, which may quote a secret and is on standard error already;
/// tokio's own error quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the exporter made a mistake of its own over it; please report this with what it wrote to \
     standard error"
)]
pub struct BlockingPanic;

/// Runs `work` on a thread where it may block. Dropping the future does not end it.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BlockingPanic> {
    // Nobody cancels it, so the error is a panic.
    spawn_blocking(work).await.map_err(|_| BlockingPanic)
}
