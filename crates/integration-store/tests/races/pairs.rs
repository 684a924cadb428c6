//! Two that meet.

use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer, TokioTimer};
use contact_sync::{
    Ack, ClaimRequest, Held, LinkChange, LinkStore, StoreError, StrictStore, SyncStore, TargetName,
    Undo,
};
use integration_store::SqliteStore;

use crate::clock::MovedClock;
use crate::scene::{
    LEASE, Scene, accept, claim, claim_all, contact, done, erase, failed, finish, let_go, lock,
    person, run, tenant,
};

/// A worker whose lease ran out speaks at the same moment as the one who has the job now.
async fn a_late_outcome(store: &dyn SyncStore, clock: Option<&MovedClock>) {
    let jobs = [contact_sync::NewJob::new(
        "a".into(),
        contact_sync::Lane::Bulk,
    )];
    let someone = contact(&person(1));
    store.accept(&tenant(), &someone, &jobs).await.unwrap();
    let short = ClaimRequest::new(1, Duration::from_millis(1));
    let mut late = store.claim(short).await.unwrap().jobs;
    let late = late.remove(0);
    if let Some(clock) = clock {
        clock.pass(Duration::from_secs(1));
    }
    // It is reaped, and backs off for two seconds.
    let newer = async {
        loop {
            if let Some(clock) = clock {
                clock.pass(Duration::from_secs(1));
            }
            let claims = store.claim(ClaimRequest::new(1, LEASE)).await.unwrap();
            if let Some(claim) = claims.jobs.into_iter().next() {
                return claim;
            }
        }
    };
    let newer = tokio::time::timeout(LEASE, newer).await.unwrap();
    assert_eq!(newer.job, late.job);
    let (lost, kept) = tokio::join!(
        store.commit_outcome(done(&late)),
        store.commit_outcome(done(&newer))
    );
    assert!(matches!(lost, Err(StoreError::LeaseLost)), "{lost:?}");
    kept.unwrap();
    assert_eq!(store.snapshot().await.unwrap().done, 1);
}

#[tokio::test]
async fn a_late_outcome_takes_nobody_with_it_on_sqlite() {
    let clock = Arc::new(MovedClock::default());
    let builder = SqliteStore::builder().timer(clock.clone());
    let store = builder.in_memory().await.unwrap();
    a_late_outcome(&store, Some(&clock)).await;
}

#[tokio::test]
async fn a_late_outcome_takes_nobody_with_it_on_postgres() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    a_late_outcome(&scene.store, None).await;
}

/// An attempt ends while an erasure waits for somebody else: no delivery of the contact is left.
#[tokio::test]
async fn an_erasure_meets_an_attempt_that_ends() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let gone = scene.accept(&person(1), &["a", "b"]).await.contact;
    let claims = claim(&scene.store, 1).await;
    let other = lock(
        &scene,
        "select 1 from {schema}.sync_outbox where state = 'ready' for update",
    )
    .await;
    let store = scene.store.clone();
    let erasing = tokio::spawn(async move { erase(&store, gone).await });
    scene.until_waiting(1).await;
    let after = Duration::from_mins(10);
    // It may wait for the erasure itself.
    let store = scene.store.clone();
    let again = failed(&claims[0], LinkChange::Withdraw, Ack::Retry { after });
    let ending = tokio::spawn(async move { store.commit_outcome(again).await });
    while !ending.is_finished() && scene.number(WAITING_FOR_US).await < 2 {
        tokio::task::yield_now().await;
    }
    let_go(other).await;
    erasing.await.unwrap();
    ending.await.unwrap().unwrap();
    let left =
        "select count(*) from {schema}.sync_outbox where kind = 'deliver' and not is_dropped";
    assert_eq!(scene.number(left).await, 0);
}

const WAITING_FOR_US: &str = "
    select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%{schema}%'";

