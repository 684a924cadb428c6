//! Which contacts went into which file.

mod file;
mod journal;
mod ledger;
mod memory;

use std::error::Error as StdError;
use std::fmt;
use std::io;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::{NoContext, Timestamp, Uuid};

pub use file::FileHistory;
pub use memory::MemoryHistory;

use super::rows::ExportCounts;

connector_http::id_type! {
    /// Names an export: a UUID, later ones sort after earlier ones.
    pub struct RunId;
}

impl RunId {
    /// Makes the id of an export that begins now.
    pub(super) fn at(now: DateTime<Utc>) -> Self {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let time = Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos());
        Self::new(Uuid::new_v7(time).to_string())
    }
}

/// An export that was made.
///
/// `Debug` leaves out who made it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportRun {
    /// Its id.
    pub id: RunId,
    /// The name of its file in the directory for exports.
    pub file: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it, as the caller names people.
    pub by: String,
    /// What was written, left out and changed.
    pub counts: ExportCounts,
    /// How far it is.
    pub state: RunState,
}

/// How far an export is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// All is ready to put its file in its place. If that is all there is, the process ended at that moment, and
    /// [`Exporter::recover`](super::Exporter::recover) finds out on which side of it.
    Prepared,
    /// Its file is there.
    Exported,
    /// Somebody said that it was imported into SuiteDash. Nothing can check that: the API does not tell.
    Imported {
        /// When.
        at: DateTime<Utc>,
        /// Who said so.
        by: String,
    },
}

/// Where a contact stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// In no file: it waits for the next export.
    Waiting,
    /// In the file of this export, which nobody has marked as imported. The latest, if it is in several.
    Exported {
        /// The export.
        run: RunId,
    },
    /// In the file of this export, which was marked as imported: the contact counts as synced.
    Imported {
        /// The export.
        run: RunId,
    },
}

/// Whether a contact goes into an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inclusion {
    /// It does, and now belongs to it.
    Included,
    /// It is in this export already.
    Repeated,
    /// An earlier export has it, or one that is not finished.
    ExportedBefore,
}

/// Keeps which contacts went into which file. One history belongs to one directory.
///
/// An export goes: [`begin`](Self::begin); [`include`](OpenRun::include), many times; the file is complete on disk under
/// another name; [`prepare`](OpenRun::prepare); the file gets its name; [`finish`](Self::finish). A crash before
/// `prepare` leaves nothing; one after it leaves a run that is [`Prepared`](RunState::Prepared), and whether there is a
/// file tells whether to `finish` or to [`abandon`](Self::abandon) it. [`Exporter`](super::Exporter) does all this.
///
/// Ids of contacts are opaque. [`MemoryHistory`] is the model of an implementation, [`FileHistory`] the durable one.
#[async_trait]
pub trait ExportHistory: Send + Sync {
    /// Begins an export. Contacts of earlier ones are left out of it unless `include_exported` is set.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Busy`] when the implementation allows one at a time and another is open.
    async fn begin(
        &self,
        run: &RunId,
        include_exported: bool,
    ) -> Result<Box<dyn OpenRun>, HistoryError>;

    /// Notes that the file of a prepared export is in its place.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NoSuchRun`], or when it cannot be written. To finish twice is no error.
    async fn finish(&self, run: &RunId) -> Result<(), HistoryError>;

    /// Forgets a prepared export that has no file: its contacts wait for the next one.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NoSuchRun`] when there is none that is prepared, or when it cannot be written.
    async fn abandon(&self, run: &RunId) -> Result<(), HistoryError>;

    /// Returns the exports, newest first, the prepared ones among them.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    async fn runs(&self) -> Result<Vec<ExportRun>, HistoryError>;

    /// Notes that an export was imported into SuiteDash, and returns it. Its contacts count as synced.
    ///
    /// The first mark stays; marking again changes nothing.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NoSuchRun`], also for one that is only prepared, or when it cannot be written.
    async fn mark_imported(
        &self,
        run: &RunId,
        at: DateTime<Utc>,
        by: &str,
    ) -> Result<ExportRun, HistoryError>;

    /// Tells of each of these contacts where it stands, in their order.
    ///
    /// # Errors
    ///
    /// When the history cannot be read.
    async fn standing(&self, contacts: &[&str]) -> Result<Vec<Standing>, HistoryError>;
}

/// An export under way. Dropped, it never was.
#[async_trait]
pub trait OpenRun: Send {
    /// Takes contacts in and tells of each, in their order, whether it goes into the export.
    ///
    /// # Errors
    ///
    /// When the history cannot be written; the export is over then.
    async fn include(&mut self, contacts: &[&str]) -> Result<Vec<Inclusion>, HistoryError>;

    /// Keeps the export and its contacts durably, as [`Prepared`](RunState::Prepared).
    ///
    /// # Errors
    ///
    /// When the history cannot be written; then the export never was.
    async fn prepare(self: Box<Self>, run: &ExportRun) -> Result<(), HistoryError>;
}

/// A history that failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such export, or it is not as far.
    #[error("no such export")]
    NoSuchRun,
    /// Another export is under way.
    #[error("another export is under way")]
    Busy,
    /// The history was changed by something else, or by a later version of this crate.
    #[error("the history of exports is damaged: {what}")]
    Damaged {
        /// What is wrong with which file.
        what: String,
    },
    /// Reading or writing failed.
    #[error("the history of exports cannot be read or written")]
    Io {
        /// What the system says.
        #[from]
        source: io::Error,
    },
    /// An implementation outside this crate failed.
    #[error("the history of exports failed")]
    Other {
        /// Its own error.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl ExportRun {
    /// Makes the record of an export that is prepared.
    pub fn new(
        id: impl Into<RunId>,
        file: impl Into<String>,
        created_at: DateTime<Utc>,
        by: impl Into<String>,
        counts: ExportCounts,
    ) -> Self {
        Self {
            id: id.into(),
            file: file.into(),
            created_at,
            by: by.into(),
            counts,
            state: RunState::Prepared,
        }
    }

    /// Changes how far it is.
    pub fn state(mut self, state: RunState) -> Self {
        self.state = state;
        self
    }

    /// Returns how many contacts its file has.
    pub fn rows(&self) -> u64 {
        self.counts.rows
    }
}

impl fmt::Debug for ExportRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportRun")
            .field("id", &self.id)
            .field("file", &self.file)
            .field("created_at", &self.created_at)
            .field("counts", &self.counts)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepared => f.write_str("Prepared"),
            Self::Exported => f.write_str("Exported"),
            Self::Imported { at, .. } => f
                .debug_struct("Imported")
                .field("at", at)
                .finish_non_exhaustive(),
        }
    }
}
