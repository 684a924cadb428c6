//! Operations of the strict road: who may begin, what is held, what is confirmed.

use chrono::{DateTime, Utc};
use contact_sync::{
    Begun, Contact, ContactId, ExternalKey, Held, Known, Lane, LeaseToken, Link, LinkChange,
    OperationId, RemoteId, Standing, StoreError, StoredContact, TargetName, Undo,
};

use crate::desk::{Desk, LEASE, delivery, desk, seconds, undo};
use crate::people::{CRM, PHONE, acme, ann, bob, crm, phone, user};
use crate::subject::Subject;

/// When the create of a case was about to be called, by the caller's clock.
pub(crate) fn started(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + minute * 60, 0).unwrap()
}

impl Desk<'_> {
    pub(crate) async fn try_begin(
        &self,
        contact: &Contact,
        targets: &[TargetName],
    ) -> Result<Begun, StoreError> {
        self.store.begin(&acme(), contact, targets, LEASE).await
    }

    pub(crate) async fn begin(&self, contact: &Contact) -> Begun {
        self.try_begin(contact, &[phone()]).await.unwrap()
    }

    pub(crate) async fn is_busy(&self, contact: &Contact) -> bool {
        match self.try_begin(contact, &[phone()]).await {
            Err(StoreError::Busy) => true,
            Err(error) => panic!("{error}"),
            Ok(begun) => {
                self.end(&begun).await;
                false
            }
        }
    }

    /// Ends an operation that went well, confirmed or not, and has nothing to undo.
    pub(crate) async fn end(&self, begun: &Begun) {
        if !self.store.finish(begun.held).await.unwrap() {
            let undone = self.store.abandon(begun.held, LEASE).await.unwrap();
            assert_eq!(undone.len(), 0, "nothing to undo");
        }
    }

    /// Writes down that a create at the one target is about to be called.
    pub(crate) async fn expect_create(&self, begun: &Begun, contact: &Contact) {
        let undo = Undo::new(contact.clone(), begun.key.clone(), started(0));
        self.store
            .expect_create(begun.held, &phone(), undo)
            .await
            .unwrap();
    }

    /// A create that was called and answered.
    pub(crate) async fn create(&self, begun: &Begun, contact: &Contact, remote: &str) {
        self.expect_create(begun, contact).await;
        let remote = RemoteId::from(remote);
        self.store
            .note_created(begun.held, &phone(), &remote)
            .await
            .unwrap();
    }

    pub(crate) async fn confirm(&self, begun: &Begun, remote: &str) {
        let links = [link(remote)];
        self.store.confirm(begun.held, &links, &[]).await.unwrap();
    }

    pub(crate) async fn remote_of(&self, contact: ContactId) -> Option<RemoteId> {
        self.state(contact).await.remote
    }
}

pub(crate) fn link(remote: &str) -> Link {
    Link::new(phone(), remote.into())
}

pub(crate) async fn knows_nobody_at_first(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.try_begin(&ann(), &[phone(), crm()]).await.unwrap();
    assert_eq!(begun.key, ExternalKey::from("user-1"));
    let targets: Vec<&str> = begun.targets.iter().map(|t| t.target.as_str()).collect();
    assert_eq!(targets, [PHONE, CRM]);
    for target in &begun.targets {
        assert_eq!(target.known, Known::Nobody);
        assert!(target.aliases.is_empty());
        assert_eq!(target.unfinished, None);
    }
    // The contact that comes of it later has the id that it was promised.
    desk.end(&begun).await;
    assert_eq!(
        desk.sign_up(&ann()).await,
        contact_sync::Accepted::new(begun.contact, 1)
    );
}

pub(crate) async fn knows_the_record_of_a_link(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk.link(&ann(), "r1").await;
    let begun = desk.begin(&ann()).await;
    assert_eq!(begun.contact, id);
    assert_eq!(begun.targets[0].known, Known::One("r1".into()));
    desk.end(&begun).await;
    let same = user("user-7", "Ann Lee", "ann@example.com", "");
    let begun = desk.begin(&same).await;
    assert_eq!(begun.targets[0].known, Known::One("r1".into()));
}

