//! A server whose clock is put an hour forward or back: what waits goes on as before, and who lives keeps what it has.
//!
//! The clock is a function of the store's schema that is found before the server's own.

use std::str::FromStr;
use std::time::Duration;

use contact_sync::{Ack, ErrorClass, FailureNote, Lane};
use contact_sync::{
    Claim, ClaimRequest, Contact, JobStore, LinkChange, LinkStore, LogOutcome, NewJob, SignupStore,
    StoreError, StrictStore, Undo,
};
use integration_store::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::desk::{assert_age, assert_wait, delivered, outcome, seconds};
use crate::people::{acme, ann, bob, phone, somebody};
use crate::server::{self, Schema};
use crate::strict::{link, started};

const LEASE: Duration = Duration::from_mins(1);
const HOUR: i64 = 3_600;

const CLOCK: &str = "
    create table {schema}.ahead (by interval not null);
    insert into {schema}.ahead values ('0');
    create function {schema}.clock_timestamp() returns timestamptz language sql volatile
        as 'select pg_catalog.clock_timestamp() + a.by from {schema}.ahead a';
    create function {schema}.statement_timestamp() returns timestamptz language sql stable
        as 'select pg_catalog.statement_timestamp() + a.by from {schema}.ahead a'";

struct Server(Schema);

impl Server {
    async fn start() -> Option<Self> {
        let schema = tokio::task::spawn_blocking(server::schema).await.unwrap()?;
        let builder = PostgresStore::builder().schema(&schema.name);
        builder.connect(schema.url()).await.unwrap();
        schema.run(CLOCK).await;
        Some(Self(schema))
    }

    async fn process(&self) -> PostgresStore {
        let path = format!("{},pg_catalog", self.0.name);
        let options = PgConnectOptions::from_str(self.0.url()).unwrap();
        let options = options.options([("search_path", path)]);
        let pool = PgPoolOptions::new().max_connections(3);
        let pool = pool.connect_lazy_with(options);
        let builder = PostgresStore::builder().schema(&self.0.name);
        builder.from_pool(pool).await.unwrap()
    }

    async fn jump(&self, seconds: i64) {
        let jump = format!("update {{schema}}.ahead set by = by + interval '{seconds} seconds'");
        self.0.run(&jump).await;
    }
}

async fn sign_up(store: &PostgresStore, contact: &Contact) {
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    store.accept(&acme(), contact, &jobs).await.unwrap();
}

async fn claims(store: &PostgresStore) -> Vec<Claim> {
    let request = ClaimRequest::new(10, LEASE);
    store.claim(request).await.unwrap().jobs
}

async fn retry(store: &PostgresStore, claim: &Claim, after: Duration) {
    let note = LogOutcome::Failed(FailureNote::new(ErrorClass::Transient));
    let retry = outcome(claim, LinkChange::Withdraw, note, Ack::Retry { after });
    store.commit_outcome(retry).await.unwrap();
}

#[tokio::test]
async fn that_jumps_ahead_ends_no_lease_of_a_job_that_runs() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.process().await;
    sign_up(&store, &ann()).await;
    let claim = claims(&store).await.remove(0);
    server.jump(HOUR).await;
    assert!(claims(&store).await.is_empty());
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.running, snapshot.outcomes.crashes), (1, 0));
    // It holds for as long as it would have.
    assert!(claims(&server.process().await).await.is_empty());
    store
        .commit_outcome(delivered(&claim, "r1", true))
        .await
        .unwrap();
}

/// Whoever looks first: the next strict create, or a worker.
#[rstest::rstest]
#[tokio::test]
async fn that_jumps_ahead_ends_no_strict_create(#[values(true, false)] another_comes: bool) {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.process().await;
    let begun = store
        .begin(&acme(), &ann(), &[phone()], LEASE)
        .await
        .unwrap();
    let held = begun.held;
    let undo = Undo::new(ann(), begun.key.clone(), started(0));
    store.expect_create(held, &phone(), undo).await.unwrap();
    store
        .note_created(held, &phone(), &"r1".into())
        .await
        .unwrap();
    server.jump(HOUR).await;
    if another_comes {
        store
            .begin(&acme(), &bob(), &[phone()], LEASE)
            .await
            .unwrap();
    }
    assert!(claims(&store).await.is_empty(), "nothing is to be undone");
    store.renew_operation(held, LEASE).await.unwrap();
    store.confirm(held, &[link("r1")], &[]).await.unwrap();
    assert!(store.finish(held).await.unwrap());
    assert_eq!(store.links(begun.contact).await.unwrap(), [link("r1")]);
    assert!(claims(&store).await.is_empty());
}

/// One that nobody renews is over all the same, in its time.
#[tokio::test]
async fn that_jumps_ahead_keeps_nothing_of_who_is_gone() {
    let Some(server) = Server::start().await else {
        return;
    };
    let gone = server.process().await;
    let store = server.process().await;
    let held = gone
        .begin(&acme(), &ann(), &[phone()], LEASE)
        .await
        .unwrap()
        .held;
    assert!(claims(&store).await.is_empty());
    server.jump(HOUR).await;
    assert!(claims(&store).await.is_empty());
    let lost = gone.renew_operation(held, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
}

#[tokio::test]
async fn that_is_set_back_makes_nobody_wait_for_it() {
    let Some(server) = Server::start().await else {
        return;
    };
    let store = server.process().await;
    for contact in [ann(), bob()] {
        sign_up(&store, &contact).await;
    }
    let jobs = claims(&store).await;
    // One is to be tried again, one runs, and a strict create goes on.
    retry(&store, &jobs[0], seconds(50)).await;
    let held = store
        .begin(&acme(), &somebody(3), &[phone()], LEASE)
        .await
        .unwrap()
        .held;
    server.jump(-HOUR).await;
    let request = ClaimRequest::new(10, LEASE);
    let looked = store.claim(request).await.unwrap();
    assert!(looked.jobs.is_empty());
    assert_wait(looked.next_in, seconds(50));
    // What was mended is not mended again, by whoever else comes.
    let looked = server.process().await.claim(request).await.unwrap();
    assert!(looked.jobs.is_empty());
    assert_wait(looked.next_in, seconds(50));
    store
        .renew(jobs[1].job, jobs[1].token, LEASE)
        .await
        .unwrap();

    server.jump(61).await;
    let other = server.process().await;
    let again = claims(&other).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].job, again[0].attempt), (jobs[0].job, 2));
    assert_age(again[0].age, seconds(61));
    assert_eq!(other.snapshot().await.unwrap().outcomes.crashes, 1);
    let lost = store.renew(jobs[1].job, jobs[1].token, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    let lost = store.renew_operation(held, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
}
