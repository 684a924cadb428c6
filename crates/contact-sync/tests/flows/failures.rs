//! Every class of failure at every call: what is tried again, when, and what is given up.

use std::time::Duration;

use contact_sync::{
    ClientUnavailable, ErrorClass, JobStore, LogOutcome, RetryPolicy, Standing, StoreError,
};
use rstest::rstest;
use tokio::time::Instant;

use super::strict::pass;
use super::vendor::{Fault, Op, Vendor, World, ann, bob};

const CLASSES: [ErrorClass; 5] = [
    ErrorClass::Transient,
    ErrorClass::RateLimited,
    ErrorClass::QuotaSpent,
    ErrorClass::Auth,
    ErrorClass::Unavailable,
];

#[rstest]
#[tokio::test(start_paused = true)]
async fn any_failure_that_may_pass_does(
    #[values(Op::Find, Op::Create, Op::Update)] op: Op,
    #[values(0, 1, 2, 3, 4)] class: usize,
) {
    let world = World::new();
    if op == Op::Update {
        world.hook.on_signup(ann()).await.unwrap();
        world.work().await;
    }
    for _ in 0..3 {
        world.vendor.fault(op, Fault::Fail(CLASSES[class]));
    }
    world.hook.on_signup(ann().name("Anna Lee")).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Anna Lee");
    assert_eq!(
        world.vendor.count(Op::Create) - usize::from(op == Op::Create) * 3,
        1
    );
}

#[rstest]
#[case::lost_answer(Fault::LostAnswer)]
#[case::lost_request(Fault::LostRequest)]
#[case::lands_late(Fault::Lands(Duration::from_secs(25)))]
#[case::lands_at_once(Fault::Lands(Duration::ZERO))]
#[tokio::test(start_paused = true)]
async fn an_unclear_create_is_looked_up_before_another(
    #[case] fault: Fault,
    #[values(0, 3)] lag: u64,
    #[values(1, 2, 3)] times: usize,
) {
    let world = World::with(Vendor::new().lagging(lag));
    for _ in 0..times {
        world.vendor.fault(Op::Create, fault);
    }
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    let looks = world.vendor.calls();
    for pair in looks.windows(2) {
        assert_ne!(
            pair,
            [Op::Create, Op::Create],
            "a create never follows a create"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_costs_one_look_and_no_wait() {
    let world = World::new();
    world.vendor.fault(Op::Create, Fault::LostAnswer);
    let start = Instant::now();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create, Op::Find]);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_looked_up_and_linked() {
    let world = World::new();
    // Another process of ours creates the record between our look and our create.
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::Conflict));
    world.vendor.fault(Op::Find, Fault::Pass);
    let start = world.start();
    world.hook.on_signup(ann()).await.unwrap();
    tokio::time::advance(Duration::from_millis(30)).await;
    world
        .vendor
        .plant(&super::vendor::key_of(&ann()), chrono::TimeDelta::zero());
    start.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Ann Lee");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_nothing_explains_waits_for_a_person() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::Conflict));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 0);
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert!(stopped.len() == 1 && stopped[0].review);
}

#[tokio::test(start_paused = true)]
async fn only_refused_data_dies_early_and_can_be_replayed() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::InvalidData));
    let receipt = world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    worker.idle().await;
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert!(!stopped[0].review);
    assert_eq!(
        stopped[0].failure.as_ref().unwrap().class,
        ErrorClass::InvalidData
    );
    let states = contact_sync::SignupStore::deliveries(world.store.as_ref(), receipt.contact)
        .await
        .unwrap();
    assert!(matches!(states[0].standing, Standing::Dead(_)));

    world.store.replay(stopped[0].job).await.unwrap();
    assert!(matches!(
        world.store.replay(stopped[0].job).await,
        Err(StoreError::NoSuchJob)
    ));
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_signup_is_not_lost_to_a_dead_job() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::InvalidData));
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    worker.idle().await;
    world.hook.on_signup(ann()).await.unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert!(
        world.store.stopped_jobs().await.unwrap().is_empty(),
        "the dead one has no use any more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_dies_of_age_and_not_of_attempts() {
    let world = World::new();
    for _ in 0..2000 {
        world
            .vendor
            .fault(Op::Find, Fault::Fail(ErrorClass::Transient));
    }
    let start = Instant::now();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    let age = start.elapsed();
    assert!(
        age >= Duration::from_hours(72) && age < Duration::from_hours(74),
        "{age:?}"
    );
    assert!(world.vendor.count(Op::Find) > 72);
    assert!(!world.store.stopped_jobs().await.unwrap()[0].review);
}

