//! What the ports of contact-sync need of SQLite: one writer that commits concurrent callers together, and a clock.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Timer, TokioTimer};
use contact_sync::{Accepted, Plan, Planner};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, SqlitePool};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::contacts::{Connection, Result, Statements, Work, failed};
use super::crowd::Crowd;
use super::queue::NEWEST;
use super::{Query, SqliteStore, failure};
use crate::columns::{Id, Time};
use crate::failure::{Class, Failure};

/// How many callers share one commit at most, so that none waits for a crowd that keeps coming.
const TOGETHER: usize = 128;

/// What a store keeps for its writer and its clock.
pub(super) struct Own {
    clock: Clock,
    queue: Mutex<Queue>,
    pub(super) crowd: Crowd,
}

impl Own {
    /// Reads what the clock must not fall behind.
    pub(super) async fn new(readers: &SqlitePool, timer: &dyn Timer) -> Result<Self, sqlx::Error> {
        let row = sqlx::query(NEWEST).fetch_one(readers).await?;
        let newest: Option<Time> = row.try_get("newest")?;
        Ok(Self {
            clock: Clock::new(timer, newest.map(|at| at.0)),
            queue: Mutex::default(),
            crowd: Crowd::default(),
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

/// A clock that never goes back: the wall clock when the store was opened, or the newest time in the file if that is
/// later, and what the monotonic clock says has passed since.
struct Clock {
    opened: Instant,
    wall: DateTime<Utc>,
    ahead: AtomicI64,
}

impl Clock {
    fn new(timer: &dyn Timer, newest: Option<DateTime<Utc>>) -> Self {
        let wall = timer.utc_now();
        Self {
            opened: timer.now(),
            wall: newest.map_or(wall, |newest| newest.max(wall)),
            ahead: AtomicI64::new(0),
        }
    }

    fn now(&self, timer: &dyn Timer) -> DateTime<Utc> {
        let passed = timer.now().saturating_duration_since(self.opened);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        let ahead = TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed));
        let now = self.wall.checked_add_signed(passed);
        now.and_then(|now| now.checked_add_signed(ahead))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn advance(&self, to: DateTime<Utc>, timer: &dyn Timer) {
        let passed = timer.now().saturating_duration_since(self.opened);
        let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
        let ahead = to
            .signed_duration_since(self.wall)
            .checked_sub(&passed)
            .and_then(|ahead| ahead.num_microseconds());
        // Two who follow the same clock at once have not to go twice as far.
        if let Some(ahead) = ahead {
            self.ahead.fetch_max(ahead, Ordering::Relaxed);
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Queued>,
    is_served: bool,
}

/// A change that waits for the writer. Who drops it without an answer says why in `refused`.
struct Queued {
    run: Box<Change>,
    refused: Refused,
}

type Change = dyn for<'c> FnOnce(&'c SqliteStore, &'c mut Connection) -> Running<'c> + Send;
type Running<'c> = Pin<Box<dyn Future<Output = Ran> + Send + 'c>>;
type Refused = Arc<OnceLock<Failure>>;

/// A change that has run.
struct Ran {
    is_good: bool,
    /// Gives the caller what came of it: once it is on the disk, or is not to be.
    answer: Box<dyn FnOnce() + Send>,
}

/// A change that is to be committed with others.
struct Member {
    answer: Box<dyn FnOnce() + Send>,
    refused: Refused,
}

/// Lets the queue go when the writer ends, however it ends: nobody waits for a writer that is not there.
struct Served {
    store: SqliteStore,
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
            let mut queue = self.store.local.own.queue();
            queue.is_served = false;
            queue.waiting.clear();
        }
    }
}

impl SqliteStore {
    /// Runs a change in a transaction. Callers that come at the same time share one commit; a change that fails leaves
    /// nothing behind and takes nobody else with it. It is run to its end, also when the caller stops waiting.
    ///
    /// # Errors
    ///
    /// What the change fails with, or that it could not be written; then nothing was.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c Self, &'c mut Connection) -> Work<'c, T> + Clone + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let refused = Refused::default();
        let queued = Queued {
            run: Box::new(move |store, connection| {
                let work = change(store, connection);
                Box::pin(async move {
                    let result = work.await;
                    let is_good = result.is_ok();
                    let answer = Box::new(move || {
                        // Who does not wait any more does not want to know.
                        let _ = sender.send(result);
                    });
                    Ran { is_good, answer }
                })
            }),
            refused: refused.clone(),
        };
        let is_served = {
            let mut queue = self.local.own.queue();
            queue.waiting.push_back(queued);
            std::mem::replace(&mut queue.is_served, true)
        };
        if !is_served {
            let mut served = Served {
                store: self.clone(),
                is_over: false,
            };
            tokio::spawn(async move {
                served.store.serve().await;
                served.end();
            });
        }
        answer.await.unwrap_or_else(|_| {
            let ended = || Failure::new(Class::Unavailable, "the writer of the store has ended");
            Err(refused.get().cloned().unwrap_or_else(ended).into())
        })
    }

    /// Returns the time by the store's own clock.
    #[expect(
        clippy::unused_async,
        reason = "on PostgreSQL the server is asked for it"
    )]
    pub(super) async fn now(&self, _connection: &mut Connection) -> Result<DateTime<Utc>> {
        Ok(self.local.own.clock.now(self.timer.as_ref()))
    }

