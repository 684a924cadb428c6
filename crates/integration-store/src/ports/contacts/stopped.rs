//! Jobs that wait: for a person, or for an integration to be mended.

use contact_sync::limits::check_names;
use contact_sync::{
    ContactId, FailureNote, JobId, JobKind, Lane, StoppedJob, StoreError, TargetName, TenantId,
};

use super::contact::LineId;
use super::erase::wipe_if_done;
use super::job_row::{JobRow, job_kind};
use super::line::{LinkState, forget_record, line, release, set_link};
use super::outbox::{ensure_line, head, queue_delivery, remove_job};
use super::{Connection, Result, Row, Store, corrupt, failed, get, queue};
use crate::columns::{Id, Time};

const STOPPED: &str = "
    select o.id, o.kind, o.tenant_id, o.target, o.contact_id, o.state, o.last_error
    from main.sync_outbox o where o.state in ('review', 'dead') order by o.id";

const STATE: &str = "select o.state from main.sync_outbox o where o.id = $1";

const FORGET_STOPPED: &str = "
    update main.sync_lines set stopped_job = null where contact_id = $1 and target = $2 and stopped_job = $3";

/// Of removals a line has one at a time: then that one is the replay.
const REPLAY: &str = "
    update main.sync_outbox as o set state = 'ready', run_at = $2, born_at = $2, attempts = 0, crash_count = 0,
        updated_at = $2,
        position = 1 + coalesce((
            select max(b.position) from main.sync_outbox b
            where b.contact_id = o.contact_id and b.target = o.target
                and b.state in ('ready', 'retrying', 'running', 'held')), 0)
    where o.id = $1 and not exists (
        select 1 from main.sync_outbox b
        where b.kind = o.kind and b.dedup_key = o.dedup_key and b.state in ('ready', 'retrying', 'running', 'held'))";

/// Returns the jobs that wait for a person.
pub(super) async fn stopped_jobs(store: &Store) -> Result<Vec<StoppedJob>> {
    let rows = store.query(STOPPED).fetch_all(store.reader()).await;
    rows.map_err(failed)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<StoppedJob> {
    let whose = (
        TenantId::from(get::<String>(row, "tenant_id")?),
        TargetName::from(get::<String>(row, "target")?),
        ContactId::from(get::<Id>(row, "contact_id")?.0),
    );
    let failure: Option<String> = get(row, "last_error")?;
    let failure: Option<FailureNote> = failure
        .map(|text| serde_json::from_str(&text).map_err(|_| corrupt("last_error")))
        .transpose()?;
    Ok(StoppedJob::new(
        JobId::from(get::<Id>(row, "id")?.0),
        job_kind(&get::<String>(row, "kind")?)?,
        whose,
        get::<String>(row, "state")? == "review",
        failure,
    ))
}

/// Runs a stopped job again, as if it were new.
pub(super) async fn replay(store: &Store, job: JobId) -> Result<()> {
    store
        .change(move |store, connection| {
            Box::pin(async move { replay_in(store, connection, job).await })
        })
        .await?;
    store.wake();
    Ok(())
}

/// Forgets a stopped job, which a person has seen to.
pub(super) async fn discard(store: &Store, job: JobId) -> Result<()> {
    store
        .change(move |store, connection| {
            Box::pin(async move { discard_in(store, connection, job).await })
        })
        .await?;
    store.wake();
    Ok(())
}

async fn discard_in(store: &Store, connection: &mut Connection, job: JobId) -> Result<()> {
    let stopped = stopped_job(store, connection, job).await?;
    let id: &LineId = &stopped.line;
    let now = store.now(connection).await?;
    if stopped.kind == JobKind::Deliver {
        let query = store.query(FORGET_STOPPED).bind(id.contact_row());
        let query = query.bind(id.target_text()).bind(Id::from(job.as_uuid()));
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    remove_job(store, connection, job).await?;
    if stopped.kind == JobKind::Remove
        && let Some(state) = line(store, connection, id, true).await?
    {
        if let Some(remote) = state.link.remote() {
            forget_record(store, connection, id, &stopped.tenant, remote).await?;
        }
        let none = LinkState::None;
        set_link(store, connection, id, &stopped.tenant, &none, None, now).await?;
        release(store, connection, id, now).await?;
    }
    wipe_if_done(store, connection, id.contact).await
}

/// Reads and locks a job that waits for a person.
async fn stopped_job(store: &Store, connection: &mut Connection, job: JobId) -> Result<JobRow> {
    let id = Id::from(job.as_uuid());
    let row = store
        .query(queue::ONE)
        .bind(id)
        .fetch_optional(&mut *connection);
    let row = row.await.map_err(failed)?.ok_or(StoreError::NoSuchJob)?;
    let stopped = JobRow::read_alone(&row)?;
    let row = store
        .query(STATE)
        .bind(id)
        .fetch_one(&mut *connection)
        .await;
    let state: String = get(&row.map_err(failed)?, "state")?;
    if !matches!(state.as_str(), "review" | "dead") {
        return Err(StoreError::NoSuchJob);
    }
    Ok(stopped)
}

async fn replay_in(store: &Store, connection: &mut Connection, job: JobId) -> Result<()> {
    let id = Id::from(job.as_uuid());
    let stopped = stopped_job(store, connection, job).await?;
    let now = store.now(connection).await?;
    let line: &LineId = &stopped.line;
    ensure_line(store, connection, line, &stopped.tenant).await?;
    if stopped.kind == JobKind::Deliver {
        // The same person may have signed up since: then that delivery is the replay.
        let query = store.query(FORGET_STOPPED).bind(line.contact_row());
        let query = query.bind(line.target_text()).bind(id);
        query.execute(&mut *connection).await.map_err(failed)?;
        remove_job(store, connection, job).await?;
        let (urgency, trace): (Lane, _) = (stopped.lane, stopped.trace_id.as_deref());
        return queue_delivery(
            store,
            connection,
            line,
            &stopped.tenant,
            urgency,
            trace,
            now,
        )
        .await;
    }
    let query = store.query(REPLAY).bind(id).bind(Time::from(now));
    let replayed = query.execute(&mut *connection).await.map_err(failed)?;
    if replayed.rows_affected() == 0 {
        return remove_job(store, connection, job).await;
    }
    head(store, connection, line).await
}

/// Makes parked jobs of an integration run at once.
pub(super) async fn resume(store: &Store, tenant: &TenantId, target: &TargetName) -> Result<u64> {
    if check_names(tenant, [target]).is_err() {
        return Ok(0);
    }
    let (tenant, target) = (tenant.as_str().to_owned(), target.as_str().to_owned());
    let resumed = store
        .change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                let query = store
                    .query(queue::RESUME)
                    .bind(tenant)
                    .bind(target)
                    .bind(Time::from(now));
                let done = query.execute(connection).await.map_err(failed)?;
                Ok(done.rows_affected())
            })
        })
        .await?;
    store.wake();
    Ok(resumed)
}
