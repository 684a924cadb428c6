//! Exports into a directory: each file whole or not there, and no contact twice.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use futures_core::Stream;

use super::columns::Column;
use super::contact::ExportContact;
use super::error::ExportError;
use super::history::{
    ExportHistory, ExportRun, FileHistory, HistoryError, Inclusion, OpenRun, RunId, RunState,
};
use super::place::{Part, Place, blocking, make_private};
use super::profile::Profile;
use super::rows::{ExportCounts, RowWriter};

/// How many contacts are looked up in the history at a time, and how much text they may hold.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1024 * 1024;
/// How many bytes are gathered before they go to the disk.
const CHUNK: usize = 256 * 1024;

/// Writes exports into one directory, and remembers which contacts they had.
///
/// A file is written under another name, brought to the disk, noted in the history, renamed, and the directory brought
/// to the disk: it is there whole, or not at all. After a crash, [`recover`](Self::recover), which every export and
/// [`runs`](Self::runs) begin with, makes the history agree with the files.
///
/// Files can be read by their owner alone. Clones share the history.
///
/// ```
/// use chrono::Utc;
/// use suitedash_client::export::{ExportContact, Exporter, NewExport};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let now = chrono::DateTime::<Utc>::UNIX_EPOCH;
/// let exporter = Exporter::open(directory.path()).await?; // or the directory of directory_from_env()
/// let contacts = ["Ana", "Bo"].map(|name| ExportContact::new(name).first_name(name));
///
/// let done = exporter.export(NewExport::new(now, "cron"), contacts.clone()).await?;
/// let run = done.run.expect("there was something to export");
/// println!("{}: {} contacts", exporter.path(&run).display(), run.rows());
///
/// // They are exported; nothing is left for a second file.
/// let again = exporter.export(NewExport::new(now, "cron"), contacts).await?;
/// assert_eq!((again.run, again.counts.exported_before), (None, 2));
///
/// // Once a person has imported the file:
/// exporter.history().mark_imported(&run.id, now, "user-7").await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Exporter {
    directory: PathBuf,
    history: Arc<dyn ExportHistory>,
}

/// What to export, and how.
#[must_use = "nothing is exported until it is given to an exporter"]
pub struct NewExport {
    at: DateTime<Utc>,
    by: String,
    profile: Profile,
    include_exported: bool,
    on_progress: Option<Box<dyn FnMut(ExportProgress) + Send>>,
}

/// What came of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The export; `None` if no contact was left to export, and then there is no file either.
    pub run: Option<ExportRun>,
    /// What was written, left out and changed.
    pub counts: ExportCounts,
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportProgress {
    /// What has just been done.
    pub step: ExportStep,
    /// How many contacts have been looked at.
    pub contacts: u64,
    /// How many rows have been written.
    pub rows: u64,
    /// How many bytes have been written.
    pub bytes: u64,
}

/// The steps of an export, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExportStep {
    /// Some more rows were written. Comes many times.
    Writing,
    /// All rows were written.
    Written,
    /// They are on the disk.
    Synced,
    /// The history has the export as prepared.
    Prepared,
    /// The file has its name.
    InPlace,
    /// The history has the export as done.
    Recorded,
}

impl NewExport {
    /// Makes an export, now, for somebody, with [`Profile::spreadsheet_safe`].
    ///
    /// `by` is kept in the history and on the disk: better an id than a name.
    pub fn new(at: DateTime<Utc>, by: impl Into<String>) -> Self {
        Self {
            at,
            by: by.into(),
            profile: Profile::default(),
            include_exported: false,
            on_progress: None,
        }
    }

    /// Chooses how the file is written.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Adds columns that the file lacks; see [`Profile::with_missing`].
    pub fn with_missing(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.profile = self.profile.with_missing(columns);
        self
    }

    /// Chooses whether contacts that earlier exports had go into this one, too. Within it, each has one row.
    pub fn include_exported(mut self, yes: bool) -> Self {
        self.include_exported = yes;
        self
    }

