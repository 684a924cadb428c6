//! Signups on integrations that integration-core keeps: clients, switches, field maps, status, log, parked jobs.

#![cfg(all(feature = "openphone", feature = "integrations"))]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use contact_sync::integrations::IntegrationDirectory;
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    ClientProvider, ClientUnavailable, CrmHook, Event, JobStore, MemoryStore, Progress, Reason,
    Receipt, Region, RetryPolicy, RunningWorker, Signup, SignupHook, Switch, TargetDirectory,
    TenantId, Worker,
};
use integration_core::http::CallResult;
use integration_core::instance::{IntegrationPatch, NewIntegration};
use integration_core::status::{CredentialsVersion, Status};
use integration_core::store::{LogFilter, MemoryStore as Instances};
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use integration_core::{IntegrationId, Integrations};
use openphone_client::Client;
use openphone_client::integration::{Config, OpenPhone, Settings};
use serde_json::json;
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::CustomFieldKind;

const PATIENCE: Duration = Duration::from_secs(20);

struct Host {
    sandbox: Sandbox,
    integrations: Integrations,
    directory: IntegrationDirectory,
    store: Arc<MemoryStore>,
    hook: SignupHook,
    acme: TenantId,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Host {
    async fn start() -> Self {
        let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
        let key = MasterKey::generate().unwrap();
        let vault = Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key));
        let integrations = Integrations::builder(Arc::new(Instances::new()), vault)
            .vendor(OpenPhone::new().base_url(sandbox.base_url()))
            .build()
            .await
            .unwrap();
        let store = Arc::new(MemoryStore::new());
        let directory = IntegrationDirectory::new(integrations.clone())
            .vendor("openphone")
            .resuming(store.clone());
        let hook = SignupHook::new(store.clone(), directory.clone()).region(Region::US);
        Self {
            sandbox,
            integrations,
            directory,
            store,
            hook,
            acme: TenantId::from("acme"),
            events: Arc::default(),
        }
    }

    async fn saved(&self, settings: Settings) -> IntegrationId {
        let new = NewIntegration::new(Config::new(self.sandbox.api_key())).settings(settings);
        self.integrations.save(&self.acme, new).await.unwrap()
    }

    async fn connected(&self, settings: Settings) -> IntegrationId {
        let id = self.saved(settings).await;
        self.integrations.enable(&self.acme, id).await.unwrap();
        self.directory.refresh().await.unwrap();
        id
    }

    fn worker(&self) -> RunningWorker {
        let target = OpenPhoneTarget::new(self.directory.clients("openphone"))
            .mappings(self.directory.clone());
        let heard = Arc::clone(&self.events);
        Worker::new(self.store.clone())
            .target(Arc::new(target))
            // What goes on goes on because it was resumed.
            .retry(RetryPolicy::new().park_pause(Duration::from_hours(1)))
            .integrations(&self.directory)
            .on_event(move |event| heard.lock().unwrap().push(event.clone()))
            .start()
    }

    async fn signup(&self, signup: Signup) -> Receipt {
        let wait = self.hook.on_signup_wait(signup.tenant("acme"), PATIENCE);
        wait.await.unwrap()
    }

    async fn queued(&self, signup: Signup) {
        self.hook.on_signup(signup.tenant("acme")).await.unwrap();
    }

    /// Waits until so many attempts have ended.
    async fn attempts(&self, count: usize) {
        tokio::time::timeout(PATIENCE, async {
            while self.events.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }

    async fn client(&self) -> Result<Client, ClientUnavailable> {
        self.directory.clients("openphone").client(&self.acme).await
    }

    fn switch(&self) -> Reason {
        match self.directory.targets(&self.acme)[0].1 {
            Switch::Off(reason) => reason.into(),
            _ => Reason::Queued,
        }
    }
}

fn ann() -> Signup {
    Signup::new().name("Ann Lee").email("ann@example.com")
}

fn quiet() -> Settings {
    Settings::new()
        .auto_log_calls(false)
        .auto_log_messages(false)
}

#[tokio::test]
async fn a_signup_goes_to_what_the_tenant_has_connected() {
    let host = Host::start().await;
    let id = host.connected(quiet()).await;
    let _worker = host.worker();
    let receipt = host.signup(ann()).await;
    assert!(receipt.target("openphone").unwrap().integrated);
    let other = host.hook.on_signup(ann().tenant("other")).await.unwrap();
    assert_eq!(
        other.target("openphone").unwrap().reason,
        Some(Reason::NotConfigured)
    );
    let status = host.store.statuses().remove(0);
    assert_eq!(
        (status.integration, status.credentials),
        (Some(id), Some(1))
    );

    host.integrations.close().await;
    let logs = host
        .integrations
        .logs(&host.acme, LogFilter::default())
        .await;
    let logs = logs.unwrap();
    let created = logs.iter().find(|log| log.action == "contacts.create");
    let created = created.unwrap();
    assert_eq!(created.related_type.as_deref(), Some("contact"));
    assert_eq!(created.related_id, Some(receipt.contact.to_string()));
    assert_eq!(created.integration, Some(id));
}

#[tokio::test]
async fn each_state_has_its_answer() {
    let host = Host::start().await;
    assert_eq!(host.switch(), Reason::Queued, "before anybody has looked");
    host.directory.refresh().await.unwrap();
    assert_eq!(host.switch(), Reason::NotConfigured);
    assert_eq!(
        host.client().await.unwrap_err(),
        ClientUnavailable::NotConfigured
    );

    let id = host.saved(quiet()).await;
    host.directory.refresh().await.unwrap();
    assert_eq!(
        host.switch(),
        Reason::Disabled,
        "saved, and never switched on"
    );
    assert_eq!(
        host.client().await.unwrap_err(),
        ClientUnavailable::Disabled
    );

    host.integrations.enable(&host.acme, id).await.unwrap();
    assert!(
        host.client().await.is_ok(),
        "what it finds, it finds at once"
    );
    assert_eq!(host.switch(), Reason::Disabled, "an old answer");
    host.directory.refresh().await.unwrap();
    assert_eq!(host.switch(), Reason::Queued);

    host.sandbox.control().revoke_api_keys();
    host.integrations
        .test_connection(&host.acme, id)
        .await
        .unwrap();
    host.directory.refresh().await.unwrap();
    assert_eq!(
        host.switch(),
        Reason::Queued,
        "jobs wait, they are not skipped"
    );
    assert_eq!(host.client().await.unwrap_err(), ClientUnavailable::Paused);

    host.integrations.disable(&host.acme, id).await.unwrap();
    host.directory.refresh().await.unwrap();
    assert_eq!(host.switch(), Reason::Disabled);
    assert_eq!(
        host.client().await.unwrap_err(),
        ClientUnavailable::Disabled
    );

    host.integrations.delete(&host.acme, id).await.unwrap();
    assert_eq!(
        host.client().await.unwrap_err(),
        ClientUnavailable::NotConfigured
    );
    assert_eq!(host.switch(), Reason::NotConfigured);
}

#[tokio::test]
async fn jobs_of_a_broken_integration_wait_and_go_on_when_it_is_mended() {
    let host = Host::start().await;
    let id = host.connected(quiet()).await;
    host.sandbox.control().revoke_api_keys();
    let worker = host.worker();
    host.queued(ann()).await;
    host.attempts(1).await;
    let broken = host.integrations.get(&host.acme, id).await.unwrap();
    assert_eq!((broken.status, broken.needs_reauth), (Status::Error, true));
    host.queued(ann().email("lee@example.com")).await;
    host.attempts(2).await;
    host.directory.refresh().await.unwrap();
    assert_eq!(host.store.snapshot().await.unwrap().outcomes.parked, 2);

    let key = "0123456789abcdef0123456789abcdef";
    host.sandbox.control().add_api_key(key).unwrap();
    let patch = IntegrationPatch::new().config(Config::new(key));
    host.integrations
        .update(&host.acme, id, patch)
        .await
        .unwrap();
    host.integrations
        .test_connection(&host.acme, id)
        .await
        .unwrap();
    host.directory.refresh().await.unwrap();
    tokio::time::timeout(PATIENCE, worker.idle()).await.unwrap();
    assert_eq!(host.sandbox.control().contacts().len(), 2);
    let mended = host.integrations.get(&host.acme, id).await.unwrap();
    assert_eq!(mended.status, Status::Active);
}

#[tokio::test]
async fn what_was_mended_while_the_process_was_down_goes_on_at_the_first_look() {
    let mut host = Host::start().await;
    let id = host.connected(quiet()).await;
    host.sandbox.control().revoke_api_keys();
    let worker = host.worker();
    host.queued(ann()).await;
    host.attempts(1).await;
    worker.shutdown(PATIENCE).await;
    assert_eq!(host.store.snapshot().await.unwrap().outcomes.parked, 1);

    let key = "0123456789abcdef0123456789abcdef";
    host.sandbox.control().add_api_key(key).unwrap();
    let patch = IntegrationPatch::new().config(Config::new(key));
    let updated = host.integrations.update(&host.acme, id, patch).await;
    updated.unwrap();
    let tested = host.integrations.test_connection(&host.acme, id).await;
    tested.unwrap();

    // As after a restart: it has never looked.
    host.directory = IntegrationDirectory::new(host.integrations.clone())
        .vendor("openphone")
        .resuming(host.store.clone());
    host.directory.refresh().await.unwrap();
    let worker = host.worker();
    tokio::time::timeout(PATIENCE, worker.idle()).await.unwrap();
    assert_eq!(host.sandbox.control().contacts().len(), 1);
}

#[tokio::test]
async fn the_strict_road_moves_the_integration_as_the_main_road_does() {
    let host = Host::start().await;
    let id = host.connected(quiet()).await;
    let target = OpenPhoneTarget::new(host.directory.clients("openphone"));
    let crm = CrmHook::new(host.store.clone(), host.directory.clone())
        .target(Arc::new(target))
        .integrations(&host.directory);
    let create = async |email: &str| {
        let signup = ann().email(email).tenant("acme");
        crm.create(&signup, async |_| Ok::<_, ()>(())).await
    };
    let state = async || host.integrations.get(&host.acme, id).await.unwrap();

    let failed = CallResult::Failed {
        message: "away".to_owned(),
        retry_after: None,
    };
    let used = CredentialsVersion(1);
    let reported = host.integrations.report(&host.acme, id, used, failed).await;
    reported.unwrap();
    let before = state().await.last_sync_at;
    let (.., receipt) = create("ann@example.com").await.unwrap();
    assert!(
        state().await.last_sync_at > before,
        "it counts as a success"
    );

    host.sandbox.control().revoke_api_keys();
    create("lee@example.com").await.unwrap_err();
    let refused = state().await;
    assert_eq!(
        (refused.status, refused.needs_reauth),
        (Status::Error, true)
    );

    // The calls of a strict create are about its contact, too.
    host.integrations.close().await;
    let logs = host.integrations.logs(&host.acme, LogFilter::default());
    let logs = logs.await.unwrap();
    let created = logs.iter().find(|log| log.action == "contacts.create");
    let related = created.unwrap().related_id.clone();
    assert_eq!(related, Some(receipt.contact.to_string()));
}

#[tokio::test]
async fn what_is_switched_off_waits_too() {
    let host = Host::start().await;
    let id = host.connected(quiet()).await;
    host.queued(ann()).await;
    host.integrations.disable(&host.acme, id).await.unwrap();
    let worker = host.worker();
    host.attempts(1).await;
    host.directory.refresh().await.unwrap();
    assert_eq!(host.sandbox.control().contacts().len(), 0);
    host.integrations.enable(&host.acme, id).await.unwrap();
    host.directory.refresh().await.unwrap();
    tokio::time::timeout(PATIENCE, worker.idle()).await.unwrap();
    assert_eq!(host.sandbox.control().contacts().len(), 1);
}

#[tokio::test]
async fn the_settings_hold_the_field_map() {
    let host = Host::start().await;
    let control = host.sandbox.control();
    control.add_custom_field("Plan", "plan", CustomFieldKind::String);
    let map = json!({"fields": {"attribute:plan": "custom:Plan"}, "constants": {"source": "shop"}});
    let settings = quiet().contact_fields(map.as_object().unwrap().clone());
    let id = host.connected(settings).await;
    let worker = host.worker();
    host.signup(ann().attribute("plan", "basic")).await;
    let record = control.contacts().remove(0);
    assert_eq!(record["source"], "shop");
    assert_eq!(record["customFields"][0]["value"], "basic");

    // One that cannot be read stops nothing but the deliveries, and these wait.
    let patch = IntegrationPatch::new().setting("contact_fields", json!({"feilds": {}}));
    host.integrations
        .update(&host.acme, id, patch)
        .await
        .unwrap();
    host.directory.refresh().await.unwrap();
    let before = host.events.lock().unwrap().len();
    host.queued(ann().email("lee@example.com")).await;
    host.attempts(before + 1).await;
    let last = host.events.lock().unwrap().last().cloned().unwrap();
    assert!(
        matches!(last.progress, Progress::Retrying { .. }),
        "{last:?}"
    );
    assert_eq!(control.contacts().len(), 1);

    let patch = IntegrationPatch::new().setting("contact_fields", json!({}));
    host.integrations
        .update(&host.acme, id, patch)
        .await
        .unwrap();
    host.directory.refresh().await.unwrap();
    tokio::time::timeout(PATIENCE, worker.idle()).await.unwrap();
    assert_eq!(control.contacts().len(), 2, "it was mended");
}

#[tokio::test]
async fn who_comes_in_before_a_switch_is_seen_is_queued_when_it_is() {
    let host = Host::start().await;
    host.directory.refresh().await.unwrap();
    let id = host.saved(quiet()).await;
    host.integrations.enable(&host.acme, id).await.unwrap();
    let receipt = host.hook.on_signup(ann().tenant("acme")).await.unwrap();
    let reason = receipt.target("openphone").unwrap().reason;
    assert_eq!(reason, Some(Reason::NotConfigured), "an old answer");
    host.hook.on_signup(ann().tenant("other")).await.unwrap();
    let worker = host.worker();
    host.attempts(1).await;
    worker.idle().await;
    assert_eq!(host.sandbox.control().contacts().len(), 1);
}
