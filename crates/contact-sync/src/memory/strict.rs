//! Operations of the strict road in the memory store.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::Lane;
use tokio::time::Instant;

use super::erase::Grave;
use super::state::{Holder, Job, JobState, LineId, LinkState, State, Stored, Task};
use crate::contact::Contact;
use crate::ids::{ContactId, JobId, LeaseToken, OperationId, RemoteId, TargetName, TenantId};
use crate::store::{Begun, Claim, Held, Link, StoreError, StrictTarget, Undo};

#[derive(Debug)]
pub(super) struct Operation {
    token: LeaseToken,
    pub(super) until: Instant,
    tenant: TenantId,
    contact_id: ContactId,
    contact: Contact,
    lines: Vec<LineId>,
    /// What the link of a line was before its create.
    before: Vec<(LineId, LinkState)>,
    confirmed: Option<Confirmed>,
}

/// What a confirmation changed, for taking it back.
#[derive(Debug)]
struct Confirmed {
    /// The contact as it was, if it was there, and the revision that the confirmation made.
    contact: Option<Stored>,
    grave: Option<Grave>,
    revision: u64,
    links: Vec<Linked>,
    undos: Vec<(JobId, Job)>,
}

/// What a line was.
#[derive(Debug)]
struct Linked {
    line: LineId,
    link: LinkState,
    intent_at: Option<DateTime<Utc>>,
    delivered: u64,
}

impl State {
    pub(super) fn begin(
        &mut self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
        lease: Duration,
        now: Instant,
    ) -> Result<Begun, StoreError> {
        let contact_id = self.contact_id(tenant, contact.key());
        let lines: Vec<LineId> = targets
            .iter()
            .map(|target| (contact_id, target.clone()))
            .collect();
        for line in &lines {
            let held = self.line(line, tenant).holder.is_some();
            // What is about to be deleted must not be found.
            let person = (contact, contact.identifiers());
            let blocker = self.blocker(line, (person.0, &person.1), now);
            if held || self.is_leaving(line) || blocker.is_some() {
                return Err(StoreError::Busy);
            }
        }
        let held = Held::new(OperationId::generate(), LeaseToken::generate());
        let mut known = Vec::new();
        for line in &lines {
            let mut target = StrictTarget::new(line.1.clone());
            target.known = self.known_record(line, tenant, contact);
            target.aliases = self.aliases(line, tenant, contact);
            let undo = self.waiting_undo(line);
            target.unfinished = undo.and_then(|id| self.undo_started(id));
            known.push(target);
            let holder = Holder::Operation(held.operation);
            self.hold(line, holder, contact, contact.identifiers());
            if let Some(job) = undo.and_then(|id| self.jobs.get_mut(&id)) {
                job.state = JobState::Held(held.operation);
            }
        }
        let operation = Operation {
            token: held.token,
            until: now + lease,
            tenant: tenant.clone(),
            contact_id,
            contact: contact.clone(),
            lines,
            before: Vec::new(),
            confirmed: None,
        };
        self.operations.insert(held.operation, operation);
        Ok(Begun::new(
            held,
            contact_id,
            contact.key().external(contact_id),
            known,
        ))
    }

    /// The link of a line, less a create that an operation may still take back: that one has its undo job.
    pub(super) fn settled_link(&self, id: &LineId) -> LinkState {
        let line = self.lines.get(id);
        let unconfirmed = line.and_then(|line| match line.holder? {
            Holder::Operation(operation) => self.operations.get(&operation),
            Holder::Job(_) => None,
        });
        let before = unconfirmed
            .filter(|operation| operation.confirmed.is_none())
            .and_then(|operation| operation.before.iter().find(|(line, _)| line == id))
            .map(|(_, before)| before.clone());
        before.unwrap_or_else(|| line.map(|line| line.link.clone()).unwrap_or_default())
    }

