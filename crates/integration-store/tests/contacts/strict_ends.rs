//! How operations of the strict road end where nothing was confirmed: everything is taken back, nothing twice.

use contact_sync::{Ack, JobKind, LinkChange, RemoteId, Standing, StoreError, Undo};

use crate::desk::{LEASE, delivery, desk, seconds, undo};
use crate::people::{acme, ann, phone, user};
use crate::strict::{link, lost_all, started};
use crate::subject::Subject;

/// The caller died right before or in the middle of its create.
pub(crate) async fn undoes_what_may_have_been_created(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    desk.reopen().await;
    desk.rests().await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    assert_eq!(claim.contact, begun.contact);
    let what = undo(&claim);
    assert_eq!((&what.contact, &what.key), (&ann(), &begun.key));
    assert_eq!((&what.remote, what.started_at), (&None, started(0)));
    // The person is held by the undo as by any job.
    assert!(desk.is_busy(&ann()).await);
    desk.undone(&claim).await;
    desk.rests().await;
    assert!(!desk.is_busy(&ann()).await);
    assert!(desk.store.links(begun.contact).await.unwrap().is_empty());
}

pub(crate) async fn undoes_what_was_created_by_its_id(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.store
        .note_created(begun.held, &phone(), &"r1".into())
        .await
        .unwrap();
    desk.reopen().await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).remote, Some(RemoteId::from("r1")));
    desk.undone(&claim).await;
    desk.pass(10_000).await;
    desk.rests().await;
}

/// A create whose answer was lost is looked for once it has settled, and nobody looks before.
pub(crate) async fn waits_for_what_is_unclear(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    let settle = seconds(3_000);
    for _ in 0..2 {
        let noted = desk.store.note_unclear(begun.held, &phone(), settle).await;
        noted.unwrap();
    }
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert!(claims.is_empty(), "it is not due yet");
    desk.reopen().await;
    desk.rests().await;
    assert!(desk.is_busy(&ann()).await);
    desk.pass(2_900).await;
    desk.rests().await;
    desk.pass(100).await;
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).remote, None);
}

/// Where the create certainly did not happen, everything is as it was.
pub(crate) async fn leaves_nothing_of_a_withdrawn_create(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    for _ in 0..2 {
        let withdrawn = desk.store.withdraw_create(begun.held, &phone()).await;
        withdrawn.unwrap();
    }
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert!(claims.is_empty());
    desk.rests().await;
    desk.sign_up(&user("user-7", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert!(delivery(&claim).aliases.is_empty());
    assert!(!delivery(&claim).uncertain);
}

/// The host's insert failed: the caller takes it back itself, at once.
pub(crate) async fn hands_out_what_is_to_be_undone(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(undo(&claims[0]).remote, Some("r1".into()));
    assert_eq!(claims[0].attempt, 1);
    desk.rests().await;
    lost_all(&desk, begun.held).await;
    assert!(desk.is_busy(&ann()).await);
    desk.undone(&claims[0]).await;
    desk.rests().await;
    assert!(!desk.is_busy(&ann()).await);
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored, None);
}

/// A caller that dies over it is a worker that dies.
pub(crate) async fn survives_a_crash_of_who_took_it_back(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.store.abandon(begun.held, LEASE).await.unwrap();
    desk.reopen().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).remote, Some("r1".into()));
    assert_eq!(claim.attempt, 2);
    desk.undone(&claim).await;
    desk.rests().await;
}

/// A confirmation that was made in no transaction is taken back with the rest.
pub(crate) async fn takes_a_confirmation_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(undo(&claims[0]).remote, Some("r1".into()));
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored, None);
    assert!(desk.store.links(begun.contact).await.unwrap().is_empty());
    desk.undone(&claims[0]).await;
    desk.rests().await;
    // Nobody is known by it any more.
    desk.sign_up(&user("user-7", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, contact_sync::Known::Nobody);
}

/// What was there before comes back as it was.
pub(crate) async fn takes_a_confirmation_of_a_known_contact_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r0").await;
    let now = user("user-1", "Ann Maria Lee", "ann@example.com", "");
    let begun = desk.begin(&now).await;
    let found = [link("r0")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    desk.store.abandon(begun.held, LEASE).await.unwrap();
    let stored = desk.store.stored(&acme(), id).await.unwrap().unwrap();
    assert_eq!(stored.contact, ann());
    assert_eq!(desk.remote_of(id).await, Some("r0".into()));
    let state = desk.state(id).await;
    assert_eq!(state.delivered, 1);
}

/// A signup that came in meanwhile was accepted, and stays.
pub(crate) async fn takes_no_signup_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    let newer = user("user-1", "Ann Maria Lee", "", "");
    let accepted = desk.sign_up(&newer).await;
    assert_eq!(accepted.contact, begun.contact);
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    desk.undone(&claims[0]).await;
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored.unwrap().contact.name().first(), Some("Ann Maria"));
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, contact_sync::Known::Nobody);
}

