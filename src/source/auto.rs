//! Finds out, for one account and region, whether `GetUpgradeStatus` is still served, and reads the tasks where it is not.
//!
//! A code that says that there is no such operation is conclusive. Another refusal in the vendor's own words is evidence
//! if the vendor knows the cluster all the same; two clusters' evidence is conclusive too, unless it is old or the cluster
//! has answered since. What a proxy says proves nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{Question, Reading, Tasks, UpgradeSource, UpgradeStatus};
use crate::api::{ApiError, Client, ErrorKind, describe_cluster};
use crate::names::{AccountName, ClusterId, Region};
use crate::upgrade::{SourceName, UpgradeState};

/// How long clusters wait for the one that is asked first.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a retired operation is asked whether it is back.
const PROBE_INTERVAL: Duration = Duration::from_secs(3600);

/// Probes in a row that have to succeed before the operation is trusted again.
const PROBES_TO_RETURN: u32 = 2;

/// Clusters whose refusals together are proof.
const CLUSTERS_TO_RETIRE: usize = 2;

/// How long a refusal may wait for another cluster's: a switch-off meets all of them within a few scrapes.
const EVIDENCE_LASTS: Duration = Duration::from_secs(3600);

/// Starts with `GetUpgradeStatus`, falls back to the tasks, and goes on looking.
#[derive(Debug)]
pub struct Auto {
    account: AccountName,
    region: Option<Region>,
    client: Arc<Client>,
    upgrade_status: UpgradeStatus,
    tasks: Tasks,
    verdict: watch::Sender<Verdict>,
    evidence: Mutex<Evidence>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nobody has been asked, or nobody gave an answer that proves anything.
    Open,
    /// One cluster is being asked, and the others wait.
    Asking,
    /// The operation is served.
    Served,
    /// The operation is gone.
    Retired,
}

#[derive(Debug)]
struct Evidence {
    /// Clusters that the vendor knows and whose query it refused, and since when.
    refused: HashMap<ClusterId, Instant>,
    next_probe: Instant,
    good_probes: u32,
}

impl Auto {
    /// A source for the clusters of `account` in `region`.
    pub fn new(account: AccountName, region: Option<Region>, client: Arc<Client>, upgrade_status: UpgradeStatus, tasks: Tasks) -> Self {
        let evidence = Evidence { refused: HashMap::new(), next_probe: Instant::now(), good_probes: 0 };
        Self { account, region, client, upgrade_status, tasks, verdict: watch::Sender::new(Verdict::Open), evidence: Mutex::new(evidence) }
    }

    async fn answer(&self, question: Question<'_>) -> Result<UpgradeState, ApiError> {
        let lead = self.lead();
        if lead.is_none() {
            self.await_verdict(&question).await;
        }
        let verdict = *self.verdict.borrow();
        if verdict == Verdict::Retired {
            self.probe(&question).await;
            return self.tasks.read(question).await;
        }
        self.ask(question, lead).await
    }

    async fn ask(&self, question: Question<'_>, lead: Option<Lead<'_>>) -> Result<UpgradeState, ApiError> {
        let error = match self.upgrade_status.read(question).await {
            Ok(state) => {
                self.served(question.cluster);
                return Ok(state);
            }
            Err(error) => error,
        };
        if error.kind == ErrorKind::OperationGone {
            self.retire(&error);
        } else if is_suspicious(&error) {
            self.confirm(&question, &error).await;
            // The next cluster may bring the proof that this one alone is not.
            drop(lead);
            self.await_proof(&question).await;
        }
        let verdict = *self.verdict.borrow();
        if verdict == Verdict::Retired { self.tasks.read(question).await } else { Err(error) }
    }

