//! Webhooks: registered once, verified with the right keys, taken back.

use integration_core::instance::{IntegrationError, IntegrationPatch};
use integration_core::status::{ReasonCode, Status};
use integration_core::store::LogFilter;
use integration_core::{EndpointId, Scope};
use secrecy::ExposeSecret;

use crate::acme::{Config, KEY, Mood, OTHER_KEY};
use crate::world::{World, builder, tenant, vault};

const ALL: Scope = Scope::Administrator;

#[tokio::test(start_paused = true)]
async fn an_endpoint_leads_to_its_instance_and_keys() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let enabled = it.enable(tenant(), id).await.unwrap();
    let found = it.endpoint(&ALL, enabled.endpoints[0].id).await.unwrap();
    assert_eq!(found.integration, enabled);
    let keys: Vec<_> = found
        .secrets
        .iter()
        .map(|it| it.secret.expose_secret())
        .collect();
    assert_eq!(keys, ["secret-of-wh-1"]);
    let unknown = it.endpoint(&ALL, EndpointId::generate()).await;
    let unknown = unknown.unwrap_err().to_string();
    assert_eq!(unknown, "there is no such endpoint within this scope");
}

#[tokio::test(start_paused = true)]
async fn without_webhooks_it_does_not_run_and_the_next_attempt_finds_what_was_registered() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Answers(500));
    let refused = it.enable(tenant(), id).await;
    let Err(IntegrationError::TestFailed(test)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        test.message,
        "The webhooks could not be registered. Acme is out of order (status 500). Try again later."
    );
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!((view.status, view.is_active), (Status::Error, true));
    assert_eq!(view.reason, Some(ReasonCode::TestFailed));

    // To test is to try again for one that is wanted on: all of it, or it does not run.
    let test = it.test_connection(tenant(), id).await.unwrap();
    assert!(!test.success, "{test:?}");
    assert_eq!(it.get(tenant(), id).await.unwrap().status, Status::Error);
    world.acme.mood_for_webhooks(Mood::Well);
    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert_eq!(world.acme.registered(), [view.endpoints[0].url.clone()]);
}

