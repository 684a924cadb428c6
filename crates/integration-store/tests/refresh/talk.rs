//! What a test and its workers say to each other: one line of JSON each, over the worker's standard streams.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The variable that makes a process of this binary a worker. It holds its [`Settings`].
pub(crate) const WORKER: &str = "REFRESH_WORKER";

/// What a line begins with that is not the test harness's own.
pub(crate) const MARK: &str = "@@";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) database: Database,
    pub(crate) integration: String,
    pub(crate) idp: SocketAddr,
    pub(crate) timings: Timings,
    /// How many seconds the worker's wall clock is ahead.
    pub(crate) clock_ahead: i64,
    /// The steps at which it waits, the first time it gets there.
    pub(crate) pauses: Vec<Step>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(std::path::PathBuf),
    #[cfg(feature = "postgres")]
    Postgres { url: String, schema: String },
}

/// How long everything takes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Timings {
    pub(crate) lease: Duration,
    /// Of one call to the identity provider.
    pub(crate) call: Duration,
    /// Whether a holder renews its lease while its call runs.
    pub(crate) renews: bool,
    pub(crate) first_wait: Duration,
    pub(crate) longest_wait: Duration,
    /// How long a loser waits.
    pub(crate) patience: Duration,
    /// Between the two looks at the store after `invalid_grant`.
    pub(crate) confirm: Duration,
}

impl Timings {
    /// Real leases, with short waits: for tests in which every turn is taken on command.
    pub(crate) fn on_command() -> Self {
        Self {
            lease: Duration::from_mins(1),
            call: Duration::from_secs(15),
            renews: false,
            first_wait: Duration::from_millis(5),
            longest_wait: Duration::from_millis(50),
            patience: Duration::from_secs(20),
            confirm: Duration::from_millis(100),
        }
    }
}

/// Where in a refresh a worker can wait to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// It has seen that it has to refresh.
    BeforeLease,
    /// It has the lease, has read the tokens again, and is about to call.
    Leased,
    /// It has the answer, and nobody else has.
    Answered,
    /// It has saved, and has told nobody.
    Saved,
    /// It was told `invalid_grant`, and has read the same token again once.
    Doubting,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Gives a valid access token, another than this one.
    Token { stale: Option<String> },
    /// Makes saves fail from now on, or no longer.
    FailSaves(bool),
    /// Goes on from the step it waits at, or after a [`Event::Round`] that found no tokens.
    Go,
    /// Lets so many tasks ask for a token, so many times, none taking the one of the time before.
    Rounds { tasks: usize, rounds: u32 },
    /// Ends, as on a shutdown.
    Drain,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// It is there, and takes leases by this name.
    Ready {
        owner: String,
    },
    At(Step),
    Outcome(Outcome),
    /// A save failed and will be tried again.
    SaveFailed,
    /// It was asked to end and will, once nothing is left to save.
    Draining,
    /// What the tasks of one round got: each outcome once.
    Round(Vec<Outcome>),
    /// All rounds are over.
    Done,
}

/// What came of asking for a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Token(String),
    /// A person has to connect the account again.
    NeedsReauth,
    /// It did not work this time.
    NotNow,
}
