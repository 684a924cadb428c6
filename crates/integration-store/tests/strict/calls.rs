//! The calls of the port, one by one.

use std::time::Duration;

use contact_sync::{
    Begun, ClaimRequest, Contact, Held, Known, LeaseToken, Link, Region, RemoteId, StoreError,
    TargetName, TenantId, Undo, Work,
};

use crate::place::{Place, ann, on_each_database};

on_each_database! {
    whoever_does_not_hold_it_changes_nothing,
    a_target_that_it_does_not_hold_is_refused,
    what_is_written_twice_is_written_once,
    a_withdrawn_create_leaves_nothing,
    an_unclear_create_keeps_others_away,
    a_confirmation_writes_all_of_it,
    an_abandoned_operation_hands_out_what_is_due,
    only_a_confirmed_operation_is_finished,
    an_operation_lives_as_long_as_it_is_renewed,
    a_found_record_is_linked_and_not_ours,
    a_created_record_is_ours,
}

const LEASE: Duration = Duration::from_mins(1);

fn phone() -> TargetName {
    TargetName::from("phone")
}

fn contact() -> Contact {
    Contact::new(&TenantId::default(), &ann(), Some(Region::US))
}

fn undo(begun: &Begun) -> Undo {
    let at = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
    Undo::new(contact(), begun.key.clone(), at)
}

fn link(remote: &str) -> Link {
    Link::new(phone(), RemoteId::from(remote))
}

async fn begin(place: &Place) -> Result<Begun, StoreError> {
    let tenant = TenantId::default();
    let targets = [phone(), TargetName::from("mail")];
    place
        .store
        .begin(&tenant, &contact(), &targets, LEASE)
        .await
}

/// Begins an operation and creates a record under this name.
async fn created(place: &Place, remote: &str) -> Begun {
    let begun = begin(place).await.unwrap();
    let (store, held) = (&place.store, begun.held);
    store
        .expect_create(held, &phone(), undo(&begun))
        .await
        .unwrap();
    store
        .note_created(held, &phone(), &RemoteId::from(remote))
        .await
        .unwrap();
    begun
}

fn is_lost<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::LeaseLost))
}

async fn whoever_does_not_hold_it_changes_nothing(place: Place) {
    let begun = created(&place, "r1").await;
    let other = Held::new(begun.held.operation, LeaseToken::generate());
    let store = &place.store;
    assert!(is_lost(&store.renew_operation(other, LEASE).await));
    assert!(is_lost(
        &store.expect_create(other, &phone(), undo(&begun)).await
    ));
    assert!(is_lost(
        &store.note_created(other, &phone(), &"r2".into()).await
    ));
    assert!(is_lost(&store.note_unclear(other, &phone(), LEASE).await));
    assert!(is_lost(&store.withdraw_create(other, &phone()).await));
    assert!(is_lost(&store.confirm(other, &[link("r1")], &[]).await));
    assert!(is_lost(&store.finish(other).await));
    assert!(is_lost(&store.abandon(other, LEASE).await));
    // It is there still, and its holder's.
    store.confirm(begun.held, &[link("r1")], &[]).await.unwrap();
    assert!(store.finish(begun.held).await.unwrap());
    assert!(is_lost(&store.finish(other).await));
    place.nothing_is_left().await;
}

async fn a_target_that_it_does_not_hold_is_refused(place: Place) {
    let begun = begin(&place).await.unwrap();
    let (store, fax) = (&place.store, TargetName::from("fax"));
    assert!(is_lost(
        &store.expect_create(begun.held, &fax, undo(&begun)).await
    ));
    assert!(is_lost(
        &store.note_created(begun.held, &fax, &"r1".into()).await
    ));
    assert!(is_lost(&store.withdraw_create(begun.held, &fax).await));
    store.abandon(begun.held, LEASE).await.unwrap();
    place.nothing_is_left().await;
}

async fn what_is_written_twice_is_written_once(place: Place) {
    let begun = begin(&place).await.unwrap();
    let (store, held) = (&place.store, begun.held);
    for _ in 0..2 {
        store
            .expect_create(held, &phone(), undo(&begun))
            .await
            .unwrap();
    }
    for _ in 0..2 {
        store.note_unclear(held, &phone(), LEASE).await.unwrap();
    }
    for _ in 0..2 {
        store
            .note_created(held, &phone(), &"r1".into())
            .await
            .unwrap();
    }
    assert_eq!(place.database.count("sync_undos").await, 1);
    for _ in 0..2 {
        store.confirm(held, &[link("r1")], &[]).await.unwrap();
    }
    let stored = store
        .stored(&TenantId::default(), begun.contact)
        .await
        .unwrap();
    assert_eq!(stored.unwrap().revision, 1);
    assert!(store.finish(held).await.unwrap());
    place.nothing_is_left().await;
}

async fn a_withdrawn_create_leaves_nothing(place: Place) {
    let begun = created(&place, "r1").await;
    for _ in 0..2 {
        place
            .store
            .withdraw_create(begun.held, &phone())
            .await
            .unwrap();
    }
    let claims = place.store.abandon(begun.held, LEASE).await.unwrap();
    assert!(claims.is_empty());
    place.nothing_is_left().await;
    let again = begin(&place).await.unwrap();
    assert_eq!(again.contact, begun.contact);
    assert!(
        again
            .targets
            .iter()
            .all(|target| target.unfinished.is_none())
    );
}