#[tokio::test(start_paused = true)]
async fn to_test_what_is_off_registers_nothing() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!((view.status, view.is_active), (Status::Active, false));
    assert_eq!(world.acme.ever_registered(), 0);
    let enabled = it.enable(tenant(), id).await.unwrap();
    assert!(enabled.is_active);
    assert_eq!(world.acme.ever_registered(), 1);
    // Off and on again.
    it.disable(tenant(), id).await.unwrap();
    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    assert_eq!(
        it.get(tenant(), id).await.unwrap().status,
        Status::Disconnected
    );
    it.enable(tenant(), id).await.unwrap();
    assert_eq!(world.acme.ever_registered(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_running_instance_follows_its_settings() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let quiet = IntegrationPatch::new().setting("log_calls", false);
    it.update(tenant(), id, quiet).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    assert_eq!(world.acme.ever_registered(), 0);

    world.acme.mood_for_webhooks(Mood::Answers(503));
    let loud = IntegrationPatch::new().setting("log_calls", true);
    let view = it.update(tenant(), id, loud).await.unwrap();
    assert_eq!(view.status, Status::Active);
    let failed = it.logs(tenant(), LogFilter::new()).await.unwrap();
    let failed = failed
        .iter()
        .find(|it| it.action == "webhooks.register")
        .unwrap();
    assert!(
        failed
            .error_message
            .as_deref()
            .unwrap()
            .contains("out of order")
    );

    world.acme.mood_for_webhooks(Mood::Well);
    let line = IntegrationPatch::new().setting("line", "line-1");
    let view = it.update(tenant(), id, line).await.unwrap();
    assert_eq!(view.endpoints[0].webhooks[0].vendor_webhook_id, "wh-1");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_moves_takes_its_webhooks_along() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let before = it.enable(tenant(), id).await.unwrap();
    let moved = builder(&world.store, vault(), &world.acme)
        .webhook_base_url("https://new.example.com/in".parse().unwrap())
        .build()
        .await
        .unwrap();
    let after = moved.enable(tenant(), id).await.unwrap();
    let endpoint = &after.endpoints[0];
    assert_eq!(endpoint.id, before.endpoints[0].id);
    assert_eq!(
        endpoint.url,
        format!("https://new.example.com/in/{}", endpoint.id)
    );
    assert_eq!(world.acme.registered(), [endpoint.url.as_str()]);
}

#[tokio::test(start_paused = true)]
async fn a_move_that_did_not_work_is_made_again_as_a_whole() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let before = it.enable(tenant(), id).await.unwrap();
    let moved = builder(&world.store, vault(), &world.acme)
        .webhook_base_url("https://new.example.com/in".parse().unwrap())
        .build()
        .await
        .unwrap();
    world.acme.mood_for_webhooks(Mood::Answers(503));
    let refused = moved.enable(tenant(), id).await;
    assert!(matches!(refused, Err(IntegrationError::TestFailed(_))));
    // The vendor still sends there.
    let view = moved.get(tenant(), id).await.unwrap();
    assert_eq!(view.endpoints, before.endpoints);

    world.acme.mood_for_webhooks(Mood::Well);
    let after = moved.enable(tenant(), id).await.unwrap();
    assert_eq!(world.acme.registered(), [after.endpoints[0].url.as_str()]);
    assert_eq!(after.endpoints[0].webhooks.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn to_enable_what_runs_registers_what_is_missing() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let quiet = IntegrationPatch::new().setting("log_calls", false);
    it.update(tenant(), id, quiet).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Answers(503));
    let loud = IntegrationPatch::new().setting("log_calls", true);
    it.update(tenant(), id, loud).await.unwrap();
    // That it cannot be done now does not stop what runs.
    let still = it.enable(tenant(), id).await.unwrap();
    assert_eq!(still.status, Status::Active);
    let logs = it.logs(tenant(), LogFilter::new()).await.unwrap();
    let told = |entry: &&integration_core::store::IntegrationLog| {
        entry.action == "webhooks.register" && entry.error_message.is_some()
    };
    assert_eq!(logs.iter().filter(told).count(), 2);
    world.acme.mood_for_webhooks(Mood::Well);
    let mended = it.enable(tenant(), id).await.unwrap();
    assert_eq!(mended.endpoints[0].webhooks.len(), 1);
    it.enable(tenant(), id).await.unwrap();
    assert_eq!(world.acme.ever_registered(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_not_of_the_web_is_refused() {
    let world = World::new().await;
    for address in ["mailto:hooks@example.com", "file:///hooks"] {
        let refused = builder(&world.store, vault(), &world.acme)
            .webhook_base_url(address.parse().unwrap())
            .build()
            .await;
        assert!(matches!(
            refused,
            Err(IntegrationError::InvalidWebhookBaseUrl)
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_back_is_told() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    world.acme.mood_for_webhooks(Mood::Hangs);
    let removal = it.delete(tenant(), id).await.unwrap();
    assert_eq!(
        (removal.removed.len(), removal.left.as_slice()),
        (0, &["wh-1".to_owned()][..])
    );
    assert!(removal.reason.unwrap().contains("did not answer"));
    assert!(matches!(
        it.get(tenant(), id).await,
        Err(IntegrationError::NotFound { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn without_an_address_of_the_host_nothing_is_registered() {
    let world = World::new().await;
    let alone = integration_core::Integrations::builder(world.store.clone().into(), vault())
        .vendor(world.acme.clone())
        .transport(std::sync::Arc::new(world.acme.transport()))
        .build()
        .await
        .unwrap();
    let id = alone.save(tenant(), Config::new(OTHER_KEY)).await.unwrap();
    let view = alone.enable(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Active);
    assert!(view.endpoints.is_empty());
    assert_eq!(world.acme.ever_registered(), 0);
}
