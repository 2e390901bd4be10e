//! Changes to the values in a JSON body.

use serde_json::Value;

use crate::response::Response;

/// Applies `change` to the body, if it is JSON.
pub(super) fn rewrite(mut response: Response, change: impl Fn(&mut Value)) -> Response {
    if let Ok(mut value) = serde_json::from_slice(&response.body) {
        change(&mut value);
        response.body = value.to_string().into();
    }
    response
}

/// Gives every value another type.
pub(super) fn change_types(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(change_types),
        Value::Array(_) => *value = Value::String("a list, really".to_owned()),
        Value::String(_) | Value::Null => *value = serde_json::json!([42]),
        Value::Number(_) | Value::Bool(_) => *value = serde_json::json!({"value": true}),
    }
}

/// Replaces every state by one that is not documented.
pub(super) fn replace_states(value: &mut Value) {
    for_each_string(value, "", &|key, text| {
        if ["status", "upgrade_step", "state"].contains(&key) {
            "reticulating".clone_into(text);
        }
    });
}

/// Replaces free texts by `repeated`, and the values that must be one of a few.
pub(super) fn replace_texts(value: &mut Value, repeated: &str) {
    const TEXTS: [&str; 6] = [
        "error_message",
        "message",
        "precheck_report_id",
        "report_id",
        "next_version",
        "name",
    ];
    for_each_string(value, "", &|key, text| {
        let is_state = ["status", "state"].contains(&key) && !text.is_empty();
        if TEXTS.contains(&key) || is_state {
            repeated.clone_into(text);
        }
    });
}

/// Visits every string with the key of the object that it is in.
fn for_each_string(value: &mut Value, key: &str, visit: &impl Fn(&str, &mut String)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                for_each_string(value, key, visit);
            }
        }
        Value::Array(items) => {
            for item in items {
                for_each_string(item, key, visit);
            }
        }
        Value::String(text) => visit(key, text),
        _ => {}
    }
}
