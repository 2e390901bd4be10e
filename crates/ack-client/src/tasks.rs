//! The task operations: `DescribeClusterTasks` (`GET /clusters/{ClusterId}/tasks`) and
//! `DescribeTaskInfo` (`GET /tasks/{TaskId}`).
//!
//! Source: the SDKs' models of CS 2015-12-15. Every field is optional there.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::de::MapAccess;

use super::budget::Budget;
use super::client::{Call, Client, Explained};
use super::error::ApiError;
use super::operation::Operation;
use super::pages::{self, PageInfo, Seen};
use super::reply::{Answer, Fields};
use crate::Endpoint;
use crate::names::ClusterId;
use crate::outgoing::{Field, List, Object, Use, Word, object};
use crate::sign::encode::percent_encode;
use crate::text::clean_message;

/// No ID of the vendor is nearly as long, in bytes.
const MAX_ID: usize = 256;

/// How many tasks are kept that may be the newest.
const MAX_FOUND: usize = 64;

/// A task as the list tells it. Texts are cleaned, and short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// What it works upon.
    pub target: Target,
}

/// What a task works upon, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Its ID; empty if the task does not tell.
    pub id: String,
    /// Its type, such as `cluster` or `nodepool`; empty if the task does not tell.
    pub kind: String,
}

impl Target {
    /// Whether it may be `cluster` itself, and neither a part of it nor another cluster.
    pub fn may_be(&self, cluster: &ClusterId) -> bool {
        let is_cluster = self.kind.is_empty() || self.kind.eq_ignore_ascii_case("cluster");
        is_cluster && (self.id.is_empty() || self.id == cluster.as_str())
    }
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
    /// What it works upon.
    pub target: Target,
    /// The Kubernetes version upgraded to; empty if the task does not tell.
    pub target_version: String,
    /// The ID of the precheck's report; empty if the task does not tell.
    pub precheck_report_id: String,
}

object! {
    struct WirePage at "" {
        tasks: List<WireTask> = "tasks",
        page_info: PageInfo = "page_info",
        next_token: String = "next_token",
    }
}

object! {
    /// One shape for both operations; the list leaves the last fields out.
    struct WireTask at "task." {
        task_id: String = "task_id",
        task_type: String = "task_type",
        state: Word = "state",
        created: Timestamp = "created",
        updated: Timestamp = "updated",
        error: WireError = "error",
        target: WireTarget = "target",
        // Where a list with details has them.
        details: WireDetails = "task",
        current_stage: String = "current_stage",
        parameters: Told = "parameters",
        outputs: Told = "outputs",
    }

    fn is_useful(&self) -> bool {
        self.task_id.as_known().is_some_and(|id| id.len() <= MAX_ID)
    }
}

object! {
    struct WireError at "task.error." {
        code: String = "code",
        message: String = "message",
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self { message: Field::Known(text.to_owned()), ..Self::default() })
    }
}

object! {
    struct WireTarget at "task.target." {
        id: String = "id",
        kind: String = "type",
    }
}

object! {
    struct WireDetails at "task.task." {
        target: WireTarget = "target",
    }
}

/// The names of all fields.
pub(super) const FIELDS: &[&[&str]] = &[
    WirePage::FIELDS,
    PageInfo::FIELDS,
    WireTask::FIELDS,
    WireError::FIELDS,
    WireTarget::FIELDS,
    WireDetails::FIELDS,
];

impl Answer for WirePage {
    fn is_complete(&self, _: Fields) -> bool {
        pages::is_page(&self.tasks, &self.page_info) || self.next_token.as_known().is_some()
    }
}

impl Answer for WireTask {
    /// An error and a time may be anybody's.
    fn is_complete(&self, fields: Fields) -> bool {
        let words = [&self.task_id, &self.task_type, &self.current_stage];
        fields == Fields::None
            || self.state.as_known().is_some()
            || words.iter().any(|word| word.as_known().is_some())
    }
}

/// Where a task tells the version that is upgraded to: the first that is there. In the API's own
/// request, `version` is the one that the cluster has now.
const VERSIONS: [&str; 4] = [
    "nextversion",
    "targetversion",
    "kubernetesversion",
    "k8sversion",
];

/// Where a task tells the report of its precheck.
const REPORTS: [&str; 3] = ["precheckreportid", "reportid", "checkid"];

