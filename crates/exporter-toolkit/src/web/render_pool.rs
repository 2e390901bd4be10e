//! Large pages, rendered on threads of their own.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::blocking::{BlockingPanic, run_blocking};

/// The number of clusters above which rendering takes tens of milliseconds, which other connections
/// would notice.
const LARGE: usize = 500;

/// Renders large pages, by default as many at once as there are processors. Rendering is not
/// stopped when the client goes, and a page has megabytes: without this limit, clients that ask and
/// go would have any number of pages rendered.
#[derive(Debug, Clone)]
pub struct RenderPool(Arc<Semaphore>);

impl Default for RenderPool {
    fn default() -> Self {
        Self::new(available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

impl RenderPool {
    /// A pool that renders so many `pages` at once.
    pub fn new(pages: usize) -> Self {
        Self(Arc::new(Semaphore::new(pages)))
    }

    /// Returns the result of `render`, whose page is about so many `clusters`. It runs at once for
    /// few, and on a thread of its own for many. Fails if `render` panics. Once dropped, a future
    /// that waits for a processor renders nothing.
    pub async fn render<T: Send + 'static>(
        &self,
        clusters: usize,
        render: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BlockingPanic> {
        if clusters <= LARGE {
            return Ok(render());
        }
        let permit = Arc::clone(&self.0)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        run_blocking(move || {
            let page = render();
            drop(permit);
            page
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn clients_that_ask_and_go_have_no_more_pages_rendered_than_there_are_processors() {
        let (pool, rendered) = (RenderPool::default(), Arc::new(AtomicUsize::new(0)));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        let asked = (0..1000).map(|_| {
            let (gate, rendered) = (Arc::clone(&gate), Arc::clone(&rendered));
            pool.render(LARGE + 1, move || {
                rendered.fetch_add(1, Ordering::Relaxed);
                // Until the test ends it.
                gate.lock()
                    .expect("nobody panics with it")
                    .recv()
                    .expect_err("nothing is ever sent");
            })
        });
        assert!(
            timeout(Duration::from_millis(50), join_all(asked))
                .await
                .is_err(),
            "nothing is finished"
        );
        drop(open);
        assert_eq!(
            pool.render(LARGE + 1, || "a page").await.expect("rendered"),
            "a page"
        );
        let processors = available_parallelism().expect("some").get();
        assert!(
            (1..=processors).contains(&rendered.load(Ordering::Relaxed)),
            "{rendered:?}"
        );
    }

    #[tokio::test]
    async fn a_page_that_panics_is_an_error_and_its_permit_is_free_again() {
        let pool = RenderPool::default();
        for _ in 0..=available_parallelism().expect("some").get() {
            assert!(pool.render(LARGE + 1, || panic!("a bug")).await.is_err());
        }
        assert_eq!(pool.render(LARGE, || 1).await.expect("rendered at once"), 1);
    }
}
