//! The JSON Schema of the file, for editors. Keys, forms, defaults and descriptions come from the
//! types; this module adds the rules for several keys, as far as JSON Schema can express them. It
//! is compiled for tests only, one of which writes the file.

use std::borrow::Cow;

use exporter_toolkit::yaml::duration;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::{Map, Value, json};

use super::credentials::{ACCESS_KEY, Kind};
use super::duration::{Friendly, SessionDuration};
use super::{Config, LABELS_BESIDE_CLUSTER, Metrics, RESERVED_LABELS};

const FILE: &str = "deploy/config.schema.json";

pub(super) const REGION: &str = "^[a-z0-9-]{1,64}$";

/// A pattern for every form that is read, and for a few that are not, such as units in the wrong
/// order.
const DURATION: &str = concat!(
    r"^\s*\+?\s*(([0-9]+([.,][0-9]+)?\s*",
    "(weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|milliseconds?|millis?|msecs?|ms",
    "|microseconds?|micros?|[uµμ]secs?|[uµμ]s|nanoseconds?|nanos?|nsecs?|ns)",
    r",?\s*)+([0-9]+:[0-9]+:[0-9]+([.,][0-9]+)?)?|[0-9]+:[0-9]+:[0-9]+([.,][0-9]+)?|[Pp][0-9WwDdTtHhMmSs.,]+)\s*$"
);

fn generate() -> Value {
    let settings = SchemaSettings::draft07()
        .with_transform(RecursiveTransform(plain_defaults))
        .with_transform(RecursiveTransform(null_is_absent));
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert(
        "title".to_owned(),
        "Configuration of ack-upgrade-exporter".into(),
    );
    schema.to_value()
}

/// Removes defaults without information: `null`, empty lists, and mappings, whose keys have their
/// own. Removes `writeOnly` as well, which is about `/config` and not about the file.
fn plain_defaults(schema: &mut Schema) {
    match schema.get("default") {
        Some(Value::Null | Value::Object(_)) => schema.remove("default"),
        Some(Value::Array(items)) if items.is_empty() => schema.remove("default"),
        _ => None,
    };
    schema.remove("writeOnly");
}

/// Allows `null` for every optional key.
fn null_is_absent(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if object.get("additionalProperties") != Some(&json!(false)) {
        return;
    }
    let required = object.get("required").cloned().unwrap_or(json!([]));
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    for (key, property) in properties.into_iter().flatten() {
        let is_required = required
            .as_array()
            .is_some_and(|keys| keys.iter().any(|required| required == key));
        if let Some(property) = property.as_object_mut()
            && !is_required
        {
            take_null(property);
        }
    }
}

fn take_null(property: &mut Map<String, Value>) {
    if let Some(Value::String(only)) = property.get("type") {
        property["type"] = json!([only, "null"]);
    }
    // schemars puts a reference beside other rules into `allOf`.
    let Some(Value::Array(mut rules)) = property.remove("allOf") else {
        return;
    };
    if let Some(index) = rules.iter().position(|rule| rule.get("$ref").is_some()) {
        let reference = rules.remove(index);
        property.insert("anyOf".to_owned(), json!([reference, { "type": "null" }]));
    }
    if !rules.is_empty() {
        property.insert("allOf".to_owned(), rules.into());
    }
}

pub(super) fn config(schema: &mut Schema) {
    require(schema, "accounts");
}

pub(super) fn discovery(schema: &mut Schema) {
    require(schema, "regions");
}

/// A duration that is not zero.
pub(super) fn above_zero(schema: &mut Schema) {
    schema.insert("type".to_owned(), "string".into());
    also(
        schema,
        json!({ "pattern": "[1-9]", "patternErrorMessage": "must be above 0" }),
    );
}

pub(super) fn filled() -> Value {
    json!({ "type": "string", "pattern": r"\S" })
}

pub(super) fn label() -> String {
    label_besides(RESERVED_LABELS)
}

