//! What the ports of contact-sync need of PostgreSQL: transactions that are repeated where others were in the way, the
//! server's clock, and word from other machines.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use contact_sync::{Accepted, Contact, NewJob, Plan, StoreError, TenantId};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::contacts::accept::accept;
use super::contacts::{Connection, Local, Result, Statements, Work, failed, get};
use super::{PostgresStore, Query, queue, text_in};
use crate::columns::Time;
use crate::failure::Failure;

/// Where stores tell each other of work; the payload is the schema, and who says so where it is a store.
const CHANNEL: &str = "integration_store_work";

/// How often a transaction is tried that meets others.
const TRIES: u32 = 6;

/// After so many transactions statements are planned anew in any case: with the rows that they can have added, a plan
/// that reads all of them is bearable.
const PLANNED_FOR: u32 = 1024;

/// How long a lost listener waits before it connects again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What a store keeps for hearing of work and telling of it.
pub(super) struct Own {
    /// What it signs with, so that it does not hear itself.
    id: Uuid,
    is_telling: AtomicBool,
    has_news: AtomicBool,
    /// So many transactions forget the plans of their connections.
    old_plans: AtomicU32,
    /// How many transactions there were.
    begun: AtomicU32,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Own {
    pub(super) fn new() -> Self {
        Self {
            id: Uuid::new_v4(),
            is_telling: AtomicBool::new(false),
            has_news: AtomicBool::new(false),
            old_plans: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            listener: Mutex::default(),
        }
    }

    /// Whether a transaction that begins now forgets the plans of its connection.
    pub(super) fn has_old_plans(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let order = Ordering::Relaxed;
        self.old_plans.fetch_update(order, order, one_less).is_ok()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let listener = self.listener.get_mut();
        if let Some(task) = listener.unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Runs a change in a transaction, and again where it met others in a circle or in the same rows.
    ///
    /// # Errors
    ///
    /// What the change fails with, or that it could not be written.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c Self, &'c mut Connection) -> Work<'c, T> + Clone + Send + 'static,
    {
        let mut tries = 1;
        loop {
            match self.try_change(change.clone()).await {
                Err(error) if tries < TRIES && is_collision(&error) => tries += 1,
                result => return result,
            }
            // The one who was let through is gone by then, and the others do not come back at the same moment.
            let spread = Uuid::new_v4().as_bytes().first().copied();
            let nap = u64::from(spread.unwrap_or_default()) * u64::from(tries) / 16;
            self.local.timer.sleep(Duration::from_millis(nap)).await;
        }
    }

    async fn try_change<T, F>(&self, change: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c Self, &'c mut Connection) -> Work<'c, T>,
    {
        let own = &self.local.own;
        // A process that only accepts signups does not look how the queue grows.
        if own.begun.fetch_add(1, Ordering::Relaxed) % PLANNED_FOR == PLANNED_FOR - 1 {
            self.queue_grows();
        }
        let begin = if own.has_old_plans() {
            queue::BEGIN_ANEW
        } else {
            queue::BEGIN
        };
        let mut tx = self.pool.begin_with(begin).await.map_err(failed)?;
        let result = change(self, &mut tx).await;
        if result.is_ok() {
            tx.commit().await.map_err(failed)?;
        } else {
            // Now, and not when somebody uses the connection next: until then it would keep its locks, and workers
            // would pass over these jobs.
            let _ = tx.rollback().await;
        }
        result
    }

    /// Takes note that the queue is growing: statements are planned anew for what it has become. Connections take
    /// turns, so that about as many transactions reach all of them.
    pub(super) fn queue_grows(&self) {
        let own = &self.local.own;
        own.old_plans.store(2 * self.pool.size(), Ordering::Relaxed);
    }

    /// Accepts a signup, in a transaction of its own.
    ///
    /// # Errors
    ///
    /// That it could not be written; then nothing of it was.
    pub(super) async fn take_in(
        &self,
        tenant: TenantId,
        contact: Contact,
        jobs: Vec<NewJob>,
    ) -> Result<Accepted> {
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                accept(store, connection, &tenant, &contact, &jobs, now).await
            })
        })
        .await
    }

    /// Returns the time by the server's clock.
    pub(super) async fn now(&self, connection: &mut Connection) -> Result<DateTime<Utc>> {
        server_time(connection).await
    }

    /// Tells those who wait that something was written: at once here, and elsewhere as soon as the server has told
    /// them. A commit that carried the word itself would wait for every other one that does.
    pub(super) fn wake(&self) {
        let own = &self.local.own;
        self.local.wake();
        own.has_news.store(true, Ordering::SeqCst);
        if own.is_telling.swap(true, Ordering::SeqCst) {
            return;
        }
        let store = self.clone();
        tokio::spawn(async move { store.tell().await });
    }

    async fn tell(&self) {
        let own = &self.local.own;
        loop {
            while own.has_news.swap(false, Ordering::SeqCst) {
                // Who does not hear of it asks after a while.
                let told = sqlx::query("select pg_notify($1, $2)")
                    .bind(CHANNEL)
                    .bind(format!("{} {}", self.schema, own.id));
                if told.execute(&self.pool).await.is_err() {
                    break;
                }
            }
            own.is_telling.store(false, Ordering::SeqCst);
            // News may have come in between.
            if !own.has_news.load(Ordering::SeqCst) || own.is_telling.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Waits until there may be something to claim, here or on another machine.
    pub(super) async fn wait_for_work(&self) {
        {
            let listener = self.local.own.listener.lock();
            let mut task = listener.unwrap_or_else(PoisonError::into_inner);
            // It ends with its runtime, and the store may go on in another one.
            if task.as_ref().is_none_or(JoinHandle::is_finished) {
                let local = Arc::downgrade(&self.local);
                *task = Some(tokio::spawn(listen(
                    self.pool.clone(),
                    self.schema.clone(),
                    local,
                )));
            }
        }
        self.local.work_added().await;
    }
}

/// Listens on a connection of its own, which is none of the pool's, and wakes the store. A connection that is lost is
/// made again; what was said meanwhile, the workers find by asking.
async fn listen(pool: PgPool, schema: Arc<str>, local: Weak<Local>) {
    loop {
        let apart = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with((*pool.connect_options()).clone());
        if let Ok(mut listener) = PgListener::connect_with(&apart).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            // There may have been something while nobody listened.
            let Some(store) = local.upgrade() else { return };
            store.wake();
            drop(store);
            while let Ok(Some(word)) = listener.try_recv().await {
                let (about, from) = word
                    .payload()
                    .split_once(' ')
                    .unwrap_or((word.payload(), ""));
                if about == &*schema {
                    let Some(store) = local.upgrade() else { return };
                    if store.own.id.to_string() != from {
                        store.wake();
                    }
                }
            }
        }
        let Some(timer) = local.upgrade().map(|store| store.timer.clone()) else {
            return;
        };
        timer.sleep(LISTEN_AGAIN).await;
    }
}

