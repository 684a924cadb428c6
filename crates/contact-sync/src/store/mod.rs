//! The ports to a store, each call one unit of work.
//!
//! A call of these traits is one transaction: whoever implements them on a database writes everything a call names,
//! or nothing. A store keeps its own clock, so that waits and leases survive a wall clock that jumps on one machine.
//! [`MemoryStore`](crate::MemoryStore) is the model: what it does with leases, order and claims is what a durable
//! store has to do as well.

mod job;
pub mod limits;
mod link;
mod log;
mod strict;

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use connector_http::Lane;
use thiserror::Error;

pub use job::{
    Claim, ClaimRequest, Claims, JobKind, Outcomes, Removal, Snapshot, StoppedJob, Undo, Work,
};
pub use link::{Ack, DeliveryState, Link, LinkChange, Outcome, Standing};
pub use log::{LogEntry, LogOutcome, Signal, StatusEvent};
pub use strict::{Begun, Held, StrictStore, StrictTarget};

use crate::contact::{Contact, ContactKey, Signup};
use crate::hook::Plan;
use crate::ids::{ContactId, JobId, LeaseToken, RemoteId, TargetName, TenantId};

/// A delivery to be queued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewJob {
    /// The target.
    pub target: TargetName,
    /// Whether somebody waits for it.
    pub lane: Lane,
    /// What ties the job to the request that it comes from, in the host's own traces. Nothing personal.
    pub trace_id: Option<String>,
}

impl NewJob {
    /// Makes a job.
    pub fn new(target: TargetName, lane: Lane) -> Self {
        Self {
            target,
            lane,
            trace_id: None,
        }
    }

    /// Sets what ties the job to the request that it comes from.
    pub fn trace_id(mut self, id: impl Into<String>) -> Self {
        self.trace_id = Some(id.into());
        self
    }
}

/// A contact as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredContact {
    /// Our own id.
    pub id: ContactId,
    /// The host's customer.
    pub tenant: TenantId,
    /// Its version; it grows with every signup and every change.
    pub revision: u64,
    /// The contact.
    pub contact: Contact,
}

impl StoredContact {
    /// Describes a contact.
    pub fn new(id: ContactId, tenant: TenantId, revision: u64, contact: Contact) -> Self {
        Self {
            id,
            tenant,
            revision,
            contact,
        }
    }
}

/// What becomes of a contact that the host has erased.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// The contact.
    pub contact: ContactId,
    /// Targets from which it is being taken away.
    pub queued: Vec<TargetName>,
    /// Targets where a record of it stays: one that was there before us. The link to it is cut.
    pub kept: Vec<TargetName>,
}

impl Erased {
    /// Makes the answer.
    pub fn new(contact: ContactId, queued: Vec<TargetName>, kept: Vec<TargetName>) -> Self {
        Self {
            contact,
            queued,
            kept,
        }
    }
}

/// A contact, and where it was meant to go and is not: what a reconciler looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standings {
    /// The contact.
    pub contact: ContactId,
    /// The host's customer.
    pub tenant: TenantId,
    /// Its version.
    pub revision: u64,
    /// Every target it has a job or a link for, or once had.
    pub targets: Vec<DeliveryState>,
}

impl Standings {
    /// Describes where a contact stands.
    pub fn new(
        contact: ContactId,
        tenant: TenantId,
        revision: u64,
        targets: Vec<DeliveryState>,
    ) -> Self {
        Self {
            contact,
            tenant,
            revision,
            targets,
        }
    }
}

/// A contact that has been accepted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The contact: the same one for every signup under the same key.
    pub contact: ContactId,
    /// Its version after this signup.
    pub revision: u64,
    /// Whether the contact, with all that was known before, is [blank](Contact::is_blank): then no job was queued.
    pub is_blank: bool,
}

impl Accepted {
    /// Makes the answer for a contact that is not blank.
    pub fn new(contact: ContactId, revision: u64) -> Self {
        Self {
            contact,
            revision,
            is_blank: false,
        }
    }

    /// Says whether the contact is blank.
    pub fn blank(mut self, is_blank: bool) -> Self {
        self.is_blank = is_blank;
        self
    }
}

