//! What a worker process writes down itself, for a judge who does not ask the store.
//!
//! One file for each process, a line for each event, each line with one write: what a process has written is in the
//! file even if the next thing that happens to it is a SIGKILL.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use connector_http::{Timer as _, TokioTimer};

use crate::Outcome;

/// One event. Times are microseconds of the machine's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A job was got. Asked for at `asked`, had at `at`.
    Claimed {
        job: String,
        token: String,
        asked: u64,
        at: u64,
        /// The contact and the target.
        line: String,
        /// What the contact is worked on in turn with.
        group: String,
        revision: u64,
    },
    /// A job's end is about to be written.
    Trying { token: String, at: u64 },
    /// The store has said that it is written, or that it is not.
    Ended { token: String, at: u64, ok: bool },
}

pub(crate) struct Journal(Mutex<File>);

impl Journal {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(|file| Self(Mutex::new(file)))
            .map_err(|e| format!("{}: {e}", path.display()))
    }

    pub(crate) fn write(&self, event: &Event) -> Outcome {
        let line = match event {
            Event::Claimed {
                job,
                token,
                asked,
                at,
                line,
                group,
                revision,
            } => format!("claimed {job} {token} {asked} {at} {line} {group} {revision}\n"),
            Event::Trying { token, at } => format!("trying {token} {at}\n"),
            Event::Ended { token, at, ok } => format!("ended {token} {at} {ok}\n"),
        };
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes())
            .map_err(|e| format!("the journal cannot be written: {e}"))
    }
}

/// The machine's clock, which every process reads alike.
pub(crate) fn now() -> u64 {
    u64::try_from(TokioTimer.utc_now().timestamp_micros()).unwrap_or_default()
}

/// Reads every journal of a folder.
pub(crate) fn read(folder: &Path) -> Outcome<Vec<Event>> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut events = Vec::new();
    for file in std::fs::read_dir(folder).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != "journal") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        for line in text.lines() {
            let event = parse(line);
            events.push(event.ok_or_else(|| format!("{}: `{line}`", path.display()))?);
        }
    }
    Ok(events)
}

fn parse(line: &str) -> Option<Event> {
    fn field<T: FromStr>(words: &mut std::str::SplitWhitespace<'_>) -> Option<T> {
        words.next()?.parse().ok()
    }
    let mut words = line.split_whitespace();
    Some(match words.next()? {
        "claimed" => Event::Claimed {
            job: field(&mut words)?,
            token: field(&mut words)?,
            asked: field(&mut words)?,
            at: field(&mut words)?,
            line: field(&mut words)?,
            group: field(&mut words)?,
            revision: field(&mut words)?,
        },
        "trying" => Event::Trying {
            token: field(&mut words)?,
            at: field(&mut words)?,
        },
        "ended" => Event::Ended {
            token: field(&mut words)?,
            at: field(&mut words)?,
            ok: field(&mut words)?,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("a.journal")).unwrap();
        let events = [
            Event::Claimed {
                job: "j".to_owned(),
                token: "t".to_owned(),
                asked: 1,
                at: 2,
                line: "c/phone".to_owned(),
                group: "g@example.com".to_owned(),
                revision: 3,
            },
            Event::Trying {
                token: "t".to_owned(),
                at: 4,
            },
            Event::Ended {
                token: "t".to_owned(),
                at: 5,
                ok: true,
            },
        ];
        for event in &events {
            journal.write(event).unwrap();
        }
        assert_eq!(read(folder.path()).unwrap(), events);
    }
}
