//! What lies about in the outbox and in the log of attempts: ids and classes, nothing of a person.

use std::time::Duration;

use contact_sync::{
    Ack, ContactId, JobId, Lane, LeaseToken, LinkChange, NewJob, Signup, StoreError,
};

use crate::desk::{LEASE, delivered, desk};
use crate::people::{acme, contact, crm, phone};
use crate::subject::Subject;

/// Words that stand for a person; none is part of another word of the tables.
const CANARIES: [&str; 7] = [
    "canary-host-id",
    "Canaria",
    "Fringilla",
    "canary.mail",
    "5550147",
    "Canary Islands Ltd",
    "sings at dawn",
];

fn canary() -> contact_sync::Contact {
    let signup = Signup::new()
        .host_id("canary-host-id")
        .first_name("Canaria")
        .last_name("Fringilla")
        .email("canary.mail@example.com")
        .phone("202 555 0147")
        .company("Canary Islands Ltd")
        .notes("sings at dawn");
    contact(&signup)
}

/// Each canary in the tables of jobs and attempts.
async fn sightings(subject: &dyn Subject) -> Vec<String> {
    let mut seen = Vec::new();
    let mut rows = 0;
    for table in ["sync_outbox", "sync_attempts"] {
        let Some(dump) = subject.dump(table).await else {
            return seen;
        };
        rows += dump.len();
        for row in dump {
            for word in CANARIES {
                if row.to_lowercase().contains(&word.to_lowercase()) {
                    seen.push(format!("{word} in {table}: {row}"));
                }
            }
        }
    }
    assert!(rows > 0, "there are rows to look at");
    seen
}

/// Every kind of job in every state that it can be in, and an attempt of each.
pub(crate) async fn is_kept_out_of_jobs_and_attempts(subject: &dyn Subject) {
    let desk = desk(subject);
    let person = canary();
    let jobs = [
        NewJob::new(phone(), Lane::Bulk).trace_id("trace-1"),
        NewJob::new(crm(), Lane::Interactive),
    ];
    let id = desk
        .store
        .accept(&acme(), &person, &jobs)
        .await
        .unwrap()
        .contact;
    assert_eq!(sightings(subject).await, [""; 0]);
    let claims = desk.claims().await;
    assert_eq!(sightings(subject).await, [""; 0]);
    desk.failed(
        &claims[0],
        LinkChange::Unclear {
            settle: Duration::ZERO,
        },
        Ack::Retry {
            after: Duration::ZERO,
        },
    )
    .await;
    desk.failed(&claims[1], LinkChange::Withdraw, Ack::Dead)
        .await;
    assert_eq!(sightings(subject).await, [""; 0]);
    let claim = desk.claim().await;
    desk.pass(601).await;
    desk.rests().await;
    desk.pass(60).await;
    let again = desk.claim().await;
    assert_eq!(claim.job, again.job);
    desk.created(&again, "canary-remote").await;
    desk.store.erase(&acme(), id).await.unwrap();
    assert_eq!(sightings(subject).await, [""; 0]);
    desk.store.accept(&acme(), &person, &jobs).await.unwrap();
    let claim = desk.claims().await;
    assert_eq!(sightings(subject).await, [""; 0]);
    drop(claim);
    let other = contact(
        &Signup::new()
            .name("Canaria Fringilla")
            .phone("202 555 0147"),
    );
    desk.pass(100_000).await;
    desk.claims().await;
    desk.pass(100_000).await;
    if let Ok(begun) = desk.try_begin(&other, &[crm()]).await {
        let undo = contact_sync::Undo::new(other, begun.key.clone(), crate::strict::started(0));
        let expected = desk.store.expect_create(begun.held, &crm(), undo).await;
        expected.unwrap();
        assert_eq!(sightings(subject).await, [""; 0]);
        desk.store.abandon(begun.held, LEASE).await.unwrap();
    }
    assert_eq!(sightings(subject).await, [""; 0]);
}

/// A store says what went wrong, and to whom it happened to nobody.
pub(crate) async fn is_kept_out_of_debug_and_errors(subject: &dyn Subject) {
    let desk = desk(subject);
    let id = desk
        .sign_up_at(&canary(), &[("phone", Lane::Bulk)])
        .await
        .contact;
    let claim = desk.claim().await;
    let shown = format!("{claim:?}");
    let mut late = delivered(&claim, "canary-remote", true);
    late.token = LeaseToken::generate();
    let errors: [StoreError; 4] = [
        desk.store.commit_outcome(late).await.unwrap_err(),
        desk.store
            .renew(JobId::generate(), claim.token, LEASE)
            .await
            .unwrap_err(),
        desk.store.replay(claim.job).await.unwrap_err(),
        desk.try_begin(&canary(), &[phone()]).await.unwrap_err(),
    ];
    let states = desk.store.deliveries(id).await.unwrap();
    let said = format!("{shown} {errors:?} {states:?}");
    for canary in CANARIES {
        assert!(!said.contains(canary), "{canary} in {said}");
    }
}

/// Nothing of a person is left when all of them are erased and everything that was to be done is done.
pub(crate) async fn is_gone_with_the_contact(subject: &dyn Subject) {
    let desk = desk(subject);
    let id: ContactId = desk
        .sign_up_at(&canary(), &[("phone", Lane::Bulk), ("crm", Lane::Bulk)])
        .await
        .contact;
    for claim in desk.claims().await {
        desk.created(&claim, &format!("{}-1", claim.target)).await;
    }
    desk.store.erase(&acme(), id).await.unwrap();
    for claim in desk.claims().await {
        desk.removed(&claim).await;
    }
    desk.rests().await;
    for table in [
        "sync_contacts",
        "sync_lines",
        "sync_claims",
        "sync_known",
        "sync_undos",
        "sync_operations",
        "sync_outbox",
        "sync_attempts",
    ] {
        for row in subject.dump(table).await.unwrap_or_default() {
            for canary in CANARIES {
                assert!(!row.contains(canary), "{canary} in {table}: {row}");
            }
        }
    }
}
