//! What the memory store does with contacts that change, that are erased, and that come back.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::Lane;
use tokio::time::Instant;

use super::state::{JobState, LineId, LinkState, State, Task};
use crate::contact::{Contact, ContactKey, ExternalKey, Identifier};
use crate::ids::{ContactId, JobId, RemoteId, TargetName, TenantId};
use crate::store::{Accepted, Claim, Erased, NewJob, Removal, Work};
use crate::target::Known;

/// For so long at least the holder of an operation that is over may ask whether it was confirmed.
const CONFIRMED: Duration = Duration::from_hours(24);

/// What is left of a contact that was erased: nothing of the person, once the last removal is over.
#[derive(Clone, Debug)]
pub(super) struct Grave {
    tenant: TenantId,
    /// The key that leads here as long as a removal is not over.
    key: Option<ContactKey>,
    pub(super) revision: u64,
}

/// An erased contact as a removal needs it. It goes with the removal.
#[derive(Clone, Debug)]
pub(super) struct Leaving {
    pub(super) contact: Contact,
    key: ExternalKey,
    /// Under what else its record is known, or may be found.
    pub(super) also: Vec<Identifier>,
}

impl State {
    /// Queues deliveries of a contact that was written, unless it is blank.
    pub(super) fn queue_accepted(
        &mut self,
        accepted: Accepted,
        tenant: &TenantId,
        jobs: &[NewJob],
        now: Instant,
    ) -> Accepted {
        let id = accepted.contact;
        let stored = self.contacts.get(&id);
        let is_blank = stored.is_some_and(|stored| stored.contact.is_blank());
        for job in jobs.iter().filter(|_| !is_blank) {
            let line = (id, job.target.clone());
            self.line(&line, tenant);
            self.queue_delivery(&line, job.lane, job.trace_id.as_deref(), now);
        }
        accepted.blank(is_blank)
    }

    /// Merges a change into a contact that is there; returns its revision, which grows if anything is different.
    pub(super) fn amend(
        &mut self,
        id: ContactId,
        tenant: &TenantId,
        change: &Contact,
    ) -> Option<u64> {
        let stored = self.contacts.get_mut(&id)?;
        if stored.tenant != *tenant {
            return None;
        }
        let before = stored.contact.clone();
        stored.contact.merge(change.clone());
        stored.revision += u64::from(stored.contact != before);
        let revision = stored.revision;
        self.look_again(id);
        Some(revision)
    }

    pub(super) fn erase(
        &mut self,
        tenant: &TenantId,
        id: ContactId,
        now: Instant,
    ) -> Option<Erased> {
        if let Some(grave) = self.graves.get(&id) {
            let is_theirs = grave.tenant == *tenant;
            return is_theirs.then(|| Erased::new(id, self.leaving(id), Vec::new()));
        }
        if self.contacts.get(&id)?.tenant != *tenant {
            return None;
        }
        let stored = self.contacts.remove(&id)?;
        let leaving = Leaving {
            key: stored.contact.key().external(id),
            contact: stored.contact,
            also: Vec::new(),
        };
        let grave = Grave {
            tenant: stored.tenant,
            key: Some(leaving.contact.key().clone()),
            revision: stored.revision,
        };
        self.graves.insert(id, grave);
        let mut kept = Vec::new();
        let mut targets = self.targets.get(&id).cloned().unwrap_or_default();
        targets.sort_unstable();
        for target in targets {
            let line = (id, target);
            if self.erase_at(&line, &leaving, now) {
                kept.push(line.1);
            }
        }
        let queued = self.leaving(id);
        self.bury(id);
        Some(Erased::new(id, queued, kept))
    }

