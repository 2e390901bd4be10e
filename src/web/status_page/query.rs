//! The query string of the page: filter, order, page and reload interval.

use form_urlencoded::{Serializer, parse};
use safe_input::text::is_misleading;

use super::display_status::DisplayStatus;

/// The longest text that is looked for, in characters.
const MAX_TEXT: usize = 200;
/// The accepted reload intervals, in seconds.
const REFRESH: std::ops::RangeInclusive<u32> = 5..=3600;

/// A choice of clusters and their order. Every query string has one: parameters that make no sense
/// are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery {
    /// Words that a cluster must contain; `q`.
    pub(super) text: String,
    pub(super) status: Option<DisplayStatus>,
    /// `sort`: a column, after a minus sign the other way round.
    pub(super) sort: Sort,
    /// Counted from 0; `page` counts from 1.
    pub(super) page: usize,
    /// The reload interval of the browser, in seconds; `refresh`.
    pub(super) refresh: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sort {
    pub(super) column: Column,
    pub(super) direction: Direction,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Column {
    #[default]
    Status,
    Name,
    Since,
    Version,
    Account,
    Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Direction {
    #[default]
    Ascending,
    Descending,
}

// === impl PageQuery ===

impl PageQuery {
    /// Reads the query string of a request. Of a parameter given twice the last counts.
    pub fn parse(query_string: Option<&str>) -> Self {
        let mut query = Self::default();
        for (key, value) in parse(query_string.unwrap_or_default().as_bytes()) {
            match &*key {
                "q" => query.text = clean(&value),
                "status" => query.status = DisplayStatus::parse(&value),
                "sort" => query.sort = Sort::parse(&value).unwrap_or_default(),
                "page" => query.page = value.parse().unwrap_or(1_usize).saturating_sub(1),
                "refresh" => query.refresh = value.parse().ok().filter(|s| REFRESH.contains(s)),
                _ => {}
            }
        }
        query
    }

    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.status.is_some()
    }

    /// A link from the page to this query of it.
    pub(super) fn link(&self) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        if !self.text.is_empty() {
            query.append_pair("q", &self.text);
        }
        if let Some(status) = self.status {
            query.append_pair("status", status.slug());
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", &self.sort.slug());
        }
        if self.page > 0 {
            query.append_pair("page", &self.page.saturating_add(1).to_string());
        }
        if let Some(seconds) = self.refresh {
            query.append_pair("refresh", &seconds.to_string());
        }
        query.finish()
    }

    /// The query of all clusters that contain `text`.
    pub(super) fn of_text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// All clusters, in the same order.
    pub(super) fn unfiltered(&self) -> Self {
        Self {
            text: String::new(),
            status: None,
            ..self.at_page(0)
        }
    }

    /// The clusters in one status, or in any if these are shown already.
    pub(super) fn toggled(&self, status: DisplayStatus) -> Self {
        Self {
            status: Some(status).filter(|_| self.status != Some(status)),
            ..self.at_page(0)
        }
    }

    /// The same clusters in the order that a click on the head of `column` asks for.
    pub(super) fn clicked(&self, column: Column) -> Self {
        Self {
            sort: self.sort.clicked(column),
            ..self.at_page(0)
        }
    }

    pub(super) fn at_page(&self, page: usize) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    pub(super) fn refreshed(&self, refresh: Option<u32>) -> Self {
        Self {
            refresh,
            ..self.clone()
        }
    }

    /// The reload intervals to choose from, among them the present one.
    pub(super) fn intervals(&self) -> Vec<(Option<u32>, String)> {
        let mut intervals = vec![
            (None, "off".to_owned()),
            (Some(15), "15 s".to_owned()),
            (Some(60), "1 min".to_owned()),
        ];
        if let Some(seconds) = self.refresh
            && intervals
                .iter()
                .all(|(offered, _)| *offered != self.refresh)
        {
            intervals.push((self.refresh, format!("{seconds} s")));
        }
        intervals
    }
}