/// What a task was given or has come to: the texts of it that matter here, at the top or one level
/// below.
#[derive(Debug, Default)]
struct Told {
    top: Texts,
    below: Texts,
}

/// The texts of one object that are wanted, each with its name as it is above.
#[derive(Debug, Default)]
struct Texts(Vec<(&'static str, String)>);

impl Texts {
    fn find(&self, wanted: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, text)| text.as_str())
    }

    /// Of several texts the first one stands.
    fn add(&mut self, name: &'static str, text: String) {
        if self.find(name).is_none() {
            self.0.push((name, text));
        }
    }
}

impl Object for Told {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Use, A::Error> {
        if self.top.read(key, map)? == Use::Foreign {
            let mut inner = Field::<Texts>::Absent;
            map.next_value_seed(&mut inner)?;
            for (name, text) in inner.known().unwrap_or_default().0 {
                self.below.add(name, text);
            }
        }
        Ok(Use::Some)
    }
}

impl Object for Texts {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Use, A::Error> {
        let Some(name) = VERSIONS
            .iter()
            .chain(&REPORTS)
            .find(|wanted| letters(key).eq(wanted.chars()))
        else {
            return Ok(Use::Foreign);
        };
        let mut text = Field::<String>::Absent;
        let used = map.next_value_seed(&mut text)?;
        if let Some(text) = text.known() {
            self.add(name, text);
        }
        Ok(used)
    }
}

/// The letters and digits of `text`, small ones: names are spelt in many ways.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
}

/// The tasks of a cluster that may be its upgrades, newest first.
#[derive(Debug)]
pub struct UpgradeTasks<'a> {
    client: &'a Client,
    endpoint: &'a Endpoint,
    cluster: &'a ClusterId,
    types: &'a [String],
    /// What to ask for next.
    next: Option<Next>,
    /// How many pages were asked for.
    number: u32,
    seen: Seen,
    /// How many items were listed that are of no use.
    useless: usize,
    order: Order,
    /// One that comes again leads in a circle.
    tokens: Seen,
    /// Those that were listed and not given yet, newest first.
    found: Vec<Task>,
}

#[derive(Debug)]
enum Next {
    Number,
    Token(String),
}

impl<'a> UpgradeTasks<'a> {
    /// The tasks of `cluster` whose type is one of `types`. A node pool's are never the cluster's.
    pub fn new(
        client: &'a Client,
        endpoint: &'a Endpoint,
        cluster: &'a ClusterId,
        types: &'a [String],
    ) -> Self {
        Self {
            client,
            endpoint,
            cluster,
            types,
            next: Some(Next::Number),
            number: 0,
            seen: Seen::default(),
            useless: 0,
            order: Order::default(),
            tokens: Seen::default(),
            found: Vec::new(),
        }
    }

    /// The newest that was not given yet. Every page is read before there is said to be none; once
    /// one is found, pages are left out that can only hold older tasks.
    pub async fn next(&mut self, budget: &Budget) -> Result<Option<Task>, ApiError> {
        while self.found.is_empty() || !self.order.is_newest_first() {
            let Some(next) = self.next.take() else { break };
            self.read_page(next, budget).await?;
        }
        Ok(if self.found.is_empty() {
            None
        } else {
            Some(self.found.remove(0))
        })
    }

