//! What a store cannot keep: the vendor is asked once, and a person has to look.

use std::time::Duration;

use contact_sync::{
    ErrorClass, JobStore, SignupStore, Standing, StoppedJob, StoreError, StrictError, Worker,
};
use rstest::rstest;

use super::flaky::Flaky;
use super::strict::{Row, create, crm, pass};
use super::vendor::{Op, Vendor, World, ann};

const NUL: &str = "\0";
const LONG: &str = match std::str::from_utf8(&[b'x'; 5_000]) {
    Ok(long) => long,
    Err(_) => unreachable!(),
};

async fn stopped(world: &World) -> StoppedJob {
    let mut stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!(stopped.len(), 1, "it waits for a person");
    let stopped = stopped.remove(0);
    assert!(stopped.review);
    assert_eq!(stopped.failure.as_ref().unwrap().class, ErrorClass::Unkept);
    stopped
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_record_whose_id_cannot_be_kept_is_created_once(#[values(NUL, LONG)] tail: &'static str) {
    let world = World::with(Vendor::new().with_ids_that_end_in(tail));
    let id = world.hook.on_signup(ann()).await.unwrap().contact;
    let worker = world.start();
    worker.idle().await;
    let job = stopped(&world).await.job;
    let states = world.store.deliveries(id).await.unwrap();
    assert!(matches!(states[0].standing, Standing::Review(_)));
    // Whoever lets it run again has it looked for, and not created.
    world.store.replay(job).await.unwrap();
    worker.idle().await;
    stopped(&world).await;
    assert_eq!(world.vendor.count(Op::Create), 1);
    let outcomes = world.store.snapshot().await.unwrap().outcomes;
    assert_eq!((outcomes.reviews, outcomes.crashes), (2, 0));
}

/// As a store does that is older than its worker, and does not know what the outcome says.
#[tokio::test(start_paused = true)]
async fn an_outcome_that_the_store_refuses_ends_as_a_review() {
    let world = World::new();
    let store = Flaky::failing(&world, "commit_outcome", 1, || StoreError::refused("what?"));
    let worker = Worker::new(store).target(world.vendor.clone()).start();
    world.hook.on_signup(ann()).await.unwrap();
    worker.idle().await;
    let job = stopped(&world).await.job;
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create]);
    world.store.replay(job).await.unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.count(Op::Create), 1);
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!((snapshot.review, snapshot.done), (0, 1));
    assert_eq!(snapshot.outcomes.crashes, 0);
}

/// On the strict road, the create is taken back before the host's insert, by its key alone.
#[rstest]
#[tokio::test(start_paused = true)]
async fn a_strict_create_of_such_a_record_is_taken_back(
    #[values(NUL, LONG)] tail: &'static str,
    #[values(0, 30)] lag: u64,
) {
    let vendor = Vendor::new().with_ids_that_end_in(tail).lagging(lag);
    let world = World::with(vendor);
    let row = Row::default();
    let error = create(&crm(&world), &ann(), &row).await.unwrap_err();
    assert!(
        matches!(error, StrictError::Store(StoreError::Refused(_))),
        "{error:?}"
    );
    let worker = world.start();
    pass(Duration::from_mins(5)).await;
    worker.idle().await;
    assert!(!row.is_there());
    assert_eq!(world.vendor.records().len(), 0);
    assert_eq!(world.vendor.count(Op::Create), 1);
    assert_eq!(world.store.contact_count(), 0);
}

/// One that was there stays, and the host has nothing either.
#[tokio::test(start_paused = true)]
async fn such_a_record_that_was_there_is_told_before_the_insert() {
    let world = World::with(Vendor::new().with_ids_that_end_in(NUL));
    let key = super::vendor::key_of(&ann());
    world.vendor.plant(&key, chrono::TimeDelta::days(1));
    let row = Row::default();
    let error = create(&crm(&world), &ann(), &row).await.unwrap_err();
    assert!(matches!(error, StrictError::Store(_)), "{error:?}");
    assert!(!row.is_there());
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.calls(), [Op::Find]);
    assert_eq!(world.store.contact_count(), 0);
}
