//! One end of an insert after the other, and what a vendor may do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    CrmHook, ErrorClass, Region, SkipReason, StaticDirectory, StoreError, StrictError, Ticket,
};

use crate::host::{End, Failed, Nobody, Step, Watcher, insert};
use crate::place::{Place, ann, on_each_database};
use crate::vendor::{MAIL, Op, PHONE, Vendor, Whim};

on_each_database! {
    a_commit_keeps_both,
    an_insert_that_never_confirms_is_confirmed,
    a_confirmation_outside_keeps_both,
    an_insert_that_fails_leaves_neither,
    an_insert_that_fails_after_confirming_outside_leaves_neither,
    a_rollback_leaves_neither,
    a_rollback_that_is_not_told_leaves_neither,
    a_commit_that_is_forgotten_leaves_neither,
    a_commit_counts_though_the_insert_fails,
    a_transaction_that_is_repeated_is_confirmed_again,
    a_panic_leaves_neither,
    a_future_that_is_dropped_leaves_neither,
    a_vendors_error_comes_before_the_insert,
    an_answer_that_is_lost_is_looked_up,
    a_request_that_is_lost_leaves_neither,
    a_record_that_was_there_stays,
    an_unclear_create_is_taken_over,
    an_unclear_create_is_taken_over_and_taken_back,
    several_vendors_stand_and_fall_together,
    odd_texts_are_people_too,
    a_vendor_that_is_off_is_skipped,
}

async fn a_commit_keeps_both(place: Place) {
    let receipt = place.create(&ann(), End::Commits).await.unwrap();
    assert!(receipt.target(PHONE).unwrap().integrated);
    place.both_have(1).await;
    let links = place.store.links(receipt.contact).await.unwrap();
    assert_eq!(links.len(), 1);
    let stored = place.store.stored(&ann().tenant, receipt.contact).await;
    assert_eq!(stored.unwrap().unwrap().revision, 1);
    // The next one of the same person finds it.
    place.create(&ann(), End::Commits).await.unwrap();
    place.work().await;
    assert_eq!(place.vendor.count(Op::Create), 1);
    assert_eq!(place.vendor.records().len(), 1);
    place.nothing_is_left().await;
}

async fn an_insert_that_never_confirms_is_confirmed(place: Place) {
    place.create(&ann(), End::NeverConfirms).await.unwrap();
    place.both_have(1).await;
}

async fn a_confirmation_outside_keeps_both(place: Place) {
    place.create(&ann(), End::ConfirmsOutside).await.unwrap();
    place.both_have(1).await;
}

/// Checks an end that fails, and that nothing stands in the way of another try.
async fn leaves_neither(place: Place, end: End) {
    let error = place.create(&ann(), end).await.unwrap_err();
    assert!(
        matches!(error, StrictError::Insert(Failed::OnPurpose)),
        "{error:?}"
    );
    place.both_have(0).await;
    assert_eq!(place.vendor.count(Op::Delete), 1);
    let key = contact_sync::Contact::new(&ann().tenant, &ann(), Some(Region::US));
    let nobody = place.store.find(&ann().tenant, key.key()).await;
    assert_eq!(nobody.unwrap(), None, "no trace of it is left");
    place.create(&ann(), End::Commits).await.unwrap();
    place.both_have(1).await;
}

async fn an_insert_that_fails_leaves_neither(place: Place) {
    leaves_neither(place, End::Fails).await;
}

async fn an_insert_that_fails_after_confirming_outside_leaves_neither(place: Place) {
    leaves_neither(place, End::FailsAfterConfirming).await;
}

async fn a_rollback_leaves_neither(place: Place) {
    leaves_neither(place, End::RollsBack).await;
}

async fn rolled_back(place: Place, end: End) {
    let error = place.create(&ann(), end).await.unwrap_err();
    assert!(matches!(error, StrictError::RolledBack), "{error:?}");
    place.both_have(0).await;
    place.create(&ann(), End::Commits).await.unwrap();
    place.both_have(1).await;
}

