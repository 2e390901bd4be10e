//! Methods and paths of the actions.

use http::Method;

use crate::action::Action;
use crate::api::OPERATIONS;
use crate::error_response::ErrorResponse;
use crate::request::{Parameters, ReceivedRequest, percent_decode};

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
    /// The IDs in the path, each with the name of its placeholder.
    ids: Vec<(&'static str, String)>,
}

impl Route {
    /// The route of a request.
    pub(crate) fn of(request: &ReceivedRequest) -> Result<Self, ErrorResponse> {
        if request.path == "/" && [Method::GET, Method::POST].contains(&request.method) {
            return Ok(Self {
                action: sts_action(request)?,
                ids: Vec::new(),
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
                let ids = ids_in(path, &request.path)?;
                Some(Self { action, ids })
            })
            .ok_or_else(ErrorResponse::action_not_found)
    }

    /// The ID at a placeholder; empty if the path has no such placeholder.
    pub(crate) fn id(&self, placeholder: &str) -> &str {
        self.ids
            .iter()
            .find(|(name, _)| *name == placeholder)
            .map_or("", |(_, id)| id)
    }

    /// The first ID in the path; empty if there is none.
    pub(crate) fn subject(&self) -> &str {
        self.ids.first().map_or("", |(_, id)| id)
    }
}

/// The IDs in `path` if it has the form of `pattern`, such as `/clusters/{cluster}/tasks`.
fn ids_in(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    if pattern.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut ids = Vec::new();
    for (expected, segment) in pattern.split('/').zip(path.split('/')) {
        let placeholder = expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        match placeholder {
            Some(name) => ids.push((name, percent_decode(segment))),
            None if expected == segment => {}
            None => return None,
        }
    }
    Some(ids)
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
