//! One account's clusters, asked in order of need within the account's limits.

mod probe;
mod progress;
mod query;
mod reread;
mod round;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Client, Deadline, ErrorKind, ListedCluster};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use progress::{Progress, Started};
use round::SHORTEST;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use probe::Probe;
pub(super) use query::Query;
pub(super) use round::Round;

use super::contact::Contact;
use super::discovery::{self, RegionList};
use super::finder::Finder;
use super::record::{Flight, Origin, Reader, Record, Target, Waiting};
use super::roster::{Idling, Roster};
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
pub(super) struct Lane {
    account: AccountName,
    clock: Clock,
    /// Queries that may be under way at once.
    places: Arc<Semaphore>,
    lists: Vec<RegionList>,
    refresh: Refresh,
    finder: Finder,
    roster: Mutex<Roster>,
    progress: Progress,
}

/// What a lane needs to start a round.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// The round's number; later rounds have higher ones.
    pub(super) number: u64,
    /// When those who wait for it go.
    pub(super) deadline: &'a Deadline,
    /// Cancelled when the next round takes over.
    pub(super) superseded: &'a CancellationToken,
    /// Where tasks are run.
    pub(super) tasks: &'a TaskTracker,
    /// Cancelled when the collector ends.
    pub(super) stop: &'a CancellationToken,
}

/// What a lane is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) account: AccountName,
    pub(super) clock: Clock,
    pub(super) max_concurrency: usize,
    pub(super) lists: Vec<RegionList>,
    pub(super) refresh: Refresh,
    pub(super) finder: Finder,
    pub(super) targets: Vec<Target>,
}

/// When the lists are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refresh {
    /// Apart from the scrapes, when they are this old.
    pub(super) interval: Duration,
    /// In each scrape too, so that what they show as idle need not be asked.
    pub(super) idling: Option<Idling>,
}

