//! The store that lives in memory: the model of every other store, and lost with its process.

mod claim;
mod erase;
mod links;
mod state;
mod strict;

use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use connector_http::{Timer, TokioTimer};
use tokio::sync::Notify;

use self::state::{Job, JobState, Line, State, Task};
use crate::contact::{Contact, ContactKey};
use crate::failure::{ErrorClass, FailureNote};
use crate::ids::{ContactId, JobId, LeaseToken, RemoteId, TargetName, TenantId};
use crate::store::limits::{check_names, check_remote};
use crate::store::{
    Accepted, Begun, Claim, ClaimRequest, Claims, DeliveryState, Erased, Held, JobKind, JobStore,
    Link, LinkChange, LinkStore, LogEntry, NewJob, Outcome, SignupStore, Snapshot, Standing,
    Standings, StatusEvent, StoppedJob, StoreError, StoredContact, StrictStore, Undo,
};

/// A store in memory: complete, but for what its name says.
///
/// **A crash of the process loses the signups that are still queued**, and everything that is known about links. What
/// was created at a vendor is found again by its external key, so that a second run over the same people creates
/// nobody twice.
///
/// A clone is the same store.
///
/// ```
/// use contact_sync::MemoryStore;
///
/// let store = MemoryStore::new();
/// let same = store.clone();
/// # drop(same);
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    timer: Arc<dyn Timer>,
    max_crashes: AtomicU32,
    work: Notify,
}

impl MemoryStore {
    /// Makes an empty store on the runtime's clock.
    pub fn new() -> Self {
        Self::with_timer(Arc::new(TokioTimer))
    }

