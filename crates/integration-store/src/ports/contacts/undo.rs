//! Undo jobs: what has to be taken back of a strict create, and who sees to it.
//!
//! The undo job of a create that is under way is the first of its line and held by its operation; nobody else touches
//! it until the operation is over. What is personal about it lies in `sync_undos` and goes with the job.

use chrono::{DateTime, Utc};
use contact_sync::{
    Contact, ExternalKey, Held, JobId, JobKind, Lane, RemoteId, StoreError, TenantId, Undo,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::contact::LineId;
use super::outbox::{NewRow, add_job};
use super::{Connection, Result, Statements, corrupt, failed, get};
use crate::columns::{Id, Time};

/// The first live job of a line. What works on the job locks it before the line.
const LOCK_FIRST: &str = "
    select id from main.sync_outbox
    where contact_id = $1 and target = $2 and state in ('ready', 'retrying', 'running', 'held')
    order by position limit 1 /* for update */";

const FIRST: &str = "
    select o.id, o.kind, o.run_at, o.attempts, o.crash_count, o.born_at,
        u.contact, u.external_key, u.remote_id, u.started_at
    from main.sync_outbox o left join main.sync_undos u on u.job_id = o.id
    where o.contact_id = $1 and o.target = $2 and o.state in ('ready', 'retrying', 'running', 'held')
    order by o.position limit 1";

const DESCRIBE: &str = "
    insert into main.sync_undos (job_id, contact, external_key, remote_id, started_at)
    values ($1, $2, $3, $4, $5)
    on conflict (job_id) do update set contact = excluded.contact, external_key = excluded.external_key,
        remote_id = excluded.remote_id, started_at = excluded.started_at";

const NAME: &str = "update main.sync_undos set remote_id = $2 where job_id = $1";

const POSTPONE: &str = "update main.sync_outbox set run_at = $2, updated_at = $3 where id = $1";

const TAKE_OVER: &str = "
    update main.sync_outbox set state = 'held', operation_id = $2, waits_for = null, updated_at = $3
    where id = $1";

const LET_GO: &str = "
    update main.sync_outbox set state = 'retrying', operation_id = null, crash_count = crash_count + $2, updated_at = $3
    where id = $1";

const RESTORE: &str = "
    update main.sync_outbox set attempts = $2, crash_count = $3, born_at = $4 where id = $1";

/// An undo job that nobody runs.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) job: JobId,
    pub(super) run_at: DateTime<Utc>,
    attempts: i64,
    crashes: i64,
    born_at: DateTime<Utc>,
    pub(super) undo: Undo,
}

impl Waiting {
    /// Tells whether it is about this record. One that is not has to run, whatever is confirmed.
    pub(super) fn undoes(&self, remote: Option<&RemoteId>) -> bool {
        self.undo.remote.is_some() && self.undo.remote.as_ref() == remote
    }
}

/// An undo job as a confirmation keeps it that may be taken back.
#[derive(Serialize, Deserialize)]
pub(super) struct Removed {
    run_at: DateTime<Utc>,
    attempts: i64,
    crashes: i64,
    born_at: DateTime<Utc>,
    contact: Contact,
    key: ExternalKey,
    remote: Option<RemoteId>,
    started_at: DateTime<Utc>,
}

impl From<Waiting> for Removed {
    fn from(waiting: Waiting) -> Self {
        Self {
            run_at: waiting.run_at,
            attempts: waiting.attempts,
            crashes: waiting.crashes,
            born_at: waiting.born_at,
            contact: waiting.undo.contact,
            key: waiting.undo.key,
            remote: waiting.undo.remote,
            started_at: waiting.undo.started_at,
        }
    }
}

/// Locks the first live job of a line, which another transaction may be about to run.
pub(super) async fn lock_first(
    store: &impl Statements,
    conn: &mut Connection,
    line: &LineId,
) -> Result<()> {
    let query = store
        .query(LOCK_FIRST)
        .bind(line.contact_row())
        .bind(line.target_text());
    query.fetch_optional(conn).await.map_err(failed)?;
    Ok(())
}

