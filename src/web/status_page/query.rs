//! The query string of the page: filter, order, page, reload interval and language.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use form_urlencoded::{Serializer, parse};

use super::display_status::DisplayStatus;
use super::messages::{Language, Messages};
use super::watched::Mark;
use super::word_set::word_set;

/// The longest text that is looked for, in characters.
const MAX_TEXT: usize = 200;
/// The accepted reload intervals, in seconds.
const REFRESH: RangeInclusive<usize> = 5..=3600;
/// The parameters that choose clusters, in the order of the page.
const FILTERS: [&str; 5] = ["q", "status", "mark", "account", "region"];

/// A choice of clusters, and how they are shown. Every query string has one: parameters that make
/// no sense are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery {
    /// The parameters that are not at their defaults.
    parameters: BTreeMap<&'static str, String>,
    /// The language of the browser.
    browser_language: Language,
}

word_set! {
    /// An order of the clusters.
    Sort {
        Urgency = "", by_urgency;
        Name = "name", by_name;
        Since = "since", by_since;
        Version = "version", by_version;
        Reading = "reading", by_reading;
    }
}

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
        for (name, value) in parse(query_string.unwrap_or_default().as_bytes()) {
            if let Some((name, value)) = known(&name, &value) {
                query.set(name, value);
            }
        }
        query
    }

    /// The value of a parameter; empty if it is at its default.
    pub(super) fn value(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    pub(super) fn status(&self) -> Option<DisplayStatus> {
        DisplayStatus::parse(self.value("status"))
    }

    pub(super) fn mark(&self) -> Option<Mark> {
        Mark::parse(self.value("mark"))
    }

    pub(super) fn sort(&self) -> Sort {
        Sort::parse(self.value("sort")).unwrap_or(Sort::Urgency)
    }

    /// The page, counted from 1.
    pub(super) fn page(&self) -> usize {
        self.value("page").parse().unwrap_or(1)
    }

    pub(super) fn messages(&self) -> &'static Messages {
        let chosen = Language::parse(self.value("lang"));
        chosen.unwrap_or(self.browser_language).messages()
    }

    pub(super) fn is_filtered(&self) -> bool {
        FILTERS
            .iter()
            .any(|name| self.parameters.contains_key(name))
    }

    /// The same query with another value of one parameter, from the first page on.
    pub(super) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut query = self.at_page(1);
        query.set(name, value.to_owned());
        query
    }

    /// Another page of the same query, counted from 1.
    pub(super) fn at_page(&self, page: usize) -> Self {
        let mut query = self.clone();
        let page = (page > 1).then(|| page.to_string());
        query.set("page", page.unwrap_or_default());
        query
    }

    fn set(&mut self, name: &'static str, value: String) {
        if value.is_empty() {
            self.parameters.remove(name);
        } else {
            self.parameters.insert(name, value);
        }
    }

    /// All clusters, in the same order.
    pub(super) fn unfiltered(&self) -> Self {
        FILTERS
            .iter()
            .fold(self.clone(), |query, name| query.with(name, ""))
    }

    /// The clusters that one filter chooses.
    pub(super) fn only(&self, name: &'static str, value: &str) -> Self {
        self.unfiltered().with(name, value)
    }

    /// A link from the page to this query of it.
    pub(super) fn link(&self) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        query.extend_pairs(&self.parameters);
        query.finish()
    }

    /// The parameters that a search keeps: all but those that the form has fields for, and the
    /// page.
    pub(super) fn kept_by_form(&self) -> BTreeMap<&'static str, String> {
        let mut parameters = self.parameters.clone();
        parameters.retain(|name, _| !matches!(*name, "q" | "sort" | "page"));
        parameters
    }

    /// The reload intervals to choose from in seconds, among them the present one. Empty for none.
    pub(super) fn intervals(&self) -> Vec<&str> {
        let mut intervals = vec!["", "15", "60"];
        if !intervals.contains(&self.value("refresh")) {
            intervals.push(self.value("refresh"));
        }
        intervals
    }
}

/// A parameter in its one spelling, if it makes sense and is not at its default.
fn known(name: &str, value: &str) -> Option<(&'static str, String)> {
    let (name, value) = match name {
        "q" => ("q", clean(value)),
        "account" => ("account", clean(value)),
        "region" => ("region", clean(value)),
        "status" => ("status", DisplayStatus::parse(value)?.slug().to_owned()),
        "mark" => ("mark", Mark::parse(value)?.slug().to_owned()),
        "sort" => ("sort", Sort::parse(value)?.slug().to_owned()),
        "lang" => ("lang", Language::parse(value)?.slug().to_owned()),
        "page" => ("page", number(value, 2..=usize::MAX)?),
        "refresh" => ("refresh", number(value, REFRESH)?),
        _ => return None,
    };
    Some((name, value))
}

fn number(text: &str, range: RangeInclusive<usize>) -> Option<String> {
    let number = text.parse().ok().filter(|number| range.contains(number))?;
    Some(number.to_string())
}

/// Removes from a search text what no cluster can contain, and limits its length.
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

    fn parsed(query_string: &str) -> PageQuery {
        PageQuery::parse(Some(query_string), "en")
    }

    #[test]
    fn a_query_string_is_read_as_a_form_writes_it() {
        let query = "q=+shop%20%E5%8D%87+&status=fail&account=prod&region=cn-hangzhou&mark=planned\
            &sort=since&page=3&refresh=15&lang=zh";
        let query = parsed(query);
        assert_eq!(query.value("q"), "shop 升");
        assert_eq!(query.value("account"), "prod");
        assert_eq!(query.value("region"), "cn-hangzhou");
        assert_eq!(query.value("refresh"), "15");
        assert_eq!(query.status(), Some(DisplayStatus::Failed));
        assert_eq!(query.mark(), Some(Mark::Planned));
        assert_eq!((query.sort(), query.page()), (Sort::Since, 3));
        assert_eq!(query.messages().language, "中文");
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
            prop_assert!(query.value("q").chars().count() <= MAX_TEXT);
            prop_assert_eq!(parsed(link.strip_prefix('?').unwrap()), query);
        }

        #[test]
        fn any_bytes_are_a_query(query in ".*") {
            parsed(&query);
        }
    }
}
