//! Replies of the vendor, of proxies and of nobody in particular, and what is made of them.

use std::time::Duration;

use super::*;
use crate::decode::{Field, Keyword, lenient_object};
use crate::error::{ErrorKind, Reason};
use crate::secret::Secret;

lenient_object! {
    struct StatusFields at "" {
        status: Keyword = "status",
        upgrade_task: TaskFields = "upgrade_task",
    }
}

lenient_object! {
    struct TaskFields at "upgrade_task." {
        status: Keyword = "status",
    }
}

impl ResponseObject for StatusFields {}

/// What an answer tells.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    status: Option<String>,
    task_status: Option<String>,
}

impl From<StatusFields> for Decoded {
    fn from(wire: StatusFields) -> Self {
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
    decode::<StatusFields>(Operation::GetUpgradeStatus, &response, now, &credential())
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
fn json_and_xml_say_the_same() {
    let expected = Decoded {
        status: Some("running".to_owned()),
        task_status: Some("Success".to_owned()),
    };
    for body in [
        r#"{"status": "running", "upgrade_task": {"status": "Success", "more": []}, "extra": 1}"#,
        "\u{feff}\n {\"status\":\"running\",\"upgrade_task\":{\"status\":\"Success\"}}",
        "<?xml version=\"1.0\"?><GetUpgradeStatusResponse><status>running</status><upgrade_task><message/><status>Success</status></upgrade_task></GetUpgradeStatusResponse>",
        "<GetUpgradeStatusResponse>\n  <status>running</status>\n  <upgrade_task>\n    <status>Success</status>\n  </upgrade_task>\n</GetUpgradeStatusResponse>",
    ] {
        assert_eq!(reply(200, &[], body).expect(body), expected, "{body}");
    }
}

#[test]
fn what_is_not_an_answer_is_a_decode_failure() {
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
fn an_error_under_a_good_status_is_an_error() {
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
fn a_code_that_says_that_all_is_well_is_no_error_and_no_answer() {
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
fn a_code_is_an_error_whatever_stands_beside_it() {
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
fn the_keys_of_another_systems_answer_are_told_in_short_and_without_secrets() {
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
fn halves_of_characters_cost_their_text_and_nothing_else() {
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
fn the_code_decides_before_the_status() {
    for (status, code, kind) in [
        (404, "ErrorClusterNotFound", ErrorKind::ClusterNotFound),
        (400, "Throttling", ErrorKind::Throttled),
        (400, "Throttling.User", ErrorKind::Throttled),
        (429, "Throttling.Api", ErrorKind::Throttled),
        (503, "Rejected.Throttling", ErrorKind::Throttled),
        (400, "throttling.user", ErrorKind::Throttled),
        (403, "StatusForbidden", ErrorKind::Forbidden),
        (403, "Forbidden.RAM", ErrorKind::Forbidden),
        (400, "ErrorCheckAcl", ErrorKind::Forbidden),
        (404, "InvalidAccessKeyId.NotFound", ErrorKind::Credentials),
        (400, "InvalidAccessKeyId.Inactive", ErrorKind::Credentials),
        (403, "SignatureDoesNotMatch", ErrorKind::Credentials),
        (400, "IncompleteSignature", ErrorKind::Credentials),
        (400, "InvalidSecurityToken.Expired", ErrorKind::TokenExpired),
        (
            403,
            "InvalidSecurityToken.Malformed",
            ErrorKind::TokenExpired,
        ),
        (
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            ErrorKind::TokenExpired,
        ),
        (403, "InvalidSecurityToken", ErrorKind::Credentials),
        (400, "MissingSecurityToken", ErrorKind::Credentials),
        (400, "SignatureNonceUsed", ErrorKind::NonceUsed),
        (400, "InvalidTimeStamp.Expired", ErrorKind::Clock),
        (400, "IllegalTimestamp", ErrorKind::Clock),
        (503, "ServiceUnavailable", ErrorKind::Server),
        (500, "InternalError", ErrorKind::Server),
        (500, "ErrorQueryCluster", ErrorKind::Server),
        (404, "InvalidAction.NotFound", ErrorKind::OperationGone),
        (400, "InvalidApi.NotFound", ErrorKind::OperationGone),
        (400, "InvalidParameter", ErrorKind::Rejected),
        (400, "ErrorClusterState", ErrorKind::Rejected),
        (404, "Whatever", ErrorKind::Rejected),
        (401, "Whatever", ErrorKind::Credentials),
        (403, "Whatever", ErrorKind::Forbidden),
        (429, "Whatever", ErrorKind::Throttled),
        (502, "Whatever", ErrorKind::Server),
    ] {
        for body in [
            format!(r#"{{"code":"{code}","message":"m","requestId":"R","status":{status}}}"#),
            format!(
                r#"{{"Code":"{code}","Message":"m","RequestId":"R","HostId":"h","Recommend":"r"}}"#
            ),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><RequestId>R</RequestId><HostId>h</HostId><Code>{code}</Code><Message>m</Message></Error>"
            ),
        ] {
            let error = error(status, &body);
            assert_eq!(error.kind, kind, "{body}");
            assert_eq!(
                (
                    error.code.as_deref(),
                    error.request_id.as_deref(),
                    error.status
                ),
                (Some(code), Some("R"), Some(status)),
                "{body}"
            );
        }
    }
}

#[test]
fn a_field_of_another_shape_costs_an_error_nothing_else() {
    for body in [
        r#"{"code":"StatusForbidden","message":"m","requestId":"R","RequestId":"S"}"#,
        r#"{"code":"StatusForbidden","Code":"StatusForbidden","message":"m","requestId":"R"}"#,
        r#"{"code":"","Code":"StatusForbidden","message":"m","requestId":"R"}"#,
        r#"{"code":"StatusForbidden","message":"m","requestId":"R","accessDeniedDetail":"x"}"#,
        r#"{"code":"StatusForbidden","message":"m","requestId":"R","accessDeniedDetail":{"AuthAction":5}}"#,
        r#"{"code":"StatusForbidden","message":"m","requestId":["x"],"request_id":"R","Message":{}}"#,
    ] {
        let error = error(403, body);
        assert_eq!(
            (
                error.kind,
                error.code.as_deref(),
                error.request_id.as_deref()
            ),
            (ErrorKind::Forbidden, Some("StatusForbidden"), Some("R")),
            "{body}"
        );
        assert!(
            error.message.starts_with("m; RAM must allow cs:"),
            "{}",
            error.message
        );
    }
    assert_eq!(
        error(400, r#"{"code":"Throttling","message":5}"#).kind,
        ErrorKind::Throttled
    );
    assert_eq!(
        error(403, r#"{"code":5,"message":"m"}"#).kind,
        ErrorKind::Foreign
    );
}

#[test]
fn a_refusal_in_other_words_than_the_vendors_proves_nothing() {
    for (status, reason) in [
        (301, Reason::Other),
        (403, Reason::Other),
        (404, Reason::Other),
        (407, Reason::Other),
        (418, Reason::Other),
        (429, Reason::Throttled),
        (500, Reason::Server),
        (503, Reason::Server),
    ] {
        for body in [
            "",
            "<html>nginx</html>",
            "nope",
            "{}",
            "[1]",
            r#"{"error": "x"}"#,
        ] {
            assert_eq!(error(status, body).reason(), reason, "{status} {body}");
        }
    }
}

#[test]
fn the_request_id_is_kept_without_a_body() {
    let error = reply(502, &[("x-acs-request-id", "R-1")], "").expect_err("a bad gateway");
    assert_eq!(error.request_id.as_deref(), Some("R-1"));
    assert_eq!(
        error.to_string(),
        "GetUpgradeStatus: HTTP 502: an empty body (request R-1)"
    );
}

#[test]
fn the_vendors_wish_to_wait_is_read_in_its_units() {
    let wait = |headers: &[(&'static str, &str)]| {
        reply(429, headers, "").expect_err("throttled").retry_after
    };
    assert_eq!(
        wait(&[("x-acs-retry-after", "1500")]),
        Some(Duration::from_millis(1500))
    );
    assert_eq!(wait(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
    assert_eq!(
        wait(&[("x-acs-retry-after", "700"), ("retry-after", "2")]),
        Some(Duration::from_millis(700))
    );
    let sent = ("date", "Wed, 21 Oct 2026 07:27:56 GMT");
    assert_eq!(
        wait(&[sent, ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")]),
        Some(Duration::from_secs(4))
    );
    assert_eq!(
        wait(&[sent, ("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")]),
        None,
        "it is over"
    );
    assert_eq!(wait(&[("retry-after", "tomorrow")]), None);
    assert_eq!(wait(&[("retry-after", "-1")]), None);
}

#[test]
fn a_denial_names_the_action_that_ram_must_allow() {
    let body = r#"{"code":"StatusForbidden","message":"STSToken policy Forbidden for action cs:DescribeClustersForRegion","requestId":"R","status":403,"accessDeniedDetail":{"AuthAction":"cs:DescribeClustersForRegion","AuthPrincipalType":"AssumedRoleUser"}}"#;
    assert!(
        error(403, body)
            .message
            .ends_with("RAM must allow cs:DescribeClustersForRegion")
    );
    assert!(
        error(403, r#"{"code":"Forbidden","message":"no"}"#)
            .message
            .ends_with("RAM must allow cs:GetUpgradeStatus")
    );
}

#[test]
fn a_clock_that_is_off_is_reported_with_the_difference() {
    let body = r#"{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired."}"#;
    let error =
        reply(400, &[("date", "Mon, 23 Nov 2026 07:40:00 GMT")], body).expect_err("an old stamp");
    assert!(
        error
            .message
            .ends_with("our clock is 1200 s ahead of the vendor's"),
        "{}",
        error.message
    );
}

#[test]
fn a_vendor_that_repeats_what_was_sent_gives_no_secret_away() {
    let filler = "x".repeat(240);
    let body = format!(
        r#"{{"Code":"SignatureDoesNotMatch","Message":"server string to sign is {filler} x-acs-security-token:hunter2token hunter2secret"}}"#
    );
    let error = error(400, &body);
    assert!(!format!("{error:?} {error}").contains("hunter"), "{error}");
}

#[test]
fn an_answer_that_repeats_what_was_sent_gives_no_secret_away() {
    let answer = reply(
        200,
        &[],
        r#"{"status":"was hunter2token","upgrade_task":{"status":"and hunter2token"}}"#,
    )
    .expect("an answer");
    assert_eq!(answer.status.as_deref(), Some("was <secret>"));
    assert_eq!(answer.task_status.as_deref(), Some("and <secret>"));
}

#[test]
fn bytes_that_are_no_text_do_not_keep_a_secret_in_an_answer() {
    let body = b"{\"left_out\":\"\x97\",\"status\":\"was hunter2token\"}";
    let answer = bytes(200, &[], body).expect("an answer all the same");
    assert_eq!(answer.status.as_deref(), Some("was <secret>"));
}

#[test]
fn a_header_that_repeats_what_was_sent_gives_no_secret_away() {
    for body in ["", r#"{"code":"InternalError"}"#] {
        let error =
            reply(500, &[("x-acs-request-id", "for hunter2token")], body).expect_err("an error");
        assert_eq!(error.request_id.as_deref(), Some("for <secret>"));
    }
}

#[test]
fn an_error_in_xml_that_repeats_what_was_sent_is_still_understood() {
    let error = error(
        400,
        "<Error><Code>SignatureDoesNotMatch</Code><Message>was sent hunter2token</Message></Error>",
    );
    assert_eq!(
        (error.kind, error.message.as_str()),
        (
            ErrorKind::Credentials,
            "the access key secret is wrong: was sent <secret>"
        )
    );
    let answer = reply(
        200,
        &[],
        "<GetUpgradeStatusResponse><status>was hunter2token</status></GetUpgradeStatusResponse>",
    )
    .expect("an answer");
    assert_eq!(answer.status.as_deref(), Some("was <secret>"));
}

#[test]
fn json_that_nests_too_deep_is_refused_wherever_it_does() {
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
