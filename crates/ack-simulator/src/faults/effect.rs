//! What each fault does to a reply.

use http::StatusCode;
use serde_json::Value;

use super::{ErrorBody, Fault, Repeat};
use crate::Action;
use crate::auth::{Principal, PrincipalKind, clock_skew, nonce_used, token_expired};
use crate::error_response::{AccessDenied, Refusal};
use crate::request::Received;
use crate::response::{Manner, Reply};
use crate::xml;

/// What takes the place of the answer.
#[derive(Debug)]
pub(crate) enum Instead {
    Refusal(Refusal),
    /// A refusal in XML, whatever was asked for.
    XmlRefusal(Refusal),
    Reply(Reply),
}

/// How deep [`Fault::DeepNesting`] nests.
const DEPTH: usize = 200_000;

impl Fault {
    /// What takes the place of the answer to `action`, unless the fault works upon the answer
    /// itself.
    pub(crate) fn instead(
        &self,
        action: Action,
        caller: Option<&Principal>,
        received: &Received,
    ) -> Option<Instead> {
        let refusal = |refusal| Some(Instead::Refusal(refusal));
        let reply = |reply| Some(Instead::Reply(reply));
        match self {
            Self::Throttled {
                status,
                retry_after,
            } => refusal(Refusal {
                retry_after: *retry_after,
                ..throttled(status_code(*status))
            }),
            Self::ServerError { status, body } => match body {
                ErrorBody::Json => refusal(Refusal::service(
                    status_code(*status),
                    "InternalError",
                    "an internal error has occurred",
                )),
                ErrorBody::Nothing => reply(Reply::new(status_code(*status), "text/plain", "")),
                ErrorBody::Html => reply(proxy_page(status_code(*status))),
            },
            Self::Hang => reply(Reply::unseen(Manner::Hang)),
            Self::Reset => reply(Reply::unseen(Manner::Reset)),
            Self::Huge(framing) => reply(Reply::unseen(Manner::Huge(*framing))),
            Self::Malformed => reply(json("{\"status\":\"running\",\"upgrade_step\":\"upgr")),
            Self::Garbage => reply(json(&[0x1f, 0x8b, 0x00, 0xff, 0xfe, 0x7b][..])),
            Self::HtmlPage => reply(proxy_page(StatusCode::OK)),
            Self::DeepNesting => reply(json(format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)))),
            Self::Redirect(location) => {
                reply(Reply::new(StatusCode::FOUND, "text/html", "").header("location", location))
            }
            Self::XmlError => Some(Instead::XmlRefusal(Refusal::gateway(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            ))),
            Self::EmptyBody => reply(json("")),
            Self::ProxyPage(status) => reply(proxy_page(status_code(*status))),
            Self::ExpiredToken => refusal(token_expired()),
            Self::NonceUsed => refusal(nonce_used()),
            Self::ClockSkew => refusal(clock_skew()),
            Self::Forbidden => refusal(forbidden(action, caller)),
            Self::Repeat(Repeat::Error) => refusal(Refusal::gateway(
                StatusCode::BAD_REQUEST,
                "SignatureDoesNotMatch",
                format!(
                    "Specified signature is not matched with our calculation. It was sent: {}",
                    received.text()
                ),
            )),
            Self::Repeat(Repeat::Answer)
            | Self::Slow(_)
            | Self::Truncated
            | Self::Drip(_)
            | Self::WrongTypes
            | Self::XmlReply
            | Self::UnknownValues => None,
        }
    }

    /// Whether the answer looks good and is not so.
    pub(crate) fn is_a_lie(&self) -> bool {
        matches!(self, Self::UnknownValues | Self::Repeat(Repeat::Answer))
    }

    /// Works upon the answer.
    pub(crate) fn spoil(&self, action: Action, received: &Received, mut reply: Reply) -> Reply {
        match self {
            Self::Slow(duration) => reply.delay += *duration,
            Self::Truncated => reply.manner = Manner::Truncated,
            Self::Drip(interval) => reply.manner = Manner::Drip(*interval),
            Self::WrongTypes => return rewrite(reply, wrong_type),
            Self::UnknownValues => return rewrite(reply, |value| unknown_value("", value)),
            Self::Repeat(Repeat::Answer) => {
                return rewrite(reply, |value| repeated("", value, &received.text()));
            }
            Self::XmlReply => {
                if let Ok(value) = serde_json::from_slice(&reply.body) {
                    let root = format!("{}Response", action.as_str());
                    let plain = Reply::new(
                        reply.status,
                        "text/xml;charset=utf-8",
                        xml::render(&root, &value),
                    );
                    return Reply {
                        delay: reply.delay,
                        ..plain
                    };
                }
            }
            _ => {}
        }
        reply
    }
}

