//! Bad input: whatever people type and hosts send is kept, and found again.

use std::collections::BTreeSet;

use contact_sync::{Contact, Lane, NewJob, Region, Signup, StoreError, TargetName, TenantId};

use crate::desk::{LEASE, delivery, desk};
use crate::people::{CRM, PHONE, acme, contact, phone, user};
use crate::subject::Subject;

const ODD: [&str; 12] = [
    "'; drop table sync_outbox; --",
    "\"quoted\" \\ back\\slash",
    "nul \u{0} inside",
    "\u{0}",
    "control \u{1}\u{7f}\u{85}\r\n\ttab",
    "\u{fffd}\u{feff}\u{202e}rtl\u{200b}",
    "ünï¢ødé 名前 🙂 👩‍👩‍👧",
    "e\u{301} and \u{e9}",
    "{\"json\": [1, null]}",
    "%_like%",
    "$1 ? :name @p1",
    "NULL",
];

/// Letters that cannot be compressed away.
pub(crate) fn random(length: usize) -> String {
    let mut state = 7_u32;
    let letters = (0..length).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
    });
    letters.collect()
}

fn everywhere(text: &str, id: &str) -> Contact {
    let signup = Signup::new()
        .host_id(id)
        .first_name(text)
        .last_name(text)
        .email(text)
        .phone(text)
        .company(text)
        .notes(text);
    contact(&signup)
}

pub(crate) async fn come_back_as_they_were_typed(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let mut expected = Vec::new();
    for (number, text) in ODD.iter().enumerate() {
        let contact = everywhere(text, &format!("user-{number}"));
        let id = desk.sign_up(&contact).await.contact;
        expected.push((id, contact));
    }
    desk.reopen().await;
    for (id, contact) in &expected {
        let stored = desk.store.stored(&acme(), *id).await.unwrap().unwrap();
        assert!(stored.contact == *contact);
    }
    let mut rounds = 0;
    let mut delivered = BTreeSet::new();
    // A text that is no name, no address and no number is kept, and has nothing to be delivered.
    let all = expected.iter().filter(|(_, contact)| !contact.is_blank());
    let all = all.count();
    assert!(all > ODD.len() / 2);
    while delivered.len() < all {
        for claim in desk.claims().await {
            let (_, contact) = expected
                .iter()
                .find(|(id, _)| *id == claim.contact)
                .unwrap();
            assert!(delivery(&claim).contact == *contact);
            desk.created(&claim, &format!("r-{}", claim.contact)).await;
            delivered.insert(claim.contact);
        }
        rounds += 1;
        assert!(rounds < 50, "all of them have their turn");
    }
}

/// A name of ten thousand characters is a name.
pub(crate) async fn may_be_long(subject: &dyn Subject) {
    let desk = desk(subject);
    let long = random(10_000);
    let email = format!("{long}@example.com");
    let contact = everywhere(&long, &long);
    let id = desk.sign_up(&contact).await.contact;
    let found = desk.store.find(&acme(), contact.key()).await.unwrap();
    assert_eq!(found, Some(id));
    let same = desk.sign_up(&contact).await;
    assert_eq!((same.contact, same.revision), (id, 2));
    let claim = desk.claim().await;
    assert!(delivery(&claim).contact == contact);
    assert!(delivery(&claim).key.as_str() == long);
    desk.created(&claim, "r1").await;
    let begun = desk
        .begin(&user(&format!("{long}2"), &long, &email, ""))
        .await;
    assert_ne!(begun.contact, id, "the end counts too");
    desk.end(&begun).await;
    // As long as an address may be, and shared by two.
    let part = |letter: &str| letter.repeat(55);
    let domain = format!("{}.{}.{}.example.com", part("b"), part("c"), part("d"));
    let email = format!("{}@{domain}", part("a"));
    let first = user("user-1", "Ann Lee", &email, "");
    assert_eq!(first.identifiers().len(), 1);
    desk.sign_up(&first).await;
    desk.sign_up(&user("user-2", "Ann Lee", &email, "")).await;
    desk.claim().await;
}

/// Ids of a host are apart by every character, case and accent of theirs.
pub(crate) async fn are_apart_by_every_character(subject: &dyn Subject) {
    let desk = desk(subject);
    let long = "x".repeat(300);
    let ids = [
        "a".to_owned(),
        "A".to_owned(),
        "\u{e9}".to_owned(),
        "e\u{301}".to_owned(),
        "a\u{0}b".to_owned(),
        "a\u{0}c".to_owned(),
        "a b".to_owned(),
        "a  b".to_owned(),
        "ab".to_owned(),
        long.clone(),
        format!("{long}y"),
        format!("{long}z"),
        "h:a".to_owned(),
        "d:a".to_owned(),
    ];
    let mut contacts = BTreeSet::new();
    for id in &ids {
        let accepted = desk.sign_up(&user(id, "Some Body", "", "")).await;
        assert_eq!(accepted.revision, 1, "{id:?} is somebody else's");
        contacts.insert(accepted.contact);
    }
    assert_eq!(contacts.len(), ids.len());
    for id in &ids {
        let accepted = desk.sign_up(&user(id, "Some Body", "", "")).await;
        assert_eq!(accepted.revision, 2);
        let key = user(id, "", "", "").key().clone();
        let found = desk.store.find(&acme(), &key).await.unwrap();
        assert_eq!(found, Some(accepted.contact));
    }
    let keys: BTreeSet<String> = desk
        .claims()
        .await
        .iter()
        .map(|claim| delivery(claim).key.as_str().to_owned())
        .collect();
    assert_eq!(keys, ids.into_iter().collect());
}

