//! Methods and paths of the actions.

use http::Method;

use crate::action::Action;
use crate::api::OPERATIONS;
use crate::error_response::ErrorResponse;
use crate::path_ids::PathIds;
use crate::request::{Parameters, ReceivedRequest};

/// The paths of the metadata service and of the credentials URI. A literal segment stands before a
/// placeholder in the same place.
const IDENTITY_PATHS: [(Method, &str, Action); 4] = [
    (Method::PUT, "/latest/api/token", Action::MetadataToken),
    (
        Method::GET,
        "/latest/meta-data/ram/security-credentials/",
        Action::MetadataRole,
    ),
    (
        Method::GET,
        "/latest/meta-data/ram/security-credentials/{role}",
        Action::MetadataCredentials,
    ),
    (Method::GET, "/credentials", Action::CredentialsUri),
];

/// The action that a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) action: Action,
    pub(crate) ids: PathIds,
}

impl Route {
    /// The route of a request.
    pub(crate) fn of(request: &ReceivedRequest) -> Result<Self, ErrorResponse> {
        if request.path == "/" && [Method::GET, Method::POST].contains(&request.method) {
            return Ok(Self {
                action: sts_action(request)?,
                ids: PathIds::default(),
            });
        }
        let operations = OPERATIONS
            .iter()
            .map(|operation| (&Method::GET, operation.path, operation.action));
        let identities = IDENTITY_PATHS
            .iter()
            .map(|(method, path, action)| (method, *path, *action));
        operations
            .chain(identities)
            .filter(|(method, ..)| **method == request.method)
            .find_map(|(_, path, action)| {
                let ids = PathIds::of(path, &request.path)?;
                Some(Self { action, ids })
            })
            .ok_or_else(ErrorResponse::action_not_found)
    }
}

/// The action of a call to STS, which has one path: it is a parameter of query or form, or a
/// header.
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
