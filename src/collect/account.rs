//! One account's clusters, asked in order of need within the account's limits.

mod collection;
mod details;
mod probe;
mod progress;
mod query;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Client, Deadline, ErrorKind, ListedCluster};
use collection::MIN_QUERY_TIME;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use progress::{CollectionHandle, Progress};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use collection::AccountCollection;
pub(super) use probe::Probe;
pub(super) use query::Query;

use super::account_client::AccountClient;
use super::discovery::{self, RegionList};
use super::entry::{BlockedBy, ClusterEntry, InFlight, Origin, Target, Trigger};
use super::table::{ClusterTable, IdlePolicy};
use super::target_resolver::TargetResolver;
use crate::snapshot::{AccountReading, ClusterInfo, ClusterReading};

/// How long reading one list may take, apart from the scrapes.
const LIST_BUDGET: Duration = Duration::from_secs(60);

/// How soon a list that could not be read is tried again.
const LIST_RETRY: Duration = Duration::from_secs(30);

/// The same while there is nothing to show yet and the vendor was not reached: the next scrape
/// should find it if the process started before its keys or the network were there.
const LIST_OUT_OF_REACH_RETRY: Duration = Duration::from_secs(5);

/// One account and its clusters.
#[derive(Debug)]
pub(super) struct AccountCollector {
    account: AccountName,
    clock: Clock,
    /// Queries that may be under way at once.
    permits: Arc<Semaphore>,
    lists: Vec<RegionList>,
    refresh: Refresh,
    target_resolver: TargetResolver,
    table: Mutex<ClusterTable>,
    progress: Progress,
}

/// What an account needs to start a collection.
#[derive(Debug)]
pub(super) struct CollectionRequest<'a> {
    /// The collection's number; later collections have higher ones.
    pub(super) number: u64,
    /// When those who wait for it go.
    pub(super) deadline: &'a Deadline,
    /// Cancelled when the next collection takes over.
    pub(super) superseded: &'a CancellationToken,
    /// Where tasks are run.
    pub(super) tasks: &'a TaskTracker,
    /// Cancelled when the collector ends.
    pub(super) stop: &'a CancellationToken,
}

/// What an account is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) account: AccountName,
    pub(super) clock: Clock,
    pub(super) max_concurrency: usize,
    pub(super) lists: Vec<RegionList>,
    pub(super) refresh: Refresh,
    pub(super) target_resolver: TargetResolver,
    pub(super) targets: Vec<Target>,
}

/// When the lists are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refresh {
    /// Apart from the scrapes, when they are this old.
    pub(super) interval: Duration,
    /// In each scrape too, so that what they show as idle need not be asked.
    pub(super) idle_policy: Option<IdlePolicy>,
}