async fn an_unclear_create_keeps_others_away(place: Place) {
    let begun = begin(&place).await.unwrap();
    let (store, held) = (&place.store, begun.held);
    assert!(matches!(begin(&place).await, Err(StoreError::Busy)));
    store
        .expect_create(held, &phone(), undo(&begun))
        .await
        .unwrap();
    store.note_unclear(held, &phone(), LEASE).await.unwrap();
    // The undo is not due yet, and nobody else begins before it could be.
    assert!(store.abandon(held, LEASE).await.unwrap().is_empty());
    assert!(matches!(begin(&place).await, Err(StoreError::Busy)));
    let claims = store.claim(ClaimRequest::new(9, LEASE)).await.unwrap();
    assert!(claims.jobs.is_empty() && claims.next_in.is_some());

    place.everything_is_due().await;
    let again = begin(&place).await.unwrap();
    let first = again.targets.first().unwrap();
    assert_eq!(first.target, phone());
    assert_eq!(first.unfinished, Some(undo(&begun).started_at));
    // It is the operation's now, and no worker's.
    let claims = store.claim(ClaimRequest::new(9, LEASE)).await.unwrap();
    assert!(claims.jobs.is_empty());
    let claims = store.abandon(again.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
}

async fn a_confirmation_writes_all_of_it(place: Place) {
    let begun = created(&place, "r1").await;
    let store = &place.store;
    let nobody = store.stored(&TenantId::default(), begun.contact).await;
    assert_eq!(nobody.unwrap(), None);
    let (created, found) = ([link("r1")], [Link::new("mail".into(), "m1".into())]);
    store.confirm(begun.held, &created, &found).await.unwrap();
    assert!(store.finish(begun.held).await.unwrap());

    let stored = store
        .stored(&TenantId::default(), begun.contact)
        .await
        .unwrap();
    assert!(stored.unwrap().contact == contact());
    let mut links = store.links(begun.contact).await.unwrap();
    links.sort_by(|one, other| one.target.cmp(&other.target));
    assert_eq!(links, [found[0].clone(), created[0].clone()]);
    // The record that was found may say something else: it gets a delivery, and the created one none.
    let claims = store.claim(ClaimRequest::new(9, LEASE)).await.unwrap();
    let [claim] = &claims.jobs[..] else {
        panic!("{claims:?}")
    };
    let Work::Deliver(delivery) = &claim.work else {
        panic!("{claim:?}")
    };
    assert_eq!(claim.target.as_str(), "mail");
    assert_eq!(delivery.known, Known::One("m1".into()));
}

async fn an_abandoned_operation_hands_out_what_is_due(place: Place) {
    let begun = created(&place, "r1").await;
    let claims = place.store.abandon(begun.held, LEASE).await.unwrap();
    let [claim] = &claims[..] else {
        panic!("{claims:?}")
    };
    let Work::Undo(what) = &claim.work else {
        panic!("{claim:?}")
    };
    assert_eq!(what.remote, Some("r1".into()));
    assert_eq!(what.started_at, undo(&begun).started_at);
    assert!(what.contact == contact() && what.key == begun.key);
    place
        .store
        .renew(claim.job, claim.token, LEASE)
        .await
        .unwrap();
    // The person is its job's as long as it runs.
    assert!(matches!(begin(&place).await, Err(StoreError::Busy)));
}

async fn only_a_confirmed_operation_is_finished(place: Place) {
    let begun = created(&place, "r1").await;
    assert!(!place.store.finish(begun.held).await.unwrap());
    place
        .store
        .renew_operation(begun.held, LEASE)
        .await
        .unwrap();
    let claims = place.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
}

async fn an_operation_lives_as_long_as_it_is_renewed(place: Place) {
    let begun = created(&place, "r1").await;
    let nothing = ClaimRequest::new(0, LEASE);
    let claims = place.store.claim(nothing).await.unwrap();
    assert!(claims.next_in.unwrap() <= LEASE, "somebody looks in time");
    assert!(matches!(begin(&place).await, Err(StoreError::Busy)));
    place.everything_is_due().await;
    place
        .store
        .renew_operation(begun.held, LEASE)
        .await
        .unwrap();
    place.store.claim(nothing).await.unwrap();
    place
        .store
        .renew_operation(begun.held, LEASE)
        .await
        .unwrap();

    place.everything_is_due().await;
    place.store.claim(nothing).await.unwrap();
    assert!(is_lost(
        &place.store.renew_operation(begun.held, LEASE).await
    ));
    assert!(is_lost(
        &place.store.confirm(begun.held, &[link("r1")], &[]).await
    ));
    let claims = place
        .store
        .claim(ClaimRequest::new(9, LEASE))
        .await
        .unwrap();
    assert!(matches!(claims.jobs[..], [ref claim] if matches!(claim.work, Work::Undo(_))));
}

async fn a_found_record_is_linked_and_not_ours(place: Place) {
    let begun = begin(&place).await.unwrap();
    let store = &place.store;
    store.confirm(begun.held, &[], &[link("r1")]).await.unwrap();
    assert!(store.finish(begun.held).await.unwrap());
    let erased = store
        .erase(&TenantId::default(), begun.contact)
        .await
        .unwrap();
    assert_eq!(erased.unwrap().kept, [phone()]);
}

async fn a_created_record_is_ours(place: Place) {
    let begun = created(&place, "r1").await;
    let store = &place.store;
    store.confirm(begun.held, &[link("r1")], &[]).await.unwrap();
    assert!(store.finish(begun.held).await.unwrap());
    let tenant = TenantId::default();
    let linked = store.is_linked(&tenant, &phone(), &"r1".into(), None).await;
    assert!(linked.unwrap());
    let erased = store.erase(&tenant, begun.contact).await.unwrap();
    assert_eq!(erased.unwrap().queued, [phone()]);
}
