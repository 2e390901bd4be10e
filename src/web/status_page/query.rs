//! The query string of the page: filter, order, page, reload interval and language.

use ack_client::names::ClusterId;
use form_urlencoded::{Serializer, parse};
use safe_input::text::is_misleading;

use super::display_status::DisplayStatus;
use super::messages::{Language, Messages};
use super::watched::Mark;

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
    /// Empty for every account.
    pub(super) account: String,
    /// Empty for every region.
    pub(super) region: String,
    pub(super) mark: Option<Mark>,
    pub(super) sort: Sort,
    /// Counted from 0; `page` counts from 1.
    pub(super) page: usize,
    /// The reload interval of the browser, in seconds; `refresh`.
    pub(super) refresh: Option<u32>,
    /// The language that was chosen by a link; `lang`.
    pub(super) language: Option<Language>,
    /// The language of the browser. Not part of the query string.
    pub(super) browser_language: Language,
}

/// An order of the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    #[default]
    Urgency,
    Name,
    Since,
    Version,
    Reading,
}

// === impl PageQuery ===

impl PageQuery {
    /// The languages of the page for content negotiation, the default first.
    pub const LANGUAGES: [&'static str; 2] = ["en", "zh"];

    /// Reads the query string of a request. Of a parameter given twice the last counts.
    /// `browser_language` is one of [`LANGUAGES`](Self::LANGUAGES).
    pub fn parse(query_string: Option<&str>, browser_language: &str) -> Self {
        let mut query = Self {
            browser_language: Language::parse(browser_language).unwrap_or_default(),
            ..Self::default()
        };
        for (key, value) in parse(query_string.unwrap_or_default().as_bytes()) {
            match &*key {
                "q" => query.text = clean(&value),
                "status" => query.status = DisplayStatus::parse(&value),
                "account" => query.account = clean(&value),
                "region" => query.region = clean(&value),
                "mark" => query.mark = Mark::parse(&value),
                "sort" => query.sort = Sort::parse(&value).unwrap_or_default(),
                "page" => query.page = value.parse().unwrap_or(1_usize).saturating_sub(1),
                "refresh" => query.refresh = value.parse().ok().filter(|s| REFRESH.contains(s)),
                "lang" => query.language = Language::parse(&value),
                _ => {}
            }
        }
        query
    }

    pub(super) fn messages(&self) -> &'static Messages {
        self.language.unwrap_or(self.browser_language).messages()
    }

    pub(super) fn is_filtered(&self) -> bool {
        let Self {
            text,
            account,
            region,
            ..
        } = self;
        let has_text = [text, account, region].iter().any(|text| !text.is_empty());
        has_text || self.status.is_some() || self.mark.is_some()
    }

