//! Where contacts stand: for receipts, reconcilers and whoever watches.

use std::time::Duration;

use contact_sync::{
    Accepted, Ack, ContactId, DeliveryState, ErrorClass, FailureNote, Lane, LinkChange, LogOutcome,
    Standing, Standings,
};

use crate::desk::{Desk, LEASE, desk, seconds};
use crate::people::{CRM, PHONE, acme, ann, bob, crm, phone, somebody};
use crate::subject::Subject;

pub(crate) async fn of_a_delivery_is_told(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let state = |remote: Option<&str>, delivered, standing| {
        DeliveryState::new(phone(), remote.map(Into::into), delivered, standing)
    };
    let note = FailureNote::new;
    assert_eq!(desk.state(id).await, state(None, 0, Standing::Queued));
    let claim = desk.claim().await;
    assert_eq!(desk.state(id).await, state(None, 0, Standing::Queued));
    desk.retried(&claim, Duration::ZERO).await;
    let retrying = Standing::Retrying(note(ErrorClass::Transient));
    assert_eq!(desk.state(id).await, state(None, 0, retrying));
    let claim = desk.claim().await;
    desk.created(&claim, "r1").await;
    assert_eq!(desk.state(id).await, state(Some("r1"), 1, Standing::Idle));
    desk.sign_up(&ann()).await;
    assert_eq!(desk.state(id).await, state(Some("r1"), 1, Standing::Queued));
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Keep, Ack::Review).await;
    let review = Standing::Review(note(ErrorClass::Conflict));
    assert_eq!(desk.state(id).await, state(Some("r1"), 1, review));
    desk.sign_up(&ann()).await;
    assert_eq!(desk.state(id).await, state(Some("r1"), 1, Standing::Queued));
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Keep, Ack::Dead).await;
    let dead = Standing::Dead(note(ErrorClass::InvalidData));
    assert_eq!(desk.state(id).await, state(Some("r1"), 1, dead));
    let nobody = desk.store.deliveries(ContactId::generate()).await.unwrap();
    assert!(nobody.is_empty());
}

/// The last thing that is known of a failure stays, with what the vendor called it.
pub(crate) async fn shows_the_last_failure(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let claim = desk.claim().await;
    let mut note = FailureNote::new(ErrorClass::Transient);
    note.status = Some(502);
    note.code = Some("0500500".to_owned());
    note.request_id = Some("req-1".to_owned());
    let later = |after| Ack::Retry { after };
    let failed = LogOutcome::Failed(note.clone());
    desk.commit(&claim, LinkChange::Withdraw, failed, later(Duration::ZERO))
        .await
        .unwrap();
    desk.reopen().await;
    let claim = desk.claim().await;
    assert_eq!(
        desk.state(id).await.standing,
        Standing::Retrying(note.clone())
    );
    // An attempt that says nothing of a failure takes nothing back.
    desk.commit(
        &claim,
        LinkChange::Withdraw,
        LogOutcome::Released,
        later(LEASE),
    )
    .await
    .unwrap();
    assert_eq!(desk.state(id).await.standing, Standing::Retrying(note));
}