    async fn read_page(&mut self, next: Next, budget: &Budget) -> Result<(), ApiError> {
        self.number += 1;
        let (number, by_token) = (self.number, matches!(next, Next::Token(_)));
        let path = format!("/clusters/{}/tasks", self.cluster);
        let query = match next {
            Next::Number => pages::query(number),
            Next::Token(token) => pages::query_after(token),
        };
        let operation = Operation::DescribeClusterTasks;
        let call = Call {
            operation,
            endpoint: self.endpoint,
            path: &path,
            query: &query,
        };
        let page: WirePage = self.client.call(&call, budget).await?;
        let mut odd = |field, value: &str| self.client.metrics().unknown_value(field, value);
        page.tell_odd_fields(&mut odd);
        let total = pages::total(&page.page_info);
        let listed = pages::items(operation, self.seen.len() + self.useless, page.tasks, total)?;
        let (length, before) = (listed.length, self.seen.len());
        self.useless += length - listed.items.len();
        for wire in listed.items {
            let is_wanted = wire
                .task_type
                .as_known()
                .is_some_and(|kind| self.is_wanted(kind));
            // What is odd about the others is nobody's business.
            if is_wanted {
                wire.tell_odd_fields(&mut odd);
            }
            let Some(task) = task(wire).filter(|task| self.seen.insert(&task.id)) else {
                continue;
            };
            self.order.note(task.created);
            if is_wanted && task.target.may_be(self.cluster) {
                self.found.push(task);
            }
        }
        self.found.sort_by_key(|task| Reverse(task.created));
        self.found.truncate(MAX_FOUND);
        let new = self.seen.len() - before;
        let seen = self.seen.len() + self.useless;
        let by_number = !by_token && pages::has_next(number, length, new, seen, total);
        // The vendor does not say whether a list that is asked for by number may have a token where
        // the numbers end.
        let by_token = !by_number && pages::may_lead_on(number, seen, total);
        let token = page
            .next_token
            .known()
            .filter(|token| by_token && self.tokens.insert(token));
        self.next = if by_number {
            Some(Next::Number)
        } else {
            token.map(Next::Token)
        };
        Ok(())
    }

    fn is_wanted(&self, kind: &str) -> bool {
        let is_node_pools = letters(kind).take("nodepool".len()).eq("nodepool".chars());
        !is_node_pools
            && self
                .types
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(kind))
    }
}

/// What asking for the first page of `cluster`'s tasks would send.
pub async fn explain_tasks(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
) -> Result<Explained, ApiError> {
    let (path, query) = (format!("/clusters/{cluster}/tasks"), pages::query(1));
    client
        .explain(&Call {
            operation: Operation::DescribeClusterTasks,
            endpoint,
            path: &path,
            query: &query,
        })
        .await
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
pub async fn describe_task(
    client: &Client,
    endpoint: &Endpoint,
    task: &str,
    budget: &Budget,
) -> Result<TaskInfo, ApiError> {
    let mut path = "/tasks/".to_owned();
    percent_encode(&mut path, task);
    let call = Call {
        operation: Operation::DescribeTaskInfo,
        endpoint,
        path: &path,
        query: &[],
    };
    let wire: WireTask = client.call(&call, budget).await?;
    wire.tell_odd_fields(&mut |field, value| client.metrics().unknown_value(field, value));
    Ok(info(wire))
}

fn task(wire: WireTask) -> Option<Task> {
    Some(Task {
        id: wire.task_id.known()?,
        state: word(wire.state),
        created: wire.created.known(),
        updated: wire.updated.known(),
        error: message(wire.error),
        target: target(wire.target, wire.details),
    })
}

fn info(wire: WireTask) -> TaskInfo {
    let places = [&wire.parameters, &wire.outputs].map(|place| place.as_known());
    // The first of `wanted` that has some text, at the top rather than below.
    let told = |wanted: &[&str]| {
        let objects = |name| {
            places
                .iter()
                .flatten()
                .flat_map(|told| [&told.top, &told.below])
                .find_map(|texts| texts.find(name))
        };
        clean_message(
            wanted
                .iter()
                .find_map(|name| objects(*name))
                .unwrap_or_default(),
        )
    };
    TaskInfo {
        target_version: told(&VERSIONS),
        precheck_report_id: told(&REPORTS),
        state: word(wire.state),
        stage: clean_message(&wire.current_stage.known().unwrap_or_default()),
        created: wire.created.known(),
        updated: wire.updated.known(),
        error: message(wire.error),
        target: target(wire.target, wire.details),
    }
}

fn word(word: Field<Word>) -> String {
    word.known()
        .map(|Word(word)| clean_message(&word).to_ascii_lowercase())
        .unwrap_or_default()
}

fn message(error: Field<WireError>) -> Option<String> {
    let error = error.known()?;
    error
        .message
        .known()
        .or(error.code.known())
        .map(|message| clean_message(&message))
        .filter(|message| !message.is_empty())
}

fn target(target: Field<WireTarget>, details: Field<WireDetails>) -> Target {
    let inner = || details.known().and_then(|details| details.target.known());
    let target = target.known().or_else(inner).unwrap_or_default();
    let text = |text: Field<String>| clean_message(&text.known().unwrap_or_default());
    Target {
        id: text(target.id),
        kind: text(target.kind),
    }
}
