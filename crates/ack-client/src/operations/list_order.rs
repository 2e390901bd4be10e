//! The order of a list by the times of its items.

use jiff::Timestamp;

/// The order of the list as far as it was read. The reference does not give one.
#[derive(Debug, Default)]
pub(super) struct ListOrder {
    newest: Option<Timestamp>,
    last: Option<Timestamp>,
    /// The pairs of neighbours that were compared.
    compared: usize,
    /// The pairs in another order, and the tasks without a time.
    exceptions: usize,
}

impl ListOrder {
    /// Notes the time of the next item.
    pub(super) fn note(&mut self, created: Option<Timestamp>) {
        if let (Some(last), Some(created)) = (self.last, created) {
            self.compared += 1;
            self.exceptions += usize::from(created > last);
        }
        self.exceptions += usize::from(created.is_none());
        self.newest = self.newest.max(created);
        self.last = created;
    }

    /// The time of the newest item.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Returns true if the list is newest first, and all items from `time` on were read.
    pub(super) fn is_past(&self, time: Timestamp) -> bool {
        self.is_newest_first() && self.last.is_some_and(|last| last < time)
    }

    /// Returns true if the list is newest first, as far as it was read.
    pub(super) fn is_newest_first(&self) -> bool {
        self.compared > 0 && self.exceptions == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(times: &[Option<i64>]) -> ListOrder {
        let mut order = ListOrder::default();
        for time in times {
            order.note(time.map(|time| Timestamp::constant(time, 0)));
        }
        order
    }

    #[test]
    fn a_list_is_past_a_time_only_if_it_is_newest_first() {
        let is_past = |times: &[Option<i64>]| order(times).is_past(Timestamp::constant(5, 0));
        assert!(is_past(&[Some(9), Some(7), Some(4)]));
        assert!(
            !is_past(&[Some(9), Some(7), Some(5)]),
            "one of the same time may follow"
        );
        assert!(!is_past(&[Some(4)]), "one item has no order");
        assert!(!is_past(&[Some(4), Some(9), Some(4)]));
        assert!(!is_past(&[Some(9), None, Some(4)]));
        assert!(!is_past(&[]));
    }
}
