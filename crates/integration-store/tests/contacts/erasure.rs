//! Erasing contacts: what waits is dropped, what is ours is taken away, and nothing is left.

use std::time::Duration;

use contact_sync::{
    Accepted, Ack, ContactId, JobKind, Known, Lane, LinkChange, LogOutcome, NewJob, TenantId, Work,
};

use crate::desk::{Desk, LEASE, delivery, desk, removal, seconds};
use crate::people::{A, PHONE, acme, ann, bob, contact, phone, user};
use crate::subject::Subject;

async fn erase(desk: &Desk<'_>, id: ContactId) -> contact_sync::Erased {
    let erased = desk.store.erase(&acme(), id).await.unwrap().unwrap();
    assert_eq!(erased.contact, id);
    erased
}

async fn is_gone(desk: &Desk<'_>, id: ContactId) -> bool {
    let stored = desk.store.stored(&acme(), id).await.unwrap();
    let found = desk.store.find(&acme(), ann().key()).await.unwrap();
    let standings = desk.store.standings(None, 100).await.unwrap();
    stored.is_none() && found != Some(id) && standings.iter().all(|s| s.contact != id)
}

/// Where something of a person may lie.
const TABLES: [&str; 6] = [
    "sync_contacts",
    "sync_lines",
    "sync_claims",
    "sync_known",
    "sync_undos",
    "sync_outbox",
];

/// Tells whether no table has a word that only Ann has.
async fn is_forgotten(desk: &Desk<'_>) -> bool {
    for table in TABLES {
        for row in desk.subject.dump(table).await.unwrap_or_default() {
            if ["Ann", "ann@example.com", "5550143"]
                .iter()
                .any(|word| row.contains(word))
            {
                return false;
            }
        }
    }
    true
}

pub(crate) async fn drops_what_has_not_begun(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let erased = erase(&desk, id).await;
    assert!(erased.queued.is_empty());
    assert!(is_gone(&desk, id).await);
    assert!(is_forgotten(&desk).await);
    desk.rests().await;
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
}

pub(crate) async fn is_of_a_contact_of_the_tenant(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let other = TenantId::from("globex");
    assert_eq!(desk.store.erase(&other, id).await.unwrap(), None);
    let nobody = desk.store.erase(&acme(), ContactId::generate()).await;
    assert_eq!(nobody.unwrap(), None);
    assert!(!is_gone(&desk, id).await);
    desk.claim().await;
}

/// A record that our own create has made goes with the contact.
pub(crate) async fn takes_our_record_away(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    let erased = erase(&desk, id).await;
    assert_eq!(erased.queued, [phone()]);
    assert!(erased.kept.is_empty());
    assert!(is_gone(&desk, id).await);
    desk.reopen().await;
    let claim = desk.claim().await;
    assert_eq!((claim.contact, claim.attempt), (id, 1));
    let what = removal(&claim);
    assert_eq!(what.remote, Some("r1".into()));
    assert!(what.is_ours);
    assert_eq!(what.key.as_str(), "user-1");
    assert_eq!(what.contact, ann());
    desk.removed(&claim).await;
    desk.rests().await;
    assert!(is_forgotten(&desk).await);
    assert!(desk.store.links(id).await.unwrap().is_empty());
    let linked = desk
        .store
        .is_linked(&acme(), &phone(), &"r1".into(), None)
        .await;
    assert!(!linked.unwrap());
    // Its removal leaves nobody behind by whom others would be known.
    desk.sign_up(&user("user-7", "Ann Lee", "ann@example.com", A))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::Nobody);
    assert!(delivery(&claim).aliases.is_empty());
}

/// A record that was there before is somebody else's.
pub(crate) async fn leaves_what_was_merely_found(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let claim = desk.claim().await;
    desk.found(&claim, "r1").await;
    let erased = erase(&desk, id).await;
    assert_eq!((erased.queued, erased.kept), (vec![], vec![phone()]));
    desk.rests().await;
    assert!(is_gone(&desk, id).await);
    assert!(is_forgotten(&desk).await);
}

/// A link that is ours stays ours, whatever later deliveries found.
pub(crate) async fn knows_what_is_ours_after_later_deliveries(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    desk.found(&claim, "r1").await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    assert!(removal(&claim).is_ours);
}

/// A create that nobody heard of may have left a record, which has to be looked for.
pub(crate) async fn looks_for_what_may_have_been_created(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let claim = desk.claim().await;
    let settle = seconds(600);
    let retry = Ack::Retry {
        after: Duration::ZERO,
    };
    desk.failed(&claim, LinkChange::Unclear { settle }, retry)
        .await;
    let erased = erase(&desk, id).await;
    assert_eq!(erased.queued, [phone()]);
    // Not before its request has settled.
    desk.rests().await;
    desk.pass(600).await;
    let claim = desk.claim().await;
    let what = removal(&claim);
    assert_eq!(what.remote, None);
    assert!(what.since.is_some());
    desk.removed(&claim).await;
    desk.rests().await;
    assert!(is_forgotten(&desk).await);
}

