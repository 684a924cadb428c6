//! The SQL function for hosts on any database library, called through another driver.

use std::sync::Arc;

use contact_sync::{JobStore, Region, SignupHook, SignupStore, StaticDirectory};
use integration_store::PostgresStore;
use rstest::rstest;
use tokio_postgres::NoTls;

use crate::places::{Place, ann, person, tenant};
use crate::server;

/// A store, and a connection of a driver that is not the store's.
async fn place() -> Option<(Place, PostgresStore, tokio_postgres::Client)> {
    let schema = server::schema()?;
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder
        .max_connections(4)
        .connect(schema.url())
        .await
        .unwrap();
    let (client, connection) = tokio_postgres::connect(schema.url(), NoTls).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    Some((Place::Schema(store.clone(), schema), store, client))
}

fn call(place: &Place) -> String {
    let Place::Schema(_, schema) = place else {
        unreachable!("it is a schema")
    };
    format!("select {}.enqueue($1::text::jsonb)", schema.name)
}

fn hook(store: &PostgresStore) -> SignupHook {
    let directory = StaticDirectory::new().on("a").on("b");
    SignupHook::new(Arc::new(store.clone()), directory).region(Region::US)
}

#[tokio::test]
async fn a_signup_counts_once_the_hosts_transaction_is_committed() {
    let Some((place, store, mut client)) = place().await else {
        return;
    };
    let (hook, call) = (hook(&store), call(&place));
    let signup = r#"{"tenant": "acme", "name": "Ann Lee", "email": "Ann@Example.com", "phone": "202 555 0143",
        "targets": ["a"], "trace_id": "req-9"}"#;

    let transaction = client.transaction().await.unwrap();
    transaction.query_one(&call, &[&signup]).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(hook.drain_intake(10).await.unwrap(), 0);

    let transaction = client.transaction().await.unwrap();
    // Whatever the host has under names of ours is not touched.
    let own = "create temp table sync_intake (seq int); set local search_path to pg_temp, public";
    transaction.batch_execute(own).await.unwrap();
    transaction.query_one(&call, &[&signup]).await.unwrap();
    assert_eq!(
        hook.drain_intake(10).await.unwrap(),
        0,
        "it is not committed"
    );
    transaction.commit().await.unwrap();

    assert_eq!(hook.drain_intake(10).await.unwrap(), 1);
    assert_eq!(hook.drain_intake(10).await.unwrap(), 0);
    let contact = person(&ann().phone("202 555 0143"));
    let found = store.find(&tenant(), contact.key()).await.unwrap().unwrap();
    let stored = store.stored(&tenant(), found).await.unwrap().unwrap();
    assert_eq!(stored.contact.phone(), contact.phone());
    let queued = "select count(*) from main.sync_outbox where target = 'a' and trace_id = 'req-9'";
    assert_eq!(place.number(queued).await, 1);
    assert_eq!(
        place.number("select count(*) from main.sync_outbox").await,
        1
    );
    assert_eq!(
        place.number("select count(*) from main.sync_intake").await,
        0
    );
}

