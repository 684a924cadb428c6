//! Claims, leases and acknowledgements of the memory store.

use std::time::Duration;

use connector_http::Lane;
use tokio::time::Instant;

use super::state::{Holder, JobState, LineId, LinkState, State, Task};
use crate::contact::{Contact, ExternalKey, Identifier};
use crate::failure::{ErrorClass, FailureNote};
use crate::ids::{JobId, LeaseToken, TenantId};
use crate::matching::{Candidate, Verdict, decide, same_person};
use crate::store::{
    Ack, Claim, ClaimRequest, Claims, LinkChange, LogOutcome, Outcome, StoreError, Work,
};
use crate::target::{Action, Delivery, Known};

/// What a job has to wait for.
pub(super) enum Blocker {
    /// Another contact's line.
    Line(LineId),
    /// A request that may still take effect.
    Until(Instant),
}

/// When a line looks again whose place among those who wait is taken.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many log entries and status events the store remembers.
const REMEMBERED: usize = 10_000;

impl State {
    pub(super) fn claim(
        &mut self,
        request: ClaimRequest,
        max_crashes: u32,
        now: Instant,
    ) -> Claims {
        self.reap(max_crashes, now);
        let mut jobs = Vec::new();
        let bulk_limit = request.bulk_limit.min(request.limit);
        for (lane, limit) in [(Lane::Interactive, request.limit), (Lane::Bulk, bulk_limit)] {
            let mut taken = 0;
            while taken < limit && jobs.len() < request.limit {
                let Some(id) = self.take_due(lane, now) else {
                    break;
                };
                if let Some(claim) = self.start(id, request.lease, now) {
                    jobs.push(claim);
                    taken += 1;
                }
            }
        }
        Claims::new(jobs, self.next_due(now))
    }

    /// Starts a due job, or leaves it to wait for whoever is at work on the same person.
    fn start(&mut self, id: JobId, lease: Duration, now: Instant) -> Option<Claim> {
        let job = self.jobs.get(&id)?;
        let line = job.line.clone();
        let contact = match &job.task {
            Task::Deliver => self.contacts.get(&line.0)?.contact.clone(),
            Task::Undo(undo) => undo.contact.clone(),
            Task::Remove(leaving) => leaving.contact.clone(),
        };
        let identifiers = job.task.identifiers(&contact);
        match self.blocker(&line, (&contact, &identifiers), now) {
            None => self.lease_out(id, &contact, lease, now),
            Some(Blocker::Line(blocker)) => {
                self.unpark(id);
                if !self.wait_for(&line, &blocker) {
                    self.defer(id, &line, now + LOOK_AGAIN);
                }
                None
            }
            Some(Blocker::Until(settled)) => {
                self.unpark(id);
                self.defer(id, &line, settled);
                None
            }
        }
    }

