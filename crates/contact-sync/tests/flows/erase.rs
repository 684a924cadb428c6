//! Contacts that the host erases: what is ours goes, what was there before us stays, and who comes back is new.

use std::time::Duration;

use chrono::TimeDelta;
use contact_sync::{
    Ack, Action, ClaimRequest, ContactId, CrmHook, Erased, ErrorClass, JobKind, JobStore, Known,
    LinkChange, LinkStore, LogEntry, LogOutcome, Outcome, Receipt, Signup, SignupStore,
    StaticDirectory, StrictError, TenantId, Work,
};
use rstest::rstest;
use tokio::time::{Instant, sleep_until};

use super::vendor::{Fault, Op, Vendor, World, ann, key_of};

#[expect(
    clippy::disallowed_methods,
    reason = "paused time: the test itself is the clock"
)]
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

async fn erase(world: &World, contact: ContactId) -> Erased {
    let tenant = TenantId::default();
    world.store.erase(&tenant, contact).await.unwrap().unwrap()
}

async fn delivered(world: &World, signup: Signup) -> Receipt {
    let receipt = world.hook.on_signup(signup).await.unwrap();
    world.work().await;
    receipt
}

fn last(world: &World) -> LogOutcome {
    world.store.log().last().unwrap().outcome.clone()
}

