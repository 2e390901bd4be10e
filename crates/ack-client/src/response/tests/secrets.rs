//! Responses that repeat the secrets of the request.

use super::*;

#[test]
fn an_error_that_repeats_the_request_reveals_no_secret() {
    let filler = "x".repeat(240);
    let body = format!(
        r#"{{"Code":"SignatureDoesNotMatch","Message":"server string to sign is {filler} x-acs-security-token:hunter2token hunter2secret"}}"#
    );
    let error = error(400, &body);
    assert!(!format!("{error:?} {error}").contains("hunter"), "{error}");
}

#[test]
fn a_response_that_repeats_the_request_reveals_no_secret() {
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
fn invalid_utf8_does_not_hide_a_secret_in_a_response() {
    let body = b"{\"left_out\":\"\x97\",\"status\":\"was hunter2token\"}";
    let answer = bytes(200, &[], body).expect("an answer all the same");
    assert_eq!(answer.status.as_deref(), Some("was <secret>"));
}

#[test]
fn a_header_that_repeats_the_request_reveals_no_secret() {
    for body in ["", r#"{"code":"InternalError"}"#] {
        let error =
            reply(500, &[("x-acs-request-id", "for hunter2token")], body).expect_err("an error");
        assert_eq!(error.request_id.as_deref(), Some("for <secret>"));
    }
}

#[test]
fn an_xml_error_that_repeats_the_request_is_still_decoded() {
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
