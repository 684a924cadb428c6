//! What becomes of a job and of its line when an attempt is over: computed here, and written for many jobs at once.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contact_sync::limits::check_remote;
use contact_sync::{
    Ack, ContactId, ErrorClass, FailureNote, JobId, JobKind, LinkChange, LogOutcome, Outcome,
};
use serde::Serialize;
use uuid::Uuid;

use super::erase::wipe_if_done;
use super::job_row::{JobRow, failure_text};
use super::line::{
    KnownRow, LineKey, LinkState, MAX_KNOWN, batch, cut_links, forget_record, known_rows, stamp,
};
use super::{Connection, Result, Store, corrupt, failed, queue};
use crate::columns::{Time, counter, lease_ttl, word};
use crate::failure::{Class, Failure};

/// A job whose attempt is over, as it is to be written.
#[derive(Debug)]
pub(super) struct Ending {
    job: JobRow,
    has_more: bool,
    is_gone: bool,
    state: &'static str,
    is_parked: bool,
    settles_at: Option<DateTime<Utc>>,
    stale_job: Option<JobId>,
    attempt: Option<AttemptRow>,
    /// A record that does not exist any more, or that the contact is no longer known by.
    cut: Option<Cut>,
    known: Vec<KnownRow>,
    /// What is counted of it.
    pub(super) tally: Tally,
}

#[derive(Debug)]
enum Cut {
    /// Every link to it goes.
    Gone(contact_sync::RemoteId),
    /// The contact's own goes.
    Own(contact_sync::RemoteId),
}

#[derive(Debug, Serialize)]
struct AttemptRow {
    attempt: u32,
    duration_ms: i64,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
}

/// What is counted of an ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tally {
    #[default]
    Nothing,
    Created,
    Updated,
    Unchanged,
    Undone,
    Removed,
    Retried,
    Parked,
    Review,
    Dead,
    Crash {
        is_dead: bool,
    },
}

impl Ending {
    /// Says what a worker's outcome makes of its job.
    pub(super) fn of_outcome(
        job: JobRow,
        has_more: bool,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let mut ending = Self::new(job, has_more);
        ending.change_link(&outcome.link, now)?;
        let failure = match &outcome.log.outcome {
            LogOutcome::Failed(note) => Some(failure_text(note)?),
            _ => None,
        };
        let ack = outcome.ack_at(ending.job.subject.revision);
        ending.acknowledge(&ack, failure, now)?;
        let log = &outcome.log;
        ending.attempt = Some(AttemptRow {
            attempt: log.attempt,
            duration_ms: counter(log.duration_ms),
            outcome: serde_json::to_string(&log.outcome).map_err(|_| corrupt("outcome"))?,
            signal: outcome.status.as_ref().map(|status| word(&status.signal)),
        });
        ending.tally = tally(&outcome.log.outcome, &ack);
        Ok(ending)
    }

    /// Says what becomes of a job whose worker did not come back.
    pub(super) fn of_crash(
        job: JobRow,
        has_more: bool,
        max_crashes: u32,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let mut ending = Self::new(job, has_more);
        let crashes = ending.job.crashes.saturating_add(1);
        ending.job.crashes = crashes;
        let failure = Some(failure_text(&FailureNote::new(ErrorClass::Ambiguous))?);
        let is_dead = crashes >= max_crashes;
        if ending.job.is_dropped {
            ending.is_gone = true;
        } else if is_dead {
            ending.stop("dead", failure);
        } else {
            let wait = 2_u64.saturating_pow(crashes);
            ending.again(
                Duration::from_secs(wait).min(Duration::from_hours(1)),
                failure,
                now,
            );
        }
        ending.tally = Tally::Crash {
            is_dead: ending.is_dead(),
        };
        Ok(ending)
    }

    fn new(job: JobRow, has_more: bool) -> Self {
        Self {
            settles_at: job.state.settles_at,
            job,
            has_more,
            is_gone: false,
            state: "ready",
            is_parked: false,
            stale_job: None,
            attempt: None,
            cut: None,
            known: Vec::new(),
            tally: Tally::Nothing,
        }
    }

    pub(super) fn job(&self) -> &JobRow {
        &self.job
    }

    pub(super) fn is_dead(&self) -> bool {
        !self.is_gone && self.state == "dead"
    }