    /// Has a function called as the export goes on: at least every 256 contacts, and after each of the last steps.
    pub fn on_progress(mut self, call: impl FnMut(ExportProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }
}

impl Exporter {
    /// Exports into this directory, with the history that is in it. It is made if it is not there, for this user alone;
    /// the one that it is in must exist, so that nothing is written beside a disk that is not mounted. Needs a tokio
    /// runtime, as all of an exporter does.
    ///
    /// # Errors
    ///
    /// [`ExportError::Directory`] or [`ExportError::DiskFull`] when it cannot be made, or the history in it not be read or
    /// begun,
    /// [`ExportError::History`] when it makes no sense.
    pub async fn open(directory: impl AsRef<Path>) -> Result<Self, ExportError> {
        let directory = directory.as_ref();
        let path = directory.to_owned();
        let made = blocking(move || make_private(&path)).await;
        made.and_then(|made| made)
            .map_err(|error| ExportError::directory(directory, error))?;
        let history = FileHistory::open(directory).await;
        let history = history.map_err(|error| match error {
            HistoryError::Io { source } => ExportError::directory(directory, source),
            error => error.into(),
        })?;
        Ok(Self::new(directory, history))
    }

    /// Exports into this directory, with a history that is of this directory and no other.
    pub fn new(directory: impl Into<PathBuf>, history: impl ExportHistory + 'static) -> Self {
        Self {
            directory: directory.into(),
            history: Arc::new(history),
        }
    }

    /// Returns the history, to mark exports as imported and to ask where contacts stand.
    pub fn history(&self) -> &dyn ExportHistory {
        &*self.history
    }

    /// Returns where the file of an export is.
    pub fn path(&self, run: &ExportRun) -> PathBuf {
        self.directory.join(&run.file)
    }

    /// Exports what an iterator gives.
    ///
    /// # Errors
    ///
    /// As [`export_stream`](Self::export_stream), but for [`ExportError::Contacts`].
    pub fn export<I>(
        &self,
        export: NewExport,
        contacts: I,
    ) -> impl Future<Output = Result<Exported, ExportError>> + Send
    where
        I: IntoIterator<Item = ExportContact>,
        I::IntoIter: Send,
    {
        self.run(export, Box::pin(Always(contacts.into_iter())))
    }

    /// Exports what a stream gives. After an error, or if the future is dropped, there is no file, and the contacts
    /// still wait; the one exception is named at [`ExportError::History`].
    ///
    /// # Errors
    ///
    /// - Before anything is written: what is wrong with the [profile](Profile::check),
    ///   [`Directory`](ExportError::Directory), [`Busy`](ExportError::Busy).
    /// - On the way: [`DiskFull`](ExportError::DiskFull), [`Write`](ExportError::Write),
    ///   [`Contacts`](ExportError::Contacts) with the stream's own error, [`MissingId`](ExportError::MissingId),
    ///   [`CellTooLong`](ExportError::CellTooLong), [`History`](ExportError::History).
    pub fn export_stream<S, E>(
        &self,
        export: NewExport,
        contacts: S,
    ) -> impl Future<Output = Result<Exported, ExportError>> + Send
    where
        S: Stream<Item = Result<ExportContact, E>> + Send,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.run(export, Box::pin(contacts))
    }

    /// The contacts are behind a pointer: they may be an array, which the future would hold several times.
    async fn run<S, E>(
        &self,
        export: NewExport,
        contacts: Pin<Box<S>>,
    ) -> Result<Exported, ExportError>
    where
        S: Stream<Item = Result<ExportContact, E>> + Send,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        export.profile.check()?;
        let place = self.place().await?;
        self.settle(&place).await?;

        let id = RunId::at(export.at);
        let open = self.history.begin(&id, export.include_exported).await?;
        let part = {
            let (place, id) = (place.clone(), id.clone());
            let begun = blocking(move || place.begin(id.as_str())).await;
            begun.map_err(ExportError::write)??
        };
        let mut sink = Sink {
            spool: Spool::default(),
            part: Some(part),
            bytes: 0,
        };
        let (by, at) = (export.by, export.at);
        let mut report = Report {
            call: export.on_progress,
            contacts: 0,
        };
        let rows = RowWriter::new(sink.spool.clone(), &export.profile)?;
        let (counts, open) = Self::write_rows(rows, &mut sink, open, &mut report, contacts).await?;
        if counts.rows == 0 {
            return Ok(Exported { run: None, counts });
        }
        report.step(ExportStep::Written, counts.rows, sink.bytes);
        let part = sink.sync().await?;
        report.step(ExportStep::Synced, counts.rows, sink.bytes);

