//! Finds out, for one account and region, whether `GetUpgradeStatus` is still served, and reads the
//! tasks where it is not.
//!
//! A code that says that there is no such operation retires it in the region. Another refusal in
//! the API's own words has that cluster's tasks read, and is evidence if the API knows the cluster
//! all the same: two clusters' evidence retires the operation too, as long as none is answered.
//! What a proxy says proves nothing.

mod detection;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Client, ErrorKind, describe_cluster};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use self::detection::{Detection, Refusal};
use super::{Question, Reading, Tasks, UpgradeSource, UpgradeStatus};
use crate::upgrade::{SourceName, UpgradeState};

/// How long clusters wait for the one that is asked first.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a background task may take.
const BACKGROUND_BUDGET: Duration = Duration::from_secs(5);

/// Background tasks of one region that may run at once.
const MAX_BACKGROUND: usize = 2;

/// Starts with `GetUpgradeStatus`, falls back to the tasks, and goes on looking.
#[derive(Debug)]
pub struct Auto {
    upgrade_status: UpgradeStatus,
    tasks: Tasks,
    detector: Arc<Detector>,
    /// Probes and confirmations, for which no reading waits. They end with the source.
    background: Mutex<JoinSet<()>>,
}

/// The part of the source that readings and background tasks share.
#[derive(Debug)]
struct Detector {
    account: AccountName,
    region: Option<Region>,
    /// For background tasks. Has limits of its own, so that no reading waits for what they take.
    client: Arc<Client>,
    detection: watch::Sender<Detection>,
}

impl Auto {
    /// A source for the clusters of `account` in `region`.
    pub fn new(
        account: AccountName,
        region: Option<Region>,
        client: &Client,
        upgrade_status: UpgradeStatus,
        tasks: Tasks,
    ) -> Self {
        let client = Arc::new(client.in_background());
        let detector = Arc::new(Detector {
            account,
            region,
            client,
            detection: watch::Sender::default(),
        });
        Self {
            upgrade_status,
            tasks,
            detector,
            background: Mutex::default(),
        }
    }

    async fn answer(&self, question: Question<'_>) -> Result<UpgradeState, ApiError> {
        let lead = self.detector.lead(question.cluster);
        if lead.is_none() {
            self.detector.await_verdict(&question).await;
        }
        if self.detector.source(question.cluster) == SourceName::UpgradeStatus {
            return self.ask(question, lead, None).await;
        }
        match self.tasks.read(question).await {
            // No code has said that the operation is gone, so it may answer where the tasks are no
            // way out.
            Err(error) if is_no(&error) && !self.detector.is_gone() => {
                self.ask(question, None, Some(error)).await
            }
            answer => {
                self.probe(&question);
                answer
            }
        }
    }

    /// Asks `GetUpgradeStatus`, and reads the tasks if it does not serve this cluster, unless they
    /// have `failed` already.
    async fn ask(
        &self,
        question: Question<'_>,
        lead: Option<Lead<'_>>,
        failed: Option<ApiError>,
    ) -> Result<UpgradeState, ApiError> {
        let asked = Instant::now();
        let error = match self.upgrade_status.read(question).await {
            Ok(state) => {
                self.detector.note(None, |detection, now| {
                    detection.answered(question.cluster, now);
                });
                return Ok(state);
            }
            Err(error) => error,
        };
        let is_gone = error.kind == ErrorKind::OperationGone;
        if is_gone {
            self.detector.note(Some(&error), Detection::gone);
        }
        if let Some(failed) = failed {
            return Err(both(failed, &error));
        }
        if !is_gone && !is_suspicious(&error) {
            return Err(error);
        }
        // The others need not wait for this cluster's tasks.
        drop(lead);
        let state = self
            .tasks
            .read(question)
            .await
            .map_err(|tasks| both(tasks, &error))?;
        if !is_gone {
            self.refused(&question, asked, error);
        }
        Ok(state)
    }

    /// Notes a refusal that the tasks have made up for.
    fn refused(&self, question: &Question<'_>, asked: Instant, error: ApiError) {
        let was_served = question
            .known
            .is_some_and(|known| known.source == SourceName::UpgradeStatus);
        let refusal = Refusal {
            cluster: question.cluster.clone(),
            asked,
            was_served,
        };
        self.detector.unserved(&refusal.cluster, &error);
        if self.detector.detection.borrow().is_evidence(&refusal) {
            let endpoint = question.endpoint.clone();
            self.run_in_background(|detector| Some(detector.confirm(refusal, endpoint, error)));
        }
    }

    /// Tries the operation again if it is time.
    fn probe(&self, question: &Question<'_>) {
        self.run_in_background(|detector| {
            let is_due = detector.note(None, |detection, now| {
                detection.take_probe(question.cluster, now)
            });
            is_due.then(|| detector.probe(question.cluster.clone(), question.endpoint.clone()))
        });
    }

