//! `DescribeClusterTasks`: `GET /clusters/{ClusterId}/tasks`.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::list_order::ListOrder;
use super::paging::{self, PageInfo, Paging, SeenIds};
use super::task::{Task, TaskFields};
use super::wanted_tasks::WantedTasks;
use crate::budget::Budget;
use crate::client::{Call, Client, ExplainedRequest};
use crate::decode::{LenientObject as _, List, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};

lenient_object! {
    pub(super) struct TaskPage at "" {
        tasks: List<TaskFields> = "tasks",
        page_info: PageInfo = "page_info",
        next_token: String = "next_token",
    }
}

impl ResponseObject for TaskPage {
    fn is_recognized(&self, _: KnownKeys) -> bool {
        paging::is_page(&self.tasks, &self.page_info) || self.next_token.value().is_some()
    }
}

/// The upgrade tasks of a cluster or its node pools, newest first. Pages are read as they are
/// needed.
#[derive(Debug)]
pub struct UpgradeTasks<'a> {
    client: &'a Client,
    endpoint: &'a Endpoint,
    cluster: &'a ClusterId,
    wanted: WantedTasks<'a>,
    next_page: Option<NextPage>,
    paging: Paging,
    /// The tokens so far; one that comes again would lead in a circle.
    tokens: SeenIds,
    order: ListOrder,
    /// The tasks that were read and not returned yet, newest first.
    candidates: Vec<Task>,
}

#[derive(Debug)]
enum NextPage {
    Number,
    Token(String),
}

impl<'a> UpgradeTasks<'a> {
    /// The tasks of `cluster` whose type is one of `types`, in any letter case. Tasks of node pools
    /// are left out.
    pub fn new(
        client: &'a Client,
        endpoint: &'a Endpoint,
        cluster: &'a ClusterId,
        types: &'a [String],
    ) -> Self {
        let wanted = WantedTasks::OfCluster(types);
        Self::wanted(client, endpoint, cluster, wanted)
    }

    /// The upgrades of the node pools of `cluster`. Older pages than one with a task from before
    /// `since` are left out.
    pub(super) fn of_node_pools(
        client: &'a Client,
        endpoint: &'a Endpoint,
        cluster: &'a ClusterId,
        since: Option<Timestamp>,
    ) -> Self {
        let wanted = WantedTasks::OfNodePools(since);
        Self::wanted(client, endpoint, cluster, wanted)
    }

    fn wanted(
        client: &'a Client,
        endpoint: &'a Endpoint,
        cluster: &'a ClusterId,
        wanted: WantedTasks<'a>,
    ) -> Self {
        Self {
            client,
            endpoint,
            cluster,
            wanted,
            next_page: Some(NextPage::Number),
            paging: Paging::default(),
            tokens: SeenIds::default(),
            order: ListOrder::default(),
            candidates: Vec::new(),
        }
    }

    /// Returns the newest task that was not returned before. Reads all pages before it returns
    /// `None`. Once a task is found, pages that can only contain older ones are not read. Dropping
    /// the future cancels the call.
    pub async fn next(&mut self, budget: &Budget) -> Result<Option<Task>, ApiError> {
        while self.candidates.is_empty() || !self.order.is_newest_first() {
            let Some(next) = self.next_page.take() else {
                break;
            };
            self.read_page(next, budget).await?;
        }
        if self.candidates.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.candidates.remove(0)))
    }

    /// The time of the newest task of any type on the pages so far.
    pub(super) fn newest_time(&self) -> Option<Timestamp> {
        self.order.newest()
    }

    async fn read_page(&mut self, next: NextPage, budget: &Budget) -> Result<(), ApiError> {
        let is_by_token = matches!(next, NextPage::Token(_));
        let query = match next {
            NextPage::Number => self.paging.next_page(),
            NextPage::Token(token) => self.paging.next_page_by_token(token),
        };
        let path = path(self.cluster);
        let call = call(self.endpoint, &path, &query);
        let page: TaskPage = self.client.call(&call, budget).await?;
        let mut report = self.client.unknown_values();
        let total = paging::total(&page.page_info);
        let tasks = self.paging.items(call.operation, page.tasks, total)?;
        for fields in tasks.items {
            let is_wanted = fields
                .task_type
                .value()
                .is_some_and(|kind| self.wanted.has_type(kind));
            // Unexpected fields of other tasks do not matter to anyone.
            if is_wanted {
                fields.report_unexpected_fields(&mut report);
            }
            let Some(task) = fields.into_task() else {
                continue;
            };
            if !self.paging.is_new(&task.id) {
                continue;
            }
            self.order.note(task.created);
            if is_wanted && self.wanted.has_target(&task, self.cluster) {
                self.candidates.push(task);
            }
        }
        self.candidates.sort_by_key(|task| Reverse(task.created));
        self.candidates.truncate(self.wanted.max_candidates());
        let token = page.next_token.into_value();
        self.next_page = self.page_after(is_by_token, token, total);
        Ok(())
    }

    /// The page after one that was asked for by number or by token, and has `token`.
    fn page_after(
        &mut self,
        is_by_token: bool,
        token: Option<String>,
        total: Option<u64>,
    ) -> Option<NextPage> {
        if self.wanted.are_behind(&self.order, self.paging.number()) {
            return None;
        }
        if !is_by_token && self.paging.has_next(total) {
            return Some(NextPage::Number);
        }
        // The reference does not exclude that a list by number continues by token.
        if !self.paging.has_next_by_token(total) {
            return None;
        }
        token
            .filter(|token| self.tokens.insert(token))
            .map(NextPage::Token)
    }
}

/// Returns the request for the first page of `cluster`'s tasks, without sending it.
pub async fn explain_tasks(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
) -> Result<ExplainedRequest, ApiError> {
    let (path, query) = (path(cluster), paging::page_query(1));
    client.explain(&call(endpoint, &path, &query)).await
}

fn path(cluster: &ClusterId) -> String {
    format!("/clusters/{cluster}/tasks")
}

fn call<'a>(endpoint: &'a Endpoint, path: &'a str, query: &'a [(&'a str, String)]) -> Call<'a> {
    Call {
        operation: Operation::DescribeClusterTasks,
        endpoint,
        path,
        query,
    }
}