/// Pages of contacts, each once, in the order of their ids.
pub(crate) async fn of_everybody_is_told_page_by_page(subject: &dyn Subject) {
    let desk = desk(subject);
    assert!(desk.store.standings(None, 10).await.unwrap().is_empty());
    let mut expected = Vec::new();
    for number in 0..7 {
        let at: &[(&str, Lane)] = match number % 3 {
            0 => &[],
            1 => &[(PHONE, Lane::Bulk)],
            _ => &[(PHONE, Lane::Bulk), (CRM, Lane::Bulk)],
        };
        let accepted = desk.sign_up_at(&somebody(number), at).await;
        let targets = at
            .iter()
            .map(|(target, _)| DeliveryState::new((*target).into(), None, 0, Standing::Queued));
        expected.push(Standings::new(
            accepted.contact,
            acme(),
            1,
            targets.collect(),
        ));
    }
    expected.sort_by_key(|standings| standings.contact);
    let mut told = Vec::new();
    loop {
        let after = told.last().map(|last: &Standings| last.contact);
        let page = desk.store.standings(after, 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        told.extend(page);
    }
    for standings in told.iter_mut().chain(&mut expected) {
        standings.targets.sort_by(|a, b| a.target.cmp(&b.target));
    }
    assert_eq!(told, expected);
    assert!(desk.store.standings(None, 0).await.unwrap().is_empty());
}

/// A contact that a strict create has only kept a key for is none.
pub(crate) async fn of_nobody_who_is_not_there_is_told(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk
        .store
        .begin(&acme(), &ann(), &[phone()], LEASE)
        .await
        .unwrap();
    assert!(desk.store.standings(None, 10).await.unwrap().is_empty());
    assert_eq!(
        desk.store.stored(&acme(), begun.contact).await.unwrap(),
        None
    );
    assert_eq!(desk.store.find(&acme(), ann().key()).await.unwrap(), None);
}

async fn settled(desk: &Desk<'_>, accepted: Accepted) -> tokio::task::JoinHandle<()> {
    let store = desk.store.clone();
    let waiting = tokio::spawn(async move {
        store.settled(accepted, &[phone(), crm()]).await.unwrap();
    });
    // Lets it begin; should it begin later still, it has less to wait for.
    tokio::task::yield_now().await;
    waiting
}

async fn ends(waiting: tokio::task::JoinHandle<()>) {
    let ended = tokio::time::timeout(seconds(20), waiting).await;
    ended.expect("it has settled").unwrap();
}

/// Waits for a worker in this process and in another one alike.
pub(crate) async fn is_waited_for(subject: &dyn Subject) {
    let desk = desk(subject);
    let mut other = Desk {
        subject,
        store: subject.reopened().await,
    };
    for (number, from_another) in [false, true].into_iter().enumerate() {
        let accepted = desk.sign_up(&somebody(number)).await;
        let waiting = settled(&desk, accepted).await;
        let claim = desk.claim().await;
        assert!(!waiting.is_finished());
        if from_another {
            other.created(&claim, "r1").await;
        } else {
            desk.created(&claim, "r1").await;
        }
        ends(waiting).await;
    }
    other.reopen().await;
}

/// What runs may be older than what is waited for.
pub(crate) async fn is_waited_for_by_revision(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let running = desk.claim().await;
    let accepted = desk.sign_up(&ann()).await;
    let waiting = settled(&desk, accepted).await;
    desk.created(&running, "r1").await;
    let newer = desk.claim().await;
    assert!(!waiting.is_finished());
    desk.created(&newer, "r1").await;
    ends(waiting).await;
    // What is older than what was delivered has settled.
    let old = Accepted::new(accepted.contact, 1);
    ends(settled(&desk, old).await).await;
}

/// It is no use to wait for a person.
pub(crate) async fn is_not_waited_for_when_a_person_has_to_see_to_it(subject: &dyn Subject) {
    let desk = desk(subject);
    for (number, ack) in [Ack::Dead, Ack::Review].into_iter().enumerate() {
        let accepted = desk.sign_up(&somebody(number)).await;
        let waiting = settled(&desk, accepted).await;
        let claim = desk.claim().await;
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
        ends(waiting).await;
        ends(settled(&desk, accepted).await).await;
    }
    let nowhere = desk.sign_up_at(&bob(), &[]).await;
    ends(settled(&desk, nowhere).await).await;
}

pub(crate) async fn of_all_jobs_is_counted(subject: &dyn Subject) {
    let desk = desk(subject);
    let count = async || desk.store.snapshot().await.unwrap();
    let empty = count().await;
    assert_eq!((empty.live(), empty.oldest_ms, empty.done), (0, 0, 0));
    desk.sign_up(&somebody(0)).await;
    desk.pass(100).await;
    for number in 1..6 {
        desk.sign_up(&somebody(number)).await;
    }
    let all = count().await;
    assert_eq!((all.ready, all.live()), (6, 6));
    assert!((100_000..130_000).contains(&all.oldest_ms), "{all:?}");
    let claims = desk.claims().await;
    assert_eq!(count().await.running, 6);
    desk.created(&claims[0], "r0").await;
    desk.retried(&claims[1], LEASE).await;
    desk.failed(&claims[2], LinkChange::Withdraw, Ack::Review)
        .await;
    desk.failed(&claims[3], LinkChange::Withdraw, Ack::Dead)
        .await;
    let park = Ack::Park { after: LEASE };
    desk.failed(&claims[4], LinkChange::Withdraw, park).await;
    let now = count().await;
    assert_eq!(
        (now.ready, now.retrying, now.running, now.review, now.dead),
        (0, 2, 1, 1, 1)
    );
    assert_eq!(now.done, 1);
    // The oldest of all is done, and what waits for a person is not live.
    assert!(now.oldest_ms < 30_000, "{now:?}");
    let outcomes = now.outcomes;
    assert_eq!(
        (
            outcomes.created,
            outcomes.updated,
            outcomes.unchanged,
            outcomes.retried,
            outcomes.parked,
            outcomes.reviews,
            outcomes.dead,
            outcomes.crashes
        ),
        (1, 0, 0, 1, 1, 1, 1, 0)
    );
    desk.pass(601).await;
    desk.claims().await;
    assert_eq!(count().await.outcomes.crashes, 1);
}
