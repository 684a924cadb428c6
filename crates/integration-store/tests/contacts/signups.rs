//! Accepting, changing and finding contacts.

use std::collections::BTreeSet;

use contact_sync::{
    Accepted, Ack, ContactId, ContactKey, Lane, LinkChange, NewJob, Signup, Standing,
    StoredContact, TenantId,
};

use crate::desk::{delivery, desk, outcome, seconds};
use crate::people::{A, B, CRM, PHONE, acme, ann, bob, contact, crm, phone, user};
use crate::subject::Subject;

pub(crate) async fn give_a_key_one_contact(subject: &dyn Subject) {
    let desk = desk(subject);
    let first = desk.sign_up(&ann()).await;
    assert_eq!(first.revision, 1);
    let second = desk.sign_up(&ann()).await;
    assert_eq!(second, Accepted::new(first.contact, 2));
    let bob = desk.sign_up(&bob()).await;
    assert_ne!(bob.contact, first.contact);
    assert_eq!(bob.revision, 1);
}

/// The same e-mail address without an id of the host is the same key, however it is written.
pub(crate) async fn derive_a_key_where_the_host_has_none(subject: &dyn Subject) {
    let desk = desk(subject);
    let typed = |email: &str| contact(&Signup::new().name("Ann Lee").email(email));
    let first = desk.sign_up(&typed("ann@example.com")).await;
    let again = desk.sign_up(&typed(" Ann@Example.COM ")).await;
    assert_eq!(again, Accepted::new(first.contact, 2));
}

pub(crate) async fn with_nothing_to_go_by_are_contacts_of_their_own(subject: &dyn Subject) {
    let desk = desk(subject);
    let nameless = contact(&Signup::new().name("Ann Lee"));
    assert_eq!(*nameless.key(), ContactKey::Unidentified);
    let first = desk.sign_up(&nameless).await;
    let second = desk.sign_up(&nameless).await;
    assert_ne!(first.contact, second.contact);
    let claims = desk.claims().await;
    let keys: BTreeSet<&str> = claims.iter().map(|c| delivery(c).key.as_str()).collect();
    assert_eq!(keys.len(), 2);
    let found = desk.store.find(&acme(), nameless.key()).await.unwrap();
    assert_eq!(found, None);
}

pub(crate) async fn keep_tenants_apart(subject: &dyn Subject) {
    let desk = desk(subject);
    let other = TenantId::from("globex");
    let ours = desk.sign_up(&ann()).await;
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let theirs = desk.store.accept(&other, &ann(), &jobs).await.unwrap();
    assert_ne!(ours.contact, theirs.contact);
    assert_eq!(theirs.revision, 1);
    let mut tenants: Vec<String> = desk
        .claims()
        .await
        .iter()
        .map(|claim| claim.tenant.to_string())
        .collect();
    tenants.sort_unstable();
    // Nor does one tenant's work hold back the other's, though it is the same person.
    assert_eq!(tenants, ["acme", "globex"]);
    assert_eq!(desk.store.stored(&other, ours.contact).await.unwrap(), None);
    let key = ann().key().clone();
    assert_eq!(
        desk.store.find(&other, &key).await.unwrap(),
        Some(theirs.contact)
    );
}

/// What is there replaces, what is blank changes nothing.
pub(crate) async fn merge_what_is_newer(subject: &dyn Subject) {
    let desk = desk(subject);
    let first = user("user-1", "Ann Lee", "ann@example.com", A);
    let newer = user("user-1", "Ann Maria Lee", "", B);
    let id = desk.sign_up(&first).await.contact;
    desk.sign_up(&newer).await;
    let mut merged = first.clone();
    merged.merge(newer);
    let stored = desk.store.stored(&acme(), id).await.unwrap();
    let expected = StoredContact::new(id, acme(), 2, merged.clone());
    assert_eq!(stored, Some(expected));
    let claim = desk.claim().await;
    let delivery = delivery(&claim);
    assert_eq!((&delivery.contact, delivery.revision), (&merged, 2));
    assert_eq!(delivery.key.as_str(), "user-1");
}

