//! The file that says what became of every run: one line of JSON per event, the last one perhaps cut off.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{ExportRun, HistoryError, RunId, RunState};
use crate::export::place::{open_private, sync_directory};

const NAME: &str = "journal.jsonl";

/// What happened to a run.
#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    Prepared {
        run: ExportRun,
    },
    Exported {
        run: RunId,
    },
    Abandoned {
        run: RunId,
    },
    Imported {
        run: RunId,
        at: DateTime<Utc>,
        by: String,
    },
}

/// The journal and how far it has been read. Several processes may append to one.
pub(super) struct Journal {
    directory: PathBuf,
    file: File,
    read_to: u64,
    lines: u64,
}

impl Journal {
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let file = open_private(&directory.join(NAME), |options| {
            options.read(true).append(true).create(true)
        })?;
        sync_directory(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            file,
            read_to: 0,
            lines: 0,
        })
    }

    /// Reads what was appended since the last time, by this process or another.
    pub(super) fn read(&mut self, ledger: &mut Ledger) -> Result<(), HistoryError> {
        if self.file.metadata()?.len() < self.read_to {
            return Err(damaged(NAME, "is shorter than it was"));
        }
        self.file.seek(SeekFrom::Start(self.read_to))?;
        let mut new = Vec::new();
        self.file.read_to_end(&mut new)?;
        // What stands behind the last line break was cut off by a crash, and is cut off for good by the next append.
        for line in new.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            let number = self.lines + 1;
            let event = serde_json::from_slice(line).map_err(|error| {
                let column = error.column();
                damaged(
                    NAME,
                    &format!("makes no sense in line {number}, column {column}"),
                )
            })?;
            self.apply(event, ledger).map_err(|error| match error {
                HistoryError::NoSuchRun | HistoryError::Busy => {
                    damaged(NAME, &format!("contradicts itself in line {number}"))
                }
                error => error,
            })?;
            self.lines = number;
            self.read_to += line.len() as u64;
        }
        Ok(())
    }

    /// Reads what is new, lets `decide` look at it, and appends what it decides on, while nobody else appends.
    pub(super) fn append<T>(
        &mut self,
        ledger: &mut Ledger,
        decide: impl FnOnce(&Ledger) -> Result<(Option<Event>, T), HistoryError>,
    ) -> Result<T, HistoryError> {
        self.file.lock()?;
        let done = self.append_locked(ledger, decide);
        self.file.unlock()?;
        done
    }

    fn append_locked<T>(
        &mut self,
        ledger: &mut Ledger,
        decide: impl FnOnce(&Ledger) -> Result<(Option<Event>, T), HistoryError>,
    ) -> Result<T, HistoryError> {
        self.read(ledger)?;
        let (event, answer) = decide(ledger)?;
        let Some(event) = event else {
            return Ok(answer);
        };
        let mut line = serde_json::to_vec(&event).map_err(io::Error::from)?;
        line.push(b'\n');
        if self.file.metadata()?.len() > self.read_to {
            self.file.set_len(self.read_to)?;
        }
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Should this fail as well, a part of a line is no line, and a whole one says what nearly happened: the
            // next look at the directory puts it right.
            let _ = self.file.set_len(self.read_to);
            return Err(error.into());
        }
        self.apply(event, ledger)?;
        self.lines += 1;
        self.read_to += line.len() as u64;
        Ok(answer)
    }

    fn apply(&self, event: Event, ledger: &mut Ledger) -> Result<(), HistoryError> {
        match event {
            Event::Prepared { run } => {
                let slot = if let Some(own) = ledger.find(&run.id) {
                    own
                } else {
                    let slot = ledger.open(&run.id)?;
                    self.read_contacts(&run, |id| {
                        ledger.include(slot, id, true);
                    })?;
                    slot
                };
                ledger.keep(slot, run);
                Ok(())
            }
            Event::Exported { run } => ledger.finish(&run),
            Event::Abandoned { run } => {
                let slot = ledger.prepared(&run)?;
                ledger.remove(slot);
                Ok(())
            }
            Event::Imported { run, at, by } => ledger.mark_imported(&run, at, &by).map(drop),
        }
    }

    /// Reads the ids of a run's contacts.
    fn read_contacts(
        &self,
        run: &ExportRun,
        mut each: impl FnMut(&str),
    ) -> Result<(), HistoryError> {
        let name = contacts_name(&run.id);
        let mut lines = BufReader::new(File::open(self.directory.join(&name))?);
        let (mut line, mut rows) = (String::new(), 0);
        while lines.read_line(&mut line)? > 0 {
            let id: String = serde_json::from_str(&line)
                .map_err(|_| damaged(&name, &format!("makes no sense in line {}", rows + 1)))?;
            each(&id);
            rows += 1;
            line.clear();
        }
        if rows == run.counts.rows {
            return Ok(());
        }
        Err(damaged(
            &name,
            &format!("has {rows} ids for {} rows", run.counts.rows),
        ))
    }
}

/// The file with the ids of a run's contacts, each as a JSON text in a line of its own.
pub(super) fn contacts_name(run: &RunId) -> String {
    format!("{run}{CONTACTS}")
}

/// How the names of such files end.
pub(super) const CONTACTS: &str = ".ids.jsonl";

pub(super) fn damaged(file: &str, what: &str) -> HistoryError {
    HistoryError::Damaged {
        what: format!("{file} {what}"),
    }
}

/// Tells whether a mark would say anything new.
pub(super) fn is_imported(run: &ExportRun) -> bool {
    matches!(run.state, RunState::Imported { .. })
}