    /// Whoever waits for others does not wait for an integration any more.
    fn unpark(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.is_parked = false;
        }
    }

    fn defer(&mut self, id: JobId, line: &LineId, until: Instant) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.run_at = until;
        }
        self.arm(line);
    }

    /// Puts a job under a lease, whoever may be at work.
    pub(super) fn lease_out(
        &mut self,
        id: JobId,
        contact: &Contact,
        lease: Duration,
        now: Instant,
    ) -> Option<Claim> {
        let job = self.jobs.get(&id)?;
        let (line, identifiers) = (job.line.clone(), job.task.identifiers(contact));
        self.hold(&line, Holder::Job(id), contact, identifiers);
        let work = match &self.jobs.get(&id)?.task {
            Task::Undo(undo) => Work::Undo(undo.clone()),
            Task::Remove(leaving) => Work::Remove(Box::new(self.removal(&line, leaving)?)),
            Task::Deliver => Work::Deliver(Box::new(self.delivery(&line)?)),
        };
        if let Work::Deliver(delivery) = &work
            && delivery.known == Known::Nobody
        {
            self.set_link(&line, LinkState::Intent, None);
        }
        let (token, until) = (LeaseToken::generate(), now + lease);
        let tenant = self.lines.get(&line)?.tenant.clone();
        let job = self.jobs.get_mut(&id)?;
        job.state = JobState::Running(token, until);
        job.attempts = job.attempts.saturating_add(1);
        job.is_parked = false;
        let mut claim = Claim::new(id, token, (tenant, line.1, line.0), work);
        claim.lane = job.lane;
        claim.attempt = job.attempts;
        claim.age = now.saturating_duration_since(job.born);
        claim.trace_id.clone_from(&job.trace_id);
        self.leases.insert((until, id));
        Some(claim)
    }

    /// Tells what has to come to an end before anybody works on a person at a target.
    pub(super) fn blocker(
        &self,
        id: &LineId,
        (contact, identifiers): (&Contact, &[Identifier]),
        now: Instant,
    ) -> Option<Blocker> {
        let line = self.lines.get(id)?;
        if let Some(settled) = line.settles_at.filter(|at| *at > now) {
            return Some(Blocker::Until(settled));
        }
        let has_intent = line.link == LinkState::Intent;
        self.sharing(&line.tenant, id, identifiers)
            .find_map(|other_id| {
                let other = self.lines.get(other_id)?;
                if other.holder.is_some() {
                    return Some(Blocker::Line(other_id.clone()));
                }
                let (theirs, _) = other.holds.as_ref()?;
                if other.link != LinkState::Intent || !same_person(contact, theirs) {
                    return None;
                }
                // Who has an intent too goes on, or two of them would wait for each other.
                if !other.queue.is_empty() && !has_intent {
                    return Some(Blocker::Line(other_id.clone()));
                }
                other.settles_at.filter(|at| *at > now).map(Blocker::Until)
            })
    }

    /// Lines of other contacts that hold one of these identifiers at the same target.
    fn sharing<'a>(
        &'a self,
        tenant: &TenantId,
        id: &'a LineId,
        identifiers: &'a [Identifier],
    ) -> impl Iterator<Item = &'a LineId> {
        let tenant = tenant.clone();
        identifiers
            .iter()
            .filter_map(move |identifier| {
                self.holders
                    .get(&(tenant.clone(), id.1.clone(), identifier.clone()))
            })
            .flatten()
            .filter(move |other| *other != id)
    }

    fn delivery(&self, line: &LineId) -> Option<Delivery> {
        let stored = self.contacts.get(&line.0)?;
        let key = stored.contact.key().external(line.0);
        let mut delivery = Delivery::new(stored.contact.clone(), stored.revision, key);
        let state = self.lines.get(line)?;
        delivery.uncertain = state.link == LinkState::Intent;
        delivery.known = self.known_record(line, &state.tenant, &stored.contact);
        delivery.aliases = self.aliases(line, &state.tenant, &stored.contact);
        Some(delivery)
    }

    /// Tells which record a contact has: by its own link, else by those of other contacts of the same person.
    pub(super) fn known_record(
        &self,
        line: &LineId,
        tenant: &TenantId,
        contact: &Contact,
    ) -> Known {
        if let Some(remote) = self.lines.get(line).and_then(|l| l.link.remote()) {
            return Known::One(remote.clone());
        }
        let records = contact
            .identifiers()
            .into_iter()
            .filter_map(|identifier| {
                self.known
                    .get(&(tenant.clone(), line.1.clone(), identifier))
            })
            .flatten();
        let candidates: Vec<Candidate<'_>> = records
            .filter_map(|(remote, id)| {
                Some(Candidate::new(&self.contacts.get(id)?.contact, remote))
            })
            .collect();
        match decide(contact, &candidates) {
            Verdict::New => Known::Nobody,
            Verdict::Known(remote) => Known::One(remote),
            Verdict::Several(remotes) => Known::Several(remotes),
        }
    }

    /// Keys of the same person's other contacts whose creation was never confirmed.
    pub(super) fn aliases(
        &self,
        line: &LineId,
        tenant: &TenantId,
        contact: &Contact,
    ) -> Vec<ExternalKey> {
        let mut aliases: Vec<ExternalKey> = self
            .sharing(tenant, line, &contact.identifiers())
            .filter_map(|other| {
                let state = self.lines.get(other)?;
                let (theirs, _) = state.holds.as_ref()?;
                let same = state.link == LinkState::Intent && same_person(contact, theirs);
                same.then(|| theirs.key().external(other.0))
            })
            .collect();
        aliases.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        aliases.dedup();
        aliases
    }

    pub(super) fn renew(
        &mut self,
        id: JobId,
        token: LeaseToken,
        lease: Duration,
        now: Instant,
    ) -> Result<(), StoreError> {
        let job = self.jobs.get_mut(&id).ok_or(StoreError::LeaseLost)?;
        match job.state {
            JobState::Running(held, until) if held == token => {
                let renewed = now + lease;
                job.state = JobState::Running(token, renewed);
                self.leases.remove(&(until, id));
                self.leases.insert((renewed, id));
                Ok(())
            }
            _ => Err(StoreError::LeaseLost),
        }
    }

    pub(super) fn commit(&mut self, outcome: Outcome, now: Instant) -> Result<(), StoreError> {
        let job = self.jobs.get(&outcome.job).ok_or(StoreError::LeaseLost)?;
        let line = job.line.clone();
        match job.state {
            JobState::Running(token, until) if token == outcome.token => {
                self.leases.remove(&(until, outcome.job));
            }
            _ => return Err(StoreError::LeaseLost),
        }
        let stored = self.contacts.get(&line.0);
        let ack = outcome.ack_at(stored.map_or(0, |stored| stored.revision));
        // Whoever comes back after an erasure is not known by what was before.
        let is_outlived = self.is_outlived(outcome.job, &line);
        let contact = stored.filter(|_| !is_outlived);
        let contact = contact.map(|stored| stored.contact.clone());
        self.change_link(&line, outcome.link, contact.as_ref(), now);
        self.count(&outcome.log.outcome, &ack);
        let failure = match &outcome.log.outcome {
            LogOutcome::Failed(note) => Some(note.clone()),
            _ => None,
        };
        self.acknowledge(outcome.job, &line, &ack, failure, now);
        remember(&mut self.log, (now, outcome.log));
        if let Some(status) = outcome.status {
            remember(&mut self.statuses, (now, status));
        }
        self.release(&line);
        self.bury(line.0);
        Ok(())
    }

    fn count(&mut self, outcome: &LogOutcome, ack: &Ack) {
        let outcomes = &mut self.outcomes;
        let counter = match (outcome, ack) {
            (LogOutcome::Delivered { action, .. }, _) => match action {
                Action::Created => &mut outcomes.created,
                Action::Updated => &mut outcomes.updated,
                Action::Unchanged => &mut outcomes.unchanged,
            },
            (LogOutcome::Undone, _) => &mut outcomes.undone,
            (LogOutcome::Removed | LogOutcome::Kept, _) => &mut outcomes.removed,
            (LogOutcome::Relinking | LogOutcome::Released, _) => return,
            (LogOutcome::Failed(_), Ack::Park { .. }) => &mut outcomes.parked,
            (LogOutcome::Failed(_), Ack::Review) => &mut outcomes.reviews,
            (LogOutcome::Failed(_), Ack::Dead) => &mut outcomes.dead,
            (LogOutcome::Failed(_), _) => &mut outcomes.retried,
        };
        *counter += 1;
    }

    fn change_link(
        &mut self,
        line: &LineId,
        change: LinkChange,
        contact: Option<&Contact>,
        now: Instant,
    ) {
        match change {
            LinkChange::Keep => {}
            LinkChange::Unclear { settle } => {
                if let Some(line) = self
                    .lines
                    .get_mut(line)
                    .filter(|l| l.link == LinkState::Intent)
                {
                    line.settles_at = Some(now + settle);
                }
            }
            LinkChange::Withdraw => {
                if self
                    .lines
                    .get(line)
                    .is_some_and(|l| l.link == LinkState::Intent)
                {
                    self.set_link(line, LinkState::None, None);
                }
            }
            LinkChange::Set { remote, created } => {
                let linked = LinkState::Linked {
                    remote,
                    is_ours: created,
                };
                self.set_link(line, linked, contact);
            }
            LinkChange::Unlink => self.unlink(line),
            LinkChange::Gone(remote) => {
                if let Some(tenant) = self.lines.get(line).map(|l| l.tenant.clone()) {
                    self.cut_links(&tenant, &line.1, &remote);
                }
            }
        }
    }

    fn acknowledge(
        &mut self,
        id: JobId,
        line: &LineId,
        ack: &Ack,
        failure: Option<FailureNote>,
        now: Instant,
    ) {
        if self.is_outlived(id, line) {
            self.done += u64::from(matches!(ack, Ack::Done { .. }));
            self.remove_job(id);
            return;
        }
        match *ack {
            Ack::Done { revision } => self.complete(id, line, revision, now),
            Ack::Retry { after } => self.again(id, after, failure, now),
            Ack::Snooze { after } | Ack::Park { after } => {
                self.again(id, after, failure, now);
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.attempts = job.attempts.saturating_sub(1);
                    if matches!(ack, Ack::Park { .. }) {
                        job.born += after;
                        job.is_parked = true;
                    }
                }
            }
            Ack::Review => self.stop(id, line, JobState::Review, failure),
            Ack::Dead => self.stop(id, line, JobState::Dead, failure),
        }
    }

    fn complete(&mut self, id: JobId, line: &LineId, revision: u64, now: Instant) {
        let is_delivery = self
            .jobs
            .get(&id)
            .is_some_and(|job| matches!(job.task, Task::Deliver));
        let wanted = self
            .contacts
            .get(&line.0)
            .map_or(0, |stored| stored.revision);
        let stale = self.lines.get_mut(line).and_then(|l| {
            l.delivered = l.delivered.max(revision);
            is_delivery.then(|| l.stopped.take()).flatten()
        });
        if let Some(stale) = stale {
            self.jobs.remove(&stale);
        }
        self.done += 1;
        if is_delivery && wanted > revision {
            // The person signed up again meanwhile: the same job carries the newer revision.
            if let Some(job) = self.jobs.get_mut(&id) {
                job.state = JobState::Ready;
                job.run_at = now;
                job.born = now;
                job.attempts = 0;
                job.crashes = 0;
                job.failure = None;
            }
        } else {
            self.remove_job(id);
        }
    }

    fn again(&mut self, id: JobId, after: Duration, failure: Option<FailureNote>, now: Instant) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.state = JobState::Retrying;
            job.run_at = now + after;
            job.failure = failure.or(job.failure.take());
        }
    }

    pub(super) fn stop(
        &mut self,
        id: JobId,
        line: &LineId,
        state: JobState,
        failure: Option<FailureNote>,
    ) {
        self.unqueue(line, id);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.state = state;
        job.failure = failure.or(job.failure.take());
        if matches!(job.task, Task::Deliver) {
            let older = self.lines.get_mut(line).and_then(|l| l.stopped.replace(id));
            if let Some(older) = older {
                self.jobs.remove(&older);
            }
        }
    }

    /// Runs a stopped job again, as if it were new.
    pub(super) fn replay(&mut self, id: JobId, now: Instant) -> Result<(), StoreError> {
        let job = self.jobs.get_mut(&id).ok_or(StoreError::NoSuchJob)?;
        if !matches!(job.state, JobState::Review | JobState::Dead) {
            return Err(StoreError::NoSuchJob);
        }
        let line = job.line.clone();
        if matches!(job.task, Task::Deliver) {
            // The same person may have signed up since: then that delivery is the replay.
            let (urgency, trace_id) = (job.lane, job.trace_id.clone());
            self.jobs.remove(&id);
            if let Some(line) = self.lines.get_mut(&line) {
                line.stopped = None;
            }
            self.queue_delivery(&line, urgency, trace_id.as_deref(), now);
        } else {
            job.state = JobState::Ready;
            job.run_at = now;
            job.born = now;
            job.attempts = 0;
            job.crashes = 0;
            self.disarm(&line);
            if let Some(line) = self.lines.get_mut(&line) {
                line.queue.push_back(id);
            }
            self.arm(&line);
        }
        Ok(())
    }

    /// Forgets a stopped job, which a person has seen to.
    pub(super) fn discard(&mut self, id: JobId) -> Result<(), StoreError> {
        let job = self.jobs.get(&id).ok_or(StoreError::NoSuchJob)?;
        if !matches!(job.state, JobState::Review | JobState::Dead) {
            return Err(StoreError::NoSuchJob);
        }
        let (line, is_removal) = (job.line.clone(), matches!(job.task, Task::Remove(_)));
        self.jobs.remove(&id);
        if let Some(line) = self.lines.get_mut(&line) {
            line.stopped = line.stopped.filter(|stopped| *stopped != id);
        }
        if is_removal {
            self.unlink(&line);
            self.release(&line);
        }
        self.bury(line.0);
        Ok(())
    }

    /// Takes back what was leased to workers that did not come back.
    pub(super) fn reap(&mut self, max_crashes: u32, now: Instant) {
        while let Some((until, id)) = self
            .leases
            .first()
            .copied()
            .filter(|(until, _)| *until <= now)
        {
            self.leases.remove(&(until, id));
            let Some(job) = self.jobs.get_mut(&id) else {
                continue;
            };
            job.crashes = job.crashes.saturating_add(1);
            let (line, crashes) = (job.line.clone(), job.crashes);
            let failure = Some(FailureNote::new(ErrorClass::Ambiguous));
            self.outcomes.crashes += 1;
            if self.is_outlived(id, &line) {
                self.remove_job(id);
            } else if crashes >= max_crashes {
                self.outcomes.dead += 1;
                self.stop(id, &line, JobState::Dead, failure);
            } else {
                let wait =
                    Duration::from_secs(2_u64.saturating_pow(crashes)).min(Duration::from_hours(1));
                self.again(id, wait, failure, now);
            }
            self.release(&line);
            self.bury(line.0);
        }
        self.reap_operations(now);
    }
}

fn remember<T>(all: &mut std::collections::VecDeque<T>, one: T) {
    if all.len() == REMEMBERED {
        all.pop_front();
    }
    all.push_back(one);
}
