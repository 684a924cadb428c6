//! The store on PostgreSQL: the conformance suite, and what may be wrong with a database.
#![cfg(all(feature = "core", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod conformance;
#[path = "support/postgres.rs"]
mod server;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conformance::samples::{
    EVERYBODY, at, entry, full, log, plain, plain_template, with, with_template,
};
use conformance::{Ports, Subject, suite};
use integration_core::status::Status;
use integration_core::store::{
    IntegrationFilter, IntegrationStore, LeaseStore, LogFilter, LogStore, StoreError, TemplateStore,
};
use integration_store::{OpenError, PostgresStore};
use rstest::rstest;
use sqlx::postgres::PgPoolOptions;

struct InSchema {
    store: Arc<PostgresStore>,
    // After the store, so that the store does not outlive it.
    schema: server::Schema,
}

impl InSchema {
    async fn open(schema: &server::Schema) -> Arc<PostgresStore> {
        let store = PostgresStore::builder()
            .schema(&schema.name)
            .max_connections(4)
            .connect(schema.url())
            .await;
        Arc::new(store.unwrap())
    }
}

#[async_trait]
impl Subject for InSchema {
    fn store(&self) -> Arc<dyn Ports> {
        self.store.clone()
    }

    async fn reopened(&self) -> Arc<dyn Ports> {
        Self::open(&self.schema).await
    }

    async fn pass(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        // The server's clock cannot be moved; what ends by it can.
        let back = format!(
            "update {{schema}}.integration_leases set expires_at = expires_at - interval '{seconds} seconds';
             update {{schema}}.integration_tokens set lease_until = lease_until - interval '{seconds} seconds'"
        );
        self.schema.run(&back).await;
    }
}

async fn in_schema() -> Option<InSchema> {
    let schema = server::schema()?;
    let store = InSchema::open(&schema).await;
    Some(InSchema { store, schema })
}

suite!(crate::in_schema);

/// Everything an error and its causes say.
fn chain(error: &dyn StdError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause:?} {cause}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn several_processes_can_open_a_new_schema_at_once() {
    let Some(schema) = server::schema() else {
        return;
    };
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (name, url) = (schema.name.clone(), schema.url());
        opening.spawn(async move {
            let builder = PostgresStore::builder().schema(name).max_connections(1);
            let store = builder.connect(url).await.unwrap();
            store
                .templates(&integration_core::Scope::Administrator)
                .await
                .unwrap()
        });
    }
    for templates in opening.join_all().await {
        assert!(templates.is_empty());
    }
}

#[tokio::test]
async fn stores_in_one_database_do_not_meet() {
    let (Some(one), Some(other)) = (server::schema(), server::schema()) else {
        return;
    };
    let first = InSchema::open(&one).await;
    let second = InSchema::open(&other).await;
    with_template(&*first, "phone").await;
    assert!(
        second
            .templates(&integration_core::Scope::Administrator)
            .await
            .unwrap()
            .is_empty()
    );
    with_template(&*second, "phone").await;
    assert!(
        first
            .hold_lease("checks", "a", Duration::from_mins(1))
            .await
            .unwrap()
    );
    assert!(
        second
            .hold_lease("checks", "b", Duration::from_mins(1))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn the_connections_of_the_host_stay_as_they_are() {
    let Some(schema) = server::schema() else {
        return;
    };
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(schema.url())
        .await
        .unwrap();
    let settings = async || {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select name, setting from pg_settings where name not like '%.%' order by name",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        rows
    };
    let tables = async || {
        let names: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.tables where table_schema = 'public'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        names
    };
    let (before, tables_before) = (settings().await, tables().await);
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder.from_pool(pool.clone()).await.unwrap();
    let template = with_template(&store, "phone").await;
    with(&store, full("acme", &template)).await;
    // Those with a dot are of extensions, of which the server loads what is asked for.
    let changed: Vec<_> = std::iter::zip(before, settings().await)
        .filter(|(before, after)| before != after)
        .collect();
    assert_eq!(changed, []);
    assert_eq!(tables().await, tables_before);
    let locks: i64 = sqlx::query_scalar(
        "select count(*) from pg_locks where locktype = 'advisory'
        and pid = pg_backend_pid()",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(locks, 0);
}

#[tokio::test]
async fn a_schema_from_the_future_is_refused_and_left_alone() {
    let Some(schema) = server::schema() else {
        return;
    };
    InSchema::open(&schema).await;
    schema
        .run("insert into {schema}.integration_migrations (version, name, checksum) values (999, 'later', 'x')")
        .await;
    let builder = || PostgresStore::builder().schema(&schema.name);
    let error = builder().connect(schema.url()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 999, .. }),
        "{error:?}"
    );

    schema
        .run(
            "delete from {schema}.integration_migrations where version = 999;
              update {schema}.integration_migrations set checksum = 'other' where version = 1",
        )
        .await;
    let error = builder().connect(schema.url()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Changed { version: 1, .. }),
        "{error:?}"
    );
}