/// Normalises a signup and decides where it goes, as [`SignupHook::plan`](crate::SignupHook::plan) does.
pub type Planner<'a> = dyn Fn(&Signup) -> Plan + Send + Sync + 'a;

/// Takes signups in.
#[async_trait]
pub trait SignupStore: Send + Sync {
    /// Writes a contact and its jobs together.
    ///
    /// A contact whose key the tenant has already is merged into that one ([`Contact::merge`]), and its revision
    /// grows. A live delivery of the same contact to the same target is not queued twice: it will carry the newer
    /// revision, in the more urgent of both lanes, and its age begins anew: what is still to come of a wait for an
    /// integration does not count. A dead one does not count as live.
    ///
    /// No job is queued for a contact that is [blank](Contact::is_blank) after the merge: a signup that says nothing of
    /// the person itself is a change like any other of somebody who is known.
    ///
    /// # Errors
    ///
    /// When the store cannot write, or [`StoreError::Refused`] where a name is not one to be kept
    /// ([`limits::check_names`]); then nothing was written. Every id of a host is kept, and a trace id as far as it can
    /// be printed.
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError>;

    /// Changes a contact that is there, as [`accept`](Self::accept) does with one of the same key, whatever the key of
    /// the change is. The contact keeps its own key, and its revision if nothing is different; the jobs are queued all
    /// the same. `None` when the tenant has no such contact, or has erased it.
    ///
    /// # Errors
    ///
    /// Only when the store cannot write; then nothing was written.
    async fn amend(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        change: &Contact,
        jobs: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError>;

    /// Erases a contact: deliveries that wait, retry or have stopped are dropped, and where a record of ours is or may
    /// be, a job to remove it is queued behind the one that runs. Such a job carries what it needs of the contact, and
    /// finds out about the link when it runs; the rest of the contact's data goes at once, and everything, its key
    /// included, with the last of these jobs.
    ///
    /// - A delivery that runs meanwhile comes to its end and is not run again, whatever came of it.
    /// - A create that a strict operation has not confirmed yet is that operation's, and its undo job's.
    /// - A link to a record that is not ours is cut at once.
    /// - A signup under the same key that comes in before the last removal is over takes nothing over of what was
    ///   known, keeps id and revision going, and goes behind the removals; a strict operation is
    ///   [`StoreError::Busy`] until then. A removal that waits for a person is dropped by it: the record will say what
    ///   the contact says now.
    ///
    /// `None` when the tenant has no such contact; erasing twice is the same as once.
    ///
    /// # Errors
    ///
    /// Only when the store cannot write; then nothing was written.
    async fn erase(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<Erased>, StoreError>;

    /// Returns the contact of a key, if it is there and not erased.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn find(
        &self,
        tenant: &TenantId,
        key: &ContactKey,
    ) -> Result<Option<ContactId>, StoreError>;

    /// Returns a contact of the tenant, if it is there and not erased.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn stored(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<StoredContact>, StoreError>;

    /// Returns contacts that are not erased, in the order of their ids, with where they stand: up to `limit` behind
    /// `after`. For a reconciler, page by page.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn standings(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Standings>, StoreError>;

    /// Returns what a store in a database calls the schema that its tables are in, for writing into the host's own
    /// transaction; empty where there is no such thing.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "a store's schema is a setting of it"
    )]
    fn schema(&self) -> &str {
        ""
    }

    /// Takes over up to `limit` signups that hosts have put into the database themselves, each as
    /// [`accept`](Self::accept) does, planned by `planner`. Returns how many; none where a host cannot do so.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write. What was not taken over is still there.
    async fn drain_intake(&self, planner: &Planner<'_>, limit: usize) -> Result<usize, StoreError> {
        let _ = (planner, limit);
        Ok(0)
    }

    /// Returns where a contact stands with every target it has a job or a link for.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn deliveries(&self, contact: ContactId) -> Result<Vec<DeliveryState>, StoreError>;

    /// Waits until each of these targets has this revision of the contact or one that is newer, or will not get it
    /// without a person.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn settled(&self, accepted: Accepted, targets: &[TargetName]) -> Result<(), StoreError>;
}