/// Two processes remove the last two records of an erased contact at once: its key goes with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_that_end_together_leave_no_key() {
    const PEOPLE: usize = 30;
    let Some(scene) = Scene::new().await else {
        return;
    };
    let other = scene.again().await;
    for n in 0..PEOPLE {
        scene.accept(&person(n), &["a", "b"]).await;
    }
    let claims = claim_all(&scene.store, 2 * PEOPLE).await;
    for delivery in &claims {
        finish(&scene.store, delivery).await;
    }
    for delivery in claims.iter().filter(|claim| claim.target == "a") {
        erase(&scene.store, delivery.contact).await;
    }
    let mut removals = claim_all(&scene.store, 2 * PEOPLE).await;
    removals.sort_by_key(|removal| (removal.contact, removal.target.clone()));
    for pair in removals.chunks(2) {
        let (one, two) = tokio::join!(
            scene.store.commit_outcome(done(&pair[0])),
            other.commit_outcome(done(&pair[1]))
        );
        one.unwrap();
        two.unwrap();
    }
    let keys = "select count(*) from {schema}.sync_contacts where contact_key is not null";
    assert_eq!(scene.number(keys).await, 0);
    assert_eq!(
        scene
            .number("select count(*) from {schema}.sync_lines")
            .await,
        0
    );
}

/// A strict create waits for the job of its line without the line, which whoever ends the job asks for next.
#[tokio::test]
async fn a_strict_create_waits_without_a_line() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.accept(&person(1), &["a"]).await;
    let mut other = lock(&scene, "select 1 from {schema}.sync_outbox for update").await;
    let store = scene.store.clone();
    let beginning = tokio::spawn(async move {
        let (person, targets) = (contact(&person(1)), [TargetName::from("a")]);
        store.begin(&tenant(), &person, &targets, LEASE).await
    });
    scene.until_waiting(1).await;
    // Before anybody looks for a circle.
    run(&mut other, "set local lock_timeout = '500ms'").await;
    let line = scene.text("select 1 from {schema}.sync_lines for update");
    run(&mut other, &line).await;
    let_go(other).await;
    beginning.await.unwrap().unwrap();
}

/// A signup queues its delivery behind the undo of a strict create that is withdrawn at this moment: it is the first of
/// its line all the same.
#[tokio::test]
async fn a_signup_meets_a_create_that_is_withdrawn() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let (someone, a) = (person(1), TargetName::from("a"));
    let held = expecting(&scene).await;
    let other = lock(&scene, "select 1 from {schema}.sync_lines for update").await;
    let store = scene.store.clone();
    let accepting = tokio::spawn(async move { accept(&store, &someone, &["a"]).await });
    scene.until_waiting(1).await;
    let store = scene.store.clone();
    let withdrawing = tokio::spawn(async move { store.withdraw_create(held, &a).await });
    scene.until_waiting(2).await;
    let_go(other).await;
    let contact = accepting.await.unwrap().contact;
    withdrawing.await.unwrap().unwrap();
    assert_eq!(scene.store.abandon(held, LEASE).await.unwrap().len(), 0);
    let claims = claim(&scene.store, 10).await;
    assert_eq!(claims.len(), 1, "the delivery is not stuck");
    assert_eq!(claims[0].contact, contact);
}

/// The same with an erasure, which queues a removal for what an older create may have made.
#[tokio::test]
async fn an_erasure_meets_a_create_that_is_withdrawn() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let a = TargetName::from("a");
    let unclear = scene.accept(&person(1), &["a"]).await.contact;
    let delivery = claim(&scene.store, 1).await.remove(0);
    let settle = Duration::ZERO;
    let retry = Ack::Retry { after: LEASE };
    let unseen = failed(&delivery, LinkChange::Unclear { settle }, retry);
    scene.store.commit_outcome(unseen).await.unwrap();
    let held = expecting(&scene).await;
    let other = lock(&scene, "select 1 from {schema}.sync_lines for update").await;
    let store = scene.store.clone();
    let erasing = tokio::spawn(async move { erase(&store, unclear).await });
    scene.until_waiting(1).await;
    let store = scene.store.clone();
    let withdrawing = tokio::spawn(async move { store.withdraw_create(held, &a).await });
    scene.until_waiting(2).await;
    let_go(other).await;
    erasing.await.unwrap();
    withdrawing.await.unwrap().unwrap();
    assert_eq!(scene.store.abandon(held, LEASE).await.unwrap().len(), 0);
    let claims = claim(&scene.store, 10).await;
    assert_eq!(claims.len(), 1, "the removal is not stuck");
    finish(&scene.store, &claims[0]).await;
    for table in ["lines", "claims", "outbox", "undos"] {
        let left = format!("select count(*) from {{schema}}.sync_{table}");
        assert_eq!(scene.number(&left).await, 0, "{table}");
    }
}

