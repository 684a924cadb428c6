//! What is written down about an attempt: ids and classes, nothing of the contact.

use std::time::Duration;

use integration_core::IntegrationId;
use serde::{Deserialize, Serialize};

use super::job::JobKind;
use crate::failure::{ErrorClass, FailureNote, TargetError};
use crate::ids::{ContactId, JobId, TargetName, TenantId};
use crate::target::{Action, Unmapped};

/// One attempt of one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogEntry {
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
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What ties the job to the request that it came from, in the host's own traces.
    pub trace_id: Option<String>,
    /// How it ended.
    pub outcome: LogOutcome,
}

impl LogEntry {
    /// Writes down an attempt; the public fields hold its number and duration.
    pub fn new(
        job: JobId,
        kind: JobKind,
        (tenant, target, contact): (TenantId, TargetName, ContactId),
        outcome: LogOutcome,
    ) -> Self {
        Self {
            job,
            kind,
            tenant,
            target,
            contact,
            attempt: 1,
            duration_ms: 0,
            trace_id: None,
            outcome,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogOutcome {
    /// The vendor has the contact.
    Delivered {
        /// What was done for it.
        action: Action,
        /// What did not fit.
        unmapped: Vec<Unmapped>,
    },
    /// The linked record was deleted at the vendor; the contact is looked for anew.
    Relinking,
    /// A strict create was taken back, or there was nothing to take back.
    Undone,
    /// An erased contact's record was deleted, or there was none.
    Removed,
    /// An erased contact's record stays: it was there before us, or another contact has it too.
    Kept,
    /// It failed.
    Failed(FailureNote),
    /// The worker stopped before the end.
    Released,
}

/// What an attempt says about the integration, for whoever keeps its status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusEvent {
    /// On whose behalf.
    pub tenant: TenantId,
    /// Which integration.
    pub target: TargetName,
    /// What is said.
    pub signal: Signal,
    /// Which instance the client was of, where a provider has said so.
    pub integration: Option<IntegrationId>,
    /// Which version of its credentials the client was built with.
    pub credentials: Option<u64>,
    /// What went wrong, in a line that is safe to store.
    pub failure: Option<FailureNote>,
    /// How long the vendor wants no call, if it said so.
    pub retry_after: Option<Duration>,
}

impl StatusEvent {
    /// Makes an event.
    pub fn new(tenant: TenantId, target: TargetName, signal: Signal) -> Self {
        Self {
            tenant,
            target,
            signal,
            integration: None,
            credentials: None,
            failure: None,
            retry_after: None,
        }
    }
}

/// What an attempt says about an integration.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// The vendor was reached and answered as it should.
    CallOk,
    /// The credentials were refused.
    AuthRefused,
    /// The vendor or the way to it failed.
    TransientFailure,
}

impl Signal {
    /// Returns what a failed attempt says about the integration: nothing, if the vendor was not asked.
    pub(crate) fn said_by(error: &TargetError) -> Option<Self> {
        Self::of(error.class()).filter(|_| !error.is_unasked())
    }

    /// Returns what a failure says about the integration. A refused contact says that the integration works.
    pub fn of(class: ErrorClass) -> Option<Self> {
        match class {
            ErrorClass::Auth => Some(Self::AuthRefused),
            ErrorClass::Transient | ErrorClass::Ambiguous => Some(Self::TransientFailure),
            ErrorClass::InvalidData | ErrorClass::Conflict | ErrorClass::Unkept => {
                Some(Self::CallOk)
            }
            ErrorClass::RateLimited
            | ErrorClass::QuotaSpent
            | ErrorClass::Unavailable
            | ErrorClass::AwaitsImport => None,
        }
    }
}
