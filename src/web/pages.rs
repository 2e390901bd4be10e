//! Large pages: rendered on threads of their own, and shared by clients that may have the same.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use exporter_toolkit::blocking::BlockingPanic;
use exporter_toolkit::exposition::Format;
use exporter_toolkit::web::RenderPool;
use exporter_toolkit::web::negotiate::Encoding;
use tokio::sync::OnceCell;

use crate::snapshot::Snapshot;

/// Renders pages. Scrapes do not wait for the pages that people ask for.
#[derive(Debug)]
pub struct Pages {
    metrics: RenderPool,
    others: RenderPool,
    /// The shared pages that are being rendered or sent. Each is freed with its last response.
    shared: Mutex<Vec<PageEntry>>,
}

#[derive(Debug)]
struct PageEntry {
    kind: PageKind,
    snapshot: Weak<Snapshot>,
    page: Weak<SharedPage>,
}

/// The kinds of pages that are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Metrics(Format, Encoding),
    Clusters,
}

/// A function that renders a page.
#[derive(Clone)]
struct Render(Arc<dyn Fn() -> (Bytes, Encoding) + Send + Sync>);

/// A page, and its encoding, once it is rendered.
struct SharedPage {
    work: Mutex<Work>,
    written: OnceCell<(Bytes, Encoding)>,
}

/// The rendering of a page. It begins again if the client for which it has begun goes.
struct Work {
    has_begun: bool,
    /// None once the page is written, since it holds a snapshot.
    render: Option<Render>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            metrics: RenderPool::default(),
            others: RenderPool::new(1),
            shared: Mutex::default(),
        }
    }
}

impl Pages {
    /// Returns the output of `render`, a page of `clusters` that no other client may have.
    pub(super) async fn own<T: Send + 'static>(
        &self,
        clusters: usize,
        render: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BlockingPanic> {
        self.others.render(clusters, render).await
    }

    /// Returns a page of this `kind`, and its encoding: the output of `render`, the page of the
    /// same snapshot that was rendered for another client, or the page of a later one.
    pub(super) async fn shared(
        &self,
        kind: PageKind,
        snapshot: Arc<Snapshot>,
        render: impl Fn(&Snapshot) -> (Bytes, Encoding) + Send + Sync + 'static,
    ) -> Result<(Bytes, Encoding), BlockingPanic> {
        let (clusters, weak) = (snapshot.clusters.len(), Arc::downgrade(&snapshot));
        let page = self.page(kind, weak, Render(Arc::new(move || render(&snapshot))));
        let pool = match kind {
            PageKind::Metrics(..) => &self.metrics,
            PageKind::Clusters => &self.others,
        };
        let write = || {
            let page = Arc::clone(&page);
            pool.render(clusters, move || (page.begin().0)())
        };
        let (_, encoding) = *page.written.get_or_try_init(write).await?;
        page.work().render = None;
        Ok((Bytes::from_owner(Body(page)), encoding))
    }

    /// The page of the same snapshot; else one that has not begun, and is rendered from this
    /// snapshot instead; else a new one.
    fn page(&self, kind: PageKind, snapshot: Weak<Snapshot>, render: Render) -> Arc<SharedPage> {
        let mut entries = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.page.strong_count() > 0);
        for entry in entries.iter_mut().filter(|entry| entry.kind == kind) {
            let Some(page) = entry.page.upgrade() else {
                continue;
            };
            if entry.snapshot.ptr_eq(&snapshot) {
                return page;
            }
            if page.replace(&render) {
                entry.snapshot = snapshot;
                return page;
            }
        }
        let page = Arc::new(SharedPage::new(render));
        entries.push(PageEntry {
            kind,
            snapshot,
            page: Arc::downgrade(&page),
        });
        page
    }
}

impl SharedPage {
    fn new(render: Render) -> Self {
        let work = Work {
            has_begun: false,
            render: Some(render),
        };
        Self {
            work: Mutex::new(work),
            written: OnceCell::new(),
        }
    }

