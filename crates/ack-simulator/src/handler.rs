//! The way of one request to its response: authentication, faults, operation.

mod dispatch;

use std::sync::Arc;

use ack_client::names::Region;
use ack_client::sign::CS_VERSION;
use http::StatusCode;
use jiff::Timestamp;

use crate::action::{Action, Service};
use crate::api::cluster_task::cluster_tag;
use crate::auth::{Authenticator, Principal};
use crate::call_log::LoggedCall;
use crate::error_response::{BodyFormat, ErrorResponse};
use crate::faults::{CallSubject, Replacement};
use crate::identity::sts;
use crate::request::{Parameters, ReceivedRequest};
use crate::response::Response;
use crate::retirement::RetiredResponse;
use crate::routes::Route;
use crate::world::cluster::Cluster;
use crate::{Simulator, history, xml};

/// One request, with everything that its response depends on.
pub(crate) struct RequestHandler<'a> {
    pub(crate) simulator: &'a Simulator,
    pub(crate) request: &'a ReceivedRequest,
    pub(crate) request_id: String,
    /// Milliseconds since the start of the world.
    pub(crate) millis: i64,
}

impl RequestHandler<'_> {
    /// The response, without the headers that every response has.
    pub(crate) fn respond(&self) -> Response {
        if history::is_requested(self.request) {
            return history::page(self.simulator, self.request, self.millis);
        }
        match Route::of(self.request) {
            Ok(route) => self.respond_to(&route),
            Err(error) => self.error(&error),
        }
    }

    fn respond_to(&self, route: &Route) -> Response {
        self.simulator.call_log.increment(route.action);
        let caller = self.authenticate(route.action);
        let response = match &caller {
            Ok(caller) => self.respond_to_caller(route, caller.as_ref()),
            Err(error) => self.error(error),
        };
        if self.simulator.call_log.keeps_calls() {
            let access_key_id = caller.ok().flatten().map(|caller| caller.access_key_id);
            self.log(route, access_key_id, &response);
        }
        response
    }

    fn log(&self, route: &Route, access_key_id: Option<String>, response: &Response) {
        let nonce = self.request.header("x-acs-signature-nonce");
        self.simulator.call_log.record(LoggedCall {
            action: route.action,
            subject: route.ids.first().to_owned(),
            at: self.now(),
            access_key_id,
            nonce: nonce.map(str::to_owned),
            status: response.status.as_u16(),
        });
    }

    /// The caller; `None` for actions that are not signed.
    fn authenticate(&self, action: Action) -> Result<Option<Principal>, ErrorResponse> {
        match (action.service(), action) {
            (Service::Containers, _) => self
                .authenticator(CS_VERSION)
                .authenticate(self.request)
                .map(Some),
            (Service::Sts, Action::AssumeRole) => self
                .authenticator(sts::VERSION)
                .authenticate_sts(self.request)
                .map(Some),
            (Service::Sts | Service::Metadata, _) => Ok(None),
        }
    }

    fn authenticator<'a>(&'a self, version: &'a str) -> Authenticator<'a> {
        Authenticator {
            keys: &self.simulator.keys,
            nonces: &self.simulator.nonces,
            now: self.now(),
            tolerance: self.simulator.clock_tolerance,
            version,
        }
    }

    fn respond_to_caller(&self, route: &Route, caller: Option<&Principal>) -> Response {
        if let Err(error) = self.check_named_action(route.action) {
            return self.error(&error);
        }
        let cluster = self.cluster_of(route);
        let region = self.region_of(route, cluster.as_deref());
        let fault = self.simulator.faults.pick(CallSubject {
            action: route.action,
            cluster: cluster.as_ref().map(|cluster| &cluster.id),
            region: region.as_ref(),
        });
        let replacement = fault
            .as_ref()
            .and_then(|fault| fault.replacement(route.action, caller, self.request));
        if let Some(replacement) = replacement {
            return self.replace(replacement);
        }
        let response = match self.retirement(route.action, region.as_ref()) {
            Some(replacement) => self.replace(replacement),
            None => self.dispatch(route, cluster.as_deref()),
        };
        let Some(fault) = fault else { return response };
        if let Some(cluster) = cluster
            && fault.is_misleading()
        {
            self.simulator
                .call_log
                .record_misleading(cluster.id.clone(), self.millis);
        }
        fault.alter(route.action, self.request, response)
    }

    /// Compares `x-acs-action` with the action of method and path.
    fn check_named_action(&self, action: Action) -> Result<(), ErrorResponse> {
        match self.request.header("x-acs-action") {
            Some(named) if named != action.as_str() && action.service() == Service::Containers => {
                Err(ErrorResponse::gateway(
                    StatusCode::BAD_REQUEST,
                    "InvalidParameter.Action",
                    format!(
                        "x-acs-action is {named}, but method and path are those of {}.",
                        action.as_str()
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The response in place of a call that has been switched off.
    fn retirement(&self, action: Action, region: Option<&Region>) -> Option<Replacement> {
        if !matches!(
            action,
            Action::GetUpgradeStatus | Action::DescribeClustersV1
        ) {
            return None;
        }
        let retired = &self.simulator.retired_regions;
        let response = match region {
            Some(region) => retired.response(region),
            None => retired.response_without_region(&self.simulator.regions),
        };
        response.map(RetiredResponse::replacement)
    }

    /// The cluster that a call is about, if it exists: in its path, its query or its task's ID.
    fn cluster_of(&self, route: &Route) -> Option<Arc<Cluster>> {
        let world = &self.simulator.world;
        let named = first_given([
            route.ids.at("cluster"),
            self.request.parameter("cluster_id").unwrap_or_default(),
        ]);
        match named {
            Some(id) => world.find(id),
            None => world.find_by_tag(cluster_tag(route.ids.at("task"))?),
        }
    }

    /// The region that a call is about: in its path or query, its cluster's, or its host's.
    fn region_of(&self, route: &Route, cluster: Option<&Cluster>) -> Option<Region> {
        let parameter = |name| self.request.parameter(name).unwrap_or_default();
        let named = first_given([
            route.ids.at("region"),
            parameter("region_id"),
            parameter("Region"),
        ]);
        named
            .and_then(|named| Region::parse(named).ok())
            .or_else(|| cluster.map(|cluster| cluster.region.clone()))
            .or_else(|| region_of_host(self.request.host()))
    }

    fn now(&self) -> Timestamp {
        self.simulator.world.clock.at(self.millis)
    }

    fn format(&self) -> BodyFormat {
        let is_json = self.request.accepts_json()
            || Parameters::of(self.request)
                .find("Format")
                .is_some_and(|format| format.eq_ignore_ascii_case("json"));
        if is_json {
            BodyFormat::Json
        } else {
            BodyFormat::Xml
        }
    }

    /// Status 200 with `json` in the format that the client accepts.
    fn success(&self, action: Action, json: String) -> Response {
        match self.format() {
            BodyFormat::Json => {
                Response::new(StatusCode::OK, "application/json;charset=utf-8", json)
            }
            BodyFormat::Xml => {
                let value = serde_json::from_str(&json).unwrap_or_default();
                let body = xml::render(&format!("{}Response", action.as_str()), &value);
                Response::new(StatusCode::OK, "text/xml;charset=utf-8", body)
            }
        }
    }

    fn replace(&self, replacement: Replacement) -> Response {
        match replacement {
            Replacement::Error(error) => self.error(&error),
            Replacement::XmlError(error) => self.error_in(&error, BodyFormat::Xml),
            Replacement::Response(response) => response,
        }
    }

    fn error(&self, error: &ErrorResponse) -> Response {
        self.error_in(error, self.format())
    }

    fn error_in(&self, error: &ErrorResponse, format: BodyFormat) -> Response {
        let (content_type, body) = error.body(format, &self.request_id, self.request.host());
        let response = Response::new(error.status, content_type, body);
        match error.retry_after {
            Some(wait) => response.header("x-acs-retry-after", &wait.as_millis().to_string()),
            None => response,
        }
    }
}

fn first_given<const N: usize>(texts: [&str; N]) -> Option<&str> {
    texts.into_iter().find(|text| !text.is_empty())
}

/// The region in a host such as `cs.cn-hangzhou.aliyuncs.com`.
fn region_of_host(host: &str) -> Option<Region> {
    let mut labels = host.split('.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        ("cs" | "cs-vpc" | "cs-anony-vpc", region, "aliyuncs") => Region::parse(region).ok(),
        _ => None,
    }
}
