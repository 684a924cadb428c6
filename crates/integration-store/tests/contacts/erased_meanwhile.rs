//! Contacts that are erased while a strict create is at work on them.

use std::time::Duration;

use contact_sync::{Ack, ContactId, Erased, JobKind, LinkChange, StoreError};

use crate::desk::{Desk, LEASE, desk, removal};
use crate::people::{acme, ann, phone};
use crate::strict::link;
use crate::subject::Subject;

async fn erase(desk: &Desk<'_>, id: ContactId) -> Erased {
    desk.store.erase(&acme(), id).await.unwrap().unwrap()
}

/// Signs Ann up, and leaves her with a create of which nobody knows whether it has happened.
async fn unclear(desk: &Desk<'_>) -> ContactId {
    let id = desk.sign_up(&ann()).await.contact;
    let claim = desk.claim().await;
    let settle = Duration::ZERO;
    let retry = Ack::Retry { after: LEASE };
    desk.failed(&claim, LinkChange::Unclear { settle }, retry)
        .await;
    id
}

/// Takes away what an erasure has left to a worker, and makes sure that it was all.
async fn remove_the_rest(desk: &Desk<'_>) {
    let claim = desk.claim().await;
    let what = removal(&claim);
    assert!(
        what.remote.is_none() && what.since.is_some(),
        "it is looked for"
    );
    desk.removed(&claim).await;
    is_all_gone(desk).await;
}

async fn is_all_gone(desk: &Desk<'_>) {
    desk.rests().await;
    for table in [
        "sync_lines",
        "sync_claims",
        "sync_known",
        "sync_undos",
        "sync_outbox",
    ] {
        let rows = desk.subject.dump(table).await.unwrap_or_default();
        assert_eq!(rows, [""; 0], "{table}");
    }
    for row in desk.subject.dump("sync_contacts").await.unwrap_or_default() {
        assert!(!row.contains("user-1"), "{row}");
    }
    assert_eq!(desk.store.find(&acme(), ann().key()).await.unwrap(), None);
}

/// Nothing was called yet: the end of the operation takes its lines along.
pub(crate) async fn leave_no_line_when_it_ends(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    let begun = desk.begin(&ann()).await;
    assert!(erase(&desk, id).await.queued.is_empty());
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 0);
    is_all_gone(&desk).await;
}

/// As before, and nobody ends the operation.
pub(crate) async fn leave_no_line_when_its_lease_runs_out(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    desk.begin(&ann()).await;
    erase(&desk, id).await;
    desk.pass(601).await;
    is_all_gone(&desk).await;
}

/// The vendor refused the create: what an older one may have made is looked for.
pub(crate) async fn are_looked_for_when_it_withdraws(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = unclear(&desk).await;
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    assert_eq!(erase(&desk, id).await.queued, [phone()]);
    let withdrawn = desk.store.withdraw_create(begun.held, &phone()).await;
    withdrawn.unwrap();
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 0);
    remove_the_rest(&desk).await;
}

/// It has found a record and confirmed it, and takes that back: what an older create may have made is looked for.
pub(crate) async fn are_looked_for_when_it_is_taken_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = unclear(&desk).await;
    let begun = desk.begin(&ann()).await;
    let found = [link("r1")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    assert_eq!(erase(&desk, id).await.kept, [phone()]);
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 0);
    remove_the_rest(&desk).await;
}

/// What comes back with the confirmation that is taken back is not the contact, nor its link to what is not ours.
pub(crate) async fn stay_erased_when_it_is_taken_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let claim = desk.claim().await;
    desk.found(&claim, "r1").await;
    let begun = desk.begin(&ann()).await;
    let found = [link("r1")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    assert_eq!(erase(&desk, id).await.kept, [phone()]);
    desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(desk.store.stored(&acme(), id).await.unwrap(), None);
    is_all_gone(&desk).await;
}

/// What it has created itself is taken back and away, and nobody is left who was never there.
pub(crate) async fn are_undone_when_it_is_taken_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    assert_eq!(erase(&desk, begun.contact).await.queued, [phone()]);
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].work.kind(), JobKind::Undo);
    desk.undone(&claims[0]).await;
    let claim = desk.claim().await;
    assert_eq!(removal(&claim).remote, None);
    desk.removed(&claim).await;
    is_all_gone(&desk).await;
}

/// The host has its record: the contact is there again, and found by its key.
pub(crate) async fn keep_their_key_for_its_confirmation(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    erase(&desk, id).await;
    desk.confirm(&begun, "r1").await;
    assert!(desk.store.finish(begun.held).await.unwrap());
    let found = desk.store.find(&acme(), ann().key()).await.unwrap();
    assert_eq!(found, Some(id));
    assert_eq!(desk.sign_up(&ann()).await.contact, id);
    assert_eq!(desk.remote_of(id).await, Some("r1".into()));
}

/// One that asks for no target holds no line, and brings the key back.
pub(crate) async fn come_back_under_their_key_without_a_target(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    let begun = desk.try_begin(&ann(), &[]).await.unwrap();
    erase(&desk, id).await;
    desk.store.confirm(begun.held, &[], &[]).await.unwrap();
    assert!(desk.store.finish(begun.held).await.unwrap());
    let found = desk.store.find(&acme(), ann().key()).await.unwrap();
    assert_eq!(found, Some(id));
    let over = desk.store.abandon(begun.held, LEASE).await;
    assert!(matches!(over, Err(StoreError::LeaseLost)), "{over:?}");
}