/// What runs is not torn away from its worker; the removal comes behind it and takes what it made.
pub(crate) async fn waits_for_what_runs(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let running = desk.claim().await;
    let erased = erase(&desk, id).await;
    assert_eq!(erased.queued, [phone()]);
    assert!(is_gone(&desk, id).await);
    desk.rests().await;
    desk.created(&running, "r1").await;
    // It is what the contact was, and nothing that the next one of this key has.
    assert_eq!(desk.state(id).await.delivered, 0);
    let claim = desk.claim().await;
    let what = removal(&claim);
    assert_eq!(what.remote, Some("r1".into()));
    assert!(what.is_ours);
    assert_eq!(what.contact, ann());
    desk.removed(&claim).await;
    desk.rests().await;
    assert!(is_forgotten(&desk).await);
}

/// A delivery that ran and failed is not tried again for a contact that is not there any more.
pub(crate) async fn ends_what_fails_meanwhile(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    let running = desk.claim().await;
    erase(&desk, id).await;
    desk.retried(&running, LEASE).await;
    desk.pass(600).await;
    for claim in desk.claims().await {
        assert_eq!(claim.work.kind(), JobKind::Remove);
        desk.removed(&claim).await;
    }
    desk.rests().await;
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
    assert!(is_forgotten(&desk).await);
}

/// A worker that never comes back is taken for one that may have created.
pub(crate) async fn survives_a_crash_of_what_runs(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up(&ann()).await.contact;
    desk.claim().await;
    erase(&desk, id).await;
    desk.pass(601).await;
    let mut removals = 0;
    for _ in 0..4 {
        for claim in desk.claims().await {
            assert_eq!(claim.work.kind(), JobKind::Remove);
            assert_eq!(removal(&claim).remote, None);
            desk.removed(&claim).await;
            removals += 1;
        }
        desk.pass(60).await;
    }
    assert_eq!(removals, 1);
    assert!(is_forgotten(&desk).await);
}

pub(crate) async fn twice_is_once(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    desk.store.erase(&acme(), id).await.unwrap();
    let claim = desk.claim().await;
    desk.store.erase(&acme(), id).await.unwrap();
    desk.removed(&claim).await;
    desk.store.erase(&acme(), id).await.unwrap();
    desk.rests().await;
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
}

/// Stopped deliveries of a contact that is gone wait for nobody.
pub(crate) async fn takes_stopped_deliveries_along(subject: &dyn Subject) {
    let desk = desk(subject);
    for (ack, key) in [(Ack::Dead, "user-8"), (Ack::Review, "user-9")] {
        let id = desk.sign_up(&user(key, "Ann Lee", "", "")).await.contact;
        let claim = desk.claim().await;
        desk.failed(&claim, LinkChange::Withdraw, ack).await;
        erase(&desk, id).await;
    }
    assert!(desk.stopped().await.is_empty());
    desk.rests().await;
    assert!(is_forgotten(&desk).await);
}

pub(crate) async fn leaves_nothing_to_change(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let jobs = [NewJob::new(phone(), Lane::Bulk)];
    let change = contact(&contact_sync::Signup::new().name("Lee"));
    let amended = desk.store.amend(&acme(), id, &change, &jobs).await.unwrap();
    assert_eq!(amended, None);
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Remove);
}

/// Somebody who comes back is new: nothing of what was known, and behind the removal.
pub(crate) async fn goes_before_whoever_comes_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let back = user("user-1", "Ann", "", "");
    let accepted = desk.sign_up(&back).await;
    assert_eq!(accepted, Accepted::new(id, 2));
    let stored = desk.store.stored(&acme(), accepted.contact).await.unwrap();
    assert_eq!(stored.unwrap().contact, back);
    let found = desk.store.find(&acme(), back.key()).await.unwrap();
    assert_eq!(found, Some(accepted.contact));
    let claim = desk.claim().await;
    let what = removal(&claim);
    assert_eq!(what.remote, Some("r1".into()));
    // What is looked for is the one who left.
    assert_eq!(what.contact, ann());
    desk.removed(&claim).await;
    let claim = desk.claim().await;
    let delivery = delivery(&claim);
    assert_eq!(delivery.contact, back);
    assert_eq!(delivery.known, Known::Nobody);
    assert!(!delivery.uncertain);
    desk.created(&claim, "r2").await;
    desk.rests().await;
    let links = desk.store.links(accepted.contact).await.unwrap();
    assert_eq!(links[0].remote, "r2".into());
    let stored = desk.store.stored(&acme(), accepted.contact).await.unwrap();
    assert_eq!(stored.unwrap().contact, back);
}