/// The tables as a transaction of the host's finds them, where no store is at hand.
pub(super) struct Place {
    schema: String,
}

impl Place {
    /// Finds the tables of the store that has made a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        Self::in_schema(&plan.schema)
    }

    /// Finds the tables of the store whose schema this is.
    pub(super) fn in_schema(schema: &str) -> Self {
        Self {
            schema: schema.replace('"', "\"\""),
        }
    }

    /// Returns the time of what is written.
    pub(super) async fn now(&self, connection: &mut Connection) -> Result<DateTime<Utc>> {
        server_time(connection).await
    }

    /// Has the server tell the workers, if and when the host commits.
    pub(super) async fn tell(
        &self,
        connection: &mut Connection,
        _accepted: Accepted,
    ) -> Result<()> {
        sqlx::query("select pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(&self.schema)
            .execute(connection)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

impl Statements for Place {
    fn query(&self, text: &'static str) -> Query {
        sqlx::query(AssertSqlSafe(text_in(&self.schema, text)))
    }
}

/// Returns the time by the server's clock.
async fn server_time(connection: &mut Connection) -> Result<DateTime<Utc>> {
    let row = sqlx::query("select clock_timestamp() as now")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(get::<Time>(&row, "now")?.0)
}

fn is_collision(error: &StoreError) -> bool {
    let StoreError::Unavailable(source) = error else {
        return false;
    };
    source
        .downcast_ref::<Failure>()
        .is_some_and(|failure| failure.is_collision)
}
