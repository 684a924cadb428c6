//! What a case does with a store, in a word each.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{
    Accepted, Ack, Action, Claim, ClaimRequest, Contact, ContactId, Delivery, DeliveryState,
    ErrorClass, FailureNote, Lane, LinkChange, LogEntry, LogOutcome, NewJob, Outcome, Removal,
    Standing, StoppedJob, StoreError, SyncStore, TargetName, Undo, Work,
};

use crate::people::{PHONE, acme, phone};
use crate::subject::Subject;

pub(crate) const LEASE: Duration = Duration::from_mins(10);

/// A store with a case at work on it.
pub(crate) struct Desk<'a> {
    pub(crate) subject: &'a dyn Subject,
    pub(crate) store: Arc<dyn SyncStore>,
}

pub(crate) fn desk(subject: &dyn Subject) -> Desk<'_> {
    Desk {
        subject,
        store: subject.store(),
    }
}

impl Desk<'_> {
    /// Goes on as another process would.
    pub(crate) async fn reopen(&mut self) {
        self.store = self.subject.reopened().await;
    }

    pub(crate) async fn pass(&self, seconds: u64) {
        self.subject.pass(Duration::from_secs(seconds)).await;
    }

    /// Accepts a contact with a bulk job at the one target.
    pub(crate) async fn sign_up(&self, contact: &Contact) -> Accepted {
        self.sign_up_at(contact, &[(PHONE, Lane::Bulk)]).await
    }

    pub(crate) async fn sign_up_at(&self, contact: &Contact, at: &[(&str, Lane)]) -> Accepted {
        let jobs: Vec<NewJob> = at
            .iter()
            .map(|(target, lane)| NewJob::new(TargetName::from(*target), *lane))
            .collect();
        self.store.accept(&acme(), contact, &jobs).await.unwrap()
    }

    /// Claims whatever is due.
    pub(crate) async fn claims(&self) -> Vec<Claim> {
        let request = ClaimRequest::new(1_000, LEASE);
        self.store.claim(request).await.unwrap().jobs
    }

    /// Claims the one job that is due.
    pub(crate) async fn claim(&self) -> Claim {
        let mut claims = self.claims().await;
        assert_eq!(claims.len(), 1, "one job is due");
        claims.remove(0)
    }

    /// Makes sure that no job is due.
    pub(crate) async fn rests(&self) {
        let claims = self.claims().await;
        assert_eq!(claims.len(), 0, "no job is due");
    }

    pub(crate) async fn commit(
        &self,
        claim: &Claim,
        link: LinkChange,
        log: LogOutcome,
        ack: Ack,
    ) -> Result<(), StoreError> {
        self.store
            .commit_outcome(outcome(claim, link, log, ack))
            .await
    }

    /// Says that the vendor has a record of ours now.
    pub(crate) async fn created(&self, claim: &Claim, remote: &str) {
        self.delivered(claim, remote, true).await;
    }

    /// Says that a record was there.
    pub(crate) async fn found(&self, claim: &Claim, remote: &str) {
        self.delivered(claim, remote, false).await;
    }

    async fn delivered(&self, claim: &Claim, remote: &str, created: bool) {
        let done = delivered(claim, remote, created);
        self.store.commit_outcome(done).await.unwrap();
    }

    /// Says that it failed.
    pub(crate) async fn failed(&self, claim: &Claim, link: LinkChange, ack: Ack) {
        let note = FailureNote::new(class_of(&ack));
        self.commit(claim, link, LogOutcome::Failed(note), ack)
            .await
            .unwrap();
    }

    /// Says that it failed, and that nothing can have been created.
    pub(crate) async fn retried(&self, claim: &Claim, after: Duration) {
        self.failed(claim, LinkChange::Withdraw, Ack::Retry { after })
            .await;
    }

    /// Says that an erased contact's record, if any, is gone.
    pub(crate) async fn removed(&self, claim: &Claim) {
        let done = Ack::Done { revision: 0 };
        self.commit(claim, LinkChange::Unlink, LogOutcome::Removed, done)
            .await
            .unwrap();
    }

    /// Says that a strict create was taken back.
    pub(crate) async fn undone(&self, claim: &Claim) {
        let done = Ack::Done { revision: 0 };
        self.commit(claim, LinkChange::Withdraw, LogOutcome::Undone, done)
            .await
            .unwrap();
    }

    /// Accepts a contact and delivers it as this record.
    pub(crate) async fn link(&self, contact: &Contact, remote: &str) -> ContactId {
        let accepted = self.sign_up(contact).await;
        let claim = self.claim().await;
        assert_eq!(claim.contact, accepted.contact);
        self.created(&claim, remote).await;
        accepted.contact
    }

    /// Returns where a contact stands at the one target.
    pub(crate) async fn state(&self, contact: ContactId) -> DeliveryState {
        let states = self.store.deliveries(contact).await.unwrap();
        let state = states.into_iter().find(|state| state.target == PHONE);
        state.unwrap_or_else(|| DeliveryState::new(phone(), None, 0, Standing::Idle))
    }

    pub(crate) async fn stopped(&self) -> Vec<StoppedJob> {
        self.store.stopped_jobs().await.unwrap()
    }
}

