//! What comes after a signup: changes, erasure by any name, the vendors' ids, and people nobody could recognise.

use std::collections::BTreeMap;

use contact_sync::{
    ContactRef, CrmHook, JobStore, Reason, Signup, SignupHook, SkipReason, StaticDirectory,
};
use rstest::rstest;

use super::vendor::{Op, World, ann, bob};

#[tokio::test(start_paused = true)]
async fn a_change_reaches_the_record_that_is_there() {
    let world = World::new();
    world.hook.on_signup(ann().host_id("17")).await.unwrap();
    world.work().await;
    let moved = Signup::new().phone("202 555 0199").trace_id("request-9");
    let receipt = world
        .hook
        .on_profile_updated("17", moved)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Queued));
    world.work().await;
    let records = world.vendor.records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&*records[0].phone, &*records[0].email),
        ("+12025550199", "ann@example.com")
    );
    assert_eq!(
        world.store.log().last().unwrap().trace_id.as_deref(),
        Some("request-9")
    );
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_person_has_several_names(#[values(0, 1, 2, 3)] name: u8) {
    let world = World::new();
    let signup = ann().tenant("acme");
    let receipt = world.hook.on_signup(signup.clone()).await.unwrap();
    world.work().await;
    let plan = world.hook.plan(&signup);
    let who = || match name {
        0 => ContactRef::from(&receipt).tenant("acme"),
        1 => ContactRef::from(signup.clone()),
        2 => ContactRef::from(Signup::new().email(" ANN@example.com")).tenant("acme"),
        _ => ContactRef::from(plan.contact.key().clone()).tenant("acme"),
    };
    let links = world.hook.links(who()).await.unwrap();
    let columns: BTreeMap<String, String> =
        serde_json::from_value(serde_json::to_value(&links).unwrap()).unwrap();
    assert_eq!(
        columns,
        BTreeMap::from([("fake_contact_id".into(), "1".into())])
    );

    let strangers = who().tenant("other");
    assert!(
        world
            .hook
            .links(strangers.clone())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        world.hook.on_profile_deleted(strangers).await.unwrap(),
        None
    );

    let erased = world.hook.on_profile_deleted(who()).await.unwrap().unwrap();
    assert_eq!(erased.contact, receipt.contact);
    let gone = world
        .hook
        .on_profile_updated(who(), bob().tenant("acme"))
        .await;
    assert_eq!(gone.unwrap(), None);
    world.work().await;
    assert_eq!(world.vendor.records(), []);
    assert!(world.hook.links(who()).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_was_never_accepted_cannot_change() {
    let world = World::new();
    assert_eq!(
        world.hook.on_profile_updated("17", ann()).await.unwrap(),
        None
    );
    assert_eq!(world.hook.on_profile_deleted("17").await.unwrap(), None);
    assert_eq!(world.store.contact_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_accepted_and_makes_no_record_until_there_is_something_to_say() {
    let world = World::new();
    let blank = Signup::new().host_id("17").company("Lee Ltd");
    let receipt = world.hook.on_signup(blank).await.unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Blank));
    let waited = world
        .hook
        .on_signup_wait(Signup::new(), std::time::Duration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(waited.target("fake").unwrap().reason, Some(Reason::Blank));
    assert_eq!(world.store.contact_count(), 2);
    let issues = world.store.contact(receipt.contact).unwrap().issues();
    assert_eq!(issues.len(), 2, "flagged");
    world.work().await;
    assert_eq!(world.vendor.calls(), []);

    // Nobody knows more of this one by the next signup, either.
    let blank = Signup::new().host_id("17").notes("hello");
    let receipt = world.hook.on_signup(blank).await.unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Blank));
    world.work().await;
    assert_eq!(world.vendor.calls(), []);

    let named = Signup::new().name("Ann Lee");
    let receipt = world
        .hook
        .on_profile_updated("17", named)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Queued));
    // A change that says nothing of the person is about somebody known by now.
    let more = Signup::new().notes("hello");
    let receipt = world
        .hook
        .on_profile_updated("17", more)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Queued));
    world.work().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_signup_that_says_nothing_of_somebody_known_is_a_change_like_any_other() {
    let world = World::new();
    world.hook.on_signup(ann().host_id("17")).await.unwrap();
    world.work().await;
    let more = Signup::new().host_id("17").company("Lee Ltd");
    let receipt = world.hook.on_signup(more).await.unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Queued));
    world.work().await;
    assert_eq!(world.vendor.count(Op::Update), 1);
    let _worker = world.start();
    let more = Signup::new().host_id("17").notes("hello");
    let patience = std::time::Duration::from_mins(1);
    let receipt = world.hook.on_signup_wait(more, patience).await.unwrap();
    assert!(receipt.target("fake").unwrap().integrated);
    assert_eq!(world.vendor.count(Op::Update), 2);
}

#[tokio::test(start_paused = true)]
async fn the_strict_road_takes_nobody_to_a_vendor_either() {
    let world = World::new();
    let crm = CrmHook::new(world.store.clone(), StaticDirectory::new().on("fake"))
        .target(world.vendor.clone());
    let blank = Signup::new().host_id("17");
    let ((), receipt) = crm.create(&blank, async |_| Ok::<_, ()>(())).await.unwrap();
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Blank));
    assert_eq!(world.vendor.calls(), []);
    assert_eq!(world.store.contact_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_is_off_is_said_before_that_there_is_nothing_to_say() {
    let world = World::new();
    let directory = StaticDirectory::new().off("fake", SkipReason::Disabled);
    let hook = SignupHook::new(world.store.clone(), directory);
    let receipt = hook.on_signup(Signup::new()).await.unwrap();
    assert_eq!(
        receipt.target("fake").unwrap().reason,
        Some(Reason::Disabled)
    );
    assert_eq!(world.store.snapshot().await.unwrap().live(), 0);
}
