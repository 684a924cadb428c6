//! One person, several signups: one record, unless nothing says that it is one person.

use std::time::Duration;

use contact_sync::{ErrorClass, Signup};
use rstest::rstest;

use super::vendor::{Fault, Op, World, ann, bob, key_of};

const PHONE: &str = "202 555 0143";

#[rstest]
#[case::same_email(
    Signup::new().host_id("1").name("Ann Lee").email("ann@example.com"),
    Signup::new().host_id("2").name("A. Lee").email("ANN@Example.com"), 1)]
#[case::phone_and_similar_name(
    Signup::new().name("Ann Lee").email("ann@example.com").phone(PHONE),
    Signup::new().name("Anne Lee").phone("+1 (202) 555-0143"), 1)]
#[case::phone_first_email_later(
    Signup::new().name("Ann Lee").phone(PHONE),
    Signup::new().name("Ann Lee").email("ann@example.com").phone(PHONE), 1)]
#[case::family_phone(
    Signup::new().name("Ann Lee").phone(PHONE),
    Signup::new().name("Robert Lee").phone(PHONE), 2)]
#[case::email_contradicts(
    Signup::new().name("Ann Lee").email("ann@example.com").phone(PHONE),
    Signup::new().name("Ann Lee").email("ann.lee@example.com").phone(PHONE), 2)]
#[case::role_address(
    Signup::new().name("Ann Lee").email("info@example.com"),
    Signup::new().name("Bob Ray").email("info@example.com"), 2)]
#[case::role_address_and_name(
    Signup::new().name("Ann Lee").email("info@example.com"),
    Signup::new().name("Anne Lee").email("info@example.com"), 1)]
#[case::name_only(Signup::new().name("Ann Lee"), Signup::new().name("Ann Lee"), 2)]
#[tokio::test(start_paused = true)]
async fn two_signups(
    #[case] first: Signup,
    #[case] second: Signup,
    #[case] records: usize,
    #[values(true, false)] at_once: bool,
) {
    let world = World::new();
    let worker = world.start();
    world.hook.on_signup(first).await.unwrap();
    if !at_once {
        worker.idle().await;
    }
    world.hook.on_signup(second).await.unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), records);
    assert_eq!(world.vendor.count(Op::Create), records);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_with_one_address_is_one_record() {
    let world = World::new();
    let worker = world.worker().concurrency(16).start();
    for id in 0..50 {
        world
            .hook
            .on_signup(ann().host_id(id.to_string()))
            .await
            .unwrap();
    }
    for id in 50..60 {
        world
            .hook
            .on_signup(bob().host_id(id.to_string()))
            .await
            .unwrap();
    }
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 2);
    assert_eq!(world.vendor.count(Op::Create), 2);
    assert!(
        world.vendor.most_in_flight() > 1,
        "different people do not wait for each other"
    );
}

#[tokio::test(start_paused = true)]
async fn an_office_with_one_address_is_as_many_people_as_it_has() {
    const NAMES: [&str; 12] = [
        "Ann Lee",
        "Bob Ray",
        "Cleo Fox",
        "Dan Moss",
        "Eva Holt",
        "Finn Gray",
        "Gus Park",
        "Hal Quist",
        "Ida Bloom",
        "Joy Stark",
        "Kim Vance",
        "Lou West",
    ];
    let world = World::new();
    let worker = world.start();
    for round in 0..2 {
        for name in NAMES {
            let signup = Signup::new()
                .host_id(format!("{name} {round}"))
                .name(name)
                .email("office@example.com");
            world.hook.on_signup(signup).await.unwrap();
        }
        worker.idle().await;
    }
    assert_eq!(world.vendor.records().len(), NAMES.len());
}

#[tokio::test(start_paused = true)]
async fn a_multitude_with_one_number_is_worked_through() {
    let world = World::new();
    for id in 0..2_000 {
        let signup = Signup::new()
            .host_id(id.to_string())
            .name("Ann Lee")
            .phone(PHONE);
        world.hook.on_signup(signup).await.unwrap();
    }
    world.worker().concurrency(32).start().idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.count(Op::Update), 1_999);
    let snapshot = contact_sync::JobStore::snapshot(world.store.as_ref())
        .await
        .unwrap();
    assert_eq!(snapshot.done, 2_000);
}

