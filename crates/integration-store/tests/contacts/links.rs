//! Links between contacts and records.

use std::time::Duration;

use contact_sync::{Ack, ContactId, Lane, Link, LinkChange, LogOutcome, StoreError, TenantId};

use crate::desk::{Desk, desk};
use crate::people::{CRM, PHONE, acme, ann, bob, crm, phone, user};
use crate::subject::Subject;

async fn is_linked(desk: &Desk<'_>, remote: &str, except: Option<ContactId>) -> bool {
    let remote = remote.into();
    let linked = desk
        .store
        .is_linked(&acme(), &phone(), &remote, except)
        .await;
    linked.unwrap()
}

pub(crate) async fn say_what_the_vendors_call_a_contact(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let at = [(PHONE, Lane::Bulk), (CRM, Lane::Bulk)];
    let id = desk.sign_up_at(&ann(), &at).await.contact;
    let nobody = desk.store.links(ContactId::generate()).await.unwrap();
    assert!(nobody.is_empty());
    assert!(desk.store.links(id).await.unwrap().is_empty());
    let claims = desk.claims().await;
    // An intent is no link.
    assert!(desk.store.links(id).await.unwrap().is_empty());
    for claim in &claims {
        desk.created(claim, &format!("{}-1", claim.target)).await;
    }
    desk.reopen().await;
    let mut links = desk.store.links(id).await.unwrap();
    links.sort_by(|a, b| a.target.cmp(&b.target));
    let expected = [
        Link::new(crm(), "crm-1".into()),
        Link::new(phone(), "phone-1".into()),
    ];
    assert_eq!(links, expected);
}

pub(crate) async fn are_known_by_their_record(subject: &dyn Subject) {
    let desk = desk(subject);
    assert!(!is_linked(&desk, "r1", None).await);
    let id = desk.link(&ann(), "r1").await;
    assert!(is_linked(&desk, "r1", None).await);
    assert!(!is_linked(&desk, "r1", Some(id)).await);
    assert!(is_linked(&desk, "r1", Some(ContactId::generate())).await);
    assert!(!is_linked(&desk, "R1", None).await);
    let remote = "r1".into();
    let elsewhere = desk.store.is_linked(&acme(), &crm(), &remote, None).await;
    assert!(!elsewhere.unwrap());
    let globex = TenantId::from("globex");
    let theirs = desk.store.is_linked(&globex, &phone(), &remote, None).await;
    assert!(!theirs.unwrap());
}

pub(crate) async fn are_replaced_by_newer_ones(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    desk.link(&ann(), "r2").await;
    let links = desk.store.links(id).await.unwrap();
    assert_eq!(links, [Link::new(phone(), "r2".into())]);
    assert!(!is_linked(&desk, "r1", None).await);
    assert!(is_linked(&desk, "r2", None).await);
}

/// Two contacts of one person share a record; one of them may go.
pub(crate) async fn of_others_stay_when_one_is_cut(subject: &dyn Subject) {
    let desk = desk(subject);
    let first = desk
        .link(&user("user-1", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    let second = desk
        .link(&user("user-2", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    assert!(is_linked(&desk, "r1", Some(first)).await);
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    desk.commit(
        &claim,
        LinkChange::Unlink,
        LogOutcome::Kept,
        Ack::Done { revision: 0 },
    )
    .await
    .unwrap();
    assert!(desk.store.links(first).await.unwrap().is_empty());
    assert!(is_linked(&desk, "r1", None).await);
    assert!(!is_linked(&desk, "r1", Some(second)).await);
}

/// A record that is gone is gone for everybody who had it.
pub(crate) async fn go_with_their_record(subject: &dyn Subject) {
    let desk = desk(subject);
    let first = desk
        .link(&user("user-1", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    let second = desk
        .link(&user("user-5", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    let bob = desk.link(&bob(), "r2").await;
    desk.sign_up(&user("user-1", "Ann Lee", "ann@example.com", ""))
        .await;
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
    for id in [first, second] {
        assert!(desk.store.links(id).await.unwrap().is_empty());
        assert_eq!(desk.state(id).await.delivered, 0);
    }
    assert!(!is_linked(&desk, "r1", None).await);
    assert_eq!(desk.store.links(bob).await.unwrap().len(), 1);
    assert_eq!(desk.state(bob).await.delivered, 1);
}

/// Text of the vendor's, whatever it is.
pub(crate) async fn hold_any_id_of_a_vendor(subject: &dyn Subject) {
    let desk = desk(subject);
    for (number, remote) in ["a b'c\"d\\", "ünï–🙂", "%", &"x".repeat(1_000)]
        .into_iter()
        .enumerate()
    {
        let contact = crate::people::somebody(number);
        let id = desk.link(&contact, remote).await;
        let links = desk.store.links(id).await.unwrap();
        assert_eq!(links, [Link::new(phone(), remote.into())]);
        assert!(is_linked(&desk, remote, None).await);
        assert!(!is_linked(&desk, remote, Some(id)).await);
    }
}

/// What PostgreSQL takes into no text, or into no index, is refused by all: the job stays its worker's, who says
/// something else.
pub(crate) async fn refuse_an_id_that_cannot_be_kept(subject: &dyn Subject) {
    let desk = desk(subject);
    let refused = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    };
    for (number, remote) in ["r\0", &crate::texts::random(5_000)]
        .into_iter()
        .enumerate()
    {
        let contact = crate::people::somebody(number);
        let id = desk.sign_up(&contact).await.contact;
        // Others that are written at the same time are.
        let next = crate::people::somebody(number + 10);
        let next = desk.sign_up(&next).await.contact;
        let claims = desk.claims().await;
        let of = |id| claims.iter().find(|claim| claim.contact == id).unwrap();
        let (bad, good) = tokio::join!(
            desk.store
                .commit_outcome(crate::desk::delivered(of(id), remote, true)),
            desk.store
                .commit_outcome(crate::desk::delivered(of(next), "good", true)),
        );
        good.unwrap();
        refused(bad);
        let settle = Duration::ZERO;
        desk.failed(of(id), LinkChange::Unclear { settle }, Ack::Review)
            .await;
        assert!(desk.store.links(id).await.unwrap().is_empty());
        assert!(!is_linked(&desk, remote, None).await);
        // That it does not exist any more is nothing new.
        let contact = crate::people::somebody(number + 20);
        let id = desk.link(&contact, "kept").await;
        desk.sign_up(&contact).await;
        let claim = desk.claim().await;
        let none = Duration::ZERO;
        let gone = LinkChange::Gone(remote.into());
        desk.commit(
            &claim,
            gone,
            LogOutcome::Relinking,
            Ack::Snooze { after: none },
        )
        .await
        .unwrap();
        assert_eq!(desk.store.links(id).await.unwrap().len(), 1);
        let claim = desk.claim().await;
        desk.created(&claim, "kept").await;

        let contact = crate::people::somebody(number + 30);
        let begun = desk.begin(&contact).await;
        desk.expect_create(&begun, &contact).await;
        let named = desk
            .store
            .note_created(begun.held, &phone(), &remote.into())
            .await;
        refused(named);
        let links = [Link::new(phone(), remote.into())];
        refused(desk.store.confirm(begun.held, &links, &[]).await);
        refused(desk.store.confirm(begun.held, &[], &links).await);
        let undone = desk.store.abandon(begun.held, crate::desk::LEASE).await;
        desk.undone(&undone.unwrap()[0]).await;
    }
    assert_eq!(desk.stopped().await.len(), 2);
}