        let file = format!("suitedash-contacts-{}-{id}.csv", at.format("%Y-%m-%d"));
        let run = ExportRun::new(id, file, at, by, counts);
        open.prepare(&run).await?;
        report.step(ExportStep::Prepared, counts.rows, sink.bytes);
        self.put_in_place(&place, part, &run).await?;
        report.step(ExportStep::InPlace, counts.rows, sink.bytes);
        self.history.finish(&run.id).await?;
        report.step(ExportStep::Recorded, counts.rows, sink.bytes);
        Ok(Exported {
            run: Some(run.state(RunState::Exported)),
            counts,
        })
    }

    /// Makes the history agree with the files, after a crash: an export that was prepared is exported if its file is
    /// there, and never was if it is not.
    ///
    /// # Errors
    ///
    /// [`ExportError::Busy`] while an export is under way, [`ExportError::Directory`], [`ExportError::History`].
    pub async fn recover(&self) -> Result<(), ExportError> {
        let place = self.place().await?;
        self.settle(&place).await
    }

    /// Returns the exports of this directory, newest first, after [`recover`](Self::recover). While one is under way, it
    /// may be among them as [`Prepared`](RunState::Prepared).
    ///
    /// # Errors
    ///
    /// [`ExportError::Directory`], [`ExportError::History`].
    pub async fn runs(&self) -> Result<Vec<ExportRun>, ExportError> {
        match self.recover().await {
            Ok(()) | Err(ExportError::Busy { .. }) => Ok(self.history.runs().await?),
            Err(error) => Err(error),
        }
    }

    async fn place(&self) -> Result<Place, ExportError> {
        let directory = self.directory.clone();
        blocking(move || Place::open(&directory))
            .await
            .map_err(|error| ExportError::directory(&self.directory, error))?
    }

    /// Finishes or abandons what is prepared. Nobody else can be at it: the place is locked.
    async fn settle(&self, place: &Place) -> Result<(), ExportError> {
        for run in self.history.runs().await? {
            if run.state == RunState::Prepared {
                self.settle_one(place, &run).await?;
            }
        }
        Ok(())
    }

    async fn settle_one(&self, place: &Place, run: &ExportRun) -> Result<(), ExportError> {
        let (its_place, file) = (place.clone(), run.file.clone());
        let is_there = blocking(move || its_place.has(&file))
            .await
            .and_then(|there| there)
            .map_err(|error| ExportError::directory(&self.directory, error))?;
        if is_there {
            self.history.finish(&run.id).await?;
        } else {
            self.history.abandon(&run.id).await?;
        }
        Ok(())
    }

    async fn write_rows<S, E>(
        mut rows: RowWriter<Spool>,
        sink: &mut Sink,
        mut open: Box<dyn OpenRun>,
        report: &mut Report,
        mut contacts: Pin<Box<S>>,
    ) -> Result<(ExportCounts, Box<dyn OpenRun>), ExportError>
    where
        S: Stream<Item = Result<ExportContact, E>> + Send,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let is_end = fill(&mut batch, contacts.as_mut(), report).await?;
            // A contact whose row would be empty is left out, so the history must not have it as exported.
            let with_text = batch.iter().filter(|contact| rows.has_text(contact));
            let ids: Vec<_> = with_text.map(|contact| contact.id.as_str()).collect();
            let verdicts = open.include(&ids).await?;
            if verdicts.len() != ids.len() {
                return Err(HistoryError::Other {
                    source: "a history answered for other contacts than it was asked about".into(),
                }
                .into());
            }
            let mut verdicts = verdicts.into_iter();
            for contact in &batch {
                if !rows.has_text(contact) {
                    rows.write(contact)?;
                    continue;
                }
                match verdicts.next() {
                    Some(Inclusion::Included) => rows.write(contact)?,
                    Some(Inclusion::Repeated) => {
                        rows.counts.repeated += 1;
                        rows.skip();
                    }
                    Some(Inclusion::ExportedBefore) | None => {
                        rows.counts.exported_before += 1;
                        rows.skip();
                    }
                }
            }
            sink.write(CHUNK).await?;
            if !batch.is_empty() {
                report.step(ExportStep::Writing, rows.counts.rows, sink.bytes);
            }
            if is_end {
                break;
            }
        }
        let counts = rows.finish()?;
        sink.write(1).await?;
        Ok((counts, open))
    }

    async fn put_in_place(
        &self,
        place: &Place,
        part: Part,
        run: &ExportRun,
    ) -> Result<(), ExportError> {
        let file = run.file.clone();
        let renamed = blocking(move || part.put_in_place(&file))
            .await
            .and_then(|renamed| renamed);
        if let Err(error) = renamed {
            // The rename may have worked and only what follows it not.
            self.settle_one(place, run).await?;
            return Err(ExportError::write(error));
        }
        Ok(())
    }
}

