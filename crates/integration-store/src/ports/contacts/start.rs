//! Jobs under their leases.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contact_sync::{Claim, Contact, Delivery, JobId, JobKind, Known, LeaseToken, Removal, Work};
use serde::Serialize;
use uuid::Uuid;

use super::blocker::{Around, aliases, known_record};
use super::job_row::JobRow;
use super::line::{LinkState, batch, contact_json, stamp};
use super::{Connection, Result, Statements, Store, failed, queue};
use crate::columns::{Id, Time, lease_ttl};

/// A job that is started, within a batch.
#[derive(Serialize)]
struct Start {
    id: Uuid,
    token: Uuid,
    lease_until: String,
    contact_id: Uuid,
    target: String,
    link: &'static str,
    intent_at: Option<String>,
    held_contact: String,
}

/// Puts jobs under their leases, whose identifiers their lines have; returns when these run out.
pub(super) async fn start(
    store: &impl Statements,
    connection: &mut Connection,
    jobs: Vec<(JobRow, Around)>,
    lease: Duration,
    now: DateTime<Utc>,
    claims: &mut Vec<Claim>,
) -> Result<Option<DateTime<Utc>>> {
    let until = now + lease_ttl(lease);
    let mut rows = Vec::new();
    for (job, around) in jobs {
        let Some(person) = job.person() else { continue };
        let known = match job.state.link.remote() {
            Some(remote) => Known::One(remote.clone()),
            None => around.known(person),
        };
        let Some((row, claim)) =
            prepare(&job, person, known, || around.aliases(person), (now, until))?
        else {
            continue;
        };
        rows.push(row);
        claims.push(claim);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    write_starts(store, connection, &rows, now).await?;
    Ok(Some(until))
}

async fn write_starts(
    store: &impl Statements,
    connection: &mut Connection,
    rows: &[Start],
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store.query(queue::START).bind(batch(&rows)?);
    let query = query.bind(Time::from(now));
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Puts a single job under a lease, whose line is held for it.
pub(super) async fn lease_out_row(
    store: &impl Statements,
    connection: &mut Connection,
    job: JobRow,
    contact: &Contact,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Claim>> {
    let known = known_record(store, connection, &job.line, &job.tenant, contact).await?;
    let aliases = aliases(store, connection, &job.line, &job.tenant, contact).await?;
    let until = now + lease_ttl(lease);
    let Some((row, claim)) = prepare(&job, contact, known, || aliases, (now, until))? else {
        return Ok(None);
    };
    write_starts(store, connection, &[row], now).await?;
    Ok(Some(claim))
}

/// Makes the claim of a job, and what is written for it. A claim of a contact that nobody knows moves the link to an
/// intent. Without a contact there is nothing to claim.
fn prepare(
    job: &JobRow,
    person: &Contact,
    known: Known,
    aliases: impl FnOnce() -> Vec<contact_sync::ExternalKey>,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<(Start, Claim)>> {
    let mut link = job.state.link.clone();
    let Some(work) = work(job, known, aliases) else {
        return Ok(None);
    };
    if let Work::Deliver(delivery) = &work
        && delivery.known == Known::Nobody
    {
        link = LinkState::Intent;
    }
    let intent_at = match link {
        LinkState::Intent => Some(job.state.intent_at.unwrap_or(now)),
        _ => None,
    };
    let token = LeaseToken::generate();
    let row = Start {
        id: job.id.as_uuid(),
        token: token.as_uuid(),
        lease_until: stamp(until),
        contact_id: job.line.contact.as_uuid(),
        target: job.line.target_text(),
        link: link.word(),
        intent_at: intent_at.map(stamp),
        held_contact: contact_json(person)?,
    };
    let whose = (
        job.tenant.clone(),
        job.line.target.clone(),
        job.line.contact,
    );
    let mut claim = Claim::new(job.id, token, whose, work);
    claim.lane = job.lane;
    claim.attempt = job.attempts.saturating_add(1);
    claim.age = (now - job.born_at).to_std().unwrap_or_default();
    claim.trace_id.clone_from(&job.trace_id);
    Ok(Some((row, claim)))
}

fn work(
    job: &JobRow,
    known: Known,
    aliases: impl FnOnce() -> Vec<contact_sync::ExternalKey>,
) -> Option<Work> {
    let subject = &job.subject;
    if job.kind == JobKind::Undo {
        return Some(Work::Undo(Box::new(subject.undo.clone()?)));
    }
    if job.kind == JobKind::Remove {
        let erased = subject.undo.as_ref()?;
        let mut removal = Removal::new(erased.contact.clone(), erased.key.clone());
        removal.remote = job.state.link.remote().cloned();
        removal.is_ours = job.state.link.is_ours();
        removal.since = job
            .state
            .intent_at
            .filter(|_| job.state.link == LinkState::Intent);
        return Some(Work::Remove(Box::new(removal)));
    }
    let contact = subject.contact.clone()?;
    let key = contact.key().external(job.line.contact);
    let mut delivery = Delivery::new(contact, subject.revision, key);
    delivery.uncertain = job.state.link == LinkState::Intent;
    delivery.known = known;
    delivery.aliases = aliases();
    Some(Work::Deliver(Box::new(delivery)))
}

/// Extends a lease to `lease` from now. `false` when it was lost.
pub(super) async fn renew(
    store: &Store,
    job: JobId,
    token: LeaseToken,
    lease: Duration,
) -> Result<bool> {
    let asked = store.local.timer.now();
    let renewed = store
        .change(move |store, connection| {
            Box::pin(async move {
                let query = store
                    .query(queue::RENEW)
                    .bind(Id::from(job.as_uuid()))
                    .bind(Id::from(token.as_uuid()))
                    .bind(store.time_of_queue(connection).await?)
                    .bind(lease_ttl(lease).num_microseconds().unwrap_or(i64::MAX))
                    .bind(
                        store
                            .time_of_queue(connection)
                            .await?
                            .map(|now| Time::from(now.0 + lease_ttl(lease))),
                    );
                let done = query.execute(connection).await.map_err(failed)?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await?;
    if renewed {
        store.local.watch.leased(job, token, asked + lease);
    }
    Ok(renewed)
}