    /// Takes a contact off a line: deliveries that wait go, and a removal comes if there may be anything to remove.
    /// Tells whether a record stays that is not ours.
    fn erase_at(&mut self, id: &LineId, leaving: &Leaving, now: Instant) -> bool {
        let Some(line) = self.lines.get_mut(id) else {
            return false;
        };
        let (queue, stopped) = (line.queue.clone(), line.stopped.take());
        let mut removal = line.removal;
        let mut is_running = false;
        for job in queue.into_iter().chain(stopped) {
            match self.jobs.get(&job).map(|job| (&job.task, job.state)) {
                Some((Task::Deliver, JobState::Running(..))) => is_running = true,
                Some((Task::Deliver, _)) => {
                    self.remove_job(job);
                }
                _ => {}
            }
        }
        if let Some(old) = removal
            && !self.is_leaving(id)
        {
            // It waits for a person, about an earlier life of the contact: this one sees to both.
            self.remove_job(old);
            removal = None;
        }
        let has = self.settled_link(id);
        let mut stays = false;
        if removal.is_none() {
            if is_running || has == LinkState::Intent || has.is_ours() {
                let held = self.lines.get(id).and_then(|line| line.holds.clone());
                let remote = self.lines.get(id).and_then(|line| line.link.remote());
                let mut also = self.known_under(id, remote.or(has.remote()));
                also.extend(held.into_iter().flat_map(|(_, identifiers)| identifiers));
                let leaving = Leaving {
                    also,
                    ..leaving.clone()
                };
                self.queue_removal(id, leaving, now);
            } else if has.remote().is_some() {
                // Where a create goes on, the end of that sees to it.
                if self.lines.get(id).is_some_and(|l| l.link == has) {
                    self.unlink(id);
                }
                stays = true;
            }
        }
        self.forget_person(id);
        self.arm(id);
        if let Some(line) = self.lines.get(id) {
            line.changed.notify_waiters();
        }
        stays
    }

    /// Under what a record is known: who looks for one of these may find it, and is kept off while it is removed.
    fn known_under(&self, id: &LineId, remote: Option<&RemoteId>) -> Vec<Identifier> {
        let Some((tenant, remote)) = self.lines.get(id).map(|line| &line.tenant).zip(remote) else {
            return Vec::new();
        };
        let known = self.known.iter().filter(|((t, target, _), records)| {
            t == tenant && *target == id.1 && records.iter().any(|(one, _)| one == remote)
        });
        known
            .map(|((_, _, identifier), _)| identifier.clone())
            .collect()
    }

    fn queue_removal(&mut self, id: &LineId, leaving: Leaving, now: Instant) {
        let task = Task::Remove(Box::new(leaving));
        let job = self.add_job(id, task, Lane::Bulk, JobState::Ready, now);
        self.disarm(id);
        if let Some(line) = self.lines.get_mut(id) {
            line.queue.push_back(job);
            line.removal = Some(job);
        }
        self.arm(id);
    }

    /// Gives a line the link back that it had before an operation, of which nothing is left. Of a contact that has been
    /// erased meanwhile, what may be ours is removed, and what is not ours is nobody's link any more.
    pub(super) fn link_again(
        &mut self,
        id: &LineId,
        contact: &Contact,
        before: LinkState,
        now: Instant,
    ) {
        if !self.graves.contains_key(&id.0) {
            self.set_link(id, before, None);
            return;
        }
        let may_be_ours = before == LinkState::Intent || before.is_ours();
        let link = if may_be_ours { before } else { LinkState::None };
        let also = self.known_under(id, link.remote());
        self.set_link(id, link, None);
        if may_be_ours && self.lines.get(id).is_some_and(|l| l.removal.is_none()) {
            let leaving = Leaving {
                key: contact.key().external(id.0),
                contact: contact.clone(),
                also,
            };
            self.queue_removal(id, leaving, now);
        }
    }

    /// Targets from which a contact is being taken away.
    fn leaving(&self, id: ContactId) -> Vec<TargetName> {
        self.lines_of(id)
            .filter(|(_, line)| line.removal.is_some())
            .map(|(target, _)| target.clone())
            .collect()
    }

    /// Tells whether a removal of this line will run without anybody's help.
    pub(super) fn is_leaving(&self, line: &LineId) -> bool {
        self.lines
            .get(line)
            .is_some_and(|l| l.removal.is_some_and(|id| l.queue.contains(&id)))
    }

    /// Tells whether a job is a delivery that was running when its contact was erased: it is not run again.
    pub(super) fn is_outlived(&self, job: JobId, line: &LineId) -> bool {
        let is_delivery = self
            .jobs
            .get(&job)
            .is_some_and(|job| matches!(job.task, Task::Deliver));
        let behind = self.lines.get(line).map(|line| {
            let mut queue = line.queue.iter().skip_while(|id| **id != job);
            queue.any(|id| line.removal == Some(*id))
        });
        is_delivery && behind == Some(true)
    }

    pub(super) fn drop_removal(&mut self, line: &LineId) {
        if let Some(removal) = self.lines.get(line).and_then(|line| line.removal) {
            self.remove_job(removal);
        }
    }

    /// What a removal has to do, as things are now.
    pub(super) fn removal(&self, line: &LineId, leaving: &Leaving) -> Option<Removal> {
        let state = self.lines.get(line)?;
        let mut removal = Removal::new(leaving.contact.clone(), leaving.key.clone());
        removal.remote = state.link.remote().cloned();
        removal.is_ours = state.link.is_ours();
        removal.since = state.intent_at;
        Some(removal)
    }

