//! Jobs of a line, in their order.

use chrono::{DateTime, Utc};
use contact_sync::{JobId, JobKind, Lane, TenantId};

use super::contact::{LineId, ordering_key};
use super::{Connection, Result, Statements, failed, get};
use crate::columns::{Id, Time, word};

const ENSURE_LINE: &str = "
    insert into main.sync_lines (contact_id, target, tenant_id, link) values ($1, $2, $3, 'none')
    on conflict (contact_id, target) do update set tenant_id = excluded.tenant_id";

/// A delivery that waits or runs takes the newer revision along. One that waits for another line may not have to any
/// more, with what the contact says now. What is left of a wait for an integration does not count as age.
const JOIN_DELIVERY: &str = "
    update main.sync_outbox
    set lane = case when lane < $2 then lane else $2 end, trace_id = coalesce($3, trace_id),
        born_at = case when is_parked and run_at > $4 then run_at else $4 end, waits_for = null, updated_at = $4
    where kind = 'deliver' and dedup_key = $1 and state in ('ready', 'retrying', 'running', 'held')";

/// The last of its line, and so the head of one that has no other.
const APPEND: &str = "
    insert into main.sync_outbox
        (id, tenant_id, kind, target, contact_id, payload, ordering_key, dedup_key, position, is_head, lane, state,
         run_at, born_at, operation_id, trace_id, updated_at)
    select $1, $2, $3, $4, $5, '{}', $6, $7, coalesce(max(o.position), 0) + 1, count(*) = 0, $8, $9, $10, $11, $12, $13,
        $14
    from main.sync_outbox o
    where o.contact_id = $5 and o.target = $4 and o.state in ('ready', 'retrying', 'running', 'held')
    on conflict (kind, dedup_key) where state in ('ready', 'retrying', 'running', 'held') do nothing";

/// The first of its line, before the one that was.
const PREPEND: &str = "
    insert into main.sync_outbox
        (id, tenant_id, kind, target, contact_id, payload, ordering_key, dedup_key, position, is_head, lane, state,
         run_at, born_at, operation_id, trace_id, updated_at)
    select $1, $2, $3, $4, $5, '{}', $6, $7, coalesce(min(o.position), 0) - 1, 1 = 0, $8, $9, $10, $11, $12, $13, $14
    from main.sync_outbox o
    where o.contact_id = $5 and o.target = $4 and o.state in ('ready', 'retrying', 'running', 'held')
    on conflict (kind, dedup_key) where state in ('ready', 'retrying', 'running', 'held') do nothing";

/// Whoever is back is nobody to remove.
const FORGET_STOPPED_REMOVAL: &str = "
    delete from main.sync_outbox
    where contact_id = $1 and target = $2 and kind = 'remove' and state in ('review', 'dead')
    returning id";

const LIVE_JOB: &str = "
    select id from main.sync_outbox
    where kind = $1 and dedup_key = $2 and state in ('ready', 'retrying', 'running', 'held')";

const HEAD: &str = "
    update main.sync_outbox as o
    set is_head = (o.state in ('ready', 'retrying', 'running', 'held') and o.position = f.first)
    from (
        select coalesce(min(position), 0) as first from main.sync_outbox
        where contact_id = $1 and target = $2 and state in ('ready', 'retrying', 'running', 'held')
    ) f
    where o.contact_id = $1 and o.target = $2
        and o.is_head <> (o.state in ('ready', 'retrying', 'running', 'held') and o.position = f.first)";

const LOCK_JOB: &str =
    "select contact_id, target from main.sync_outbox where id = $1 /* for update */";

const LOCK_LINE: &str =
    "select target from main.sync_lines where contact_id = $1 and target = $2 /* for update */";

const REMOVE: &str = "delete from main.sync_outbox where id = $1";

const REMOVE_UNDO: &str = "delete from main.sync_undos where job_id = $1";

/// Returns the number of a lane: the lower, the more urgent.
pub(in super::super) fn lane_number(lane: Lane) -> i64 {
    match lane {
        Lane::Interactive => 0,
        _ => 1,
    }
}

/// A job to be added.
pub(in super::super) struct NewRow<'a> {
    pub(in super::super) line: &'a LineId,
    pub(in super::super) tenant: &'a TenantId,
    pub(in super::super) kind: JobKind,
    pub(in super::super) lane: Lane,
    /// The operation that holds it, where it is an undo job that waits for one to end.
    pub(in super::super) operation: Option<Id>,
    /// Whether it goes before all others of its line, and not behind them.
    pub(in super::super) is_first: bool,
    pub(in super::super) trace_id: Option<&'a str>,
    pub(in super::super) run_at: DateTime<Utc>,
    pub(in super::super) now: DateTime<Utc>,
}