#[tokio::test]
async fn signups_are_taken_over_in_their_order_and_a_few_at_a_time() {
    let Some((place, store, client)) = place().await else {
        return;
    };
    let (hook, call) = (hook(&store), call(&place));
    for n in 0..7 {
        let signup = format!(r#"{{"tenant": "acme", "host_id": 17, "name": "Ann Lee {n}"}}"#);
        client.query_one(&call, &[&signup]).await.unwrap();
    }
    let (one, other) = tokio::join!(hook.drain_intake(4), hook.drain_intake(4));
    assert!(one.unwrap() + other.unwrap() >= 4);
    while hook.drain_intake(4).await.unwrap() > 0 {}
    let contact = person(&ann().host_id("17"));
    let found = store.find(&tenant(), contact.key()).await.unwrap().unwrap();
    let stored = store.stored(&tenant(), found).await.unwrap().unwrap();
    assert_eq!(
        (stored.contact.name().last(), stored.revision),
        (Some("6"), 7)
    );
}

#[rstest]
#[case::no_object(r#"["secret"]"#, "a signup is a JSON object")]
#[case::null("null", "a signup is a JSON object")]
#[case::unknown(r#"{"secret": "secret"}"#, "a field that is not known")]
#[case::no_text(r#"{"name": {"secret": 1}}"#, "no text")]
#[case::number(r#"{"phone": 2025550143}"#, "no text")]
#[case::targets(r#"{"targets": "secret"}"#, "targets are a list")]
#[case::target(r#"{"targets": ["a", 1]}"#, "targets are a list")]
#[tokio::test]
async fn what_is_no_signup_is_refused_and_not_quoted(#[case] json: &str, #[case] says: &str) {
    let Some((place, _store, mut client)) = place().await else {
        return;
    };
    let transaction = client.transaction().await.unwrap();
    let error = transaction
        .query_one(&call(&place), &[&json])
        .await
        .unwrap_err();
    let database = error.as_db_error().unwrap();
    assert_eq!(database.code().code(), "22023");
    assert!(database.message().contains(says), "{}", database.message());
    let said = format!("{error:?} {database:?}");
    assert!(
        !said.contains("secret") && !said.contains("2025550143"),
        "{said}"
    );
    transaction.rollback().await.unwrap();
    let tenant = format!(r#"{{"tenant": "{}"}}"#, "x".repeat(201));
    let error = client
        .query_one(&call(&place), &[&tenant])
        .await
        .unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("200 bytes"));
}

#[tokio::test]
async fn everything_is_optional_and_what_cannot_be_read_is_set_aside() {
    let Some((place, store, client)) = place().await else {
        return;
    };
    let (hook, call) = (hook(&store), call(&place));
    let put = "insert into main.sync_intake (id, signup, created_at) values (gen_random_uuid(), '{\"name\": 1}', now())";
    place.run(put).await;
    for signup in [
        "{}",
        r#"{"name": null, "email": "ann@example.com", "targets": null}"#,
    ] {
        client.query_one(&call, &[&signup]).await.unwrap();
    }
    assert_eq!(hook.drain_intake(10).await.unwrap(), 2);
    assert_eq!(
        place.number("select count(*) from main.sync_outbox").await,
        2,
        "of somebody without anything there is nothing to deliver"
    );
    let aside = "select count(*) from main.sync_intake where failed_at is not null";
    assert_eq!(place.number(aside).await, 1);
    assert_eq!(hook.drain_intake(10).await.unwrap(), 0);
}

/// What cannot be taken over holds what the person gave: an operator sees that it is there, and it does not stay for ever.
#[tokio::test]
async fn what_was_set_aside_is_counted_and_swept() {
    let Some((place, store, client)) = place().await else {
        return;
    };
    let directory = StaticDirectory::new().on("x".repeat(201));
    let hook = SignupHook::new(Arc::new(store.clone()), directory);
    // Planned for a target that cannot be kept, and not even read.
    let signup = r#"{"name": "Ann Lee", "email": "ann@example.com"}"#;
    client.query_one(&call(&place), &[&signup]).await.unwrap();
    let put = "insert into main.sync_intake (id, signup, created_at) values (gen_random_uuid(), '{\"name\": 1}', now())";
    place.run(put).await;
    assert_eq!(hook.drain_intake(10).await.unwrap(), 0);
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!((snapshot.failed_intake, snapshot.ready), (2, 0));
    let hour = std::time::Duration::from_hours(1);
    assert_eq!(store.sweep(hour).await.unwrap(), 0, "they are new");
    // One that only waits is as old, and stays.
    client.query_one(&call(&place), &[&signup]).await.unwrap();
    let old = "update main.sync_intake set created_at = now() - interval '2 hours',
        failed_at = failed_at - interval '2 hours'";
    place.run(old).await;
    assert_eq!(store.sweep(hour).await.unwrap(), 2);
    assert_eq!(store.snapshot().await.unwrap().failed_intake, 0);
    let left = "select count(*) from main.sync_intake";
    assert_eq!(place.number(left).await, 1);
}
