//! Objects in JSON and XML whose values are of all types.

use jiff::Timestamp;
use serde::de::DeserializeSeed as _;

use super::list::MAX_ITEMS;
use super::*;

lenient_object! {
    struct Thing at "thing." {
        name: String = "name" | "Name",
        count: u64 = "count",
        time: Timestamp = "time",
        word: Keyword = "word",
        parts: List<Part> = "parts",
    }
}

lenient_object! {
    struct Part at "part." {
        id: String = "id",
    }

    fn is_usable(&self) -> bool {
        self.id.value().is_some()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self { id: Field::Value(text.to_owned()) })
    }
}

fn read(json: &str) -> Thing {
    let mut thing = Field::<Thing>::Absent;
    (&mut thing)
        .deserialize(&mut serde_json::Deserializer::from_str(json))
        .expect(json);
    thing.into_value().expect(json)
}

fn unexpected(thing: &Thing) -> Vec<(&'static str, String)> {
    let mut unexpected = Vec::new();
    thing.report_unexpected_fields(&mut |name, value| unexpected.push((name, value.to_owned())));
    unexpected
}

#[test]
fn numbers_are_read_as_text_and_text_as_numbers() {
    for json in [
        r#"{"name":5,"count":"7"}"#,
        r#"{"Name":"5","count":7.0}"#,
        r#"{"name":null,"name":"5","count":" 7 ","count":8}"#,
    ] {
        let thing = read(json);
        assert_eq!(
            (
                thing.name.value().map(String::as_str),
                thing.count.value(),
                unexpected(&thing)
            ),
            (Some("5"), Some(&7), vec![]),
            "{json}"
        );
    }
    assert_eq!(
        read(r#"{"name":true}"#).name,
        Field::Value("true".to_owned())
    );
    for (json, expected) in [
        ("-1", "-1"),
        ("1e30", "1000000000000000000000000000000"),
        ("\"many\"", "many"),
        ("true", "true"),
        ("[7]", "a list"),
    ] {
        let thing = read(&format!(r#"{{"count":{json}}}"#));
        assert_eq!(
            unexpected(&thing),
            [("thing.count", expected.to_owned())],
            "{json}"
        );
    }
    assert_eq!(
        unexpected(&read(r#"{"word":5}"#)),
        [("thing.word", "5".to_owned())]
    );
}

#[test]
fn a_time_is_read_however_it_is_written() {
    let expected = "2026-11-23T08:00:00Z".parse().ok();
    for json in [
        "\"2026-11-23T16:00:00+08:00\"",
        "\"2026-11-23T16:00:00.000+08:00\"",
        "1795420800",
        "1795420800000",
        "\"1795420800\"",
        "1795420800000.0",
        "1.7954208e9",
    ] {
        assert_eq!(
            read(&format!(r#"{{"time":{json}}}"#)).time.into_value(),
            expected,
            "{json}"
        );
    }
    for json in [
        "\"2026-11-23 16:00:00\"",
        "\"NaN\"",
        "1e300",
        "\"soon\"",
        "{\"a\":1}",
    ] {
        assert_eq!(
            unexpected(&read(&format!(r#"{{"time":{json}}}"#))).len(),
            1,
            "{json}"
        );
    }
}

#[test]
fn an_item_that_is_of_no_use_costs_itself() {
    let thing = read(r#"{"parts":[{"id":"a"},null,{"id":[1]},{"x":{"y":[]}},7,"b",{"id":"c"}]}"#);
    assert_eq!(
        unexpected(&thing),
        [("thing.parts", "an item that is empty".to_owned())]
    );
    let parts = thing.parts.into_value().expect("a list");
    let ids: Vec<_> = parts
        .items
        .into_iter()
        .filter_map(|part| part.id.into_value())
        .collect();
    assert_eq!((ids.join(" ").as_str(), parts.length), ("a b c", 7));
}

#[test]
fn a_list_without_end_costs_little() {
    let items = |count: usize| vec![r#""a""#; count].join(",");
    let thing = read(&format!(r#"{{"parts":[{}]}}"#, items(MAX_ITEMS + 5)));
    assert_eq!(
        unexpected(&thing),
        [("thing.parts", "too many items".to_owned())]
    );
    assert_eq!(
        thing
            .parts
            .into_value()
            .map(|parts| (parts.items.len(), parts.length)),
        Some((MAX_ITEMS, MAX_ITEMS + 5))
    );
}

#[test]
fn xml_is_read_as_json_is() {
    let xml = "<r><name a=\"b\">x &amp; y</name><count>7</count><parts><id>a</id></parts><parts>\
               <id>b</id></parts><time/></r>";
    let mut thing = Field::<Thing>::Absent;
    (&mut thing)
        .deserialize(&mut quick_xml::de::Deserializer::from_str(xml))
        .expect("XML");
    let thing = thing.into_value().expect("an object");
    assert_eq!(
        (
            thing.name.value().map(String::as_str),
            thing.count.value(),
            unexpected(&thing)
        ),
        (Some("x & y"), Some(&7), vec![])
    );
    assert_eq!(thing.parts.into_value().map(|parts| parts.length), Some(2));
}
