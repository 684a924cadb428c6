//! How a strict create fails.

use std::error::Error as StdError;
use std::fmt;

use crate::failure::TargetError;
use crate::ids::TargetName;
use crate::store::StoreError;

/// A strict create that did not happen. `E` is the error of the host's own insert.
///
/// Whatever the variant says: what this call had created at the vendors is deleted again, or an undo job that will
/// delete it is in the store. After all but [`Unconfirmed`](Self::Unconfirmed) the host has nothing either.
///
/// With one exception: an insert that fails after it has committed a transaction with the confirmation in it. The
/// commit counts, and both sides have the contact.
#[derive(Debug)]
#[non_exhaustive]
pub enum StrictError<E> {
    /// A vendor refused or could not be asked. The insert did not run.
    Vendor {
        /// Which.
        target: TargetName,
        /// Why.
        error: TargetError,
    },
    /// The host's own insert failed.
    Insert(E),
    /// The insert returned `Ok`, but the transaction that it confirmed in was rolled back: the host has nothing.
    RolledBack,
    /// The target cannot delete, so that nothing could be taken back. No call was made.
    CannotUndo {
        /// Which.
        target: TargetName,
    },
    /// The directory names a target that the hook does not have. No call was made.
    NoSuchTarget {
        /// Which.
        target: TargetName,
    },
    /// The same person is being worked on, and it took too long. No call was made.
    Busy,
    /// Our own store failed. The insert did not run.
    Store(StoreError),
    /// The insert returned `Ok` without confirming, and our own store could not write the confirmation afterwards: the
    /// host's row is there, and what was created at the vendors will be deleted. The host has to take its row back.
    ///
    /// An insert that confirms with its [`Ticket`](crate::Ticket), and fails if it cannot, never comes to this.
    Unconfirmed(StoreError),
}

impl<E> StrictError<E> {
    /// Returns the error of the host's own insert.
    pub fn into_insert(self) -> Option<E> {
        match self {
            Self::Insert(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> fmt::Display for StrictError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor { target, .. } => write!(f, "{target} did not take the contact"),
            Self::Insert(_) => f.write_str("the host's own insert failed"),
            Self::RolledBack => {
                f.write_str("the transaction that the insert confirmed in was rolled back")
            }
            Self::CannotUndo { target } => {
                write!(
                    f,
                    "{target} cannot delete records, so a strict create could not be taken back"
                )
            }
            Self::NoSuchTarget { target } => write!(
                f,
                "{target} is switched on, but the hook has no such target"
            ),
            Self::Busy => f.write_str("the same person is being worked on"),
            Self::Store(_) => f.write_str("the local store failed"),
            Self::Unconfirmed(_) => f.write_str("the host's insert could not be confirmed"),
        }
    }
}

impl<E: StdError + 'static> StdError for StrictError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Vendor { error, .. } => Some(error),
            Self::Insert(error) => Some(error),
            Self::Store(error) | Self::Unconfirmed(error) => Some(error),
            Self::RolledBack | Self::CannotUndo { .. } | Self::NoSuchTarget { .. } | Self::Busy => {
                None
            }
        }
    }
}

impl<E> From<StoreError> for StrictError<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            error => Self::Store(error),
        }
    }
}
