//! A job with its line and what it works on, as the statements of the queue return them.

use chrono::{DateTime, Utc};
use contact_sync::{
    Contact, ContactId, ExternalKey, FailureNote, JobId, JobKind, Lane, LeaseToken, RemoteId,
    TargetName, TenantId, Undo,
};

use super::contact::{LineId, identifier_text};
use super::line::LineRow;
use super::undo::from_json;
use super::{Result, Row, corrupt, get};
use crate::columns::{Id, Time};

/// A job and its line.
#[derive(Debug)]
pub(super) struct JobRow {
    pub(super) id: JobId,
    pub(super) line: LineId,
    pub(super) tenant: TenantId,
    pub(super) kind: JobKind,
    pub(super) ordering_key: String,
    pub(super) lane: Lane,
    pub(super) attempts: u32,
    pub(super) crashes: u32,
    pub(super) run_at: DateTime<Utc>,
    pub(super) born_at: DateTime<Utc>,
    pub(super) trace_id: Option<String>,
    /// What it failed with at last, as JSON.
    pub(super) failure: Option<String>,
    /// Of its lease, while it runs.
    pub(super) token: Option<LeaseToken>,
    /// Whether its contact was erased since it was started.
    pub(super) is_dropped: bool,
    pub(super) state: LineRow,
    pub(super) subject: Subject,
}

/// What a job works on.
#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) revision: u64,
    pub(super) contact: Option<Contact>,
    pub(super) is_erased: bool,
    /// What has to be taken back or away.
    pub(super) undo: Option<Undo>,
    /// Under what else the record of a removal is known or may be found.
    also: Vec<String>,
}

impl JobRow {
    /// Reads a job, its line and its subject.
    pub(super) fn read(row: &Row) -> Result<Self> {
        let mut job = Self::read_alone(row)?;
        job.subject = Subject::read(row)?;
        Ok(job)
    }

    /// Reads a job and its line.
    pub(super) fn read_alone(row: &Row) -> Result<Self> {
        let number = |column| -> Result<u32> {
            u32::try_from(get::<i64>(row, column)?).map_err(|_| corrupt(column))
        };
        Ok(Self {
            id: get::<Id>(row, "id")?.0.into(),
            line: LineId::new(
                ContactId::from(get::<Id>(row, "contact_id")?.0),
                TargetName::from(get::<String>(row, "target")?),
            ),
            tenant: TenantId::from(get::<String>(row, "tenant_id")?),
            kind: job_kind(&get::<String>(row, "kind")?)?,
            ordering_key: get(row, "ordering_key")?,
            lane: match get::<i64>(row, "lane")? {
                0 => Lane::Interactive,
                _ => Lane::Bulk,
            },
            attempts: number("attempts")?,
            crashes: number("crash_count")?,
            run_at: get::<Time>(row, "run_at")?.0,
            born_at: get::<Time>(row, "born_at")?.0,
            trace_id: get(row, "trace_id")?,
            failure: get(row, "last_error")?,
            token: get::<Option<Id>>(row, "lease_token")?.map(|id| id.0.into()),
            is_dropped: get(row, "is_dropped")?,
            state: LineRow::read(row)?,
            subject: Subject::default(),
        })
    }

    /// Returns the identifiers that the job needs for itself, each once.
    pub(super) fn identifiers(&self) -> Vec<String> {
        let person = self.person().map(Contact::identifiers);
        let person = person.into_iter().flatten();
        let mut identifiers: Vec<String> = person.map(|one| identifier_text(&one)).collect();
        for also in &self.subject.also {
            if !identifiers.contains(also) {
                identifiers.push(also.clone());
            }
        }
        identifiers
    }

    /// Returns the contact whom the job is about.
    pub(super) fn person(&self) -> Option<&Contact> {
        match &self.subject.undo {
            Some(undo) => Some(&undo.contact),
            None => self.subject.contact.as_ref(),
        }
    }
}

impl Subject {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let contact: Option<String> = get(row, "contact")?;
        let undo: Option<String> = get(row, "undo_contact")?;
        let also: Option<String> = get(row, "undo_also")?;
        let also = also.map(|also| from_json(&also, "also")).transpose()?;
        let undo = undo.map(|contact| read_undo(row, &contact)).transpose()?;
        Ok(Self {
            revision: get::<Option<i64>>(row, "revision")?
                .unwrap_or_default()
                .cast_unsigned(),
            contact: contact
                .as_deref()
                .map(|text| contact_of(text, "contact"))
                .transpose()?,
            is_erased: get(row, "is_erased")?,
            undo,
            also: also.unwrap_or_default(),
        })
    }
}

fn read_undo(row: &Row, contact: &str) -> Result<Undo> {
    let key: String = get(row, "undo_key")?;
    let started_at: Time = get(row, "undo_started_at")?;
    let contact = contact_of(contact, "contact")?;
    let key: ExternalKey = from_json(&key, "external_key")?;
    let mut undo = Undo::new(contact, key, started_at.0);
    undo.remote = get::<Option<String>>(row, "undo_remote")?.map(RemoteId::from);
    Ok(undo)
}

/// Reads a contact from its JSON.
pub(super) fn contact_of(text: &str, column: &str) -> Result<Contact> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

pub(super) fn job_kind(word: &str) -> Result<JobKind> {
    match word {
        "deliver" => Ok(JobKind::Deliver),
        "undo" => Ok(JobKind::Undo),
        "remove" => Ok(JobKind::Remove),
        _ => Err(corrupt("kind")),
    }
}

/// Writes what a job failed with.
pub(super) fn failure_text(failure: &FailureNote) -> Result<String> {
    serde_json::to_string(failure).map_err(|_| corrupt("last_error"))
}
