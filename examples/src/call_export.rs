//! Calls in a CSV file, page by page, so that whoever is interrupted goes on where he was.
//!
//! Beside the file lies `FILE.checkpoint`. It is replaced after every page, once the rows of the page are on disk, and
//! says how long the file is up to there: what an interrupted run wrote behind that is cut off when the next one begins.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use openphone_client::{
    Client, ConversationId, ExportCheckpoint, ExportPages, ExportProgress, ExportRange, PhoneCall,
};
use serde::{Deserialize, Serialize};

/// The columns of the file.
pub const COLUMNS: [&str; 16] = [
    "id",
    "created_at",
    "direction",
    "status",
    "answered_at",
    "completed_at",
    "duration_seconds",
    "phone_number_id",
    "participants",
    "user_id",
    "answered_by",
    "initiated_by",
    "forwarded_from",
    "forwarded_to",
    "call_route",
    "ai_handled",
];

/// How many conversations that were left out are named; the others are only counted.
const NAMED: usize = 20;

type Failure = Box<dyn std::error::Error>;

/// An export under way.
#[derive(Debug)]
pub struct CallExport {
    pages: ExportPages<PhoneCall>,
    rows: csv::Writer<File>,
    checkpoint: PathBuf,
    kept: Kept,
    resumed: bool,
}

/// What all runs together have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// The rows of the file.
    pub calls: u64,
    /// The conversations that API v1 cannot list. Beyond those that are named, one that came twice counts twice.
    pub left_out: u64,
    /// The first twenty of them.
    pub left_out_first: Vec<ConversationId>,
}

/// What `FILE.checkpoint` holds.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Whose calls they are. Another account's numbers would be taken for ones that are done.
    source: String,
    range: ExportRange,
    place: ExportCheckpoint,
    /// The length of the file when its last page was complete.
    bytes: u64,
    totals: Totals,
}

impl CallExport {
    /// Begins an export into a new file, or goes on with one. `source` names the account.
    ///
    /// # Errors
    ///
    /// When the file is there but no checkpoint, or the other way round; when the checkpoint is of another source or
    /// range; when one of them cannot be read or written.
    pub fn open(
        client: &Client,
        source: &str,
        range: ExportRange,
        path: &Path,
    ) -> Result<Self, Failure> {
        let checkpoint = beside(path, ".checkpoint");
        let export = client.calls().export(range);
        let (pages, kept, resumed) = match read(&checkpoint)? {
            Some(kept) if kept.source != source => {
                let (file, theirs) = (checkpoint.display(), &kept.source);
                return Err(format!("{file} is of {theirs}, not of {source}").into());
            }
            Some(kept) if kept.range != range => {
                let file = checkpoint.display();
                return Err(
                    format!("{file} is of calls of another time: name another file").into(),
                );
            }
            Some(kept) => (export.resume(kept.place.clone()).pages(), kept, true),
            None if path.try_exists()? => {
                let (file, missing) = (path.display(), checkpoint.display());
                return Err(format!(
                    "{file} is there already, and no {missing} to go on from: name another file"
                )
                .into());
            }
            None => {
                let pages = export.pages();
                let kept = Kept {
                    source: source.to_owned(),
                    range,
                    place: pages.checkpoint(),
                    bytes: 0,
                    totals: Totals::default(),
                };
                write(&checkpoint, &kept)?;
                (pages, kept, false)
            }
        };
        let file = open_at(path, kept.bytes)?;
        let mut rows = csv::Writer::from_writer(file);
        if kept.bytes == 0 {
            rows.write_record(COLUMNS)?;
        }
        Ok(Self {
            pages,
            rows,
            checkpoint,
            kept,
            resumed,
        })
    }

    /// Brings one page to the file, then its checkpoint. `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of the vendor, and of writing. What was complete before stays, and can be gone on from.
    pub async fn next_page(&mut self) -> Result<Option<ExportProgress>, Failure> {
        let page = self.pages.next().await.transpose()?;
        let totals = &mut self.kept.totals;
        if let Some(page) = &page {
            for call in &page.items {
                self.rows.write_record(row(call))?;
                totals.calls = totals.calls.saturating_add(1);
            }
            if let (true, Some(id)) = (page.left_out, &page.conversation_id) {
                totals.leave_out(id);
            }
        }
        self.rows.flush()?;
        self.rows.get_ref().sync_data()?;
        self.kept.bytes = self.rows.get_ref().metadata()?.len();
        self.kept.place = self.pages.checkpoint();
        write(&self.checkpoint, &self.kept)?;
        Ok(page.map(|page| page.progress))
    }

    /// Says what all runs together have done.
    pub fn totals(&self) -> &Totals {
        &self.kept.totals
    }

    /// Tells whether it goes on with an earlier run.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Tells whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.kept.place.is_end()
    }
}

impl Totals {
    fn leave_out(&mut self, id: &ConversationId) {
        if self.left_out_first.contains(id) {
            return;
        }
        self.left_out = self.left_out.saturating_add(1);
        if self.left_out_first.len() < NAMED {
            self.left_out_first.push(id.clone());
        }
    }
}

fn row(call: &PhoneCall) -> [String; COLUMNS.len()] {
    [
        call.id.to_string(),
        time(call.created_at),
        call.direction.to_string(),
        call.status.to_string(),
        call.answered_at.map(time).unwrap_or_default(),
        call.completed_at.map(time).unwrap_or_default(),
        text(call.duration.as_ref()),
        text(call.phone_number_id.as_ref()),
        call.participants.join(" "),
        text(call.user_id.as_ref()),
        text(call.answered_by.as_ref()),
        text(call.initiated_by.as_ref()),
        text(call.forwarded_from.as_ref()),
        text(call.forwarded_to.as_ref()),
        text(call.call_route.as_ref()),
        text(call.ai_handled.as_ref()),
    ]
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Opens the file behind its last complete page.
fn open_at(path: &Path, bytes: u64) -> Result<File, Failure> {
    let place = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut options = for_me_alone();
    // One that holds pages and is gone must not be taken for one that is empty.
    options.create(bytes == 0);
    let mut file = options.open(path).map_err(place)?;
    if file.metadata().map_err(place)?.len() < bytes {
        let path = path.display();
        return Err(format!("{path} is shorter than its checkpoint says").into());
    }
    file.set_len(bytes).map_err(place)?;
    file.seek(SeekFrom::Start(bytes)).map_err(place)?;
    Ok(file)
}

fn read(checkpoint: &Path) -> Result<Option<Kept>, Failure> {
    let place = |e: &dyn std::fmt::Display| format!("{}: {e}", checkpoint.display());
    match fs::read(checkpoint) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text).map_err(|e| place(&e))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(place(&error).into()),
    }
}

/// Puts a checkpoint in place of the one before, so that at any moment there is a whole one.
fn write(checkpoint: &Path, kept: &Kept) -> Result<(), Failure> {
    let new = beside(checkpoint, ".new");
    let mut file = for_me_alone().create(true).truncate(true).open(&new)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()?;
    fs::rename(&new, checkpoint)?;
    Ok(())
}

/// Who called whom is nobody else's business.
fn for_me_alone() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
