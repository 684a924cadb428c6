use std::path::PathBuf;

use thiserror::Error;

use crate::failure::Source;

/// Why a store could not be opened, and how to mend it. It never shows the address of a database, which holds a
/// password.
///
/// ```
/// use integration_store::OpenError;
///
/// let error = OpenError::Newer { found: 4, known: 1 };
/// assert_eq!(
///     error.to_string(),
///     "the database is at migration 4 and this program knows none after 1: start a newer version of the program",
/// );
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory that the file would lie in does not exist.
    #[error("there is no directory for the database file {}: create it", path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
    },
    /// The file, its directory or the disk cannot be written.
    #[error(
        "the database cannot be written: free some space, or allow writing to the file and its directory"
    )]
    ReadOnly(#[source] Source),
    /// Another program holds the database for longer than we wait.
    #[error("the database is locked by another program: wait until that is done, or stop it")]
    Locked(#[source] Source),
    /// The file is no database, or it is damaged.
    #[error(
        "the file is no SQLite database, or it is damaged: choose another one, or restore a backup"
    )]
    Damaged(#[source] Source),
    /// A newer version of the program has changed the database.
    #[error(
        "the database is at migration {found} and this program knows none after {known}: start a newer version of the program"
    )]
    Newer {
        /// The last migration of the database.
        found: i64,
        /// The last one that this program knows.
        known: i64,
    },
    /// The database took a step of the same number and another text.
    #[error(
        "migration {version} ({name}) of the database is not the one of this program: start the version that made the database"
    )]
    Changed {
        /// Which migration.
        version: i64,
        /// Its name in the database.
        name: String,
    },
    /// The address of the database cannot be understood.
    #[error(
        "the address of the database cannot be read: write it as postgres://user:password@host:5432/database"
    )]
    InvalidUrl,
    /// The name cannot be that of a schema.
    #[error(
        "`{name}` cannot name a schema: use a to z, 0 to 9 and _, not a digit first, at most 63 of them"
    )]
    InvalidSchema {
        /// The name.
        name: String,
    },
    /// The database does not let us in, or not do what we have to.
    #[error(
        "the database refuses access: check the user, its password and its rights to create a schema"
    )]
    Denied(#[source] Source),
    /// The database does not answer.
    #[error(
        "the database cannot be reached: check that it is running and that its address is right"
    )]
    Unreachable(#[source] Source),
    /// Something else; the source says what.
    #[error("the database could not be set up")]
    Failed(#[source] Source),
}
