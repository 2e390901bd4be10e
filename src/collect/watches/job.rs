//! One query of one subject, from its tokens to the answer that is recorded.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{ApiError, Budget, Client, Endpoint, ErrorKind};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::Slots;
use super::state::{Due, Entry};
use crate::collect::fetching::fetch;
use crate::queries::{FetchContext, Query, Scope, Subject as _, WatchedQuery};
use crate::snapshot::Failure;

/// Time limit of each wait of a query. Nobody waits for the query itself, and a low rate limit
/// makes it wait long; the client limits the time of each attempt.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A query that is due.
pub(in crate::collect) struct Job<'a> {
    /// The time since which it is due.
    pub(in crate::collect) due_at: Instant,
    pub(in crate::collect) class: QueryClass,
    /// Notes that the query is in flight. The future makes it and records its result.
    pub(in crate::collect) start: Box<dyn FnOnce() -> BoxFuture<'a, ()> + Send + 'a>,
}

/// The prospects of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::collect) enum QueryClass {
    /// The last one was answered, or there was none.
    Responding,
    /// The last one failed and is repeated, or there was none and the last one in its region
    /// failed.
    Failing,
}

impl<Q: WatchedQuery> Slots<Q> {
    /// The query of the subject that is due.
    pub(super) fn job<'a>(&'a self, due: Due<Q::Subject>, client: &'a Client) -> Job<'a> {
        let Due { at, subject, class } = due;
        let start = move || {
            let entry = self.start(&subject);
            let query = async move {
                if let Some((entry, endpoint)) = entry {
                    self.ask(&subject, &entry, &endpoint, client).await;
                }
            };
            query.boxed()
        };
        Job {
            due_at: at,
            class,
            start: Box::new(start),
        }
    }

    /// Notes that the query of `subject` is in flight. Returns what is known of it; None if its
    /// clusters are gone.
    pub(super) fn start(&self, subject: &Q::Subject) -> Option<(Entry<Arc<Q::Answer>>, Endpoint)> {
        let mut state = self.lock();
        let entry = state.entries.get_mut(subject)?;
        let endpoint = entry.endpoint.clone()?;
        entry.slot.start(());
        Some((entry.clone(), endpoint))
    }

    async fn ask(
        &self,
        subject: &Q::Subject,
        entry: &Entry<Arc<Q::Answer>>,
        endpoint: &Endpoint,
        client: &Client,
    ) {
        let last = entry.slot.answer().map(|answer| &**answer);
        let cost = self.query.cost(last);
        let tokens = client.limiter().acquire(cost).await;
        let budget = Budget::lasting(TIMEOUT).at_least(TIMEOUT);
        budget.grant(tokens);
        let context = FetchContext {
            clusters: &entry.clusters,
            activity: entry.activity(),
            ..FetchContext::new(client, endpoint, &budget)
        };
        let result = fetch(&self.query, subject, context, last).await;
        self.record(subject, entry, result, Instant::now());
    }

    /// Records the result of a query that ended at `now`, and that was made when `asked` was known.
    pub(super) fn record(
        &self,
        subject: &Q::Subject,
        asked: &Entry<Arc<Q::Answer>>,
        result: Result<Q::Answer, ApiError>,
        now: Instant,
    ) {
        let mut state = self.lock();
        state.quiet_until = None;
        state.remove_if_gone(subject);
        if matches!(&result, Err(error) if error.kind == ErrorKind::RateLimited) {
            // The account's own limit tells nothing about the subject. The query stays due.
            if let Some(entry) = state.entries.get_mut(subject) {
                entry.slot.put_back();
            }
            return;
        }
        let result = result.map_err(|error| failure::<Q>(&error));
        let failure = result.as_ref().err().cloned();
        if failure.as_ref().is_some_and(|failure| !failure.lasting) {
            state.failing.insert(asked.region());
        } else {
            state.failing.remove(&asked.region());
        }
        let Some(entry) = state.entries.get_mut(subject) else {
            return;
        };
        if failure.is_none() {
            entry.changed_before_answer = asked.changed;
        }
        entry.slot.record(result.map(Arc::new), now);
        match failure {
            Some(failure) if state.logged != Some(failure.reason) => {
                state.logged = Some(failure.reason);
                self.log_failure(subject, &failure);
            }
            None if state.logged.is_some() && !state.is_failing() => {
                state.logged = None;
                tracing::info!(query = Q::NAME, account = %self.account, "query is answered again");
            }
            Some(_) | None => {}
        }
    }

    fn log_failure(&self, subject: &Q::Subject, failure: &Failure) {
        let subject = match subject.scope() {
            Scope::Cluster(id) => id.as_str(),
            Scope::Region(region) => region.as_str(),
        };
        tracing::warn!(
            query = Q::NAME,
            account = %self.account,
            subject,
            reason = failure.reason.as_str(),
            error = %failure.message,
            "query fails; further subjects that fail alike are not logged"
        );
    }
}

/// The failure that `error` stands for. A missing permission is named, so that it can be granted.
fn failure<Q: Query>(error: &ApiError) -> Failure {
    let mut failure = Failure::of(error);
    if error.kind == ErrorKind::Forbidden {
        let actions: Vec<_> = Q::OPERATIONS
            .iter()
            .map(|operation| operation.ram_action())
            .collect();
        failure.message = format!(
            "{} (the RAM policy has to allow {})",
            failure.message,
            actions.join(", ")
        );
    }
    failure
}
