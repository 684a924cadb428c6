//! A history in files beside the exports.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::journal::{CONTACTS, Event, Journal, contacts_name, is_imported};
use super::ledger::{Ledger, Slot};
use super::{
    ExportHistory, ExportRun, HistoryError, Inclusion, OpenRun, RunId, RunState, Standing,
};
use crate::export::place::{blocking, open_private, sync_directory, try_lock};

/// The directory of the history, in that of the exports.
const DIRECTORY: &str = ".suitedash-history";
const LOCK: &str = "lock";
/// What the name of a file ends with that is not complete.
const PART: &str = ".part";

/// A history in the directory of the exports, in `.suitedash-history`: a journal of one JSON line per event, and for
/// every export the ids of its contacts.
///
/// Every answer is on the disk before it is given. Several processes may use one directory; one of them exports at a
/// time. It holds 30 bytes of memory per contact that was ever exported. Clones share it.
///
/// ```
/// use suitedash_client::export::{ExportHistory, FileHistory};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// let history = FileHistory::open(directory.path()).await?;
/// for run in history.runs().await? {
///     println!("{} {} {} contacts", run.created_at, run.file, run.rows());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileHistory {
    shared: Arc<Shared>,
}

struct Shared {
    directory: PathBuf,
    state: Mutex<State>,
}

struct State {
    ledger: Ledger,
    journal: Journal,
}

/// An export under way: contacts in a file that is not complete.
struct OpenFile {
    shared: Arc<Shared>,
    run: RunId,
    slot: Slot,
    include_exported: bool,
    contacts: BufWriter<File>,
    is_kept: bool,
    /// Held until this is dropped, so that another process knows that the export is alive.
    _lock: File,
}

/// The future that works with the file may be dropped: the file is with the work, then, and ends with it.
struct Open(Option<OpenFile>);

impl FileHistory {
    /// Opens the history of a directory, which must exist; begins one if there is none. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Io`] when it cannot be read or made, [`HistoryError::Damaged`] when it makes no sense.
    pub async fn open(exports: impl AsRef<Path>) -> Result<Self, HistoryError> {
        let exports = exports.as_ref().to_owned();
        blocking(move || Self::open_now(&exports)).await?
    }

    fn open_now(exports: &Path) -> Result<Self, HistoryError> {
        let directory = exports.join(DIRECTORY);
        match make_private_directory(&directory) {
            Ok(()) => sync_directory(exports)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        let mut state = State {
            ledger: Ledger::default(),
            journal: Journal::open(&directory)?,
        };
        state.read()?;
        Ok(Self {
            shared: Arc::new(Shared {
                directory,
                state: Mutex::new(state),
            }),
        })
    }

    /// Works with the state where blocking is allowed, whether or not somebody still waits for it.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Shared>) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || work(&shared)).await?
    }
}

#[async_trait]
impl ExportHistory for FileHistory {
    async fn begin(
        &self,
        run: &RunId,
        include_exported: bool,
    ) -> Result<Box<dyn OpenRun>, HistoryError> {
        let run = run.clone();
        let open = self
            .with(move |shared| OpenFile::begin(shared, run, include_exported))
            .await?;
        Ok(Box::new(Open(Some(open))))
    }

    async fn finish(&self, run: &RunId) -> Result<(), HistoryError> {
        let run = run.clone();
        self.with(move |shared| {
            shared.lock().append(|ledger| {
                let known = ledger.run(&run).ok_or(HistoryError::NoSuchRun)?;
                let is_new = known.state == RunState::Prepared;
                Ok((is_new.then_some(Event::Exported { run }), ()))
            })
        })
        .await
    }

    async fn abandon(&self, run: &RunId) -> Result<(), HistoryError> {
        let run = run.clone();
        self.with(move |shared| {
            shared.lock().append(|ledger| {
                ledger.prepared(&run)?;
                Ok((Some(Event::Abandoned { run }), ()))
            })
        })
        .await
    }

    async fn runs(&self) -> Result<Vec<ExportRun>, HistoryError> {
        self.with(|shared| {
            let mut state = shared.lock();
            state.read()?;
            Ok(state.ledger.runs())
        })
        .await
    }

    async fn mark_imported(
        &self,
        run: &RunId,
        at: DateTime<Utc>,
        by: &str,
    ) -> Result<ExportRun, HistoryError> {
        let (run, by) = (run.clone(), by.to_owned());
        self.with(move |shared| {
            let mut state = shared.lock();
            let id = run.clone();
            state.append(|ledger| {
                let known = ledger.run(&run).ok_or(HistoryError::NoSuchRun)?;
                if known.state == RunState::Prepared {
                    return Err(HistoryError::NoSuchRun);
                }
                let mark = (!is_imported(known)).then_some(Event::Imported { run, at, by });
                Ok((mark, ()))
            })?;
            state
                .ledger
                .run(&id)
                .cloned()
                .ok_or(HistoryError::NoSuchRun)
        })
        .await
    }

