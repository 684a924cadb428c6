//! What was meant to go somewhere and is not on its way is found and queued, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use contact_sync::{
    Ack, ClaimRequest, ErrorClass, JobStore, LinkChange, LinkStore, LogEntry, LogOutcome, Outcome,
    Reconciler, Signup, SignupHook, SignupStore, SkipReason, StaticDirectory, Switch,
    TargetDirectory, TargetName, TenantId, Timer, TokioTimer,
};
use rstest::rstest;
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Op, World, ann, bob};

#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

fn on() -> StaticDirectory {
    StaticDirectory::new().on("fake")
}

/// A job that came to its end and left nothing, as an older release or a hand on the database may have done it.
async fn lose(world: &World) {
    let request = ClaimRequest::new(1, Duration::from_mins(1));
    let claim = world.store.claim(request).await.unwrap().jobs.remove(0);
    let who = (claim.tenant, claim.target, claim.contact);
    let log = LogEntry::new(claim.job, claim.work.kind(), who, LogOutcome::Released);
    let done = Ack::Done { revision: 0 };
    let mut outcome = Outcome::new(
        (claim.job, claim.token),
        LinkChange::Withdraw,
        log,
        None,
        done,
    );
    world.store.commit_outcome(outcome.clone()).await.unwrap();
    // A revision of 0 leaves the job there for the newer one.
    let claim = world.store.claim(request).await.unwrap().jobs.remove(0);
    outcome.job = claim.job;
    outcome.token = claim.token;
    outcome.ack = Ack::Done { revision: 1 };
    world.store.commit_outcome(outcome).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_has_neither_job_nor_link_is_queued_again() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    lose(&world).await;
    world.hook.on_signup(bob()).await.unwrap();
    assert_eq!(world.store.snapshot().await.unwrap().live(), 1);

    let reconciler = Reconciler::new(world.store.clone(), on()).page(1);
    let found = reconciler.clone().dry_run().run().await.unwrap();
    assert_eq!((found.contacts, found.missing.len()), (2, 1));
    assert_eq!(
        world.store.snapshot().await.unwrap().live(),
        1,
        "it only looked"
    );
    let found = reconciler.run().await.unwrap();
    assert_eq!(found.missing.len(), 1);
    assert_eq!(reconciler.run().await.unwrap().missing, []);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 2);
    assert_eq!(reconciler.run().await.unwrap().missing, []);
    let standings = world.store.standings(None, 2).await.unwrap();
    assert!(
        standings.iter().all(|contact| contact.revision == 1),
        "nothing has changed"
    );
}

#[rstest]
#[case::dead(ErrorClass::InvalidData)]
#[case::review(ErrorClass::Conflict)]
#[tokio::test(start_paused = true)]
async fn what_waits_for_a_person_is_left_alone(#[case] class: ErrorClass) {
    let world = World::new();
    world.vendor.fault(Op::Create, Fault::Fail(class));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    let reconciler = Reconciler::new(world.store.clone(), on()).include_skipped();
    assert_eq!(reconciler.run().await.unwrap().missing, []);
}

#[tokio::test(start_paused = true)]
async fn what_was_skipped_is_found_when_asked_for() {
    let world = World::new();
    let off = StaticDirectory::new().off("fake", SkipReason::Disabled);
    let hook = SignupHook::new(world.store.clone(), off.clone());
    hook.on_signup(ann()).await.unwrap();
    hook.on_signup(Signup::new().host_id("nobody"))
        .await
        .unwrap();
    let run = async |reconciler: Reconciler| reconciler.run().await.unwrap().missing.len();
    let reconciler = Reconciler::new(world.store.clone(), on());
    assert_eq!(run(reconciler.clone()).await, 0);
    let still_off = Reconciler::new(world.store.clone(), off).include_skipped();
    assert_eq!(run(still_off).await, 0);
    assert_eq!(run(reconciler.clone().include_skipped()).await, 1);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1, "and no record of nobody");

    // A change while it was off again: the record says something older.
    let changed = hook
        .on_profile_updated(ann(), ann().phone("+12025550199"))
        .await;
    assert!(changed.unwrap().is_some());
    assert_eq!(run(reconciler).await, 1);
    world.work().await;
    assert_eq!(world.vendor.records()[0].phone, "+12025550199");
}

#[tokio::test(start_paused = true)]
async fn a_worker_reconciles_and_forgets_by_itself() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    lose(&world).await;
    let worker = world
        .worker()
        .reconcile(Duration::from_hours(6), on())
        .keep_attempts(Duration::from_hours(24))
        .start();
    pass(Duration::from_mins(1)).await;
    assert_eq!(world.vendor.records().len(), 1);
    world.hook.on_signup(bob()).await.unwrap();
    lose(&world).await;
    pass(Duration::from_hours(6)).await;
    assert_eq!(world.vendor.records().len(), 2);
    assert_eq!(world.store.log().len(), 6);
    pass(Duration::from_hours(25)).await;
    assert_eq!(world.store.log().len(), 0);
    worker.shutdown(Duration::ZERO).await;
}

/// Panics the first time it is asked.
struct Moody(AtomicBool);

impl TargetDirectory for Moody {
    fn targets(&self, tenant: &TenantId) -> Vec<(TargetName, Switch)> {
        assert!(self.0.swap(true, Ordering::Relaxed), "not today");
        on().targets(tenant)
    }
}

#[tokio::test(start_paused = true)]
async fn a_chore_that_panics_is_done_again() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    lose(&world).await;
    let moody = Moody(AtomicBool::new(false));
    let worker = world.worker().reconcile(Duration::from_hours(1), moody);
    let worker = worker.start();
    pass(Duration::from_mins(1)).await;
    assert_eq!(world.vendor.records().len(), 0);
    pass(Duration::from_hours(1)).await;
    assert_eq!(world.vendor.records().len(), 1);
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_costs_no_job_its_end() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.worker().on_event(|_| panic!("heard enough")).start();
    pass(Duration::from_millis(30)).await;
    let stopped = worker.shutdown(Duration::from_mins(1)).await;
    assert_eq!((stopped.finished, stopped.released), (1, 0));
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_those_since_a_time_are_looked_at() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    let now = TokioTimer.utc_now();
    let since = async |time| {
        let reconciler = Reconciler::new(world.store.clone(), on()).since(time);
        reconciler.run().await.unwrap().contacts
    };
    assert_eq!(since(now - TimeDelta::hours(1)).await, 1);
    assert_eq!(since(now + TimeDelta::hours(1)).await, 0);
}
