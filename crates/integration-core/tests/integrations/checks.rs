//! Health checks: what is broken mends itself, and what a person has to mend is said.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use integration_core::instance::IntegrationPatch;
use integration_core::instance::health::Checks;
use integration_core::status::{ReasonCode, Status};

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
async fn one_whose_key_is_lost_says_so_and_is_tried_later() {
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
    assert!(second > first, "{first} {second}");
    assert_eq!(after.status, Status::Error);
    assert_eq!(after.reason, Some(ReasonCode::CredentialsUnreadable));
    running.shutdown().await;
}

/// A replica whose keyring lags behind finds that a value does not open. Nobody has to connect anything again: a check
/// by one that has the key puts it right.
#[tokio::test(start_paused = true)]
async fn what_could_not_be_opened_runs_again_once_the_key_is_back() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    let asked = world.acme.requests().len();
    let elsewhere = world.another_process(vault_of('8')).await;
    let running = elsewhere.health_checks().start();
    pass(9 * 60 * MINUTE).await;
    running.shutdown().await;
    let broken = it.get(tenant(), id).await.unwrap();
    assert_eq!(broken.status, Status::Error);
    assert_eq!(broken.reason, Some(ReasonCode::CredentialsUnreadable));
    assert!(broken.is_active && !broken.needs_reauth);
    assert_eq!(
        world.acme.requests().len(),
        asked,
        "the vendor was not asked"
    );

    let running = it.health_checks().start();
    pass(8 * 60 * MINUTE).await;
    running.shutdown().await;
    let mended = it.get(tenant(), id).await.unwrap();
    assert_eq!((mended.status, mended.reason), (Status::Active, None));
    it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
}

/// They are not thrown away because the newest could not be opened.
#[tokio::test(start_paused = true)]
async fn the_older_credentials_stay_while_the_newest_cannot_be_opened() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    it.update(tenant(), id, patch).await.unwrap();
    let elsewhere = world.another_process(vault_of('8')).await;
    elsewhere.test_connection(tenant(), id).await.unwrap_err();
    let broken = it.get(tenant(), id).await.unwrap();
    assert_eq!(broken.status, Status::Error);
    assert!(broken.serves_older_credentials);
    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    let mended = it.get(tenant(), id).await.unwrap();
    assert_eq!(mended.status, Status::Active);
    assert!(!mended.serves_older_credentials);
}
