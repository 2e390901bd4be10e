//! Bodies in XML, which the API sends to clients that do not accept JSON.

use quick_xml::escape::escape;
use serde_json::Value;

/// Renders `value` as an element called `root`. The items of a list become elements of the same
/// name.
pub(crate) fn render(root: &str, value: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match value {
        // A document has one root, even around a bare list.
        Value::Array(_) => element(&mut out, root, &serde_json::json!({"item": value})),
        _ => element(&mut out, root, value),
    }
    out
}

fn element(out: &mut String, name: &str, value: &Value) {
    if let Value::Array(items) = value {
        for item in items {
            element(out, name, item);
        }
        return;
    }
    out.extend(["<", name, ">"]);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                element(out, name, value);
            }
        }
        Value::String(text) => out.push_str(&escape(text)),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    out.extend(["</", name, ">"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_nest_lists_repeat_and_text_is_escaped() {
        let value = serde_json::json!({"status": "a<b", "upgrade_task": {"message": null}, "tags": [1, true]});
        let xml = render("R", &value);
        assert_eq!(
            xml.lines().nth(1),
            Some(
                "<R><status>a&lt;b</status><upgrade_task><message></message></upgrade_task>\
                 <tags>1</tags><tags>true</tags></R>"
            )
        );
        let list = render("R", &serde_json::json!([{"a": 1}, {"a": 2}]));
        assert_eq!(
            list.lines().nth(1),
            Some("<R><item><a>1</a></item><item><a>2</a></item></R>")
        );
    }
}