/// A removal that fails is tried again, and holds back whoever came back.
pub(crate) async fn is_tried_again(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let accepted = desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Remove);
    desk.failed(&claim, LinkChange::Keep, Ack::Retry { after: LEASE })
        .await;
    desk.rests().await;
    desk.pass(600).await;
    let claim = desk.claim().await;
    assert_eq!(claim.work.kind(), JobKind::Remove);
    assert_eq!(removal(&claim).remote, Some("r1".into()));
    desk.removed(&claim).await;
    let claim = desk.claim().await;
    assert!(matches!(claim.work, Work::Deliver(_)));
    assert_eq!(claim.contact, accepted.contact);
}

/// A removal that a person has to see to is told of by its kind, and can be run again.
pub(crate) async fn that_cannot_be_done_waits_for_a_person(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Keep, Ack::Review).await;
    desk.rests().await;
    let stopped = desk.stopped().await;
    assert_eq!(stopped.len(), 1);
    assert_eq!(
        (stopped[0].kind, stopped[0].review),
        (JobKind::Remove, true)
    );
    desk.store.replay(stopped[0].job).await.unwrap();
    let claim = desk.claim().await;
    let what = removal(&claim);
    assert_eq!((&what.remote, what.is_ours), (&Some("r1".into()), true));
    desk.removed(&claim).await;
    assert!(is_forgotten(&desk).await);
}

/// Whoever comes back takes its place: the record will say what the contact says now.
pub(crate) async fn that_cannot_be_done_is_dropped_for_who_comes_back(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Keep, Ack::Review).await;
    desk.sign_up(&ann()).await;
    assert!(desk.stopped().await.is_empty());
    let claim = desk.claim().await;
    let known = &delivery(&claim).known;
    assert_eq!(*known, Known::One("r1".into()));
    desk.found(&claim, "r1").await;
    desk.rests().await;
}

/// What is about to be deleted must not be found by a strict create.
pub(crate) async fn makes_a_strict_create_wait(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    assert!(!desk.is_busy(&ann()).await);
    erase(&desk, id).await;
    assert!(desk.is_busy(&ann()).await);
    let claim = desk.claim().await;
    assert!(desk.is_busy(&ann()).await);
    desk.removed(&claim).await;
    assert!(!desk.is_busy(&ann()).await);
}

/// What a strict create has not confirmed yet is its own, and its undo job's.
pub(crate) async fn leaves_an_unconfirmed_create_to_its_operation(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.sign_up_at(&ann(), &[]).await.contact;
    let begun = desk.begin(&ann()).await;
    assert_eq!(begun.contact, id);
    desk.create(&begun, &ann(), "r1").await;
    let erased = erase(&desk, id).await;
    assert!(erased.queued.is_empty());
    let claims = desk.store.abandon(begun.held, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].work.kind(), JobKind::Undo);
    desk.undone(&claims[0]).await;
    desk.rests().await;
    assert!(is_forgotten(&desk).await);
}