    /// Runs the task that `start` returns, unless there are enough. A probe that is left out stays
    /// due.
    fn run_in_background<F>(&self, start: impl FnOnce(Arc<Detector>) -> Option<F>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut background = self
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        if background.len() < MAX_BACKGROUND
            && let Some(task) = start(Arc::clone(&self.detector))
        {
            background.spawn(task);
        }
    }
}

impl UpgradeSource for Auto {
    fn read<'a>(&'a self, question: Question<'a>) -> Reading<'a> {
        Box::pin(self.answer(question))
    }

    fn in_use(&self) -> Option<SourceName> {
        self.detector.detection.borrow().in_use()
    }
}

impl Detector {
    fn source(&self, cluster: &ClusterId) -> SourceName {
        self.detection.borrow().source(cluster)
    }

    fn is_gone(&self) -> bool {
        self.detection.borrow().is_gone()
    }

    /// Takes the lead if nothing is decided and nobody has it.
    fn lead(&self, cluster: &ClusterId) -> Option<Lead<'_>> {
        self.detection
            .send_if_modified(|detection| detection.take_lead(cluster))
            .then(|| Lead(self))
    }

    async fn await_verdict(&self, question: &Question<'_>) {
        let mut detection = self.detection.subscribe();
        tokio::select! {
            _ = timeout(PATIENCE, detection.wait_for(|detection| !detection.waits(question.cluster))) => {}
            () = question.budget.expired() => {}
        }
    }

    /// Counts the refusal as evidence if the API knows the cluster.
    async fn confirm(self: Arc<Self>, refusal: Refusal, endpoint: Endpoint, error: ApiError) {
        let budget = Budget::lasting(BACKGROUND_BUDGET);
        if describe_cluster(&self.client, &endpoint, &refusal.cluster, &budget)
            .await
            .is_ok()
        {
            self.note(Some(&error), |detection, now| {
                detection.refused(&refusal, now);
            });
        }
    }

    async fn probe(self: Arc<Self>, cluster: ClusterId, endpoint: Endpoint) {
        let budget = Budget::lasting(BACKGROUND_BUDGET);
        let question = Question {
            cluster: &cluster,
            endpoint: &endpoint,
            budget: &budget,
            known: None,
        };
        match UpgradeStatus::new(Arc::clone(&self.client))
            .read(question)
            .await
        {
            Ok(_) => self.note(None, |detection, now| {
                detection.probe_succeeded(&cluster, now);
            }),
            Err(error) => self.note(Some(&error), |detection, now| {
                detection.probe_failed();
                if error.kind == ErrorKind::OperationGone {
                    detection.gone(now);
                }
            }),
        }
    }

    fn unserved(&self, cluster: &ClusterId, error: &ApiError) {
        if self.note(None, |detection, now| detection.unserved(cluster, now)) {
            // In a switch-off it is the region that the log names, once.
            tracing::debug!(%cluster, account = %self.account, %error, "GetUpgradeStatus does not serve this cluster; reading its tasks instead");
        }
    }

    /// Notes what happened, with one line in the log if that retires the operation or brings it
    /// back.
    fn note<T>(
        &self,
        error: Option<&ApiError>,
        change: impl FnOnce(&mut Detection, Instant) -> T,
    ) -> T {
        let (mut noted, mut was_retired, mut is_retired) = (None, false, false);
        self.detection.send_modify(|detection| {
            was_retired = detection.is_retired();
            noted = Some(change(detection, Instant::now()));
            is_retired = detection.is_retired();
        });
        let region = self.region.as_ref().map_or("", Region::as_str);
        if is_retired && !was_retired {
            let error = error.map(ToString::to_string);
            tracing::warn!(account = %self.account, region, error, "GetUpgradeStatus has been switched off here; reading tasks instead");
        } else if was_retired && !is_retired {
            tracing::info!(account = %self.account, region, "GetUpgradeStatus is served again");
        }
        noted.expect("the change was made")
    }
}

/// The lead, which ends with the value; if nothing was decided, the next one may have it.
#[derive(Debug)]
struct Lead<'a>(&'a Detector);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.detection.send_modify(Detection::end_lead);
    }
}

/// Whether the refusal may mean that there is no such operation: in the API's own words, and with
/// no other explanation.
fn is_suspicious(error: &ApiError) -> bool {
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

/// Returns whether the tasks will not be had a little later either.
fn is_no(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Forbidden | ErrorKind::OperationGone | ErrorKind::Rejected
    )
}

/// The error of the tasks, which are the way out, with what `GetUpgradeStatus` said.
fn both(tasks: ApiError, upgrade_status: &ApiError) -> ApiError {
    ApiError {
        message: format!("{}; and {upgrade_status}", tasks.message),
        ..tasks
    }
}
