//! `postgres_worker_ratio`: jobs per second of the whole worker, against the bare SQL of claim and acknowledgement.
//!
//! *The worker* is `contact_sync::Worker` on a `PostgresStore` with eight connections, at a concurrency of 128 and with
//! a target that answers at once that it has created the record: so each job takes its identifiers, moves its link to
//! an intent and then to the record, and leaves its log entry.
//!
//! *The bare SQL* is a loop on each of eight connections of the same server, over a table of the same columns and
//! indexes: one statement that takes the first due job under a lease (`update … where seq = (select … limit 1 for
//! update skip locked) returning`), and one that deletes it by its lease. Both are prepared once, each is its own
//! transaction, and nothing else is read or written.
//!
//! The two take turns; the figure is the median of the ratios of neighbours.
//!
//! It is measured on two servers. `postgres_worker_ratio` is on one as hosts have it, which waits for the disk before it
//! says that something is committed (`fsync`, `synchronous_commit` and `full_page_writes` are on): the bare SQL commits
//! twice for each job, though up to eight at once may share a wait, and the worker twice for a batch.
//! `postgres_worker_ratio_no_fsync` is on one that waits for nothing and may lose everything, where a commit costs next
//! to nothing and what is left is the work of the statements. With `DATABASE_URL` there is that server and the first
//! figure alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    Action, Contact, Context, Delivered, Delivery, Hit, Person, RemoteId, Target, TargetError,
    Unmapped, Updated, Worker,
};
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};

use super::postgres::Disk;
use super::{TARGET, accept, figure, median, postgres, server};

const CONNECTIONS: u32 = 8;
const CONCURRENCY: usize = 128;
const JOBS: usize = 2_000;
const ROUNDS: usize = 5;

const CLAIM: &str = "
    update {schema}.sync_outbox set state = 'running', attempts = attempts + 1, lease_token = $1,
        lease_until = clock_timestamp() + interval '1 minute', updated_at = clock_timestamp()
    where seq = (
        select o.seq from {schema}.sync_outbox o
        where o.is_head and o.waits_for is null and o.state in ('ready', 'retrying') and o.lane = 1
            and o.run_at <= clock_timestamp()
        order by o.run_at, o.seq limit 1 for update skip locked)
    returning id, contact_id, target";

const ACK: &str = "delete from {schema}.sync_outbox where id = $1 and lease_token = $2";

const FILL: &str = "
    insert into {schema}.sync_outbox
        (id, tenant_id, kind, target, contact_id, payload, ordering_key, dedup_key, position, is_head, lane, state,
         run_at, born_at, updated_at)
    select gen_random_uuid(), '', 'deliver', 'nowhere', gen_random_uuid(), '{}', 'key ' || n, 'key ' || n, 1, true, 1,
        'ready', now(), now(), now()
    from generate_series(1, $1) n";

pub(super) async fn print() {
    measure("postgres_worker_ratio", Disk::Waits).await;
    if std::env::var_os("DATABASE_URL").is_none() {
        measure("postgres_worker_ratio_no_fsync", Disk::Forgets).await;
    }
}

async fn measure(name: &str, disk: Disk) {
    let (Some(ours), Some(theirs)) = (postgres::schema_on(disk), postgres::schema_on(disk)) else {
        return;
    };
    let store = server(&ours, CONNECTIONS).await;
    drop(server(&theirs, 1).await);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect(theirs.url())
        .await
        .unwrap();
    let (mut worker, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        accept(&store, round * JOBS..(round + 1) * JOBS).await;
        let ours = per_second(work(store.clone())).await;
        let fill = sqlx::query(sqlx::AssertSqlSafe(FILL.replace("{schema}", &theirs.name)));
        fill.bind(i32::try_from(JOBS).unwrap())
            .execute(&pool)
            .await
            .unwrap();
        let theirs = per_second(loops(&pool, &theirs.name)).await;
        // The first round fills caches.
        if round > 0 {
            worker.push(ours);
            bare.push(theirs);
            ratios.push(ours / theirs);
        }
    }
    eprintln!(
        "  {name}: jobs per second: worker {:.0}, bare SQL {:.0}",
        median(worker),
        median(bare)
    );
    figure(name, median(ratios), "at least 0.8");
}

async fn per_second(work: impl Future<Output = ()>) -> f64 {
    let start = tokio::time::Instant::now();
    work.await;
    f64::from(u32::try_from(JOBS).unwrap()) / start.elapsed().as_secs_f64()
}

async fn work(store: Arc<integration_store::PostgresStore>) {
    let worker = Worker::new(store)
        .target(Arc::new(Nowhere))
        .concurrency(CONCURRENCY)
        .start();
    worker.idle().await;
    worker.shutdown(Duration::from_secs(1)).await;
}

async fn loops(pool: &PgPool, schema: &str) {
    let [claim, ack] = [CLAIM, ACK].map(|text| Arc::new(text.replace("{schema}", schema)));
    let loops: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (pool, claim, ack) = (pool.clone(), claim.clone(), ack.clone());
            tokio::spawn(async move {
                let mut connection = pool.acquire().await.unwrap();
                while claim_and_ack(&mut connection, &claim, &ack).await {}
            })
        })
        .collect();
    for task in loops {
        task.await.unwrap();
    }
}

async fn claim_and_ack(connection: &mut PgConnection, claim: &str, ack: &str) -> bool {
    use sqlx::Row;

    let token = uuid::Uuid::new_v4();
    let query = sqlx::query(sqlx::AssertSqlSafe(claim.to_owned())).bind(token);
    let Some(row) = query.fetch_optional(&mut *connection).await.unwrap() else {
        return false;
    };
    let job: uuid::Uuid = row.get("id");
    let query = sqlx::query(sqlx::AssertSqlSafe(ack.to_owned()))
        .bind(job)
        .bind(token);
    assert_eq!(query.execute(connection).await.unwrap().rows_affected(), 1);
    true
}

/// A target that has created everybody at once.
struct Nowhere;

#[async_trait]
impl Target for Nowhere {
    fn name(&self) -> &'static str {
        TARGET
    }

    fn can_delete(&self) -> bool {
        true
    }

    fn search_lag(&self) -> Duration {
        Duration::ZERO
    }

    fn settle_time(&self) -> Duration {
        Duration::ZERO
    }

    fn unmapped(&self, _contact: &Contact) -> Vec<Unmapped> {
        Vec::new()
    }

    async fn find(&self, _: &Context<'_>, _: &Person<'_>) -> Result<Vec<Hit>, TargetError> {
        Ok(Vec::new())
    }

    async fn create(&self, _: &Context<'_>, person: &Person<'_>) -> Result<RemoteId, TargetError> {
        Ok(RemoteId::from(person.key.as_str()))
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &RemoteId,
        _: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        Ok(Updated::Unchanged)
    }

    async fn delete(&self, _: &Context<'_>, _: &RemoteId) -> Result<(), TargetError> {
        Ok(())
    }

    async fn deliver(
        &self,
        _: &Context<'_>,
        delivery: &Delivery,
    ) -> Result<Delivered, TargetError> {
        Ok(Delivered::done(
            RemoteId::from(delivery.key.as_str()),
            Action::Created,
        ))
    }
}
