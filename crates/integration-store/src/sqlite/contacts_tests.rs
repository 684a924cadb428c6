//! Signups on a file that takes no more: each is on the disk, or was not accepted, and the next one works.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{ContactId, Region, Signup, SignupHook, SignupStore, StaticDirectory, TenantId};
use rstest::rstest;
use sqlx::Row;

use super::SqliteStore;

async fn on_writer(store: &SqliteStore, sql: &'static str) {
    let mut connection = store.writer.acquire().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
}

fn person(n: usize) -> Signup {
    Signup::new()
        .host_id(format!("{n}"))
        .name(format!("Person {n}"))
        .notes("x".repeat(10_000))
}

fn hook(store: &SqliteStore) -> SignupHook {
    let directory = StaticDirectory::new().on("a").on("b");
    SignupHook::new(Arc::new(store.clone()), directory).region(Region::US)
}

/// Lets a crowd sign up; returns who was accepted, and who was not.
async fn crowd(hook: &SignupHook, people: std::ops::Range<usize>) -> (Vec<ContactId>, usize) {
    let tasks: Vec<_> = people
        .map(|n| {
            let hook = hook.clone();
            tokio::spawn(async move { hook.on_signup(person(n)).await })
        })
        .collect();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(receipt) => accepted.push(receipt.contact),
            Err(error) => {
                let said = format!("{error} {error:?}");
                assert!(!said.contains("Person") && !said.contains("xxx"), "{said}");
                refused += 1;
            }
        }
    }
    (accepted, refused)
}

async fn count(store: &SqliteStore, query: &'static str) -> usize {
    let row = sqlx::query(query).fetch_one(&store.readers).await.unwrap();
    usize::try_from(row.get::<i64, _>(0)).unwrap()
}

#[rstest]
#[case::full("pragma max_page_count = 60", "pragma max_page_count = 1000000")]
#[case::read_only("pragma query_only = on", "pragma query_only = off")]
#[tokio::test]
async fn a_file_that_takes_no_more(#[case] breaks: &'static str, #[case] mends: &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("a.db"))
        .await
        .unwrap();
    let hook = hook(&store);
    let (before, _) = crowd(&hook, 0..5).await;
    on_writer(&store, breaks).await;
    let (mut accepted, refused) = crowd(&hook, 5..60).await;
    assert!(refused > 0, "there was no room");
    assert_eq!(accepted.len() + refused, 55);
    accepted.extend(before);
    let people = "select count(*) from sync_contacts where contact is not null";
    assert_eq!(count(&store, people).await, accepted.len());
    let jobs = "select count(*) from sync_outbox where is_head = 1 and state = 'ready'";
    assert_eq!(count(&store, jobs).await, 2 * accepted.len());
    for contact in &accepted {
        let stored = store.stored(&TenantId::default(), *contact).await.unwrap();
        assert!(stored.is_some(), "what was accepted is there");
    }
    on_writer(&store, mends).await;
    let (after, refused) = crowd(&hook, 0..60).await;
    assert_eq!((after.len(), refused), (60, 0));
    assert_eq!(count(&store, people).await, 60);
}

#[tokio::test]
async fn a_file_that_somebody_else_holds_for_too_long() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let builder = SqliteStore::builder().busy_timeout(Duration::from_millis(150));
    let store = builder.open(&path).await.unwrap();
    let other = SqliteStore::open(&path).await.unwrap();
    let hook = hook(&store);
    let held = other.writer.begin_with("begin immediate").await.unwrap();
    let (accepted, refused) = crowd(&hook, 0..20).await;
    assert_eq!((accepted.len(), refused), (0, 20));
    held.rollback().await.unwrap();
    let (accepted, refused) = crowd(&hook, 0..20).await;
    assert_eq!((accepted.len(), refused), (20, 0));
}

/// One of a crowd that is refused takes nobody else with it.
#[tokio::test]
async fn a_change_that_fails_among_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("a.db"))
        .await
        .unwrap();
    let fails = "create trigger odd before insert on sync_outbox when new.target = 'b'
            and (select contact_key from sync_contacts where id = new.contact_id) like '%3'
        begin select raise(abort, 'no'); end";
    on_writer(&store, fails).await;
    let (accepted, refused) = crowd(&hook(&store), 0..100).await;
    assert_eq!((accepted.len(), refused), (90, 10));
    assert_eq!(
        count(&store, "select count(*) from sync_contacts").await,
        90
    );
    assert_eq!(count(&store, "select count(*) from sync_outbox").await, 180);
}

/// A caller that stops waiting leaves a whole signup or none, and the writer to the others.
#[tokio::test]
async fn a_caller_that_goes_away() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("a.db"))
        .await
        .unwrap();
    let hook = hook(&store);
    for n in 0..40 {
        let task = tokio::spawn({
            let hook = hook.clone();
            async move { hook.on_signup(person(n)).await }
        });
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        task.abort();
    }
    let (accepted, refused) = crowd(&hook, 40..60).await;
    assert_eq!((accepted.len(), refused), (20, 0));
    let people = count(&store, "select count(*) from sync_contacts").await;
    let jobs = count(&store, "select count(*) from sync_outbox").await;
    assert_eq!(jobs, 2 * people);
}

/// The writer of a store lives on the runtime of whoever called first; the next caller may have another.
#[test]
fn a_store_outlives_the_runtime_that_it_was_opened_on() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let store = first.block_on(async {
        let store = SqliteStore::open(directory.path().join("a.db"))
            .await
            .unwrap();
        crowd(&hook(&store), 0..5).await;
        store
    });
    drop(first);
    let (accepted, refused) = runtime().block_on(crowd(&hook(&store), 5..10));
    assert_eq!((accepted.len(), refused), (5, 0));
}
