//! Several at once: nothing is registered twice, and nobody's change is lost.

use std::time::Duration;

use integration_core::instance::{IntegrationError, IntegrationPatch};
use integration_core::status::Status;

use crate::acme::{AcmeClient, Config, KEY, Mood, OTHER_KEY};
use crate::world::{World, tenant, vault};

const SECOND: Duration = Duration::from_secs(1);

async fn pass(time: Duration) {
    connector_http::Timer::sleep(&connector_http::TokioTimer, time).await;
}

#[tokio::test(start_paused = true)]
async fn several_who_enable_at_once_register_webhooks_once() {
    let world = World::new().await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    world.acme.mood(Mood::Slow(2 * SECOND));
    world.acme.mood_for_webhooks(Mood::Slow(3 * SECOND));
    let elsewhere = world.another_process(vault()).await;
    let tasks: Vec<_> = [
        &world.integrations,
        &elsewhere,
        &world.integrations,
        &elsewhere,
    ]
    .map(|facade| {
        let facade = facade.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    })
    .into();
    for task in tasks {
        let view = task.await.unwrap().unwrap();
        assert_eq!(view.status, Status::Active);
        assert_eq!(view.endpoints.len(), 1);
    }
    assert_eq!(world.acme.ever_registered(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_leaves_nothing_half_done() {
    let world = World::new().await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    world.acme.mood(Mood::Slow(5 * SECOND));
    let facade = world.integrations.clone();
    let gone = tokio::time::timeout(SECOND, facade.enable(tenant(), id)).await;
    assert!(gone.is_err());
    pass(10 * SECOND).await;
    let view = world.integrations.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert_eq!(world.acme.ever_registered(), 1);
    // The lease was given back, too.
    let start = tokio::time::Instant::now();
    world.integrations.delete(tenant(), id).await.unwrap();
    assert!(start.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn credentials_saved_during_a_test_are_tested_too() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new("a-wrong-key")).await.unwrap();
    world.acme.mood(Mood::Slow(5 * SECOND));
    let testing = {
        let facade = it.clone();
        tokio::spawn(async move { facade.test_connection(tenant(), id).await })
    };
    pass(SECOND).await;
    let patch = IntegrationPatch::new()
        .config(Config::new(OTHER_KEY))
        .name("Renamed");
    it.update(tenant(), id, patch).await.unwrap();
    let test = testing.await.unwrap().unwrap();
    assert!(test.success, "{test:?}");
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert_eq!(view.name, "Renamed");
    assert!(view.last_test.unwrap().result.success);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_switched_off_during_its_test_stays_off() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood(Mood::Slow(5 * SECOND));
    let enabling = {
        let facade = it.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    };
    pass(SECOND).await;
    it.disable(tenant(), id).await.unwrap();
    let enabled = enabling.await.unwrap();
    assert!(
        matches!(enabled, Err(IntegrationError::NotActive(_))),
        "{enabled:?}"
    );
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Disconnected);
    assert!(!view.is_active);
    // What was registered meanwhile is known, and goes with it.
    let removal = it.delete(tenant(), id).await.unwrap();
    assert_eq!(removal.removed, ["wh-1"]);
    assert!(world.acme.registered().is_empty());
}

#[tokio::test(start_paused = true)]
async fn credentials_saved_while_it_is_enabled_are_enabled() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    // It works, and is off.
    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    world.acme.mood(Mood::Slow(5 * SECOND));
    let enabling = {
        let facade = it.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    };
    pass(SECOND).await;
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    it.update(tenant(), id, patch).await.unwrap();
    let view = enabling.await.unwrap().unwrap();
    assert_eq!((view.status, view.is_active), (Status::Active, true));
    assert_eq!(world.acme.ever_registered(), 1);
}

#[tokio::test(start_paused = true)]
async fn settings_of_what_is_switched_off_meanwhile_register_nothing() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let quiet = IntegrationPatch::new().setting("log_calls", false);
    it.update(tenant(), id, quiet).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    world.acme.mood(Mood::Slow(5 * SECOND));
    // Somebody is at work on it.
    let enabling = {
        let facade = it.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    };
    pass(SECOND).await;
    let updating = {
        let facade = it.clone();
        let loud = IntegrationPatch::new().setting("log_calls", true);
        tokio::spawn(async move { facade.update(tenant(), id, loud).await })
    };
    pass(SECOND).await;
    it.disable(tenant(), id).await.unwrap();
    updating.await.unwrap().unwrap();
    let enabled = enabling.await.unwrap();
    assert!(
        matches!(enabled, Err(IntegrationError::NotActive(_))),
        "{enabled:?}"
    );
    assert_eq!(world.acme.ever_registered(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_away_while_it_is_enabled_leaves_no_webhook() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Slow(5 * SECOND));
    let enabling = {
        let facade = it.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    };
    pass(SECOND).await;
    it.uninstalled(tenant(), id).await.unwrap();
    assert!(enabling.await.unwrap().is_err());
    assert_eq!(world.acme.ever_registered(), 1);
    assert!(world.acme.registered().is_empty());
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Disconnected);
    assert!(view.endpoints[0].webhooks.is_empty());
    let refused = it.client::<AcmeClient>(tenant(), id).await;
    assert!(matches!(refused, Err(IntegrationError::NoCredentials)));
}

#[tokio::test(start_paused = true)]
async fn to_delete_waits_for_who_enables() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Slow(5 * SECOND));
    let enabling = {
        let facade = it.clone();
        tokio::spawn(async move { facade.enable(tenant(), id).await })
    };
    pass(SECOND).await;
    let removal = it.delete(tenant(), id).await.unwrap();
    enabling.await.unwrap().unwrap();
    assert_eq!(removal.removed, ["wh-1"]);
    assert!(world.acme.registered().is_empty());
}
