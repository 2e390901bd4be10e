//! The metrics pages that are being sent, each shared by the scrapes of one snapshot.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use exporter_toolkit::blocking::BlockingPanic;
use exporter_toolkit::exposition::Format;
use exporter_toolkit::web::negotiate::Encoding;
use tokio::sync::OnceCell;

use crate::snapshot::Snapshot;

/// The pages that are being rendered or sent. A page is freed with its last response.
#[derive(Debug, Default)]
pub struct SharedPages(Mutex<Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    snapshot: Weak<Snapshot>,
    form: Form,
    page: Weak<Page>,
}

/// The form that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) encoding: Encoding,
}

/// A page and its encoding, once it is rendered.
#[derive(Debug, Default)]
struct Page(OnceCell<(Bytes, Encoding)>);

impl SharedPages {
    /// Returns the page of `snapshot` in `form`, and its encoding: the one that is being sent to
    /// others, or the output of `render`.
    pub(super) async fn get_or_render<R>(
        &self,
        snapshot: &Arc<Snapshot>,
        form: Form,
        render: impl FnOnce() -> R,
    ) -> Result<(Bytes, Encoding), BlockingPanic>
    where
        R: Future<Output = Result<(Bytes, Encoding), BlockingPanic>>,
    {
        let page = self.page(snapshot, form);
        let (_, encoding) = *page.0.get_or_try_init(render).await?;
        Ok((Bytes::from_owner(SharedPage(page)), encoding))
    }

    fn page(&self, snapshot: &Arc<Snapshot>, form: Form) -> Arc<Page> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.page.strong_count() > 0);
        let snapshot = Arc::downgrade(snapshot);
        let is_same = |entry: &&Entry| entry.form == form && entry.snapshot.ptr_eq(&snapshot);
        let found = entries.iter().find(is_same);
        found
            .and_then(|entry| entry.page.upgrade())
            .unwrap_or_else(|| {
                let page = Arc::default();
                entries.push(Entry {
                    snapshot,
                    form,
                    page: Arc::downgrade(&page),
                });
                page
            })
    }
}

/// The body of one response.
struct SharedPage(Arc<Page>);

impl AsRef<[u8]> for SharedPage {
    fn as_ref(&self) -> &[u8] {
        self.0.0.get().map_or(&[], |(bytes, _)| bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::fixture::snapshot;

    const GZIP: Form = Form {
        format: Format::Text,
        encoding: Encoding::Gzip,
    };

    async fn page(pages: &SharedPages, snapshot: &Arc<Snapshot>, form: Form) -> Bytes {
        let render = || async { Ok((Bytes::from(vec![b'x'; 100]), form.encoding)) };
        let (page, encoding) = pages
            .get_or_render(snapshot, form, render)
            .await
            .expect("no panic");
        assert_eq!((page.len(), encoding), (100, form.encoding));
        page
    }

    #[tokio::test]
    async fn responses_of_one_snapshot_in_one_form_share_their_memory() {
        let (pages, [one, other]) = (
            SharedPages::default(),
            [(); 2].map(|()| Arc::new(snapshot(Vec::new()))),
        );
        let first = page(&pages, &one, GZIP).await;
        let address = |page: &Bytes| page.as_ptr().addr();
        assert_eq!(address(&page(&pages, &one, GZIP).await), address(&first));
        assert_ne!(address(&page(&pages, &other, GZIP).await), address(&first));
        let open_metrics = Form {
            format: Format::OpenMetrics,
            ..GZIP
        };
        let second = page(&pages, &one, open_metrics).await;
        assert_ne!(address(&second), address(&first));
    }

    #[tokio::test]
    async fn a_page_is_freed_with_its_last_response() {
        let (pages, snapshot) = (SharedPages::default(), Arc::new(snapshot(Vec::new())));
        let first = page(&pages, &snapshot, GZIP).await;
        let again = page(&pages, &snapshot, GZIP).await;
        let entry = |pages: &SharedPages| {
            let entries = pages.0.lock().expect("nobody panics with it");
            entries[0].page.strong_count()
        };
        assert_eq!(entry(&pages), 2);
        drop((first, again));
        assert_eq!(entry(&pages), 0);
    }
}
