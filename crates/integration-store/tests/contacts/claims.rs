//! What a claim says about the link: intent, certainty, the record that is known.

use std::time::Duration;

use contact_sync::{Ack, Known, LinkChange, LogOutcome};

use crate::desk::{delivery, desk, seconds};
use crate::people::{A, ann, bob, user};
use crate::subject::Subject;

/// The first attempt is certain that nothing is there; after an unclear one nothing is.
pub(crate) async fn are_uncertain_after_an_unclear_attempt(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let now = Ack::Retry {
        after: Duration::ZERO,
    };
    let claim = desk.claim().await;
    assert!(!delivery(&claim).uncertain);
    let settle = Duration::ZERO;
    desk.failed(&claim, LinkChange::Unclear { settle }, now.clone())
        .await;
    let claim = desk.claim().await;
    assert!(delivery(&claim).uncertain);
    // What was unclear before stays so where this attempt says nothing about it.
    desk.failed(&claim, LinkChange::Keep, now.clone()).await;
    let claim = desk.claim().await;
    assert!(delivery(&claim).uncertain);
    desk.failed(&claim, LinkChange::Withdraw, now).await;
    let claim = desk.claim().await;
    assert!(!delivery(&claim).uncertain);
    desk.created(&claim, "r1").await;
    desk.sign_up(&ann()).await;
    assert!(!delivery(&desk.claim().await).uncertain);
}

/// An attempt that never came back may have created.
pub(crate) async fn are_uncertain_after_a_crash(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.claim().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    assert!(delivery(&desk.claim().await).uncertain);
}

/// Where there is a link, a crash makes nothing uncertain: there was nothing to create.
pub(crate) async fn of_a_linked_contact_are_certain(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.link(&ann(), "r1").await;
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::One("r1".into()));
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    let claim = desk.claim().await;
    assert!(!delivery(&claim).uncertain);
    assert_eq!(delivery(&claim).known, Known::One("r1".into()));
    // Nor does an unclear change unmake it.
    let settle = seconds(600);
    let retry = Ack::Retry {
        after: Duration::ZERO,
    };
    desk.failed(&claim, LinkChange::Unclear { settle }, retry)
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::One("r1".into()));
}

/// A known record of the same person is not created anew: no intent, nothing unclear after a crash.
pub(crate) async fn of_a_known_person_leave_no_intent(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.link(&user("user-1", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    desk.sign_up(&user("user-2", "Ann Lee", "ann@example.com", ""))
        .await;
    desk.claim().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    let claim = desk.claim().await;
    assert!(!delivery(&claim).uncertain);
}

/// A record that was deleted over there is looked for anew, at once, and the attempt does not count.
pub(crate) async fn begin_anew_when_the_record_is_gone(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.commit(
        &claim,
        LinkChange::Gone("r1".into()),
        LogOutcome::Relinking,
        Ack::Snooze {
            after: Duration::ZERO,
        },
    )
    .await
    .unwrap();
    let state = desk.state(id).await;
    assert_eq!((state.remote, state.delivered), (None, 0));
    let claim = desk.claim().await;
    assert_eq!(claim.attempt, 1);
    assert_eq!(delivery(&claim).known, Known::Nobody);
    desk.created(&claim, "r2").await;
    assert_eq!(desk.state(id).await.remote, Some("r2".into()));
}

/// The same record may be gone for others, who sign up again and are found again.
pub(crate) async fn know_no_record_that_is_gone(subject: &dyn Subject) {
    let desk = desk(subject);
    let family = |id: &str, name: &str| user(id, name, "", A);
    desk.link(&family("user-1", "Ann Lee"), "r1").await;
    desk.sign_up(&family("user-1", "Ann Lee")).await;
    let claim = desk.claim().await;
    desk.commit(
        &claim,
        LinkChange::Gone("r1".into()),
        LogOutcome::Relinking,
        Ack::Dead,
    )
    .await
    .unwrap();
    desk.sign_up(&family("user-5", "Anne Lee")).await;
    desk.sign_up(&bob()).await;
    for claim in desk.claims().await {
        assert_eq!(delivery(&claim).known, Known::Nobody);
    }
}