/// Tenants, targets and traces are text of the host's as well.
pub(crate) async fn may_name_tenants_targets_and_traces(subject: &dyn Subject) {
    let desk = desk(subject);
    for (number, text) in ODD.iter().enumerate() {
        let trace = *text;
        // What the host calls its customers and vendors has no character that ends texts elsewhere.
        let text = text.replace('\u{0}', "");
        let tenant = TenantId::from(format!("t {text}").as_str());
        let target = TargetName::from(format!("v {text}"));
        let signup = Signup::new()
            .tenant(format!("t {text}").as_str())
            .host_id(format!("user-{number}"))
            .email("ann@example.com");
        let contact = Contact::new(&tenant, &signup, Some(Region::US));
        let job = NewJob::new(target.clone(), Lane::Bulk).trace_id(trace);
        let accepted = desk.store.accept(&tenant, &contact, &[job]).await;
        let id = accepted.unwrap().contact;
        let claim = desk.claim().await;
        assert_eq!((&claim.tenant, &claim.target), (&tenant, &target));
        desk.created(&claim, "r1").await;
        let links = desk.store.links(id).await.unwrap();
        assert_eq!(links[0].target, target);
        let linked = desk
            .store
            .is_linked(&tenant, &target, &"r1".into(), None)
            .await;
        assert!(linked.unwrap());
    }
}

/// A contact without e-mail address or number waits for nobody, and nobody for it.
pub(crate) async fn may_be_missing(subject: &dyn Subject) {
    let desk = desk(subject);
    for _ in 0..3 {
        desk.sign_up_at(
            &contact(&Signup::new().name("Ann Lee")),
            &[(PHONE, Lane::Bulk), (CRM, Lane::Bulk)],
        )
        .await;
    }
    let claims = desk.claims().await;
    assert_eq!(claims.len(), 6);
    for claim in &claims {
        desk.created(claim, &format!("r-{}", claim.contact)).await;
    }
    let begun = desk
        .store
        .begin(&acme(), &contact(&Signup::new()), &[phone()], LEASE)
        .await
        .unwrap();
    let again = desk
        .store
        .begin(&acme(), &contact(&Signup::new()), &[phone()], LEASE)
        .await
        .unwrap();
    assert_ne!(begun.contact, again.contact);
}

/// Names that a database takes nowhere, or into no index: nothing is written, and under them nothing is found.
pub(crate) async fn that_are_no_names_are_refused(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&crate::people::ann(), &[]).await.contact;
    let (long, nul) = (random(5_000), "a\0b");
    for name in [nul, &long] {
        let tenant = TenantId::from(name);
        let contact = Contact::new(&tenant, &Signup::new().host_id("user-1"), None);
        let good = [NewJob::new(phone(), Lane::Bulk)];
        let bad = [NewJob::new(TargetName::from(name), Lane::Bulk)];
        let store = &desk.store;
        let refusals = [
            store.accept(&tenant, &contact, &good).await.map(drop),
            store.accept(&acme(), &contact, &bad).await.map(drop),
            store.amend(&acme(), id, &contact, &bad).await.map(drop),
            store
                .begin(&tenant, &contact, &[phone()], LEASE)
                .await
                .map(drop),
            store
                .begin(&acme(), &contact, &[TargetName::from(name)], LEASE)
                .await
                .map(drop),
        ];
        for refused in refusals {
            let error = refused.unwrap_err();
            assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
        }
        assert_eq!(store.find(&tenant, contact.key()).await.unwrap(), None);
        assert!(store.stored(&tenant, id).await.unwrap().is_none());
        assert_eq!(store.erase(&tenant, id).await.unwrap(), None);
        assert_eq!(store.resume(&tenant, &phone()).await.unwrap(), 0);
        assert_eq!(store.resume(&acme(), &name.into()).await.unwrap(), 0);
        let linked = store.is_linked(&tenant, &phone(), &"r1".into(), None).await;
        assert!(!linked.unwrap());
    }
    let stored = desk.store.stored(&acme(), id).await.unwrap().unwrap();
    assert_eq!(stored.revision, 1, "nothing was written");
    desk.rests().await;
    let longest = [NewJob::new(random(200).into(), Lane::Bulk)];
    let tenant = TenantId::from(random(200));
    let key = random(10_000);
    let contact = user(&key, "Ann Lee", "ann@example.com", "");
    desk.store
        .accept(&tenant, &contact, &longest)
        .await
        .unwrap();
    let claim = desk.claim().await;
    desk.created(&claim, &random(1_000)).await;
}