    /// Makes the store's clock no earlier than this, which another process has written.
    pub(super) fn advance_clock(&self, to: DateTime<Utc>) {
        self.local.own.clock.advance(to, self.timer.as_ref());
    }

    /// Tells those who wait that something was written.
    pub(super) fn wake(&self) {
        self.local.wake();
    }

    /// There is no other way into a file than ours.
    #[expect(
        clippy::unused_async,
        reason = "on PostgreSQL there is a function that hosts call"
    )]
    pub(super) async fn take_over(&self, _planner: &Planner<'_>, _limit: usize) -> Result<usize> {
        Ok(0)
    }

    /// Nothing is put in that could be set aside.
    #[expect(
        clippy::unused_async,
        reason = "on PostgreSQL there is a function that hosts call"
    )]
    pub(super) async fn sweep_intake(
        &self,
        _connection: &mut Connection,
        _before: DateTime<Utc>,
        _many: i64,
    ) -> Result<u64> {
        Ok(0)
    }

    /// Nothing is put in that could be set aside.
    #[expect(
        clippy::unused_async,
        reason = "on PostgreSQL there is a function that hosts call"
    )]
    pub(super) async fn failed_intake(&self, _connection: &mut Connection) -> Result<usize> {
        Ok(0)
    }

    /// Waits until there may be something to claim. What other processes write is found by asking.
    pub(super) async fn wait_for_work(&self) {
        self.local.work_added().await;
    }

    /// Writes until nobody waits any more.
    async fn serve(&self) {
        loop {
            let first = {
                let mut queue = self.local.own.queue();
                let first = queue.waiting.pop_front();
                queue.is_served = first.is_some();
                first
            };
            let Some(first) = first else { return };
            self.write_together(first).await;
        }
    }

    /// Runs whoever waits in one transaction, and answers them.
    async fn write_together(&self, first: Queued) {
        let mut tx = match self.writer.begin_with("begin immediate").await {
            Ok(tx) => tx,
            Err(error) => return self.refuse_all(first, &failure(&error)),
        };
        // The first has the transaction for itself: it needs no savepoint.
        let ran = (first.run)(self, &mut tx).await;
        if !ran.is_good {
            // A rollback that fails is made up for before the connection is used again.
            let _ = tx.rollback().await;
            return (ran.answer)();
        }
        let mut members = vec![Member {
            answer: ran.answer,
            refused: first.refused,
        }];
        let written = match self.join(&mut tx, &mut members).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => members.into_iter().for_each(|member| (member.answer)()),
            Err(error) => {
                let failure = failure(&error);
                for member in members {
                    let _ = member.refused.set(failure.clone());
                }
            }
        }
    }

    /// Runs those who have come meanwhile, each behind a savepoint.
    ///
    /// # Errors
    ///
    /// That the transaction has ended as a whole, as it does when the disk is full.
    async fn join(
        &self,
        tx: &mut SqliteConnection,
        members: &mut Vec<Member>,
    ) -> Result<(), sqlx::Error> {
        while members.len() < TOGETHER {
            let Some(next) = self.local.own.queue().waiting.pop_front() else {
                break;
            };
            let opened = say(tx, "savepoint member").await;
            if let Err(error) = opened {
                let _ = next.refused.set(failure(&error));
                return Err(error);
            }
            let ran = (next.run)(self, tx).await;
            if ran.is_good {
                members.push(Member {
                    answer: ran.answer,
                    refused: next.refused,
                });
            } else {
                (ran.answer)();
                say(tx, "rollback to member").await?;
            }
            say(tx, "release member").await?;
        }
        Ok(())
    }

    /// Tells everybody who waits by now that nothing can be written: they have waited for the same lock.
    fn refuse_all(&self, first: Queued, failure: &Failure) {
        let others: Vec<Queued> = self.local.own.queue().waiting.drain(..).collect();
        for queued in std::iter::once(first).chain(others) {
            let _ = queued.refused.set(failure.clone());
        }
    }
}

/// The tables as a transaction of the host's finds them, where no store is at hand.
pub(super) struct Place;

/// A job waits by the clock of the store that will run it, and this is the one of the machine: it may be ahead.
const DUE_AT_ONCE: &str = "
    update main.sync_outbox set run_at = min(run_at, coalesce(
        (select max(o.updated_at) from (
            select updated_at from main.sync_outbox where contact_id <> $1 order by seq desc limit 1) o),
        (select max(at) from main.sync_attempts), '1970-01-01T00:00:00.000000Z'))
    where contact_id = $1 and state = 'ready'";

impl Place {
    /// Finds the tables: they are those of the file that the host's connection is open on.
    pub(super) fn of(_plan: &Plan) -> Self {
        Self
    }

