//! A schema with stores on it, and what is done with them.

use std::time::Duration;

use contact_sync::{
    Accepted, Ack, Action, Claim, ClaimRequest, Contact, ContactId, ErrorClass, FailureNote,
    JobStore, Lane, LinkChange, LinkStore, LogEntry, LogOutcome, NewJob, Outcome, Region, Signup,
    SignupStore, TargetName, TenantId, Work,
};
use integration_store::PostgresStore;
use sqlx::{Connection, PgConnection, Row};

use crate::postgres::{Schema, schema};

pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// A schema of its own.
pub(crate) struct Scene {
    pub(crate) store: PostgresStore,
    pub(crate) schema: Schema,
}

impl Scene {
    pub(crate) async fn new() -> Option<Self> {
        let schema = schema()?;
        let store = open(&schema).await;
        Some(Self { store, schema })
    }

    /// Opens it once more, as another process would.
    pub(crate) async fn again(&self) -> PostgresStore {
        open(&self.schema).await
    }

    /// Reads one number; `{schema}` stands for the schema.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        number(&mut self.schema.connection().await, &self.text(query)).await
    }

    /// Returns a table, for the message of a test that fails.
    pub(crate) async fn dump(&self, table: &str) -> String {
        let query = format!("select coalesce(json_agg(t), '[]')::text from {{schema}}.{table} t");
        let query = sqlx::query(sqlx::AssertSqlSafe(self.text(&query)));
        let row = query.fetch_one(&mut self.schema.connection().await).await;
        row.unwrap().get(0)
    }

    pub(crate) fn text(&self, sql: &str) -> String {
        sql.replace("{schema}", &self.schema.name)
    }

    /// Waits until so many statements on this schema wait for locks.
    pub(crate) async fn until_waiting(&self, waiting: i64) {
        let mut connection = self.schema.connection().await;
        let query = self.text(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%{schema}%'",
        );
        let wait = async { while number(&mut connection, &query).await < waiting {} };
        tokio::time::timeout(LEASE, wait).await.unwrap();
    }

    pub(crate) async fn accept(&self, signup: &Signup, targets: &[&str]) -> Accepted {
        accept(&self.store, signup, targets).await
    }
}

async fn open(schema: &Schema) -> PostgresStore {
    let store = PostgresStore::builder()
        .schema(&schema.name)
        .max_connections(6)
        .max_crashes(1_000)
        // A crowd on a slow machine is no reason to give up.
        .acquire_timeout(LEASE)
        .connect(schema.url())
        .await;
    store.unwrap()
}

async fn number(connection: &mut PgConnection, query: &str) -> i64 {
    let query = sqlx::query(sqlx::AssertSqlSafe(query.to_owned()));
    query.fetch_one(connection).await.unwrap().get(0)
}

/// A transaction of somebody else, with a lock on what a query selects.
pub(crate) async fn lock(scene: &Scene, query: &str) -> PgConnection {
    let mut connection = scene.schema.connection().await;
    run(&mut connection, "begin").await;
    run(&mut connection, &scene.text(query)).await;
    connection
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
    sql.execute(connection).await.unwrap();
}

pub(crate) async fn let_go(mut connection: PgConnection) {
    run(&mut connection, "rollback").await;
    connection.close().await.unwrap();
}

pub(crate) fn tenant() -> TenantId {
    TenantId::from("acme")
}

pub(crate) fn person(n: usize) -> Signup {
    Signup::new()
        .host_id(format!("{n}"))
        .name(format!("Person {n}"))
        .email(format!("p{n}@example.com"))
}

pub(crate) fn contact(signup: &Signup) -> Contact {
    Contact::new(&tenant(), signup, Some(Region::US))
}

pub(crate) async fn accept(
    store: &impl SignupStore,
    signup: &Signup,
    targets: &[&str],
) -> Accepted {
    let jobs: Vec<NewJob> = targets
        .iter()
        .map(|target| NewJob::new(TargetName::from(*target), Lane::Bulk))
        .collect();
    let accepted = store.accept(&tenant(), &contact(signup), &jobs).await;
    accepted.unwrap()
}

pub(crate) async fn claim(store: &impl JobStore, limit: usize) -> Vec<Claim> {
    let claims = store.claim(ClaimRequest::new(limit, LEASE)).await;
    claims.unwrap().jobs
}

/// Claims until so many are there.
pub(crate) async fn claim_all(store: &impl JobStore, number: usize) -> Vec<Claim> {
    let mut claims = Vec::new();
    while claims.len() < number {
        claims.extend(claim(store, number).await);
    }
    claims
}

pub(crate) fn remote(claim: &Claim) -> String {
    format!("r-{}-{}", claim.contact, claim.target)
}

/// What a worker says that has done what was asked for.
pub(crate) fn done(claim: &Claim) -> Outcome {
    let (revision, link, log) = match &claim.work {
        Work::Deliver(delivery) => (
            delivery.revision,
            LinkChange::Set {
                remote: remote(claim).into(),
                created: true,
            },
            LogOutcome::Delivered {
                action: Action::Created,
                unmapped: Vec::new(),
            },
        ),
        Work::Remove(_) => (0, LinkChange::Unlink, LogOutcome::Removed),
        _ => (0, LinkChange::Withdraw, LogOutcome::Undone),
    };
    outcome(claim, link, log, Ack::Done { revision })
}

/// What a worker says that has failed.
pub(crate) fn failed(claim: &Claim, link: LinkChange, ack: Ack) -> Outcome {
    let log = LogOutcome::Failed(FailureNote::new(ErrorClass::Transient));
    outcome(claim, link, log, ack)
}

fn outcome(claim: &Claim, link: LinkChange, log: LogOutcome, ack: Ack) -> Outcome {
    let whose = (claim.tenant.clone(), claim.target.clone(), claim.contact);
    let log = LogEntry::new(claim.job, claim.work.kind(), whose, log);
    Outcome::new((claim.job, claim.token), link, log, None, ack)
}

pub(crate) async fn finish(store: &impl LinkStore, claim: &Claim) {
    store.commit_outcome(done(claim)).await.unwrap();
}

pub(crate) async fn erase(store: &impl SignupStore, contact: ContactId) {
    store.erase(&tenant(), contact).await.unwrap();
}