/// Takes the next contacts; tells whether they were the last.
async fn fill<S, E>(
    batch: &mut Vec<ExportContact>,
    mut contacts: Pin<&mut S>,
    report: &mut Report,
) -> Result<bool, ExportError>
where
    S: Stream<Item = Result<ExportContact, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    batch.clear();
    let mut bytes = 0;
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let next = std::future::poll_fn(|context| contacts.as_mut().poll_next(context)).await;
        let Some(contact) = next else {
            return Ok(true);
        };
        let contact = contact.map_err(|error| ExportError::Contacts {
            source: error.into(),
        })?;
        report.contacts += 1;
        if contact.id.trim().is_empty() {
            return Err(ExportError::MissingId {
                row: report.contacts,
            });
        }
        bytes += contact.text_len();
        batch.push(contact);
    }
    Ok(false)
}

/// What the rows are written into, to be brought to the disk where that holds nobody up.
#[derive(Clone, Default)]
struct Spool(Arc<Mutex<Vec<u8>>>);

impl Spool {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|spool| spool.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The way from the spool to the disk.
struct Sink {
    spool: Spool,
    /// With the work while that is under way.
    part: Option<Part>,
    bytes: u64,
}

impl Sink {
    /// Writes what is in the spool, if that is at least so much.
    async fn write(&mut self, at_least: usize) -> Result<(), ExportError> {
        let waiting = self
            .spool
            .with(|spool| (spool.len() >= at_least).then(|| std::mem::take(spool)));
        let Some(mut chunk) = waiting else {
            return Ok(());
        };
        let Some(mut part) = self.part.take() else {
            return Err(ExportError::write(io::ErrorKind::BrokenPipe.into()));
        };
        self.bytes += chunk.len() as u64;
        let written = blocking(move || {
            part.append(&chunk)?;
            chunk.clear();
            Ok((part, chunk))
        });
        let (part, chunk) = written
            .await
            .and_then(|written| written)
            .map_err(ExportError::write)?;
        self.part = Some(part);
        // The same memory again.
        self.spool.with(|spool| *spool = chunk);
        Ok(())
    }

    async fn sync(&mut self) -> Result<Part, ExportError> {
        let Some(part) = self.part.take() else {
            return Err(ExportError::write(io::ErrorKind::BrokenPipe.into()));
        };
        blocking(move || part.sync().map(|()| part))
            .await
            .and_then(|synced| synced)
            .map_err(ExportError::write)
    }
}

/// Tells how far it is.
struct Report {
    call: Option<Box<dyn FnMut(ExportProgress) + Send>>,
    contacts: u64,
}

impl Report {
    fn step(&mut self, step: ExportStep, rows: u64, bytes: u64) {
        if let Some(call) = &mut self.call {
            call(ExportProgress {
                step,
                contacts: self.contacts,
                rows,
                bytes,
            });
        }
    }
}

/// An iterator as a stream that never waits and never fails.
struct Always<I>(I);

// The iterator is never pinned.
impl<I> Unpin for Always<I> {}

impl<I: Iterator> Stream for Always<I> {
    type Item = Result<I::Item, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewExport")
            .field("at", &self.at)
            .field("profile", &self.profile)
            .field("include_exported", &self.include_exported)
            .finish_non_exhaustive()
    }
}