    fn change_link(&mut self, change: &LinkChange, now: DateTime<Utc>) -> Result<()> {
        let line = &mut self.job.state;
        match change {
            LinkChange::Unclear { settle } => {
                if line.link == LinkState::Intent {
                    self.settles_at = Some(now + lease_ttl(*settle));
                }
            }
            LinkChange::Withdraw => {
                if line.link == LinkState::Intent {
                    self.set_link(LinkState::None);
                }
            }
            LinkChange::Set { remote, created } => {
                check_remote(remote)?;
                let was_ours = line.link.is_ours() && line.link.remote() == Some(remote);
                // Whoever comes back after an erasure is not known by what was before.
                let contact = self.job.subject.contact.as_ref();
                if let Some(contact) = contact.filter(|_| !self.job.is_dropped) {
                    let rows = known_rows(&self.job.tenant, &self.job.line, contact, remote);
                    self.known = rows.collect();
                }
                self.set_link(LinkState::Linked {
                    remote: remote.clone(),
                    is_ours: *created || was_ours,
                });
            }
            LinkChange::Unlink => {
                self.cut = line.link.remote().cloned().map(Cut::Own);
                line.delivered = 0;
                self.set_link(LinkState::None);
            }
            LinkChange::Gone(remote) => {
                if line.link.remote() == Some(remote) {
                    line.delivered = 0;
                    self.set_link(LinkState::None);
                }
                // What cannot be kept has no links.
                self.cut = check_remote(remote)
                    .is_ok()
                    .then(|| Cut::Gone(remote.clone()));
            }
            LinkChange::Keep => {}
            _ => return Err(unknown("a change of a link")),
        }
        Ok(())
    }

    fn set_link(&mut self, link: LinkState) {
        self.job.state.link = link;
        self.settles_at = None;
    }

    fn acknowledge(
        &mut self,
        ack: &Ack,
        failure: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        match *ack {
            // Nobody wants it delivered any more: what is left of it is for the removal behind it.
            _ if self.job.is_dropped => self.is_gone = true,
            Ack::Done { revision } => self.complete(revision, now),
            Ack::Retry { after } => self.again(after, failure, now),
            Ack::Snooze { after } => self.snooze(after, failure, now),
            Ack::Park { after } => {
                self.snooze(after, failure, now);
                self.is_parked = true;
                self.job.born_at += lease_ttl(after);
            }
            Ack::Review => self.stop("review", failure),
            Ack::Dead => self.stop("dead", failure),
            _ => return Err(unknown("an acknowledgement")),
        }
        Ok(())
    }

    fn complete(&mut self, revision: u64, now: DateTime<Utc>) {
        let job = &mut self.job;
        job.state.delivered = job.state.delivered.max(revision);
        let is_delivery = job.kind == JobKind::Deliver;
        if is_delivery {
            self.stale_job = job.state.stopped_job.take();
        }
        if is_delivery && job.subject.revision > revision {
            // The person signed up again meanwhile: the same job carries the newer revision.
            (job.run_at, job.born_at) = (now, now);
            (job.attempts, job.crashes, job.failure) = (0, 0, None);
        } else {
            self.is_gone = true;
        }
    }

    fn again(&mut self, after: Duration, failure: Option<String>, now: DateTime<Utc>) {
        self.state = "retrying";
        self.job.run_at = now + lease_ttl(after);
        self.job.failure = failure.or(self.job.failure.take());
    }

    fn snooze(&mut self, after: Duration, failure: Option<String>, now: DateTime<Utc>) {
        self.again(after, failure, now);
        self.job.attempts = self.job.attempts.saturating_sub(1);
    }

    fn stop(&mut self, state: &'static str, failure: Option<String>) {
        self.state = state;
        self.job.failure = failure.or(self.job.failure.take());
        if self.job.kind == JobKind::Deliver {
            self.stale_job = self.job.state.stopped_job.replace(self.job.id);
        }
    }

    fn is_live(&self) -> bool {
        !self.is_gone && matches!(self.state, "ready" | "retrying")
    }

    fn row(&self) -> EndingRow<'_> {
        let (job, line) = (&self.job, &self.job.state);
        let intent_at = line.intent_at.filter(|_| line.link == LinkState::Intent);
        EndingRow {
            id: job.id.as_uuid(),
            kind: word(&job.kind),
            tenant_id: job.tenant.as_str(),
            contact_id: job.line.contact.as_uuid(),
            target: job.line.target.as_str(),
            ordering_key: &job.ordering_key,
            is_gone: self.is_gone,
            kept: (!self.is_gone).then(|| KeptRow {
                state: self.state,
                is_head: self.is_live(),
                is_parked: self.is_parked,
                run_at: stamp(job.run_at),
                born_at: stamp(job.born_at),
                attempts: job.attempts,
                crash_count: job.crashes,
                last_error: job.failure.as_deref(),
            }),
            link: line.link.word(),
            remote_id: line.link.remote().map(contact_sync::RemoteId::as_str),
            is_ours: line.link.is_ours(),
            intent_at: intent_at.map(stamp),
            settles_at: self.settles_at.map(stamp),
            delivered: counter(line.delivered),
            stopped_job: line.stopped_job.map(|job| job.as_uuid()),
            stale_job: self.stale_job.map(|job| job.as_uuid()),
            trace_id: job.trace_id.as_deref(),
            attempt: self.attempt.as_ref(),
        }
    }
}

/// An ending, within a batch: what is left out is null.
#[derive(Serialize)]
struct EndingRow<'a> {
    id: Uuid,
    kind: String,
    tenant_id: &'a str,
    contact_id: Uuid,
    target: &'a str,
    ordering_key: &'a str,
    is_gone: bool,
    #[serde(flatten)]
    kept: Option<KeptRow<'a>>,
    link: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_id: Option<&'a str>,
    is_ours: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settles_at: Option<String>,
    delivered: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_job: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_job: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(flatten)]
    attempt: Option<&'a AttemptRow>,
}