#[tokio::test(start_paused = true)]
async fn an_unconfirmed_create_holds_back_the_same_person_only() {
    let world = World::new();
    let worker = world.start();
    world
        .vendor
        .fault(Op::Create, Fault::Lands(Duration::from_secs(20)));
    world.hook.on_signup(ann().host_id("1")).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    world.hook.on_signup(ann().host_id("2")).await.unwrap();
    let bob = world
        .hook
        .on_signup_wait(bob(), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(bob.target("fake").unwrap().integrated);
    assert_eq!(
        world.vendor.count(Op::Create),
        2,
        "the second Ann waits for the first one's create"
    );
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_job_may_have_created_is_found_by_its_key() {
    let world = World::new();
    let worker = world.start();
    // The create happened unseen, every look fails, and then the vendor refuses the contact for good.
    world.vendor.fault(Op::Create, Fault::LostAnswer);
    world.vendor.fault(Op::Find, Fault::Pass);
    world
        .vendor
        .fault(Op::Find, Fault::Fail(ErrorClass::Transient));
    world
        .vendor
        .fault(Op::Find, Fault::Fail(ErrorClass::InvalidData));
    world.hook.on_signup(ann().host_id("1")).await.unwrap();
    worker.idle().await;
    assert_eq!(
        contact_sync::JobStore::stopped_jobs(world.store.as_ref())
            .await
            .unwrap()
            .len(),
        1
    );
    // Another contact of the same person: the dead one's key leads to the record.
    let receipt = world
        .hook
        .on_signup_wait(ann().host_id("2"), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(
        receipt
            .target("fake")
            .unwrap()
            .contact_id
            .as_ref()
            .unwrap()
            .as_str(),
        "1"
    );
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_after_a_crash_finds_everybody_again() {
    let world = World::new();
    world.hook.on_signup(ann()).await.unwrap();
    world.hook.on_signup(bob()).await.unwrap();
    world.work().await;
    let records = world.vendor.records();

    // The memory is gone; the vendor is not.
    let later = World {
        store: std::sync::Arc::default(),
        vendor: world.vendor.clone(),
        hook: World::new().hook,
    };
    let hook = contact_sync::SignupHook::new(
        later.store.clone(),
        contact_sync::StaticDirectory::new().on("fake"),
    )
    .region(contact_sync::Region::US);
    hook.on_signup(ann()).await.unwrap();
    hook.on_signup(bob()).await.unwrap();
    later.work().await;
    assert_eq!(world.vendor.records(), records);
    assert_eq!(world.vendor.count(Op::Create), 2);
}

#[tokio::test(start_paused = true)]
async fn several_records_under_one_key_wait_for_a_person() {
    let world = World::new();
    let key = key_of(&ann());
    world.vendor.plant(&key, chrono::TimeDelta::days(1));
    world.vendor.plant(&key, chrono::TimeDelta::days(2));
    let worker = world.start();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(
        receipt.target("fake").unwrap().reason,
        Some(contact_sync::Reason::Conflict)
    );
    assert_eq!(
        world.vendor.records().len(),
        2,
        "nothing was created, nothing was changed"
    );
    worker.idle().await;
    let stopped = contact_sync::JobStore::stopped_jobs(world.store.as_ref())
        .await
        .unwrap();
    assert!(stopped[0].review);

    // A person has deleted one of them, and runs the job again.
    world.vendor.wipe();
    world.vendor.plant(&key, chrono::TimeDelta::days(1));
    contact_sync::JobStore::replay(world.store.as_ref(), stopped[0].job)
        .await
        .unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].email, "ann@example.com");
    assert!(
        contact_sync::JobStore::stopped_jobs(world.store.as_ref())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_of_ours_that_was_there_before_is_linked_and_changed() {
    let world = World::new();
    world
        .vendor
        .plant(&key_of(&ann()), chrono::TimeDelta::days(400));
    world.hook.on_signup(ann()).await.unwrap();
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Ann Lee");
    assert_eq!(world.vendor.calls(), [Op::Find, Op::Update]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_gone_is_delivered_to_nobody() {
    let world = World::new();
    let worker = world.start();
    let one = world.hook.on_signup(ann().host_id("1")).await.unwrap();
    let other = world.hook.on_signup(ann().host_id("2")).await.unwrap();
    worker.idle().await;
    world.vendor.wipe();
    world
        .hook
        .on_signup(ann().host_id("2").name("Anna Lee"))
        .await
        .unwrap();
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    let delivered = async |contact| {
        let store = world.store.as_ref();
        let states = contact_sync::SignupStore::deliveries(store, contact).await;
        (
            states.as_ref().unwrap()[0].remote.is_some(),
            states.unwrap()[0].delivered,
        )
    };
    assert_eq!(delivered(one.contact).await, (false, 0));
    assert_eq!(delivered(other.contact).await, (true, 2));
}
