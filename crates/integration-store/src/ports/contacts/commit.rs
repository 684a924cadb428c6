//! Outcomes of attempts. Those that come at the same time are written together, since a commit costs the same for one
//! and for many.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contact_sync::{LinkChange, Outcome, StoreError};
use serde::Serialize;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::ending::{Ending, Meanwhile, Tally, meanwhile, write};
use super::job_row::JobRow;
use super::line::batch;
use super::local::Counts;
use super::{Connection, Result, Store, failed, queue};
use crate::failure::{Class, Failure};

/// So many outcomes share one commit at most. A worker of some size has more of them: while these are written, it
/// claims what there is room for since the ones before.
const TOGETHER: usize = 32;

/// How often whoever else can run is let go first, before outcomes are written.
const LET_OTHERS_COME: usize = 16;

/// Outcomes that wait to be written.
#[derive(Default)]
pub(in super::super) struct Waiting(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    outcomes: Vec<Queued>,
    is_served: bool,
}

struct Queued {
    outcome: Outcome,
    answer: oneshot::Sender<Result<()>>,
}

impl Waiting {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

/// Lets the queue go when whoever serves it ends, however that happens.
struct Served {
    store: Store,
    /// It has let the queue go itself: whoever serves it by now is somebody else.
    is_over: bool,
}

impl Served {
    fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if !self.is_over {
            let mut queue = self.store.local.outcomes.queue();
            queue.is_served = false;
            queue.outcomes.clear();
        }
    }
}

/// Writes an outcome, together with others that come at the same time.
pub(super) async fn commit(store: &Store, outcome: Outcome) -> Result<()> {
    let (answer, answered) = oneshot::channel();
    let is_served = {
        let mut queue = store.local.outcomes.queue();
        queue.outcomes.push(Queued { outcome, answer });
        std::mem::replace(&mut queue.is_served, true)
    };
    if !is_served {
        let mut served = Served {
            store: store.clone(),
            is_over: false,
        };
        tokio::spawn(async move {
            serve(&served.store).await;
            served.end();
        });
    }
    answered.await.unwrap_or_else(|_| {
        Err(Failure::new(Class::Unavailable, "the writer of outcomes has ended").into())
    })
}

/// Writes until nobody waits any more.
async fn serve(store: &Store) {
    loop {
        // Attempts that end together say so one after the other.
        for _ in 0..LET_OTHERS_COME {
            tokio::task::yield_now().await;
        }
        let queued = {
            let mut queue = store.local.outcomes.queue();
            let many = queue.outcomes.len().min(TOGETHER);
            queue.is_served = many > 0;
            queue.outcomes.drain(..many).collect::<Vec<_>>()
        };
        if queued.is_empty() {
            return;
        }
        write_all(store, queued).await;
        // Only now, so that who asks for more work has the room of all of these.
        store.local.wake();
    }
}

async fn write_all(store: &Store, queued: Vec<Queued>) {
    let (outcomes, answers): (Vec<Outcome>, Vec<_>) = queued
        .into_iter()
        .map(|queued| (queued.outcome, queued.answer))
        .unzip();
    // One that changes the links of others goes by itself.
    let is_plain =
        |outcome: &Outcome| !matches!(outcome.link, LinkChange::Gone(_) | LinkChange::Unlink);
    if outcomes.len() > 1 && outcomes.iter().all(is_plain) {
        let outcomes: Arc<[Outcome]> = outcomes.into();
        match write_together(store, outcomes.clone()).await {
            Ok(written) => {
                for (is_written, answer) in written.into_iter().zip(answers) {
                    let result = if is_written {
                        Ok(())
                    } else {
                        Err(StoreError::LeaseLost)
                    };
                    // Who does not wait any more does not want to know.
                    let _ = answer.send(result);
                }
            }
            // One of them may be what the database refuses: it must not take the others with it.
            Err(_) => one_by_one(store, outcomes.iter().cloned().zip(answers)).await,
        }
        return;
    }
    one_by_one(store, outcomes.into_iter().zip(answers)).await;
}

