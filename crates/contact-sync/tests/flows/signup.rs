//! The main road when nothing fails, and the one way in which it can.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    Accepted, Action, Contact, ContactId, ContactKey, DeliveryState, Erased, LogOutcome, NewJob,
    Progress, Reason, Signal, Signup, SignupHook, SignupStore, SkipReason, Standings,
    StaticDirectory, StoreError, StoredContact, TargetName, TenantId,
};
use std::sync::Mutex;
use tokio::time::Instant;

use super::vendor::{Fault, Op, World, ann, bob};

#[tokio::test(start_paused = true)]
async fn a_signup_reaches_the_vendor_once() {
    let world = World::new();
    let receipt = world.hook.on_signup(ann()).await.unwrap();
    assert_eq!(receipt.targets.len(), 1);
    assert!(receipt.targets[0].is_queued());
    assert_eq!(
        world.vendor.calls(),
        [],
        "nothing on the path of a signup calls the vendor"
    );

    world.work().await;

    let records = world.vendor.records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].name.as_str(), records[0].phone.as_str()),
        ("Ann Lee", "+12025550143")
    );
    assert_eq!(
        world.vendor.calls(),
        [Op::Find, Op::Create],
        "it looks before it creates"
    );
    let links = contact_sync::LinkStore::links(world.store.as_ref(), receipt.contact)
        .await
        .unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(links[0].remote.as_str(), "1");
}