    /// Takes the lead if nothing is decided and nobody has it.
    fn lead(&self) -> Option<Lead<'_>> {
        let taken = self.verdict.send_if_modified(|verdict| {
            let is_free = *verdict == Verdict::Open;
            if is_free {
                *verdict = Verdict::Asking;
            }
            is_free
        });
        taken.then(|| Lead(self))
    }

    async fn await_verdict(&self, question: &Question<'_>) {
        self.wait(question, |verdict| verdict != Verdict::Asking).await;
    }

    async fn await_proof(&self, question: &Question<'_>) {
        self.wait(question, |verdict| verdict == Verdict::Retired).await;
    }

    async fn wait(&self, question: &Question<'_>, enough: fn(Verdict) -> bool) {
        let mut verdict = self.verdict.subscribe();
        tokio::select! {
            _ = timeout(PATIENCE, verdict.wait_for(|verdict| enough(*verdict))) => {}
            () = question.budget.spent() => {}
        }
    }

    /// Asks whether the vendor knows the cluster whose query it refused.
    async fn confirm(&self, question: &Question<'_>, error: &ApiError) {
        {
            let mut evidence = self.lock();
            evidence.refused.retain(|_, since| since.elapsed() < EVIDENCE_LASTS);
            if evidence.refused.contains_key(question.cluster) {
                return;
            }
        }
        if describe_cluster(&self.client, question.endpoint, question.cluster, question.budget).await.is_err() {
            return;
        }
        let is_proof = {
            let mut evidence = self.lock();
            evidence.refused.insert(question.cluster.clone(), Instant::now());
            evidence.refused.len() >= CLUSTERS_TO_RETIRE
        };
        if is_proof {
            self.retire(error);
        }
    }

    /// Asks, once an interval, whether the operation is back.
    async fn probe(&self, question: &Question<'_>) {
        {
            let mut evidence = self.lock();
            let now = Instant::now();
            if now < evidence.next_probe {
                return;
            }
            evidence.next_probe = now + PROBE_INTERVAL;
        }
        let is_back = self.upgrade_status.read(*question).await.is_ok();
        let returns = {
            let mut evidence = self.lock();
            evidence.good_probes = if is_back { evidence.good_probes + 1 } else { 0 };
            evidence.good_probes >= PROBES_TO_RETURN
        };
        if returns {
            self.bring_back();
        }
    }

    /// Notes that the operation has answered for `cluster`. Does not bring a retired one back: the answer may have been
    /// under way since before the switch-off.
    fn served(&self, cluster: &ClusterId) {
        self.lock().refused.remove(cluster);
        self.verdict.send_if_modified(|verdict| {
            let is_open = matches!(*verdict, Verdict::Open | Verdict::Asking);
            if is_open {
                *verdict = Verdict::Served;
            }
            is_open
        });
    }

    /// Trusts the operation again, as the probes say.
    fn bring_back(&self) {
        self.lock().refused.clear();
        if self.verdict.send_replace(Verdict::Served) == Verdict::Retired {
            tracing::info!(account = %self.account, region = self.region_name(), "GetUpgradeStatus is served again");
        }
    }

    fn retire(&self, error: &ApiError) {
        {
            let mut evidence = self.lock();
            evidence.next_probe = Instant::now() + PROBE_INTERVAL;
            evidence.good_probes = 0;
        }
        if self.verdict.send_replace(Verdict::Retired) != Verdict::Retired {
            tracing::warn!(
                account = %self.account, region = self.region_name(), error = %error,
                "GetUpgradeStatus has been switched off here; reading tasks instead"
            );
        }
    }

    fn region_name(&self) -> &str {
        self.region.as_ref().map_or("", Region::as_str)
    }

    fn lock(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UpgradeSource for Auto {
    fn read<'a>(&'a self, question: Question<'a>) -> Reading<'a> {
        Box::pin(self.answer(question))
    }

    fn in_use(&self) -> Option<SourceName> {
        match *self.verdict.borrow() {
            Verdict::Open | Verdict::Asking => None,
            Verdict::Served => Some(SourceName::UpgradeStatus),
            Verdict::Retired => Some(SourceName::Tasks),
        }
    }
}

/// The lead, which ends with the value; if nothing was decided, the next one may have it.
#[derive(Debug)]
struct Lead<'a>(&'a Auto);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.0.verdict.send_if_modified(|verdict| {
            let was_open = *verdict == Verdict::Asking;
            if was_open {
                *verdict = Verdict::Open;
            }
            was_open
        });
    }
}

/// Whether the refusal may mean that there is no such operation: in the vendor's words, and with no other explanation.
fn is_suspicious(error: &ApiError) -> bool {
    const EXPLAINED: [&str; 3] = ["invalidparameter", "missingparameter", "errorclusterstate"];
    let code = error.code.as_deref().unwrap_or_default().to_ascii_lowercase();
    error.kind == ErrorKind::Rejected
        && error.status.is_some_and(|status| (400..500).contains(&status))
        && !EXPLAINED.iter().any(|prefix| code.starts_with(prefix))
}