/// A strict create at one target, whose vendor is about to be called.
async fn expecting(scene: &Scene) -> Held {
    let (someone, a) = (contact(&person(1)), TargetName::from("a"));
    let store = &scene.store;
    let begun = store
        .begin(&tenant(), &someone, std::slice::from_ref(&a), LEASE)
        .await
        .unwrap();
    let undo = Undo::new(someone, begun.key, TokioTimer.utc_now());
    store.expect_create(begun.held, &a, undo).await.unwrap();
    begun.held
}

/// The last removal ends while somebody has the contact's row who then gives up: the key goes with the next look.
#[tokio::test]
async fn a_wipe_that_was_passed_over_is_done_later() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    scene.accept(&person(1), &["a"]).await;
    let delivery = claim(&scene.store, 1).await.remove(0);
    finish(&scene.store, &delivery).await;
    erase(&scene.store, delivery.contact).await;
    let removal = claim(&scene.store, 1).await.remove(0);
    let other = lock(&scene, "select 1 from {schema}.sync_contacts for update").await;
    finish(&scene.store, &removal).await;
    let_go(other).await;
    let keys = "select count(*) from {schema}.sync_contacts where contact_key is not null";
    assert_eq!(scene.number(keys).await, 1);
    // A process looks at it all when it begins.
    assert!(claim(&scene.again().await, 1).await.is_empty());
    assert_eq!(scene.number(keys).await, 0);
    let lines = "select count(*) from {schema}.sync_lines";
    assert_eq!(scene.number(lines).await, 0);
}

/// The clock has gone back an hour: what was leased before follows, and what was leased since stays.
#[tokio::test]
async fn a_clock_that_went_back_leaves_newer_leases() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let (before, since) = (person(1), person(2));
    accept(&scene.store, &before, &["a"]).await;
    let older = claim(&scene.store, 1).await.remove(0);
    let targets = [TargetName::from("a")];
    let begun = scene
        .store
        .begin(&tenant(), &contact(&person(3)), &targets, LEASE)
        .await
        .unwrap();
    let hour = "update {schema}.sync_outbox set updated_at = updated_at + interval '1 hour',
            run_at = run_at + interval '1 hour', lease_until = lease_until + interval '1 hour',
            born_at = born_at + interval '1 hour';
        update {schema}.sync_operations set lease_until = lease_until + interval '1 hour'";
    scene.schema.run(hour).await;
    let newer_begun = scene
        .store
        .begin(&tenant(), &contact(&person(4)), &targets, LEASE)
        .await
        .unwrap();
    accept(&scene.store, &since, &["a"]).await;
    let newer = claim(&scene.store, 1).await.remove(0);
    // A process looks at it all when it begins.
    let other = scene.again().await;
    assert!(claim(&other, 10).await.is_empty());
    let ahead = "select count(*) from {schema}.sync_outbox where lease_until > now() + interval '2 minutes'";
    assert_eq!(scene.number(ahead).await, 0, "leases followed");
    let ahead = "select count(*) from {schema}.sync_operations where lease_until > now() + interval '2 minutes'";
    assert_eq!(scene.number(ahead).await, 0, "operations followed");
    for held in [begun.held, newer_begun.held] {
        scene.store.renew_operation(held, LEASE).await.unwrap();
    }
    finish(&scene.store, &older).await;
    finish(&scene.store, &newer).await;
}
