//! The effect of each fault on a response.

use http::StatusCode;

use crate::action::Action;
use crate::auth::errors::{clock_skew, nonce_used, token_expired};
use crate::auth::{Principal, PrincipalKind};
use crate::error_response::{AccessDenied, ErrorResponse};
use crate::faults::rewrite::{change_types, replace_states, replace_texts, rewrite};
use crate::faults::{ErrorBody, Fault, RepeatIn};
use crate::request::ReceivedRequest;
use crate::response::{Delivery, Response};
use crate::xml;

/// A response in place of the right one.
#[derive(Debug)]
pub(crate) enum Replacement {
    Error(ErrorResponse),
    /// An error in XML, although JSON was accepted.
    XmlError(ErrorResponse),
    Response(Response),
}

/// Nested arrays of [`Fault::DeepNesting`].
const DEPTH: usize = 200_000;

impl Fault {
    /// The response in place of the right one, unless the fault changes the right one.
    pub(crate) fn replacement(
        &self,
        action: Action,
        caller: Option<&Principal>,
        request: &ReceivedRequest,
    ) -> Option<Replacement> {
        let error = |error| Some(Replacement::Error(error));
        let response = |response| Some(Replacement::Response(response));
        match self {
            Self::Throttled {
                status,
                retry_after,
            } => error(ErrorResponse {
                retry_after: *retry_after,
                ..throttled(status_code(*status))
            }),
            Self::ServerError { status, body } => match body {
                ErrorBody::Json => error(ErrorResponse::service(
                    status_code(*status),
                    "InternalError",
                    "an internal error has occurred",
                )),
                ErrorBody::Nothing => {
                    response(Response::new(status_code(*status), "text/plain", ""))
                }
                ErrorBody::Html => response(proxy_page(status_code(*status))),
            },
            Self::Hang => response(Response::undelivered(Delivery::Hang)),
            Self::Reset => response(Response::undelivered(Delivery::Reset)),
            Self::Huge(framing) => response(Response::undelivered(Delivery::Huge(*framing))),
            Self::Malformed => response(json("{\"status\":\"running\",\"upgrade_step\":\"upgr")),
            Self::Garbage => response(json(&[0x1f, 0x8b, 0x00, 0xff, 0xfe, 0x7b][..])),
            Self::HtmlPage => response(proxy_page(StatusCode::OK)),
            Self::DeepNesting => {
                response(json(format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH))))
            }
            Self::Redirect(location) => response(
                Response::new(StatusCode::FOUND, "text/html", "").header("location", location),
            ),
            Self::XmlError => Some(Replacement::XmlError(ErrorResponse::gateway(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            ))),
            Self::EmptyBody => response(json("")),
            Self::ProxyPage(status) => response(proxy_page(status_code(*status))),
            Self::ExpiredToken => error(token_expired()),
            Self::NonceUsed => error(nonce_used()),
            Self::ClockSkew => error(clock_skew()),
            Self::Forbidden => error(forbidden(action, caller)),
            Self::Repeat(RepeatIn::Error) => error(ErrorResponse::gateway(
                StatusCode::BAD_REQUEST,
                "SignatureDoesNotMatch",
                format!(
                    "Specified signature is not matched with our calculation. It was sent: {}",
                    request.text()
                ),
            )),
            Self::Repeat(RepeatIn::Response)
            | Self::Slow(_)
            | Self::Truncated
            | Self::Drip(_)
            | Self::WrongTypes
            | Self::XmlResponse
            | Self::UnknownValues => None,
        }
    }

    /// Returns true if the response is well-formed, with wrong values.
    pub(crate) fn is_misleading(&self) -> bool {
        matches!(self, Self::UnknownValues | Self::Repeat(RepeatIn::Response))
    }

    /// Changes the right response.
    pub(crate) fn alter(
        &self,
        action: Action,
        request: &ReceivedRequest,
        mut response: Response,
    ) -> Response {
        match self {
            Self::Slow(duration) => response.delay += *duration,
            Self::Truncated => response.delivery = Delivery::Truncated,
            Self::Drip(interval) => response.delivery = Delivery::Drip(*interval),
            Self::WrongTypes => return rewrite(response, change_types),
            Self::UnknownValues => return rewrite(response, replace_states),
            Self::Repeat(RepeatIn::Response) => {
                return rewrite(response, |value| replace_texts(value, &request.text()));
            }
            Self::XmlResponse => return as_xml(response, action),
            _ => {}
        }
        response
    }
}

fn as_xml(response: Response, action: Action) -> Response {
    let Ok(value) = serde_json::from_slice(&response.body) else {
        return response;
    };
    let body = xml::render(&format!("{}Response", action.as_str()), &value);
    Response {
        delay: response.delay,
        ..Response::new(response.status, "text/xml;charset=utf-8", body)
    }
}

/// RAM's error for a caller without permission for `action`.
fn forbidden(action: Action, caller: Option<&Principal>) -> ErrorResponse {
    let assumed = caller.is_some_and(|caller| caller.kind == PrincipalKind::AssumedRole);
    let (policy, name, kind) = if assumed {
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
    let message = format!("{policy} policy Forbidden for action {auth_action}");
    ErrorResponse {
        detail: Some(Box::new(detail)),
        ..ErrorResponse::service(StatusCode::FORBIDDEN, "StatusForbidden", message)
    }
}

/// The error page of a proxy between client and API.
pub(crate) fn proxy_page(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or("Welcome");
    Response::new(
        status,
        "text/html",
        format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"),
    )
}

fn throttled(status: StatusCode) -> ErrorResponse {
    let code = if status == StatusCode::TOO_MANY_REQUESTS {
        "Throttling.Api"
    } else {
        "Throttling.User"
    };
    ErrorResponse::gateway(status, code, "Request was denied due to user flow control.")
}

fn json(body: impl Into<bytes::Bytes>) -> Response {
    Response::new(StatusCode::OK, "application/json;charset=utf-8", body)
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
