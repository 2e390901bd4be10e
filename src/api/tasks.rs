//! The task operations: `DescribeClusterTasks` (`GET /clusters/{ClusterId}/tasks`) and `DescribeTaskInfo`
//! (`GET /tasks/{TaskId}`).
//!
//! Source: the SDKs' models of CS 2015-12-15. Every field is optional there.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::budget::Budget;
use super::client::{Call, Client, Explained};
use super::error::ApiError;
use super::operation::Operation;
use super::pages::{self, PageInfo, Seen};
use crate::config::Endpoint;
use crate::names::ClusterId;
use crate::outgoing::Piece;
use crate::sign::encode::percent_encode;
use crate::upgrade::clean_message;

/// No ID of the vendor is nearly as long, in bytes.
const MAX_ID: usize = 256;

/// A task as the list tells it. Texts are cleaned, and short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its ID, such as `T-5fd211e924e1d00787000293`.
    pub id: String,
    /// The vendor's word for how it stands, in lower case.
    pub state: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// What went wrong.
    pub error: Option<String>,
}

/// What one task tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskInfo {
    /// The vendor's word for how it stands, in lower case; empty if it has none.
    pub state: String,
    /// The stage that it is in; empty if it has none.
    pub stage: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it last changed.
    pub updated: Option<Timestamp>,
    /// What went wrong.
    pub error: Option<String>,
    /// The Kubernetes version upgraded to; empty if the task does not tell.
    pub target_version: String,
    /// The ID of the precheck's report; empty if the task does not tell.
    pub precheck_report_id: String,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WirePage {
    tasks: Option<Vec<WireTask>>,
    page_info: Option<PageInfo>,
    next_token: Option<String>,
}

/// One shape for both operations; the list leaves the last fields out.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WireTask {
    task_id: Option<String>,
    task_type: Option<String>,
    state: Option<String>,
    created: Option<String>,
    updated: Option<String>,
    error: Option<WireError>,
    current_stage: Option<String>,
    parameters: Option<Told>,
    outputs: Option<Told>,
}

/// Where a task tells the version that is upgraded to.
const VERSIONS: [&str; 5] = ["next_version", "target_version", "version", "k8s_version", "kubernetes_version"];

/// Where a task tells the report of its precheck.
const REPORTS: [&str; 2] = ["precheck_report_id", "report_id"];

/// What a task was given or has come to: the texts of it that matter here.
#[derive(Debug, Default, PartialEq)]
struct Told(HashMap<String, String>);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Telling)
    }
}

struct Telling;

impl<'de> Visitor<'de> for Telling {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
        let mut told = HashMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if !VERSIONS.iter().chain(&REPORTS).any(|known| *known == key) {
                map.next_value::<IgnoredAny>()?;
            } else if let Piece::Text(text) = map.next_value()? {
                told.insert(key, text);
            }
        }
        Ok(Told(told))
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WireError {
    code: Option<String>,
    message: Option<String>,
}

/// Finds the newest task of `cluster` whose type is one of `types`. Every page is read before there is said to be none;
/// once one is found, pages are left out that can only hold older tasks.
pub async fn newest_task(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    types: &[String],
    budget: &Budget,
) -> Result<Option<Task>, ApiError> {
    let path = format!("/clusters/{cluster}/tasks");
    let mut seen = Seen::default();
    let mut order = Order::default();
    let mut newest: Option<Task> = None;
    // One that comes again leads in a circle.
    let mut tokens = Seen::default();
    let mut token: Option<String> = None;
    for number in 1.. {
        let by_token = token.is_some();
        let query = token.map_or_else(|| pages::query(number), pages::query_after);
        let call = Call { operation: Operation::DescribeClusterTasks, endpoint, path: &path, query: &query };
        let page: WirePage = client.call(&call, budget).await?;
        let listed = page.tasks.unwrap_or_default();
        let (items, before) = (listed.len(), seen.len());
        for wire in listed {
            let is_wanted = wire.task_type.as_ref().is_some_and(|kind| types.iter().any(|wanted| wanted.eq_ignore_ascii_case(kind)));
            let Some(task) = task(wire).filter(|task| seen.insert(&task.id)) else { continue };
            order.note(task.created);
            if is_wanted && newest.as_ref().is_none_or(|newest| task.created > newest.created) {
                newest = Some(task);
            }
        }
        let nothing_newer = newest.is_some() && order.is_newest_first();
        let new = seen.len() - before;
        let by_number = !by_token && pages::has_next(number, items, new, seen.len(), page.page_info);
        // The vendor does not say whether a list that is asked for by number may have a token where the numbers end.
        let by_token = !by_number && pages::may_lead_on(number, seen.len(), page.page_info);
        token = page.next_token.filter(|token| by_token && !token.is_empty() && tokens.insert(token));
        if nothing_newer || (!by_number && token.is_none()) {
            break;
        }
    }
    Ok(newest)
}

/// What asking for the first page of `cluster`'s tasks would send.
pub async fn explain_tasks(client: &Client, endpoint: &Endpoint, cluster: &ClusterId) -> Result<Explained, ApiError> {
    let (path, query) = (format!("/clusters/{cluster}/tasks"), pages::query(1));
    client.explain(&Call { operation: Operation::DescribeClusterTasks, endpoint, path: &path, query: &query }).await
}

/// Whether the list has its newest task first, as far as was seen. The vendor does not say.
#[derive(Debug, Default)]
struct Order {
    last: Option<Timestamp>,
    compared: usize,
    contradicted: usize,
}

impl Order {
    fn note(&mut self, created: Option<Timestamp>) {
        if let (Some(last), Some(created)) = (self.last, created) {
            self.compared += 1;
            self.contradicted += usize::from(created > last);
        }
        self.contradicted += usize::from(created.is_none());
        self.last = created;
    }

    fn is_newest_first(&self) -> bool {
        self.compared > 0 && self.contradicted == 0
    }
}

/// Asks for one task.
pub async fn describe_task(client: &Client, endpoint: &Endpoint, task: &str, budget: &Budget) -> Result<TaskInfo, ApiError> {
    let mut path = "/tasks/".to_owned();
    percent_encode(&mut path, task);
    let call = Call { operation: Operation::DescribeTaskInfo, endpoint, path: &path, query: &[] };
    client.call(&call, budget).await.map(info)
}

fn task(wire: WireTask) -> Option<Task> {
    Some(Task {
        id: wire.task_id.filter(|id| (1..=MAX_ID).contains(&id.len()))?,
        state: word(wire.state),
        created: time(wire.created.as_deref()),
        updated: time(wire.updated.as_deref()),
        error: message(wire.error),
    })
}

fn info(wire: WireTask) -> TaskInfo {
    let told = |keys: &[&str]| {
        let places = [&wire.parameters, &wire.outputs];
        let texts = keys.iter().flat_map(|key| places.iter().filter_map(move |place| place.as_ref()?.0.get(*key)));
        texts.map(|text| clean_message(text)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    TaskInfo {
        state: word(wire.state),
        stage: clean_message(wire.current_stage.as_deref().unwrap_or_default()),
        created: time(wire.created.as_deref()),
        updated: time(wire.updated.as_deref()),
        target_version: told(&VERSIONS),
        precheck_report_id: told(&REPORTS),
        error: message(wire.error),
    }
}

fn word(text: Option<String>) -> String {
    clean_message(&text.unwrap_or_default()).to_ascii_lowercase()
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.trim().parse().ok()
}

fn message(error: Option<WireError>) -> Option<String> {
    let error = error?;
    error.message.or(error.code).map(|message| clean_message(&message)).filter(|message| !message.is_empty())
}
