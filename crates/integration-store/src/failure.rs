//! What a database says, by class, and without any value of a row.

use std::error::Error as StdError;
#[cfg(any(feature = "sqlite", test))]
use std::path::PathBuf;

#[cfg(feature = "core")]
use integration_core::store::StoreError;
use thiserror::Error;

use crate::OpenError;

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// What a failure means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Locked,
    ReadOnly,
    Damaged,
    Denied,
    /// The state of the database does not allow it.
    Refused,
    /// The value cannot be written, whatever the state.
    Unfit,
    Unavailable,
}

/// A failure with a text that holds no value of any row.
#[derive(Clone, Debug, Error)]
#[error("{text}")]
pub(crate) struct Failure {
    pub(crate) class: Class,
    text: String,
    /// Others were in the way, and the database has ended the transaction for it: it may go well the next time.
    pub(crate) is_collision: bool,
}

impl Failure {
    pub(crate) fn new(class: Class, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
            is_collision: false,
        }
    }

    /// A column that holds what this version cannot read.
    pub(crate) fn unreadable(column: &str) -> Self {
        Self::new(Class::Damaged, format!("column {column} cannot be read"))
    }

    /// Sorts a failure of the driver. `database` sorts what the database itself says; whether a pool that stays empty
    /// means that somebody holds a lock is its caller's to say.
    pub(crate) fn of(
        error: &sqlx::Error,
        pool_empty: Class,
        database: impl FnOnce(&dyn sqlx::error::DatabaseError) -> Self,
    ) -> Self {
        match error {
            sqlx::Error::Database(error) => database(&**error),
            sqlx::Error::ColumnDecode { index, .. } => Self::unreadable(index),
            sqlx::Error::ColumnNotFound(name) => {
                Self::new(Class::Damaged, format!("there is no column {name}"))
            }
            sqlx::Error::Encode(_) => {
                Self::new(Class::Unfit, "a value cannot be put into a column")
            }
            sqlx::Error::PoolTimedOut => Self::new(pool_empty, "no connection became free in time"),
            sqlx::Error::Io(error) => Self::new(Class::Unavailable, error.to_string()),
            sqlx::Error::Tls(_) => Self::new(Class::Unavailable, "TLS could not be set up"),
            sqlx::Error::PoolClosed => Self::new(Class::Unavailable, "the store is closed"),
            sqlx::Error::WorkerCrashed => {
                Self::new(Class::Unavailable, "the thread of the connection has ended")
            }
            // The texts of the others may quote what was read.
            _ => Self::new(Class::Unavailable, "the driver failed"),
        }
    }

    /// What SQLite said while a store was opened. There is no server that could be asked for, and no account.
    #[cfg(any(feature = "sqlite", test))]
    pub(crate) fn of_sqlite(self, file: Option<PathBuf>) -> OpenError {
        let class = self.class;
        let source = Box::new(self);
        match class {
            Class::Locked => OpenError::Locked { file, source },
            Class::ReadOnly => OpenError::ReadOnly { file, source },
            Class::Damaged => OpenError::Damaged { file, source },
            Class::Denied | Class::Unavailable | Class::Refused | Class::Unfit => {
                OpenError::Failed { file, source }
            }
        }
    }
}

#[cfg(feature = "core")]
impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let class = failure.class;
        let source = Box::new(failure);
        match class {
            Class::Locked => Self::Locked(source),
            Class::ReadOnly => Self::ReadOnly(source),
            Class::Damaged => Self::Corrupt(source),
            Class::Refused | Class::Unfit => Self::Refused(source),
            Class::Denied | Class::Unavailable => Self::Unavailable(source),
        }
    }
}

#[cfg(feature = "contacts")]
impl From<Failure> for contact_sync::StoreError {
    fn from(failure: Failure) -> Self {
        match failure.class {
            Class::Unfit => Self::refused(failure),
            _ => Self::unavailable(failure),
        }
    }
}

impl From<Failure> for OpenError {
    /// What a server said.
    fn from(failure: Failure) -> Self {
        let class = failure.class;
        let source = Box::new(failure);
        match class {
            Class::Locked => Self::Locked { file: None, source },
            Class::ReadOnly => Self::ReadOnly { file: None, source },
            Class::Damaged => Self::Damaged { file: None, source },
            Class::Denied => Self::Denied(source),
            Class::Unavailable => Self::Unreachable(source),
            Class::Refused | Class::Unfit => Self::Failed { file: None, source },
        }
    }
}

/// A column that holds what this version cannot read.
#[cfg(feature = "core")]
pub(crate) fn corrupt(column: &str) -> StoreError {
    Failure::unreadable(column).into()
}
