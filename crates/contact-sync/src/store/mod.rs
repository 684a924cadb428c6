//! The ports to a store, each call one unit of work.
//!
//! A call of these traits is one transaction: whoever implements them on a database writes everything a call names,
//! or nothing. A store keeps its own clock, so that waits and leases survive a wall clock that jumps on one machine.
//! [`MemoryStore`](crate::MemoryStore) is the model: what it does with leases, order and claims is what a durable
//! store has to do as well.

mod job;
mod link;
mod log;
mod strict;

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use connector_http::Lane;
use thiserror::Error;

pub use job::{Claim, ClaimRequest, Claims, JobKind, Snapshot, StoppedJob, Undo, Work};
pub use link::{Ack, DeliveryState, Link, LinkChange, Outcome, Standing};
pub use log::{LogEntry, LogOutcome, Signal, StatusEvent};
pub use strict::{Begun, Held, StrictStore, StrictTarget};

use crate::contact::Contact;
use crate::ids::{ContactId, JobId, LeaseToken, RemoteId, TargetName, TenantId};

/// A delivery to be queued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewJob {
    /// The target.
    pub target: TargetName,
    /// Whether somebody waits for it.
    pub lane: Lane,
}

impl NewJob {
    /// Makes a job.
    pub fn new(target: TargetName, lane: Lane) -> Self {
        Self { target, lane }
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
}

impl Accepted {
    /// Makes the answer.
    pub fn new(contact: ContactId, revision: u64) -> Self {
        Self { contact, revision }
    }
}

/// Takes signups in.
#[async_trait]
pub trait SignupStore: Send + Sync {
    /// Writes a contact and its jobs together.
    ///
    /// A contact whose key the tenant has already is merged into that one ([`Contact::merge`]), and its revision
    /// grows. A live delivery of the same contact to the same target is not queued twice: it will carry the newer
    /// revision, in the more urgent of both lanes. A dead one does not count as live.
    ///
    /// # Errors
    ///
    /// Only when the store cannot write; then nothing was written.
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError>;

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

    /// Runs a stopped job again, as if it were new.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchJob`] when there is no stopped job of that id.
    async fn replay(&self, job: JobId) -> Result<(), StoreError>;

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
    /// [`StoreError::LeaseLost`] when the job is no longer the caller's; then nothing was written.
    async fn commit_outcome(&self, outcome: Outcome) -> Result<(), StoreError>;

    /// Tells whether any contact of the tenant has a link to this record.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn is_linked(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
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
}

impl StoreError {
    /// Wraps a database's error. It must show no personal datum.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}