/// An end without a confirmation is no confirmation.
pub(crate) async fn undoes_what_was_never_confirmed(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    // It is told so, and is the caller's still.
    assert!(!desk.store.finish(begun.held).await.unwrap());
    desk.rests().await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).remote, Some("r1".into()));
}

/// An undo that is not about the record that was confirmed has to run.
pub(crate) async fn undoes_what_else_was_created(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    let found = [link("r2")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    assert!(desk.store.finish(begun.held).await.unwrap());
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).remote, Some("r1".into()));
    desk.undone(&claim).await;
    assert_eq!(desk.remote_of(begun.contact).await, Some("r2".into()));
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Deliver);
}

/// An undo goes before a delivery that waits at the same place.
pub(crate) async fn undoes_before_anything_else_is_done(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let begun = desk.begin(&ann()).await;
    assert_eq!(begun.contact, id);
    desk.create(&begun, &ann(), "r1").await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Undo);
    desk.undone(&claim).await;
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Deliver);
    assert!(!delivery(&claim).uncertain);
}

/// An undo that waits is taken over by the next operation, so that it cannot delete what that one finds.
pub(crate) async fn is_taken_over_by_the_next(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    let retry = Ack::Retry {
        after: seconds(100),
    };
    desk.failed(&claims[0], LinkChange::Keep, retry).await;
    let next = desk.begin(&ann()).await;
    assert_eq!(next.contact, begun.contact);
    assert_eq!(next.targets[0].unfinished, Some(started(0)));
    desk.reopen().await;
    desk.pass(500).await;
    desk.rests().await;
    desk.confirm(&next, "r1").await;
    assert!(desk.store.finish(next.held).await.unwrap());
    desk.rests().await;
    assert_eq!(desk.remote_of(next.contact).await, Some("r1".into()));
}

/// Its own create takes the place of what it has taken over.
pub(crate) async fn replaces_what_it_has_taken_over(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    let settle = seconds(100);
    let noted = desk.store.note_unclear(begun.held, &phone(), settle).await;
    noted.unwrap();
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert!(claims.is_empty());
    desk.pass(100).await;
    let next = desk.begin(&ann()).await;
    let second = Undo::new(ann(), next.key.clone(), started(7));
    let expected = desk.store.expect_create(next.held, &phone(), second).await;
    expected.unwrap();
    desk.store
        .note_created(next.held, &phone(), &"r2".into())
        .await
        .unwrap();
    let mut claims = desk.store.abandon(next.held, LEASE).await.unwrap();
    let claim = claims.remove(0);
    let what = undo(&claim);
    assert_eq!(
        (&what.remote, what.started_at),
        (&Some("r2".into()), started(7))
    );
    desk.undone(&claim).await;
    desk.rests().await;
}

/// Whose lease ran out is told so, and does not confirm what a worker may be deleting.
pub(crate) async fn is_over_when_a_worker_sees_to_it(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    lost_all(&desk, begun.held).await;
    desk.undone(&claim).await;
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored, None);
    assert_eq!(desk.remote_of(begun.contact).await, None);
}

/// Nobody's lease is another's: a second one, begun after the first ran out, is not disturbed by it.
pub(crate) async fn leaves_room_for_another_when_it_is_over(subject: &dyn Subject) {
    let desk = desk(subject);
    let first = desk.begin(&ann()).await;
    desk.pass(601).await;
    let second = desk.begin(&ann()).await;
    assert_ne!(first.held.operation, second.held.operation);
    lost_all(&desk, first.held).await;
    desk.create(&second, &ann(), "r1").await;
    desk.confirm(&second, "r1").await;
    assert!(desk.store.finish(second.held).await.unwrap());
    assert_eq!(desk.remote_of(second.contact).await, Some("r1".into()));
}

/// An undo that cannot be done waits for a person like any job, and can be run again.
pub(crate) async fn waits_for_a_person_where_it_cannot_be_undone(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    desk.failed(&claims[0], LinkChange::Keep, Ack::Review).await;
    let stopped = desk.stopped().await;
    assert_eq!(stopped.len(), 1);
    assert_eq!((stopped[0].kind, stopped[0].review), (JobKind::Undo, true));
    // It is no delivery, and says nothing about one.
    let state = desk.state(begun.contact).await;
    assert_eq!(state.standing, Standing::Idle);
    // Nor does a delivery that is stopped or done take its place.
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Withdraw, Ack::Dead).await;
    assert_eq!(desk.stopped().await.len(), 2);
    desk.store.replay(stopped[0].job).await.unwrap();
    let claim = desk.claim().await;
    assert_eq!(claim.attempt, 1);
    assert_eq!(undo(&claim).remote, Some("r1".into()));
    desk.undone(&claim).await;
    assert_eq!(desk.stopped().await.len(), 1);
    let lost = desk.store.replay(stopped[0].job).await;
    assert!(matches!(lost, Err(StoreError::NoSuchJob)));
}
