//! What the memory store holds, and the moves that keep it consistent.
//!
//! A *line* is one contact at one target: its link, and its jobs in the order in which they came. Only the head of a
//! line that nobody holds stands in a ready set, so that a claim costs the same however many lines there are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::Lane;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::contact::{Contact, ContactKey, Identifier};
use crate::failure::FailureNote;
use crate::ids::{ContactId, JobId, LeaseToken, OperationId, RemoteId, TargetName, TenantId};
use crate::store::{LogEntry, Outcomes, StatusEvent, Undo};

use super::erase::{Grave, Leaving};
use super::strict::Operation;

pub(super) type LineId = (ContactId, TargetName);
type Claimed = (TenantId, TargetName, Identifier);
type Slot = (Instant, u64, JobId);

/// Each end of a job lets go whoever waits for it, and all but one come back to wait again: with more than this, the
/// rest looks again after a while instead, or a crowd under one number would cost the square of its size.
const MAX_WAITING: usize = 64;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) contacts: BTreeMap<ContactId, Stored>,
    /// Contacts that were erased.
    pub(super) graves: HashMap<ContactId, Grave>,
    pub(super) by_key: HashMap<(TenantId, ContactKey), ContactId>,
    pub(super) lines: HashMap<LineId, Line>,
    pub(super) targets: HashMap<ContactId, Vec<TargetName>>,
    pub(super) jobs: HashMap<JobId, Job>,
    interactive: BTreeSet<Slot>,
    bulk: BTreeSet<Slot>,
    pub(super) leases: BTreeSet<(Instant, JobId)>,
    pub(super) operations: HashMap<OperationId, Operation>,
    /// Operations that were confirmed, and when they ended.
    pub(super) confirmed: HashMap<OperationId, (LeaseToken, Instant)>,
    /// Lines that hold an identifier: they run, or have an intent.
    pub(super) holders: HashMap<Claimed, Vec<LineId>>,
    /// Records of people who are known by an identifier, each with one contact that it belongs to.
    pub(super) known: HashMap<Claimed, Vec<(RemoteId, ContactId)>>,
    pub(super) by_remote: HashMap<(TenantId, TargetName, RemoteId), HashSet<LineId>>,
    pub(super) log: VecDeque<(Instant, LogEntry)>,
    pub(super) statuses: VecDeque<(Instant, StatusEvent)>,
    pub(super) done: u64,
    pub(super) outcomes: Outcomes,
    next_seq: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) tenant: TenantId,
    pub(super) contact: Contact,
    pub(super) revision: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum LinkState {
    #[default]
    None,
    /// A create may be on its way, or may have happened unseen.
    Intent,
    Linked {
        remote: RemoteId,
        /// Whether one of our own creates has made the record.
        is_ours: bool,
    },
}

impl LinkState {
    pub(super) fn remote(&self) -> Option<&RemoteId> {
        match self {
            Self::Linked { remote, .. } => Some(remote),
            Self::None | Self::Intent => None,
        }
    }

    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::Linked { is_ours: true, .. })
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Job(JobId),
    Operation(OperationId),
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) tenant: TenantId,
    pub(super) link: LinkState,
    pub(super) delivered: u64,
    /// When the first create that nobody heard of was about to be called.
    pub(super) intent_at: Option<DateTime<Utc>>,
    /// Until when a request of an intent may still take effect.
    pub(super) settles_at: Option<Instant>,
    pub(super) holder: Option<Holder>,
    /// Live jobs, the next one first.
    pub(super) queue: VecDeque<JobId>,
    /// The delivery that waits for a person, if there is one.
    pub(super) stopped: Option<JobId>,
    /// The removal of an erased contact, whether it will run or waits for a person.
    pub(super) removal: Option<JobId>,
    /// What this line stands under in `State::holders`, with the contact it stood for.
    pub(super) holds: Option<(Contact, Vec<Identifier>)>,
    /// Lines that wait for this one.
    waiting: HashSet<LineId>,
    pub(super) changed: Arc<Notify>,
}

