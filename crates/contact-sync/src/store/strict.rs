//! The port of the strict road: undo jobs that are written before the vendor is called.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use super::job::{Claim, Undo};
use super::link::Link;
use crate::contact::{Contact, ExternalKey};
use crate::ids::{ContactId, LeaseToken, OperationId, RemoteId, TargetName, TenantId};
use crate::target::Known;

/// Keeps the promise of the strict road: whatever was created for a contact that never came to be is deleted again.
///
/// An operation holds its person at its targets like a running job does, under one lease. While it lives, its undo
/// jobs belong to it; when its lease runs out (the caller crashed, or its future was dropped), they are jobs like any
/// other, and a worker runs them.
///
/// A write that fails as [`StoreError::Unavailable`] is offered again, so a store whose commit may have gone through
/// unseen takes [`note_created`](Self::note_created), [`note_unclear`](Self::note_unclear),
/// [`withdraw_create`](Self::withdraw_create) and [`confirm`](Self::confirm) twice as once.
///
/// A store with transactions offers, beside this trait, a confirmation inside the host's own transaction; then
/// [`abandon`](Self::abandon) finds what that transaction left: no undo job if it was committed, all if it was not.
#[async_trait]
pub trait StrictStore: Send + Sync {
    /// Begins an operation for a person at some targets.
    ///
    /// An undo job of the same contact and target that is waiting is taken over by the operation, so that it cannot
    /// delete what the operation finds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when a job or another operation is at work on the person.
    async fn begin(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
        lease: Duration,
    ) -> Result<Begun, StoreError>;

    /// Extends the operation's lease to `lease` from now.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when it ran out before.
    async fn renew_operation(&self, held: Held, lease: Duration) -> Result<(), StoreError>;

    /// Writes the undo job of a create that is about to be called.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the operation is no longer the caller's.
    async fn expect_create(
        &self,
        held: Held,
        target: &TargetName,
        undo: Undo,
    ) -> Result<(), StoreError>;

    /// Writes down what the vendor calls the record that was created: the undo deletes this one.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the operation is no longer the caller's.
    async fn note_created(
        &self,
        held: Held,
        target: &TargetName,
        remote: &RemoteId,
    ) -> Result<(), StoreError>;

    /// Writes down that the create may have happened: the undo looks for it, no sooner than after `settle`.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the operation is no longer the caller's.
    async fn note_unclear(
        &self,
        held: Held,
        target: &TargetName,
        settle: Duration,
    ) -> Result<(), StoreError>;

    /// Removes the undo job of a create that certainly did not happen.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the operation is no longer the caller's.
    async fn withdraw_create(&self, held: Held, target: &TargetName) -> Result<(), StoreError>;

    /// Writes the contact and its links, queues a delivery for records that were `found` and may say something else,
    /// and removes the undo jobs of these records, together. Confirming twice is the same as once.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the operation is no longer the caller's: its undo jobs may have run.
    async fn confirm(&self, held: Held, created: &[Link], found: &[Link])
    -> Result<(), StoreError>;

    /// Ends an operation once the host's insert has gone well, if it is confirmed. Undo jobs that the confirmation has
    /// not removed run then. Returns `false`, and changes nothing, where there is no confirmation, or none that was
    /// committed.
    ///
    /// Of an operation that is over, by an earlier call or by the end of its lease, the answer is `true` as well if it was
    /// confirmed: that is remembered for a day at least, and as long as attempts are.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the end of its lease has ended it, and it was not confirmed. When the store cannot write, or cannot
    /// tell yet because the transaction with the confirmation is open still.
    async fn finish(&self, held: Held) -> Result<bool, StoreError>;

    /// Ends the operation after a failure and hands out, under leases, the undo jobs that are due at once. A
    /// confirmation that was made in no transaction of the host is taken back; one that the host has committed counts.
    ///
    /// # Errors
    ///
    /// When the store cannot write, or [`StoreError::LeaseLost`] when a worker sees to it already.
    async fn abandon(&self, held: Held, lease: Duration) -> Result<Vec<Claim>, StoreError>;
}

/// An operation and the proof of holding it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The operation.
    pub operation: OperationId,
    /// The proof.
    pub token: LeaseToken,
}

impl Held {
    /// Makes a proof.
    pub fn new(operation: OperationId, token: LeaseToken) -> Self {
        Self { operation, token }
    }
}

/// An operation that has begun.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Begun {
    /// The proof of holding it.
    pub held: Held,
    /// The contact, old or to be.
    pub contact: ContactId,
    /// The key to create it under.
    pub key: ExternalKey,
    /// What is known about it at each target.
    pub targets: Vec<StrictTarget>,
}

impl Begun {
    /// Describes an operation.
    pub fn new(
        held: Held,
        contact: ContactId,
        key: ExternalKey,
        targets: Vec<StrictTarget>,
    ) -> Self {
        Self {
            held,
            contact,
            key,
            targets,
        }
    }
}

/// What is known about a person at one target when an operation begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StrictTarget {
    /// The target.
    pub target: TargetName,
    /// The vendor's record, where there is a link.
    pub known: Known,
    /// Keys of other contacts that are the same person and whose creation was never confirmed.
    pub aliases: Vec<ExternalKey>,
    /// When the create of an earlier operation was about to be called, whose undo this one has taken over: a record
    /// that is found now and is no older is that one's.
    pub unfinished: Option<DateTime<Utc>>,
}

impl StrictTarget {
    /// Describes a target where nobody is known.
    pub fn new(target: TargetName) -> Self {
        Self {
            target,
            known: Known::Nobody,
            aliases: Vec::new(),
            unfinished: None,
        }
    }
}
