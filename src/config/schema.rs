//! The JSON Schema of the file, for editors. Keys, forms and descriptions come from the raw types;
//! here is what the readers refuse beyond that, as far as JSON Schema can say it. Compiled for
//! tests only, one of which writes the file.

use std::borrow::Cow;

use ack_client::RateLimit;
use exporter_toolkit::yaml::duration;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::account::{DEFAULT_CONCURRENCY, default_task_types};
use super::discovery::DEFAULT_INTERVAL;
use super::duration::Friendly;
use super::{Metrics, RESERVED_LABELS, Scrape, raw};

const FILE: &str = "deploy/config.schema.json";

/// Scheme, host and port of a server, with nothing behind them.
pub(super) const SERVER: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+/?$";

const PROXY: &str = r"^[Hh][Tt][Tt][Pp][Ss]?://([^/?#@\s]+@)?[^/?#@\s]+/?$";

/// Every form that is read, and a few that are not, such as units in the wrong order.
const DURATION: &str = concat!(
    r"^\s*\+?\s*(([0-9]+([.,][0-9]+)?\s*",
    "(weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|milliseconds?|millis?|msecs?|ms",
    "|microseconds?|micros?|[uµμ]secs?|[uµμ]s|nanoseconds?|nanos?|nsecs?|ns)",
    r",?\s*)+([0-9]+:[0-9]+:[0-9]+([.,][0-9]+)?)?|[0-9]+:[0-9]+:[0-9]+([.,][0-9]+)?|[Pp][0-9WwDdTtHhMmSs.,]+)\s*$"
);

fn generate() -> Value {
    let settings =
        SchemaSettings::draft07().with_transform(RecursiveTransform(without_null_default));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<raw::File>();
    schema.insert(
        "title".to_owned(),
        "Configuration of ack-upgrade-exporter".into(),
    );
    schema.to_value()
}

/// That an optional key is `null` by default tells nobody anything.
fn without_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

pub(super) fn file(schema: &mut Schema) {
    require(schema, "accounts");
    refine(schema, "accounts", &json!({ "minItems": 1 }));
    solid_items(schema, "accounts");
}

pub(super) fn scrape(schema: &mut Schema) {
    let Scrape {
        timeout,
        timeout_offset,
        cache_ttl,
        max_age,
        idle_interval,
    } = Scrape::default();
    for (key, default) in [
        ("timeout", timeout),
        ("timeout_offset", timeout_offset),
        ("cache_ttl", cache_ttl),
        ("max_age", max_age),
        ("idle_interval", idle_interval),
    ] {
        refine(
            schema,
            key,
            &json!({ "default": duration::format(default) }),
        );
    }
    above_zero(schema, "timeout");
}

pub(super) fn metrics(schema: &mut Schema) {
    let Metrics { cluster_label, .. } = Metrics::default();
    let pattern = format!("^{cluster_label}$|{}", label_pattern());
    refine(
        schema,
        "cluster_label",
        &json!({ "default": cluster_label, "pattern": pattern }),
    );
    refine(schema, "error_message", &json!({ "default": true }));
    refine(schema, "state_sets", &json!({ "default": "full" }));
}

pub(super) fn account(schema: &mut Schema) {
    require(schema, "name");
    refine(
        schema,
        "name",
        &json!({ "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$", "minLength": 1, "maxLength": 64 }),
    );
    refine(schema, "source", &json!({ "default": "auto" }));
    refine(
        schema,
        "task_types",
        &json!({ "default": default_task_types(), "contains": { "type": "string", "pattern": r"\S" } }),
    );
    refine(schema, "signature", &json!({ "default": "acs3" }));
    refine(schema, "network", &json!({ "default": "public" }));
    refine(schema, "endpoint", &json!({ "pattern": SERVER }));
    refine(schema, "proxy", &json!({ "pattern": PROXY }));
    refine(
        schema,
        "max_concurrency",
        &json!({ "default": DEFAULT_CONCURRENCY, "minimum": 1, "maximum": u32::MAX }),
    );
    solid_items(schema, "clusters");
    let some_clusters = json!({ "required": ["clusters"], "properties": { "clusters": { "type": "array", "minItems": 1 } } });
    also(
        schema,
        json!({ "anyOf": [some_clusters, present("discovery")] }),
    );
    let fixed = json!({ "type": "string", "not": { "pattern": r"\{region\}" } });
    also(
        schema,
        json!({
            "if": { "required": ["endpoint"], "properties": { "endpoint": fixed } },
            "else": { "properties": { "clusters": { "items": present("region") } } },
        }),
    );
}

pub(super) fn rate_limit(schema: &mut Schema) {
    let RateLimit {
        requests_per_second,
        burst,
    } = RateLimit::default();
    refine(
        schema,
        "requests_per_second",
        &json!({ "default": requests_per_second, "exclusiveMinimum": 0 }),
    );
    refine(
        schema,
        "burst",
        &json!({ "default": burst, "minimum": 1, "maximum": u32::MAX }),
    );
}

