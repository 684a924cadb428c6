//! What a worker tells about its progress.

use std::time::Duration;

use serde::Serialize;

use crate::failure::FailureNote;
use crate::ids::{ContactId, JobId, RemoteId, TargetName, TenantId};
use crate::store::JobKind;
use crate::target::{Action, Unmapped};

/// The end of one attempt. Holds ids and classes, nothing of the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
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
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What ties the job to the request that it came from, in the host's own traces.
    pub trace_id: Option<String>,
    /// How it ended.
    pub progress: Progress,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// The vendor has the contact.
    Delivered {
        /// Under this id.
        remote: RemoteId,
        /// What was done for it.
        action: Action,
        /// What did not fit.
        unmapped: Vec<Unmapped>,
    },
    /// The linked record was deleted at the vendor; the contact is looked for anew.
    Relinking,
    /// An erased contact's record is gone.
    Removed,
    /// An erased contact's record stays: it is not ours, or not ours alone.
    Kept,
    /// A strict create was taken back, or there was nothing to take back.
    Undone,
    /// It failed and will be tried again.
    Retrying {
        /// Why.
        failure: FailureNote,
        /// After this wait.
        after: Duration,
    },
    /// It waits for a person's choice.
    Review {
        /// Why.
        failure: FailureNote,
    },
    /// It was given up, and is kept for replay.
    Dead {
        /// Why.
        failure: FailureNote,
    },
    /// The worker stopped before the end; another one takes over.
    Released,
}
