//! Where an integration stands, and what moves it.
//!
//! [`State`] is plain data and moves through one pure function. It holds no credential and no tenant: a store writes
//! it beside the integration, with its `version` compared and set, and appends the [`HistoryEntry`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::Actor;

/// The four states.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Its credentials have not been tested since they were saved.
    Pending,
    /// It works.
    Active,
    /// It does not work, and [`State::reason`] says why.
    Error,
    /// It is switched off, by a person or by the vendor.
    Disconnected,
}

/// Which credentials a result was obtained with: each set saved has a higher number than the one before.
#[derive(
    Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CredentialsVersion(pub u64);

/// Why an integration is in error or disconnected, for programs. The words for people are the error message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonCode {
    /// The connection test failed.
    TestFailed,
    /// The vendor refused the credentials.
    AuthRefused,
    /// Calls kept failing.
    CallsFailing,
    /// A person switched it off.
    DisabledByHand,
    /// The vendor says that its app was uninstalled.
    Uninstalled,
    /// The vendor says that access was revoked.
    Revoked,
    /// A reason that a newer version wrote.
    #[serde(untagged)]
    Unknown(String),
}

/// The last connection test. Its message comes from us, or is redacted: it holds neither secret nor personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastTest {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether the vendor accepted the credentials.
    pub ok: bool,
    /// What it said, in a sentence for a person.
    pub message: String,
}

impl LastTest {
    /// Makes a record of a test.
    pub fn new(at: DateTime<Utc>, ok: bool, message: impl Into<String>) -> Self {
        Self {
            at,
            ok,
            message: message.into(),
        }
    }
}

/// Where an integration stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// The state.
    pub status: Status,
    /// Whether a person wants it on. Jobs run only while it is on **and** [`Status::Active`].
    pub is_active: bool,
    /// A person asked to enable it, and the test that decides is still to come.
    pub enable_pending: bool,
    /// Only a person can mend it, by connecting the account again.
    pub needs_reauth: bool,
    /// Why it is in error or disconnected, for programs.
    pub reason: Option<ReasonCode>,
    /// Why it is in error, in a sentence for a person.
    pub error_message: Option<String>,
    /// How many calls failed in a row for transient reasons.
    pub consecutive_failures: u32,
    /// When the first of them failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it last became active, or a call last succeeded.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// The last connection test.
    pub last_test: Option<LastTest>,
    /// No call is to be made before this time.
    pub paused_until: Option<DateTime<Utc>>,
    /// The newest credentials. A result that was obtained with older ones changes nothing.
    pub credentials: CredentialsVersion,
    /// The credentials that were refused, while [`needs_reauth`](Self::needs_reauth) is set: only newer ones clear it.
    pub refused: Option<CredentialsVersion>,
    /// Counts the changes. A store writes a state only over the version that it was computed from.
    pub version: u64,
}

/// One line of the append-only history of an integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// From which state; none for the first entry.
    pub from: Option<Status>,
    /// To which state.
    pub to: Status,
    /// What happened: the name of the event.
    pub event: String,
    /// Why, for programs.
    pub reason: Option<ReasonCode>,
    /// Why, in a sentence for a person.
    pub message: Option<String>,
    /// Who did it, if it was a person.
    pub actor: Option<Actor>,
    /// [`State::version`] after the change.
    pub version: u64,
}