pub(crate) async fn knows_the_keys_of_unconfirmed_creates(subject: &dyn Subject) {
    let desk = desk(subject);
    desk.sign_up(&ann()).await;
    let claim = desk.claim().await;
    let settle = seconds(100);
    desk.failed(
        &claim,
        LinkChange::Unclear { settle },
        contact_sync::Ack::Dead,
    )
    .await;
    let same = user("user-7", "Ann Lee", "ann@example.com", "");
    assert!(desk.is_busy(&same).await, "it may still take effect");
    desk.pass(100).await;
    let begun = desk.begin(&same).await;
    assert_eq!(begun.targets[0].aliases, [ExternalKey::from("user-1")]);
}

/// It holds its person like a running job does.
pub(crate) async fn holds_back_jobs_of_the_same_person(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.sign_up_at(&ann(), &[(PHONE, Lane::Interactive), (CRM, Lane::Bulk)])
        .await;
    desk.sign_up(&user("user-7", "Lee", "ann@example.com", ""))
        .await;
    desk.sign_up(&bob()).await;
    desk.reopen().await;
    let claims = desk.claims().await;
    let mut got: Vec<(&str, &str)> = claims
        .iter()
        .map(|c| (delivery(c).key.as_str(), c.target.as_str()))
        .collect();
    got.sort_unstable();
    assert_eq!(got, [("user-1", CRM), ("user-2", PHONE)]);
    desk.rests().await;
    desk.end(&begun).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).key.as_str(), "user-1");
    desk.created(&claim, "r1").await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).key.as_str(), "user-7");
}

pub(crate) async fn is_busy_while_somebody_is_at_work(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    assert!(desk.is_busy(&ann()).await);
    assert!(
        desk.is_busy(&user("user-7", "Lee", "ann@example.com", ""))
            .await
    );
    assert!(!desk.is_busy(&bob()).await);
    let elsewhere = desk.try_begin(&ann(), &[crm()]).await.unwrap();
    // Nothing is held for a target when another one is busy.
    let both = desk.try_begin(&bob(), &[phone(), crm()]).await.unwrap();
    desk.end(&both).await;
    desk.end(&elsewhere).await;
    let both = desk.try_begin(&ann(), &[crm(), phone()]).await;
    assert!(matches!(both, Err(StoreError::Busy)));
    let elsewhere = desk.try_begin(&ann(), &[crm()]).await.unwrap();
    desk.end(&elsewhere).await;
    desk.end(&begun).await;
    assert!(!desk.is_busy(&ann()).await);

    desk.sign_up(&ann()).await;
    assert!(!desk.is_busy(&ann()).await, "what waits is not at work");
    let claim = desk.claim().await;
    assert!(desk.is_busy(&ann()).await);
    desk.created(&claim, "r1").await;
    assert!(!desk.is_busy(&ann()).await);
}

/// Of many at once one begins, and the others hear why not.
pub(crate) async fn begins_once_of_many_at_once(subject: &dyn Subject) {
    let desk = desk(subject);
    let other = subject.reopened().await;
    let mut coming = tokio::task::JoinSet::new();
    for number in 0..8 {
        let store = if number % 2 == 0 {
            desk.store.clone()
        } else {
            other.clone()
        };
        coming.spawn(async move {
            let contact = user(&format!("user-{number}"), "Lee", "lee@example.com", "");
            match store.begin(&acme(), &contact, &[phone()], LEASE).await {
                Ok(_) => true,
                Err(StoreError::Busy) => false,
                Err(error) => panic!("{error}"),
            }
        });
    }
    let begun = coming.join_all().await;
    assert_eq!(begun.into_iter().filter(|began| *began).count(), 1);
}

