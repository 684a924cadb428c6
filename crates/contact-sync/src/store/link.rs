//! Links between contacts and vendors' records, and what an attempt changes about them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::log::{LogEntry, StatusEvent};
use crate::failure::FailureNote;
use crate::ids::{JobId, LeaseToken, RemoteId, TargetName};

/// A contact's record at a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The vendor.
    pub target: TargetName,
    /// What the vendor calls the contact.
    pub remote: RemoteId,
}

impl Link {
    /// Makes a link.
    pub fn new(target: TargetName, remote: RemoteId) -> Self {
        Self { target, remote }
    }
}

/// Where a contact stands with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryState {
    /// The target.
    pub target: TargetName,
    /// The record, if there is a link.
    pub remote: Option<RemoteId>,
    /// The latest revision that the target has; 0 for none.
    pub delivered: u64,
    /// What the job does at the moment.
    pub standing: Standing,
}

impl DeliveryState {
    /// Describes where a contact stands.
    pub fn new(
        target: TargetName,
        remote: Option<RemoteId>,
        delivered: u64,
        standing: Standing,
    ) -> Self {
        Self {
            target,
            remote,
            delivered,
            standing,
        }
    }
}

/// What the delivery of a contact does at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing is to be done.
    Idle,
    /// It waits or runs, and has not failed yet.
    Queued,
    /// It has failed and will be tried again.
    Retrying(FailureNote),
    /// It waits for a person's choice.
    Review(FailureNote),
    /// It is a dead letter.
    Dead(FailureNote),
}

/// Everything that follows from one attempt, to be written together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The job.
    pub job: JobId,
    /// The proof of holding it.
    pub token: LeaseToken,
    /// What becomes of the link.
    pub link: LinkChange,
    /// What is written down about the attempt.
    pub log: LogEntry,
    /// What the attempt says about the integration, if anything.
    pub status: Option<StatusEvent>,
    /// What becomes of the job.
    pub ack: Ack,
    /// Which revision of the contact a delivery carried. One that stops is not stopped where a newer one has come in
    /// meanwhile: that one may be what the vendor takes.
    pub revision: Option<u64>,
}

impl Outcome {
    /// Makes an outcome; the public fields hold the rest.
    pub fn new(
        (job, token): (JobId, LeaseToken),
        link: LinkChange,
        log: LogEntry,
        status: Option<StatusEvent>,
        ack: Ack,
    ) -> Self {
        Self {
            job,
            token,
            link,
            log,
            status,
            ack,
            revision: None,
        }
    }

    /// Returns what becomes of the job, where the contact has this revision by now.
    pub fn ack_at(&self, current: u64) -> Ack {
        match self.ack {
            Ack::Review | Ack::Dead if self.revision.is_some_and(|sent| sent < current) => {
                Ack::Snooze {
                    after: Duration::ZERO,
                }
            }
            ref ack => ack.clone(),
        }
    }
}

/// What becomes of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkChange {
    /// It stays as it is.
    Keep,
    /// An intent stays an intent, and a request may still be on its way: for this long, nobody looks for the person
    /// there or creates them.
    Unclear {
        /// The target's settle time, or zero where the vendor has certainly ended its work.
        settle: Duration,
    },
    /// An intent is withdrawn: nothing was created.
    Withdraw,
    /// The contact has this record.
    Set {
        /// The record.
        remote: RemoteId,
        /// Whether this attempt, or an earlier one that never heard so, has created it. A record that is ours by this
        /// link already, or by that of another contact, stays ours.
        created: bool,
    },
    /// The contact's own link goes, and it is not known under any identifier any more; the links of others to the
    /// same record stay, and they are known in its place.
    Unlink,
    /// The record does not exist any more: every link to it goes.
    Gone(RemoteId),
}

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ack {
    /// Done, with this revision of the contact. If a newer one has come in meanwhile, the job is ready again.
    Done {
        /// The revision that the target has now; 0 for an undo.
        revision: u64,
    },
    /// To be run again after a wait.
    Retry {
        /// The wait.
        after: Duration,
    },
    /// To be run again after a wait, and this attempt does not count.
    Snooze {
        /// The wait.
        after: Duration,
    },
    /// As a snooze, and the wait does not add to the job's age; [`JobStore::resume`](super::JobStore::resume) ends it.
    Park {
        /// The wait.
        after: Duration,
    },
    /// Waits for a person's choice, unless the contact has changed meanwhile ([`Outcome::ack_at`]).
    Review,
    /// Given up, and kept for replay, unless the contact has changed meanwhile.
    Dead,
}
