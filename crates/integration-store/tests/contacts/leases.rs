//! Leases: who holds a job, and what the others may not do to it.

use contact_sync::{
    Ack, ClaimRequest, JobId, LeaseToken, LinkChange, LogOutcome, Standing, StoreError,
};

use crate::desk::{LEASE, delivered, delivery, desk, outcome, seconds};
use crate::people::{acme, ann, bob, phone};
use crate::subject::Subject;

pub(crate) async fn keep_a_job_for_its_holder(subject: &dyn Subject) {
    let mut desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.pass(500).await;
    desk.rests().await;
    desk.reopen().await;
    desk.rests().await;
    desk.created(&claim, "r1").await;
}

pub(crate) async fn go_on_as_long_as_they_are_renewed(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    for _ in 0..5 {
        desk.pass(400).await;
        let renewed = desk.store.renew(claim.job, claim.token, LEASE).await;
        renewed.unwrap();
        desk.rests().await;
    }
    desk.pass(500).await;
    desk.rests().await;
    desk.created(&claim, "r1").await;
    let snapshot = desk.store.snapshot().await.unwrap();
    assert_eq!(snapshot.live(), 0);
}

/// A renewal counts from now, for longer and for shorter.
pub(crate) async fn are_as_long_as_the_last_renewal_says(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let renewed = desk.store.renew(claim.job, claim.token, seconds(100)).await;
    renewed.unwrap();
    desk.pass(101).await;
    desk.rests().await;
    let lost = desk.store.renew(claim.job, claim.token, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
}

pub(crate) async fn are_nothing_without_their_token(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let mut claim = desk.claim().await;
    let (job, token) = (claim.job, claim.token);
    let other = LeaseToken::generate();
    for (job, token) in [(job, other), (JobId::generate(), token)] {
        let lost = desk.store.renew(job, token, LEASE).await;
        assert!(matches!(lost, Err(StoreError::LeaseLost)));
    }
    claim.token = other;
    let lost = desk
        .store
        .commit_outcome(delivered(&claim, "r1", true))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    assert_eq!(desk.state(id).await.remote, None);
    claim.token = token;
    desk.created(&claim, "r1").await;
}

pub(crate) async fn end_with_the_outcome(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.retried(&claim, seconds(600)).await;
    let lost = desk.store.renew(claim.job, claim.token, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    let lost = desk
        .store
        .commit_outcome(delivered(&claim, "r1", true))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    desk.pass(600).await;
    let next = desk.claim().await;
    assert_eq!(next.attempt, 2);
    assert_ne!(next.token, claim.token);
    let lost = desk
        .store
        .commit_outcome(delivered(&claim, "r1", true))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    desk.created(&next, "r2").await;
    let lost = desk
        .store
        .commit_outcome(delivered(&next, "r3", true))
        .await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
}

/// A worker that comes back after another has taken its job over changes nothing: no link, no log, no job.
pub(crate) async fn that_were_lost_write_nothing(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let late = desk.claim().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    let claim = desk.claim().await;
    assert_eq!(claim.job, late.job);
    desk.reopen().await;
    for ack in [
        Ack::Done { revision: 1 },
        Ack::Retry { after: seconds(1) },
        Ack::Dead,
        Ack::Review,
    ] {
        let link = LinkChange::Set {
            remote: "late".into(),
            created: true,
        };
        let late = outcome(&late, link, LogOutcome::Released, ack);
        let lost = desk.store.commit_outcome(late).await;
        assert!(matches!(lost, Err(StoreError::LeaseLost)));
    }
    assert!(desk.store.links(id).await.unwrap().is_empty());
    assert!(desk.stopped().await.is_empty());
    // Of its four outcomes nothing was written down.
    desk.pass(100).await;
    assert_eq!(desk.store.sweep(seconds(10)).await.unwrap(), 0);
    desk.created(&claim, "r1").await;
    let state = desk.state(id).await;
    assert_eq!(state.remote, Some("r1".into()));
    assert_eq!((state.delivered, state.standing), (1, Standing::Idle));
}

/// Of two who hold the old token and the new one, the new one has it, whoever comes first.
pub(crate) async fn are_of_one_worker_of_several_at_once(subject: &dyn Subject) {
    let desk = desk(subject);
    for round in 0..5 {
        let contact = crate::people::somebody(round);
        let id = desk.sign_up(&contact).await.contact;
        let late = desk.claim().await;
        desk.pass(601).await;
        desk.rests().await;
        desk.pass(60).await;
        let claim = desk.claim().await;
        let (a, b) = (subject.reopened().await, desk.store.clone());
        let one =
            tokio::spawn(async move { a.commit_outcome(delivered(&late, "late", true)).await });
        let two =
            tokio::spawn(async move { b.commit_outcome(delivered(&claim, "good", true)).await });
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(matches!(one, Err(StoreError::LeaseLost)));
        two.unwrap();
        assert_eq!(desk.state(id).await.remote, Some("good".into()));
    }
}

/// Leases of jobs that are gone end nobody else's.
pub(crate) async fn are_each_their_own(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let first = desk.claim().await;
    desk.pass(300).await;
    desk.sign_up(&bob()).await;
    let second = desk.claim().await;
    desk.pass(301).await;
    desk.rests().await;
    // The first has run out, the second holds.
    let lost = desk.store.renew(first.job, first.token, LEASE).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost)));
    desk.created(&second, "r2").await;
    desk.pass(10).await;
    let again = desk.claim().await;
    assert_eq!(delivery(&again).key.as_str(), "user-1");
}

/// A lease may be of any length that a worker asks for.
pub(crate) async fn may_be_short_or_long(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let year = seconds(366 * 24 * 3_600);
    let claims = desk.store.claim(ClaimRequest::new(1, year)).await.unwrap();
    desk.pass(300 * 24 * 3_600).await;
    desk.rests().await;
    desk.retried(&claims.jobs[0], seconds(0)).await;
    let none = std::time::Duration::ZERO;
    let claims = desk.store.claim(ClaimRequest::new(1, none)).await.unwrap();
    assert_eq!(claims.jobs.len(), 1);
    desk.pass(1).await;
    desk.rests().await;
    desk.pass(60).await;
    desk.claim().await;
    assert_eq!(desk.store.resume(&acme(), &phone()).await.unwrap(), 0);
}
