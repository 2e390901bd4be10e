//! Methods and paths of the actions.

use http::Method;

use crate::action::Action;
use crate::error_response::ErrorResponse;
use crate::identity::sts::Parameters;
use crate::request::{ReceivedRequest, percent_decode};

/// The action that a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) action: Action,
    /// The ID of a cluster, region, task or role in the path; empty where there is none.
    pub(crate) subject: String,
}

impl Route {
    /// The route of a request.
    pub(crate) fn of(request: &ReceivedRequest) -> Result<Self, ErrorResponse> {
        let segments: Vec<_> = request.path.split('/').skip(1).collect();
        let (action, subject) = match (&request.method, segments.as_slice()) {
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
            (&Method::GET | &Method::POST, [""]) => (sts_action(request)?, ""),
            (&Method::PUT, ["latest", "api", "token"]) => (Action::MetadataToken, ""),
            (&Method::GET, ["latest", "meta-data", "ram", "security-credentials", ""]) => {
                (Action::MetadataRole, "")
            }
            (&Method::GET, ["latest", "meta-data", "ram", "security-credentials", role]) => {
                (Action::MetadataCredentials, *role)
            }
            (&Method::GET, ["credentials"]) => (Action::CredentialsUri, ""),
            _ => return Err(ErrorResponse::action_not_found()),
        };
        Ok(Self {
            action,
            subject: percent_decode(subject),
        })
    }
}

/// The action of a call to STS, which has one path: it is a parameter of query or form, or a header.
fn sts_action(request: &ReceivedRequest) -> Result<Action, ErrorResponse> {
    let parameters = Parameters::of(request);
    let name = request
        .parameter("Action")
        .or_else(|| request.header("x-acs-action"))
        .or_else(|| parameters.find("Action"));
    match name.and_then(Action::parse) {
        Some(action @ (Action::AssumeRole | Action::AssumeRoleWithOidc)) => Ok(action),
        _ => Err(ErrorResponse::action_not_found()),
    }
}