#[tokio::test(start_paused = true)]
async fn waiting_gives_the_vendors_id() {
    let world = World::new();
    let _worker = world.start();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    let line = receipt.target("fake").unwrap();
    assert!(line.integrated);
    assert_eq!(line.contact_id.as_ref().unwrap().as_str(), "1");
    assert_eq!(line.reason, None);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_timeout_and_the_delivery_goes_on() {
    let world = World::new();
    world
        .vendor
        .fault(Op::Find, Fault::Fail(contact_sync::ErrorClass::Transient));
    world.vendor.fault(
        Op::Find,
        Fault::Later(contact_sync::ErrorClass::Transient, Duration::from_mins(1)),
    );
    let worker = world.start();
    let start = Instant::now();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    let line = receipt.target("fake").unwrap();
    assert_eq!(
        (line.integrated, line.reason),
        (false, Some(Reason::Retrying))
    );
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_refused_contact_ends_at_once() {
    let world = World::new();
    world.vendor.fault(
        Op::Create,
        Fault::Fail(contact_sync::ErrorClass::InvalidData),
    );
    let _worker = world.start();
    let start = Instant::now();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_mins(1))
        .await
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(receipt.target("fake").unwrap().reason, Some(Reason::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_second_signup_updates_the_first_ones_record() {
    let world = World::new();
    let worker = world.start();
    let first = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    let again = Signup::new().name("Ann Lee-Ray").email(" ANN@example.com");
    let second = world
        .hook
        .on_signup_wait(again, Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(first.contact, second.contact);
    assert_eq!(first.target("fake"), second.target("fake"));
    worker.idle().await;
    let records = world.vendor.records();
    assert_eq!(records.len(), 1);
    assert_eq!(
        (records[0].name.as_str(), records[0].phone.as_str()),
        ("Ann Lee-Ray", "+12025550143")
    );
}

#[tokio::test(start_paused = true)]
async fn what_came_in_during_a_delivery_is_delivered_too() {
    let world = World::new();
    let worker = world.start();
    world.hook.on_signup(ann()).await.unwrap();
    // The first delivery is under way: its job carries the newer revision afterwards.
    tokio::time::advance(Duration::from_millis(30)).await;
    let newer = world
        .hook
        .on_signup_wait(ann().name("Anna Lee"), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(newer.target("fake").unwrap().integrated);
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
    assert_eq!(world.vendor.records()[0].name, "Anna Lee");
}

#[tokio::test(start_paused = true)]
async fn events_logs_and_statuses_tell_what_happened() {
    let world = World::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let worker = world
        .worker()
        .on_event(move |event| heard.lock().unwrap().push(event.clone()))
        .start();
    world.hook.on_signup(ann().notes("hello")).await.unwrap();
    world
        .vendor
        .fault(Op::Create, Fault::Fail(contact_sync::ErrorClass::Transient));
    worker.idle().await;

    let events = events.lock().unwrap();
    assert_eq!(events.len(), 2);
    assert!(matches!(events[0].progress, Progress::Retrying { .. }));
    let Progress::Delivered {
        action, unmapped, ..
    } = &events[1].progress
    else {
        panic!("delivered")
    };
    assert_eq!(
        (*action, unmapped.len(), events[1].attempt),
        (Action::Created, 1, 2)
    );
    assert!(
        serde_json::to_string(&events[1])
            .unwrap()
            .contains(r#""unmapped":[{"field":"notes""#)
    );

    let log = world.store.log();
    assert!(matches!(log[0].outcome, LogOutcome::Failed(_)));
    assert!(matches!(
        log[1].outcome,
        LogOutcome::Delivered {
            action: Action::Created,
            ..
        }
    ));
    assert!(log[1].duration_ms >= 40, "two calls of 20 ms");
    let signals: Vec<Signal> = world
        .store
        .statuses()
        .iter()
        .map(|status| status.signal)
        .collect();
    assert_eq!(signals, [Signal::TransientFailure, Signal::CallOk]);
}

#[tokio::test(start_paused = true)]
async fn what_is_off_is_skipped_with_a_reason() {
    let world = World::new();
    let directory = StaticDirectory::new()
        .on("fake")
        .off("b", SkipReason::Disabled)
        .off("c", SkipReason::NotConfigured);
    let hook = SignupHook::new(world.store.clone(), directory);
    let _worker = world.start();
    let receipt = hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    let reasons: Vec<_> = receipt
        .targets
        .iter()
        .map(|line| (line.integrated, line.skipped()))
        .collect();
    assert_eq!(
        reasons,
        [
            (true, None),
            (false, Some(SkipReason::Disabled)),
            (false, Some(SkipReason::NotConfigured))
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn bad_data_is_accepted_and_kept() {
    let world = World::new();
    let messy = Signup::new()
        .name("=cmd|'/c calc'!A1")
        .email("not an address")
        .phone("call me");
    let receipt = world.hook.on_signup(messy).await.unwrap();
    let empty = world.hook.on_signup(Signup::new()).await.unwrap();
    assert_ne!(receipt.contact, empty.contact);
    world.work().await;
    let kept = world.store.contact(receipt.contact).unwrap();
    assert_eq!(kept.email().unwrap().raw(), "not an address");
    assert_eq!(kept.phone().unwrap().raw(), "call me");
    assert!(world.store.contact(empty.contact).unwrap().is_blank());
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tenants_are_apart() {
    let world = World::new();
    let one = world.hook.on_signup(ann().tenant("one")).await.unwrap();
    let other = world.hook.on_signup(ann().tenant("other")).await.unwrap();
    assert_ne!(one.contact, other.contact);
    world.work().await;
    assert_eq!(world.vendor.records().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_record_is_made_anew_for_the_next_signup() {
    let world = World::new();
    let worker = world.start();
    world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    let same_person = world
        .hook
        .on_signup_wait(ann().host_id("7"), Duration::from_secs(5))
        .await
        .unwrap();
    world.vendor.wipe();
    let receipt = world
        .hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    assert_ne!(receipt.contact, same_person.contact);
    assert_eq!(
        receipt
            .target("fake")
            .unwrap()
            .contact_id
            .as_ref()
            .unwrap()
            .as_str(),
        "2"
    );
    // The other contact of the same person had a link to the deleted record too, and finds the new one.
    let other = world
        .hook
        .on_signup_wait(ann().host_id("7"), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(
        other
            .target("fake")
            .unwrap()
            .contact_id
            .as_ref()
            .unwrap()
            .as_str(),
        "2"
    );
    worker.idle().await;
    assert_eq!(world.vendor.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_plan_writes_nothing() {
    let world = World::new();
    let plan = world.hook.plan(&bob());
    assert_eq!(plan.targets.len(), 1);
    assert_eq!(world.store.contact_count(), 0);
}

/// A store whose disk is full.
struct FullDisk;

#[async_trait]
impl SignupStore for FullDisk {
    async fn accept(
        &self,
        _: &TenantId,
        _: &Contact,
        _: &[NewJob],
    ) -> Result<Accepted, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn amend(
        &self,
        _: &TenantId,
        _: ContactId,
        _: &Contact,
        _: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn erase(&self, _: &TenantId, _: ContactId) -> Result<Option<Erased>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn find(&self, _: &TenantId, _: &ContactKey) -> Result<Option<ContactId>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn stored(
        &self,
        _: &TenantId,
        _: ContactId,
    ) -> Result<Option<StoredContact>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn standings(
        &self,
        _: Option<ContactId>,
        _: usize,
    ) -> Result<Vec<Standings>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn deliveries(&self, _: ContactId) -> Result<Vec<DeliveryState>, StoreError> {
        Err(StoreError::unavailable("disk full"))
    }

    async fn settled(&self, _: Accepted, _: &[TargetName]) -> Result<(), StoreError> {
        Err(StoreError::unavailable("disk full"))
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_store_that_cannot_write_refuses() {
    let hook = SignupHook::new(Arc::new(FullDisk), StaticDirectory::new().on("fake"));
    let error = hook.on_signup(ann()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signup was not accepted: the local store could not write it"
    );
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the store is not available");
}

/// A store that accepts and then goes away.
struct GoesAway(contact_sync::MemoryStore);

#[async_trait]
impl SignupStore for GoesAway {
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError> {
        self.0.accept(tenant, contact, jobs).await
    }

    async fn amend(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        change: &Contact,
        jobs: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError> {
        self.0.amend(tenant, contact, change, jobs).await
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<Erased>, StoreError> {
        self.0.erase(tenant, contact).await
    }

    async fn find(
        &self,
        tenant: &TenantId,
        key: &ContactKey,
    ) -> Result<Option<ContactId>, StoreError> {
        self.0.find(tenant, key).await
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<StoredContact>, StoreError> {
        self.0.stored(tenant, contact).await
    }

    async fn standings(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Standings>, StoreError> {
        self.0.standings(after, limit).await
    }

    async fn deliveries(&self, _: ContactId) -> Result<Vec<DeliveryState>, StoreError> {
        Err(StoreError::unavailable("gone"))
    }

    async fn settled(&self, _: Accepted, _: &[TargetName]) -> Result<(), StoreError> {
        Err(StoreError::unavailable("gone"))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_stays_accepted_though_the_store_goes_away() {
    let hook = SignupHook::new(
        Arc::new(GoesAway(contact_sync::MemoryStore::new())),
        StaticDirectory::new().on("fake"),
    );
    let receipt = hook
        .on_signup_wait(ann(), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(receipt.targets[0].reason, Some(Reason::Queued));
}