#[rstest]
#[case::a_table("create table {schema}.integrations (a text)", "integrations")]
#[case::a_view(
    "create view {schema}.integration_logs as select 1",
    "integration_logs"
)]
#[case::of_a_later_step("create table {schema}.integration_tokens ()", "integration_tokens")]
#[case::steps(
    "create table {schema}.integration_migrations (id int)",
    "integration_migrations"
)]
#[tokio::test]
async fn tables_of_somebody_else_are_told_and_left_alone(#[case] sql: &str, #[case] named: &str) {
    let Some(schema) = server::schema() else {
        return;
    };
    schema.run("create schema {schema}").await;
    schema.run(sql).await;
    let builder = PostgresStore::builder().schema(&schema.name);
    let error = builder.connect(schema.url()).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::TakenInSchema { table, .. } if table == named),
        "{error:?}"
    );
    assert!(error.to_string().contains(&schema.name), "{error}");
    let mut connection = schema.connection().await;
    let tables: i64 = sqlx::query_scalar(
        "select count(*) from information_schema.tables where table_schema = $1",
    )
    .bind(&schema.name)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_without_the_password() {
    let bad = "postgres://user:s3cret-pass@127.0.0.1:not-a-port/db";
    let error = PostgresStore::connect(bad).await.unwrap_err();
    assert!(matches!(error, OpenError::InvalidUrl), "{error:?}");
    assert!(!chain(&error).contains("s3cret-pass"));

    // Nobody listens where somebody just stopped to.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let nobody = format!("postgres://user:s3cret-pass@{address}/db");
    let error = PostgresStore::builder()
        .acquire_timeout(Duration::from_millis(200))
        .connect(&nobody)
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
    assert!(!chain(&error).contains("s3cret-pass"));

    let Some(schema) = server::schema() else {
        return;
    };
    let builder = || PostgresStore::builder().schema("No Such; Schema");
    let error = builder().connect(schema.url()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::InvalidSchema { .. }),
        "{error:?}"
    );

    let (base, _) = schema.url().rsplit_once('/').unwrap();
    let error = PostgresStore::connect(&format!("{base}/no_such_database"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn an_account_without_the_right_to_create_can_use_what_is_there() {
    let Some(schema) = server::schema() else {
        return;
    };
    InSchema::open(&schema).await;
    let role = format!("role_{}", schema.name);
    schema
        .run(&format!(
            "create role {role} login;
             grant usage on schema {{schema}} to {role};
             grant select, insert, update, delete on all tables in schema {{schema}} to {role};"
        ))
        .await;
    let options: sqlx::postgres::PgConnectOptions = schema.url().parse().unwrap();
    let pool = PgPoolOptions::new()
        .connect_with(options.username(&role))
        .await
        .unwrap();
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder.from_pool(pool.clone()).await.unwrap();
    let template = with_template(&store, "phone").await;
    let history = [entry(12, Status::Error, "created")];
    store
        .insert_integration(&full("acme", &template), &history)
        .await
        .unwrap();

    let builder = PostgresStore::builder().schema(format!("{}_new", schema.name));
    let error = builder.from_pool(pool.clone()).await.unwrap_err();
    assert!(matches!(error, OpenError::Denied(_)), "{error:?}");
    pool.close().await;
    schema
        .run(&format!("drop owned by {role}; drop role {role}"))
        .await;
}

/// A store whose connections all begin with these statements.
async fn with_settings(schema: &server::Schema, settings: &'static str) -> PostgresStore {
    InSchema::open(schema).await;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(5))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(settings).execute(connection).await?;
                Ok(())
            })
        })
        .connect(schema.url())
        .await
        .unwrap();
    let builder = PostgresStore::builder().schema(&schema.name);
    builder.from_pool(pool).await.unwrap()
}