async fn a_rollback_that_is_not_told_leaves_neither(place: Place) {
    rolled_back(place, End::RollsBackInSilence).await;
}

async fn a_commit_that_is_forgotten_leaves_neither(place: Place) {
    rolled_back(place, End::ForgetsToCommit).await;
}

async fn a_commit_counts_though_the_insert_fails(place: Place) {
    let error = place
        .create(&ann(), End::FailsAfterCommit)
        .await
        .unwrap_err();
    assert!(matches!(error, StrictError::Insert(_)), "{error:?}");
    place.both_have(1).await;
    assert_eq!(place.vendor.count(Op::Delete), 0);
}

async fn a_transaction_that_is_repeated_is_confirmed_again(place: Place) {
    place.create(&ann(), End::TriesAgain).await.unwrap();
    place.both_have(1).await;
}

async fn a_panic_leaves_neither(place: Place) {
    let place = Arc::new(place);
    let panicking = place.clone();
    let task = tokio::spawn(async move { panicking.create(&ann(), End::Panics).await });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(place.vendor.records().len(), 1);
    place.recover().await;
    place.both_have(0).await;
}

async fn a_future_that_is_dropped_leaves_neither(place: Place) {
    let (place, confirmed) = (Arc::new(place), Arc::new(Confirmed::default()));
    let (hanging, watcher) = (place.clone(), confirmed.clone());
    let task = tokio::spawn(async move {
        let insert = async |ticket: Ticket| {
            let database = &hanging.database;
            insert(database, &ticket, "Ann Lee", End::Hangs, watcher.as_ref()).await
        };
        hanging.crm().create(&ann(), insert).await.map(|_| ())
    });
    confirmed.0.notified().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    place.recover().await;
    place.both_have(0).await;
}

/// Tells when a confirmation is written.
#[derive(Default)]
struct Confirmed(tokio::sync::Notify);

#[async_trait]
impl Watcher for Confirmed {
    async fn reached(&self, step: Step) {
        if step == Step::Confirmed {
            self.0.notify_one();
        }
    }
}

async fn a_vendors_error_comes_before_the_insert(place: Place) {
    for op in [Op::Find, Op::Create] {
        place.vendor.next(op, Whim::Refuse);
        let error = place.create(&ann(), End::Commits).await.unwrap_err();
        let StrictError::Vendor { target, error } = error else {
            panic!("{error:?}")
        };
        assert_eq!(target.as_str(), PHONE);
        assert_eq!(error.class(), ErrorClass::Transient);
        place.both_have(0).await;
    }
    assert_eq!(place.vendor.count(Op::Delete), 0);
}

async fn an_answer_that_is_lost_is_looked_up(place: Place) {
    place.vendor.next(Op::Create, Whim::LoseAnswer);
    place.create(&ann(), End::Commits).await.unwrap();
    place.both_have(1).await;
    assert_eq!(place.vendor.count(Op::Create), 1);
}

async fn a_request_that_is_lost_leaves_neither(place: Place) {
    place.vendor.next(Op::Create, Whim::LoseRequest);
    let error = place.create(&ann(), End::Commits).await.unwrap_err();
    assert!(matches!(error, StrictError::Vendor { .. }), "{error:?}");
    place.both_have(0).await;
}

async fn a_record_that_was_there_stays(place: Place) {
    let key = contact_sync::Contact::new(&ann().tenant, &ann(), Some(Region::US));
    let key = key.key().external(contact_sync::ContactId::generate());
    place.vendor.plant(key.as_str());
    let failed = place.create(&ann(), End::RollsBack).await;
    assert!(failed.is_err());
    assert_eq!(place.vendor.records().len(), 1);
    assert_eq!(place.vendor.count(Op::Delete), 0);
    place.nothing_is_left().await;
    // And is brought up to date behind an insert that goes well.
    place.create(&ann(), End::Commits).await.unwrap();
    assert_eq!(place.vendor.records().first().unwrap().name, "");
    place.work().await;
    place.both_have(1).await;
    assert_eq!(place.vendor.records().first().unwrap().name, "Ann Lee");
}

