//! Large pages, written apart from the connections.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::apart::{Panicked, apart};

/// Clusters from which on a page takes so long, tens of milliseconds, that other connections would
/// notice.
const LARGE: usize = 500;

/// Writes large pages, as many at once as there are processors. One that is being written is not
/// stopped when its client goes, and is megabytes long: without this limit, clients that ask and go
/// would have any number of them written.
#[derive(Debug, Clone)]
pub struct Writers(Arc<Semaphore>);

impl Default for Writers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(
            available_parallelism().map_or(1, NonZeroUsize::get),
        )))
    }
}

impl Writers {
    /// What `write` writes about so many `clusters`: at once if they are few, on a thread of its
    /// own if they are many. It fails if `write` panics. Dropping the future gives up what has not
    /// been begun.
    pub async fn write<T: Send + 'static>(
        &self,
        clusters: usize,
        write: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        if clusters <= LARGE {
            return Ok(write());
        }
        let place = Arc::clone(&self.0)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        apart(move || {
            let written = write();
            drop(place);
            written
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
    async fn those_who_ask_and_go_have_no_more_pages_written_than_there_are_processors() {
        let (writers, written) = (Writers::default(), Arc::new(AtomicUsize::new(0)));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        let asked = (0..1000).map(|_| {
            let (gate, written) = (Arc::clone(&gate), Arc::clone(&written));
            writers.write(LARGE + 1, move || {
                written.fetch_add(1, Ordering::Relaxed);
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
            writers
                .write(LARGE + 1, || "a page")
                .await
                .expect("written"),
            "a page"
        );
        let processors = available_parallelism().expect("some").get();
        assert!(
            (1..=processors).contains(&written.load(Ordering::Relaxed)),
            "{written:?}"
        );
    }

    #[tokio::test]
    async fn a_page_that_panics_is_an_error_and_its_place_is_free_again() {
        let writers = Writers::default();
        for _ in 0..=available_parallelism().expect("some").get() {
            assert!(writers.write(LARGE + 1, || panic!("a bug")).await.is_err());
        }
        assert_eq!(
            writers.write(LARGE, || 1).await.expect("written at once"),
            1
        );
    }
}