/// What RAM says to a caller that may not do `action`.
pub(crate) fn forbidden(action: Action, caller: Option<&Principal>) -> Refusal {
    let assumed = caller.is_some_and(|caller| caller.kind == PrincipalKind::AssumedRole);
    let (who, name, kind) = if assumed {
        ("STSToken", "demo-role:demo-session", "AssumedRoleUser")
    } else {
        ("RAM", "demo-user", "SubUser")
    };
    let auth_action = format!("cs:{}", action.as_str());
    let detail = AccessDenied {
        auth_action: auth_action.clone(),
        auth_principal_display_name: name.to_owned(),
        auth_principal_owner_id: "1000000000000001".to_owned(),
        auth_principal_type: kind.to_owned(),
        no_permission_type: "ImplicitDeny".to_owned(),
        policy_type: "AccountLevelIdentityBasedPolicy".to_owned(),
    };
    let message = format!("{who} policy Forbidden for action {auth_action}");
    Refusal {
        detail: Some(Box::new(detail)),
        ..Refusal::service(StatusCode::FORBIDDEN, "StatusForbidden", message)
    }
}

/// A page such as a proxy on the way sends.
pub(crate) fn proxy_page(status: StatusCode) -> Reply {
    let title = status.canonical_reason().unwrap_or("Welcome");
    Reply::new(
        status,
        "text/html",
        format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"),
    )
}

fn throttled(status: StatusCode) -> Refusal {
    let code = if status == StatusCode::TOO_MANY_REQUESTS {
        "Throttling.Api"
    } else {
        "Throttling.User"
    };
    Refusal::gateway(status, code, "Request was denied due to user flow control.")
}

fn json(body: impl Into<bytes::Bytes>) -> Reply {
    Reply::new(StatusCode::OK, "application/json;charset=utf-8", body)
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn rewrite(mut reply: Reply, change: impl Fn(&mut Value)) -> Reply {
    if let Ok(mut value) = serde_json::from_slice(&reply.body) {
        change(&mut value);
        reply.body = value.to_string().into();
    }
    reply
}

fn wrong_type(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(wrong_type),
        Value::Array(_) => *value = Value::String("a list, really".to_owned()),
        Value::String(_) | Value::Null => *value = serde_json::json!([42]),
        Value::Number(_) | Value::Bool(_) => *value = serde_json::json!({"value": true}),
    }
}

fn unknown_value(key: &str, value: &mut Value) {
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(key, value)| unknown_value(key, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| unknown_value(key, item)),
        Value::String(text) if ["status", "upgrade_step", "state"].contains(&key) => {
            "reticulating".clone_into(text);
        }
        _ => {}
    }
}

/// Puts `text` where an answer has text for people, and where it has a word that must be one of a
/// few.
fn repeated(key: &str, value: &mut Value, text: &str) {
    match value {
        Value::Object(fields) => {
            fields
                .iter_mut()
                .for_each(|(key, value)| repeated(key, value, text));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| repeated(key, item, text)),
        Value::String(old)
            if [
                "error_message",
                "message",
                "precheck_report_id",
                "report_id",
                "next_version",
                "name",
            ]
            .contains(&key) =>
        {
            text.clone_into(old);
        }
        Value::String(old) if ["status", "state"].contains(&key) && !old.is_empty() => {
            text.clone_into(old);
        }
        _ => {}
    }
}