pub(crate) async fn is_the_callers_as_long_as_it_is_renewed(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.expect_create(&begun, &ann()).await;
    for _ in 0..3 {
        desk.pass(500).await;
        let renewed = desk.store.renew_operation(begun.held, LEASE).await;
        renewed.unwrap();
        desk.rests().await;
    }
    desk.pass(601).await;
    // Now it is a job like any other.
    let claim = desk.claim().await;
    assert_eq!(undo(&claim).started_at, started(0));
    lost_all(&desk, begun.held).await;
}

/// Everything that a holder may ask is refused.
pub(crate) async fn lost_all(desk: &Desk<'_>, held: Held) {
    lost_but_its_end(desk, held).await;
    let said = desk.store.finish(held).await;
    assert!(matches!(said, Err(StoreError::LeaseLost)), "{said:?}");
}

/// Everything that a holder may change is refused.
async fn lost_but_its_end(desk: &Desk<'_>, held: Held) {
    let store = &desk.store;
    let what = Undo::new(ann(), ExternalKey::from("user-1"), started(0));
    let said = [
        store.renew_operation(held, LEASE).await,
        store.expect_create(held, &phone(), what).await,
        store.note_created(held, &phone(), &"late".into()).await,
        store.note_unclear(held, &phone(), LEASE).await,
        store.withdraw_create(held, &phone()).await,
        store.confirm(held, &[link("late")], &[]).await,
        store.abandon(held, LEASE).await.map(|_| ()),
    ];
    for said in said {
        assert!(matches!(said, Err(StoreError::LeaseLost)), "{said:?}");
    }
}

pub(crate) async fn is_nobodys_without_its_token(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    lost_all(
        &desk,
        Held::new(begun.held.operation, LeaseToken::generate()),
    )
    .await;
    lost_all(&desk, Held::new(OperationId::generate(), begun.held.token)).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    desk.end(&begun).await;
    lost_but_its_end(&desk, begun.held).await;
    assert_eq!(desk.remote_of(begun.contact).await, Some("r1".into()));
    let nowhere = desk.begin(&bob()).await;
    let elsewhere = desk.store.note_unclear(nowhere.held, &crm(), LEASE).await;
    assert!(matches!(elsewhere, Err(StoreError::LeaseLost)));
}

/// Confirmed, the contact is there with its link, and nothing is left to do.
pub(crate) async fn keeps_what_is_confirmed(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.reopen().await;
    desk.confirm(&begun, "r1").await;
    let expected = StoredContact::new(begun.contact, acme(), 1, ann());
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored, Some(expected.clone()));
    // Offered again, since the first answer may have been lost.
    desk.confirm(&begun, "r1").await;
    assert!(desk.store.finish(begun.held).await.unwrap());
    desk.reopen().await;
    let stored = desk.store.stored(&acme(), begun.contact).await.unwrap();
    assert_eq!(stored, Some(expected));
    let state = desk.state(begun.contact).await;
    assert_eq!(
        (state.remote, state.delivered, state.standing),
        (Some("r1".into()), 1, Standing::Idle)
    );
    desk.rests().await;
    desk.pass(100_000).await;
    desk.rests().await;
    let found = desk.store.find(&acme(), ann().key()).await.unwrap();
    assert_eq!(found, Some(begun.contact));
}

/// Confirmed, and the process dies before it can say that it is done.
pub(crate) async fn keeps_what_is_confirmed_through_a_crash(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    desk.reopen().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(10_000).await;
    desk.rests().await;
    assert_eq!(desk.remote_of(begun.contact).await, Some("r1".into()));
    assert!(!desk.is_busy(&ann()).await);
}