    /// The undo job at the head of a line that nobody holds.
    fn waiting_undo(&self, line: &LineId) -> Option<JobId> {
        let head = *self.lines.get(line)?.queue.front()?;
        self.jobs
            .get(&head)
            .is_some_and(|job| matches!(job.task, Task::Undo(_)))
            .then_some(head)
    }

    fn undo_started(&self, job: JobId) -> Option<DateTime<Utc>> {
        match &self.jobs.get(&job)?.task {
            Task::Undo(undo) => Some(undo.started_at),
            Task::Deliver | Task::Remove(_) => None,
        }
    }

    fn operation(&mut self, held: Held) -> Result<&mut Operation, StoreError> {
        self.operations
            .get_mut(&held.operation)
            .filter(|o| o.token == held.token)
            .ok_or(StoreError::LeaseLost)
    }

    /// The line of a target, if the operation holds it.
    fn held_line(&mut self, held: Held, target: &TargetName) -> Result<LineId, StoreError> {
        let operation = self.operation(held)?;
        operation
            .lines
            .iter()
            .find(|line| line.1 == *target)
            .cloned()
            .ok_or(StoreError::LeaseLost)
    }

    pub(super) fn renew_operation(
        &mut self,
        held: Held,
        lease: Duration,
        now: Instant,
    ) -> Result<(), StoreError> {
        self.operation(held)?.until = now + lease;
        Ok(())
    }

    pub(super) fn expect_create(
        &mut self,
        held: Held,
        target: &TargetName,
        undo: Undo,
        now: Instant,
    ) -> Result<(), StoreError> {
        let line = self.held_line(held, target)?;
        let before = self
            .lines
            .get(&line)
            .map(|l| l.link.clone())
            .unwrap_or_default();
        self.operation(held)?.before.push((line.clone(), before));
        self.set_link(&line, LinkState::Intent, None);
        if let Some(line) = self.lines.get_mut(&line) {
            line.intent_at.get_or_insert(undo.started_at);
        }
        if let Some(taken_over) = self.waiting_undo(&line) {
            if let Some(job) = self.jobs.get_mut(&taken_over) {
                job.task = Task::Undo(Box::new(undo));
            }
            return Ok(());
        }
        let id = self.add_job(
            &line,
            Task::Undo(Box::new(undo)),
            Lane::Bulk,
            JobState::Held(held.operation),
            now,
        );
        if let Some(line) = self.lines.get_mut(&line) {
            line.queue.push_front(id);
        }
        Ok(())
    }

    pub(super) fn note_created(
        &mut self,
        held: Held,
        target: &TargetName,
        remote: &RemoteId,
        now: Instant,
    ) -> Result<(), StoreError> {
        let line = self.held_line(held, target)?;
        if let Some(Task::Undo(undo)) = self
            .waiting_undo(&line)
            .and_then(|id| self.jobs.get_mut(&id))
            .map(|j| &mut j.task)
        {
            undo.remote = Some(remote.clone());
        }
        if let Some(job) = self
            .waiting_undo(&line)
            .and_then(|id| self.jobs.get_mut(&id))
        {
            job.run_at = now;
        }
        if let Some(line) = self.lines.get_mut(&line) {
            line.settles_at = None;
        }
        Ok(())
    }

    pub(super) fn note_unclear(
        &mut self,
        held: Held,
        target: &TargetName,
        settle: Duration,
        now: Instant,
    ) -> Result<(), StoreError> {
        let line = self.held_line(held, target)?;
        if let Some(job) = self
            .waiting_undo(&line)
            .and_then(|id| self.jobs.get_mut(&id))
        {
            job.run_at = now + settle;
        }
        if let Some(line) = self.lines.get_mut(&line) {
            line.settles_at = Some(now + settle);
        }
        Ok(())
    }

