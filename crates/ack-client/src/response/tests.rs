//! Responses of the API, of proxies and of other systems.

mod errors;
mod secrets;

use std::time::Duration;

use serde::de::{IgnoredAny, MapAccess};

use super::*;
use crate::decode::{Field, Keyword, lenient_object};
use crate::error::{ErrorKind, Reason};
use crate::secret::Secret;

lenient_object! {
    struct SampleStatus at "" {
        status: Keyword = "status",
        upgrade_task: SampleTask = "upgrade_task",
    }
}

lenient_object! {
    struct SampleTask at "upgrade_task." {
        status: Keyword = "status",
    }
}

impl ResponseObject for SampleStatus {}

/// The number of items of a response that is a list.
#[derive(Debug, Default)]
struct ItemCount(usize);

impl LenientObject for ItemCount {
    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, _: &mut A) -> Result<FieldRead, A::Error> {
        Ok(FieldRead::Unclaimed)
    }
}

impl ResponseObject for ItemCount {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        keys == KnownKeys::SomeUsable
    }

    fn read_list<'de, A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<FieldRead, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {
            self.0 += 1;
        }
        Ok(FieldRead::Usable)
    }
}

/// The values of a decoded response.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    status: Option<String>,
    task_status: Option<String>,
}

impl From<SampleStatus> for Decoded {
    fn from(wire: SampleStatus) -> Self {
        let text = |word: Field<Keyword>| word.into_value().map(|Keyword(text)| text);
        Self {
            status: text(wire.status),
            task_status: wire
                .upgrade_task
                .into_value()
                .and_then(|task| text(task.status)),
        }
    }
}

fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Decoded, ApiError> {
    bytes(status, headers, body.as_bytes())
}

fn bytes(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Result<Decoded, ApiError> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response
        .body(Bytes::copy_from_slice(body))
        .expect("a response");
    let now = "2026-11-23T08:00:00Z".parse().expect("a time");
    decode::<SampleStatus>(Operation::GetUpgradeStatus, &response, now, &credential())
        .map(Decoded::from)
}

fn credential() -> Credential {
    Credential {
        access_key_id: "LTAI5tTest".to_owned(),
        access_key_secret: Secret::new("hunter2secret"),
        security_token: Some(Secret::new("hunter2token")),
        expires_at: None,
    }
}

fn error(status: u16, body: &str) -> ApiError {
    reply(status, &[], body).expect_err(body)
}

#[test]
fn json_and_xml_are_decoded_alike() {
    let expected = Decoded {
        status: Some("running".to_owned()),
        task_status: Some("Success".to_owned()),
    };
    for body in [
        r#"{"status": "running", "upgrade_task": {"status": "Success", "more": []}, "extra": 1}"#,
        "\u{feff}\n {\"status\":\"running\",\"upgrade_task\":{\"status\":\"Success\"}}",
        "<?xml version=\"1.0\"?><GetUpgradeStatusResponse><status>running</status><upgrade_task>\
         <message/><status>Success</status></upgrade_task></GetUpgradeStatusResponse>",
        "<GetUpgradeStatusResponse>\n  <status>running</status>\n  <upgrade_task>\n    \
         <status>Success</status>\n  </upgrade_task>\n</GetUpgradeStatusResponse>",
    ] {
        assert_eq!(reply(200, &[], body).expect(body), expected, "{body}");
    }
}

