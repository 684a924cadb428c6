//! The ports to a store, each call one unit of work.
//!
//! A call of these traits is one transaction: whoever implements them on a database writes everything a call names,
//! or nothing. A store answers for the scope it is given: a row outside it does not exist.

#[cfg(feature = "integrations")]
mod integrations;
mod leases;
mod logs;
#[cfg(feature = "integrations")]
mod memory;
mod sealed;
mod tokens;

use std::error::Error as StdError;

use thiserror::Error;

#[cfg(feature = "integrations")]
pub use self::integrations::{
    DueRows, IntegrationFilter, IntegrationStore, TemplateStore, UnreadableRow,
};
pub use self::leases::LeaseStore;
pub use self::logs::{IntegrationLog, LogFilter, LogResult, LogStatus, LogStore};
#[cfg(feature = "integrations")]
pub use self::memory::MemoryStore;
pub use self::sealed::{SealedCursor, SealedStore, SealedValue};
pub use self::tokens::{SaveOutcome, SealedTokens, StoredTokens, TokenRowId, TokenRows};

/// What a store could not do. Nothing was written, unless [`Unavailable`](Self::Unavailable) says otherwise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such row within the scope.
    #[error("there is no such row")]
    NotFound,
    /// Somebody else changed the row since it was read. Read it again and decide anew.
    #[error("the row was changed by somebody else")]
    VersionConflict,
    /// There is a row of that name or id already.
    #[error("there is a row of that name already")]
    AlreadyExists,
    /// Other rows depend on it.
    #[error("{count} rows depend on it")]
    InUse {
        /// How many.
        count: u64,
    },
    /// The database is locked by somebody else for longer than we wait.
    #[error("the database is locked by somebody else")]
    Locked(#[source] Source),
    /// The disk is full, or the file or the disk cannot be written.
    #[error("the database cannot be written: it is full or read-only")]
    ReadOnly(#[source] Source),
    /// The database does not take a value: a NUL in a text, a row that breaks a rule of its table. Trying again does
    /// not help.
    #[error("the database does not take the row")]
    Refused(#[source] Source),
    /// The database cannot be reached or answered with an error. Trying later may work. Where it was lost while a change
    /// ended, nobody knows whether that was written: read before trying again.
    #[error("the database cannot be reached, or answers with an error")]
    Unavailable(#[source] Source),
    /// A row holds what this version cannot read.
    #[error("the row cannot be read")]
    Corrupt(#[source] Source),
}

/// What lies beneath. A store takes care that its text holds no value of any row but its id.
pub type Source = Box<dyn StdError + Send + Sync>;

/// A store that has every port: what the façade is built on.
#[cfg(feature = "integrations")]
pub trait Store:
    TemplateStore + IntegrationStore + LogStore + LeaseStore + SealedStore + TokenRows + 'static
{
}

#[cfg(feature = "integrations")]
impl<S> Store for S where
    S: TemplateStore + IntegrationStore + LogStore + LeaseStore + SealedStore + TokenRows + 'static
{
}