    /// The parameters that are not at their defaults.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let status = self.status.map_or("", DisplayStatus::slug);
        let mark = self.mark.map_or("", Mark::slug);
        let sort = Some(self.sort).filter(|sort| *sort != Sort::default());
        let page = Some(self.page).filter(|page| *page > 0);
        let mut parameters = vec![
            ("q", self.text.clone()),
            ("status", status.to_owned()),
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("mark", mark.to_owned()),
            ("sort", sort.map_or("", Sort::slug).to_owned()),
            ("page", number(page.map(|page| page.saturating_add(1)))),
            ("refresh", number(self.refresh)),
            ("lang", self.language.map_or("", Language::slug).to_owned()),
        ];
        parameters.retain(|(_, value)| !value.is_empty());
        parameters
    }

    /// The parameters that a search keeps: all but those that the form has fields for, and the page.
    pub(super) fn kept_by_form(&self) -> Vec<(&'static str, String)> {
        let mut parameters = self.parameters();
        parameters.retain(|(name, _)| !matches!(*name, "q" | "sort" | "page"));
        parameters
    }

    /// A link from the page to this query of it.
    pub(super) fn link(&self) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        query.extend_pairs(self.parameters());
        query.finish()
    }

    /// All clusters, in the same order.
    pub(super) fn unfiltered(&self) -> Self {
        Self {
            sort: self.sort,
            refresh: self.refresh,
            language: self.language,
            ..Self::default()
        }
    }

    /// The clusters that contain `text`.
    pub(super) fn of_text(&self, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..self.unfiltered()
        }
    }

    pub(super) fn of_cluster(&self, id: &ClusterId) -> Self {
        self.of_text(id.as_str())
    }

    /// The clusters of an account and region. An empty region stands for all of them.
    pub(super) fn of_place(&self, account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            ..self.unfiltered()
        }
    }

    pub(super) fn of_mark(&self, mark: Mark) -> Self {
        Self {
            mark: Some(mark),
            ..self.unfiltered()
        }
    }

    /// Those of the clusters that are in `status`.
    pub(super) fn of_status(&self, status: DisplayStatus) -> Self {
        Self {
            status: Some(status),
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

    pub(super) fn in_language(&self, language: Language) -> Self {
        Self {
            language: Some(language),
            ..self.clone()
        }
    }

    /// The reload intervals to choose from, among them the present one.
    pub(super) fn intervals(&self) -> Vec<Option<u32>> {
        let mut intervals = vec![None, Some(15), Some(60)];
        if !intervals.contains(&self.refresh) {
            intervals.push(self.refresh);
        }
        intervals
    }
}

// === impl Sort ===

impl Sort {
    pub(super) const ALL: [Self; 5] = [
        Self::Urgency,
        Self::Name,
        Self::Since,
        Self::Version,
        Self::Reading,
    ];

    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::Name => "name",
            Self::Since => "since",
            Self::Version => "version",
            Self::Reading => "reading",
        }
    }

    pub(super) fn label(self, t: &Messages) -> &'static str {
        match self {
            Self::Urgency => t.by_urgency,
            Self::Name => t.by_name,
            Self::Since => t.by_since,
            Self::Version => t.by_version,
            Self::Reading => t.by_reading,
        }
    }

    fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.slug() == slug)
    }
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
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

    fn parsed(query_string: &str) -> PageQuery {
        PageQuery::parse(Some(query_string), "en")
    }

    #[test]
    fn a_query_string_is_read_as_a_form_writes_it() {
        let expected = PageQuery {
            text: "shop 升".to_owned(),
            status: Some(DisplayStatus::Failed),
            account: "prod".to_owned(),
            region: "cn-hangzhou".to_owned(),
            mark: Some(Mark::Planned),
            sort: Sort::Since,
            page: 2,
            refresh: Some(15),
            language: Some(Language::Chinese),
            browser_language: Language::English,
        };
        let query = "q=+shop%20%E5%8D%87+&status=fail&account=prod&region=cn-hangzhou&mark=planned\
            &sort=since&page=3&refresh=15&lang=zh";
        assert_eq!(parsed(query), expected);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let nonsense = "status=gone&sort=--name&page=-1&refresh=1&q=%00%0a&%&=&&;x[]=1&sort&lang=x";
        assert_eq!(parsed(nonsense), PageQuery::default());
        let numbers = "page=0&refresh=999999999999&page=99999999999999999999999";
        assert_eq!(parsed(numbers), PageQuery::default());
        assert_eq!(PageQuery::parse(None, "").link(), "?");
    }

    #[test]
    fn the_language_of_a_link_goes_before_that_of_the_browser() {
        let language = |query, browser| PageQuery::parse(Some(query), browser).messages().language;
        assert_eq!(language("", "en"), "English");
        assert_eq!(language("", "zh"), "中文");
        assert_eq!(language("lang=en", "zh"), "English");
        assert_eq!(language("lang=zh", "en"), "中文");
    }

    proptest! {
        #[test]
        fn any_query_string_has_a_query_and_its_link_leads_back_to_it(query in "(q|status|sort|page|refresh|.{0,3})=.{0,40}(&(q|status|account|region|mark|sort|page|refresh|lang)=[-%a-z0-9+]{0,20}){0,4}") {
            let query = parsed(&query);
            let link = query.link();
            prop_assert!(query.text.chars().count() <= MAX_TEXT);
            prop_assert_eq!(parsed(link.strip_prefix('?').unwrap()), query);
        }

        #[test]
        fn any_bytes_are_a_query(query in ".*") {
            parsed(&query);
        }
    }
}
