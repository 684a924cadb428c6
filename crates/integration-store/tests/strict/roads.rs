//! What else may be at work on the same person.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{Signup, StoreError, StrictError, Ticket};
use tokio::task::JoinSet;

use crate::host::{End, Nobody, insert};
use crate::place::{Place, ann, on_each_database};
use crate::vendor::{Op, Whim};

on_each_database! {
    one_person_is_created_by_one_at_a_time,
    a_crowd_for_one_person_makes_one_record,
    a_signup_that_comes_in_between_is_delivered,
    a_signup_survives_a_confirmation_that_is_taken_back,
    a_signup_waits_for_an_open_confirmation_and_joins_it,
    nobody_begins_while_an_erased_contact_is_leaving,
}

async fn one_person_is_created_by_one_at_a_time(place: Place) {
    // Another machine, or another process.
    let other = place.database.store().await;
    let elsewhere = contact_sync::CrmHook::new(
        other,
        contact_sync::StaticDirectory::new().on(crate::vendor::PHONE),
    );
    let elsewhere = elsewhere
        .target(place.target())
        .region(contact_sync::Region::US)
        .patience(Duration::ZERO);
    let (same, alike) = (ann(), ann().host_id("7"));
    let insert = async |ticket: Ticket| {
        // Under the same key, and as the same person under another one.
        for signup in [&same, &alike] {
            let refused = place.create_by(&elsewhere, signup, End::Commits).await;
            assert!(matches!(refused, Err(StrictError::Busy)), "{refused:?}");
        }
        insert(&place.database, &ticket, "Ann Lee", End::Commits, &Nobody).await
    };
    place.crm().create(&ann(), insert).await.unwrap();
    place.both_have(1).await;
    assert_eq!(place.vendor.count(Op::Find), 1);
}

async fn a_crowd_for_one_person_makes_one_record(place: Place) {
    let place = Arc::new(place);
    let mut crowd = JoinSet::new();
    for number in 0..8 {
        let place = place.clone();
        crowd.spawn(async move {
            let crm = place.crm().patience(Duration::from_mins(2));
            let signup = ann().host_id(number.to_string());
            let end = if number % 4 == 3 {
                End::RollsBack
            } else {
                End::Commits
            };
            let created = place.create_by(&crm, &signup, end).await;
            assert_eq!(created.is_ok(), end == End::Commits, "{created:?}");
        });
    }
    crowd.join_all().await;
    place.work().await;
    assert_eq!(place.vendor.records().len(), 1);
    assert_eq!(place.database.count("people").await, 6);
    place.nothing_is_left().await;
}

async fn a_signup_that_comes_in_between_is_delivered(place: Place) {
    for (signup, records) in [(ann(), 1), (ann().host_id("7").email("bob@example.com"), 2)] {
        let failing = async |_: Ticket| {
            place.signups().on_signup(signup.clone()).await.unwrap();
            Err::<(), _>("disk full")
        };
        place.crm().create(&signup, failing).await.unwrap_err();
        place.work().await;
        assert_eq!(place.vendor.records().len(), records);
        place.nothing_is_left().await;
    }
    assert_eq!(place.vendor.count(Op::Delete), 2);
}

async fn a_signup_survives_a_confirmation_that_is_taken_back(place: Place) {
    let insert = async |ticket: Ticket| {
        ticket.confirm().await?;
        let said_more = ann().name("Anna Lee");
        place.signups().on_signup(said_more).await.unwrap();
        Err::<(), _>(StoreError::NoSuchJob)
    };
    place.crm().create(&ann(), insert).await.unwrap_err();
    place.work().await;
    assert_eq!(place.vendor.records().len(), 1);
    assert_eq!(place.vendor.records().first().unwrap().name, "Anna Lee");
    place.nothing_is_left().await;
}

async fn a_signup_waits_for_an_open_confirmation_and_joins_it(place: Place) {
    let place = Arc::new(place);
    let said_more: Signup = ann().name("Anna Lee");
    let (waiting, mut begun) = (place.clone(), Some(said_more));
    let signups = Arc::new(std::sync::Mutex::new(JoinSet::new()));
    let watcher = Begins {
        signups: signups.clone(),
        begin: std::sync::Mutex::new(Some(Box::new(move || {
            let (place, signup) = (waiting.clone(), begun.take().unwrap());
            Box::pin(async move {
                place.signups().on_signup(signup).await.unwrap();
            })
        }))),
    };
    let insert = async |ticket: Ticket| {
        insert(&place.database, &ticket, "Ann Lee", End::Commits, &watcher).await
    };
    place.crm().create(&ann(), insert).await.unwrap();
    let begun = std::mem::take(&mut *signups.lock().unwrap());
    assert_eq!(begun.join_all().await.len(), 1);
    place.work().await;
    place.both_have(1).await;
    assert_eq!(place.vendor.records().first().unwrap().name, "Anna Lee");
}

type Begin = Box<dyn FnMut() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Begins something once a confirmation is written and not committed.
struct Begins {
    signups: Arc<std::sync::Mutex<JoinSet<()>>>,
    begin: std::sync::Mutex<Option<Begin>>,
}

#[async_trait::async_trait]
impl crate::host::Watcher for Begins {
    async fn reached(&self, step: crate::host::Step) {
        if step == crate::host::Step::Confirmed
            && let Some(mut begin) = self.begin.lock().unwrap().take()
        {
            self.signups.lock().unwrap().spawn(begin());
        }
    }
}

async fn nobody_begins_while_an_erased_contact_is_leaving(place: Place) {
    let receipt = place.create(&ann(), End::Commits).await.unwrap();
    let erased = place.store.erase(&ann().tenant, receipt.contact).await;
    assert_eq!(erased.unwrap().unwrap().queued.len(), 1);
    let crm = place.crm().patience(Duration::ZERO);
    let refused = place.create_by(&crm, &ann(), End::Commits).await;
    assert!(matches!(refused, Err(StrictError::Busy)), "{refused:?}");
    // Also while it is being deleted, and after that failed once.
    place.vendor.next(Op::Delete, Whim::Refuse);
    place.work().await;
    assert_eq!(place.vendor.records().len(), 0);
    place.create_by(&crm, &ann(), End::Commits).await.unwrap();
    assert_eq!(place.vendor.records().len(), 1);
    place.nothing_is_left().await;
}
