//! Jobs that were due and have to wait: for a time, or for the end of another line's work.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::contact::{LineId, ordering_key};
use super::job_row::JobRow;
use super::line::{batch, stamp};
use super::{Connection, Result, Store, failed, get, queue};
use crate::columns::Time;

/// When a job looks again that could not take its place among those who wait.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// When a job looks again that met another transaction.
pub(super) const LOOK_AGAIN_SOON: TimeDelta = TimeDelta::milliseconds(50);

/// So many jobs wait for one line. Each end of a job lets go whoever waits for it, and all but one come back to wait
/// again: with more than this, the rest looks again after a while instead, or a crowd under one number would cost the
/// square of its size.
const MAX_WAITING: i64 = 64;

/// A job that has to wait, within a batch.
#[derive(Serialize)]
pub(super) struct Wait {
    id: Uuid,
    run_at: Option<String>,
    contact_id: Option<Uuid>,
    target: Option<String>,
    ordering_key: Option<String>,
}

impl Wait {
    pub(super) fn until(job: &JobRow, at: DateTime<Utc>) -> Self {
        Self {
            id: job.id.as_uuid(),
            run_at: Some(stamp(at)),
            contact_id: None,
            target: None,
            ordering_key: None,
        }
    }

    pub(super) fn behind(job: &JobRow, other: &LineId) -> Self {
        Self {
            id: job.id.as_uuid(),
            run_at: None,
            contact_id: Some(other.contact.as_uuid()),
            target: Some(other.target_text()),
            ordering_key: Some(ordering_key(other)),
        }
    }
}

/// Writes until when, or for whom, jobs wait; `next` becomes the first time at which one of them is due.
pub(super) async fn put_off(
    store: &Store,
    connection: &mut Connection,
    waits: &[Wait],
    now: DateTime<Utc>,
    next: &mut Option<DateTime<Utc>>,
) -> Result<()> {
    if waits.is_empty() {
        return Ok(());
    }
    let query = store
        .query(queue::PUT_OFF)
        .bind(batch(&waits)?)
        .bind(Time::from(now))
        .bind(MAX_WAITING)
        .bind(Time::from(now + LOOK_AGAIN))
        .bind(Time::from(now + LOOK_AGAIN_SOON));
    for row in query.fetch_all(connection).await.map_err(failed)? {
        if !get::<bool>(&row, "waits")? {
            let at = get::<Time>(&row, "run_at")?.0;
            *next = Some(next.map_or(at, |next| next.min(at)));
        }
    }
    Ok(())
}
