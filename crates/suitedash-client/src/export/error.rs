//! Why an export failed.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::columns::Field;
use super::history::HistoryError;

/// An export that failed. There is no file of it, unless the variant says otherwise.
///
/// `Display` names columns, paths and counts; no cell, no id.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The profile has no column.
    #[error("an export needs at least one column")]
    NoColumns,
    /// A column is called what another is called already.
    #[error("the column of {field:?} has the name of another column")]
    DuplicateColumn {
        /// What the second of both holds.
        field: Field,
    },
    /// A column's name is empty, begins like a formula or holds a control character.
    #[error("the column of {field:?} has a name that cannot stand in a header")]
    ColumnName {
        /// What the column holds.
        field: Field,
    },
    /// A cell is longer than a spreadsheet takes, and the profile refuses such.
    #[error("the {field:?} of contact {row} is longer than a cell of a spreadsheet")]
    CellTooLong {
        /// What the cell holds.
        field: Field,
        /// Which contact of those that were given, from 1.
        row: u64,
    },
    /// A contact has no id, so it could not be recognised in the history.
    #[error("contact {row} has no id")]
    MissingId {
        /// Which contact of those that were given, from 1.
        row: u64,
    },
    /// The disk, or the share of it that this process may use, is full. Nothing is left of the file.
    #[error("no room on the disk for the export")]
    DiskFull {
        /// What the system says.
        source: io::Error,
    },
    /// Writing failed.
    #[error("the export cannot be written")]
    Write {
        /// What the system says.
        source: io::Error,
    },
    /// The directory for exports is missing, is none, or cannot be written.
    #[error("no export can be written into {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another export into the same directory is under way, in this process or another.
    #[error("another export into {} is under way", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The stream of contacts failed.
    #[error("the contacts to export cannot be read")]
    Contacts {
        /// The stream's own error.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The history failed. A file that is in its place by then stays there, and the next export or
    /// [`recover`](super::Exporter::recover) writes it into the history.
    #[error("the history of exports cannot be used")]
    History {
        /// The history's own error.
        source: HistoryError,
    },
    /// A variable of the environment is missing or holds something else than it should.
    #[error("{variable}: {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ExportError {
    pub(super) fn write(source: io::Error) -> Self {
        if is_full(source.kind()) {
            Self::DiskFull { source }
        } else {
            Self::Write { source }
        }
    }

    pub(crate) fn directory(path: &Path, source: io::Error) -> Self {
        if is_full(source.kind()) {
            return Self::DiskFull { source };
        }
        Self::Directory {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<HistoryError> for ExportError {
    /// A full disk is the same trouble, whichever file meets it first.
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Io { source } if is_full(source.kind()) => Self::DiskFull { source },
            source => Self::History { source },
        }
    }
}

fn is_full(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
