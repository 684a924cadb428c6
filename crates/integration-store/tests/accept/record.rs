//! Signups in the host's own transaction, which nothing of ours may spoil.

use std::sync::Arc;

use contact_sync::{Plan, Region, SignupHook, StaticDirectory};
use integration_store::{PostgresStore, RecordIn, SqliteStore};
use sqlx::{Connection, Row};

use crate::places::{ann, connection};
use crate::server;

fn hook(store: Arc<dyn contact_sync::SignupStore>) -> SignupHook {
    SignupHook::new(store, StaticDirectory::new().on("a").on("b")).region(Region::US)
}

/// Runs the same steps in the transactions of either driver.
macro_rules! record_tests {
    ($hook:ident, $host:ident, $count:ident) => {{
        // Committed: the receipt counts, and the host's row is there.
        let plan: Plan = $hook.plan(&ann());
        let mut tx = $host.begin().await.unwrap();
        sqlx::query("insert into users (name) values ('one')")
            .execute(&mut *tx)
            .await
            .unwrap();
        let receipt = plan.record_in(&mut tx).await.unwrap();
        assert_eq!(receipt.targets.len(), 2);
        tx.commit().await.unwrap();
        assert_eq!($count("select count(*) from users").await, 1);
        assert_eq!(
            $count("select count(*) from main.sync_outbox where is_head and run_at <= updated_at")
                .await,
            2
        );

        // Rolled back: nothing of either is.
        let other = $hook.plan(&ann().email("bob@example.com"));
        let mut tx = $host.begin().await.unwrap();
        sqlx::query("insert into users (name) values ('two')")
            .execute(&mut *tx)
            .await
            .unwrap();
        other.record_in(&mut tx).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!($count("select count(*) from main.sync_contacts").await, 1);
        assert_eq!($count("select count(*) from main.sync_outbox").await, 2);

        // A failure of ours, in the middle of what is written: the host's transaction goes on.
        let mut tx = $host.begin().await.unwrap();
        sqlx::query("insert into users (name) values ('three')")
            .execute(&mut *tx)
            .await
            .unwrap();
        let mut wrong = other.clone();
        wrong.tenant = "x".repeat(2_000).into();
        wrong
            .targets
            .iter_mut()
            .for_each(|(target, _)| *target = "\0".into());
        wrong.schema = format!("{}\"; drop schema public; --", wrong.schema);
        let refused = wrong.record_in(&mut tx).await;
        let is_refused = refused.is_err();
        sqlx::query("insert into users (name) values ('four')")
            .execute(&mut *tx)
            .await
            .unwrap();
        let again = plan.record_in(&mut tx).await.unwrap();
        assert_eq!(again.contact, receipt.contact);
        tx.commit().await.unwrap();
        assert_eq!($count("select count(*) from users").await, 3);
        is_refused
    }};
}

#[tokio::test]
async fn a_signup_joins_a_transaction_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("a.db"))
        .await
        .unwrap();
    let hook = hook(Arc::new(store));
    let mut host = connection(&directory).await;
    sqlx::raw_sql("create table users (name text)")
        .execute(&mut host)
        .await
        .unwrap();
    let count = async |query: &'static str| -> i64 {
        let row = sqlx::query(query)
            .fetch_one(&mut connection(&directory).await)
            .await;
        row.unwrap().get(0)
    };
    // A file has no schemas, and takes every text.
    let _ = record_tests!(hook, host, count);

    // Half of it is written when the disk says no.
    sqlx::raw_sql(
        "create trigger full before insert on sync_outbox when new.target = 'b'
         begin select raise(abort, 'full'); end",
    )
    .execute(&mut host)
    .await
    .unwrap();
    let plan = hook.plan(&ann().email("carol@example.com"));
    let mut tx = host.begin().await.unwrap();
    sqlx::query("insert into users (name) values ('five')")
        .execute(&mut *tx)
        .await
        .unwrap();
    let refused = plan.record_in(&mut tx).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("carol"));
    tx.commit().await.unwrap();
    assert_eq!(
        count("select count(*) from users where name = 'five'").await,
        1
    );
    let left = "select count(*) from sync_outbox o join sync_contacts c on c.id = o.contact_id where c.contact like '%carol%'";
    assert_eq!(count(left).await, 0);
}

#[tokio::test]
async fn a_signup_joins_a_transaction_on_postgres() {
    let Some(schema) = server::schema() else {
        return;
    };
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder
        .max_connections(3)
        .connect(schema.url())
        .await
        .unwrap();
    let hook = hook(Arc::new(store));
    let mut host = schema.connection().await;
    let own = format!("host_{}", schema.name);
    let make =
        format!("create schema {own}; set search_path to {own}; create table users (name text)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(make))
        .execute(&mut host)
        .await
        .unwrap();
    let count = async |query: &'static str| -> i64 {
        let query = query.replace("main.", &format!("{}.", schema.name));
        let query = query.replace("from users", &format!("from {own}.users"));
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut schema.connection().await)
            .await;
        row.unwrap().get(0)
    };
    assert!(record_tests!(hook, host, count));
    let drop = format!("drop schema {own} cascade");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop))
        .execute(&mut host)
        .await
        .unwrap();
}