    /// Renders the page by `render` instead. Returns false if it is too late.
    fn replace(&self, render: &Render) -> bool {
        let mut work = self.work();
        if !work.has_begun {
            work.render = Some(render.clone());
        }
        !work.has_begun
    }

    fn begin(&self) -> Render {
        let mut work = self.work();
        work.has_begun = true;
        let render = work.render.clone();
        render.expect("it is kept until the page is written")
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPage").finish_non_exhaustive()
    }
}

/// The body of one response.
struct Body(Arc<SharedPage>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.written.get().map_or(&[], |(bytes, _)| bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use futures_util::future::join_all;

    use super::*;
    use crate::web::fixture::{cluster, down, snapshot};
    use ack_client::Reason;

    const METRICS: PageKind = PageKind::Metrics(Format::Text, Encoding::Gzip);

    fn empty() -> Arc<Snapshot> {
        Arc::new(snapshot(Vec::new()))
    }

    async fn page(pages: &Pages, snapshot: &Arc<Snapshot>, kind: PageKind) -> Bytes {
        let render = |_: &Snapshot| (Bytes::from(vec![b'x'; 100]), Encoding::Gzip);
        let page = pages.shared(kind, Arc::clone(snapshot), render).await;
        let (page, encoding) = page.expect("no panic");
        assert_eq!((page.len(), encoding), (100, Encoding::Gzip));
        page
    }

    fn address(page: &Bytes) -> usize {
        page.as_ptr().addr()
    }

    #[tokio::test]
    async fn responses_of_one_snapshot_share_their_memory() {
        let (pages, one, other) = (Pages::default(), empty(), empty());
        let first = page(&pages, &one, METRICS).await;
        assert_eq!(address(&page(&pages, &one, METRICS).await), address(&first));
        for (snapshot, kind) in [
            (&other, METRICS),
            (&one, PageKind::Clusters),
            (&one, PageKind::Metrics(Format::OpenMetrics, Encoding::Gzip)),
        ] {
            let second = page(&pages, snapshot, kind).await;
            assert_ne!(address(&second), address(&first), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_page_is_freed_with_its_last_response_and_its_snapshot_before() {
        let (pages, snapshot) = (Pages::default(), empty());
        let first = page(&pages, &snapshot, METRICS).await;
        let again = page(&pages, &snapshot, METRICS).await;
        assert_eq!(Arc::strong_count(&snapshot), 1);
        let entry = || {
            pages.shared.lock().expect("no panic")[0]
                .page
                .strong_count()
        };
        assert_eq!(entry(), 2);
        drop((first, again));
        assert_eq!(entry(), 0);
    }

    #[tokio::test]
    async fn clients_that_wait_for_a_processor_share_the_page_of_the_last_snapshot() {
        let (pages, rendered) = (Pages::default(), Arc::new(AtomicUsize::new(0)));
        let many: Vec<_> = (0..501)
            .map(|number| cluster(&format!("c{number}"), down(Reason::Timeout, "slow")))
            .collect();
        let snapshots = [(); 50].map(|()| Arc::new(snapshot(many.clone())));
        // The first page is rendered until all have asked.
        let (open, gate) = mpsc::channel();
        let gate = Arc::new(Mutex::new(gate));
        let asked = snapshots.iter().enumerate().map(|(number, snapshot)| {
            let (rendered, gate) = (Arc::clone(&rendered), Arc::clone(&gate));
            pages.shared(PageKind::Clusters, Arc::clone(snapshot), move |_| {
                if rendered.fetch_add(1, Ordering::Relaxed) == 0 {
                    let gate = gate.lock().expect("no panic");
                    gate.recv().expect("it is opened");
                }
                (Bytes::from(number.to_string()), Encoding::Identity)
            })
        });
        let all_have_asked = async { open.send(()).expect("the first waits") };
        let (written, ()) = tokio::join!(biased; join_all(asked), all_have_asked);
        let last = written[49].as_ref().expect("no panic");
        assert_eq!(last.0, "49", "nobody gets an older page than their own");
        assert!(rendered.load(Ordering::Relaxed) <= 2, "{rendered:?}");
    }
}