pub(super) fn cluster_label() -> String {
    let Metrics { cluster_label, .. } = Metrics::default();
    let taken = [RESERVED_LABELS, LABELS_BESIDE_CLUSTER].concat();
    format!("^{cluster_label}$|{}", label_besides(&taken))
}

fn label_besides(taken: &[&str]) -> String {
    format!("^(?!__)(?!(?:{})$)[a-zA-Z_][a-zA-Z0-9_]*$", taken.join("|"))
}

pub(super) fn account(schema: &mut Schema) {
    let some_clusters = json!({
        "required": ["clusters"],
        "properties": { "clusters": { "type": "array", "minItems": 1 } },
    });
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

/// Splits the mapping with all keys into one mapping for each type.
pub(super) fn credentials(schema: &mut Schema) {
    let types = schema_for!(Kind).to_value();
    let types = types["oneOf"].as_array().expect("an enum has variants");
    let properties = schema.get("properties").expect("a mapping has keys");
    let one = types
        .iter()
        .zip(Kind::ALL)
        .map(|(written, kind)| credentials_of(kind, &written["description"], properties));
    *schema = json_schema!({ "oneOf": one.collect::<Vec<_>>() });
}

fn credentials_of(kind: Kind, description: &Value, properties: &Value) -> Schema {
    let mut own = Map::new();
    for key in kind.keys() {
        own.insert((*key).to_owned(), properties[key].clone());
    }
    let names = match kind {
        Kind::Default => json!([kind.name(), null]),
        _ => json!([kind.name()]),
    };
    own.insert("type".to_owned(), json!({ "enum": names }));
    let mut schema = json_schema!({
        "title": kind.name(),
        "description": description,
        "type": "object",
        "properties": own,
        "additionalProperties": false,
    });
    if kind != Kind::Default {
        require(&mut schema, "type");
    }
    if let Some(key) = kind.required() {
        require(&mut schema, key);
    }
    if kind == Kind::AccessKey {
        for rule in whole_key() {
            also(&mut schema, rule);
        }
    }
    if kind == Kind::RamRoleArn {
        let mut rules = vec![
            present("access_key_id"),
            json!({ "not": present("source") }),
        ];
        rules.extend(whole_key());
        let beside: Vec<_> = ACCESS_KEY.iter().map(|key| present(key)).collect();
        also(
            &mut schema,
            json!({ "if": { "anyOf": beside }, "then": { "allOf": rules } }),
        );
    }
    schema
}

/// The rules for an access key: its secret in exactly one place, its token in at most one.
fn whole_key() -> [Value; 2] {
    [
        json!({ "oneOf": [present("access_key_secret"), present("access_key_secret_file")] }),
        json!({ "not": { "allOf": [present("security_token"), present("security_token_file")] } }),
    ]
}

/// A rule that holds if `key` has a value; `null` counts as absent.
fn present(key: &str) -> Value {
    json!({ "required": [key], "properties": { key: { "not": { "type": "null" } } } })
}

/// Requires `key`, with a value other than `null`.
fn require(schema: &mut Schema, key: &str) {
    if let Some(Value::Array(types)) = schema.pointer_mut(&format!("/properties/{key}/type")) {
        types.retain(|kind| kind != "null");
    }
    let required = schema
        .ensure_object()
        .entry("required")
        .or_insert_with(|| json!([]));
    required
        .as_array_mut()
        .expect("required is a list")
        .push(key.into());
}

/// Adds a rule to the schema.
fn also(schema: &mut Schema, rule: Value) {
    let rules = schema
        .ensure_object()
        .entry("allOf")
        .or_insert_with(|| json!([]));
    rules.as_array_mut().expect("allOf is a list").push(rule);
}

impl JsonSchema for Friendly {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": DURATION,
            // Editors show it in place of the pattern; validators ignore it.
            "patternErrorMessage": "must be a duration such as 500ms, 10s, 5m or 1h30m",
            "minimum": 0,
            "maximum": 0,
        })
    }
}

impl JsonSchema for SessionDuration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SessionDuration".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Friendly>()
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