/// The class that leads to an acknowledgement.
fn class_of(ack: &Ack) -> ErrorClass {
    match ack {
        Ack::Snooze { .. } => ErrorClass::RateLimited,
        Ack::Park { .. } => ErrorClass::Auth,
        Ack::Review => ErrorClass::Conflict,
        Ack::Dead => ErrorClass::InvalidData,
        _ => ErrorClass::Transient,
    }
}

pub(crate) fn outcome(claim: &Claim, link: LinkChange, log: LogOutcome, ack: Ack) -> Outcome {
    let on = (claim.tenant.clone(), claim.target.clone(), claim.contact);
    let mut entry = LogEntry::new(claim.job, claim.work.kind(), on, log);
    entry.attempt = claim.attempt;
    entry.duration_ms = 7;
    let mut outcome = Outcome::new((claim.job, claim.token), link, entry, None, ack);
    outcome.revision = match &claim.work {
        Work::Deliver(delivery) => Some(delivery.revision),
        _ => None,
    };
    outcome
}

pub(crate) fn delivered(claim: &Claim, remote: &str, created: bool) -> Outcome {
    let action = if created {
        Action::Created
    } else {
        Action::Updated
    };
    let log = LogOutcome::Delivered {
        action,
        unmapped: Vec::new(),
    };
    let link = LinkChange::Set {
        remote: remote.into(),
        created,
    };
    let revision = delivery(claim).revision;
    outcome(claim, link, log, Ack::Done { revision })
}

/// What a claim has to deliver.
pub(crate) fn delivery(claim: &Claim) -> &Delivery {
    match &claim.work {
        Work::Deliver(delivery) => delivery,
        other => panic!("a delivery is expected, not {:?}", other.kind()),
    }
}

/// What a claim has to take back.
pub(crate) fn undo(claim: &Claim) -> &Undo {
    match &claim.work {
        Work::Undo(undo) => undo,
        other => panic!("an undo is expected, not {:?}", other.kind()),
    }
}

/// What a claim has to remove.
pub(crate) fn removal(claim: &Claim) -> &Removal {
    match &claim.work {
        Work::Remove(removal) => removal,
        other => panic!("a removal is expected, not {:?}", other.kind()),
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How long a case may take itself on a busy machine.
const SLACK: Duration = Duration::from_secs(30);

/// Makes sure that something is so old, or as much older as the case took.
pub(crate) fn assert_age(age: Duration, expected: Duration) {
    // PostgreSQL counts in microseconds.
    let least = expected.saturating_sub(Duration::from_millis(1));
    assert!(
        (least..expected + SLACK).contains(&age),
        "{age:?}, not {expected:?}"
    );
}

/// Makes sure that so much is left to wait, or as much less as the case took.
pub(crate) fn assert_wait(wait: Option<Duration>, expected: Duration) {
    let wait = wait.unwrap();
    // A store may have looked at its clock a while before it wrote.
    let slack = SLACK.min(expected / 2);
    assert!(
        wait <= expected + slack && wait + slack >= expected,
        "{wait:?}, not {expected:?}"
    );
}