/// The job, where there is still one.
#[derive(Serialize)]
struct KeptRow<'a> {
    state: &'static str,
    is_head: bool,
    is_parked: bool,
    run_at: String,
    born_at: String,
    attempts: u32,
    crash_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
}

fn tally(outcome: &LogOutcome, ack: &Ack) -> Tally {
    match ack {
        Ack::Done { .. } => match outcome {
            LogOutcome::Delivered { action, .. } => match action {
                contact_sync::Action::Created => Tally::Created,
                contact_sync::Action::Updated => Tally::Updated,
                contact_sync::Action::Unchanged => Tally::Unchanged,
                _ => Tally::Nothing,
            },
            LogOutcome::Undone => Tally::Undone,
            LogOutcome::Removed | LogOutcome::Kept => Tally::Removed,
            _ => Tally::Nothing,
        },
        Ack::Park { .. } => Tally::Parked,
        Ack::Review => Tally::Review,
        Ack::Dead => Tally::Dead,
        Ack::Retry { .. } | Ack::Snooze { .. } => match outcome {
            LogOutcome::Failed(_) => Tally::Retried,
            _ => Tally::Nothing,
        },
        _ => Tally::Nothing,
    }
}

/// What a later version of the worker says, and this one cannot write down.
fn unknown(what: &str) -> contact_sync::StoreError {
    Failure::new(
        Class::Unfit,
        format!("{what} that this version does not know"),
    )
    .into()
}

/// Writes endings together: the jobs and their lines are locked.
pub(super) async fn write(
    store: &Store,
    connection: &mut Connection,
    endings: &[Ending],
    now: DateTime<Utc>,
) -> Result<()> {
    for ending in endings {
        let job = &ending.job;
        match &ending.cut {
            Some(Cut::Gone(remote)) => {
                cut_links(
                    store,
                    connection,
                    &job.tenant,
                    job.line.target.as_str(),
                    remote,
                )
                .await?;
            }
            Some(Cut::Own(remote)) => {
                forget_record(store, connection, &job.line, &job.tenant, remote).await?;
            }
            None => {}
        }
    }
    let rows: Vec<EndingRow<'_>> = endings.iter().map(Ending::row).collect();
    let mut known: Vec<&KnownRow> = endings.iter().flat_map(|ending| &ending.known).collect();
    // In one order for everybody; of two contacts that have the same record the later one stands for it.
    known.sort_unstable();
    known.dedup_by(|later, kept| later.is_same_record(kept));
    let query = store
        .query(queue::FINISH)
        .bind(batch(&rows)?)
        .bind(Time::from(now))
        .bind(batch(&known)?)
        .bind(MAX_KNOWN);
    query.execute(&mut *connection).await.map_err(failed)?;
    let left: Vec<LineKey<'_>> = endings
        .iter()
        .filter(|ending| ending.has_more && !ending.is_live())
        .map(|ending| LineKey::from(&ending.job.line))
        .collect();
    if !left.is_empty() {
        let query = store.query(queue::HEADS).bind(batch(&left)?);
        let query = query.bind(Time::from(now));
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    // In one order for everybody, and each once.
    let erased: BTreeSet<ContactId> = endings
        .iter()
        .filter(|ending| ending.job.subject.is_erased)
        .map(|ending| ending.job.line.contact)
        .collect();
    for contact in erased {
        wipe_if_done(store, connection, contact).await?;
    }
    Ok(())
}

/// What became of the world while jobs were at work.
pub(super) struct Meanwhile {
    pub(super) now: DateTime<Utc>,
    /// Of each job, whether its line has more of them.
    pub(super) more: Vec<bool>,
}

/// Reads what jobs work on, as it is now. The jobs are locked; without one of them there is nothing to be read.
pub(super) async fn meanwhile(
    store: &Store,
    connection: &mut Connection,
    jobs: &mut [JobRow],
) -> Result<Option<Meanwhile>> {
    #[derive(Serialize)]
    struct Key {
        id: Uuid,
    }
    let keys: Vec<Key> = jobs
        .iter()
        .map(|job| Key {
            id: job.id.as_uuid(),
        })
        .collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let time = store.time_of_queue(connection).await?;
    let query = store.query(queue::MEANWHILE).bind(batch(&keys)?).bind(time);
    let mut now = None;
    let mut more = vec![false; jobs.len()];
    for row in query.fetch_all(connection).await.map_err(failed)? {
        now = Some(super::get::<Time>(&row, "now")?.0);
        let id = JobId::from(super::get::<crate::columns::Id>(&row, "id")?.0);
        for (job, more) in jobs
            .iter_mut()
            .zip(&mut more)
            .filter(|(job, _)| job.id == id)
        {
            job.subject = super::job_row::Subject::read(&row)?;
            *more = super::get(&row, "has_more")?;
        }
    }
    Ok(now.map(|now| Meanwhile { now, more }))
}
