//! Paging through a list: it ends, and loses no page.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use crate::decode::{Field, List, lenient_object};
use crate::error::{ApiError, ErrorKind};
use crate::operation::Operation;
use crate::response::KnownKeys;

/// The items of a page, as in Alibaba Cloud's Terraform provider. Larger pages are not reliable.
const PAGE_SIZE: u32 = 50;

/// The pages after which a list ends in any case: many times those of the largest account.
const MAX_PAGES: u32 = 1000;

/// The items after which a list ends in any case, for servers whose pages are too large.
const MAX_ITEMS: usize = (MAX_PAGES * PAGE_SIZE) as usize;

lenient_object! {
    /// `page_info` of a response.
    pub(super) struct PageInfo at "page_info." {
        total_count: u64 = "total_count",
    }
}

/// The number of items on all pages, if the page gives it.
pub(super) fn total(info: &Field<PageInfo>) -> Option<u64> {
    info.value()?.total_count.value().copied()
}

/// Returns true if `list` and `info` are those of a page, which may be empty.
pub(super) fn is_page<T>(list: &Field<List<T>>, info: &Field<PageInfo>) -> bool {
    match list {
        Field::Value(_) => true,
        Field::Absent => info.value().is_some(),
        Field::Unexpected(_) => false,
    }
}

/// Returns true if `list` is that of a response without pages, whose only field it is. A list that
/// is null is empty.
pub(super) fn is_list<T>(list: &Field<List<T>>, keys: KnownKeys) -> bool {
    match list {
        Field::Value(_) => true,
        Field::Absent => keys == KnownKeys::SomeUsable,
        Field::Unexpected(_) => false,
    }
}

/// The progress through the pages of one list.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// The number of the present page, counted from 1.
    number: u32,
    ids: SeenIds,
    /// The items on all pages so far, without repeated ones.
    seen: usize,
    /// The items on the present page.
    page_length: usize,
    /// The items on the present page whose IDs are new.
    page_new: usize,
}

impl Paging {
    /// Returns the query of the next page by its number.
    pub(super) fn next_page(&mut self) -> [(&'static str, String); 2] {
        self.number += 1;
        page_query(self.number)
    }

    /// Returns the query of the next page by the token of the present one.
    pub(super) fn next_page_by_token(&mut self, token: String) -> [(&'static str, String); 2] {
        self.number += 1;
        [
            ("next_token", token),
            ("max_results", PAGE_SIZE.to_string()),
        ]
    }

    /// The number of the present page, counted from 1.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Returns the items of the page and counts them. A page without a list is empty, unless
    /// `total` says that there are more items: they must not look as if they had been deleted.
    pub(super) fn items<T>(
        &mut self,
        operation: Operation,
        list: Field<List<T>>,
        total: Option<u64>,
    ) -> Result<List<T>, ApiError> {
        let list = match (list.into_value(), total) {
            (Some(list), _) => list,
            (None, Some(total)) if (self.seen as u64) < total => {
                return Err(ApiError::local(
                    operation,
                    ErrorKind::Decode,
                    format!("no list, though there are {total} items"),
                ));
            }
            (None, _) => List::default(),
        };
        self.seen += list.length;
        self.page_length = list.length;
        self.page_new = 0;
        Ok(list)
    }

    /// Notes an item of the page. Returns true if no page has had its `id` before.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        let is_new = self.ids.insert(id);
        if is_new {
            self.page_new += 1;
        } else {
            self.seen -= 1;
        }
        is_new
    }

    /// Returns true if there may be a page after the present one.
    pub(super) fn has_next(&self, total: Option<u64>) -> bool {
        if self.page_length == 0 || self.page_new == 0 || self.is_at_limit() {
            return false;
        }
        match total {
            // Not by the page number: with pages smaller than asked for, the rest would be lost.
            Some(total) => (self.seen as u64) < total,
            None => self.page_length >= PAGE_SIZE as usize,
        }
    }

    /// Returns true if a token of the present page may lead to more items.
    pub(super) fn has_next_by_token(&self, total: Option<u64>) -> bool {
        let is_complete = total.is_some_and(|total| self.seen as u64 >= total);
        !is_complete && !self.is_at_limit()
    }

    /// Returns true if the list ends here in any case.
    fn is_at_limit(&self) -> bool {
        self.number >= MAX_PAGES || self.seen >= MAX_ITEMS
    }
}

/// The query of page `number`, counted from 1.
pub(super) fn page_query(number: u32) -> [(&'static str, String); 2] {
    [
        ("page_number", number.to_string()),
        ("page_size", PAGE_SIZE.to_string()),
    ]
}

/// A set of IDs. It stores hashes alone, since the server decides how long and how many the IDs
/// are. The hashes are keyed, so that a server cannot make two IDs collide.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl SeenIds {
    /// Adds `id`. Returns true if it was not in the set.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list whose page `number` has `length` items, `new` of which are new, after which `seen`
    /// items have been seen.
    fn paging(number: u32, length: usize, new: usize, seen: usize) -> Paging {
        Paging {
            number,
            seen,
            page_length: length,
            page_new: new,
            ..Paging::default()
        }
    }

    #[test]
    fn paging_goes_on_until_everything_was_seen() {
        assert!(paging(1, 50, 50, 50).has_next(Some(230)));
        assert!(!paging(5, 30, 30, 230).has_next(Some(230)));
        assert!(
            paging(1, 10, 10, 10).has_next(Some(230)),
            "a server may serve smaller pages"
        );
        assert!(paging(1, 50, 50, 50).has_next(None));
        assert!(!paging(2, 12, 12, 62).has_next(None));
    }

    #[test]
    fn paging_ends_where_nothing_new_comes() {
        assert!(!paging(3, 0, 0, 100).has_next(Some(230)));
        assert!(
            !paging(3, 50, 0, 100).has_next(Some(230)),
            "a server that repeats its last page"
        );
        assert!(!paging(MAX_PAGES, 50, 50, 1000).has_next(Some(1 << 40)));
        assert!(
            !paging(2, 30_000, 30_000, 60_000).has_next(Some(1 << 40)),
            "pages that are larger than was asked for"
        );
        assert!(!paging(2, 50, 50, 60_000).has_next_by_token(None));
    }

    #[test]
    fn unusable_items_count_as_seen_and_repeated_ones_do_not() {
        let page = |ids: &[&str]| {
            let mut list = List::<PageInfo>::default();
            list.length = ids.len();
            Field::Value(list)
        };
        let mut paging = Paging::default();
        paging.next_page();
        for ids in [&["a", "b", ""][..], &["b", "c"]] {
            let operation = Operation::DescribeClusterTasks;
            paging.items(operation, page(ids), Some(5)).expect("a page");
            for id in ids.iter().filter(|id| !id.is_empty()) {
                paging.is_new(id);
            }
        }
        assert_eq!((paging.seen, paging.page_new), (4, 1));
        assert!(paging.has_next(Some(5)) && !paging.has_next(Some(4)));
        let missing = paging.items(
            Operation::DescribeClusterTasks,
            Field::<List<PageInfo>>::Absent,
            Some(5),
        );
        assert_eq!(
            missing.expect_err("one item is missing").message,
            "no list, though there are 5 items"
        );
    }
}
