//! What the reader asked to see: the query string of the page, in and out.

use form_urlencoded::{Serializer, parse};

use super::display_status::DisplayStatus;

/// The longest text that is looked for, in characters.
const MAX_TEXT: usize = 200;
/// The intervals of reloading that are accepted, in seconds.
const REFRESH: std::ops::RangeInclusive<u32> = 5..=3600;

/// A choice of clusters and their order. Whatever a query string says, there is a query for it: what
/// makes no sense is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery {
    /// Words that a cluster must contain; `q`.
    pub text: String,
    /// The status that a cluster must be in; `status`.
    pub status: Option<DisplayStatus>,
    /// `sort`: a column, after a minus sign the other way round.
    pub sort: Sort,
    /// Pages before this one; `page` counts from 1.
    pub skipped_pages: usize,
    /// After how many seconds the browser loads the page again; `refresh`.
    pub refresh: Option<u32>,
}

/// An order of the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Which way.
    pub direction: Direction,
}

/// What clusters are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Column {
    /// How soon somebody should look.
    #[default]
    Status,
    /// The name.
    Name,
    /// When the present state was first seen.
    Since,
    /// The Kubernetes version.
    Version,
    /// Account, then region.
    Account,
    /// The last answer.
    Reading,
}

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The smallest, earliest or most urgent first.
    #[default]
    Ascending,
    /// The largest, latest or least urgent first.
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
                "page" => {
                    query.skipped_pages = value.parse::<usize>().unwrap_or(1).saturating_sub(1);
                }
                "refresh" => {
                    query.refresh = value
                        .parse()
                        .ok()
                        .filter(|seconds| REFRESH.contains(seconds));
                }
                _ => {}
            }
        }
        query
    }

    /// Whether some clusters may be left out.
    pub fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.status.is_some()
    }

    /// A link from the page to this query of it.
    pub fn link(&self) -> String {
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
        if self.skipped_pages > 0 {
            query.append_pair("page", &self.skipped_pages.saturating_add(1).to_string());
        }
        if let Some(seconds) = self.refresh {
            query.append_pair("refresh", &seconds.to_string());
        }
        query.finish()
    }

    /// All clusters, in the same order.
    #[must_use]
    pub fn unfiltered(&self) -> Self {
        Self {
            text: String::new(),
            status: None,
            skipped_pages: 0,
            ..self.clone()
        }
    }

    /// The same query of the clusters in one status, or in any.
    #[must_use]
    pub fn of_status(&self, status: Option<DisplayStatus>) -> Self {
        Self {
            status,
            skipped_pages: 0,
            ..self.clone()
        }
    }

    /// The same clusters in another order.
    #[must_use]
    pub fn sorted(&self, sort: Sort) -> Self {
        Self {
            sort,
            skipped_pages: 0,
            ..self.clone()
        }
    }

    /// Another page of the same query.
    #[must_use]
    pub fn after_pages(&self, skipped_pages: usize) -> Self {
        Self {
            skipped_pages,
            ..self.clone()
        }
    }

    /// The same query, reloaded at another interval or not at all.
    #[must_use]
    pub fn refreshed(&self, refresh: Option<u32>) -> Self {
        Self {
            refresh,
            ..self.clone()
        }
    }
}

// === impl Sort ===

impl Sort {
    /// The word for it in links.
    pub fn slug(self) -> String {
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

    /// What a click on the head of `column` asks for.
    #[must_use]
    pub fn clicked(self, column: Column) -> Self {
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
}

// === impl Column ===

impl Column {
    /// Every column that can be sorted by.
    pub const ALL: [Self; 6] = [
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

/// The text to look for: neither endless nor with characters that no cluster can have.
fn clean(text: &str) -> String {
    let printable: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
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
            skipped_pages: 2,
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
        fn any_query_string_is_a_view_and_its_link_leads_back_to_it(query in "(q|status|sort|page|refresh|.{0,3})=.{0,40}(&(q|status|sort|page|refresh)=[-%a-z0-9+]{0,20}){0,4}") {
            let query = PageQuery::parse(Some(&query));
            let link = query.link();
            prop_assert!(query.text.chars().count() <= MAX_TEXT);
            prop_assert_eq!(PageQuery::parse(link.strip_prefix('?')), query);
        }

        #[test]
        fn any_bytes_are_a_view(query in ".*") {
            PageQuery::parse(Some(&query));
        }
    }
}