/// Whoever does not hear the first answer asks again, and so does who comes after the end of the lease: it is remembered
/// for a day, and as long as attempts are. Nobody else is told.
pub(crate) async fn remembers_that_it_was_confirmed(subject: &dyn Subject) {
    let mut desk = desk(subject);
    let finished = desk.begin(&ann()).await;
    desk.create(&finished, &ann(), "r1").await;
    desk.confirm(&finished, "r1").await;
    assert!(desk.store.finish(finished.held).await.unwrap());
    let found = desk.begin(&bob()).await;
    let confirmed = desk.store.confirm(found.held, &[], &[link("r2")]).await;
    confirmed.unwrap();
    desk.pass(601).await;
    let late = desk.claim().await;
    desk.found(&late, "r2").await;
    // One with the same links that was not.
    let other = desk.begin(&bob()).await;
    desk.pass(601).await;
    desk.rests().await;
    lost_all(&desk, other.held).await;
    desk.reopen().await;
    for held in [finished.held, found.held] {
        assert!(desk.store.finish(held).await.unwrap());
        lost_but_its_end(&desk, held).await;
        let of_others = Held::new(held.operation, LeaseToken::generate());
        lost_all(&desk, of_others).await;
    }
    desk.store.sweep(seconds(0)).await.unwrap();
    assert!(desk.store.finish(found.held).await.unwrap());
    desk.pass(100_000).await;
    desk.store.sweep(seconds(200_000)).await.unwrap();
    assert!(desk.store.finish(found.held).await.unwrap());
    desk.store.sweep(seconds(0)).await.unwrap();
    for held in [finished.held, found.held] {
        lost_all(&desk, held).await;
    }
}

/// A record that was there may say something else: a delivery brings it up to date.
pub(crate) async fn brings_what_was_found_up_to_date(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    let found = [link("r1")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    desk.end(&begun).await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::One("r1".into()));
    assert_eq!(delivery(&claim).contact, ann());
    desk.found(&claim, "r1").await;
    desk.rests().await;
}

/// Earlier signups may have said more than what was created now.
pub(crate) async fn brings_what_was_said_before_along(subject: &dyn Subject) {
    let desk = desk(subject);
    let before = user("user-1", "Ann Lee", "ann@example.com", "202 555 0143");
    let id = desk.sign_up_at(&before, &[]).await.contact;
    let now = user("user-1", "Ann Lee", "ann@example.com", "");
    let begun = desk.begin(&now).await;
    assert_eq!(begun.contact, id);
    desk.create(&begun, &now, "r1").await;
    desk.confirm(&begun, "r1").await;
    desk.end(&begun).await;
    let claim = desk.claim().await;
    assert!(delivery(&claim).contact.phone().is_some());
    assert_eq!(delivery(&claim).revision, 2);
    desk.created(&claim, "r1").await;
    desk.rests().await;
}

/// A record that a strict create has made is ours.
pub(crate) async fn makes_records_that_are_ours(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    desk.end(&begun).await;
    let erased = desk.store.erase(&acme(), begun.contact).await.unwrap();
    assert_eq!(erased.unwrap().queued, [phone()]);
    let claim = desk.claim().await;
    let what = crate::desk::removal(&claim);
    assert_eq!((&what.remote, what.is_ours), (&Some("r1".into()), true));
    desk.removed(&claim).await;

    let begun = desk.begin(&bob()).await;
    let found = [link("r2")];
    desk.store.confirm(begun.held, &[], &found).await.unwrap();
    desk.end(&begun).await;
    let claim = desk.claim().await;
    desk.found(&claim, "r2").await;
    let erased = desk.store.erase(&acme(), begun.contact).await.unwrap();
    assert!(erased.unwrap().queued.is_empty());
}

/// Others of the same person are known by it.
pub(crate) async fn makes_the_person_known(subject: &dyn Subject) {
    let desk = desk(subject);
    let begun = desk.begin(&ann()).await;
    desk.create(&begun, &ann(), "r1").await;
    desk.confirm(&begun, "r1").await;
    desk.end(&begun).await;
    desk.sign_up(&user("user-7", "Ann Lee", "ann@example.com", ""))
        .await;
    let claim = desk.claim().await;
    assert_eq!(delivery(&claim).known, Known::One("r1".into()));
}