#[rstest]
#[case(ErrorClass::Auth)]
#[case(ErrorClass::QuotaSpent)]
#[case(ErrorClass::Unavailable)]
#[tokio::test(start_paused = true)]
async fn what_only_a_person_can_mend_does_not_age(#[case] class: ErrorClass) {
    let world = World::new();
    let hour = Duration::from_hours(1);
    for _ in 0..200 {
        world.vendor.fault(Op::Find, Fault::Later(class, hour));
    }
    let start = Instant::now();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert!(start.elapsed() >= hour * 200);
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_and_costs_no_attempt() {
    let world = World::new();
    let wait = Duration::from_secs(90);
    world
        .vendor
        .fault(Op::Find, Fault::Later(ErrorClass::RateLimited, wait));
    world
        .vendor
        .fault(Op::Find, Fault::Later(ErrorClass::RateLimited, wait));
    let start = Instant::now();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert!(start.elapsed() >= wait * 2 && start.elapsed() < wait * 2 + Duration::from_secs(20));
    let attempts: Vec<u32> = world
        .store
        .log()
        .iter()
        .map(|entry| entry.attempt)
        .collect();
    assert_eq!(attempts, [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn back_off_grows_and_keeps_its_bound() {
    let world = World::new();
    for _ in 0..30 {
        world
            .vendor
            .fault(Op::Find, Fault::Fail(ErrorClass::Transient));
    }
    world.hook.on_signup(ann()).await.unwrap();
    let policy = RetryPolicy::new()
        .base(Duration::from_secs(2))
        .cap(Duration::from_mins(1));
    let start = Instant::now();
    world.worker().retry(policy).start().idle().await;
    assert!(
        start.elapsed() < Duration::from_mins(31),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(world.store.log().len(), 31);
    assert_eq!(world.store.log()[30].attempt, 31);
}

#[tokio::test(start_paused = true)]
async fn a_retrying_head_holds_back_its_own_contact_only() {
    let world = World::new();
    world.vendor.fault(
        Op::Find,
        Fault::Later(ErrorClass::Transient, Duration::from_hours(1)),
    );
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().concurrency(1).start();
    tokio::time::advance(Duration::from_secs(1)).await;
    let bob = world
        .hook
        .on_signup_wait(bob(), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(bob.target("fake").unwrap().integrated);
    assert_eq!(world.vendor.records().len(), 1);
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_missing_client_parks() {
    let world = World::new();
    world.vendor.script([
        Fault::NoClient(ClientUnavailable::Paused),
        Fault::NoClient(ClientUnavailable::Disabled),
        Fault::NoClient(ClientUnavailable::Failed),
    ]);
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    let failed = world
        .store
        .log()
        .iter()
        .filter(|e| matches!(e.outcome, LogOutcome::Failed(_)))
        .count();
    assert_eq!(failed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_job_without_a_target_waits_for_a_worker_that_has_it() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    let other = contact_sync::Worker::new(world.store.clone()).start();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    other.shutdown(Duration::ZERO).await;
    assert_eq!(world.store.log().len(), 1);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_confirmed_by_a_later_attempt_is_told_as_one() {
    let world = World::new();
    world.vendor.fault(Op::Create, Fault::LostAnswer);
    world.vendor.fault(Op::Find, Fault::Pass);
    world
        .vendor
        .fault(Op::Find, Fault::Fail(ErrorClass::Transient));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    let log = world.store.log();
    assert_eq!(log.len(), 2);
    assert!(matches!(
        log[1].outcome,
        LogOutcome::Delivered {
            action: contact_sync::Action::Created,
            ..
        }
    ));
}

#[rstest]
#[case::dead(ErrorClass::InvalidData)]
#[case::review(ErrorClass::Conflict)]
#[tokio::test(start_paused = true)]
async fn what_is_refused_does_not_stop_what_came_in_meanwhile(#[case] class: ErrorClass) {
    let world = World::new();
    world.vendor.fault(Op::Create, Fault::Fail(class));
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    // The create is under way.
    pass(Duration::from_millis(30)).await;
    world
        .hook
        .on_signup(ann().phone("202 555 0199"))
        .await
        .unwrap();
    worker.idle().await;
    assert_eq!(world.store.stopped_jobs().await.unwrap(), []);
    let records = world.vendor.records();
    assert_eq!(
        (records.len(), records[0].phone.as_str()),
        (1, "+12025550199")
    );
    let outcomes = world.store.snapshot().await.unwrap().outcomes;
    assert_eq!((outcomes.dead, outcomes.reviews), (0, 0));
}
