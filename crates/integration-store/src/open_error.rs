use std::path::{Path, PathBuf};

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
    /// What should be the file is a directory.
    #[error("{} is a directory: name a file in it", path.display())]
    IsDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// What should be the path of a file is an address, as other libraries take them.
    #[error(
        "this is the address of a database, and not the path of a file: {}",
        match path {
            Some(path) => format!("write {}", path.display()),
            None => "name a file, or open a store in memory".to_owned(),
        }
    )]
    NotAPath {
        /// The file that it names, if it names one.
        path: Option<PathBuf>,
    },
    /// The file, its directory or the disk cannot be written; of a server, that it only reads or has no room.
    #[error("the database{} cannot be written: {}", named(file.as_deref()), match file {
        Some(_) => "free some space, or allow writing to the file, its directory and the -wal and -shm beside it",
        None => "free some space, or choose a server that takes writes",
    })]
    ReadOnly {
        /// The file, where the database is one.
        file: Option<PathBuf>,
        /// What the database said.
        source: Source,
    },
    /// Another program holds the database for longer than we wait.
    #[error(
        "the database{} is locked by another program: wait until that is done, or stop it",
        named(file.as_deref())
    )]
    Locked {
        /// The file, where the database is one.
        file: Option<PathBuf>,
        /// What the database said.
        source: Source,
    },
    /// The file is no database, or the database is damaged.
    #[error("{}", match file {
        Some(path) => format!(
            "the file {} is no SQLite database, or it is damaged: choose another one, or restore a backup",
            path.display(),
        ),
        None => "the database is damaged: restore a backup".to_owned(),
    })]
    Damaged {
        /// The file, where the database is one.
        file: Option<PathBuf>,
        /// What the database said.
        source: Source,
    },
    /// The file has a table of somebody else under a name of ours.
    #[error(
        "the file {} has a table `{table}` already, which is not of this program: choose another file",
        path.display()
    )]
    TakenInFile {
        /// The file.
        path: PathBuf,
        /// The table.
        table: String,
    },
    /// The schema has a table of somebody else under a name of ours.
    #[error(
        "the schema `{schema}` has a table `{table}` already, which is not of this program: choose another schema"
    )]
    TakenInSchema {
        /// The schema.
        schema: String,
        /// The table.
        table: String,
    },
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
    /// The database does not let us in, is not there, or does not let us do what we have to.
    #[error(
        "the database refuses access or does not exist: check its name, the user, its password and its rights to create a schema"
    )]
    Denied(#[source] Source),
    /// The server does not answer.
    #[error(
        "the database cannot be reached: check that it is running and that its address is right"
    )]
    Unreachable(#[source] Source),
    /// Something else; the source says what.
    #[error("the database{} could not be set up", named(file.as_deref()))]
    Failed {
        /// The file, where the database is one.
        file: Option<PathBuf>,
        /// What happened.
        source: Source,
    },
}

/// A file's name behind a word, or nothing.
fn named(file: Option<&Path>) -> String {
    file.map_or_else(String::new, |path| format!(" {}", path.display()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::failure::{Class, Failure};

    #[rstest]
    #[case::read_only(
        Class::ReadOnly,
        "the database /d/a.db cannot be written: free some space, or allow writing to the file, its directory and the -wal and -shm beside it",
        "the database cannot be written: free some space, or choose a server that takes writes"
    )]
    #[case::locked(
        Class::Locked,
        "the database /d/a.db is locked by another program: wait until that is done, or stop it",
        "the database is locked by another program: wait until that is done, or stop it"
    )]
    #[case::damaged(
        Class::Damaged,
        "the file /d/a.db is no SQLite database, or it is damaged: choose another one, or restore a backup",
        "the database is damaged: restore a backup"
    )]
    #[case::refused(
        Class::Refused,
        "the database /d/a.db could not be set up",
        "the database could not be set up"
    )]
    // A file does not run, and has no address.
    #[case::unavailable(
        Class::Unavailable,
        "the database /d/a.db could not be set up",
        "the database cannot be reached: check that it is running and that its address is right"
    )]
    #[case::denied(
        Class::Denied,
        "the database /d/a.db could not be set up",
        "the database refuses access or does not exist: check its name, the user, its password and its rights to create a schema"
    )]
    fn a_failure_names_its_file_and_says_what_to_do(
        #[case] class: Class,
        #[case] of_a_file: &str,
        #[case] of_a_server: &str,
    ) {
        let failure = || Failure::new(class, "what the database said");
        let path = PathBuf::from("/d/a.db");
        let error = failure().of_sqlite(Some(path));
        assert_eq!(error.to_string(), of_a_file);
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "what the database said");
        assert_eq!(OpenError::from(failure()).to_string(), of_a_server);
    }

    #[rstest]
    #[case::directory(
        OpenError::IsDirectory { path: "/d".into() },
        "/d is a directory: name a file in it"
    )]
    #[case::no_directory(
        OpenError::NoDirectory { path: "/d/a.db".into() },
        "there is no directory for the database file /d/a.db: create it"
    )]
    #[case::taken_in_file(
        OpenError::TakenInFile { path: "/d/a.db".into(), table: "integrations".into() },
        "the file /d/a.db has a table `integrations` already, which is not of this program: choose another file"
    )]
    #[case::taken_in_schema(
        OpenError::TakenInSchema { schema: "public".into(), table: "integrations".into() },
        "the schema `public` has a table `integrations` already, which is not of this program: choose another schema"
    )]
    fn what_cannot_be_a_store_is_named(#[case] error: OpenError, #[case] text: &str) {
        assert_eq!(error.to_string(), text);
    }
}