/// Hands jobs to workers.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Hands out jobs that are due, under a lease.
    ///
    /// - Interactive jobs first; jobs of one contact and target in the order in which they came, so that one that
    ///   waits for its next attempt holds back its own contact and no other.
    /// - Never two contacts at a time that share an identifier at the same target, nor one while another that is the
    ///   same person ([`matching::same_person`](crate::matching::same_person)) has an unconfirmed create there.
    /// - A claim counts an attempt and, where the contact has no link, moves the link to *intent*.
    /// - A lease that ran out counts a crash: the job backs off, and after too many crashes it is dead.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write.
    async fn claim(&self, request: ClaimRequest) -> Result<Claims, StoreError>;

    /// Extends a lease to `lease` from now.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when it ran out before.
    async fn renew(&self, job: JobId, token: LeaseToken, lease: Duration)
    -> Result<(), StoreError>;

    /// Waits until there may be something to claim. May return early; may wait for ever, if the store cannot tell.
    async fn work_added(&self) {
        std::future::pending::<()>().await;
    }

    /// Returns the jobs that wait for a person: dead letters and reviews.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn stopped_jobs(&self) -> Result<Vec<StoppedJob>, StoreError>;

    /// Runs a stopped job again, as if it were new: with no attempts behind it, and its age from now.
    ///
    /// A delivery goes on under a **new id**, or as the live delivery of the same contact and target if there is one:
    /// the old id is gone from [`stopped_jobs`](Self::stopped_jobs), and stands in the log alone. An undo and a removal
    /// keep theirs. To see what comes of it, follow the contact ([`SignupStore::deliveries`]) or the trace id, which is
    /// the same.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`] when there is no stopped job of that id.
    async fn replay(&self, job: JobId) -> Result<(), StoreError>;

    /// Forgets a stopped job, because a person has seen to it: a delivery stays undone until the next signup or change of
    /// the person; what an undo or a removal was about counts as taken away, and with the last removal the erased
    /// contact's data goes.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`] when there is no stopped job of that id.
    async fn discard(&self, job: JobId) -> Result<(), StoreError>;

    /// Makes jobs of an integration that wait for a person run at once, after it was mended or an import was marked:
    /// those that were parked, and no other. What is left of their wait counts as age again. Returns how many.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn resume(&self, tenant: &TenantId, target: &TargetName) -> Result<u64, StoreError>;

    /// Deletes what was written down about attempts longer ago than `keep`, and signups that hosts have put in
    /// themselves and that were found longer ago than that to be none. Returns how many entries.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn sweep(&self, keep: Duration) -> Result<u64, StoreError>;

    /// Counts what there is.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn snapshot(&self) -> Result<Snapshot, StoreError>;
}

/// Keeps what the vendors' records are called.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// Writes everything that follows from an attempt together: the link, the log entry, the status event and the
    /// acknowledgement of the job.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the job is no longer the caller's, [`StoreError::Refused`] when the outcome cannot
    /// be kept, as where it has an id of a record that is too long ([`limits::check_remote`]); then nothing was written,
    /// and a worker lets the job wait for a person.
    async fn commit_outcome(&self, outcome: Outcome) -> Result<(), StoreError>;

    /// Tells whether any contact of the tenant, but `except`, has a link to this record.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn is_linked(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
        except: Option<ContactId>,
    ) -> Result<bool, StoreError>;

    /// Returns the contact's ids at the vendors.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn links(&self, contact: ContactId) -> Result<Vec<Link>, StoreError>;
}

/// Everything a worker and both hooks need, in one object.
pub trait SyncStore: SignupStore + JobStore + LinkStore + StrictStore {}

impl<S: SignupStore + JobStore + LinkStore + StrictStore> SyncStore for S {}

/// A store that could not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store did not answer or could not write. Nothing was written.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The caller no longer owns the job or the operation.
    #[error("the lease was lost")]
    LeaseLost,
    /// Another job or operation of the same person is running.
    #[error("the same person is being worked on")]
    Busy,
    /// There is no such job, or not in that state.
    #[error("no such job")]
    NoSuchJob,
    /// What was given cannot be kept, now or later: see [`limits`]. Nothing was written.
    #[error("the store cannot keep what it was given")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// Wraps a database's error. It must show no personal datum.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Refuses what cannot be kept. The reason must show no personal datum.
    pub fn refused(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Refused(why.into())
    }
}
