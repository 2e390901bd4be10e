//! Detection, for one account and region, of whether `GetUpgradeStatus` is still served. Where it
//! is not, the tasks are read.
//!
//! An error code for an operation that does not exist retires it in the region. After another
//! refusal by the API the tasks of that cluster are read. The refusal counts if the API knows the
//! cluster all the same: the refusals of two clusters retire the operation too, as long as no
//! cluster gets a response. The response of a proxy proves nothing.

mod state;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Client, ErrorKind, describe_cluster};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use self::state::{DetectionState, Refusal};
use super::{Tasks, status};
use crate::queries::FetchContext;
use crate::upgrade::{SourceName, UpgradeState};

/// Longest wait of the other clusters for the response to the first.
const LEADER_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit of a background task.
const BACKGROUND_BUDGET: Duration = Duration::from_secs(5);

/// Limit of the background tasks of one region that run at once.
const MAX_BACKGROUND: usize = 2;

/// Starts with `GetUpgradeStatus`, falls back to the tasks, and tries the operation again from time
/// to time.
#[derive(Debug)]
pub struct SourceDetector {
    tasks: Tasks,
    shared: Arc<Shared>,
    /// Probes and confirmations, for which no query waits. They end with the source.
    background: Mutex<JoinSet<()>>,
}

/// The part that queries and background tasks share.
#[derive(Debug)]
struct Shared {
    account: AccountName,
    region: Option<Region>,
    /// For background tasks. It has limits of its own, so that no query waits for them.
    client: Arc<Client>,
    state: watch::Sender<DetectionState>,
}

impl SourceDetector {
    /// A source for the clusters of `account` in `region`.
    pub fn new(
        account: AccountName,
        region: Option<Region>,
        client: &Client,
        tasks: Tasks,
    ) -> Self {
        let client = Arc::new(client.in_background());
        let shared = Arc::new(Shared {
            account,
            region,
            client,
            state: watch::Sender::default(),
        });
        Self {
            tasks,
            shared,
            background: Mutex::default(),
        }
    }

    /// Reads the state of the upgrade of `cluster`, by the operation that serves it.
    pub(super) async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&UpgradeState>,
    ) -> Result<UpgradeState, ApiError> {
        let leader = self.shared.lead(cluster);
        if leader.is_none() {
            self.shared.wait_for_leader(cluster, context.budget).await;
        }
        if self.shared.source(cluster) == SourceName::UpgradeStatus {
            return self
                .fetch_status_or_tasks(cluster, context, last, leader)
                .await;
        }
        match self.tasks.fetch(cluster, context, last).await {
            // No error code says that the operation is gone, so it may be served where the tasks
            // are refused.
            Err(tasks_error) if is_lasting_refusal(&tasks_error) && !self.shared.is_gone() => {
                let status = self.shared.fetch_status(cluster, context).await;
                status.map_err(|error| with_status_error(tasks_error, &error))
            }
            result => {
                self.probe(cluster, context.endpoint);
                result
            }
        }
    }

    /// Asks `GetUpgradeStatus`, and reads the tasks if it does not serve this cluster.
    async fn fetch_status_or_tasks(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&UpgradeState>,
        leader: Option<LeaderGuard<'_>>,
    ) -> Result<UpgradeState, ApiError> {
        let asked = Instant::now();
        let error = match self.shared.fetch_status(cluster, context).await {
            Err(error) if may_mean_gone(&error) => error,
            result => return result,
        };
        // The others need not wait for this cluster's tasks.
        drop(leader);
        let upgrade = self
            .tasks
            .fetch(cluster, context, last)
            .await
            .map_err(|tasks_error| with_status_error(tasks_error, &error))?;
        if error.kind != ErrorKind::OperationGone {
            let was_served = last.is_some_and(|last| last.source == SourceName::UpgradeStatus);
            let refusal = Refusal {
                cluster: cluster.clone(),
                asked,
                was_served,
            };
            self.record_refusal(refusal, context.endpoint, error);
        }
        Ok(upgrade)
    }

    /// Records a refusal after which the tasks could be read.
    fn record_refusal(&self, refusal: Refusal, endpoint: &Endpoint, error: ApiError) {
        self.shared.record_unserved(&refusal.cluster, &error);
        if self.shared.state.borrow().counts(&refusal) {
            let endpoint = endpoint.clone();
            self.run_in_background(|shared| Some(shared.confirm(refusal, endpoint, error)));
        }
    }

    /// Tries the operation again if it is time.
    fn probe(&self, cluster: &ClusterId, endpoint: &Endpoint) {
        self.run_in_background(|shared| {
            let is_due = shared.update(None, |state, now| state.take_probe(cluster, now));
            is_due.then(|| shared.probe(cluster.clone(), endpoint.clone()))
        });
    }

    /// The source in use, once that is decided.
    pub(super) fn in_use(&self) -> Option<SourceName> {
        self.shared.state.borrow().in_use()
    }

    /// Runs the task that `start` returns, unless as many run as may. A probe that is skipped stays
    /// due.
    fn run_in_background<F>(&self, start: impl FnOnce(Arc<Shared>) -> Option<F>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut background = self
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        if background.len() < MAX_BACKGROUND
            && let Some(task) = start(Arc::clone(&self.shared))
        {
            background.spawn(task);
        }
    }
}