/// Nothing of the contact is left, not even its key.
async fn assert_forgotten(world: &World, contact: ContactId) {
    let tenant = TenantId::default();
    assert_eq!(world.store.contact(contact), None);
    assert_eq!(world.store.stored(&tenant, contact).await.unwrap(), None);
    assert_eq!(world.store.links(contact).await.unwrap(), []);
    assert_eq!(world.store.deliveries(contact).await.unwrap(), []);
    assert_eq!(world.store.standings(None, 10).await.unwrap(), []);
    let again = erase(world, contact).await;
    assert_eq!((again.queued.len(), again.kept.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_record_of_ours_is_deleted() {
    let world = World::new();
    let contact = delivered(&world, ann()).await.contact;
    let erased = erase(&world, contact).await;
    assert_eq!((erased.queued, erased.kept), (vec!["fake".into()], vec![]));
    let tenant = TenantId::default();
    assert_eq!(world.store.stored(&tenant, contact).await.unwrap(), None);
    assert_eq!(erase(&world, contact).await.queued, ["fake"]);
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert_eq!(last(&world), LogOutcome::Removed);
    assert_eq!(world.store.log().last().unwrap().kind, JobKind::Remove);
    assert_forgotten(&world, contact).await;
    let outcomes = world.store.snapshot().await.unwrap().outcomes;
    assert_eq!((outcomes.created, outcomes.removed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_sent_is_only_dropped() {
    let world = World::new();
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let erased = erase(&world, contact).await;
    assert_eq!((erased.queued, erased.kept), (vec![], vec![]));
    assert_forgotten(&world, contact).await;
    world.work().await;
    assert_eq!(world.vendor.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_delivery_is_told() {
    let world = World::new();
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let start = Instant::now();
    let wait = world.hook.on_signup_wait(ann(), Duration::from_mins(5));
    let (receipt, ()) = tokio::join!(wait, async {
        pass(Duration::from_secs(1)).await;
        erase(&world, contact).await;
    });
    assert!(!receipt.unwrap().targets[0].integrated);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_there_before_stays() {
    let world = World::new();
    let remote = world.vendor.plant(&key_of(&ann()), TimeDelta::hours(1));
    let contact = delivered(&world, ann()).await.contact;
    let links = world.store.links(contact).await.unwrap();
    assert_eq!(links[0].remote, remote);
    let erased = erase(&world, contact).await;
    assert_eq!((erased.queued, erased.kept), (vec![], vec!["fake".into()]));
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_forgotten(&world, contact).await;
}

/// A create whose effect lands after five seconds, and that nobody hears of.
async fn unheard_create(world: &World) -> ContactId {
    let lands = Fault::Lands(Duration::from_secs(5));
    world.vendor.fault(Op::Create, lands);
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let worker = world.start();
    pass(Duration::from_secs(1)).await;
    drop(worker);
    contact
}

#[tokio::test(start_paused = true)]
async fn a_create_that_nobody_heard_of_is_looked_for() {
    let world = World::new();
    let contact = unheard_create(&world).await;
    let erased = erase(&world, contact).await;
    assert_eq!(erased.queued, ["fake"]);
    let start = Instant::now();
    world.work().await;
    assert!(start.elapsed() >= Duration::from_secs(29), "settled first");
    assert_eq!(world.vendor.records(), []);
    assert_eq!(world.vendor.count(Op::Delete), 1);
    assert_eq!(last(&world), LogOutcome::Removed);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_found_and_older_than_the_create_is_not_ours() {
    let world = World::new();
    let contact = unheard_create(&world).await;
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.vendor.records().len(), 1);
    world.vendor.wipe();
    world.vendor.plant(&key_of(&ann()), TimeDelta::hours(1));
    erase(&world, contact).await;
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(last(&world), LogOutcome::Kept);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_somebody_else_has_too_goes_with_the_last() {
    let world = World::new();
    let one = delivered(&world, ann().host_id("1")).await.contact;
    let other = delivered(&world, ann().host_id("2")).await.contact;
    assert_eq!(world.vendor.records().len(), 1);

    erase(&world, one).await;
    world.work().await;
    assert_eq!(last(&world), LogOutcome::Kept);
    assert_eq!(world.vendor.records().len(), 1);
    // The one who stays is known in place of the one who went.
    delivered(&world, ann().host_id("3")).await;
    assert_eq!(world.vendor.records().len(), 1);

    erase(&world, other).await;
    world.work().await;
    let third = world.store.standings(None, 10).await.unwrap();
    assert_eq!(third.len(), 1);
    erase(&world, third[0].contact).await;
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert_eq!(last(&world), LogOutcome::Removed);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_can_be_deleted_a_person_has_to() {
    let world = World::with(Vendor::new().without_delete());
    let contact = delivered(&world, ann()).await.contact;
    erase(&world, contact).await;
    world.work().await;
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!(
        (stopped[0].kind, stopped[0].review),
        (JobKind::Remove, true)
    );

    // Who signs up again has the record back, and nobody is asked any more.
    let again = delivered(&world, ann().phone("202 555 0199")).await.contact;
    assert_eq!(again, contact);
    assert_eq!(world.store.stopped_jobs().await.unwrap(), []);
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].phone, "+12025550199");
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_failed_can_be_replayed() {
    let world = World::new();
    let contact = delivered(&world, ann()).await.contact;
    world
        .vendor
        .fault(Op::Delete, Fault::Fail(ErrorClass::InvalidData));
    erase(&world, contact).await;
    world.work().await;
    let stopped = world.store.stopped_jobs().await.unwrap();
    assert_eq!(stopped[0].kind, JobKind::Remove);
    world.store.replay(stopped[0].job).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn a_signup_before_the_removal_ran_goes_behind_it() {
    let world = World::new();
    let contact = delivered(&world, ann().company("Lee Ltd")).await.contact;
    erase(&world, contact).await;
    let again = world.hook.on_signup(ann()).await.unwrap().contact;
    assert_eq!(again, contact);
    let stored = world.store.contact(contact).unwrap();
    assert_eq!(stored.company(), None, "nothing was taken over");
    world.work().await;
    let calls = world.vendor.calls();
    assert_eq!(
        calls,
        [Op::Find, Op::Create, Op::Delete, Op::Find, Op::Create]
    );
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.store.links(contact).await.unwrap().len(), 1);
    let states = world.store.deliveries(contact).await.unwrap();
    assert_eq!(states[0].delivered, 2);

    // And once more, now that it is alive again.
    erase(&world, contact).await;
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn a_signup_after_the_removal_ran_is_somebody_new() {
    let world = World::new();
    let contact = delivered(&world, ann()).await.contact;
    erase(&world, contact).await;
    world.work().await;
    let again = delivered(&world, ann()).await.contact;
    assert_ne!(again, contact);
    assert_eq!(world.vendor.records().len(), 1);
    assert_forgotten_but_one(&world, contact, again).await;
}

async fn assert_forgotten_but_one(world: &World, gone: ContactId, there: ContactId) {
    let standings = world.store.standings(None, 10).await.unwrap();
    let ids: Vec<ContactId> = standings.iter().map(|s| s.contact).collect();
    assert_eq!(ids, [there]);
    assert_eq!(world.store.contact(gone), None);
}

#[rstest]
#[case::it_goes_well(Fault::Pass)]
#[case::it_is_refused(Fault::Fail(ErrorClass::InvalidData))]
#[case::it_would_be_tried_again(Fault::Fail(ErrorClass::Transient))]
#[case::its_answer_is_lost(Fault::LostAnswer)]
#[case::its_worker_is_lost(Fault::HangAfter)]
#[tokio::test(start_paused = true)]
async fn a_delivery_that_runs_is_not_run_again(#[case] fault: Fault) {
    let world = World::with(Vendor::new().slow(Duration::from_secs(2)));
    world.vendor.fault(Op::Create, fault);
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let worker = world.start();
    pass(Duration::from_secs(3)).await;
    assert_eq!(erase(&world, contact).await.queued, ["fake"]);
    pass(Duration::from_secs(3)).await;
    drop(worker);
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert_eq!(world.vendor.count(Op::Create), 1);
    assert_eq!(world.store.stopped_jobs().await.unwrap(), []);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_while_the_old_delivery_runs_is_delivered_anew() {
    let world = World::with(Vendor::new().slow(Duration::from_secs(2)));
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let worker = world.start();
    pass(Duration::from_secs(3)).await;
    erase(&world, contact).await;
    world
        .hook
        .on_signup(ann().phone("202 555 0199"))
        .await
        .unwrap();
    worker.idle().await;
    let records = world.vendor.records();
    assert_eq!((records.len(), world.vendor.count(Op::Delete)), (1, 1));
    assert_eq!(records[0].phone, "+12025550199");
}

#[tokio::test(start_paused = true)]
async fn a_dead_delivery_goes_with_its_contact() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::InvalidData));
    let contact = delivered(&world, ann()).await.contact;
    assert_eq!(world.store.stopped_jobs().await.unwrap().len(), 1);
    assert_eq!(erase(&world, contact).await.queued, [""; 0]);
    assert_eq!(world.store.stopped_jobs().await.unwrap(), []);
    assert_forgotten(&world, contact).await;
}

#[tokio::test(start_paused = true)]
async fn another_tenant_erases_nothing() {
    let world = World::new();
    let contact = world.hook.on_signup(ann()).await.unwrap().contact;
    let other = TenantId::from("other");
    assert_eq!(world.store.erase(&other, contact).await.unwrap(), None);
    assert_eq!(world.store.stored(&other, contact).await.unwrap(), None);
    assert!(world.store.contact(contact).is_some());
    erase(&world, contact).await;
    assert_eq!(world.store.erase(&other, contact).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_strict_create_does_not_find_what_is_about_to_go() {
    let world = World::new();
    let contact = delivered(&world, ann()).await.contact;
    erase(&world, contact).await;
    let crm = CrmHook::new(world.store.clone(), StaticDirectory::new().on("fake"))
        .target(world.vendor.clone())
        .patience(Duration::ZERO);
    let busy = crm.create(&ann(), async |_| Ok::<_, ()>(())).await;
    assert!(matches!(busy, Err(StrictError::Busy)), "{busy:?}");
    world.work().await;
    crm.create(&ann(), async |_| Ok::<_, ()>(())).await.unwrap();
    assert_eq!(world.vendor.records().len(), 1);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn erasing_in_the_middle_of_a_strict_create_is_about_what_was_before(
    #[values(false, true)] fails: bool,
) {
    let world = World::new();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(ErrorClass::InvalidData));
    let contact = delivered(&world, ann()).await.contact;
    let crm = CrmHook::new(world.store.clone(), StaticDirectory::new().on("fake"))
        .target(world.vendor.clone());
    let created = crm
        .create(&ann(), async |_| {
            assert_eq!(erase(&world, contact).await.queued, [""; 0]);
            if fails { Err(()) } else { Ok(()) }
        })
        .await;
    assert_eq!(created.is_err(), fails);
    world.work().await;
    assert_eq!(world.vendor.records().len(), usize::from(!fails));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_not_known_by_what_still_ran() {
    let world = World::new();
    let store = &world.store;
    let of = |id, email| Signup::new().host_id(id).name("Ann Lee").email(email);
    let (old, new) = ("ann@example.com", "lee@example.com");
    let contact = world.hook.on_signup(of("17", old)).await.unwrap().contact;
    let request = ClaimRequest::new(10, Duration::from_mins(1));
    let running = store.claim(request).await.unwrap().jobs.remove(0);
    erase(&world, contact).await;
    world.hook.on_signup(of("17", new)).await.unwrap();
    let action = Action::Created;
    let who = (running.tenant, running.target, running.contact);
    let unmapped = Vec::new();
    let log = LogOutcome::Delivered { action, unmapped };
    let log = LogEntry::new(running.job, JobKind::Deliver, who, log);
    let link = LinkChange::Set {
        remote: "1".into(),
        created: true,
    };
    let done = Ack::Done { revision: 1 };
    let outcome = Outcome::new((running.job, running.token), link, log, None, done);
    store.commit_outcome(outcome).await.unwrap();

    world.hook.on_signup(of("18", new)).await.unwrap();
    let claims = store.claim(request).await.unwrap().jobs;
    let known: Vec<&Known> = claims
        .iter()
        .filter_map(|claim| match &claim.work {
            Work::Deliver(delivery) => Some(&delivery.known),
            _ => None,
        })
        .collect();
    assert_eq!(known, [&Known::Nobody], "record 1 is about to be deleted");
}