impl Lane {
    pub(super) fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            account,
            clock,
            max_concurrency,
            lists,
            refresh,
            finder,
            targets,
        } = parts;
        Arc::new(Self {
            account,
            clock,
            places: Arc::new(Semaphore::new(max_concurrency)),
            lists,
            refresh,
            finder,
            roster: Mutex::new(Roster::new(targets)),
            progress: Progress::default(),
        })
    }

    /// The account's name.
    pub(super) fn name(&self) -> &AccountName {
        &self.account
    }

    /// How the account is asked.
    pub(super) fn contact(&self) -> &Contact {
        self.finder.contact()
    }

    fn client(&self) -> &Client {
        self.contact().client()
    }

    /// What is known of the account.
    pub(super) fn account(&self) -> AccountReading {
        AccountReading {
            account: self.account.clone(),
            provider: self.client().credentials().provider(),
            credentials_expiry: self.client().credentials().expires_at(),
            sources: self.contact().sources_in_use(),
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
            .records
            .values()
            .any(|record| record.target.origin == Origin::Configured)
    }

    /// All clusters known.
    pub(super) fn clusters(&self) -> Vec<Arc<ClusterInfo>> {
        self.lock()
            .records
            .values()
            .map(|record| Arc::clone(&record.target.info))
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
                    .read_list(list, Budget::lasting(LIST_BUDGET), None)
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

    async fn read_list(
        &self,
        list: &RegionList,
        budget: Budget,
        round: Option<(u64, Idling)>,
    ) -> Result<(), ApiError> {
        let _turn = list.turn(&budget).await?;
        let listing = list.read(self.client(), &budget).await?;
        self.take_list(list, &listing, round);
        Ok(())
    }

    fn take_list(
        &self,
        list: &RegionList,
        listing: &[ListedCluster],
        round: Option<(u64, Idling)>,
    ) {
        let newcomers = list
            .wanted(listing)
            .filter_map(|cluster| self.finder.target(&list.place, cluster))
            .collect();
        self.lock().take_list(
            &list.place.region,
            listing,
            newcomers,
            round,
            self.clock.now(),
        );
        self.disinherit();
    }

    /// Starts a round: every cluster is asked, the oldest reading first. A round that still runs
    /// hands over; its queries go on, and what they answer counts for this one, unless they have
    /// been silent for long.
    pub(super) fn begin(self: &Arc<Self>, start: &Start<'_>) -> Started {
        let started = Instant::now();
        let length = start
            .deadline
            .instant()
            .saturating_duration_since(started)
            .max(SHORTEST);
        let round = Round {
            number: start.number,
            started,
            deadline: start.deadline.clone(),
            length,
            stop: start.stop.clone(),
        };
        {
            let mut roster = self.lock();
            roster.waiting = Waiting::ForToken;
            roster
                .silent(started, length)
                .for_each(|flight| flight.call_off.cancel());
        }
        let started = self.progress.started(start.number);
        let (lane, queries, superseded) = (
            Arc::clone(self),
            start.tasks.clone(),
            start.superseded.clone(),
        );
        start.tasks.spawn(async move {
            tokio::select! {
                () = lane.drive(&round, &queries) => {}
                () = superseded.cancelled() => {}
            }
        });
        started
    }

    /// Asks every cluster once: those that need it whatever the lists say, then those that the
    /// lists leave.
    async fn drive(self: &Arc<Self>, round: &Round, queries: &TaskTracker) {
        let mut oldest = VecDeque::new();
        match self.refresh.idling {
            None => {
                self.ask(round, queries, &mut oldest, |_| true).await;
                // What a first list finds does not wait for the other lists.
                let mut first: FuturesUnordered<_> = self
                    .lists
                    .iter()
                    .filter(|list| !list.is_settled())
                    .map(RegionList::settled)
                    .collect();
                while first.next().await.is_some() {
                    self.ask(round, queries, &mut oldest, |_| true).await;
                }
            }
            Some(idling) => {
                let read = CancellationToken::new();
                let lists = async {
                    // A list that fails leaves its clusters to be asked.
                    let each = self.lists.iter().map(|list| {
                        self.read_list(list, round.budget(), Some((round.number, idling)))
                    });
                    join_all(each).await;
                    read.cancel();
                };
                let clusters = async {
                    let is_busy = |record: &Record| {
                        record.idle_since_reading().is_none() && record.known().is_some()
                    };
                    self.ask(round, queries, &mut oldest, is_busy).await;
                    // And so does one that is silent, while there is time.
                    let half = round.started + round.length / 2;
                    tokio::select! {
                        () = read.cancelled() => {}
                        () = sleep_until(half) => self.ask(round, queries, &mut oldest, |_| true).await,
                    }
                };
                tokio::join!(lists, clusters);
            }
        }
        self.ask(round, queries, &mut oldest, |_| true).await;
        self.progress.asked(round.number);
    }

    /// Asks the clusters that are wanted and due, each as soon as the limits allow.
    async fn ask(
        self: &Arc<Self>,
        round: &Round,
        queries: &TaskTracker,
        oldest: &mut VecDeque<(ClusterId, Flight)>,
        wanted: fn(&Record) -> bool,
    ) {
        let due = self.lock().due(round.number, wanted);
        for id in due {
            // A list that came meanwhile may say that nothing is going on there, or a probe have
            // asked.
            if !self.wants(&mut self.lock(), round, &id) {
                continue;
            }
            // All that it will most likely take, so that it does not have to wait half-way.
            let tokens = self.client().limiter().acquire(self.cost(&id)).await;
            let place = self.place(round, oldest).await;
            let Some((query, flight)) = self.take_off(round, &id, Reader::Page) else {
                continue;
            };
            flight.budget.grant(tokens);
            queries.spawn(query.run(flight.budget.clone(), place));
            oldest.push_back((id, flight));
        }
    }

    fn cost(&self, id: &ClusterId) -> u32 {
        self.lock().records.get(id).map_or(1, Record::cost)
    }

    /// Waits for a free place. While there is none, the query that has been under way longest gives
    /// its place up as soon as it has had its share, so that a few silent clusters do not keep the
    /// others from being asked. One place is wanted, so that the next is called off only once the
    /// last has gone and somebody else has taken its place.
    pub(super) async fn place(
        &self,
        round: &Round,
        oldest: &mut VecDeque<(ClusterId, Flight)>,
    ) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        self.lock().waiting = Waiting::ForPlace;
        let mut free = pin!(Arc::clone(&self.places).acquire_owned());
        let place = loop {
            let Some((id, flight)) = oldest.pop_front() else {
                break free.await;
            };
            tokio::select! {
                biased;
                place = &mut free => {
                    oldest.push_front((id, flight));
                    break place;
                }
                () = self.call_off_in_time(&id, &flight, round.length) => {}
            }
        };
        self.lock().waiting = Waiting::ForToken;
        place.expect("the semaphore is never closed")
    }

    /// Calls the query of `id` off once it has had its share of a round of `length`, and waits
    /// until it has ended; or returns as soon as it is noticed that it has ended by itself, after
    /// its share at the latest.
    async fn call_off_in_time(&self, id: &ClusterId, flight: &Flight, length: Duration) {
        let end = {
            let roster = self.lock();
            if !roster.is_under_way(id, flight) {
                return;
            }
            flight.started + roster.patience.share(flight.started, length)
        };
        sleep_until(end).await;
        let mut landings = self.progress.landings();
        {
            let mut roster = self.lock();
            // It may have ended just now, which is no silence.
            if !roster.is_under_way(id, flight) {
                return;
            }
            flight.call_off.cancel();
            // A wait for the own limit says nothing of the API.
            if !flight.budget.has_waited_for_rate_limit() {
                roster.patience.called_off(flight.started);
            }
        }
        while self.lock().is_under_way(id, flight) {
            landings.next().await;
        }
    }

    /// Whether `round` has to ask for this cluster. Not if it is gone, was asked in it, has
    /// answered since it began, or is asked for just now by somebody else: then the round waits for
    /// that.
    fn wants(&self, roster: &mut Roster, round: &Round, id: &ClusterId) -> bool {
        let Some(record) = roster
            .records
            .get_mut(id)
            .filter(|record| record.asked < round.number)
        else {
            return false;
        };
        if let Some(flight) = &record.flight {
            flight.deadline.extend_to(round.deadline.instant());
            if !flight.awaited.swap(true, Ordering::Relaxed) {
                self.progress.take_off();
            }
        } else if !record.has_answered_since(round.started) {
            return true;
        }
        record.asked = round.number;
        false
    }

    /// Has a query take off for `reader`. None if it is not wanted any more, or if the cluster is
    /// asked for just now.
    pub(super) fn take_off(
        self: &Arc<Self>,
        round: &Round,
        id: &ClusterId,
        reader: Reader,
    ) -> Option<(Query, Flight)> {
        let mut roster = self.lock();
        let is_awaited = reader == Reader::Page;
        if is_awaited && !self.wants(&mut roster, round, id) {
            return None;
        }
        let now = Instant::now();
        let share = roster
            .patience
            .share(now, round.length)
            .min(round.length.max(SHORTEST));
        let number = roster.number_flight();
        let record = roster
            .records
            .get_mut(id)
            .filter(|record| record.flight.is_none())?;
        let asked_before = record.asked;
        if is_awaited {
            record.asked = round.number;
            self.progress.take_off();
        }
        let (deadline, call_off) = (round.deadline_at(now), round.stop.child_token());
        let budget = Budget::new(deadline.clone(), call_off.clone()).at_least(share.max(SHORTEST));
        let awaited = Arc::new(AtomicBool::new(is_awaited));
        let flight = Flight {
            number,
            started: now,
            deadline,
            call_off,
            budget,
            share,
            asked_before,
            awaited,
            changed: record.changed,
        };
        record.flight = Some(flight.clone());
        let query = Query::new(Arc::clone(self), record, flight.clone(), round.stop.clone());
        Some((query, flight))
    }

    /// Adds what the page of `round`, whose last waiters go at `end`, says of each cluster; whether
    /// every one of them has been asked in it and has ended.
    pub(super) fn readings(
        &self,
        round: u64,
        end: Instant,
        max_age: Duration,
        out: &mut Vec<ClusterReading>,
    ) -> bool {
        let roster = self.lock();
        let now = Instant::now();
        let read = |record: &Record| {
            record.reading(
                Reader::Page,
                end,
                record.asked >= round,
                roster.waiting,
                max_age,
                now,
            )
        };
        out.extend(roster.records.values().map(read));
        roster
            .records
            .values()
            .all(|record| record.asked >= round && record.awaited().is_none())
    }

    /// Takes over what `earlier` knows of the same clusters and, if the account is asked as before,
    /// what its lists said. It keeps it too, for the scrapes that still wait there.
    pub(super) fn inherit(&self, earlier: &Self) {
        let memories = earlier.lock().memories();
        self.lock().inherit(memories);
        if self.contact().is_kept_from(earlier.contact()) {
            for list in &self.lists {
                if let Some(listing) = list.inherit(&earlier.lists) {
                    self.take_list(list, &listing, None);
                }
            }
        }
        self.disinherit();
    }

    /// Forgets what is remembered of clusters that are not there, as soon as all that are there are
    /// known.
    fn disinherit(&self) {
        if self.has_found() {
            self.lock().disinherit();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Lane {
    /// A round that begins now.
    pub(super) fn round_of(number: u64, deadline: Deadline) -> Round {
        let started = Instant::now();
        let length = deadline.instant() - started;
        Round {
            number,
            started,
            deadline,
            length,
            stop: CancellationToken::new(),
        }
    }

    /// Counts one more query that a round waits for.
    pub(super) fn await_one(&self) {
        self.progress.take_off();
    }

    /// A place, if one is free.
    pub(super) fn free_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
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
