//! Which request asks for what: the table of paths.

use http::Method;

use crate::action::Action;
use crate::error_response::Refusal;
use crate::request::{Received, decode_form, percent_decode};

/// What is asked for, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) action: Action,
    /// The ID in the path: of a cluster, a region, a task or a role. Empty where there is none.
    pub(crate) subject: String,
}

impl Route {
    /// Finds the action for a request.
    pub(crate) fn of(received: &Received) -> Result<Self, Refusal> {
        let segments: Vec<_> = received.path.split('/').skip(1).collect();
        let (action, subject) = match (&received.method, segments.as_slice()) {
            (&Method::GET, ["api", "v2", "clusters", id, "upgrade", "status"]) => {
                (Action::GetUpgradeStatus, *id)
            }
            (&Method::GET, ["api", "v1", "clusters"]) => (Action::DescribeClustersV1, ""),
            (&Method::GET, ["regions"]) => (Action::DescribeRegions, ""),
            (&Method::GET, ["regions", region, "clusters"]) => {
                (Action::DescribeClustersForRegion, *region)
            }
            (&Method::GET, ["clusters", id]) => (Action::DescribeClusterDetail, *id),
            (&Method::GET, ["clusters", id, "tasks"]) => (Action::DescribeClusterTasks, *id),
            (&Method::GET, ["tasks", id]) => (Action::DescribeTaskInfo, *id),
            (&Method::GET | &Method::POST, [""]) => (security_token_service(received)?, ""),
            (&Method::PUT, ["latest", "api", "token"]) => (Action::MetadataToken, ""),
            (&Method::GET, ["latest", "meta-data", "ram", "security-credentials", ""]) => {
                (Action::MetadataRole, "")
            }
            (&Method::GET, ["latest", "meta-data", "ram", "security-credentials", role]) => {
                (Action::MetadataCredentials, *role)
            }
            (&Method::GET, ["credentials"]) => (Action::CredentialsUri, ""),
            _ => return Err(Refusal::no_such_action()),
        };
        Ok(Self {
            action,
            subject: percent_decode(subject),
        })
    }
}

/// STS has one path; the action is a parameter of query or form, or a header.
fn security_token_service(received: &Received) -> Result<Action, Refusal> {
    let form = || {
        std::str::from_utf8(&received.body)
            .map(decode_form)
            .unwrap_or_default()
    };
    let named = received
        .parameter("Action")
        .or_else(|| received.header("x-acs-action"))
        .map(str::to_owned);
    let named = named.or_else(|| {
        form()
            .into_iter()
            .find(|(key, _)| key == "Action")
            .map(|(_, value)| value)
    });
    match named.as_deref().and_then(Action::parse) {
        Some(action @ (Action::AssumeRole | Action::AssumeRoleWithOidc)) => Ok(action),
        _ => Err(Refusal::no_such_action()),
    }
}
