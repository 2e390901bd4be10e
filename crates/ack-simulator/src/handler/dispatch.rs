//! The operation of each action.

use http::StatusCode;

use crate::action::{Action, Service};
use crate::api::{OPERATIONS, OperationCall};
use crate::error_response::{ErrorResponse, json};
use crate::handler::RequestHandler;
use crate::identity::{metadata, sts};
use crate::request::Parameters;
use crate::response::Response;
use crate::routes::Route;
use crate::world::cluster::Cluster;

impl RequestHandler<'_> {
    /// The response of the operation; `cluster` is the one that the call is about.
    pub(super) fn dispatch(&self, route: &Route, cluster: Option<&Cluster>) -> Response {
        match route.action.service() {
            Service::Containers => {
                if let Some(body) = cluster.and_then(|cluster| cluster.body(route.action)) {
                    // A body that a test has set is sent in JSON, whatever the client accepts.
                    return Response::new(StatusCode::OK, "application/json;charset=utf-8", body);
                }
                self.result(route.action, self.container_service(route, cluster))
            }
            Service::Sts => self.result(route.action, self.sts(route.action)),
            Service::Metadata => self.metadata(route),
        }
    }

    fn result(&self, action: Action, body: Result<String, ErrorResponse>) -> Response {
        match body {
            Ok(body) => self.success(action, body),
            Err(error) => self.error(&error),
        }
    }

    fn container_service(
        &self,
        route: &Route,
        cluster: Option<&Cluster>,
    ) -> Result<String, ErrorResponse> {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.action == route.action)
            .ok_or_else(ErrorResponse::action_not_found)?;
        (operation.body)(&OperationCall {
            simulator: self.simulator,
            request: self.request,
            ids: &route.ids,
            request_id: &self.request_id,
            cluster,
            millis: self.millis,
        })
    }

    fn sts(&self, action: Action) -> Result<String, ErrorResponse> {
        let (simulator, id, now) = (self.simulator, &self.request_id, self.now());
        let parameters = Parameters::of(self.request);
        let body = match action {
            Action::AssumeRole => sts::assume_role(simulator, &parameters, id, now)?,
            _ => sts::assume_role_with_oidc(simulator, &parameters, id, now)?,
        };
        Ok(json(&body))
    }

    fn metadata(&self, route: &Route) -> Response {
        let (simulator, request, now) = (self.simulator, self.request, self.now());
        match route.action {
            Action::MetadataToken => metadata::session_token(simulator, request, now),
            Action::MetadataRole => metadata::role(simulator, request, now),
            Action::MetadataCredentials => {
                metadata::credentials(simulator, request, route.ids.at("role"), now)
            }
            _ => metadata::credentials_uri(simulator, now),
        }
    }
}