/// What another contact has too is a matter of the worker, who asks.
pub(crate) async fn leaves_the_links_of_others(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk
        .link(&user("user-1", "Ann Lee", "ann@example.com", ""), "r1")
        .await;
    desk.sign_up(&user("user-5", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    let other = claim.contact;
    desk.found(&claim, "r1").await;
    let bob = desk.link(&bob(), "r2").await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    let linked = desk
        .store
        .is_linked(&acme(), &phone(), &"r1".into(), Some(id))
        .await;
    assert!(linked.unwrap());
    desk.commit(
        &claim,
        LinkChange::Unlink,
        LogOutcome::Kept,
        Ack::Done { revision: 0 },
    )
    .await
    .unwrap();
    assert_eq!(desk.store.links(other).await.unwrap().len(), 1);
    assert_eq!(desk.store.links(bob).await.unwrap().len(), 1);
    // Who is left still stands for the person.
    desk.sign_up(&user("user-3", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    let known = &delivery(&claim).known;
    assert_eq!(*known, Known::One("r1".into()));
}

/// Whoever waited for the erased person goes on.
pub(crate) async fn lets_go_whoever_waits_for_it(subject: &dyn Subject) {
    let desk = desk(subject);
    let same = |id: &str| user(id, "Ann Lee", "ann@example.com", "");
    let id = desk.sign_up(&same("user-1")).await.contact;
    let first = desk.claim().await;
    let settle = Duration::ZERO;
    let retry = Ack::Retry { after: LEASE };
    desk.failed(&first, LinkChange::Unclear { settle }, retry)
        .await;
    let other = desk.sign_up(&same("user-2")).await.contact;
    desk.rests().await;
    erase(&desk, id).await;
    let mut delivered = false;
    for _ in 0..6 {
        for claim in desk.claims().await {
            if matches!(claim.work, Work::Remove(_)) {
                desk.removed(&claim).await;
            } else {
                assert_eq!(claim.contact, other);
                desk.created(&claim, "r2").await;
                delivered = true;
            }
        }
        desk.pass(1).await;
    }
    assert!(delivered);
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
}

/// Links Ann, lets another contact of hers have her record by the address of then, gives her another address, and erases
/// her while the delivery of the other runs.
async fn known_by_an_older_address(desk: &Desk<'_>) -> (ContactId, contact_sync::Claim) {
    let old = |id: &str| user(id, "Ann Lee", "ann@example.com", "");
    let id = desk.link(&old("user-1"), "r1").await;
    desk.sign_up(&old("user-2")).await;
    let other = desk.claim().await;
    assert_eq!(delivery(&other).known, Known::One("r1".into()));
    let new = user("user-1", "Ann Lee", "new@example.com", "");
    desk.sign_up_at(&new, &[]).await;
    assert_eq!(erase(desk, id).await.queued, [phone()]);
    (id, other)
}

/// Whoever is about to say that the record is theirs is waited for, by whatever they know it.
pub(crate) async fn waits_for_who_has_found_its_record(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let (id, other) = known_by_an_older_address(&desk).await;
    desk.reopen().await;
    desk.rests().await;
    desk.found(&other, "r1").await;
    let claim = desk.claim().await;
    assert_eq!(removal(&claim).remote, Some("r1".into()));
    let (tenant, target, remote) = (acme(), phone(), "r1".into());
    let linked = desk.store.is_linked(&tenant, &target, &remote, Some(id));
    assert!(linked.await.unwrap(), "it stays");
    desk.removed(&claim).await;
    assert_eq!(desk.state(other.contact).await.remote, Some("r1".into()));
}

/// As before, and they do not come back: then it goes, and nobody finds it meanwhile.
pub(crate) async fn keeps_its_record_from_who_looks(subject: &dyn Subject) {
    let desk = desk(subject);
    let (_, other) = known_by_an_older_address(&desk).await;
    desk.pass(601).await;
    let claim = desk.claim().await;
    assert_eq!(removal(&claim).remote, Some("r1".into()));
    desk.pass(100).await;
    desk.rests().await;
    desk.removed(&claim).await;
    let again = desk.claim().await;
    assert_eq!(again.contact, other.contact);
    assert_eq!(delivery(&again).known, Known::Nobody);
    desk.created(&again, "r2").await;
    assert_eq!(desk.store.snapshot().await.unwrap().live(), 0);
}

/// Under a key that has been let go of entirely, somebody is as new as anybody.
pub(crate) async fn leaves_a_key_for_whoever_comes_later(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    desk.removed(&claim).await;
    let back = user("user-1", "Ann", "", "");
    let Accepted { contact, .. } = desk.sign_up(&back).await;
    let stored = desk.store.stored(&acme(), contact).await.unwrap().unwrap();
    assert_eq!(stored.contact, back);
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).contact, back);
    assert_eq!(delivery(&claim).revision, stored.revision);
    desk.created(&claim, "r2").await;
    let state = desk.state(contact).await;
    assert_eq!(
        (state.target.as_str(), state.remote),
        (PHONE, Some("r2".into()))
    );
    desk.rests().await;
}

/// A vendor that cannot delete: a person does, and says so.
pub(crate) async fn that_a_person_has_done_leaves_nothing(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), A).await;
    erase(&desk, id).await;
    let claim = desk.claim().await;
    let running = desk.store.discard(claim.job).await;
    assert!(matches!(running, Err(contact_sync::StoreError::NoSuchJob)));
    desk.failed(&claim, LinkChange::Keep, Ack::Review).await;
    desk.store.discard(claim.job).await.unwrap();
    assert!(desk.stopped().await.is_empty());
    assert!(is_gone(&desk, id).await && is_forgotten(&desk).await);
    let again = desk.store.discard(claim.job).await;
    assert!(matches!(again, Err(contact_sync::StoreError::NoSuchJob)));

    // A delivery that nobody wants any more: the next signup is delivered as ever.
    desk.sign_up(&bob()).await;
    let claim = desk.claim().await;
    desk.failed(&claim, LinkChange::Withdraw, Ack::Dead).await;
    desk.store.discard(claim.job).await.unwrap();
    assert!(desk.stopped().await.is_empty());
    desk.rests().await;
    desk.sign_up(&bob()).await;
    desk.created(&desk.claim().await, "B").await;
}