pub(crate) async fn bring_a_job_for_each_target(subject: &dyn Subject) {
    let desk = desk(subject);
    let at = [(PHONE, Lane::Bulk), (CRM, Lane::Interactive)];
    let accepted = desk.sign_up_at(&ann(), &at).await;
    let states = desk.store.deliveries(accepted.contact).await.unwrap();
    assert_eq!(states.len(), 2);
    for state in states {
        assert_eq!(
            (state.standing, state.delivered, state.remote),
            (Standing::Queued, 0, None)
        );
    }
    let claims = desk.claims().await;
    let said: Vec<(&str, Lane, u32)> = claims
        .iter()
        .map(|claim| (claim.target.as_str(), claim.lane, claim.attempt))
        .collect();
    assert_eq!(said, [(CRM, Lane::Interactive, 1), (PHONE, Lane::Bulk, 1)]);
    assert_ne!(claims[0].job, claims[1].job);
    assert_ne!(claims[0].token, claims[1].token);
}

/// A contact without anything to recognise or reach the person by is a contact, and no vendor gets a record of it.
pub(crate) async fn that_say_nothing_of_a_person_bring_no_job(subject: &dyn Subject) {
    let desk = desk(subject);
    let blank = contact(&Signup::new().host_id("user-1").company("Lee Ltd"));
    let accepted = desk.sign_up(&blank).await;
    assert_eq!(accepted, Accepted::new(accepted.contact, 1).blank(true));
    let nobody = desk.sign_up(&contact(&Signup::new())).await;
    assert!(nobody.is_blank && nobody.contact != accepted.contact);
    let more = contact(&Signup::new().notes("hello"));
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let amended = desk
        .store
        .amend(&acme(), accepted.contact, &more, &jobs)
        .await;
    let amended = amended.unwrap().unwrap();
    assert_eq!(amended, Accepted::new(accepted.contact, 2).blank(true));
    desk.rests().await;
    let states = desk.store.deliveries(accepted.contact).await.unwrap();
    assert!(states.iter().all(|state| state.standing == Standing::Idle));
    // Nobody has to wait for what will not come.
    let waited = desk.store.settled(amended, &[phone()]).await;
    waited.unwrap();
    // With a name, there is somebody to bring.
    let named = desk
        .store
        .amend(&acme(), accepted.contact, &ann(), &jobs)
        .await;
    assert_eq!(named.unwrap(), Some(Accepted::new(accepted.contact, 3)));
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).contact.company(), Some("Lee Ltd"));
}

/// Whether there is somebody to bring is a question to the whole contact, not to what its last signup says.
pub(crate) async fn that_say_nothing_of_a_person_who_is_known_are_delivered(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    let change = contact(&Signup::new().host_id("user-1").company("Lee Ltd"));
    assert!(change.is_blank());
    assert_eq!(desk.sign_up(&change).await, Accepted::new(id, 2));
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).revision, 2);
    assert_eq!(delivery(&claim).contact.company(), Some("Lee Ltd"));
    assert_eq!(delivery(&claim).contact.name().first(), Some("Ann"));
}

/// A contact without a job is a contact.
pub(crate) async fn need_no_target(subject: &dyn Subject) {
    let desk = desk(subject);
    let accepted = desk.sign_up_at(&ann(), &[]).await;
    desk.rests().await;
    assert!(
        desk.store
            .deliveries(accepted.contact)
            .await
            .unwrap()
            .is_empty()
    );
    let found = desk.store.find(&acme(), ann().key()).await.unwrap();
    assert_eq!(found, Some(accepted.contact));
}

pub(crate) async fn queue_a_live_delivery_once(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).revision, 2);
    desk.created(&claim, "r1").await;
    desk.rests().await;
}

/// A delivery that waits for another attempt is live as well, and waits no shorter.
pub(crate) async fn join_a_delivery_that_is_tried_again(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.retried(&claim, seconds(600)).await;
    let accepted = desk.sign_up(&ann()).await;
    desk.rests().await;
    let state = desk.state(accepted.contact).await;
    assert!(matches!(state.standing, Standing::Retrying(_)));
    desk.pass(600).await;
    let claim = desk.claim().await;
    assert_eq!((delivery(&claim).revision, claim.attempt), (2, 2));
}