async fn one_by_one(
    store: &Store,
    outcomes: impl Iterator<Item = (Outcome, oneshot::Sender<Result<()>>)>,
) {
    for (outcome, answer) in outcomes {
        let written = write_together(store, Arc::new([outcome])).await;
        let result = match written.as_deref() {
            Ok([true]) => Ok(()),
            Ok(_) => Err(StoreError::LeaseLost),
            Err(_) => written.map(drop),
        };
        let _ = answer.send(result);
    }
}

/// Writes outcomes in one transaction, and tells of each whether the lease was still its worker's.
async fn write_together(store: &Store, outcomes: Arc<[Outcome]>) -> Result<Vec<bool>> {
    let leases: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.job, outcome.token))
        .collect();
    let (written, tallies) = store
        .change(move |store, connection| {
            Box::pin(async move { write_outcomes(store, connection, &outcomes).await })
        })
        .await?;
    for (job, token) in leases {
        store.local.watch.ended(job, token);
    }
    count(&mut store.local.counts(), &tallies);
    Ok(written)
}

async fn write_outcomes(
    store: &Store,
    connection: &mut Connection,
    outcomes: &[Outcome],
) -> Result<(Vec<bool>, Vec<Tally>)> {
    let mut jobs = owned(store, connection, outcomes).await?;
    let Some(Meanwhile { now, more }) = meanwhile(store, connection, &mut jobs).await? else {
        return Ok((vec![false; outcomes.len()], Vec::new()));
    };
    let mut jobs: Vec<Option<(JobRow, bool)>> = jobs.into_iter().zip(more).map(Some).collect();
    let mut written = Vec::new();
    let mut endings = Vec::new();
    for outcome in outcomes {
        let job = jobs
            .iter_mut()
            .find(|job| job.as_ref().is_some_and(|(job, _)| is_of(job, outcome)))
            .and_then(Option::take);
        written.push(job.is_some());
        if let Some((job, has_more)) = job {
            endings.push(Ending::of_outcome(job, has_more, outcome, now)?);
        }
    }
    if !endings.is_empty() {
        write(store, connection, &endings, now).await?;
    }
    Ok((written, endings.iter().map(|ending| ending.tally).collect()))
}

/// Whoever had the job before has another lease.
fn is_of(job: &JobRow, outcome: &Outcome) -> bool {
    job.id == outcome.job && job.token == Some(outcome.token)
}

/// Locks the jobs whose leases are shown.
async fn owned(
    store: &Store,
    connection: &mut Connection,
    outcomes: &[Outcome],
) -> Result<Vec<JobRow>> {
    #[derive(Serialize)]
    struct Key {
        id: Uuid,
        token: Uuid,
    }
    let mut seen = HashSet::new();
    let keys: Vec<Key> = outcomes
        .iter()
        .filter(|outcome| seen.insert((outcome.job, outcome.token)))
        .map(|outcome| Key {
            id: outcome.job.as_uuid(),
            token: outcome.token.as_uuid(),
        })
        .collect();
    let query = store.query(queue::OWNED).bind(batch(&keys)?);
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(JobRow::read_alone).collect()
}

/// Counts what was written.
pub(super) fn count(counts: &mut Counts, tallies: &[Tally]) {
    let outcomes = &mut counts.outcomes;
    for tally in tallies {
        match tally {
            Tally::Nothing => {}
            Tally::Created => outcomes.created += 1,
            Tally::Updated => outcomes.updated += 1,
            Tally::Unchanged => outcomes.unchanged += 1,
            Tally::Undone => outcomes.undone += 1,
            Tally::Removed => outcomes.removed += 1,
            Tally::Retried => outcomes.retried += 1,
            Tally::Parked => outcomes.parked += 1,
            Tally::Review => outcomes.reviews += 1,
            Tally::Dead => outcomes.dead += 1,
            Tally::Crash { is_dead } => {
                outcomes.crashes += 1;
                outcomes.dead += u64::from(*is_dead);
            }
        }
        counts.done += u64::from(matches!(
            tally,
            Tally::Created | Tally::Updated | Tally::Unchanged | Tally::Undone | Tally::Removed
        ));
    }
}
