//! Errors of the API and of others.

use super::*;

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
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><RequestId>R</RequestId>\
                 <HostId>h</HostId><Code>{code}</Code><Message>m</Message></Error>"
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
fn an_error_field_of_another_type_costs_that_field_alone() {
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
fn a_refusal_that_is_not_the_apis_says_nothing_about_credentials() {
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
fn retry_after_is_read_in_its_unit() {
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
            .ends_with("our clock is 1200 s ahead of the API's"),
        "{}",
        error.message
    );
}
