//! Health checks: what is broken mends itself, and what a person has to mend is said.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use integration_core::instance::IntegrationPatch;
use integration_core::instance::health::Checks;
use integration_core::status::Status;

use crate::acme::{AcmeClient, Config, KEY, Mood, OTHER_KEY};
use crate::world::{World, tenant, vault_of};

const MINUTE: Duration = Duration::from_mins(1);

async fn pass(time: Duration) {
    connector_http::Timer::sleep(&connector_http::TokioTimer, time).await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_noticed_ridden_out_and_mended() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    let running = it.health_checks().start();
    let asked = world.acme.requests().len();
    pass(4 * 60 * MINUTE).await;
    assert_eq!(
        world.acme.requests().len(),
        asked,
        "one that is well is left alone"
    );

    world.acme.mood(Mood::Unreachable);
    assert!(!it.test_connection(tenant(), id).await.unwrap().success);
    assert_eq!(it.get(tenant(), id).await.unwrap().status, Status::Error);
    pass(3 * 60 * MINUTE).await;
    assert_eq!(it.get(tenant(), id).await.unwrap().status, Status::Error);
    world.acme.mood(Mood::Well);
    pass(8 * 60 * MINUTE).await;
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert_eq!(world.acme.ever_registered(), 1);
    it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
    running.shutdown().await;
}

/// Not even by somebody else: a proxy that leads elsewhere is not the vendor.
#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn one_check_that_is_not_answered_stops_nothing(
    #[values(Mood::Answers(503), Mood::Answers(302), Mood::Unreachable)] mood: Mood,
) {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    let running = it.health_checks().start();
    world.acme.mood(mood);
    pass(8 * 60 * MINUTE).await;
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert!(!view.last_test.unwrap().result.success);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn changed_credentials_are_tested_soon_and_an_unfinished_enabling_is_finished() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Unreachable);
    it.enable(tenant(), id).await.unwrap_err();
    let running = it.health_checks().start();
    world.acme.mood_for_webhooks(Mood::Well);
    pass(20 * MINUTE).await;
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert_eq!(world.acme.ever_registered(), 1);

    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    let pending = it.update(tenant(), id, patch).await.unwrap();
    assert_eq!(pending.status, Status::Pending);
    pass(MINUTE).await;
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert!(!view.serves_older_credentials);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_told_once_a_day_and_never_tried() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    world.acme.revoke(KEY);
    it.test_connection(tenant(), id).await.unwrap();
    let asked = world.acme.requests().len();
    // Of two processes that want to say so, one does.
    let due = it.due(DateTime::<Utc>::MAX_UTC, 10).await.unwrap();
    assert!(it.note_reauth(&due[0]).await.unwrap());
    pass(MINUTE).await;
    assert!(!it.note_reauth(&due[0]).await.unwrap());
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let running = it
        .health_checks()
        .on_reauth(move |due| {
            assert_eq!(due.vendor, "acme");
            *count.lock().unwrap() += 1;
        })
        .start();
    pass(50 * 60 * MINUTE).await;
    assert!((1..=2).contains(&*told.lock().unwrap()), "{told:?}");
    assert_eq!(world.acme.requests().len(), asked);
    running.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_whose_key_is_lost_is_tried_once_an_hour() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood(Mood::Unreachable);
    it.enable(tenant(), id).await.unwrap_err();
    world.acme.mood(Mood::Well);
    let elsewhere = world.another_process(vault_of('8')).await;
    let before = it.get(tenant(), id).await.unwrap();
    let running = elsewhere.health_checks().start();
    pass(10 * MINUTE).await;
    let after = it.get(tenant(), id).await.unwrap();
    let (first, second) = (before.next_check_at.unwrap(), after.next_check_at.unwrap());
    assert!((second - first).num_minutes() >= 55, "{first} {second}");
    assert_eq!(
        (after.status, after.updated_at),
        (Status::Error, before.updated_at)
    );
    running.shutdown().await;
}