    /// Finds the tables of a store, wherever it says that they are.
    pub(super) fn in_schema(_schema: &str) -> Self {
        Self
    }

    /// Returns the time of what is written.
    #[expect(
        clippy::unused_async,
        reason = "on PostgreSQL the server is asked for it"
    )]
    pub(super) async fn now(&self, _connection: &mut Connection) -> Result<DateTime<Utc>> {
        Ok(TokioTimer.utc_now())
    }

    /// Makes the jobs due by any store's clock. No worker hears of a commit that is not ours: it asks after a while.
    pub(super) async fn tell(&self, connection: &mut Connection, accepted: Accepted) -> Result<()> {
        sqlx::query(DUE_AT_ONCE)
            .bind(Id::from(accepted.contact.as_uuid()))
            .execute(connection)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

impl Statements for Place {
    fn query(&self, text: &'static str) -> Query {
        sqlx::query(text)
    }
}

async fn say(connection: &mut SqliteConnection, text: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(text).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    /// Two clocks that tests set.
    #[derive(Debug)]
    struct Clocks(Mutex<(Instant, DateTime<Utc>)>);

    impl Clocks {
        fn new() -> Self {
            Self(Mutex::new((
                TokioTimer.now(),
                DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
            )))
        }

        fn pass(&self, time: Duration, wall: TimeDelta) {
            let mut clocks = self.0.lock().unwrap();
            clocks.0 += time;
            clocks.1 += wall;
        }
    }

    #[async_trait::async_trait]
    impl Timer for Clocks {
        fn now(&self) -> Instant {
            self.0.lock().unwrap().0
        }

        fn utc_now(&self) -> DateTime<Utc> {
            self.0.lock().unwrap().1
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    #[test]
    fn the_clock_goes_on_when_the_one_on_the_wall_jumps() {
        let clocks = Clocks::new();
        let start = clocks.utc_now();
        let clock = Clock::new(&clocks, None);
        for wall in [TimeDelta::hours(-1), TimeDelta::hours(3), TimeDelta::zero()] {
            let before = clock.now(&clocks);
            clocks.pass(Duration::from_secs(7), wall);
            assert_eq!(clock.now(&clocks), before + TimeDelta::seconds(7));
        }
        assert_eq!(clock.now(&clocks), start + TimeDelta::seconds(21));
    }

    #[test]
    fn the_clock_is_not_behind_what_is_written() {
        let clocks = Clocks::new();
        let written = clocks.utc_now() + TimeDelta::hours(1);
        let clock = Clock::new(&clocks, Some(written));
        assert_eq!(clock.now(&clocks), written);
        let old = clocks.utc_now() - TimeDelta::hours(1);
        assert_eq!(
            Clock::new(&clocks, Some(old)).now(&clocks),
            clocks.utc_now()
        );
        let later = written + TimeDelta::minutes(5);
        clock.advance(later, &clocks);
        clock.advance(written, &clocks);
        assert_eq!(clock.now(&clocks), later);
    }
    /// Many who follow the same clock go as far as it, and not each as far again.
    #[test]
    fn the_clock_is_advanced_once_by_many() {
        let clocks = Clocks::new();
        for round in 1..=200 {
            let clock = Clock::new(&clocks, None);
            let to = clocks.utc_now() + TimeDelta::hours(round);
            let together = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        together.wait();
                        clock.advance(to, &clocks);
                    });
                }
            });
            assert_eq!(clock.now(&clocks), to);
        }
    }

    /// Between the last look of a writer at the queue and its end somebody may have come, with a writer of their own.
    #[tokio::test]
    async fn a_writer_that_has_ended_takes_nobody_with_it() {
        let store = SqliteStore::in_memory().await.unwrap();
        let mut first = Served {
            store: store.clone(),
            is_over: false,
        };
        store.local.own.queue().is_served = true;
        first.store.serve().await;
        first.end();
        let (sender, answer) = oneshot::channel();
        let next = Queued {
            run: Box::new(move |_, _| {
                let answer = Box::new(move || sender.send(()).unwrap());
                Box::pin(async {
                    Ran {
                        is_good: true,
                        answer,
                    }
                })
            }),
            refused: Refused::default(),
        };
        {
            let mut queue = store.local.own.queue();
            queue.waiting.push_back(next);
            queue.is_served = true;
        }
        drop(first);
        store.serve().await;
        answer.await.unwrap();
    }

    /// A change that ends the writer is answered, and so are those who come after it.
    #[tokio::test]
    async fn a_writer_that_ends_before_its_time_leaves_the_queue_to_the_next() {
        let store = SqliteStore::in_memory().await.unwrap();
        let ended: Result<()> = store
            .change(|_, _| Box::pin(async { panic!("a change that ends its writer") }))
            .await;
        assert!(ended.is_err());
        let next = store.change(|_, _| Box::pin(async { Ok(7) })).await;
        assert_eq!(next.unwrap(), 7);
    }
}
