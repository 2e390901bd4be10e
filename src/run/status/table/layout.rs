//! The widths of the columns of a table that has to fit the terminal.

use super::{COLUMNS, GAP};

/// The widths of the columns in cells; None for a column that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Widths([Option<usize>; COLUMNS]);

/// A column, by its place.
#[derive(Debug, Clone, Copy)]
enum Column {
    Cluster,
    Name,
    Progress = 3,
    Step,
    Version = 6,
    Message,
}

/// A way to make a table narrower.
#[derive(Debug, Clone, Copy)]
enum Narrowing {
    /// Cut a column, but not below so many cells.
    Cut(Column, usize),
    /// Leave a column out.
    Omit(Column),
}

/// The width that messages have as long as there is another column to leave out.
const MESSAGE: usize = 24;

/// The columns that tell the clusters apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Every cluster has a name.
    Name,
    /// Some have none, so the IDs have to be there in full.
    Id,
}

impl Key {
    /// The ways to make the table narrower, in their order: the state and the message matter most.
    fn narrowings(self) -> &'static [Narrowing] {
        match self {
            Self::Name => &[
                Narrowing::Cut(Column::Cluster, 9),
                Narrowing::Cut(Column::Message, MESSAGE),
                Narrowing::Omit(Column::Progress),
                Narrowing::Omit(Column::Version),
                Narrowing::Omit(Column::Cluster),
                Narrowing::Omit(Column::Step),
                Narrowing::Cut(Column::Name, 12),
                Narrowing::Cut(Column::Message, 1),
            ],
            Self::Id => &[
                Narrowing::Cut(Column::Message, MESSAGE),
                Narrowing::Omit(Column::Progress),
                Narrowing::Omit(Column::Version),
                Narrowing::Omit(Column::Name),
                Narrowing::Omit(Column::Step),
                Narrowing::Cut(Column::Message, 1),
            ],
        }
    }
}

impl Widths {
    /// The widths for columns whose texts have the widths `natural`, in a table of at most `limit`
    /// cells.
    pub(super) fn fit(natural: [usize; COLUMNS], key: Key, limit: Option<usize>) -> Self {
        let mut widths = Self(natural.map(Some));
        let Some(limit) = limit else {
            return widths;
        };
        for narrowing in key.narrowings() {
            let excess = widths.total().saturating_sub(limit);
            if excess == 0 {
                break;
            }
            widths.apply(*narrowing, excess);
        }
        widths.give_back(natural, limit);
        widths
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Option<usize>> {
        self.0.into_iter()
    }

    fn apply(&mut self, narrowing: Narrowing, excess: usize) {
        match narrowing {
            Narrowing::Cut(column, least) => {
                let width = &mut self.0[column as usize];
                *width = width.map(|width| width.saturating_sub(excess).max(least.min(width)));
            }
            Narrowing::Omit(column) => self.0[column as usize] = None,
        }
    }

    /// Gives the room that an omitted column has left to the message.
    fn give_back(&mut self, natural: [usize; COLUMNS], limit: usize) {
        let room = limit.saturating_sub(self.total());
        let place = Column::Message as usize;
        self.0[place] = self.0[place].map(|width| natural[place].min(width + room));
    }

    fn total(&self) -> usize {
        let widths: Vec<usize> = self.0.iter().copied().flatten().collect();
        widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATURAL: [usize; COLUMNS] = [33, 20, 10, 8, 11, 6, 24, 80];

    #[test]
    fn columns_give_way_one_after_another_until_the_table_fits() {
        let fit = |limit| Widths::fit(NATURAL, Key::Name, Some(limit)).0;
        let [cluster, name, step, version] = [9, 20, 11, 24].map(Some);
        let [status, since, bar] = [10, 6, 8].map(Some);
        for (limit, expected) in [
            (220, NATURAL.map(Some)),
            (
                200,
                [Some(27), name, status, bar, step, since, version, Some(80)],
            ),
            (
                160,
                [cluster, name, status, bar, step, since, version, Some(58)],
            ),
            (
                120,
                [cluster, name, status, None, step, since, version, Some(28)],
            ),
            (
                100,
                [cluster, name, status, None, step, since, None, Some(34)],
            ),
            (
                60,
                [None, Some(14), status, None, None, since, None, Some(24)],
            ),
        ] {
            let widths = fit(limit);
            assert!(Widths(widths).total() <= limit, "{limit}: {widths:?}");
            assert_eq!(widths, expected, "{limit}");
        }
    }

    #[test]
    fn ids_stay_whole_where_a_cluster_has_no_name() {
        let [cluster, ..] = Widths::fit(NATURAL, Key::Id, Some(60)).0;
        assert_eq!(cluster, Some(33));
    }

    #[test]
    fn a_table_without_a_limit_has_all_columns() {
        assert_eq!(Widths::fit(NATURAL, Key::Name, None).0, NATURAL.map(Some));
    }
}
