//! An instance's life through the façade, on a store in memory, against the simulated vendor.

use std::sync::Arc;

use integration_core::instance::NewIntegration;
use integration_core::status::Status;
use integration_core::store::MemoryStore;
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use integration_core::{Integrations, Scope, TenantId};
use suitedash_client::ContactInput;
use suitedash_client::integration::{Config, Connection, Plan, Settings, SuiteDash};
use vendor_sandbox::Sandbox;

async fn integrations(vendor: SuiteDash) -> Integrations {
    let key = MasterKey::generate().unwrap();
    let vault = Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key));
    Integrations::builder(Arc::new(MemoryStore::new()), vault)
        .vendor(vendor)
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn from_a_settings_page_to_a_contact() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    let integrations = integrations(SuiteDash::new().base_url(sandbox.base_url())).await;
    let acme = Scope::from(TenantId::from("acme"));
    let templates = integrations.templates(&acme).await.unwrap();
    assert!(templates.iter().any(|it| it.template.name == "suitedash"));

    let wrong = Config::api(sandbox.public_id(), "c4nary-0123456789");
    let test = integrations.test_unsaved(&acme, wrong).await.unwrap();
    assert!(!test.success && !test.message.contains("c4nary"));
    let before = control.calls_used();
    let config = Config::api(sandbox.public_id(), sandbox.secret_key()).plan(Plan::Thrive);
    let settings = Settings::new().source("website").is_default(true);
    let new = NewIntegration::new(config).settings(settings.clone());
    let id = integrations.save(&acme, new).await.unwrap();
    let enabled = integrations.enable(&acme, id).await.unwrap();
    assert_eq!((enabled.status, enabled.is_active), (Status::Active, true));
    assert_eq!(control.calls_used(), before + 1);
    let shown = format!("{enabled:?} {}", serde_json::to_string(&enabled).unwrap());
    assert!(!shown.contains(sandbox.secret_key()));

    let active = integrations
        .active_client::<Connection>(&acme, id)
        .await
        .unwrap();
    let settings: Settings = serde_json::from_value(active.settings.clone().into()).unwrap();
    let jane = ContactInput::new()
        .full_name("Jane Roe")
        .email("jane@example.com");
    let call = active
        .client()
        .unwrap()
        .contacts()
        .create_or_update(&settings.complete(jane))
        .rules(settings.rules());
    assert_eq!(call.await.unwrap().calls_spent, 1);
    let contact = control.contact("jane@example.com").unwrap();
    assert_eq!(contact["tags"], serde_json::json!(["source:website"]));
    assert!(control.welcome_mails().is_empty());
}

#[tokio::test]
async fn import_mode_needs_no_key() {
    let root = tempfile::tempdir().unwrap();
    let integrations = integrations(SuiteDash::new().export_directory(root.path())).await;
    let acme = Scope::from(TenantId::from("acme"));
    let test = integrations.test_unsaved(&acme, Config::import()).await;
    assert!(test.unwrap().success);
    let id = integrations.save(&acme, Config::import()).await.unwrap();
    let enabled = integrations.enable(&acme, id).await.unwrap();
    assert_eq!(enabled.status, Status::Active);
    let connection: Connection = integrations.client(&acme, id).await.unwrap();
    let place = connection.import_place().unwrap();
    assert_eq!(place.directory(), root.path().join(id.to_string()));
}
