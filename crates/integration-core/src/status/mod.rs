//! Where an integration stands, and what moves it.
//!
//! [`State`] is plain data and moves through one pure function, [`transition`]. It holds no credential and no tenant:
//! a store writes it beside the integration, with its `version` compared and set, and appends the [`HistoryEntry`].
//! What else a change asks for (jobs to park, credentials to delete) is returned as [`Effect`]s.
//!
//! | From \ Event | credentials saved | test passed, call ok | test failed | auth refused | transient failure | disabled | enable requested | uninstalled, revoked |
//! |---|---|---|---|---|---|---|---|---|
//! | pending | pending | **active** | **error** | **error**, `needs_reauth` | pending | **disconnected** | pending, `enable_pending` | **disconnected** |
//! | active | **pending**, test due; the old set serves until the newest passes | active, failures reset | **error** | **error**, `needs_reauth` | active until the threshold, then **error** | **disconnected** | no-op | **disconnected** |
//! | error | **pending**, test due | **active** (after a refusal: only with newer credentials) | error | error | error, back off | **disconnected** | error, `enable_pending` | **disconnected** |
//! | disconnected | disconnected, stored | **active** if `enable_pending`, else ignored | **error** if `enable_pending`, else ignored | ignored | ignored | no-op | disconnected, `enable_pending` | no-op |
//!
//! What the table leaves open:
//!
//! - [`State::is_active`] is what a person wants, so a request to enable sets it at once and a failed test leaves it
//!   set: an integration that was switched on and is broken counts as on, its jobs park, and it runs by itself once
//!   it is mended. "No-op" in the row of active is about the state: one that works and was off is switched on.
//! - "No-op" for disabling what is disconnected withdraws a request to enable that waits for its test.
//! - [`State::enable_pending`] ends with the test it waits for, however that goes; one that is ignored, because the same
//!   credentials were refused before, leaves it to the test of newer ones.
//! - A test that fails because the vendor refused the credentials is both columns at once.
//! - Authentication refused in error sets `needs_reauth` too: asking the vendor again cannot help there either.
//! - Stored credentials that cannot be opened move it as a test that failed does, with a reason of their own and never
//!   with `needs_reauth`: nothing is known against them, and once their key is back a test that passes makes it active.
//! - A vendor's 429 is a transient failure that pauses calls and is never counted.
//! - A result that was obtained with older credentials is ignored, whatever the state.
//! - [`IllegalTransition`]s are those that can only come of a mistake: a result of credentials that the state has never
//!   seen or that do not exist, credentials that are not newer than those there are, enabling without any.
//!
//! ```
//! use chrono::DateTime;
//! use integration_core::status::{CredentialsVersion, Effect, Event, State, Status, transition};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = DateTime::from_timestamp(1_780_000_000, 0).ok_or("out of range")?;
//! let version = CredentialsVersion::default().next();
//!
//! let saved = transition(&State::new(), Event::CredentialsSaved { version, by: None }, now)?;
//! let asked = transition(&saved.state, Event::EnableRequested { by: None }, now)?;
//! assert_eq!(asked.effects, [Effect::TestDue]);
//!
//! let message = "Connected.".to_owned();
//! let passed = transition(&asked.state, Event::TestPassed { used: version, message }, now)?;
//! assert_eq!(passed.state.status, Status::Active);
//! assert!(passed.state.runs_jobs() && passed.has(Effect::ResumeJobs));
//! # Ok(()) }
//! ```

mod change;
mod event;
mod machine;
mod schedule;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::change::{Change, Effect, Ignored, Illegal, IllegalTransition};
pub use self::event::Event;
pub use self::machine::{Policy, Threshold, transition};
pub use self::schedule::{DueCheck, Health, due_check, next_check};
#[cfg(feature = "integrations")]
pub(crate) use self::schedule::{lets_one_try, pause_after_failure};
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

/// Which credentials a result was obtained with: each set saved has a higher number than the one before. The first set
/// is 1; 0 means that there never were any.
#[derive(
    Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CredentialsVersion(pub u64);

impl CredentialsVersion {
    /// Returns the number of the set that is saved after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Why an integration is in error or disconnected, for programs. The words for people are the error message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReasonCode {
    /// The connection test failed.
    TestFailed,
    /// The vendor refused the credentials.
    AuthRefused,
    /// The stored credentials cannot be opened: a master key is missing, or is another. It mends itself once the key is
    /// back; nobody has to connect the account again.
    CredentialsUnreadable,
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of its own that people ask for by name"
)]
#[non_exhaustive]
pub struct State {
    /// The state.
    pub status: Status,
    /// Whether a person wants it on. Jobs run only while it is on **and** [`Status::Active`]:
    /// [`runs_jobs`](Self::runs_jobs).
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
    /// No call is to be made before this time. Ask [`paused_at`](Self::paused_at), which also bears a clock that was
    /// set back.
    pub paused_until: Option<DateTime<Utc>>,
    /// How many tests and calls failed since it went into error, or while it was pending: the next check comes the
    /// later, the more there were.
    #[serde(default)]
    pub failed_checks: u32,
    /// When somebody was last told that the account has to be connected again.
    #[serde(default)]
    pub reauth_notified_at: Option<DateTime<Utc>>,
    /// Whether there are credentials: not before the first are saved, and not after the vendor took access away.
    #[serde(default)]
    pub has_credentials: bool,
    /// The newest credentials. A result that was obtained with older ones changes nothing.
    pub credentials: CredentialsVersion,
    /// The credentials that were refused, while [`needs_reauth`](Self::needs_reauth) is set: only newer ones clear it.
    pub refused: Option<CredentialsVersion>,
    /// Counts the changes. A store writes a state only over the version that it was computed from.
    pub version: u64,
}

impl State {
    /// Starts: pending, off, without credentials.
    pub fn new() -> Self {
        Self {
            status: Status::Pending,
            is_active: false,
            enable_pending: false,
            needs_reauth: false,
            reason: None,
            error_message: None,
            consecutive_failures: 0,
            failing_since: None,
            last_sync_at: None,
            last_test: None,
            paused_until: None,
            failed_checks: 0,
            reauth_notified_at: None,
            has_credentials: false,
            credentials: CredentialsVersion::default(),
            refused: None,
            version: 0,
        }
    }

    /// Returns whether jobs run. Otherwise they are parked; they do not fail.
    pub fn runs_jobs(&self) -> bool {
        self.is_active && self.status == Status::Active
    }

    /// Returns until when no call is to be made, if that is later than `now`.
    pub fn paused_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = machine::at_most_the_longest_pause(self.paused_until?, now);
        (until > now).then_some(until)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl Status {
    /// Returns its name, as it is stored and shown: `pending`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Error => "error",
            Self::Disconnected => "disconnected",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
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
