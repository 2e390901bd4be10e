//! Errors in the formats of the two layers of the API.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

/// The layer that sends an error; each has its own format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorLayer {
    /// The gateway in front of every product: `Code`, `Message`, `RequestId`, `HostId`.
    Gateway,
    /// The Container Service: `code`, `message`, `requestId`, `status`.
    Service,
}

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub(crate) layer: ErrorLayer,
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<Box<AccessDenied>>,
    /// Sent as milliseconds in `x-acs-retry-after`.
    pub(crate) retry_after: Option<Duration>,
}

/// RAM's details about a missing permission. The values look like those in Alibaba Cloud's guide to
/// RRSA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccessDenied {
    pub(crate) auth_action: String,
    pub(crate) auth_principal_display_name: String,
    pub(crate) auth_principal_owner_id: String,
    pub(crate) auth_principal_type: String,
    pub(crate) no_permission_type: String,
    pub(crate) policy_type: String,
}

impl ErrorResponse {
    pub(crate) fn gateway(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorLayer::Gateway, status, code, message.into())
    }

    pub(crate) fn service(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorLayer::Service, status, code, message.into())
    }

    fn new(layer: ErrorLayer, status: StatusCode, code: &str, message: String) -> Self {
        Self {
            layer,
            status,
            code: code.to_owned(),
            message,
            detail: None,
            retry_after: None,
        }
    }

    /// No such operation, or another method or path.
    pub(crate) fn action_not_found() -> Self {
        Self::gateway(
            StatusCode::NOT_FOUND,
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
        )
    }

    pub(crate) fn cluster_not_found(id: &str) -> Self {
        Self::service(
            StatusCode::NOT_FOUND,
            "ErrorClusterNotFound",
            format!("cluster {id} not found"),
        )
    }

    pub(crate) fn task_not_found(id: &str) -> Self {
        Self::service(
            StatusCode::NOT_FOUND,
            "ErrorTaskNotFound",
            format!("task {id} not found"),
        )
    }

    /// The content type and the body.
    pub(crate) fn body(
        &self,
        format: BodyFormat,
        request_id: &str,
        host: &str,
    ) -> (&'static str, String) {
        match (format, self.layer) {
            (BodyFormat::Xml, _) => (
                "text/xml;charset=utf-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><RequestId>{request_id}</RequestId><HostId>{}</HostId><Code>{}</Code><Message>{}</Message></Error>",
                    quick_xml::escape::escape(host),
                    quick_xml::escape::escape(&self.code),
                    quick_xml::escape::escape(&self.message),
                ),
            ),
            (BodyFormat::Json, ErrorLayer::Gateway) => (
                "application/json;charset=utf-8",
                json(&GatewayBody {
                    code: &self.code,
                    message: &self.message,
                    request_id,
                    host_id: host,
                    recommend: format!(
                        "https://api.aliyun.com/troubleshoot?q={}&product=CS&requestId={request_id}",
                        self.code
                    ),
                    access_denied_detail: self.detail.as_deref(),
                }),
            ),
            (BodyFormat::Json, ErrorLayer::Service) => (
                "application/json",
                json(&ServiceBody {
                    code: &self.code,
                    message: &self.message,
                    request_id,
                    status: self.status.as_u16(),
                    access_denied_detail: self.detail.as_deref(),
                }),
            ),
        }
    }
}

/// The format of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    Xml,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GatewayBody<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
    host_id: &'a str,
    recommend: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_denied_detail: Option<&'a AccessDenied>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceBody<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_denied_detail: Option<&'a AccessDenied>,
}

/// Serialises a value that consists of strings and numbers.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("strings and numbers always serialise")
}