    pub(super) fn withdraw_create(
        &mut self,
        held: Held,
        target: &TargetName,
        now: Instant,
    ) -> Result<(), StoreError> {
        let line = self.held_line(held, target)?;
        if let Some(undo) = self.waiting_undo(&line) {
            self.remove_job(undo);
        }
        let operation = self.operation(held)?;
        let contact = operation.contact.clone();
        let position = operation
            .before
            .iter()
            .position(|(other, _)| *other == line);
        // Withdrawn twice, or never begun: the link is what it was.
        let before = position.map(|p| operation.before.swap_remove(p).1);
        if let Some(before) = before {
            self.link_again(&line, &contact, before, now);
        }
        Ok(())
    }

    pub(super) fn confirm(
        &mut self,
        held: Held,
        created: &[Link],
        found: &[Link],
        now: Instant,
    ) -> Result<(), StoreError> {
        let operation = self.operation(held)?;
        if operation.confirmed.is_some() {
            return Ok(());
        }
        let (id, contact) = (operation.contact_id, operation.contact.clone());
        let lines = operation.lines.clone();
        let tenant = operation.tenant.clone();
        let before = self.contacts.get(&id).cloned();
        let grave = self.graves.get(&id).cloned();
        let revision = self.write_contact(id, &tenant, &contact);
        // Earlier signups may have said more than what was created now.
        let is_all = self
            .contacts
            .get(&id)
            .is_some_and(|stored| stored.contact == contact);
        let mut confirmed = Confirmed {
            contact: before,
            grave,
            revision,
            links: Vec::new(),
            undos: Vec::new(),
        };
        let mut is_ours: HashSet<TargetName> =
            created.iter().map(|link| link.target.clone()).collect();
        for line in &lines {
            let kept = created
                .iter()
                .chain(found)
                .find(|link| link.target == line.1);
            let undo = self.waiting_undo(line).filter(|id| self.undoes(*id, kept));
            if let Some(undo) = undo
                && let Some(job) = self.remove_job(undo)
            {
                // The record of an earlier operation that was taken over is ours too.
                is_ours.insert(line.1.clone());
                confirmed.undos.push((undo, job));
            }
        }
        for (link, is_new) in created
            .iter()
            .map(|l| (l, true))
            .chain(found.iter().map(|l| (l, false)))
        {
            let line = (id, link.target.clone());
            let before = self.lines.get(&line);
            confirmed.links.push(Linked {
                line: line.clone(),
                link: before.map(|l| l.link.clone()).unwrap_or_default(),
                intent_at: before.and_then(|l| l.intent_at),
                delivered: before.map_or(0, |l| l.delivered),
            });
            let is_ours = is_ours.contains(&link.target);
            let state = LinkState::Linked {
                remote: link.remote.clone(),
                is_ours,
            };
            self.set_link(&line, state, Some(&contact));
            if is_ours {
                // An erasure that came in between was about what is not there any more.
                self.drop_removal(&line);
            }
            if is_new && is_all {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.delivered = revision;
                }
            } else {
                self.queue_delivery(&line, Lane::Bulk, None, now);
            }
        }
        self.operation(held)?.confirmed = Some(confirmed);
        Ok(())
    }

    /// Tells whether an undo job is about the record of a link. One that is not has to run, whatever is confirmed.
    fn undoes(&self, job: JobId, link: Option<&Link>) -> bool {
        match self.jobs.get(&job).map(|job| &job.task) {
            Some(Task::Undo(undo)) => {
                undo.remote.is_some() && undo.remote.as_ref() == link.map(|l| &l.remote)
            }
            _ => false,
        }
    }

    pub(super) fn finish(&mut self, held: Held, now: Instant) -> Result<bool, StoreError> {
        let over = self.confirmed.get(&held.operation);
        if over.is_some_and(|(token, _)| *token == held.token) {
            return Ok(true);
        }
        let is_confirmed = self.operation(held)?.confirmed.is_some();
        if is_confirmed {
            self.end(held.operation, now);
        }
        Ok(is_confirmed)
    }

    pub(super) fn abandon(
        &mut self,
        held: Held,
        lease: Duration,
        now: Instant,
    ) -> Result<Vec<Claim>, StoreError> {
        if let Some(confirmed) = self.operation(held)?.confirmed.take() {
            self.take_back(held, confirmed, now);
        }
        let Some(operation) = self.operations.remove(&held.operation) else {
            return Err(StoreError::LeaseLost);
        };
        let mut claims = Vec::new();
        for line in &operation.lines {
            let undo = self.waiting_undo(line);
            let due = undo.filter(|id| self.jobs.get(id).is_some_and(|job| job.run_at <= now));
            if let Some(claim) =
                due.and_then(|id| self.lease_out(id, &operation.contact, lease, now))
            {
                claims.push(claim);
                continue;
            }
            if let Some(job) = undo.and_then(|id| self.jobs.get_mut(&id)) {
                job.state = JobState::Retrying;
            }
            self.release(line);
        }
        self.bury(operation.contact_id);
        Ok(claims)
    }

    fn take_back(&mut self, held: Held, confirmed: Confirmed, now: Instant) {
        let Some((id, contact, lines)) = self
            .operations
            .get(&held.operation)
            .map(|o| (o.contact_id, o.contact.clone(), o.lines.clone()))
        else {
            return;
        };
        let untouched = self
            .contacts
            .get(&id)
            .is_some_and(|stored| stored.revision == confirmed.revision);
        let was_nobody = confirmed.contact.is_none();
        match confirmed.contact {
            // A signup of the same person that came in meanwhile was accepted, and stays; so does an erasure.
            _ if !untouched => {}
            Some(before) => {
                self.contacts.insert(id, before);
                self.look_again(id);
            }
            None => {
                self.contacts.remove(&id);
                if let Some(grave) = confirmed.grave {
                    self.graves.insert(id, grave);
                }
            }
        }
        for (id, mut job) in confirmed.undos {
            job.state = JobState::Held(held.operation);
            if let Some(line) = self.lines.get_mut(&job.line) {
                line.queue.push_front(id);
            }
            self.jobs.insert(id, job);
        }
        for before in confirmed.links {
            let line = before.line;
            let current = self.lines.get(&line).map(|l| l.link.clone());
            self.link_again(&line, &contact, before.link, now);
            let again = self.lines.get(&line).map(|l| l.link.clone());
            if current != again
                && let Some(remote) = current.as_ref().and_then(LinkState::remote)
            {
                self.forget_record(&line, &contact, remote);
            }
            let is_gone = self.graves.contains_key(&line.0);
            if let Some(line) = self.lines.get_mut(&line) {
                line.delivered = if is_gone { 0 } else { before.delivered };
                let is_intent = line.link == LinkState::Intent;
                line.intent_at = line.intent_at.or(before.intent_at.filter(|_| is_intent));
            }
        }
        if untouched && was_nobody {
            for line in lines {
                let delivery = self
                    .lines
                    .get(&line)
                    .and_then(|l| self.live_delivery(l))
                    .map(|(job, _)| job);
                if let Some(job) = delivery {
                    self.remove_job(job);
                }
            }
        }
    }

    /// Ends operations whose lease ran out: what is not confirmed is undone by whoever claims it.
    pub(super) fn reap_operations(&mut self, now: Instant) {
        let over: Vec<OperationId> = self
            .operations
            .iter()
            .filter(|(_, o)| o.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.end(id, now);
        }
    }

    fn end(&mut self, id: OperationId, now: Instant) {
        let Some(operation) = self.operations.remove(&id) else {
            return;
        };
        if operation.confirmed.is_some() {
            self.confirmed.insert(id, (operation.token, now));
        }
        for line in &operation.lines {
            if let Some(job) = self
                .waiting_undo(line)
                .and_then(|undo| self.jobs.get_mut(&undo))
            {
                job.state = JobState::Retrying;
                job.crashes = job.crashes.saturating_add(1);
            }
            self.release(line);
        }
        self.bury(operation.contact_id);
    }
}
