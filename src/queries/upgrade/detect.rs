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
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use self::state::{DetectionState, Refusal};
use super::{SourceRequest, Tasks, UpgradeSource, UpgradeStatus};
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

    async fn fetch_state(&self, request: SourceRequest<'_>) -> Result<UpgradeState, ApiError> {
        let leader = self.shared.lead(request.cluster);
        if leader.is_none() {
            self.shared.wait_for_leader(&request).await;
        }
        if self.shared.source(request.cluster) == SourceName::UpgradeStatus {
            return self.fetch_status(request, leader, None).await;
        }
        match self.tasks.fetch(request).await {
            // No error code says that the operation is gone, so it may be served where the tasks
            // are refused.
            Err(error) if is_lasting_refusal(&error) && !self.shared.is_gone() => {
                self.fetch_status(request, None, Some(error)).await
            }
            result => {
                self.probe(&request);
                result
            }
        }
    }

    /// Asks `GetUpgradeStatus`, and reads the tasks if it does not serve this cluster, unless
    /// reading them has failed already, with `tasks_error`.
    async fn fetch_status(
        &self,
        request: SourceRequest<'_>,
        leader: Option<LeaderGuard<'_>>,
        tasks_error: Option<ApiError>,
    ) -> Result<UpgradeState, ApiError> {
        let asked = Instant::now();
        let error = match UpgradeStatus.fetch(request).await {
            Ok(upgrade) => {
                self.shared.update(None, |state, now| {
                    state.record_response(request.cluster, now);
                });
                return Ok(upgrade);
            }
            Err(error) => error,
        };
        let is_gone = error.kind == ErrorKind::OperationGone;
        if is_gone {
            self.shared
                .update(Some(&error), DetectionState::record_gone);
        }
        if let Some(tasks_error) = tasks_error {
            return Err(with_status_error(tasks_error, &error));
        }
        if !is_gone && !may_mean_gone(&error) {
            return Err(error);
        }
        // The others need not wait for this cluster's tasks.
        drop(leader);
        let upgrade = self
            .tasks
            .fetch(request)
            .await
            .map_err(|tasks_error| with_status_error(tasks_error, &error))?;
        if !is_gone {
            self.record_refusal(&request, asked, error);
        }
        Ok(upgrade)
    }

    /// Records a refusal after which the tasks could be read.
    fn record_refusal(&self, request: &SourceRequest<'_>, asked: Instant, error: ApiError) {
        let was_served = request
            .previous
            .is_some_and(|previous| previous.source == SourceName::UpgradeStatus);
        let refusal = Refusal {
            cluster: request.cluster.clone(),
            asked,
            was_served,
        };
        self.shared.record_unserved(&refusal.cluster, &error);
        if self.shared.state.borrow().counts(&refusal) {
            let endpoint = request.endpoint.clone();
            self.run_in_background(|shared| Some(shared.confirm(refusal, endpoint, error)));
        }
    }

    /// Tries the operation again if it is time.
    fn probe(&self, request: &SourceRequest<'_>) {
        self.run_in_background(|shared| {
            let is_due = shared.update(None, |state, now| state.take_probe(request.cluster, now));
            is_due.then(|| shared.probe(request.cluster.clone(), request.endpoint.clone()))
        });
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

impl UpgradeSource for SourceDetector {
    fn fetch<'a>(
        &'a self,
        request: SourceRequest<'a>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>> {
        Box::pin(self.fetch_state(request))
    }

    fn in_use(&self) -> Option<SourceName> {
        self.shared.state.borrow().in_use()
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

    async fn wait_for_leader(&self, request: &SourceRequest<'_>) {
        let mut state = self.state.subscribe();
        let decided = state.wait_for(|state| !state.waits_for_leader(request.cluster));
        tokio::select! {
            _ = timeout(LEADER_TIMEOUT, decided) => {}
            () = request.budget.expired() => {}
        }
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
        let request = SourceRequest {
            client: &self.client,
            cluster: &cluster,
            endpoint: &endpoint,
            budget: &budget,
            previous: None,
        };
        match UpgradeStatus.fetch(request).await {
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

/// True if the refusal may mean that the operation does not exist: it is the API's own, and its
/// code explains nothing else.
fn may_mean_gone(error: &ApiError) -> bool {
    const EXPLAINED: [&str; 3] = ["invalidparameter", "missingparameter", "errorclusterstate"];
    let code = error
        .code
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    error.kind == ErrorKind::Rejected
        && error
            .status
            .is_some_and(|status| (400..500).contains(&status))
        && !EXPLAINED.iter().any(|prefix| code.starts_with(prefix))
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