    async fn standing(&self, contacts: &[&str]) -> Result<Vec<Standing>, HistoryError> {
        let contacts = owned(contacts);
        self.with(move |shared| {
            let mut state = shared.lock();
            state.read()?;
            let standing = |id: &String| state.ledger.standing(id);
            Ok(contacts.iter().map(standing).collect())
        })
        .await
    }
}

#[async_trait]
impl OpenRun for Open {
    async fn include(&mut self, contacts: &[&str]) -> Result<Vec<Inclusion>, HistoryError> {
        let mut open = self.0.take().ok_or(HistoryError::NoSuchRun)?;
        let contacts = owned(contacts);
        let (open, included) = blocking(move || {
            let included = open.include(&contacts);
            (open, included)
        })
        .await?;
        self.0 = Some(open);
        included
    }

    async fn prepare(mut self: Box<Self>, run: &ExportRun) -> Result<(), HistoryError> {
        let mut open = self.0.take().ok_or(HistoryError::NoSuchRun)?;
        let run = run.clone();
        blocking(move || open.prepare(run)).await?
    }
}

impl OpenFile {
    fn begin(
        shared: &Arc<Shared>,
        run: RunId,
        include_exported: bool,
    ) -> Result<Self, HistoryError> {
        let lock = try_lock(&shared.directory.join(LOCK))?.ok_or(HistoryError::Busy)?;
        let mut state = shared.lock();
        state.read()?;
        remove_leftovers(&shared.directory, &state.ledger)?;
        let contacts = open_private(&shared.part(&run), |options| {
            options.write(true).create_new(true)
        })?;
        Ok(Self {
            slot: state.ledger.open(&run)?,
            shared: Arc::clone(shared),
            run,
            include_exported,
            contacts: BufWriter::new(contacts),
            is_kept: false,
            _lock: lock,
        })
    }

    fn include(&mut self, contacts: &[String]) -> Result<Vec<Inclusion>, HistoryError> {
        let mut verdicts = Vec::with_capacity(contacts.len());
        let mut state = self.shared.lock();
        for id in contacts {
            let verdict = state.ledger.include(self.slot, id, self.include_exported);
            if verdict == Inclusion::Included {
                serde_json::to_writer(&mut self.contacts, id).map_err(io::Error::from)?;
                self.contacts.write_all(b"\n")?;
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    fn prepare(&mut self, run: ExportRun) -> Result<(), HistoryError> {
        self.contacts.flush()?;
        self.contacts.get_ref().sync_all()?;
        let complete = self.shared.directory.join(contacts_name(&self.run));
        fs::rename(self.shared.part(&self.run), complete)?;
        sync_directory(&self.shared.directory)?;
        self.shared
            .lock()
            .append(|_| Ok((Some(Event::Prepared { run }), ())))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if !self.is_kept {
            self.shared.lock().ledger.remove(self.slot);
            // What cannot be removed now is removed when the next export begins.
            let _ = fs::remove_file(self.shared.part(&self.run));
        }
    }
}

impl Shared {
    /// A panic while it was locked leaves a journal that is behind at most, and it is read on before every answer.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part(&self, run: &RunId) -> PathBuf {
        self.directory.join(format!("{}{PART}", contacts_name(run)))
    }
}

impl State {
    fn read(&mut self) -> Result<(), HistoryError> {
        self.journal.read(&mut self.ledger)
    }

    fn append<T>(
        &mut self,
        decide: impl FnOnce(&Ledger) -> Result<(Option<Event>, T), HistoryError>,
    ) -> Result<T, HistoryError> {
        self.journal.append(&mut self.ledger, decide)
    }
}

impl fmt::Debug for FileHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileHistory")
            .field("directory", &self.shared.directory)
            .finish_non_exhaustive()
    }
}

/// Removes what exports left that came to nothing: ids of runs that the journal does not have. Those of an abandoned run
/// stay, since whoever reads the journal meets it as a prepared one first.
fn remove_leftovers(directory: &Path, ledger: &Ledger) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_left = match name.strip_suffix(CONTACTS) {
            Some(run) => !ledger.knows(&RunId::from(run)),
            None => name.ends_with(PART),
        };
        if is_left {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

fn owned(contacts: &[&str]) -> Vec<String> {
    contacts.iter().map(|id| (*id).to_owned()).collect()
}