// === impl Sort ===

impl Sort {
    pub(super) fn slug(self) -> String {
        let minus = match self.direction {
            Direction::Ascending => "",
            Direction::Descending => "-",
        };
        format!("{minus}{}", self.column.slug())
    }

    fn parse(slug: &str) -> Option<Self> {
        let (direction, column) = match slug.strip_prefix('-') {
            Some(column) => (Direction::Descending, column),
            None => (Direction::Ascending, slug),
        };
        let column = Column::ALL
            .into_iter()
            .find(|known| known.slug() == column)?;
        Some(Self { column, direction })
    }

    /// The order by `column`, or its reverse if that is the present order.
    fn clicked(self, column: Column) -> Self {
        let ascending = Self {
            column,
            direction: Direction::Ascending,
        };
        if self == ascending {
            Self {
                column,
                direction: Direction::Descending,
            }
        } else {
            ascending
        }
    }

    /// The value of `aria-sort` for the head of `column`.
    pub(super) fn aria(self, column: Column) -> &'static str {
        match self.direction {
            _ if self.column != column => "none",
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        }
    }
}

// === impl Column ===

impl Column {
    const ALL: [Self; 6] = [
        Self::Status,
        Self::Name,
        Self::Since,
        Self::Version,
        Self::Account,
        Self::Reading,
    ];

    fn slug(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Name => "name",
            Self::Since => "since",
            Self::Version => "version",
            Self::Account => "account",
            Self::Reading => "reading",
        }
    }
}

/// Removes from a search text what no cluster can contain, and limits its length.
fn clean(text: &str) -> String {
    let printable: String = text
        .trim()
        .chars()
        .filter(|c| !is_misleading(*c))
        .take(MAX_TEXT)
        .collect();
    printable.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_string_is_read_as_a_form_writes_it() {
        let query = PageQuery::parse(Some(
            "q=+shop%20%E5%8D%87+&status=fail&sort=-since&page=3&refresh=15",
        ));
        let expected = PageQuery {
            text: "shop 升".to_owned(),
            status: Some(DisplayStatus::Failed),
            sort: Sort {
                column: Column::Since,
                direction: Direction::Descending,
            },
            page: 2,
            refresh: Some(15),
        };
        assert_eq!(query, expected);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let nonsense = "status=gone&sort=--name&page=-1&refresh=1&q=%00%0a&%&=&&;x[]=1&sort";
        assert_eq!(PageQuery::parse(Some(nonsense)), PageQuery::default());
        assert_eq!(
            PageQuery::parse(Some(
                "page=0&refresh=999999999999&page=99999999999999999999999"
            )),
            PageQuery::default()
        );
        assert_eq!(PageQuery::parse(None).link(), "?");
    }

    #[test]
    fn a_click_on_a_head_sorts_and_a_second_one_turns_round() {
        let first = Sort::default().clicked(Column::Name);
        assert_eq!(first.slug(), "name");
        assert_eq!(first.clicked(Column::Name).slug(), "-name");
        assert_eq!(
            first.clicked(Column::Name).clicked(Column::Name).slug(),
            "name"
        );
        assert_eq!(
            first.clicked(Column::Name).clicked(Column::Since).slug(),
            "since"
        );
    }

    proptest! {
        #[test]
        fn any_query_string_has_a_query_and_its_link_leads_back_to_it(query in "(q|status|sort|page|refresh|.{0,3})=.{0,40}(&(q|status|sort|page|refresh)=[-%a-z0-9+]{0,20}){0,4}") {
            let query = PageQuery::parse(Some(&query));
            let link = query.link();
            prop_assert!(query.text.chars().count() <= MAX_TEXT);
            prop_assert_eq!(PageQuery::parse(link.strip_prefix('?')), query);
        }

        #[test]
        fn any_bytes_are_a_query(query in ".*") {
            PageQuery::parse(Some(&query));
        }
    }
}