/// Makes sure that a line is there, and locks it.
pub(in super::super) async fn ensure_line(
    store: &impl Statements,
    connection: &mut Connection,
    line: &LineId,
    tenant: &TenantId,
) -> Result<()> {
    let query = store
        .query(ENSURE_LINE)
        .bind(line.contact_row())
        .bind(line.target_text())
        .bind(tenant.as_str().to_owned());
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Queues a delivery, or makes the live one as urgent as this and as young. The line need not be there.
pub(in super::super) async fn queue_delivery(
    store: &impl Statements,
    connection: &mut Connection,
    line: &LineId,
    tenant: &TenantId,
    urgency: Lane,
    trace_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    forget_stopped_removal(store, connection, line).await?;
    let joined = store
        .query(JOIN_DELIVERY)
        .bind(ordering_key(line))
        .bind(lane_number(urgency))
        .bind(trace_id.map(printable))
        .bind(Time::from(now))
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    if joined.rows_affected() > 0 {
        return Ok(());
    }
    add_delivery(store, connection, line, tenant, urgency, trace_id, now).await
}

/// Queues a delivery on a line that has none.
pub(in super::super) async fn add_delivery(
    store: &impl Statements,
    connection: &mut Connection,
    line: &LineId,
    tenant: &TenantId,
    urgency: Lane,
    trace_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    ensure_line(store, connection, line, tenant).await?;
    let row = NewRow {
        line,
        tenant,
        kind: JobKind::Deliver,
        lane: urgency,
        operation: None,
        is_first: false,
        trace_id,
        run_at: now,
        now,
    };
    add_job(store, connection, row).await?;
    Ok(())
}

/// Adds a job to a line that is there and locked. Of deliveries and removals a line has one at a time: the live one is
/// the answer where there is one.
pub(in super::super) async fn add_job(
    store: &impl Statements,
    connection: &mut Connection,
    row: NewRow<'_>,
) -> Result<JobId> {
    let id = JobId::generate();
    let key = ordering_key(row.line);
    let kind = word(&row.kind);
    let dedup_key = match row.kind {
        JobKind::Deliver | JobKind::Remove => key.clone(),
        _ => id.to_string(),
    };
    let state = if row.operation.is_some() {
        "held"
    } else {
        "ready"
    };
    let added = store
        .query(if row.is_first { PREPEND } else { APPEND })
        .bind(Id::from(id.as_uuid()))
        .bind(row.tenant.as_str().to_owned())
        .bind(kind.clone())
        .bind(row.line.target_text())
        .bind(row.line.contact_row())
        .bind(key)
        .bind(dedup_key.clone())
        .bind(lane_number(row.lane))
        .bind(state)
        .bind(Time::from(row.run_at))
        .bind(Time::from(row.now))
        .bind(row.operation)
        .bind(row.trace_id.map(printable))
        .bind(Time::from(row.now))
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    if added.rows_affected() == 0 {
        let query = store.query(LIVE_JOB).bind(kind).bind(dedup_key);
        let row = query.fetch_one(connection).await.map_err(failed)?;
        return Ok(JobId::from(get::<Id>(&row, "id")?.0));
    }
    if row.is_first {
        head(store, connection, row.line).await?;
    }
    Ok(id)
}

/// Takes a job out of its line and forgets it, with what it had to take back.
pub(in super::super) async fn remove_job(
    store: &impl Statements,
    connection: &mut Connection,
    job: JobId,
) -> Result<()> {
    let id = Id::from(job.as_uuid());
    let query = store.query(LOCK_JOB).bind(id);
    let row = query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    let contact = get::<Id>(&row, "contact_id")?.0.into();
    let target: String = get(&row, "target")?;
    let line = LineId::new(contact, target.into());
    // Who adds a job has the line, and may have seen this one at its head.
    let query = store.query(LOCK_LINE).bind(line.contact_row());
    let query = query.bind(line.target_text());
    query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    for text in [REMOVE, REMOVE_UNDO] {
        let query = store.query(text).bind(id);
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    head(store, connection, &line).await
}

/// Forgets a removal that waits for a person.
pub(super) async fn forget_stopped_removal(
    store: &impl Statements,
    connection: &mut Connection,
    line: &LineId,
) -> Result<()> {
    let query = store.query(FORGET_STOPPED_REMOVAL).bind(line.contact_row());
    let query = query.bind(line.target_text());
    for row in query.fetch_all(&mut *connection).await.map_err(failed)? {
        let query = store.query(REMOVE_UNDO).bind(get::<Id>(&row, "id")?);
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Makes the first live job of a line its head, and no other.
pub(in super::super) async fn head(
    store: &impl Statements,
    connection: &mut Connection,
    line: &LineId,
) -> Result<()> {
    let query = store.query(HEAD).bind(line.contact_row());
    let query = query.bind(line.target_text());
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Returns an id of the host's as a log can hold it.
pub(in super::super) fn printable(trace_id: &str) -> String {
    const LONGEST: usize = 200;
    let printable = trace_id.chars().filter(|c| !c.is_control());
    printable.take(LONGEST).collect()
}
