//! Workers that vanish, hang, panic or are stopped at every step, and what the next one makes of it.

use std::time::Duration;

use contact_sync::{ClaimRequest, ErrorClass, JobStore, Stopped, StoreError};
use rstest::rstest;
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Op, Vendor, World, ann, bob};

/// Lets time pass, with everything that is due in it.
#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_worker_that_vanishes_in_any_call_leaves_one_record(
    #[values(Op::Find, Op::Create, Op::Update)] op: Op,
    #[values(Fault::Hang, Fault::HangAfter)] fault: Fault,
    #[values(0, 3)] lag: u64,
) {
    let world = World::with(Vendor::new().lagging(lag));
    if op == Op::Update {
        world
            .hook
            .on_signup(ann().phone("202 555 0199"))
            .await
            .unwrap();
        world.work().await;
    }
    world.vendor.fault(op, fault);
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    pass(Duration::from_secs(10)).await;
    drop(worker);

    let start = Instant::now();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].phone, "+12025550143");
    assert!(
        start.elapsed() >= Duration::from_secs(40),
        "its lease had to run out first"
    );
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_target_that_panics_harms_nobody_else(#[values(Op::Find, Op::Create)] op: Op) {
    let world = World::new();
    world.vendor.fault(op, Fault::Panic);
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().concurrency(1).start();
    pass(Duration::from_secs(1)).await;
    let bob = world
        .hook
        .on_signup_wait(bob(), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(bob.target("fake").unwrap().integrated);
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_poison_job_is_dead_after_its_crashes() {
    let world = World::new();
    for _ in 0..10 {
        world.vendor.fault(Op::Find, Fault::Panic);
    }
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.count(Op::Find), 3);
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!(
        stopped[0].failure.as_ref().unwrap().class,
        ErrorClass::Ambiguous
    );
    world.vendor.heal();
    world.store.replay(stopped[0].job).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_finishes_what_runs() {
    let world = World::with(Vendor::new().slow(Duration::from_secs(2)));
    world.hook.on_signup(ann()).await.unwrap();
    world.hook.on_signup(bob()).await.unwrap();
    let worker = world.worker().concurrency(2).start();
    pass(Duration::from_secs(1)).await;
    let start = Instant::now();
    let Stopped {
        finished, released, ..
    } = worker.shutdown(Duration::from_mins(1)).await;
    // One place of two is kept for the interactive lane.
    assert_eq!((finished, released), (1, 0));
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert_eq!(world.vendor.records().len(), 1);
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!((snapshot.ready, snapshot.running, snapshot.done), (1, 0, 1));
}

#[rstest]
#[case::before_the_effect(Fault::Hang)]
#[case::after_the_effect(Fault::HangAfter)]
#[case::while_the_effect_is_under_way(Fault::HangLands(Duration::from_secs(20)))]
#[tokio::test(start_paused = true)]
async fn shutting_down_hands_back_what_does_not_finish(#[case] fault: Fault) {
    let world = World::new();
    world.vendor.fault(Op::Create, fault);
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    pass(Duration::from_secs(1)).await;
    let stopped = worker.shutdown(Duration::from_secs(5)).await;
    assert_eq!((stopped.finished, stopped.released), (0, 1));

    // Whoever takes over waits until the request that is on its way has settled, and no longer.
    let start = Instant::now();
    world.work().await;
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(
        world.store.log().last().unwrap().attempt,
        1,
        "a released attempt does not count"
    );
}

#[tokio::test(start_paused = true)]
async fn a_long_delivery_keeps_its_lease() {
    let world = World::with(Vendor::new().slow(Duration::from_mins(5)));
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    let other = world.start();
    worker.idle().await;
    other.idle().await;
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Create]);
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_the_lease_can_write_nothing() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    let request = ClaimRequest::new(1, Duration::from_secs(10));
    let first = world.store.claim(request).await.unwrap().jobs.remove(0);
    pass(Duration::from_secs(13)).await;
    // The expired lease is noticed at the next claim, and the job backs off.
    assert!(world.store.claim(request).await.unwrap().jobs.is_empty());
    let lost = world
        .store
        .renew(first.job, first.token, Duration::from_secs(10))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    pass(Duration::from_secs(3)).await;
    let second = world.store.claim(request).await.unwrap().jobs.remove(0);
    assert_eq!((second.job, second.attempt), (first.job, 2));
    assert_ne!(second.token, first.token);
    assert!(matches!(
        world
            .store
            .renew(first.job, first.token, Duration::from_secs(10))
            .await,
        Err(StoreError::LeaseLost)
    ));
    world
        .store
        .renew(second.job, second.token, Duration::from_secs(10))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn two_workers_share_the_work() {
    let world = World::new();
    for id in 0..40 {
        let signup = contact_sync::Signup::new()
            .host_id(id.to_string())
            .name("Ann Lee");
        world.hook.on_signup(signup).await.unwrap();
    }
    let workers = [world.start(), world.start()];
    for worker in &workers {
        worker.idle().await;
    }
    assert_eq!(world.vendor.records().len(), 40);
    assert_eq!(world.vendor.count(Op::Create), 40);
    assert_eq!(
        world.vendor.most_in_flight(),
        14,
        "both were busy, but for the places of the interactive lane"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_never_too_short_for_what_is_on_its_way() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::HangLands(Duration::from_secs(29)));
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().lease(Duration::from_secs(1)).start();
    pass(Duration::from_secs(2)).await;
    drop(worker);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
}
