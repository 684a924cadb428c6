//! What was leased to workers that did not come back, and what else time brings.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contact_sync::{LeaseToken, StoreError};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::commit::count;
use super::confirm::sweep as sweep_confirmed;
use super::ending::{Ending, meanwhile, write};
use super::erase::wipe_what_is_left;
use super::job_row::JobRow;
use super::line::{batch, stamp};
use super::operation::reap_operations;
use super::{Result, Store, failed, queue};
use crate::columns::{Time, lease_ttl};

/// So many jobs are taken back in one transaction.
const TOGETHER: i64 = 100;

/// Who has waited so long looks again, whatever it waits for.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(1);

const LET_GO: &str = "
    update main.sync_outbox set waits_for = null, updated_at = $1 where waits_for is not null and updated_at < $2";

const SWEEP: &str = "
    delete from main.sync_attempts where seq in
        (select a.seq from main.sync_attempts a where a.at < $1 order by a.at limit $2)";

/// Takes back what was leased to workers that did not come back.
pub(super) async fn reap(store: &Store) -> Result<()> {
    let max_crashes = store.local.max_crashes;
    let mut has_ended = false;
    loop {
        let endings = store
            .change(move |store, connection| {
                Box::pin(async move {
                    let now = store.now(connection).await?;
                    let query = store
                        .query(queue::EXPIRED)
                        .bind(Time::from(now))
                        .bind(TOGETHER);
                    let rows = query.fetch_all(&mut *connection).await.map_err(failed)?;
                    let jobs: Result<Vec<_>> = rows.iter().map(JobRow::read_alone).collect();
                    let mut jobs = jobs?;
                    let mut endings = Vec::new();
                    if let Some(meanwhile) = meanwhile(store, connection, &mut jobs).await? {
                        for (job, has_more) in jobs.into_iter().zip(meanwhile.more) {
                            endings.push(Ending::of_crash(job, has_more, max_crashes, now)?);
                        }
                        write(store, connection, &endings, now).await?;
                    }
                    Ok(endings)
                })
            })
            .await?;
        for ending in &endings {
            let job = ending.job();
            let (crashes, is_dead) = (job.crashes, ending.is_dead());
            tracing::warn!(
                job = %job.id, tenant = %job.tenant, target = %job.line.target, contact = %job.line.contact, crashes,
                is_dead, "the lease of a worker ran out"
            );
        }
        let tallies: Vec<_> = endings.iter().map(|ending| ending.tally).collect();
        has_ended |= !endings.is_empty();
        count(&mut store.local.counts(), &tallies);
        if endings.len() < usize::try_from(TOGETHER).unwrap_or(usize::MAX) {
            break;
        }
    }
    let ended = store
        .change(|store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                match reap_operations(store, connection, now).await {
                    // Another process has ended one of them in between, and the next look finds the others.
                    Err(StoreError::LeaseLost) => Ok(0),
                    result => result,
                }
            })
        })
        .await?;
    // An operation that is over may be held up by its host: to wake for it would be to look again at once, for ever.
    if has_ended || ended > 0 {
        store.local.wake();
    }
    Ok(())
}

/// Mends what a clock that went back has done, and lets those look again who have waited for long: nothing that was
/// overlooked holds them back for ever.
pub(super) async fn mend(store: &Store) -> Result<()> {
    store.mend_clock().await?;
    wipe_what_is_left(store).await?;
    store
        .change(|store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                let query = store.query(LET_GO).bind(Time::from(now));
                let query = query.bind(Time::from(now - LONGEST_WAIT));
                query.execute(connection).await.map_err(failed)?;
                Ok(())
            })
        })
        .await
}

/// A lease that is to hold on, within a batch.
#[derive(Serialize)]
struct Kept {
    id: Uuid,
    token: Uuid,
    lease_until: String,
}

impl Kept {
    fn new(id: Uuid, token: LeaseToken, left: Duration, now: DateTime<Utc>) -> Self {
        Self {
            id,
            token: token.as_uuid(),
            lease_until: stamp(now + lease_ttl(left)),
        }
    }
}

/// Extends the leases of this process after the database's clock has jumped ahead: their workers and strict creates are
/// here and well.
pub(super) async fn keep_own(store: &Store, now: DateTime<Utc>, at: Instant) -> Result<()> {
    let watch = &store.local.watch;
    let (jobs, operations) = (watch.leases(at), watch.operations(at));
    if jobs.is_empty() && operations.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        jobs = jobs.len(),
        operations = operations.len(),
        "the database's clock jumped ahead: leases follow"
    );
    let jobs = jobs.into_iter();
    let jobs: Vec<Kept> = jobs
        .map(|(job, token, left)| Kept::new(job.as_uuid(), token, left, now))
        .collect();
    let operations = operations.into_iter();
    let operations: Vec<Kept> = operations
        .map(|(operation, token, left)| Kept::new(operation.as_uuid(), token, left, now))
        .collect();
    let (jobs, operations) = (batch(&jobs)?, batch(&operations)?);
    store
        .change(move |store, connection| {
            Box::pin(async move {
                let query = store.query(queue::KEEP_LEASES).bind(jobs);
                let query = query.bind(Time::from(now));
                query.execute(&mut *connection).await.map_err(failed)?;
                let query = store.query(queue::KEEP_OPERATIONS).bind(operations);
                query.execute(connection).await.map_err(failed)?;
                Ok(())
            })
        })
        .await
}

/// Deletes what was written down about attempts longer ago than `keep`, what was set aside for so long of what hosts have
/// put in themselves, and of strict creates that they were confirmed. Returns how many of the first two.
pub(super) async fn sweep(store: &Store, keep: Duration) -> Result<u64> {
    const MANY: i64 = 5_000;
    let mut swept = 0;
    loop {
        let (some, all) = store
            .change(move |store, connection| {
                Box::pin(async move {
                    let now = store.now(connection).await?;
                    let before = now - lease_ttl(keep);
                    let query = store.query(SWEEP).bind(Time::from(before)).bind(MANY);
                    let done = query.execute(&mut *connection).await.map_err(failed)?;
                    let set_aside = store.sweep_intake(connection, before, MANY).await?;
                    let confirmed = sweep_confirmed(store, connection, (before, now), MANY).await?;
                    let attempts = done.rows_affected();
                    let most = attempts.max(set_aside).max(confirmed);
                    Ok((most, attempts + set_aside))
                })
            })
            .await?;
        swept += all;
        if some < MANY.unsigned_abs() {
            return Ok(swept);
        }
    }
}