impl AccountCollector {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            account,
            clock,
            max_concurrency,
            lists,
            refresh,
            target_resolver,
            targets,
        } = parts;
        Arc::new(Self {
            account,
            clock,
            permits: Arc::new(Semaphore::new(max_concurrency)),
            lists,
            refresh,
            target_resolver,
            table: Mutex::new(ClusterTable::new(targets)),
            progress: Progress::default(),
        })
    }

    /// The account's name.
    pub(super) fn name(&self) -> &AccountName {
        &self.account
    }

    /// How the account is asked.
    pub(super) fn account_client(&self) -> &AccountClient {
        self.target_resolver.account_client()
    }

    fn client(&self) -> &Client {
        self.account_client().client()
    }

    /// What is known of the account.
    pub(super) fn account(&self) -> AccountReading {
        AccountReading {
            account: self.account.clone(),
            provider: self.client().credentials().provider(),
            credentials_expiry: self.client().credentials().expires_at(),
            sources: self.account_client().sources_in_use(),
            discoveries: self.lists.iter().filter_map(RegionList::reading).collect(),
        }
    }

    /// Whether every list that finds clusters has been read at least once.
    pub(super) fn has_found(&self) -> bool {
        self.lists.iter().all(RegionList::has_found)
    }

    /// The regions whose lists find clusters and have not been read yet.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Region> {
        self.lists
            .iter()
            .filter(|list| !list.has_found())
            .map(|list| &list.place.region)
    }

    /// Whether every list that finds clusters has been read, or could not be, at least once.
    pub(super) fn has_tried(&self) -> bool {
        self.lists
            .iter()
            .all(|list| list.has_found() || list.is_settled())
    }

    /// Waits until every list that finds clusters has been read, or could not be, at least once.
    pub(super) async fn tried(&self) {
        join_all(
            self.lists
                .iter()
                .filter(|list| !list.has_found())
                .map(RegionList::settled),
        )
        .await;
    }

    /// Whether the configuration names clusters of this instance.
    pub(super) fn has_named(&self) -> bool {
        self.lock()
            .entries
            .values()
            .any(|entry| entry.target.origin == Origin::Configured)
    }

    /// All clusters known.
    pub(super) fn clusters(&self) -> Vec<Arc<ClusterInfo>> {
        self.lock()
            .entries
            .values()
            .map(|entry| Arc::clone(&entry.target.info))
            .collect()
    }

    /// Reads the lists again and again, apart from the scrapes, each in its own time. Ends only
    /// where there are none.
    pub(super) async fn keep_refreshing(&self) {
        join_all(self.lists.iter().map(|list| self.keep_fresh(list))).await;
    }

    async fn keep_fresh(&self, list: &RegionList) {
        loop {
            let mut wait = self.refresh.interval;
            if list.is_due(wait)
                && let Err(error) = self
                    .refresh_list(list, Budget::lasting(LIST_BUDGET), None)
                    .await
            {
                wait = wait.min(if list.has_found() {
                    LIST_RETRY
                } else {
                    first_list_retry(&error)
                });
            }
            sleep(discovery::next_refresh(
                wait.min(list.rest(self.refresh.interval)),
            ))
            .await;
        }
    }

    async fn refresh_list(
        &self,
        list: &RegionList,
        budget: Budget,
        collection: Option<(u64, IdlePolicy)>,
    ) -> Result<(), ApiError> {
        let _turn = list.turn(&budget).await?;
        let listing = list.read(self.client(), &budget).await?;
        self.apply_list(list, &listing, collection);
        Ok(())
    }

    fn apply_list(
        &self,
        list: &RegionList,
        listing: &[ListedCluster],
        collection: Option<(u64, IdlePolicy)>,
    ) {
        let new_targets = list
            .wanted(listing)
            .filter_map(|cluster| self.target_resolver.listed(&list.place, cluster))
            .collect();
        self.lock().apply_list(
            &list.place.region,
            listing,
            new_targets,
            collection,
            self.clock.now(),
        );
        self.drop_inherited();
    }

    /// Starts a collection: every cluster is asked, the oldest reading first. A collection that still runs
    /// hands over; its queries go on, and what they answer counts for this one, unless they have
    /// been silent for long.
    pub(super) fn begin(self: &Arc<Self>, start: &CollectionRequest<'_>) -> CollectionHandle {
        let started = Instant::now();
        let length = start
            .deadline
            .instant()
            .saturating_duration_since(started)
            .max(MIN_QUERY_TIME);
        let collection = AccountCollection {
            number: start.number,
            started,
            deadline: start.deadline.clone(),
            length,
            stop: start.stop.clone(),
        };
        {
            let mut table = self.lock();
            table.blocked_by = BlockedBy::RateLimit;
            table
                .overdue(started, length)
                .for_each(|in_flight| in_flight.cancel.cancel());
        }
        let started = self.progress.handle(start.number);
        let (account, queries, superseded) = (
            Arc::clone(self),
            start.tasks.clone(),
            start.superseded.clone(),
        );
        start.tasks.spawn(async move {
            tokio::select! {
                () = account.drive(&collection, &queries) => {}
                () = superseded.cancelled() => {}
            }
        });
        started
    }

    /// Asks every cluster once: those that need it whatever the lists say, then those that the
    /// lists leave.
    async fn drive(self: &Arc<Self>, collection: &AccountCollection, queries: &TaskTracker) {
        let mut oldest_queries = VecDeque::new();
        match self.refresh.idle_policy {
            None => {
                self.ask(collection, queries, &mut oldest_queries, |_| true)
                    .await;
                // What a first list finds does not wait for the other lists.
                let mut first: FuturesUnordered<_> = self
                    .lists
                    .iter()
                    .filter(|list| !list.is_settled())
                    .map(RegionList::settled)
                    .collect();
                while first.next().await.is_some() {
                    self.ask(collection, queries, &mut oldest_queries, |_| true)
                        .await;
                }
            }
            Some(idle_policy) => {
                let read = CancellationToken::new();
                let lists = async {
                    // A list that fails leaves its clusters to be asked.
                    let each = self.lists.iter().map(|list| {
                        self.refresh_list(
                            list,
                            collection.budget(),
                            Some((collection.number, idle_policy)),
                        )
                    });
                    join_all(each).await;
                    read.cancel();
                };
                let clusters = async {
                    let is_busy = |entry: &ClusterEntry| {
                        entry.idle_since_reading().is_none() && entry.last_state().is_some()
                    };
                    self.ask(collection, queries, &mut oldest_queries, is_busy)
                        .await;
                    // And so does one that is silent, while there is time.
                    let half = collection.started + collection.length / 2;
                    tokio::select! {
                        () = read.cancelled() => {}
                        () = sleep_until(half) => self.ask(collection, queries, &mut oldest_queries, |_| true).await,
                    }
                };
                tokio::join!(lists, clusters);
            }
        }
        self.ask(collection, queries, &mut oldest_queries, |_| true)
            .await;
        self.progress.asked(collection.number);
    }

    /// Asks the clusters that are wanted and due, each as soon as the limits allow.
    async fn ask(
        self: &Arc<Self>,
        collection: &AccountCollection,
        queries: &TaskTracker,
        oldest_queries: &mut VecDeque<(ClusterId, InFlight)>,
        wanted: fn(&ClusterEntry) -> bool,
    ) {
        let due = self.lock().due(collection.number, wanted);
        for id in due {
            // A list that came meanwhile may say that nothing is going on there, or a probe have
            // asked.
            if !self.wants(&mut self.lock(), collection, &id) {
                continue;
            }
            // All that it will most likely take, so that it does not have to wait half-way.
            let tokens = self.client().limiter().acquire(self.cost(&id)).await;
            let place = self.place(collection, oldest_queries).await;
            let Some((query, in_flight)) = self.start_query(collection, &id, Trigger::Scrape)
            else {
                continue;
            };
            in_flight.budget.grant(tokens);
            queries.spawn(query.run(in_flight.budget.clone(), place));
            oldest_queries.push_back((id, in_flight));
        }
    }

    fn cost(&self, id: &ClusterId) -> u32 {
        self.lock().entries.get(id).map_or(1, ClusterEntry::cost)
    }

    /// Waits for a free place. While there is none, the query that has been under way longest gives
    /// its place up as soon as it has had its share, so that a few silent clusters do not keep the
    /// others from being asked. One place is wanted, so that the next is called off only once the
    /// last has gone and somebody else has taken its place.
    pub(super) async fn place(
        &self,
        collection: &AccountCollection,
        oldest_queries: &mut VecDeque<(ClusterId, InFlight)>,
    ) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.permits).try_acquire_owned() {
            return place;
        }
        self.lock().blocked_by = BlockedBy::Concurrency;
        let mut free = pin!(Arc::clone(&self.permits).acquire_owned());
        let place = loop {
            let Some((id, in_flight)) = oldest_queries.pop_front() else {
                break free.await;
            };
            tokio::select! {
                biased;
                place = &mut free => {
                    oldest_queries.push_front((id, in_flight));
                    break place;
                }
                () = self.cancel_after_share(&id, &in_flight, collection.length) => {}
            }
        };
        self.lock().blocked_by = BlockedBy::RateLimit;
        place.expect("the semaphore is never closed")
    }

    /// Calls the query of `id` off once it has had its share of a collection of `length`, and waits
    /// until it has ended; or returns as soon as it is noticed that it has ended by itself, after
    /// its share at the latest.
    async fn cancel_after_share(&self, id: &ClusterId, in_flight: &InFlight, length: Duration) {
        let end = {
            let table = self.lock();
            if !table.is_in_flight(id, in_flight) {
                return;
            }
            in_flight.started + table.fair_share.share(in_flight.started, length)
        };
        sleep_until(end).await;
        let mut query_ends = self.progress.query_ends();
        {
            let mut table = self.lock();
            // It may have ended just now, which is no silence.
            if !table.is_in_flight(id, in_flight) {
                return;
            }
            in_flight.cancel.cancel();
            // A wait for the own limit says nothing of the API.
            if !in_flight.budget.was_held_up() {
                table.fair_share.record_cancelled(in_flight.started);
            }
        }
        while self.lock().is_in_flight(id, in_flight) {
            query_ends.next().await;
        }
    }

    /// Whether `collection` has to ask for this cluster. Not if it is gone, was asked in it, has
    /// answered since it began, or is asked for just now by somebody else: then the collection waits for
    /// that.
    fn wants(
        &self,
        table: &mut ClusterTable,
        collection: &AccountCollection,
        id: &ClusterId,
    ) -> bool {
        let Some(entry) = table
            .entries
            .get_mut(id)
            .filter(|entry| entry.asked < collection.number)
        else {
            return false;
        };
        if let Some(in_flight) = &entry.in_flight {
            in_flight.deadline.put_off(collection.deadline.instant());
            if !in_flight.awaited.swap(true, Ordering::Relaxed) {
                self.progress.query_started();
            }
        } else if !entry.has_answered_since(collection.started) {
            return true;
        }
        entry.asked = collection.number;
        false
    }

    /// Has a query take off for `trigger`. None if it is not wanted any more, or if the cluster is
    /// asked for just now.
    pub(super) fn start_query(
        self: &Arc<Self>,
        collection: &AccountCollection,
        id: &ClusterId,
        trigger: Trigger,
    ) -> Option<(Query, InFlight)> {
        let mut table = self.lock();
        let is_awaited = trigger == Trigger::Scrape;
        if is_awaited && !self.wants(&mut table, collection, id) {
            return None;
        }
        let now = Instant::now();
        let share = table
            .fair_share
            .share(now, collection.length)
            .min(collection.length.max(MIN_QUERY_TIME));
        let number = table.next_query_number();
        let entry = table
            .entries
            .get_mut(id)
            .filter(|entry| entry.in_flight.is_none())?;
        let previously_asked = entry.asked;
        if is_awaited {
            entry.asked = collection.number;
            self.progress.query_started();
        }
        let (deadline, cancel) = (collection.deadline_at(now), collection.stop.child_token());
        let budget =
            Budget::new(deadline.clone(), cancel.clone()).at_least(share.max(MIN_QUERY_TIME));
        let awaited = Arc::new(AtomicBool::new(is_awaited));
        let in_flight = InFlight {
            number,
            started: now,
            deadline,
            cancel,
            budget,
            share,
            previously_asked,
            awaited,
            changed: entry.changed,
        };
        entry.in_flight = Some(in_flight.clone());
        let query = Query::new(
            Arc::clone(self),
            entry,
            in_flight.clone(),
            collection.stop.clone(),
        );
        Some((query, in_flight))
    }

    /// Adds what the page of `collection`, whose last waiters go at `end`, says of each cluster; whether
    /// every one of them has been asked in it and has ended.
    pub(super) fn readings(
        &self,
        collection: u64,
        end: Instant,
        max_age: Duration,
        out: &mut Vec<ClusterReading>,
    ) -> bool {
        let table = self.lock();
        let now = Instant::now();
        let read = |entry: &ClusterEntry| {
            entry.reading(
                Trigger::Scrape,
                end,
                entry.asked >= collection,
                table.blocked_by,
                max_age,
                now,
            )
        };
        out.extend(table.entries.values().map(read));
        table
            .entries
            .values()
            .all(|entry| entry.asked >= collection && entry.awaited().is_none())
    }

    /// Takes over what `earlier` knows of the same clusters and, if the account is asked as before,
    /// what its lists said. It keeps it too, for the scrapes that still wait there.
    pub(super) fn inherit(&self, earlier: &Self) {
        let cached_results = earlier.lock().cached_results();
        self.lock().inherit(cached_results);
        if self
            .account_client()
            .shares_client_with(earlier.account_client())
        {
            for list in &self.lists {
                if let Some(listing) = list.inherit(&earlier.lists) {
                    self.apply_list(list, &listing, None);
                }
            }
        }
        self.drop_inherited();
    }

    /// Forgets what is remembered of clusters that are not there, as soon as all that are there are
    /// known.
    fn drop_inherited(&self) {
        if self.has_found() {
            self.lock().drop_inherited();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ClusterTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl AccountCollector {
    /// A collection that begins now.
    pub(super) fn collection_of(number: u64, deadline: Deadline) -> AccountCollection {
        let started = Instant::now();
        let length = deadline.instant() - started;
        AccountCollection {
            number,
            started,
            deadline,
            length,
            stop: CancellationToken::new(),
        }
    }

    /// Counts one more query that a collection waits for.
    pub(super) fn await_one(&self) {
        self.progress.query_started();
    }

    /// A place, if one is free.
    pub(super) fn free_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }
}

fn first_list_retry(error: &ApiError) -> Duration {
    match error.kind {
        ErrorKind::Network
        | ErrorKind::Timeout
        | ErrorKind::Credentials
        | ErrorKind::NoCredentials => LIST_OUT_OF_REACH_RETRY,
        _ => LIST_RETRY,
    }
}