/// Leaves an undo job that waits for a worker, and the record that it is about.
async fn leave_an_undo(place: &Place) {
    place.vendor.next(Op::Create, Whim::HoldAnswer);
    let signup = ann();
    tokio::select! {
        _ = place.create(&signup, End::Commits) => panic!("the answer is held"),
        () = place.vendor.has(1) => {}
    }
    place.reap().await;
    assert_eq!(place.database.count("sync_undos").await, 1);
}

async fn an_unclear_create_is_taken_over(place: Place) {
    leave_an_undo(&place).await;
    place.create(&ann(), End::Commits).await.unwrap();
    place.work().await;
    place.both_have(1).await;
    assert_eq!(place.vendor.count(Op::Delete), 0);
    assert_eq!(place.vendor.count(Op::Create), 1);
}

async fn an_unclear_create_is_taken_over_and_taken_back(place: Place) {
    leave_an_undo(&place).await;
    let failed = place.create(&ann(), End::RollsBack).await;
    assert!(failed.is_err());
    place.both_have(0).await;
}

async fn several_vendors_stand_and_fall_together(place: Place) {
    let mail = Vendor::start().await;
    let crm = CrmHook::new(
        place.store.clone(),
        StaticDirectory::new().on(PHONE).on(MAIL),
    );
    let crm = crm
        .target(place.target())
        .target(mail.target(MAIL))
        .region(Region::US);
    mail.next(Op::Create, Whim::Refuse);
    let error = place
        .create_by(&crm, &ann(), End::Commits)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "mail did not take the contact");
    place.both_have(0).await;
    assert_eq!(mail.records().len(), 0);

    let failed = place.create_by(&crm, &ann(), End::RollsBack).await;
    assert!(failed.is_err());
    place.both_have(0).await;
    assert_eq!(mail.records().len(), 0);

    let receipt = place.create_by(&crm, &ann(), End::Commits).await.unwrap();
    assert!(receipt.targets.iter().all(|line| line.integrated));
    place.both_have(1).await;
    assert_eq!(mail.records().len(), 1);
}

/// What neither an index nor a column of texts may choke on.
async fn odd_texts_are_people_too(place: Place) {
    let long = "x".repeat(10_000);
    for (host_id, name) in [
        ("a\0b", "Nul\0Lee"),
        (long.as_str(), "Long Lee"),
        ("😀", "\u{202e}eeL"),
    ] {
        let signup = ann()
            .host_id(host_id)
            .name(name)
            .email(format!("{long}@example.com"));
        let insert = async |ticket: Ticket| {
            insert(&place.database, &ticket, "somebody", End::Commits, &Nobody)
                .await
                .map_err(|error| match error {
                    Failed::Store(error) => error,
                    other => StoreError::unavailable(format!("{other:?}")),
                })
        };
        let patient = place.crm().patience(Duration::ZERO);
        patient.create(&signup, insert).await.unwrap();
    }
    place.work().await;
    let created = place.vendor.count(Op::Create);
    assert_eq!(place.vendor.records().len(), created);
    assert_eq!(place.database.count("people").await, 3);
    place.nothing_is_left().await;
}

async fn a_vendor_that_is_off_is_skipped(place: Place) {
    let off = StaticDirectory::new().off(PHONE, SkipReason::Disabled);
    let crm = CrmHook::new(place.store.clone(), off).target(place.target());
    for (end, people) in [(End::RollsBackInSilence, 0), (End::Commits, 1)] {
        let created = place.create_by(&crm, &ann(), end).await;
        assert_eq!(created.is_ok(), people == 1, "{created:?}");
        assert_eq!(place.database.count("people").await, people);
        place.nothing_is_left().await;
    }
    assert_eq!(place.vendor.count(Op::Find), 0);
}
