//! What the vendor says instead of an answer, in the two dialects of its two layers.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;

/// The layer that refuses; each has its own spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The gateway in front of every product: `Code`, `Message`, `RequestId`, `HostId`.
    Gateway,
    /// The Container Service: `code`, `message`, `requestId`, `status`.
    Service,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) layer: Layer,
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<Box<AccessDenied>>,
    /// Told in `x-acs-retry-after`, in milliseconds.
    pub(crate) retry_after: Option<Duration>,
}

/// What RAM tells about a denial. The values are of a shape seen in the vendor's guide to RRSA.
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

impl Refusal {
    pub(crate) fn gateway(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            layer: Layer::Gateway,
            status,
            code: code.to_owned(),
            message: message.into(),
            detail: None,
            retry_after: None,
        }
    }

    pub(crate) fn service(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            layer: Layer::Service,
            status,
            code: code.to_owned(),
            message: message.into(),
            detail: None,
            retry_after: None,
        }
    }

    /// No such operation, or not with this method and path.
    pub(crate) fn no_such_action() -> Self {
        Self::gateway(
            StatusCode::NOT_FOUND,
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
        )
    }

    pub(crate) fn no_such_cluster(id: &str) -> Self {
        Self::service(
            StatusCode::NOT_FOUND,
            "ErrorClusterNotFound",
            format!("cluster {id} not found"),
        )
    }

    pub(crate) fn no_such_task(id: &str) -> Self {
        Self::service(
            StatusCode::NOT_FOUND,
            "ErrorTaskNotFound",
            format!("task {id} not found"),
        )
    }

    /// The body and its content type.
    pub(crate) fn body(
        &self,
        format: Format,
        request_id: &str,
        host: &str,
    ) -> (&'static str, String) {
        match (format, self.layer) {
            (Format::Xml, _) => (
                "text/xml;charset=utf-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><RequestId>{request_id}</RequestId><HostId>{}</HostId><Code>{}</Code><Message>{}</Message></Error>",
                    quick_xml::escape::escape(host),
                    quick_xml::escape::escape(&self.code),
                    quick_xml::escape::escape(&self.message),
                ),
            ),
            (Format::Json, Layer::Gateway) => (
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
            (Format::Json, Layer::Service) => (
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

/// How a reply is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
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

/// JSON text of something that is made of strings and numbers only.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("strings and numbers always serialise")
}