    /// Makes an empty store on another clock.
    pub fn with_timer(timer: Arc<dyn Timer>) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            timer,
            max_crashes: AtomicU32::new(3),
            work: Notify::new(),
        }))
    }

    /// Sets after how many crashes of its workers a job is dead: 3 by default, at least 1.
    pub fn max_crashes(self, crashes: u32) -> Self {
        self.0.max_crashes.store(crashes.max(1), Ordering::Relaxed);
        self
    }

    /// Returns the contact, as far as it was accepted or confirmed.
    pub fn contact(&self, id: ContactId) -> Option<Contact> {
        self.state()
            .contacts
            .get(&id)
            .map(|stored| stored.contact.clone())
    }

    /// Returns how many contacts there are.
    pub fn contact_count(&self) -> usize {
        self.state().contacts.len()
    }

    /// Returns the latest 10,000 log entries, oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.state()
            .log
            .iter()
            .map(|(_, entry)| entry.clone())
            .collect()
    }

    /// Returns the latest 10,000 status events, oldest first.
    pub fn statuses(&self) -> Vec<StatusEvent> {
        self.state()
            .statuses
            .iter()
            .map(|(_, event)| event.clone())
            .collect()
    }

    fn crash_limit(&self) -> u32 {
        self.0.max_crashes.load(Ordering::Relaxed)
    }

    /// No panic leaves a state half-changed that a later caller could not work with, so a poisoned lock is taken.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state, and tells a waiting worker that there may be something new.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.0.work.notify_one();
        result
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryStore")
            .field("contacts", &state.contacts.len())
            .field("jobs", &state.jobs.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SignupStore for MemoryStore {
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError> {
        check_names(tenant, jobs.iter().map(|job| &job.target))?;
        let now = self.0.timer.now();
        Ok(self.change(|state| {
            let id = state.contact_id(tenant, contact.key());
            let revision = state.write_contact(id, tenant, contact);
            state.queue_accepted(Accepted::new(id, revision), tenant, jobs, now)
        }))
    }

    async fn amend(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        change: &Contact,
        jobs: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError> {
        check_names(tenant, jobs.iter().map(|job| &job.target))?;
        let now = self.0.timer.now();
        Ok(self.change(|state| {
            let revision = state.amend(contact, tenant, change)?;
            let accepted = Accepted::new(contact, revision);
            Some(state.queue_accepted(accepted, tenant, jobs, now))
        }))
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<Erased>, StoreError> {
        let now = self.0.timer.now();
        Ok(self.change(|state| state.erase(tenant, contact, now)))
    }

    async fn find(
        &self,
        tenant: &TenantId,
        key: &ContactKey,
    ) -> Result<Option<ContactId>, StoreError> {
        let state = self.state();
        let id = state.by_key.get(&(tenant.clone(), key.clone())).copied();
        // A strict create keeps the key of a contact that is not there yet.
        Ok(id.filter(|id| state.contacts.contains_key(id)))
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<StoredContact>, StoreError> {
        let state = self.state();
        let stored = state.contacts.get(&contact);
        Ok(stored
            .filter(|stored| stored.tenant == *tenant)
            .map(|s| StoredContact::new(contact, tenant.clone(), s.revision, s.contact.clone())))
    }

    async fn standings(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Standings>, StoreError> {
        let state = self.state();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = state.contacts.range((from, Bound::Unbounded)).take(limit);
        let described = page.map(|(id, stored)| {
            let targets = delivery_states(&state, *id);
            Standings::new(*id, stored.tenant.clone(), stored.revision, targets)
        });
        Ok(described.collect())
    }

    async fn deliveries(&self, contact: ContactId) -> Result<Vec<DeliveryState>, StoreError> {
        let state = self.state();
        Ok(delivery_states(&state, contact))
    }

    async fn settled(&self, accepted: Accepted, targets: &[TargetName]) -> Result<(), StoreError> {
        for target in targets {
            loop {
                let changed = {
                    let state = self.state();
                    let Some(line) = state.lines.get(&(accepted.contact, target.clone())) else {
                        break;
                    };
                    if line.delivered >= accepted.revision || state.live_delivery(line).is_none() {
                        break;
                    }
                    // Registered under the lock, so that no change between here and the wait is missed.
                    Arc::clone(&line.changed).notified_owned()
                };
                changed.await;
            }
        }
        Ok(())
    }
}

fn delivery_states(state: &State, contact: ContactId) -> Vec<DeliveryState> {
    let described = state.lines_of(contact).map(|(target, line)| {
        let remote = line.link.remote().cloned();
        DeliveryState::new(
            target.clone(),
            remote,
            line.delivered,
            standing(state, line),
        )
    });
    described.collect()
}

fn standing(state: &State, line: &Line) -> Standing {
    let unknown = || FailureNote::new(ErrorClass::Transient);
    if let Some((_, job)) = state.live_delivery(line) {
        return job
            .failure
            .clone()
            .map_or(Standing::Queued, Standing::Retrying);
    }
    match line.stopped.and_then(|id| state.jobs.get(&id)) {
        Some(Job {
            state: JobState::Review,
            failure,
            ..
        }) => Standing::Review(failure.clone().unwrap_or_else(unknown)),
        Some(job) => Standing::Dead(job.failure.clone().unwrap_or_else(unknown)),
        None => Standing::Idle,
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn claim(&self, request: ClaimRequest) -> Result<Claims, StoreError> {
        let now = self.0.timer.now();
        let mut state = self.state();
        let claims = state.claim(request, self.crash_limit(), now);
        state.note_intents(&claims.jobs, self.0.timer.utc_now());
        Ok(claims)
    }

    async fn renew(
        &self,
        job: JobId,
        token: LeaseToken,
        lease: Duration,
    ) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.state().renew(job, token, lease, now)
    }

    async fn work_added(&self) {
        self.0.work.notified().await;
    }

    async fn stopped_jobs(&self) -> Result<Vec<StoppedJob>, StoreError> {
        let state = self.state();
        let mut stopped: Vec<StoppedJob> = state
            .jobs
            .iter()
            .filter(|(_, job)| matches!(job.state, JobState::Review | JobState::Dead))
            .filter_map(|(id, job)| {
                let tenant = state.lines.get(&job.line)?.tenant.clone();
                let (contact, target) = job.line.clone();
                let review = job.state == JobState::Review;
                Some(StoppedJob::new(
                    *id,
                    kind(job),
                    (tenant, target, contact),
                    review,
                    job.failure.clone(),
                ))
            })
            .collect();
        stopped.sort_unstable_by_key(|job| job.job);
        Ok(stopped)
    }

    async fn replay(&self, job: JobId) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.change(|state| state.replay(job, now))
    }

    async fn discard(&self, job: JobId) -> Result<(), StoreError> {
        self.change(|state| state.discard(job))
    }

    async fn resume(&self, tenant: &TenantId, target: &TargetName) -> Result<u64, StoreError> {
        let now = self.0.timer.now();
        Ok(self.change(|state| state.resume(tenant, target, now)))
    }

    async fn sweep(&self, keep: Duration) -> Result<u64, StoreError> {
        let now = self.0.timer.now();
        Ok(self.state().sweep(keep, now))
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let now = self.0.timer.now();
        let state = self.state();
        let mut snapshot = Snapshot {
            done: state.done,
            outcomes: state.outcomes,
            ..Snapshot::default()
        };
        let mut oldest = Duration::ZERO;
        for job in state.jobs.values() {
            match job.state {
                JobState::Ready => snapshot.ready += 1,
                JobState::Retrying => snapshot.retrying += 1,
                JobState::Running(..) | JobState::Held(_) => snapshot.running += 1,
                JobState::Review => snapshot.review += 1,
                JobState::Dead => snapshot.dead += 1,
            }
            if !matches!(job.state, JobState::Review | JobState::Dead) {
                oldest = oldest.max(now.saturating_duration_since(job.born));
            }
        }
        snapshot.oldest_ms = u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX);
        Ok(snapshot)
    }
}

fn kind(job: &Job) -> JobKind {
    match job.task {
        Task::Deliver => JobKind::Deliver,
        Task::Undo(_) => JobKind::Undo,
        Task::Remove(_) => JobKind::Remove,
    }
}

#[async_trait]
impl LinkStore for MemoryStore {
    async fn commit_outcome(&self, outcome: Outcome) -> Result<(), StoreError> {
        if let LinkChange::Set { remote, .. } = &outcome.link {
            check_remote(remote)?;
        }
        let now = self.0.timer.now();
        self.change(|state| state.commit(outcome, now))
    }

    async fn is_linked(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
        except: Option<ContactId>,
    ) -> Result<bool, StoreError> {
        let state = self.state();
        let mut links = state.links_to(tenant, target, remote);
        Ok(links.any(|(line, _)| Some(line.0) != except))
    }

    async fn links(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        let state = self.state();
        let links = state.lines_of(contact).filter_map(|(target, line)| {
            let remote = line.link.remote()?;
            Some(Link::new(target.clone(), remote.clone()))
        });
        Ok(links.collect())
    }
}

#[async_trait]
impl StrictStore for MemoryStore {
    async fn begin(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
        lease: Duration,
    ) -> Result<Begun, StoreError> {
        check_names(tenant, targets)?;
        let now = self.0.timer.now();
        self.change(|state| {
            state.reap(self.crash_limit(), now);
            state.begin(tenant, contact, targets, lease, now)
        })
    }

    async fn renew_operation(&self, held: Held, lease: Duration) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.state().renew_operation(held, lease, now)
    }

    async fn expect_create(
        &self,
        held: Held,
        target: &TargetName,
        undo: Undo,
    ) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.state().expect_create(held, target, undo, now)
    }

    async fn note_created(
        &self,
        held: Held,
        target: &TargetName,
        remote: &RemoteId,
    ) -> Result<(), StoreError> {
        check_remote(remote)?;
        let now = self.0.timer.now();
        self.state().note_created(held, target, remote, now)
    }

    async fn note_unclear(
        &self,
        held: Held,
        target: &TargetName,
        settle: Duration,
    ) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.state().note_unclear(held, target, settle, now)
    }

    async fn withdraw_create(&self, held: Held, target: &TargetName) -> Result<(), StoreError> {
        let now = self.0.timer.now();
        self.change(|state| state.withdraw_create(held, target, now))
    }

    async fn confirm(
        &self,
        held: Held,
        created: &[Link],
        found: &[Link],
    ) -> Result<(), StoreError> {
        let mut links = created.iter().chain(found);
        links.try_for_each(|link| check_remote(&link.remote))?;
        let now = self.0.timer.now();
        self.change(|state| state.confirm(held, created, found, now))
    }

    async fn finish(&self, held: Held) -> Result<bool, StoreError> {
        let now = self.0.timer.now();
        self.change(|state| state.finish(held, now))
    }

    async fn abandon(&self, held: Held, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        let now = self.0.timer.now();
        self.change(|state| state.abandon(held, lease, now))
    }
}