#[tokio::test]
async fn a_database_that_only_reads_says_so_and_reads() {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = with_settings(&schema, "set default_transaction_read_only = on").await;
    let error = store
        .insert_template(&plain_template("phone"))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(
        store
            .templates(&integration_core::Scope::Administrator)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_row_that_stays_locked_is_told_and_nothing_is_written() {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = with_settings(&schema, "set lock_timeout = '50ms'").await;
    let template = with_template(&store, "phone").await;
    let row = with(&store, full("acme", &template)).await;

    let mut other = schema.connection().await;
    let lock = format!(
        "begin; select 1 from {}.integrations for update",
        schema.name
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
        .execute(&mut other)
        .await
        .unwrap();
    let mut changed = row.clone();
    changed.name.push('!');
    changed.state.version += 1;
    let history = [entry(13, Status::Active, "test_passed")];
    let error = store
        .update_integration(&EVERYBODY, &changed, 12, &history)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Locked(_)), "{error:?}");
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();

    assert!(store.integration(&EVERYBODY, row.id).await.unwrap() == Some(row.clone()));
    assert_eq!(store.history(&EVERYBODY, row.id, 10).await.unwrap(), []);
    store
        .update_integration(&EVERYBODY, &changed, 12, &history)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_database_is_told_as_one_that_may_come_back() {
    let Some(schema) = server::schema() else {
        return;
    };
    let pool = PgPoolOptions::new().connect(schema.url()).await.unwrap();
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder.from_pool(pool.clone()).await.unwrap();
    pool.close().await;
    let error = store
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_value_that_no_column_takes_is_refused_and_not_repeated() {
    let Some(subject) = in_schema().await else {
        return;
    };
    let store = &subject.store;
    let template = with_template(&**store, "phone").await;
    let mut row = full("acme", &template);
    row.name = "canary-7\0".to_owned();
    let error = store.insert_integration(&row, &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    assert!(!chain(&error).contains("canary-7"));
    let mut entry = log("acme", "phone", 0);
    entry.payload = Some(serde_json::json!({"a": "canary-7\0"}));
    let error = store
        .append_logs(&[log("acme", "phone", 1), entry])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    assert!(!chain(&error).contains("canary-7"));
    assert!(
        store
            .logs(&EVERYBODY, &LogFilter::new())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .integration(&EVERYBODY, row.id)
            .await
            .unwrap()
            .is_none()
    );
}

#[rstest::rstest]
#[case::settings("settings = '[\"canary-7\"]'")]
#[case::state("state = '{\"failing_since\": \"canary-7\"}'")]
#[case::config("config = '\"canary-7\"'")]
#[case::hints("config_hints = '{\"a\": [\"canary-7\"]}'")]
#[case::status("status = 'canary-7'")]
#[case::failures("consecutive_failures = -1")]
#[case::serving("serving_version = null")]
#[tokio::test]
async fn garbage_in_a_column_is_told_and_not_repeated(#[case] garbage: &str) {
    let Some(subject) = in_schema().await else {
        return;
    };
    let store = &subject.store;
    let template = with_template(&**store, "phone").await;
    let row = with(&**store, full("acme", &template)).await;
    subject
        .schema
        .run(&format!("update {{schema}}.integrations set {garbage}"))
        .await;
    let error = store.integration(&EVERYBODY, row.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    assert!(!chain(&error).contains("canary-7"), "{}", chain(&error));
    // It can still be thrown away.
    store.delete_integration(&EVERYBODY, row.id).await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_no_other_from_being_checked() {
    let Some(subject) = in_schema().await else {
        return;
    };
    let store = &subject.store;
    let template = with_template(&**store, "phone").await;
    let mut broken = full("acme", &template);
    broken.next_check_at = Some(at(1));
    let broken = with(&**store, broken).await;
    let well = with(&**store, full("beta", &template)).await;
    subject
        .schema
        .run(
            "update {schema}.integrations set settings = '[\"canary-7\"]' where tenant_id = 'acme'",
        )
        .await;
    let due = store.due_for_check(at(1_000), 10).await.unwrap();
    assert!(due.rows == std::slice::from_ref(&well));
    assert_eq!(due.unreadable.len(), 1);
    assert_eq!(due.unreadable[0].id, broken.id);
    let text = chain(&due.unreadable[0].error);
    assert!(text.contains(&broken.id.to_string()), "{text}");
    assert!(!text.contains("canary-7"), "{text}");
    store
        .postpone_check(broken.id, Some(at(2_000)))
        .await
        .unwrap();
    let due = store.due_for_check(at(1_000), 1).await.unwrap();
    assert!(due.rows == [well] && due.unreadable.is_empty());
}

/// The connections of a host may begin at another isolation level. There, of two that choose the default at once, the
/// second would not see the first.
#[rstest::rstest]
#[case::repeatable_read("set default_transaction_isolation = 'repeatable read'")]
#[case::serializable("set default_transaction_isolation = 'serializable'")]
#[tokio::test]
async fn the_isolation_level_of_the_host_does_not_count(#[case] level: &'static str) {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = Arc::new(with_settings(&schema, level).await);
    let template = with_template(&*store, "phone").await;
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        let mut row = plain("acme", &template);
        row.is_default = true;
        writing.spawn(async move {
            store.insert_integration(&row, &[]).await.unwrap();
            let mut changed = row.clone();
            changed.state.version = 2;
            // Whoever was made the default since has raised the version of this one.
            match store.update_integration(&EVERYBODY, &changed, 1, &[]).await {
                Ok(()) | Err(StoreError::VersionConflict) => {}
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    writing.join_all().await;
    let rows = store
        .integrations(&EVERYBODY, &IntegrationFilter::new())
        .await
        .unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.iter().filter(|row| row.is_default).count(), 1);
}

/// A caller that goes away in the middle of a change leaves nothing of it, or all where the commit was under way, and
/// its connection, of which there is one, to the next.
#[tokio::test]
async fn a_change_that_is_cut_off_leaves_nothing_behind() {
    let Some(schema) = server::schema() else {
        return;
    };
    let builder = PostgresStore::builder()
        .schema(&schema.name)
        .max_connections(1);
    let store = builder.connect(schema.url()).await.unwrap();
    let template = with_template(&store, "phone").await;
    let default = with(&store, full("acme", &template)).await;
    let mut row = with(&store, plain("acme", &template)).await;
    let shapes = [full("acme", &template), row.clone()];
    let (mut cut_off, mut written) = (0, 0);
    // How far a call comes in one go is the server's to say, so it is tried until many were cut off.
    for attempt in 0..10_000 {
        if cut_off >= 30 && written > 0 {
            break;
        }
        let version = row.state.version;
        let mut changed = shapes[written % 2].clone();
        (changed.id, changed.created_at, changed.created_by) = (row.id, row.created_at, None);
        changed.is_default = false;
        changed.state.version = version + 1;
        for (old, new) in std::iter::zip(&row.endpoints, &mut changed.endpoints) {
            new.id = old.id;
        }
        let history = [entry(version + 1, Status::Active, "test_passed")];
        let mut change =
            Box::pin(store.update_integration(&EVERYBODY, &changed, version, &history));
        let mut left = attempt % 25 + 1;
        let ended = std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            change.as_mut().poll(context).map(Some)
        })
        .await;
        drop(change);
        match ended {
            Some(done) => done.unwrap(),
            None => cut_off += 1,
        }
        // Whatever is under way on the connection ends before another has it.
        let stored = store.integration(&EVERYBODY, row.id).await.unwrap();
        if stored.as_ref() == Some(&changed) {
            written += 1;
            row = changed;
        }
        assert!(stored.as_ref() == Some(&row), "{stored:?}");
        let history = store.history(&EVERYBODY, row.id, u32::MAX).await.unwrap();
        assert_eq!(history.len(), written);
    }
    assert!(
        cut_off >= 30 && written > 0,
        "{cut_off} cut off, {written} written"
    );
    let kept = store.integration(&EVERYBODY, default.id).await.unwrap();
    assert!(kept == Some(default));
}

#[tokio::test]
async fn times_are_cut_to_microseconds() {
    let Some(subject) = in_schema().await else {
        return;
    };
    let store = &subject.store;
    let template = with_template(&**store, "phone").await;
    let mut row = plain("acme", &template);
    row.updated_at = at(0) + chrono::TimeDelta::nanoseconds(999);
    row.next_check_at = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    store.insert_integration(&row, &[]).await.unwrap();
    let stored = store
        .integration(&EVERYBODY, row.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.updated_at, at(0));
    assert_eq!(
        stored.next_check_at.unwrap().to_rfc3339(),
        "9999-12-31T00:00:00+00:00"
    );
    let due = store
        .due_for_check(chrono::DateTime::<chrono::Utc>::MIN_UTC, 1)
        .await
        .unwrap();
    assert!(due.rows.is_empty());
}

#[tokio::test]
async fn what_is_listed_by_a_text_is_sorted_by_its_bytes_on_every_server() {
    let Some(subject) = in_schema().await else {
        return;
    };
    let mut connection = subject.schema.connection().await;
    let sorted: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns
         where table_schema = $1 and collation_name = 'C' and not starts_with(table_name, 'sync_') order by 1, 2",
    )
    .bind(&subject.schema.name)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let expected = [
        ("integration_templates", "name"),
        ("integrations", "tenant_id"),
    ];
    assert_eq!(
        sorted,
        expected.map(|(table, column)| (table.to_owned(), column.to_owned()))
    );
}

#[tokio::test]
async fn history_cannot_be_rewritten() {
    let Some(subject) = in_schema().await else {
        return;
    };
    let store = &subject.store;
    let template = with_template(&**store, "phone").await;
    let row = plain("acme", &template);
    store
        .insert_integration(&row, &[entry(1, Status::Pending, "created")])
        .await
        .unwrap();
    let mut connection = subject.schema.connection().await;
    let rewrite = format!(
        "update {}.integration_status_history set event = 'x'",
        subject.schema.name
    );
    let rewritten = sqlx::raw_sql(sqlx::AssertSqlSafe(rewrite))
        .execute(&mut connection)
        .await;
    assert!(rewritten.unwrap_err().to_string().contains("append-only"));
    let history = store.history(&EVERYBODY, row.id, 10).await.unwrap();
    assert_eq!(history, [entry(1, Status::Pending, "created")]);
}