pub(super) fn discovery(schema: &mut Schema) {
    require(schema, "regions");
    refine(
        schema,
        "regions",
        &json!({ "minItems": 1, "uniqueItems": true, "items": { "type": "string", "pattern": REGION } }),
    );
    refine(
        schema,
        "refresh_interval",
        &json!({ "default": duration::format(DEFAULT_INTERVAL) }),
    );
    above_zero(schema, "refresh_interval");
}

pub(super) fn cluster(schema: &mut Schema) {
    require(schema, "id");
    refine(schema, "id", &json!({ "pattern": "^[A-Za-z0-9_-]{1,64}$" }));
    refine(schema, "region", &json!({ "pattern": REGION }));
    refine(
        schema,
        "labels",
        &json!({ "propertyNames": { "pattern": label_pattern() } }),
    );
}

const REGION: &str = "^[a-z0-9-]{1,64}$";

fn label_pattern() -> String {
    format!(
        "^(?!__)(?!(?:{})$)[a-zA-Z_][a-zA-Z0-9_]*$",
        RESERVED_LABELS.join("|")
    )
}

fn above_zero(schema: &mut Schema, key: &str) {
    refine(
        schema,
        key,
        &json!({ "type": ["string", "null"], "allOf": [{ "pattern": "[1-9]", "patternErrorMessage": "must be above 0" }] }),
    );
}

/// Holds where `key` has a value: elsewhere, `null` is as good as nothing.
pub(super) fn present(key: &str) -> Value {
    json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } })
}

/// Asks for `key`, and that it is not `null`.
pub(super) fn require(schema: &mut Schema, key: &str) {
    solid(property(schema, key));
    let required = schema
        .ensure_object()
        .entry("required")
        .or_insert_with(|| json!([]));
    required
        .as_array_mut()
        .expect("required is a list")
        .push(key.into());
}

/// Adds to what the value of `key` must be.
pub(super) fn refine(schema: &mut Schema, key: &str, rule: &Value) {
    let rule = rule.as_object().expect("a rule is a mapping").clone();
    property(schema, key)
        .as_object_mut()
        .expect("a property's schema is a mapping")
        .extend(rule);
}

/// Adds a rule about several keys.
pub(super) fn also(schema: &mut Schema, rule: Value) {
    let rules = schema
        .ensure_object()
        .entry("allOf")
        .or_insert_with(|| json!([]));
    rules.as_array_mut().expect("allOf is a list").push(rule);
}

fn property<'a>(schema: &'a mut Schema, key: &str) -> &'a mut Value {
    schema
        .pointer_mut(&format!("/properties/{key}"))
        .unwrap_or_else(|| panic!("there is no key {key}"))
}

fn solid_items(schema: &mut Schema, key: &str) {
    solid(&mut property(schema, key)["items"]);
}

/// Takes `null` from what a value may be: `type` then names one form, and `anyOf` leaves one.
fn solid(value: &mut Value) {
    let schema = value.as_object_mut().expect("a schema of its own");
    if let Some(Value::Array(mut types)) = schema.remove("type") {
        types.retain(|kind| kind != "null");
        schema.insert("type".to_owned(), types.remove(0));
    }
    if let Some(Value::Array(mut forms)) = schema.remove("anyOf") {
        forms.retain(|form| form["type"] != "null");
        schema.insert("allOf".to_owned(), forms.into());
    }
}

impl JsonSchema for Friendly {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": DURATION,
            // What editors show in place of the pattern; others pass over it.
            "patternErrorMessage": "must be a duration such as 500ms, 10s, 5m or 1h30m",
            "minimum": 0,
            "maximum": 0,
        })
    }
}

#[test]
fn the_schema_for_editors_is_that_of_the_types() {
    let generated = serde_json::to_string_pretty(&generate()).expect("a schema is JSON") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, generated).expect("writes the schema");
    } else {
        let written = std::fs::read_to_string(FILE).expect("the schema");
        assert!(
            written == generated,
            "{FILE} is not what the types say: UPDATE=1 cargo test --lib config::schema"
        );
    }
}

#[test]
fn the_schema_takes_the_durations_that_the_program_takes() {
    let pattern = regex_lite::Regex::new(DURATION).expect("a pattern");
    for text in [
        "500ms",
        "10s",
        "5m",
        "1h30m",
        "1.5s",
        "1d",
        "2 weeks",
        "1 hour, 30 minutes",
        "PT5M",
        " 10s ",
        "+3µs",
        "01:30:00",
    ] {
        assert!(
            duration::parse(text).is_ok() && pattern.is_match(text),
            "{text}"
        );
    }
    for text in ["", "10", "soon", "-5s", "1y", "s", "1 fortnight", "5m ago"] {
        assert!(
            duration::parse(text).is_err() && !pattern.is_match(text),
            "{text}"
        );
    }
    proptest::proptest!(|(text in "[0-9]{1,2}[0-9 .,:PTWDHMSwdhmsuµinec+]{0,7}")| {
        proptest::prop_assert!(duration::parse(&text).is_err() || pattern.is_match(&text), "{}", text);
    });
}