    /// Writes down when creates that nobody may ever hear of were about to be called.
    pub(super) fn note_intents(&mut self, claims: &[Claim], utc: DateTime<Utc>) {
        for claim in claims {
            let Work::Deliver(delivery) = &claim.work else {
                continue;
            };
            let line = self.lines.get_mut(&(claim.contact, claim.target.clone()));
            if let Some(line) = line.filter(|_| delivery.known == Known::Nobody) {
                line.intent_at.get_or_insert(utc);
            }
        }
    }

    /// Cuts a contact's own link, and takes back that it is known.
    pub(super) fn unlink(&mut self, line: &LineId) {
        self.forget_person(line);
        self.set_link(line, LinkState::None, None);
        if let Some(line) = self.lines.get_mut(line) {
            line.delivered = 0;
        }
    }

    /// Takes back that a contact is known to a target under any identifier it ever had. Whoever else has a link to
    /// the same record stands for it now.
    fn forget_person(&mut self, id: &LineId) {
        let Some(tenant) = self.lines.get(id).map(|line| line.tenant.clone()) else {
            return;
        };
        let by_remote = &self.by_remote;
        // Rare, and a look at all of them finds those under an older e-mail address too.
        self.known.retain(|(t, target, _), records| {
            if *t == tenant && *target == id.1 {
                records.retain_mut(|(remote, contact)| {
                    if *contact != id.0 {
                        return true;
                    }
                    let sharing = by_remote.get(&(t.clone(), target.clone(), remote.clone()));
                    let successor = sharing.and_then(|ids| ids.iter().find(|other| *other != id));
                    *contact = successor.map_or(*contact, |other| other.0);
                    successor.is_some()
                });
            }
            !records.is_empty()
        });
    }

    /// Forgets an erased contact, but for the fact, once the last of its removals is over and nobody is at work on it:
    /// a strict create that is confirmed brings it back under its key.
    pub(super) fn bury(&mut self, id: ContactId) {
        let is_held = || self.lines_of(id).any(|(_, line)| line.holder.is_some());
        if !self.graves.contains_key(&id) || !self.leaving(id).is_empty() || is_held() {
            return;
        }
        if let Some(grave) = self.graves.get_mut(&id)
            && let Some(key) = grave.key.take()
        {
            self.by_key.remove(&(grave.tenant.clone(), key));
        }
        let targets = self.targets.remove(&id).unwrap_or_default();
        let mut busy: HashSet<TargetName> = targets
            .iter()
            .filter(|target| {
                let line = self.lines.get(&(id, (*target).clone()));
                line.is_some_and(|line| line.link != LinkState::None)
            })
            .cloned()
            .collect();
        let jobs = self.jobs.values().map(|job| &job.line);
        busy.extend(jobs.filter(|line| line.0 == id).map(|line| line.1.clone()));
        let (stay, go): (Vec<_>, Vec<_>) = targets.into_iter().partition(|t| busy.contains(t));
        for target in go {
            self.lines.remove(&(id, target));
        }
        if !stay.is_empty() {
            self.targets.insert(id, stay);
        }
    }

    pub(super) fn resume(&mut self, tenant: &TenantId, target: &TargetName, now: Instant) -> u64 {
        let parked: Vec<(JobId, LineId)> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.is_parked && job.line.1 == *target)
            .filter(|(_, job)| {
                self.lines
                    .get(&job.line)
                    .is_some_and(|l| l.tenant == *tenant)
            })
            .map(|(id, job)| (*id, job.line.clone()))
            .collect();
        for (id, line) in &parked {
            self.disarm(line);
            if let Some(job) = self.jobs.get_mut(id) {
                // The rest of the wait was counted as spent already.
                let rest = job.run_at.saturating_duration_since(now);
                job.born = job.born.checked_sub(rest).unwrap_or(job.born);
                job.run_at = now;
                job.is_parked = false;
            }
            self.arm(line);
        }
        parked.len() as u64
    }

    pub(super) fn sweep(&mut self, keep: Duration, now: Instant) -> u64 {
        let forgotten = now.checked_sub(keep.max(CONFIRMED));
        self.confirmed
            .retain(|_, (_, ended)| forgotten.is_none_or(|oldest| *ended >= oldest));
        let Some(oldest) = now.checked_sub(keep) else {
            return 0;
        };
        let before = self.log.len();
        self.log.retain(|(at, _)| *at >= oldest);
        self.statuses.retain(|(at, _)| *at >= oldest);
        (before - self.log.len()) as u64
    }
}
