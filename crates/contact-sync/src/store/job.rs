//! Jobs as a worker sees them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use connector_http::Lane;
use serde::{Deserialize, Serialize};

use crate::contact::{Contact, ExternalKey};
use crate::failure::FailureNote;
use crate::ids::{ContactId, JobId, LeaseToken, RemoteId, TargetName, TenantId};
use crate::target::Delivery;

/// How many jobs a worker wants, and for how long.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// At most so many jobs.
    pub limit: usize,
    /// At most so many of them from the bulk lane.
    pub bulk_limit: usize,
    /// How long the lease holds unless it is renewed.
    pub lease: Duration,
}

impl ClaimRequest {
    /// Asks for up to `limit` jobs of either lane.
    pub fn new(limit: usize, lease: Duration) -> Self {
        Self {
            limit,
            bulk_limit: limit,
            lease,
        }
    }

    /// Sets how many of the jobs may be from the bulk lane.
    pub fn bulk_limit(mut self, limit: usize) -> Self {
        self.bulk_limit = limit;
        self
    }
}

/// What a worker got.
#[derive(Debug)]
#[non_exhaustive]
pub struct Claims {
    /// The jobs.
    pub jobs: Vec<Claim>,
    /// When to ask again at the latest, if nothing else happens; `None` when no job is live anywhere.
    pub next_in: Option<Duration>,
}

impl Claims {
    /// Makes the answer.
    pub fn new(jobs: Vec<Claim>, next_in: Option<Duration>) -> Self {
        Self { jobs, next_in }
    }
}

/// A job under a lease, with everything needed to run it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Claim {
    /// The job.
    pub job: JobId,
    /// The proof of holding it.
    pub token: LeaseToken,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Where to.
    pub target: TargetName,
    /// Which contact.
    pub contact: ContactId,
    /// Whether somebody waits for it.
    pub lane: Lane,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How long ago the job, or the newest change that it carries, was accepted, less the time it was parked.
    pub age: Duration,
    /// What ties the job to the request that it came from, in the host's own traces.
    pub trace_id: Option<String>,
    /// What to do.
    pub work: Work,
}

impl Claim {
    /// Makes the first claim of a job; the public fields hold the rest.
    pub fn new(
        job: JobId,
        token: LeaseToken,
        (tenant, target, contact): (TenantId, TargetName, ContactId),
        work: Work,
    ) -> Self {
        let (lane, attempt, age) = (Lane::Bulk, 1, Duration::ZERO);
        Self {
            job,
            token,
            tenant,
            target,
            contact,
            lane,
            attempt,
            age,
            trace_id: None,
            work,
        }
    }
}

/// What a job does.
#[derive(Debug)]
#[non_exhaustive]
pub enum Work {
    /// Brings a contact to the target.
    Deliver(Box<Delivery>),
    /// Takes back what a strict create did.
    Undo(Box<Undo>),
    /// Takes a contact that the host has erased away from the target.
    Remove(Box<Removal>),
}

impl Work {
    /// Returns the kind.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Deliver(_) => JobKind::Deliver,
            Self::Undo(_) => JobKind::Undo,
            Self::Remove(_) => JobKind::Remove,
        }
    }
}

/// The kind of a job.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobKind {
    /// Brings a contact to the target.
    Deliver,
    /// Takes back what a strict create did.
    Undo,
    /// Takes a contact that the host has erased away from the target.
    Remove,
}

/// What a strict create may have left behind at a target.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Undo {
    /// The contact as it was sent.
    pub contact: Contact,
    /// The key it was sent under.
    pub key: ExternalKey,
    /// The record, once the vendor has named it. Without it, the record has to be looked for.
    pub remote: Option<RemoteId>,
    /// When the create was about to be called: a record that is older is not ours.
    pub started_at: DateTime<Utc>,
}

impl Undo {
    /// Makes the undo of a create that is about to be called.
    pub fn new(contact: Contact, key: ExternalKey, started_at: DateTime<Utc>) -> Self {
        Self {
            contact,
            key,
            remote: None,
            started_at,
        }
    }
}

/// What an erased contact has left behind at a target.
///
/// Only a record that one of our own creates has made is deleted. One that was there before is somebody else's: the
/// link to it goes, and the record stays.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Removal {
    /// The contact as it was.
    pub contact: Contact,
    /// The key it was sent under.
    pub key: ExternalKey,
    /// The record, where there is a link. Without one, a create may have happened unseen, and has to be looked for.
    pub remote: Option<RemoteId>,
    /// Whether one of our own creates has made the record of the link.
    pub is_ours: bool,
    /// When a create that nobody heard of was about to be called first: a record that is older is not ours.
    pub since: Option<DateTime<Utc>>,
}

impl Removal {
    /// Makes the removal of a contact without a link; the public fields hold the rest.
    pub fn new(contact: Contact, key: ExternalKey) -> Self {
        Self {
            contact,
            key,
            remote: None,
            is_ours: false,
            since: None,
        }
    }
}

/// A job that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoppedJob {
    /// The job.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// On whose behalf.
    pub tenant: TenantId,
    /// Where to.
    pub target: TargetName,
    /// Which contact.
    pub contact: ContactId,
    /// Whether it waits for a choice (`true`) or is dead (`false`).
    pub review: bool,
    /// What it failed with at last.
    pub failure: Option<FailureNote>,
}

impl StoppedJob {
    /// Describes a stopped job.
    pub fn new(
        job: JobId,
        kind: JobKind,
        (tenant, target, contact): (TenantId, TargetName, ContactId),
        review: bool,
        failure: Option<FailureNote>,
    ) -> Self {
        Self {
            job,
            kind,
            tenant,
            target,
            contact,
            review,
            failure,
        }
    }
}

/// How many jobs there are, by state.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Waiting for their first attempt.
    pub ready: usize,
    /// Waiting for another attempt.
    pub retrying: usize,
    /// Under a lease.
    pub running: usize,
    /// Waiting for a person's choice.
    pub review: usize,
    /// Dead letters.
    pub dead: usize,
    /// Done since the store was opened, by this process.
    pub done: u64,
    /// What came of attempts since the store was opened, by this process.
    pub outcomes: Outcomes,
    /// The age of the oldest live job, in milliseconds.
    pub oldest_ms: u64,
    /// Signups that hosts have put into the database themselves and that nobody can take over: somebody has to look at
    /// them. They hold what the person gave, and go with [`JobStore::sweep`](super::JobStore::sweep).
    pub failed_intake: usize,
}

/// What came of attempts.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcomes {
    /// Records created.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Records that said the same already.
    pub unchanged: u64,
    /// Strict creates taken back.
    pub undone: u64,
    /// Erased contacts taken away.
    pub removed: u64,
    /// Attempts that failed and are tried again.
    pub retried: u64,
    /// Attempts that ended in a wait for an integration: refused credentials, a spent quota, a switch that is off.
    pub parked: u64,
    /// Jobs that wait for a person's choice.
    pub reviews: u64,
    /// Jobs that became dead letters.
    pub dead: u64,
    /// Leases that ran out under a worker that did not come back.
    pub crashes: u64,
}

impl Snapshot {
    /// Counts the jobs that will run without anybody's help.
    pub fn live(&self) -> usize {
        self.ready + self.retrying + self.running
    }
}
