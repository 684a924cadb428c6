use std::fmt;

use thiserror::Error;

use super::{HistoryEntry, State, Status};

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a change is only a value until it is stored"]
pub struct Change {
    /// The state afterwards. Its version is one higher than before if anything changed, else the same.
    pub state: State,
    /// The line for the history: for what a person would want to read there, not for every counted failure.
    pub history: Option<HistoryEntry>,
    /// What else has to happen once the state is stored, in this order.
    pub effects: Vec<Effect>,
    /// Why nothing changed, if nothing did: worth a line in the log, and no error.
    pub ignored: Option<Ignored>,
}

impl Change {
    /// Returns whether this is asked for.
    pub fn has(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }
}

/// What a change asks for besides being stored. Each may be repeated without harm.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Keep the credentials that were in use until now, and go on using them until the newest have passed a test.
    ServeOld,
    /// Test the connection with the newest credentials.
    TestDue,
    /// The newest credentials work: use them, and drop an older set that was kept.
    PromoteCredentials,
    /// Park the jobs of this integration: they wait, they do not fail.
    ParkJobs,
    /// Let the parked jobs run again.
    ResumeJobs,
    /// Jobs run again, perhaps with another account: see to it that the webhooks are registered.
    EnsureWebhooks,
    /// Take the webhooks back at the vendor, as far as it still lets us. Do this before deleting the credentials.
    RemoveWebhooks,
    /// Delete every set of credentials, sealed as they are, and every token.
    DeleteCredentials,
}

/// Why an event changed nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ignored {
    /// The result was obtained with older credentials than the newest: it says nothing about these.
    OlderCredentials,
    /// It is disconnected, and nobody asked to enable it.
    Disconnected,
    /// These credentials were refused, and only newer ones can mend that.
    NeedsReauth,
    /// It says what is so already.
    NothingNew,
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OlderCredentials => "the result was obtained with older credentials",
            Self::Disconnected => "the integration is disconnected",
            Self::NeedsReauth => "the account has to be connected again",
            Self::NothingNew => "nothing new",
        })
    }
}

/// An event that cannot happen to an integration in this state: whoever reports it is mistaken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{event} cannot happen to an integration that is {status}: {why}")]
#[non_exhaustive]
pub struct IllegalTransition {
    /// The state it is in.
    pub status: Status,
    /// The name of the event.
    pub event: &'static str,
    /// What is wrong with it.
    pub why: Illegal,
}

impl IllegalTransition {
    pub(super) fn new(status: Status, event: &'static str, why: Illegal) -> Self {
        Self { status, event, why }
    }
}

/// What is wrong with an event.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Illegal {
    /// The result names credentials that this state has never seen. Read the state again.
    UnknownCredentials,
    /// The credentials to save are not newer than those there are. Read the state again.
    NotNewer,
    /// There are no credentials to enable it with, or to have obtained a result with.
    NoCredentials,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCredentials => "it names credentials that were never saved",
            Self::NotNewer => "its credentials are not newer than those there are",
            Self::NoCredentials => "there are no credentials",
        })
    }
}
