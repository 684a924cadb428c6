//! Workers that do not come back.

use std::time::Duration;

use contact_sync::{Ack, ErrorClass, LinkChange, LogOutcome, Standing};

use crate::desk::{assert_wait, delivery, desk, seconds};
use crate::people::{ann, bob, user};
use crate::subject::Subject;

/// A job is not stuck for ever once its worker is gone.
pub(crate) async fn leave_their_job_to_the_next(subject: &dyn Subject) {
    let mut desk = desk(subject);
    desk.sign_up(&ann()).await;
    let lost = desk.claim().await;
    desk.reopen().await;
    desk.pass(601).await;
    // The crash is counted, and the job backs off.
    desk.rests().await;
    desk.pass(60).await;
    let claim = desk.claim().await;
    assert_eq!((claim.job, claim.attempt), (lost.job, 2));
    assert!(delivery(&claim).uncertain, "its create may have happened");
    desk.created(&claim, "r1").await;
    desk.rests().await;
}

/// No crash loop goes past the limit, whichever process looks.
pub(crate) async fn are_counted_up_to_the_limit(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    for attempt in 1..=3 {
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, attempt);
        desk.reopen().await;
        desk.pass(601).await;
        desk.rests().await;
        desk.reopen().await;
        desk.pass(3_600).await;
    }
    desk.rests().await;
    let stopped = desk.stopped().await;
    assert_eq!(stopped.len(), 1);
    assert!(!stopped[0].review);
    let class = stopped[0].failure.as_ref().unwrap().class;
    assert_eq!(class, ErrorClass::Ambiguous);
    let state = desk.state(id).await;
    assert!(matches!(state.standing, Standing::Dead(_)));
    // As if it were new: three more crashes are granted.
    desk.store.replay(stopped[0].job).await.unwrap();
    for attempt in 1..=3 {
        assert_eq!(desk.claim().await.attempt, attempt);
        desk.pass(601).await;
        desk.rests().await;
        desk.pass(3_600).await;
    }
    assert_eq!(desk.stopped().await.len(), 1);
}

/// The wait doubles with each of them.
pub(crate) async fn make_a_job_wait_longer_each_time(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for expected in [2, 4] {
        desk.claim().await;
        desk.pass(601).await;
        let request = contact_sync::ClaimRequest::new(10, seconds(600));
        let claims = desk.store.claim(request).await.unwrap();
        assert!(claims.jobs.is_empty());
        assert_wait(claims.next_in, seconds(expected));
        desk.pass(expected).await;
    }
}

/// Failures that a worker lives to tell of are no crashes.
pub(crate) async fn are_not_failures(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for attempt in 1..=10 {
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, attempt);
        desk.retried(&claim, Duration::ZERO).await;
    }
    assert!(desk.stopped().await.is_empty());
}

/// Failures between them do not make them forgotten.
pub(crate) async fn are_not_forgotten_between_failures(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for _ in 0..2 {
        desk.claim().await;
        desk.pass(601).await;
        desk.rests().await;
        desk.pass(60).await;
        let claim = desk.claim().await;
        desk.retried(&claim, Duration::ZERO).await;
    }
    desk.claim().await;
    desk.pass(601).await;
    desk.rests().await;
    assert_eq!(desk.stopped().await.len(), 1);
}

/// What comes of a newer signup begins without them.
pub(crate) async fn are_forgotten_with_the_delivery(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for _ in 0..2 {
        desk.claim().await;
        desk.pass(601).await;
        desk.rests().await;
        desk.pass(60).await;
    }
    let claim = desk.claim().await;
    desk.sign_up(&ann()).await;
    desk.created(&claim, "r1").await;
    for _ in 0..2 {
        desk.claim().await;
        desk.pass(601).await;
        desk.rests().await;
        desk.pass(60).await;
    }
    assert!(desk.stopped().await.is_empty());
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).revision, 2);
}

/// Whoever waits for the person goes on once the lease is over.
pub(crate) async fn let_go_whoever_waits_for_them(subject: &dyn Subject) {
    let desk = desk(subject);
    // A family: not one person, but never at the same time.
    desk.sign_up(&user("user-1", "Ann Lee", "", "202 555 0143"))
        .await;
    desk.claim().await;
    desk.sign_up(&user("user-2", "Robert Day", "", "202 555 0143"))
        .await;
    desk.rests().await;
    desk.pass(601).await;
    let next = desk.claim().await;
    assert_eq!(delivery(&next).key.as_str(), "user-2");
}

/// A crash of one is none of another.
pub(crate) async fn are_counted_for_the_job_that_ran(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.sign_up(&bob()).await;
    for _ in 0..3 {
        let claims = desk.claims().await;
        for claim in &claims {
            if delivery(claim).key.as_str() == "user-2" {
                desk.retried(claim, Duration::ZERO).await;
            }
        }
        desk.pass(601).await;
        let bobs = desk.claim().await;
        desk.retried(&bobs, seconds(60)).await;
        desk.pass(60).await;
    }
    let stopped = desk.stopped().await;
    assert_eq!(stopped.len(), 1);
    let claim = desk.claim().await;
    assert_eq!(
        (delivery(&claim).key.as_str(), claim.attempt),
        ("user-2", 7)
    );
}

/// A worker that stops in order hands its jobs back: no crash, no attempt.
pub(crate) async fn are_no_orderly_ends(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    for _ in 0..5 {
        let claim = desk.claim().await;
        assert_eq!(claim.attempt, 1);
        let settle = Duration::ZERO;
        desk.commit(
            &claim,
            LinkChange::Unclear { settle },
            LogOutcome::Released,
            Ack::Snooze { after: settle },
        )
        .await
        .unwrap();
    }
    assert!(desk.stopped().await.is_empty());
}
