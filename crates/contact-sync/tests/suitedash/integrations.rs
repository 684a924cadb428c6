//! The field map of an integration's settings, from the settings page to the record.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_sync::integrations::IntegrationDirectory;
use contact_sync::targets::suitedash::{SuiteDashExports, SuiteDashTarget};
use contact_sync::{
    Event, Field, FieldMap, MemoryStore, Place, Progress, Region, RetryPolicy, SignupHook,
    TenantId, Unmapped, Worker,
};
use integration_core::Integrations;
use integration_core::instance::{IntegrationError, IntegrationPatch, NewIntegration};
use integration_core::store::MemoryStore as Instances;
use integration_core::template::ConfigSchema;
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use serde_json::{Value, json};
use suitedash_client::export::NewExport;
use suitedash_client::integration::{Config, Settings, SuiteDash};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::RecordKind;

use crate::world::ann;

const PATIENCE: Duration = Duration::from_secs(20);
const PLAN: &str = "44444444-4444-4444-8444-000000000002";

struct Host {
    integrations: Integrations,
    directory: IntegrationDirectory,
    store: Arc<MemoryStore>,
    target: SuiteDashTarget,
    acme: TenantId,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Host {
    async fn start(vendor: SuiteDash) -> Self {
        let key = MasterKey::generate().unwrap();
        let vault = Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key));
        let builder = Integrations::builder(Arc::new(Instances::new()), vault).vendor(vendor);
        let integrations = builder.build().await.unwrap();
        let store = Arc::new(MemoryStore::new());
        let directory = IntegrationDirectory::new(integrations.clone())
            .vendor("suitedash")
            .resuming(store.clone());
        let target = SuiteDashTarget::new(directory.clients("suitedash"))
            .settings(directory.clone())
            .mappings(directory.clone());
        Self {
            integrations,
            directory,
            store,
            target,
            acme: TenantId::from("acme"),
            events: Arc::default(),
        }
    }

    /// Signs Ann up, and works until an attempt has ended.
    async fn sign_up(&self, plan: &str) -> Event {
        let heard = Arc::clone(&self.events);
        let worker = Worker::new(self.store.clone())
            .target(Arc::new(self.target.clone()))
            .retry(RetryPolicy::new().park_pause(Duration::from_hours(1)))
            .integrations(&self.directory)
            .on_event(move |event| heard.lock().unwrap().push(event.clone()))
            .start();
        let before = self.events.lock().unwrap().len();
        let hook = SignupHook::new(self.store.clone(), self.directory.clone()).region(Region::US);
        let signup = ann()
            .tenant("acme")
            .attribute("plan", plan)
            .attribute("age", "7");
        hook.on_signup(signup).await.unwrap();
        let attempt = async {
            while self.events.lock().unwrap().len() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, attempt).await.unwrap();
        worker.shutdown(PATIENCE).await;
        self.events.lock().unwrap().last().cloned().unwrap()
    }
}

fn map() -> Value {
    json!({
        "fields": {"attribute:plan": "custom:Plan", "company": null},
        "constants": {"source": "shop", "tags": "spring"},
    })
}

fn settings() -> Settings {
    Settings::new().contact_fields(map().as_object().unwrap().clone())
}

fn unmapped(event: &Event) -> &[Unmapped] {
    match &event.progress {
        Progress::Delivered { unmapped, .. } => unmapped,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_settings_hold_the_field_map() {
    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let control = sandbox.control();
    control.define_custom_field(RecordKind::Contact, PLAN, "Plan");
    let host = Host::start(SuiteDash::new().base_url(sandbox.base_url())).await;
    let config = Config::api(sandbox.public_id(), sandbox.secret_key());
    let new = NewIntegration::new(config).settings(settings());
    let id = host.integrations.save(&host.acme, new).await.unwrap();
    host.integrations.enable(&host.acme, id).await.unwrap();
    host.directory.refresh().await.unwrap();
    let event = host.sign_up("basic").await;
    let age = Unmapped::attribute("age", "no field is mapped to it");
    assert_eq!(unmapped(&event), std::slice::from_ref(&age));
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(contact["custom_fields"], json!({ PLAN: "basic" }));
    assert_eq!(contact["tags"], json!(["spring", "source:shop"]));
    assert_eq!(contact["companies"], json!([]));

    // A slip of the pen is refused when it is saved, and what was there stays.
    let slip = json!({"fields": {"attribute:plan": "custom_Plan"}});
    let patch = IntegrationPatch::new().setting("contact_fields", slip);
    let refused = host.integrations.update(&host.acme, id, patch).await;
    assert!(
        matches!(refused, Err(IntegrationError::InvalidSettings(_))),
        "{refused:?}"
    );
    host.directory.refresh().await.unwrap();
    assert_eq!(unmapped(&host.sign_up("family").await), [age]);
    let contact = control.contact("ann@example.com").unwrap();
    assert_eq!(contact["custom_fields"], json!({ PLAN: "family" }));
}

#[tokio::test]
async fn the_settings_hold_the_columns_of_a_file() {
    let root = tempfile::tempdir().unwrap();
    let host = Host::start(SuiteDash::new().export_directory(root.path())).await;
    let new = NewIntegration::new(Config::import()).settings(settings());
    let id = host.integrations.save(&host.acme, new).await.unwrap();
    host.integrations.enable(&host.acme, id).await.unwrap();
    host.directory.refresh().await.unwrap();
    let event = host.sign_up("basic").await;
    assert!(
        matches!(event.progress, Progress::Retrying { .. }),
        "{event:?}"
    );
    let exports = SuiteDashExports::new(host.store.clone(), &host.target);
    let at = "2026-11-21T10:00:00Z".parse().unwrap();
    let done = exports
        .export(&host.acme, NewExport::new(at, "user-7"))
        .await;
    let run = done.unwrap().run.unwrap();
    let path = root.path().join(id.to_string()).join(&run.file);
    let file = std::fs::read_to_string(path).unwrap();
    let (header, row) = file.split_once("\r\n").unwrap();
    assert!(header.ends_with(",\"Plan\""), "{header}");
    assert!(row.ends_with("\"spring\",\"basic\"\r\n"), "{row}");
    assert!(
        row.contains("\"shop\"") && !row.contains("Lee Ltd"),
        "{row}"
    );
}

/// What a map can say, the setting takes; the names on its left are those of contacts here.
#[test]
fn the_setting_takes_every_field_of_a_contact() {
    let schema = ConfigSchema::of_settings::<Settings>().unwrap();
    let mut map = FieldMap::new()
        .attribute("plan of the year", Place::custom("Plan (new)"))
        .constant(Place::field("tags"), "a")
        .constant(Place::custom("Plan"), "b");
    for field in [
        Field::FirstName,
        Field::LastName,
        Field::Email,
        Field::Phone,
        Field::PhoneExtension,
        Field::Company,
        Field::Notes,
        Field::HostId,
    ] {
        map = map.field(field, Place::field("title"));
        let without = FieldMap::new().leave_out(field);
        schema
            .validate(&json!({ "contact_fields": without }))
            .unwrap();
    }
    schema.validate(&json!({ "contact_fields": map })).unwrap();
}
