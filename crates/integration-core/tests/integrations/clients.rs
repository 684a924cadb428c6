//! Clients: built once, of the right type, of the right credentials, and only while calls are to be made.

use std::time::Duration;

use chrono::DateTime;
use integration_core::http::CallResult;
use integration_core::instance::{IntegrationError, IntegrationPatch};
use integration_core::status::{CredentialsVersion, Status};
use integration_core::store::{IntegrationStore, SealedTokens, TokenRowId, TokenRows};
use integration_core::{Scope, TenantId};

use crate::acme::{AcmeClient, Config, KEY, Mood, OTHER_KEY};
use crate::world::{World, tenant, vault};

fn failed() -> CallResult {
    CallResult::Failed {
        message: "Acme did not answer.".to_owned(),
        retry_after: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_built_once_whoever_comes_first() {
    let world = World::new().await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    let asked = (0..8).map(|_| {
        let integrations = world.integrations.clone();
        tokio::spawn(async move { integrations.client::<AcmeClient>(tenant(), id).await })
    });
    for task in asked.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.acme.connects(), 1);
    let wrong = world.integrations.client::<String>(tenant(), id).await;
    assert!(matches!(
        wrong,
        Err(IntegrationError::WrongClientType { .. })
    ));

    // What is no part of the credentials does not matter.
    let patch = IntegrationPatch::new().name("x").setting("line", "line-2");
    world
        .integrations
        .update(tenant(), id, patch)
        .await
        .unwrap();
    world
        .integrations
        .client::<AcmeClient>(tenant(), id)
        .await
        .unwrap();
    assert_eq!(world.acme.connects(), 1);
}

#[tokio::test(start_paused = true)]
async fn credentials_changed_by_another_process_count_from_the_next_call_on() {
    let world = World::new().await;
    let elsewhere = world.another_process(vault()).await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    let client = elsewhere.client::<AcmeClient>(tenant(), id).await.unwrap();
    client.account().await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    world
        .integrations
        .update(tenant(), id, patch)
        .await
        .unwrap();
    let client = elsewhere.client::<AcmeClient>(tenant(), id).await.unwrap();
    client.account().await.unwrap();
    assert_eq!(world.acme.requests(), [KEY, OTHER_KEY]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_built_is_tried_again() {
    let world = World::new().await;
    let it = &world.integrations;
    let config = Config::new(KEY).region("nowhere");
    let id = it.save(tenant(), config).await.unwrap();
    let refused = it.client::<AcmeClient>(tenant(), id).await;
    assert!(matches!(refused, Err(IntegrationError::Vendor(_))));
    let test = it.test_connection(tenant(), id).await.unwrap();
    assert!(!test.success);
    assert_eq!(
        test.message,
        "The config cannot be used: there is no such region."
    );
    let patch = IntegrationPatch::new().readable("region", "eu");
    it.update(tenant(), id, patch).await.unwrap();
    it.client::<AcmeClient>(tenant(), id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_older_credentials_serve_until_the_newest_have_passed() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let first = it.enable(tenant(), id).await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    let changed = it.update(tenant(), id, patch).await.unwrap();
    assert_eq!(changed.status, Status::Pending);
    assert!(changed.serves_older_credentials);

    let serving = it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
    assert_eq!(serving.credentials, first.credentials);
    let before = world.acme.requests().len();
    serving.account().await.unwrap();
    let newest = it.client::<AcmeClient>(tenant(), id).await.unwrap();
    newest.account().await.unwrap();
    assert_eq!(world.acme.requests()[before..], [KEY, OTHER_KEY]);

    // What the older ones meet with says nothing about the newest.
    let refused = CallResult::AuthRefused {
        message: "Refused.".to_owned(),
    };
    it.report(tenant(), id, first.credentials, refused)
        .await
        .unwrap();
    assert_eq!(it.get(tenant(), id).await.unwrap(), changed);

    assert!(it.test_connection(tenant(), id).await.unwrap().success);
    let now = it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
    assert!(now.credentials > first.credentials);
    assert!(!it.get(tenant(), id).await.unwrap().serves_older_credentials);
}

#[tokio::test(start_paused = true)]
async fn newest_credentials_that_fail_end_the_older_ones_too() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new("a-wrong-key"));
    it.update(tenant(), id, patch).await.unwrap();
    assert!(!it.test_connection(tenant(), id).await.unwrap().success);
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Error);
    assert!(!view.serves_older_credentials);
    let refused = it
        .active_client::<AcmeClient>(tenant(), id)
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the integration is in error: the account has to be connected again"
    );
}