#[test]
fn a_response_of_another_system_is_a_decode_failure() {
    let deep = format!("{}{}", r#"{"status":"#.repeat(200_000), "}".repeat(200_000));
    let deep_list = format!(r#"{{"x":{}"#, "[".repeat(200_000));
    let deep_xml = "<a>".repeat(200_000);
    for body in [
        "",
        " ",
        "null",
        "[]",
        "[\"running\"]",
        "\"running\"",
        "7",
        "{",
        "{\"status\":",
        "{\"status\": 5}",
        "{\"status\": {}}",
        "{\"upgrade_task\": \"x\"}",
        "<html><body>hi</body></html>",
        "<!DOCTYPE html><p>",
        "<a><b></a>",
        "<",
        "upstream error",
        "\u{0}\u{1}",
        &deep,
        &deep_list,
        &deep_xml,
    ] {
        let error = error(200, body);
        assert_eq!(
            error.kind,
            ErrorKind::Decode,
            "{}: {error}",
            body.chars().take(40).collect::<String>()
        );
        assert!(error.message.len() < 120, "{}", error.message);
    }
}

#[test]
fn a_list_is_decoded_if_the_operation_reads_one() {
    let decoded = |body: &str| {
        let response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        let now = "2026-11-23T08:00:00Z".parse().expect("a time");
        let operation = Operation::DescribeKubernetesVersionMetadata;
        decode::<ItemCount>(operation, &response, now, &credential()).map(|list| list.0)
    };
    for (body, count) in [("[]", 0), (" [\"a\", {\"b\": [1]}]", 2)] {
        assert_eq!(decoded(body).ok(), Some(count), "{body}");
    }
    for body in ["{}", "[", "[1,]", "[emerg] out of memory"] {
        let error = decoded(body).expect_err(body);
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    assert_eq!(
        decoded(&deep).expect_err("too deep").message,
        "JSON that nests more than 128 deep"
    );
}

#[test]
fn an_error_with_a_success_status_is_an_error() {
    assert_eq!(
        error(
            200,
            r#"{"code": "ErrorClusterNotFound", "message": "cluster not found"}"#
        )
        .kind,
        ErrorKind::ClusterNotFound
    );
    assert_eq!(
        error(200, "<Error><Code>Throttling.User</Code></Error>").kind,
        ErrorKind::Throttled
    );
    assert_eq!(
        reply(200, &[], "{}").expect("nothing was started"),
        Decoded::default()
    );
}

#[test]
fn a_success_code_is_neither_an_error_nor_a_response() {
    for code in [
        "0",
        "200",
        "\"\"",
        "\"0\"",
        "\"200\"",
        "\"OK\"",
        "\"Success\"",
        "null",
        "{}",
    ] {
        let answer = reply(
            200,
            &[],
            &format!(r#"{{"code": {code}, "status": "running"}}"#),
        )
        .expect(code);
        assert_eq!(answer.status.as_deref(), Some("running"), "{code}");
        assert_eq!(
            error(
                200,
                &format!(r#"{{"code": {code}, "data": {{"status": "running"}}}}"#)
            )
            .kind,
            ErrorKind::Decode,
            "{code}"
        );
    }
}

#[test]
fn a_code_is_an_error_whatever_other_fields_there_are() {
    for (code, kind) in [
        ("\"ErrorClusterNotFound\"", ErrorKind::ClusterNotFound),
        ("404", ErrorKind::Foreign),
        ("\"403\"", ErrorKind::Foreign),
        ("429", ErrorKind::Throttled),
        ("5001", ErrorKind::Foreign),
        ("-1", ErrorKind::Rejected),
        ("\"503\"", ErrorKind::Server),
    ] {
        for body in [
            format!(r#"{{"code": {code}, "status": "running"}}"#),
            format!(r#"{{"status": 404, "Code": {code}, "message": "m"}}"#),
        ] {
            let error = error(200, &body);
            assert_eq!(
                (error.kind, error.code.as_deref()),
                (kind, Some(code.trim_matches('"'))),
                "{body}"
            );
        }
    }
}

#[test]
fn the_keys_of_another_systems_response_are_shown_in_short_and_without_secrets() {
    let keys: Vec<_> = (0..50)
        .map(|number| format!(r#""a_long_key_of_number_{number}": 1"#))
        .collect();
    for body in [
        format!(r#"{{"hunter2token": 1, {}}}"#, keys.join(",")),
        format!(r#"{{"\u0068unter2token": 1, {}}}"#, keys.join(",")),
    ] {
        let message = error(200, &body).message;
        assert!(
            message.starts_with(
                "JSON that is not an answer of GetUpgradeStatus; its keys: <secret>, a_long_key"
            ),
            "{message}"
        );
        assert!(message.ends_with(", …") && message.len() < 200, "{message}");
    }
}

#[test]
fn a_lone_surrogate_costs_its_text_alone() {
    for (json, expected) in [
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"a\ud800", "a\u{fffd}"),
        (
            r"\uDC00\uD800\uD83D\uDE00\ud800x",
            "\u{fffd}\u{fffd}\u{1f600}\u{fffd}x",
        ),
        (r"\\ud800", r"\ud800"),
        (r"\ud800\n", "\u{fffd}\n"),
    ] {
        let answer = reply(200, &[], &format!(r#"{{"status": "{json}"}}"#)).expect(json);
        assert_eq!(answer.status.as_deref(), Some(expected), "{json}");
    }
    assert_eq!(error(200, r#"{"status": "\ud8"#).kind, ErrorKind::Decode);
    assert_eq!(error(200, r#"{"status": "\ud800\"#).kind, ErrorKind::Decode);
}

#[test]
fn json_that_nests_too_deep_is_refused_in_any_field() {
    let nested = |levels: usize| {
        format!(
            r#"{{"status": "running", "x": "]\"]", "y": {}{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    for (body, is_good) in [
        (nested(127), true),
        (nested(128), false),
        (nested(200_000), false),
        (format!(r#"{{"status": "{}"}}"#, "[".repeat(1000)), true),
        (format!(r#"{{"status": "\"{}"}}"#, "{".repeat(1000)), true),
        (
            format!(
                r#"{{"status": "x", "a": [{}]}}"#,
                vec!["[]"; 1000].join(",")
            ),
            true,
        ),
    ] {
        assert_eq!(
            reply(200, &[], &body).is_ok(),
            is_good,
            "{}",
            &body[..80.min(body.len())]
        );
    }
}