/// Returns the first live job of a line, if it is an undo.
pub(super) async fn waiting(
    store: &impl Statements,
    conn: &mut Connection,
    line: &LineId,
) -> Result<Option<Waiting>> {
    let query = store
        .query(FIRST)
        .bind(line.contact_row())
        .bind(line.target_text());
    let Some(row) = query.fetch_optional(conn).await.map_err(failed)? else {
        return Ok(None);
    };
    if get::<String>(&row, "kind")? != "undo" {
        return Ok(None);
    }
    let mut undo = Undo::new(
        from_json(&get::<String>(&row, "contact")?, "contact")?,
        from_json(&get::<String>(&row, "external_key")?, "external_key")?,
        get::<Time>(&row, "started_at")?.0,
    );
    undo.remote = get::<Option<String>>(&row, "remote_id")?.map(RemoteId::from);
    Ok(Some(Waiting {
        job: JobId::from(get::<Id>(&row, "id")?.0),
        run_at: get::<Time>(&row, "run_at")?.0,
        attempts: get(&row, "attempts")?,
        crashes: get(&row, "crash_count")?,
        born_at: get::<Time>(&row, "born_at")?.0,
        undo,
    }))
}

/// Writes down what an undo job has to take back, instead of what it had to before.
pub(super) async fn describe(
    store: &impl Statements,
    conn: &mut Connection,
    job: JobId,
    undo: &Undo,
) -> Result<()> {
    let query = store
        .query(DESCRIBE)
        .bind(Id::from(job.as_uuid()))
        .bind(json(&undo.contact)?)
        .bind(json(&undo.key)?)
        .bind(
            undo.remote
                .as_ref()
                .map(|remote| remote.as_str().to_owned()),
        )
        .bind(Time::from(undo.started_at));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Puts a new undo job before everything else of its line, held by its operation.
pub(super) async fn add(
    store: &impl Statements,
    conn: &mut Connection,
    (line, tenant): (&LineId, &TenantId),
    held: Held,
    undo: &Undo,
    (run_at, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<JobId> {
    let row = NewRow {
        line,
        tenant,
        kind: JobKind::Undo,
        lane: Lane::Bulk,
        operation: Some(Id::from(held.operation.as_uuid())),
        is_first: true,
        trace_id: None,
        run_at,
        now,
    };
    let job = add_job(store, conn, row).await?;
    describe(store, conn, job, undo).await?;
    Ok(job)
}

/// Puts an undo job back that a confirmation has removed.
pub(super) async fn put_back(
    store: &impl Statements,
    conn: &mut Connection,
    place: (&LineId, &TenantId),
    held: Held,
    removed: Removed,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut undo = Undo::new(removed.contact, removed.key, removed.started_at);
    undo.remote = removed.remote;
    let job = add(store, conn, place, held, &undo, (removed.run_at, now)).await?;
    let query = store
        .query(RESTORE)
        .bind(Id::from(job.as_uuid()))
        .bind(removed.attempts)
        .bind(removed.crashes)
        .bind(Time::from(removed.born_at));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Writes down what the vendor calls the record, which the undo deletes from now on, at once if it comes to that.
pub(super) async fn name(
    store: &impl Statements,
    conn: &mut Connection,
    job: JobId,
    remote: &RemoteId,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(NAME)
        .bind(Id::from(job.as_uuid()))
        .bind(remote.as_str().to_owned());
    query.execute(&mut *conn).await.map_err(failed)?;
    postpone(store, conn, job, now, now).await
}

/// Lets an undo run no sooner than at a time.
pub(super) async fn postpone(
    store: &impl Statements,
    conn: &mut Connection,
    job: JobId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(POSTPONE)
        .bind(Id::from(job.as_uuid()))
        .bind(Time::from(until))
        .bind(Time::from(now));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Makes a waiting undo that of an operation.
pub(super) async fn take_over(
    store: &impl Statements,
    conn: &mut Connection,
    job: JobId,
    held: Held,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(TAKE_OVER)
        .bind(Id::from(job.as_uuid()))
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Time::from(now));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Makes an undo a job like any other, after an end that counts as a crash or one that does not.
pub(super) async fn let_go(
    store: &impl Statements,
    conn: &mut Connection,
    job: JobId,
    is_crash: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(LET_GO)
        .bind(Id::from(job.as_uuid()))
        .bind(i64::from(is_crash))
        .bind(Time::from(now));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Writes what the columns of JSON hold. Texts in it may hold what a column of texts does not take.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::unavailable("a value has no JSON form"))
}

/// Reads it again.
pub(super) fn from_json<T: DeserializeOwned>(text: &str, column: &str) -> Result<T> {
    // The texts of its errors quote what was read.
    serde_json::from_str(text).map_err(|_| corrupt(column))
}