#[tokio::test(start_paused = true)]
async fn results_of_calls_move_the_state() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let used = it.enable(tenant(), id).await.unwrap().credentials;
    let unknown = it
        .report(tenant(), id, used.next(), CallResult::Works)
        .await;
    assert!(matches!(unknown, Err(IntegrationError::Illegal(_))));

    let limited = CallResult::RateLimited {
        retry_after: Some(Duration::from_secs(90)),
    };
    it.report(tenant(), id, used, limited).await.unwrap();
    let refused = it.active_client::<AcmeClient>(tenant(), id).await;
    let Err(IntegrationError::NotActive(why)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why.status, Status::Active);
    assert!(why.paused_until.is_some());

    it.report(tenant(), id, used, failed()).await.unwrap();
    assert_eq!(it.get(tenant(), id).await.unwrap().status, Status::Active);
    let refused = CallResult::AuthRefused {
        message: "Refused.".to_owned(),
    };
    it.report(tenant(), id, used, refused).await.unwrap();
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Error);
    assert_eq!(view.error_message.as_deref(), Some("Refused."));
    it.report(tenant(), id, used, CallResult::SaysNothing)
        .await
        .unwrap();
    assert_eq!(it.get(tenant(), id).await.unwrap(), view);
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_took_away_is_gone_everywhere() {
    let world = World::new().await;
    let elsewhere = world.another_process(vault()).await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    it.enable(tenant(), id).await.unwrap();
    elsewhere.client::<AcmeClient>(tenant(), id).await.unwrap();
    let row = TokenRowId::new(tenant(), id);
    let tokens = SealedTokens::new("sealed", "fingerprint", DateTime::UNIX_EPOCH);
    let of_user = row.clone().owner("user-7");
    for row in [&row, &of_user] {
        world.store.put_tokens(row, &tokens).await.unwrap();
    }
    assert_eq!(world.acme.clients(), 2);

    world.acme.mood_for_webhooks(Mood::Unreachable);
    let removal = it.revoked(tenant(), id).await.unwrap();
    for row in [&row, &of_user] {
        assert!(world.store.tokens(row).await.unwrap().is_none());
    }
    // One process has dropped its client with the credentials; the other does once it is asked.
    assert_eq!(world.acme.clients(), 1);
    assert_eq!(removal.left, ["wh-1"]);
    assert_eq!(
        removal.reason.as_deref(),
        Some("Acme could not be reached. Try again later.")
    );
    for facade in [it, &elsewhere] {
        let refused = facade.client::<AcmeClient>(tenant(), id).await;
        assert!(
            matches!(refused, Err(IntegrationError::NoCredentials)),
            "{refused:?}"
        );
        let refused = facade.enable(tenant(), id).await;
        assert!(
            matches!(refused, Err(IntegrationError::NoCredentials)),
            "{refused:?}"
        );
        let refused = facade.test_connection(tenant(), id).await;
        assert!(
            matches!(refused, Err(IntegrationError::NoCredentials)),
            "{refused:?}"
        );
    }
    assert_eq!(world.acme.clients(), 0);
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(view.status, Status::Disconnected);
    assert!(!view.endpoints[0].webhooks[0].has_secret);
    let again = it.uninstalled(tenant(), id).await.unwrap();
    assert_eq!(again, integration_core::instance::Removal::default());

    // The same key may be given once more.
    world.acme.mood_for_webhooks(Mood::Well);
    let patch = IntegrationPatch::new().config(Config::new(KEY));
    it.update(tenant(), id, patch).await.unwrap();
    let back = it.enable(tenant(), id).await.unwrap();
    assert_eq!(back.status, Status::Active);
    assert_eq!(world.acme.ever_registered(), 1);
    assert!(back.credentials > CredentialsVersion::default().next());
}