impl Shared {
    fn source(&self, cluster: &ClusterId) -> SourceName {
        self.state.borrow().source(cluster)
    }

    fn is_gone(&self) -> bool {
        self.state.borrow().is_gone()
    }

    /// Makes `cluster` the leader if nothing is decided and there is none.
    fn lead(&self, cluster: &ClusterId) -> Option<LeaderGuard<'_>> {
        self.state
            .send_if_modified(|state| state.take_lead(cluster))
            .then(|| LeaderGuard(self))
    }

    async fn wait_for_leader(&self, cluster: &ClusterId, budget: &Budget) {
        let mut state = self.state.subscribe();
        let decided = state.wait_for(|state| !state.waits_for_leader(cluster));
        tokio::select! {
            _ = timeout(LEADER_TIMEOUT, decided) => {}
            () = budget.expired() => {}
        }
    }

    /// Asks `GetUpgradeStatus`, and records whether it is served.
    async fn fetch_status(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
    ) -> Result<UpgradeState, ApiError> {
        let result = status::fetch(cluster, context).await;
        match &result {
            Ok(_) => self.update(None, |state, now| state.record_response(cluster, now)),
            Err(error) if error.kind == ErrorKind::OperationGone => {
                self.update(Some(error), DetectionState::record_gone);
            }
            Err(_) => {}
        }
        result
    }

    /// Counts the refusal if the API knows the cluster.
    async fn confirm(self: Arc<Self>, refusal: Refusal, endpoint: Endpoint, error: ApiError) {
        let budget = Budget::lasting(BACKGROUND_BUDGET);
        if describe_cluster(&self.client, &endpoint, &refusal.cluster, &budget)
            .await
            .is_ok()
        {
            self.update(Some(&error), |state, now| {
                state.record_refusal(&refusal, now);
            });
        }
    }

    async fn probe(self: Arc<Self>, cluster: ClusterId, endpoint: Endpoint) {
        let budget = Budget::lasting(BACKGROUND_BUDGET);
        let context = FetchContext::new(&self.client, &endpoint, &budget);
        match status::fetch(&cluster, context).await {
            Ok(_) => self.update(None, |state, now| {
                state.probe_succeeded(&cluster, now);
            }),
            Err(error) => self.update(Some(&error), |state, now| {
                state.probe_failed();
                if error.kind == ErrorKind::OperationGone {
                    state.record_gone(now);
                }
            }),
        }
    }

    fn record_unserved(&self, cluster: &ClusterId, error: &ApiError) {
        if self.update(None, |state, now| state.record_unserved(cluster, now)) {
            // When the operation is switched off, the log names the region once, not each cluster.
            tracing::debug!(
                %cluster,
                account = %self.account,
                %error,
                "GetUpgradeStatus does not serve this cluster; reading its tasks instead"
            );
        }
    }

    /// Applies `change` to the state, and logs when it retires the operation, because of `error`,
    /// or brings it back.
    fn update<T>(
        &self,
        error: Option<&ApiError>,
        change: impl FnOnce(&mut DetectionState, Instant) -> T,
    ) -> T {
        let (mut result, mut was_retired, mut is_retired) = (None, false, false);
        self.state.send_modify(|state| {
            was_retired = state.is_retired();
            result = Some(change(state, Instant::now()));
            is_retired = state.is_retired();
        });
        let region = self.region.as_ref().map_or("", Region::as_str);
        if is_retired && !was_retired {
            let error = error.map(ToString::to_string);
            // Expected: the operation is switched off on the whole public cloud.
            tracing::info!(
                account = %self.account,
                region,
                error,
                "GetUpgradeStatus has been switched off here; reading tasks instead"
            );
        } else if was_retired && !is_retired {
            tracing::info!(account = %self.account, region, "GetUpgradeStatus is served again");
        }
        result.expect("the change was made")
    }
}

/// Marks its query as the leader until it is dropped. If nothing is decided by then, the next query
/// leads.
// The query may be dropped at any await, so the end of the lead can't be a plain call.
#[derive(Debug)]
struct LeaderGuard<'a>(&'a Shared);

impl Drop for LeaderGuard<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(DetectionState::end_lead);
    }
}

/// True if the refusal means that the operation does not exist, or may mean it: it is the API's
/// own, and its code explains nothing else.
fn may_mean_gone(error: &ApiError) -> bool {
    const EXPLAINED: [&str; 3] = ["invalidparameter", "missingparameter", "errorclusterstate"];
    let code = error
        .code
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_unexplained = error.kind == ErrorKind::Rejected
        && error
            .status
            .is_some_and(|status| (400..500).contains(&status))
        && !EXPLAINED.iter().any(|prefix| code.starts_with(prefix));
    error.kind == ErrorKind::OperationGone || is_unexplained
}

/// True if reading the tasks a little later would fail too.
fn is_lasting_refusal(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Forbidden | ErrorKind::OperationGone | ErrorKind::Rejected
    )
}

/// The error of the tasks, with that of `GetUpgradeStatus` in its message.
fn with_status_error(tasks_error: ApiError, status_error: &ApiError) -> ApiError {
    ApiError {
        message: format!("{}; and {status_error}", tasks_error.message),
        ..tasks_error
    }
}
