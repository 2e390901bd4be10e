//! One request from its route to its reply: who calls, what goes wrong, what is answered.

use std::sync::Arc;

use ack_client::names::Region;
use ack_client::sign::CS_VERSION;
use http::StatusCode;
use jiff::Timestamp;

use crate::action::{Action, Service};
use crate::api::{clusters, regions, tasks, upgrade_status};
use crate::auth::{Gate, Principal};
use crate::call_log::Call;
use crate::error_response::{Format, Refusal, json};
use crate::faults::{About, Instead, proxy_page};
use crate::identity::sts::Parameters;
use crate::identity::{metadata, sts};
use crate::request::Received;
use crate::response::Reply;
use crate::retirement::Notice;
use crate::routes::Route;
use crate::world::cluster::Cluster;
use crate::{Sim, history, xml};

/// One request and what is needed to answer it.
pub(crate) struct Exchange<'a> {
    pub(crate) sim: &'a Sim,
    pub(crate) received: &'a Received,
    pub(crate) request_id: String,
    /// The moment, in the world's milliseconds.
    pub(crate) millis: i64,
}

impl Exchange<'_> {
    /// The reply, but for what every reply carries.
    pub(crate) fn reply(&self) -> Reply {
        if history::is_asked_for(self.received) {
            return history::page(self.sim, self.received, self.millis);
        }
        match Route::of(self.received) {
            Ok(route) => self.answer(&route),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn answer(&self, route: &Route) -> Reply {
        self.sim.journal.count(route.action);
        let caller = self.admit(route.action);
        let reply = match &caller {
            Ok(caller) => self.answer_caller(route, caller.as_ref()),
            Err(refusal) => self.refuse(refusal),
        };
        if self.sim.journal.keeps_calls() {
            self.sim.journal.note(Call {
                action: route.action,
                subject: route.subject.clone(),
                at: self.now(),
                access_key_id: caller.ok().flatten().map(|caller| caller.access_key_id),
                nonce: self
                    .received
                    .header("x-acs-signature-nonce")
                    .map(str::to_owned),
                status: reply.status.as_u16(),
            });
        }
        reply
    }

    /// Who calls, where a signature tells.
    fn admit(&self, action: Action) -> Result<Option<Principal>, Refusal> {
        match action.service() {
            Service::Containers => self.gate(CS_VERSION).admit(self.received).map(Some),
            Service::SecurityTokens if action == Action::AssumeRole => {
                sts::admit(&self.gate(sts::VERSION), self.received).map(Some)
            }
            Service::SecurityTokens | Service::Metadata => Ok(None),
        }
    }

    fn gate<'a>(&'a self, version: &'a str) -> Gate<'a> {
        Gate {
            keys: &self.sim.keys,
            nonces: &self.sim.nonces,
            now: self.now(),
            millis: self.millis,
            tolerance: self.sim.tolerance,
            version,
        }
    }

    fn answer_caller(&self, route: &Route, caller: Option<&Principal>) -> Reply {
        if let Some(named) = self
            .received
            .header("x-acs-action")
            .filter(|named| *named != route.action.as_str())
            && route.action.service() == Service::Containers
        {
            let message = format!(
                "x-acs-action is {named}, but method and path are those of {}.",
                route.action.as_str()
            );
            return self.refuse(&Refusal::gateway(
                StatusCode::BAD_REQUEST,
                "InvalidParameter.Action",
                message,
            ));
        }
        let cluster = self.cluster_of(route);
        let region = self.region_of(route, cluster.as_deref());
        let about = About {
            action: route.action,
            cluster: cluster.as_ref().map(|cluster| &cluster.id),
            region: region.as_ref(),
        };
        let fault = self.sim.faults.strike(about);
        if let Some(instead) = fault
            .as_ref()
            .and_then(|fault| fault.instead(route.action, caller, self.received))
        {
            return match instead {
                Instead::Refusal(refusal) => self.refuse(&refusal),
                Instead::XmlRefusal(refusal) => self.refuse_as(&refusal, Format::Xml),
                Instead::Reply(reply) => reply,
            };
        }
        let reply = match self.notice(route, region.as_ref()) {
            Some(Notice::Refusal(refusal)) => self.refuse(&refusal),
            Some(Notice::ProxyPage) => proxy_page(StatusCode::NOT_FOUND),
            None => match route.action.service() {
                Service::Containers => self.perform(route, cluster.as_deref()),
                Service::SecurityTokens => self.perform_sts(route.action),
                Service::Metadata => self.perform_metadata(route),
            },
        };
        let Some(fault) = fault else { return reply };
        if let Some(cluster) = cluster.filter(|_| fault.is_a_lie()) {
            self.sim.journal.note_lie(cluster.id.clone(), self.millis);
        }
        fault.spoil(route.action, self.received, reply)
    }

    fn perform(&self, route: &Route, cluster: Option<&Cluster>) -> Reply {
        let (sim, found) = (self.sim, || {
            cluster.ok_or_else(|| Refusal::no_such_cluster(&route.subject))
        });
        if let Some(body) = cluster.and_then(|cluster| cluster.body(route.action)) {
            return Reply::new(StatusCode::OK, "application/json;charset=utf-8", body);
        }
        let listed = self.millis.saturating_sub(sim.list_lag);
        let body = match route.action {
            Action::GetUpgradeStatus => {
                found().map(|cluster| upgrade_status::body(cluster, &cluster.standing(self.millis)))
            }
            Action::DescribeClustersV1 => clusters::account_list(&sim.world, self.received, listed),
            Action::DescribeClustersForRegion => {
                clusters::region_list(&sim.world, &route.subject, self.received, listed)
            }
            Action::DescribeClusterDetail => {
                found().map(|cluster| clusters::detail(&sim.world, cluster, self.millis))
            }
            Action::DescribeRegions => Ok(regions::body(&sim.regions, &self.request_id)),
            Action::DescribeClusterTasks => found().and_then(|cluster| {
                tasks::list(
                    &sim.world,
                    cluster,
                    self.received,
                    &self.request_id,
                    self.millis,
                )
            }),
            Action::DescribeTaskInfo => cluster
                .and_then(|cluster| tasks::info(&sim.world, cluster, &route.subject, self.millis))
                .ok_or_else(|| Refusal::no_such_task(&route.subject)),
            _ => Err(Refusal::no_such_action()),
        };
        match body {
            Ok(body) => self.accept(route.action, body),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn perform_sts(&self, action: Action) -> Reply {
        let parameters = Parameters::of(self.received);
        let answer = match action {
            Action::AssumeRole => {
                sts::assume_role(self.sim, &parameters, &self.request_id, self.now())
            }
            _ => sts::assume_role_with_oidc(self.sim, &parameters, &self.request_id, self.now()),
        };
        match answer {
            Ok(answer) => self.accept(action, json(&answer)),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn perform_metadata(&self, route: &Route) -> Reply {
        match route.action {
            Action::MetadataToken => metadata::session_token(self.sim, self.received, self.now()),
            Action::MetadataRole => metadata::role(self.sim, self.received, self.now()),
            Action::MetadataCredentials => {
                metadata::credentials(self.sim, self.received, &route.subject, self.now())
            }
            _ => metadata::credentials_uri(self.sim, self.now()),
        }
    }

    fn now(&self) -> Timestamp {
        self.sim.world.clock.at(self.millis)
    }

    fn wants_json(&self) -> bool {
        self.received.accepts_json()
            || Parameters::of(self.received)
                .find("Format")
                .is_some_and(|format| format.eq_ignore_ascii_case("json"))
    }

    /// What an old operation says where it has been switched off.
    fn notice(&self, route: &Route, region: Option<&Region>) -> Option<Notice> {
        match (route.action, region) {
            (Action::GetUpgradeStatus | Action::DescribeClustersV1, Some(region)) => {
                self.sim.switched_off.notice(region)
            }
            (Action::GetUpgradeStatus | Action::DescribeClustersV1, None) => {
                self.sim.switched_off.notice_everywhere(&self.sim.regions)
            }
            _ => None,
        }
    }

    /// The cluster that a call is about, if it is about one that exists.
    fn cluster_of(&self, route: &Route) -> Option<Arc<Cluster>> {
        let world = &self.sim.world;
        match route.action {
            Action::GetUpgradeStatus
            | Action::DescribeClusterDetail
            | Action::DescribeClusterTasks => world.find(&route.subject),
            Action::DescribeTaskInfo => {
                tasks::cluster_tag(&route.subject).and_then(|tag| world.find_by_tag(tag))
            }
            _ => None,
        }
    }

    /// The region that a call is about: in its path or query, its cluster's, or its host's.
    fn region_of(&self, route: &Route, cluster: Option<&Cluster>) -> Option<Region> {
        let named = match route.action {
            Action::DescribeClustersForRegion => Some(route.subject.as_str()),
            _ => self.received.parameter("region_id"),
        };
        let of_cluster = || cluster.map(|cluster| cluster.region.clone());
        named
            .and_then(|named| Region::parse(named).ok())
            .or_else(of_cluster)
            .or_else(|| region_of_host(self.received.host()))
    }

    fn accept(&self, action: Action, json: String) -> Reply {
        if self.wants_json() {
            return Reply::new(StatusCode::OK, "application/json;charset=utf-8", json);
        }
        let value = serde_json::from_str(&json).unwrap_or_default();
        Reply::new(
            StatusCode::OK,
            "text/xml;charset=utf-8",
            xml::render(&format!("{}Response", action.as_str()), &value),
        )
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        self.refuse_as(
            refusal,
            if self.wants_json() {
                Format::Json
            } else {
                Format::Xml
            },
        )
    }

    fn refuse_as(&self, refusal: &Refusal, format: Format) -> Reply {
        let (content_type, body) = refusal.body(format, &self.request_id, self.received.host());
        let reply = Reply::new(refusal.status, content_type, body);
        match refusal.retry_after {
            Some(wait) => reply.header("x-acs-retry-after", &wait.as_millis().to_string()),
            None => reply,
        }
    }
}

/// The region in a host such as `cs.cn-hangzhou.aliyuncs.com`.
fn region_of_host(host: &str) -> Option<Region> {
    let mut labels = host.split('.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        ("cs" | "cs-vpc" | "cs-anony-vpc", region, "aliyuncs") => Region::parse(region).ok(),
        _ => None,
    }
}