#[tokio::test(start_paused = true)]
async fn what_has_become_a_secret_is_taken_away_with_the_others() {
    let world = World::new().await;
    let config = Config::new(KEY).region("eu");
    let id = world.integrations.save(tenant(), config).await.unwrap();
    let (all, store) = (Scope::Administrator, &world.store);
    // Saved when the schema did not say yet that it is one.
    let mut row = store.integration(&all, id).await.unwrap().unwrap();
    let read = row.state.version;
    row.state.version += 1;
    let readable = &mut row.config.readable;
    readable.insert("second".to_owned(), "canary".into());
    store
        .update_integration(&all, &row, read, &[])
        .await
        .unwrap();

    world.integrations.revoked(tenant(), id).await.unwrap();
    let row = store.integration(&all, id).await.unwrap().unwrap();
    let left: Vec<_> = row.config.readable.keys().collect();
    assert_eq!(left, ["region"]);
    assert!(row.config.sealed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_of_what_another_process_deleted_is_dropped() {
    let world = World::new().await;
    let elsewhere = world.another_process(vault()).await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    elsewhere.client::<AcmeClient>(tenant(), id).await.unwrap();
    let stranger = TenantId::from("stranger");
    let refused = elsewhere.client::<AcmeClient>(&stranger, id).await;
    assert!(matches!(refused, Err(IntegrationError::NotFound { .. })));
    assert_eq!(world.acme.clients(), 1);
    world.integrations.delete(tenant(), id).await.unwrap();
    let refused = elsewhere.client::<AcmeClient>(tenant(), id).await;
    assert!(matches!(refused, Err(IntegrationError::NotFound { .. })));
    assert_eq!(world.acme.clients(), 0);
}

/// Nobody asks how a vendor is whose calls are scarce. The calls that are wanted anyway have to find out, one after a
/// wait, or a tenant's contacts would wait for a person for ever.
#[tokio::test(start_paused = true)]
async fn where_calls_are_scarce_the_next_one_finds_out() {
    let world = World::new().await;
    world.acme.passive();
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let used = it.enable(tenant(), id).await.unwrap().credentials;
    for _ in 0..5 {
        tokio::time::advance(Duration::from_mins(4)).await;
        it.report(tenant(), id, used, failed()).await.unwrap();
    }
    for longest in [6, 18, 72] {
        let row = it.get(tenant(), id).await.unwrap();
        assert_eq!(row.status, Status::Error);
        let refused = it.active_client::<AcmeClient>(tenant(), id).await;
        assert!(
            matches!(refused, Err(IntegrationError::NotActive(_))),
            "{longest}: not before a wait"
        );
        tokio::time::advance(Duration::from_mins(longest)).await;
        it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
        it.report(tenant(), id, used, failed()).await.unwrap();
    }
    tokio::time::advance(Duration::from_hours(8)).await;
    it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
    it.report(tenant(), id, used, CallResult::Works)
        .await
        .unwrap();
    let row = it.get(tenant(), id).await.unwrap();
    assert_eq!((row.status, row.paused_until), (Status::Active, None));
    // Refused credentials are another matter: there only a person helps.
    let refused = CallResult::AuthRefused {
        message: "Refused.".to_owned(),
    };
    it.report(tenant(), id, used, refused).await.unwrap();
    tokio::time::advance(Duration::from_hours(24)).await;
    let refused = it.active_client::<AcmeClient>(tenant(), id).await;
    assert!(matches!(refused, Err(IntegrationError::NotActive(_))));
}