impl Line {
    fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            link: LinkState::None,
            delivered: 0,
            intent_at: None,
            settles_at: None,
            holder: None,
            queue: VecDeque::new(),
            stopped: None,
            removal: None,
            holds: None,
            waiting: HashSet::new(),
            changed: Arc::default(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Task {
    Deliver,
    Undo(Box<Undo>),
    Remove(Box<Leaving>),
}

impl Task {
    /// The identifiers that a job needs for itself, whose contact this is.
    pub(super) fn identifiers(&self, contact: &Contact) -> Vec<Identifier> {
        let mut identifiers = contact.identifiers();
        if let Self::Remove(leaving) = self {
            for also in &leaving.also {
                if !identifiers.contains(also) {
                    identifiers.push(also.clone());
                }
            }
        }
        identifiers
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum JobState {
    Ready,
    Retrying,
    Running(LeaseToken, Instant),
    /// An undo job whose operation is still alive.
    Held(OperationId),
    Review,
    Dead,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) line: LineId,
    pub(super) task: Task,
    pub(super) lane: Lane,
    pub(super) state: JobState,
    pub(super) run_at: Instant,
    seq: u64,
    pub(super) attempts: u32,
    pub(super) crashes: u32,
    /// Moved forward by what was spent parked.
    pub(super) born: Instant,
    pub(super) failure: Option<FailureNote>,
    /// Waits for an integration to be mended.
    pub(super) is_parked: bool,
    pub(super) trace_id: Option<String>,
}

impl State {
    /// Returns the contact of a key, or a new one; no contact is written yet.
    pub(super) fn contact_id(&mut self, tenant: &TenantId, key: &ContactKey) -> ContactId {
        if *key == ContactKey::Unidentified {
            return ContactId::generate();
        }
        *self
            .by_key
            .entry((tenant.clone(), key.clone()))
            .or_insert_with(ContactId::generate)
    }

    /// Writes a contact, merged into the one that is there, and returns its revision. One that was erased begins anew,
    /// and only its revision goes on.
    pub(super) fn write_contact(
        &mut self,
        id: ContactId,
        tenant: &TenantId,
        contact: &Contact,
    ) -> u64 {
        if let Some(stored) = self.contacts.get_mut(&id) {
            stored.contact.merge(contact.clone());
            stored.revision += 1;
            let revision = stored.revision;
            self.look_again(id);
            return revision;
        }
        let erased = self.graves.remove(&id).map_or(0, |grave| grave.revision);
        if *contact.key() != ContactKey::Unidentified {
            let key = (tenant.clone(), contact.key().clone());
            self.by_key.entry(key).or_insert(id);
        }
        let stored = Stored {
            tenant: tenant.clone(),
            contact: contact.clone(),
            revision: erased + 1,
        };
        self.contacts.insert(id, stored);
        erased + 1
    }

    pub(super) fn line(&mut self, id: &LineId, tenant: &TenantId) -> &mut Line {
        self.lines.entry(id.clone()).or_insert_with(|| {
            self.targets.entry(id.0).or_default().push(id.1.clone());
            Line::new(tenant.clone())
        })
    }

    /// Every line of a contact.
    pub(super) fn lines_of(
        &self,
        contact: ContactId,
    ) -> impl Iterator<Item = (&TargetName, &Line)> {
        let targets = self.targets.get(&contact).into_iter().flatten();
        targets
            .filter_map(move |target| Some((target, self.lines.get(&(contact, target.clone()))?)))
    }

    /// The live delivery of a line. One that runs in front of a removal belongs to a contact that was erased.
    pub(super) fn live_delivery(&self, line: &Line) -> Option<(JobId, &Job)> {
        let jobs = line.queue.iter().rev();
        jobs.filter_map(|id| Some((*id, self.jobs.get(id)?)))
            .take_while(|(_, job)| !matches!(job.task, Task::Remove(_)))
            .find(|(_, job)| matches!(job.task, Task::Deliver))
    }

    /// Queues a delivery, or makes the live one as urgent and as young as this.
    ///
    /// A removal that waits for a person is overtaken: the record will say what the contact says now.
    pub(super) fn queue_delivery(
        &mut self,
        line_id: &LineId,
        lane: Lane,
        trace_id: Option<&str>,
        now: Instant,
    ) {
        let entry = self.lines.get(line_id);
        let live = entry.and_then(|l| self.live_delivery(l)).map(|(id, _)| id);
        let removal = entry.and_then(|l| l.removal);
        if let Some(removal) = removal.filter(|id| self.is_stopped(*id)) {
            self.remove_job(removal);
        }
        let id = live.unwrap_or_else(|| {
            let id = self.add_job(line_id, Task::Deliver, lane, JobState::Ready, now);
            if let Some(entry) = self.lines.get_mut(line_id) {
                entry.queue.push_back(id);
            }
            id
        });
        self.disarm(line_id);
        if let Some(job) = self.jobs.get_mut(&id) {
            // What is left of its wait is spent parked.
            job.born = if job.is_parked {
                job.run_at.max(now)
            } else {
                now
            };
            if lane == Lane::Interactive {
                job.lane = lane;
            }
            if let Some(trace_id) = trace_id {
                job.trace_id = Some(trace_id.to_owned());
            }
        }
        self.arm(line_id);
    }

    fn is_stopped(&self, job: JobId) -> bool {
        self.jobs
            .get(&job)
            .is_some_and(|job| matches!(job.state, JobState::Review | JobState::Dead))
    }

    pub(super) fn add_job(
        &mut self,
        line_id: &LineId,
        task: Task,
        lane: Lane,
        state: JobState,
        now: Instant,
    ) -> JobId {
        let id = JobId::generate();
        self.next_seq += 1;
        let job = Job {
            line: line_id.clone(),
            task,
            lane,
            state,
            run_at: now,
            seq: self.next_seq,
            attempts: 0,
            crashes: 0,
            born: now,
            failure: None,
            is_parked: false,
            trace_id: None,
        };
        self.jobs.insert(id, job);
        id
    }

    /// Puts the head of a free line into its ready set.
    pub(super) fn arm(&mut self, line: &LineId) {
        if let Some((lane, slot)) = self.slot(line).filter(|_| self.is_free(line)) {
            self.ready(lane).insert(slot);
        }
    }

    /// Takes the head of a line out of its ready set.
    pub(super) fn disarm(&mut self, line: &LineId) {
        if let Some((lane, slot)) = self.slot(line) {
            self.ready(lane).remove(&slot);
        }
    }

    /// Lets the lines of a contact that has changed look again which wait for others: there may be nobody to wait for any
    /// more.
    pub(super) fn look_again(&mut self, id: ContactId) {
        for target in self.targets.get(&id).cloned().unwrap_or_default() {
            self.arm(&(id, target));
        }
    }

    fn slot(&self, line: &LineId) -> Option<(Lane, Slot)> {
        let id = *self.lines.get(line)?.queue.front()?;
        let job = self.jobs.get(&id)?;
        matches!(job.state, JobState::Ready | JobState::Retrying)
            .then_some((job.lane, (job.run_at, job.seq, id)))
    }

    fn is_free(&self, line: &LineId) -> bool {
        self.lines.get(line).is_some_and(|l| l.holder.is_none())
    }

    fn ready(&mut self, lane: Lane) -> &mut BTreeSet<Slot> {
        match lane {
            Lane::Interactive => &mut self.interactive,
            _ => &mut self.bulk,
        }
    }

    /// Takes the first due job of a lane out of its ready set.
    pub(super) fn take_due(&mut self, lane: Lane, now: Instant) -> Option<JobId> {
        let ready = self.ready(lane);
        if ready.first()?.0 > now {
            return None;
        }
        ready.pop_first().map(|(_, _, id)| id)
    }

    /// Tells when the first job that is not due yet will be.
    pub(super) fn next_due(&self, now: Instant) -> Option<Duration> {
        let later = |ready: &BTreeSet<Slot>| {
            let after = (now, u64::MAX, JobId::from(uuid::Uuid::max()));
            ready
                .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
                .next()
                .map(|slot| slot.0)
        };
        let lease = self.leases.first().map(|(until, _)| *until);
        let operation = self.operations.values().map(|o| o.until).min();
        let at = [
            later(&self.interactive),
            later(&self.bulk),
            lease,
            operation,
        ]
        .into_iter()
        .flatten()
        .min()?;
        Some(at.saturating_duration_since(now))
    }

    /// Makes a holder of a line, with its identifiers.
    pub(super) fn hold(
        &mut self,
        id: &LineId,
        holder: Holder,
        contact: &Contact,
        identifiers: Vec<Identifier>,
    ) {
        self.disarm(id);
        self.drop_identifiers(id);
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        line.holder = Some(holder);
        line.holds = Some((contact.clone(), identifiers.clone()));
        let tenant = line.tenant.clone();
        for identifier in identifiers {
            self.holders
                .entry((tenant.clone(), id.1.clone(), identifier))
                .or_default()
                .push(id.clone());
        }
    }

    /// Frees a line, except for the identifiers of an intent, and lets go whoever waited for it.
    pub(super) fn release(&mut self, id: &LineId) {
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        line.holder = None;
        let waiting = std::mem::take(&mut line.waiting);
        line.changed.notify_waiters();
        if line.link != LinkState::Intent {
            self.drop_identifiers(id);
        }
        self.arm(id);
        for other in waiting {
            self.arm(&other);
        }
    }

    fn drop_identifiers(&mut self, id: &LineId) {
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        let tenant = line.tenant.clone();
        for identifier in line
            .holds
            .take()
            .map(|(_, identifiers)| identifiers)
            .unwrap_or_default()
        {
            let claimed = (tenant.clone(), id.1.clone(), identifier);
            if let Some(holders) = self.holders.get_mut(&claimed) {
                holders.retain(|other| other != id);
                if holders.is_empty() {
                    self.holders.remove(&claimed);
                }
            }
        }
    }

    /// Lets a line wait for another one, unless too many do already.
    pub(super) fn wait_for(&mut self, line: &LineId, blocker: &LineId) -> bool {
        let waiting = self
            .lines
            .get_mut(blocker)
            .map(|blocker| &mut blocker.waiting);
        let Some(waiting) = waiting.filter(|lines| lines.len() < MAX_WAITING) else {
            return false;
        };
        waiting.insert(line.clone());
        true
    }

    /// Takes a job out of its line and forgets it.
    pub(super) fn remove_job(&mut self, id: JobId) -> Option<Job> {
        let line_id = self.jobs.get(&id)?.line.clone();
        self.unqueue(&line_id, id);
        if let Some(line) = self.lines.get_mut(&line_id) {
            line.removal = line.removal.filter(|removal| *removal != id);
        }
        self.jobs.remove(&id)
    }

    /// Takes a job out of its line and keeps it.
    pub(super) fn unqueue(&mut self, line: &LineId, id: JobId) {
        self.disarm(line);
        if let Some(line) = self.lines.get_mut(line) {
            line.queue.retain(|job| *job != id);
        }
    }
}
