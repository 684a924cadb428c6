//! What the store does beside running jobs: changes, pages, parked jobs, counts, and what it forgets.

use std::time::Duration;

use contact_sync::{
    ClaimRequest, ClientUnavailable, Contact, ContactKey, ErrorClass, JobStore, Lane, MemoryStore,
    NewJob, Region, Signup, SignupStore, Standing, TenantId,
};
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Op, World, ann, bob};

#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

fn contact(signup: &Signup) -> Contact {
    Contact::new(&TenantId::default(), signup, Some(Region::US))
}

fn job() -> NewJob {
    NewJob::new("fake".into(), Lane::Bulk).trace_id("request-7")
}

#[tokio::test(start_paused = true)]
async fn a_change_keeps_the_key_whatever_it_says() {
    let world = World::new();
    let tenant = TenantId::default();
    let id = world.hook.on_signup(ann()).await.unwrap().contact;
    world.work().await;
    let moved = contact(&Signup::new().email("lee@example.com").phone("202 555 0199"));
    let changed = world
        .store
        .amend(&tenant, id, &moved, &[job()])
        .await
        .unwrap();
    assert_eq!(changed.unwrap().revision, 2);
    world.work().await;
    let records = world.vendor.records();
    assert_eq!(
        (records.len(), records[0].email.as_str()),
        (1, "lee@example.com")
    );
    assert_eq!(
        world.store.log().last().unwrap().trace_id.as_deref(),
        Some("request-7")
    );

    let same = world
        .store
        .amend(&tenant, id, &moved, &[job()])
        .await
        .unwrap();
    assert_eq!(same.unwrap().revision, 2, "nothing is different");
    assert_eq!(
        world.store.snapshot().await.unwrap().ready,
        1,
        "queued all the same"
    );
    let key = contact(&ann()).key().clone();
    assert_eq!(world.store.find(&tenant, &key).await.unwrap(), Some(id));
    assert_eq!(world.store.find(&tenant, moved.key()).await.unwrap(), None);
    let stored = world.store.stored(&tenant, id).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.contact.key()), (2, &key));
    let other = TenantId::from("other");
    assert_eq!(
        world.store.amend(&other, id, &moved, &[]).await.unwrap(),
        None
    );
    assert_eq!(world.store.find(&other, &key).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_only_kept_finds_nobody() {
    let world = World::new();
    let tenant = TenantId::default();
    let ann = contact(&ann());
    let lease = Duration::from_mins(1);
    contact_sync::StrictStore::begin(&*world.store, &tenant, &ann, &[], lease)
        .await
        .unwrap();
    assert_eq!(world.store.find(&tenant, ann.key()).await.unwrap(), None);
    let nobody = ContactKey::Unidentified;
    assert_eq!(world.store.find(&tenant, &nobody).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn standings_come_in_pages() {
    let world = World::new();
    for id in 0..5 {
        world
            .hook
            .on_signup(bob().host_id(id.to_string()))
            .await
            .unwrap();
    }
    world.work().await;
    world.hook.on_signup(bob().host_id("5")).await.unwrap();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = world.store.standings(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.contact);
        seen.extend(page);
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted_by_key(|standings| standings.contact));
    let states: Vec<_> = seen
        .iter()
        .map(|s| (s.revision, s.targets[0].standing.clone()))
        .collect();
    assert_eq!(states[..5], vec![(1, Standing::Idle); 5]);
    assert_eq!(states[5], (1, Standing::Queued));
}

#[tokio::test(start_paused = true)]
async fn resuming_runs_what_was_parked_and_nothing_else() {
    let world = World::new();
    let down = Fault::NoClient(ClientUnavailable::Paused);
    world
        .vendor
        .script([down, Fault::Fail(ErrorClass::AwaitsImport)]);
    world.hook.on_signup(ann()).await.unwrap();
    world.hook.on_signup(bob()).await.unwrap();
    let worker = world.start();
    pass(Duration::from_mins(1)).await;
    let tenant = TenantId::default();
    let (fake, other) = ("fake".into(), "other".into());
    assert_eq!(world.store.resume(&tenant, &other).await.unwrap(), 0);
    assert_eq!(
        world
            .store
            .resume(&TenantId::from("b"), &fake)
            .await
            .unwrap(),
        0
    );
    assert_eq!(world.store.resume(&tenant, &fake).await.unwrap(), 2);
    assert_eq!(world.store.resume(&tenant, &fake).await.unwrap(), 0);
    pass(Duration::from_secs(1)).await;
    assert_eq!(world.vendor.records().len(), 2);
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!(
        (snapshot.outcomes.parked, snapshot.outcomes.created),
        (2, 2)
    );
    worker.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_resumed_job_did_not_wait_counts_as_age_again() {
    let world = World::new();
    world
        .vendor
        .script([Fault::NoClient(ClientUnavailable::Paused)]);
    world.hook.on_signup(ann()).await.unwrap();
    let worker = world.start();
    pass(Duration::from_mins(1)).await;
    drop(worker);
    world
        .store
        .resume(&TenantId::default(), &"fake".into())
        .await
        .unwrap();
    pass(Duration::from_secs(10)).await;
    let request = ClaimRequest::new(1, Duration::from_mins(1));
    let claims = world.store.claim(request).await.unwrap();
    let age = claims.jobs[0].age;
    assert!(
        age < Duration::from_secs(11),
        "a minute was spent parked: {age:?}"
    );
    assert!(age >= Duration::from_secs(10), "{age:?}");
}

#[tokio::test(start_paused = true)]
async fn a_newer_revision_makes_a_delivery_young_again() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    pass(Duration::from_hours(71)).await;
    world.hook.on_signup(ann()).await.unwrap();
    pass(Duration::from_hours(2)).await;
    world
        .vendor
        .fault(Op::Find, Fault::Fail(ErrorClass::Transient));
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1, "not given up at 73 hours");
}

#[tokio::test(start_paused = true)]
async fn what_is_swept_is_forgotten_and_the_rest_is_not() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    pass(Duration::from_hours(2)).await;
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    assert_eq!(world.store.sweep(Duration::from_hours(3)).await.unwrap(), 0);
    assert_eq!(world.store.sweep(Duration::from_hours(1)).await.unwrap(), 1);
    assert_eq!(
        (world.store.log().len(), world.store.statuses().len()),
        (1, 1)
    );
    assert_eq!(world.store.sweep(Duration::MAX).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_counted() {
    let world = World::new();
    let fails = |class| Fault::Fail(class);
    world.vendor.script([
        fails(ErrorClass::Transient),
        Fault::Pass,
        fails(ErrorClass::InvalidData),
        fails(ErrorClass::Conflict),
    ]);
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    world.vendor.heal();
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    world
        .hook
        .on_signup(bob().phone("202 555 0143"))
        .await
        .unwrap();
    world.work().await;
    world.vendor.script([fails(ErrorClass::Conflict)]);
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    let outcomes = world.store.snapshot().await.unwrap().outcomes;
    assert_eq!(
        (outcomes.retried, outcomes.dead, outcomes.reviews),
        (1, 1, 1)
    );
    assert_eq!(
        (outcomes.created, outcomes.unchanged, outcomes.updated),
        (1, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn how_many_crashes_are_too_many_is_a_setting() {
    let store = MemoryStore::new().max_crashes(1);
    store
        .accept(&TenantId::default(), &contact(&ann()), &[job()])
        .await
        .unwrap();
    let request = ClaimRequest::new(1, Duration::from_secs(1));
    let claims = store.claim(request).await.unwrap();
    assert_eq!(claims.jobs[0].trace_id.as_deref(), Some("request-7"));
    pass(Duration::from_secs(2)).await;
    assert_eq!(store.claim(request).await.unwrap().jobs.len(), 0);
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(
        (
            snapshot.dead,
            snapshot.outcomes.crashes,
            snapshot.outcomes.dead
        ),
        (1, 1, 1)
    );
}