pub(crate) async fn take_the_more_urgent_lane(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up_at(&bob(), &[(PHONE, Lane::Bulk)]).await;
    desk.sign_up_at(&ann(), &[(PHONE, Lane::Bulk)]).await;
    desk.sign_up_at(&ann(), &[(PHONE, Lane::Interactive)]).await;
    desk.sign_up_at(&ann(), &[(PHONE, Lane::Bulk)]).await;
    let claims = desk.claims().await;
    let lanes: Vec<(&str, Lane)> = claims
        .iter()
        .map(|claim| (delivery(claim).key.as_str(), claim.lane))
        .collect();
    assert_eq!(
        lanes,
        [("user-1", Lane::Interactive), ("user-2", Lane::Bulk)]
    );
}

/// A new job is not lost because a dead one has its key.
pub(crate) async fn count_no_dead_job_as_live(subject: &dyn Subject) {
    for ack in [Ack::Dead, Ack::Review] {
        let desk = desk(subject);
        let stopped_before = desk.stopped().await.len();
        desk.sign_up(&ann()).await;
        let claim = desk.claim().await;
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
        assert_eq!(desk.stopped().await.len(), stopped_before + 1);
        desk.rests().await;
        desk.sign_up(&ann()).await;
        let next = desk.claim().await;
        assert_ne!(next.job, claim.job);
        assert_eq!(next.attempt, 1);
        // With the delivery the failure is a thing of the past.
        desk.created(&next, "r1").await;
        assert!(desk.stopped().await.is_empty());
    }
}

/// Nothing is lost of what comes in while a worker is at it.
pub(crate) async fn are_not_lost_while_their_delivery_runs(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let running = desk.claim().await;
    let newer = user("user-1", "Ann Maria Lee", "", "");
    desk.sign_up(&newer).await;
    desk.rests().await;
    desk.pass(100).await;
    desk.created(&running, "r1").await;
    let state = desk.state(id).await;
    assert_eq!((state.delivered, state.standing), (1, Standing::Queued));
    let next = desk.claim().await;
    // A life of its own: neither the attempts nor the age of what was before.
    assert_eq!((next.attempt, delivery(&next).revision), (1, 2));
    assert!(next.age < seconds(90), "{:?}", next.age);
    assert_eq!(delivery(&next).contact.name().first(), Some("Ann Maria"));
    desk.created(&next, "r1").await;
    desk.rests().await;
    let state = desk.state(id).await;
    assert_eq!((state.delivered, state.standing), (2, Standing::Idle));
}

/// However many forms are sent at once: one contact, a revision each, one job, and no error.
pub(crate) async fn of_one_person_at_once_are_one_contact(subject: &dyn Subject) {
    let desk = desk(subject);
    let mut coming = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = desk.store.clone();
        coming.spawn(async move {
            let jobs = [
                NewJob::new(phone(), Lane::Bulk),
                NewJob::new(crm(), Lane::Bulk),
            ];
            store.accept(&acme(), &ann(), &jobs).await.unwrap()
        });
    }
    let accepted = coming.join_all().await;
    let ids: BTreeSet<ContactId> = accepted.iter().map(|a| a.contact).collect();
    let revisions: BTreeSet<u64> = accepted.iter().map(|a| a.revision).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(revisions, (1..=16).collect());
    assert_eq!(desk.claims().await.len(), 2);
}

pub(crate) async fn at_once_from_several_processes_are_one_contact(subject: &dyn Subject) {
    let desk = desk(subject);
    let other = subject.reopened().await;
    let mut coming = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = if number % 2 == 0 {
            desk.store.clone()
        } else {
            other.clone()
        };
        coming.spawn(async move {
            let jobs = [NewJob::new(phone(), Lane::Bulk)];
            store.accept(&acme(), &ann(), &jobs).await.unwrap().contact
        });
    }
    let ids: BTreeSet<ContactId> = coming.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    desk.claim().await;
}

pub(crate) async fn carry_the_trace_of_their_request(subject: &dyn Subject) {
    let desk = desk(subject);
    let job = NewJob::new(phone(), Lane::Bulk).trace_id("trace-1");
    desk.store.accept(&acme(), &ann(), &[job]).await.unwrap();
    desk.sign_up(&bob()).await;
    let claims = desk.claims().await;
    let traces: Vec<Option<&str>> = claims.iter().map(|c| c.trace_id.as_deref()).collect();
    assert_eq!(traces, [Some("trace-1"), None]);
}

