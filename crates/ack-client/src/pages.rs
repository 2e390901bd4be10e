//! Paging that neither loops nor loses a page.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use super::error::{ApiError, ErrorKind};
use super::operation::Operation;
use crate::outgoing::{Field, List, object};

/// What the vendor's own provider asks for; its lists answer more than 50 unreliably.
pub(super) const PAGE_SIZE: u32 = 50;

/// Far more than any account or cluster has; an end for a list that has none.
const MAX_PAGES: u32 = 1000;

/// As many as those pages have, for a server that serves larger ones than it was asked for.
const MAX_ITEMS: usize = (MAX_PAGES * PAGE_SIZE) as usize;

object! {
    /// `page_info` of a reply.
    pub(super) struct PageInfo at "page_info." {
        total_count: u64 = "total_count",
    }
}

/// The number of items on all pages, if a page tells.
pub(super) fn total(info: &Field<PageInfo>) -> Option<u64> {
    info.as_known()?.total_count.as_known().copied()
}

/// Whether `list` and `info` are those of a page, be it empty.
pub(super) fn is_page<T>(list: &Field<List<T>>, info: &Field<PageInfo>) -> bool {
    match list {
        Field::Known(_) => true,
        Field::Absent => info.as_known().is_some(),
        Field::Odd(_) => false,
    }
}

/// The items of a page, of `total` on all pages, of which `seen` were on those before it. A list
/// that is left out where there are more must not look as if they were gone.
pub(super) fn items<T>(
    operation: Operation,
    seen: usize,
    list: Field<List<T>>,
    total: Option<u64>,
) -> Result<List<T>, ApiError> {
    match (list.known(), total) {
        (Some(list), _) => Ok(list),
        (None, Some(total)) if (seen as u64) < total => Err(ApiError::local(
            operation,
            ErrorKind::Decode,
            format!("no list, though there are {total} items"),
        )),
        (None, _) => Ok(List::default()),
    }
}

/// The query of page `number`, counted from 1.
pub(super) fn query(number: u32) -> [(&'static str, String); 2] {
    [
        ("page_number", number.to_string()),
        ("page_size", PAGE_SIZE.to_string()),
    ]
}

/// The query of the page that `token` stands for.
pub(super) fn query_after(token: String) -> [(&'static str, String); 2] {
    [
        ("next_token", token),
        ("max_results", PAGE_SIZE.to_string()),
    ]
}

/// What was on the pages so far. IDs are remembered by their hashes, since a server decides how
/// long they are and how many there are; that two of them have the same is as likely as never.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    /// Whether `id` was not there before.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(id))
    }

    /// How many were there.
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }
}

/// Whether a token leads on from page `number`, where `seen` items were on all pages so far: not
/// where that is all.
pub(super) fn may_lead_on(number: u32, seen: usize, total: Option<u64>) -> bool {
    let is_all = total.is_some_and(|total| seen as u64 >= total);
    !is_all && number < MAX_PAGES && seen < MAX_ITEMS
}

/// Whether there may be a page behind page `number`, which had `items`, of which `new` were not on
/// the pages before; `seen` were on all pages so far.
pub(super) fn has_next(
    number: u32,
    items: usize,
    new: usize,
    seen: usize,
    total: Option<u64>,
) -> bool {
    if items == 0 || new == 0 || number >= MAX_PAGES || seen >= MAX_ITEMS {
        return false;
    }
    match total {
        // Not by page_number * page_size: a server that serves smaller pages than asked for would
        // lose the rest.
        Some(total) => (seen as u64) < total,
        None => items >= PAGE_SIZE as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_goes_on_until_everything_was_seen() {
        assert!(has_next(1, 50, 50, 50, Some(230)));
        assert!(!has_next(5, 30, 30, 230, Some(230)));
        assert!(
            has_next(1, 10, 10, 10, Some(230)),
            "a server may serve smaller pages"
        );
        assert!(has_next(1, 50, 50, 50, None));
        assert!(!has_next(2, 12, 12, 62, None));
    }

    #[test]
    fn paging_ends_where_nothing_new_comes() {
        assert!(!has_next(3, 0, 0, 100, Some(230)));
        assert!(
            !has_next(3, 50, 0, 100, Some(230)),
            "a server that repeats its last page"
        );
        assert!(!has_next(MAX_PAGES, 50, 50, 1000, Some(1 << 40)));
        assert!(
            !has_next(2, 30_000, 30_000, 60_000, Some(1 << 40)),
            "pages that are larger than was asked for"
        );
        assert!(!may_lead_on(2, 60_000, None));
    }
}
