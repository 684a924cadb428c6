//! What is sealed opens in its place, with its key, and nowhere else.

use integration_core::Scope;
use integration_core::instance::{IntegrationError, IntegrationPatch};
use integration_core::status::{ReasonCode, Status};
use integration_core::store::{IntegrationStore, LogFilter, LogStatus, MemoryStore, SealedStore};
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault, VaultError};
use integration_core::{IntegrationId, TenantId};
use serde_json::json;

use crate::acme::{AcmeClient, Config, KEY, OTHER_KEY};
use crate::world::{World, tenant, vault, vault_of};

const ALL: Scope = Scope::Administrator;

fn vault_error<T: std::fmt::Debug>(result: Result<T, IntegrationError>) -> (String, VaultError) {
    match result {
        Err(IntegrationError::Vault { field, source }) => (field, source),
        other => panic!("{other:?}"),
    }
}

async fn tamper(
    store: &MemoryStore,
    id: IntegrationId,
    change: impl FnOnce(&mut integration_core::instance::StoredIntegration),
) {
    let mut row = store.integration(&ALL, id).await.unwrap().unwrap();
    let read = row.state.version;
    change(&mut row);
    row.state.version += 1;
    store
        .update_integration(&ALL, &row, read, &[])
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn with_another_master_key_nothing_opens_and_a_test_says_so() {
    let world = World::new().await;
    let owner = &tenant();
    let id = world
        .integrations
        .save(owner, Config::new(KEY))
        .await
        .unwrap();
    let enabled = world.integrations.enable(owner, id).await.unwrap();
    let elsewhere = world.another_process(vault_of('8')).await;

    let refused = vault_error(elsewhere.client::<AcmeClient>(owner, id).await);
    assert_eq!(refused, ("api_key".to_owned(), VaultError::Refused));
    vault_error(elsewhere.active_client::<AcmeClient>(owner, id).await);
    vault_error(elsewhere.endpoint(&ALL, enabled.endpoints[0].id).await);
    let kept = IntegrationPatch::new().readable("region", "eu");
    vault_error(elsewhere.update(owner, id, kept).await);

    // A page can still be shown, the key be replaced, and the row be deleted.
    let shown = elsewhere.get(owner, id).await.unwrap();
    assert_eq!((shown.status, &shown), (Status::Active, &enabled));
    for _ in 0..2 {
        vault_error(elsewhere.test_connection(owner, id).await);
        vault_error(elsewhere.enable(owner, id).await);
        let shown = elsewhere.get(owner, id).await.unwrap();
        assert_eq!(shown.status, Status::Error);
        assert_eq!(shown.reason, Some(ReasonCode::CredentialsUnreadable));
        assert!(shown.is_active && !shown.needs_reauth);
        let message = shown.error_message.unwrap();
        assert!(message.contains("another master key"), "{message}");
        assert!(shown.last_test.unwrap().result.success, "none was made");
    }
    let tests = LogFilter::new().integration(id);
    let logged = elsewhere.logs(owner, tests).await.unwrap();
    let failed: Vec<_> = logged
        .iter()
        .filter(|it| it.action == "connection.test" && it.status == LogStatus::Failed)
        .collect();
    assert_eq!(failed.len(), 4, "{logged:#?}");
    let told = failed[0].error_message.as_deref().unwrap();
    assert!(told.contains("cannot be opened"), "{told}");
    assert_eq!(failed[0].payload, Some(json!({"unreadable": "api_key"})));
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    elsewhere.update(owner, id, patch).await.unwrap();
    elsewhere.client::<AcmeClient>(owner, id).await.unwrap();
    let removal = elsewhere.delete(owner, id).await.unwrap();
    assert_eq!(removal.removed, ["wh-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_the_vault_counts_what_does_not_open() {
    let world = World::new().await;
    let it = &world.integrations;
    for _ in 0..3 {
        it.save(tenant(), Config::new(KEY)).await.unwrap();
    }
    let check = it.check_vault(ALL, 10).await.unwrap();
    assert_eq!((check.values, check.refused), (3, 0));
    assert!(check.all_open() && check.complete);
    assert_eq!(check.to_string(), "of 3 stored values all open");
    let check = it.check_vault(ALL, 2).await.unwrap();
    assert_eq!((check.values, check.complete), (2, false));
    let refused = it.check_vault(tenant(), 2).await.unwrap_err();
    assert!(matches!(refused, IntegrationError::Forbidden));

    // Another key under the same id, and one of another id.
    let elsewhere = world.another_process(vault_of('8')).await;
    let check = elsewhere.check_vault(ALL, 2).await.unwrap();
    assert!(!check.all_open());
    let told = "of the first 2 stored values, 2 do not open with the key they name";
    assert_eq!(check.to_string(), told);
    let key = MasterKey::generate().unwrap();
    let other = Vault::new(Keyring::new(KeyId::new("k2").unwrap(), key));
    let elsewhere = world.another_process(other).await;
    let check = elsewhere.check_vault(ALL, 10).await.unwrap();
    assert_eq!(check.missing.get(&KeyId::new("k1").unwrap()), Some(&3));
    let told = "of 3 stored values, 3 lie under the key k1, which is not in the keyring";
    assert_eq!(check.to_string(), told);
}

#[tokio::test(start_paused = true)]
async fn a_value_moved_to_another_tenant_instance_or_field_does_not_open() {
    let world = World::new().await;
    let (one, two) = (tenant(), TenantId::from("other"));
    let it = &world.integrations;
    let config = || Config::new(KEY).second("the-second-secret");
    let source = it.save(&one, config()).await.unwrap();
    let same_tenant = it.save(&one, config()).await.unwrap();
    let other_tenant = it.save(&two, config()).await.unwrap();
    let row = world
        .store
        .integration(&ALL, source)
        .await
        .unwrap()
        .unwrap();
    let value = row.config.sealed["api_key"].clone();

    for (owner, target) in [(&one, same_tenant), (&two, other_tenant)] {
        let moved = value.clone();
        tamper(&world.store, target, |row| {
            row.config.sealed.insert("api_key".to_owned(), moved);
        })
        .await;
        let refused = vault_error(it.client::<AcmeClient>(owner, target).await);
        assert_eq!(refused, ("api_key".to_owned(), VaultError::Refused));
        vault_error(it.test_connection(owner, target).await);
    }
    tamper(&world.store, source, |row| {
        row.config.sealed.insert("second".to_owned(), value);
    })
    .await;
    let refused = vault_error(it.client::<AcmeClient>(&one, source).await);
    assert_eq!(refused, ("second".to_owned(), VaultError::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_key_moved_to_another_endpoint_does_not_open() {
    let world = World::new().await;
    let owner = &tenant();
    let it = &world.integrations;
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let id = it.save(owner, Config::new(KEY)).await.unwrap();
        endpoints.push((id, it.enable(owner, id).await.unwrap().endpoints[0].id));
    }
    let first = world
        .store
        .integration(&ALL, endpoints[0].0)
        .await
        .unwrap()
        .unwrap();
    let moved = first.endpoints[0].webhooks[0].secret.clone();
    tamper(&world.store, endpoints[1].0, |row| {
        row.endpoints[0].webhooks[0].secret = moved;
    })
    .await;
    let (_, why) = vault_error(it.endpoint(&ALL, endpoints[1].1).await);
    assert_eq!(why, VaultError::Refused);
    it.endpoint(&ALL, endpoints[0].1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_sealed_value_is_bound_as_the_sweep_is_told() {
    let world = World::new().await;
    let owner = &tenant();
    let config = Config::new(KEY).second("the-second-secret");
    let id = world.integrations.save(owner, config).await.unwrap();
    world.integrations.enable(owner, id).await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY));
    world.integrations.update(owner, id, patch).await.unwrap();
    let values = world.store.sealed_values(None, 100).await.unwrap();
    // Two in the config, two in the one that still serves, and the webhook's key.
    assert_eq!(values.len(), 5, "{values:#?}");
    let vault = vault();
    for value in values {
        let context = integration_core::vault::SealContext::new(
            value.tenant.as_str(),
            &value.instance,
            &value.field,
        );
        vault.open(&context, &value.value).unwrap();
    }
}