pub(crate) async fn are_found_by_key(subject: &dyn Subject) {
    let desk = desk(subject);
    let key = ann().key().clone();
    assert_eq!(desk.store.find(&acme(), &key).await.unwrap(), None);
    let id = desk.sign_up(&ann()).await.contact;
    assert_eq!(desk.store.find(&acme(), &key).await.unwrap(), Some(id));
    assert_eq!(desk.store.find(&acme(), bob().key()).await.unwrap(), None);
    // A host's id that looks like a derived key is none.
    let derived = contact(&Signup::new().email("ann@example.com"));
    let id = desk.sign_up(&derived).await.contact;
    let text = derived.key().external(id);
    let host = contact(&Signup::new().host_id(text.as_str()));
    assert_eq!(desk.store.find(&acme(), host.key()).await.unwrap(), None);
}

/// A change goes to the contact that is named, whatever its own key.
pub(crate) async fn are_changed_under_their_own_key(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    let change = contact(&Signup::new().email("lee@example.com").company("Acme"));
    let jobs = [NewJob::new(phone(), Lane::Interactive)];
    let amended = desk.store.amend(&acme(), id, &change, &jobs).await.unwrap();
    assert_eq!(amended, Some(Accepted::new(id, 2)));
    let stored = desk.store.stored(&acme(), id).await.unwrap().unwrap();
    assert_eq!(stored.contact.key(), ann().key());
    assert_eq!(stored.contact.company(), Some("Acme"));
    assert_eq!(stored.contact.name().first(), Some("Ann"));
    assert_eq!(
        stored.contact.email().unwrap().normalized(),
        "lee@example.com"
    );
    let claim = desk.claim().await;
    assert_eq!(claim.lane, Lane::Interactive);
    assert_eq!(delivery(&claim).key.as_str(), "user-1");
    assert_eq!(delivery(&claim).revision, 2);
    // What says nothing new is no new revision, and is delivered all the same.
    desk.created(&claim, "r1").await;
    let same = desk.store.amend(&acme(), id, &change, &jobs).await.unwrap();
    assert_eq!(same, Some(Accepted::new(id, 2)));
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).revision, 2);
    // The change has made no contact of its own.
    assert_eq!(desk.store.find(&acme(), change.key()).await.unwrap(), None);
}

pub(crate) async fn are_changed_where_they_are_and_nowhere_else(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let other = TenantId::from("globex");
    let amended = desk.store.amend(&other, id, &bob(), &jobs).await.unwrap();
    assert_eq!(amended, None);
    let nobody = ContactId::generate();
    let amended = desk.store.amend(&acme(), nobody, &bob(), &jobs).await;
    assert_eq!(amended.unwrap(), None);
    desk.rests().await;
    let stored = desk.store.stored(&acme(), id).await.unwrap();
    assert_eq!(stored, Some(StoredContact::new(id, acme(), 1, ann())));
    assert_eq!(desk.store.stored(&acme(), nobody).await.unwrap(), None);
}

/// A queued change and a queued signup are one delivery.
pub(crate) async fn are_changed_in_the_delivery_that_waits(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let change = user("user-1", "Ann Maria Lee", "", "");
    desk.store.amend(&acme(), id, &change, &jobs).await.unwrap();
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).revision, 2);
    assert_eq!(delivery(&claim).contact.name().first(), Some("Ann Maria"));
}

/// Everything a claim was given comes back with the outcome, and what was accepted is there for another process.
pub(crate) async fn outlive_their_process(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    desk.reopen().await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).contact, ann());
    desk.reopen().await;
    let done = outcome(
        &claim,
        LinkChange::Set {
            remote: "r1".into(),
            created: true,
        },
        contact_sync::LogOutcome::Released,
        Ack::Done { revision: 1 },
    );
    desk.store.commit_outcome(done).await.unwrap();
    desk.reopen().await;
    let state = desk.state(id).await;
    assert_eq!(state.remote, Some("r1".into()));
    assert_eq!(state.delivered, 1);
    desk.rests().await;
}
