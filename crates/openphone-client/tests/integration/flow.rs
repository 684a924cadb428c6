//! An instance's life through the façade, on a store in memory, against the simulated vendor.

use std::sync::Arc;

use connector_http::{Timer as _, TokioTimer};
use integration_core::instance::{IntegrationPatch, NewIntegration};
use integration_core::status::Status;
use integration_core::store::MemoryStore;
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use integration_core::{IntegrationId, Integrations, Scope, TenantId};
use openphone_client::integration::{Config, OpenPhone, Settings};
use openphone_client::webhooks::{Event, EventKind, Verifier};
use openphone_client::{Client, ListPhoneNumbers, ListWebhooks};
use serde_json::json;
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::CallEnd;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const THEM: &str = "+12025550117";

/// A host with one vendor, and where its webhooks arrive.
struct Host {
    sandbox: Sandbox,
    inbox: MockServer,
    integrations: Integrations,
    acme: Scope,
}

impl Host {
    async fn start() -> Self {
        let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
        let inbox = MockServer::start().await;
        let answer = ResponseTemplate::new(200);
        Mock::given(any()).respond_with(answer).mount(&inbox).await;
        let key = MasterKey::generate().unwrap();
        let vault = Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key));
        let integrations = Integrations::builder(Arc::new(MemoryStore::new()), vault)
            .vendor(OpenPhone::new().base_url(sandbox.base_url()))
            .webhook_base_url(format!("{}/webhooks", inbox.uri()).parse().unwrap())
            .build()
            .await
            .unwrap();
        Self {
            sandbox,
            inbox,
            integrations,
            acme: Scope::from(TenantId::from("acme")),
        }
    }

    fn config(&self) -> Config {
        Config::new(self.sandbox.api_key())
    }

    async fn saved(&self, settings: Settings) -> IntegrationId {
        let new = NewIntegration::new(self.config()).settings(settings);
        self.integrations.save(&self.acme, new).await.unwrap()
    }

    async fn enabled(&self, settings: Settings) -> IntegrationId {
        let id = self.saved(settings).await;
        let enabled = self.integrations.enable(&self.acme, id).await.unwrap();
        assert_eq!((enabled.status, enabled.is_active), (Status::Active, true));
        id
    }

    /// The ids of the webhooks that the vendor has.
    async fn registered(&self) -> Vec<String> {
        let client = Client::builder()
            .api_key(self.sandbox.api_key())
            .base_url(self.sandbox.base_url())
            .build()
            .unwrap();
        let webhooks = client.webhooks().list(&ListWebhooks::new()).await.unwrap();
        let ids = webhooks.into_iter().map(|webhook| webhook.id.into_string());
        ids.collect()
    }
}

#[tokio::test]
async fn what_a_settings_page_does() {
    let host = Host::start().await;
    let (integrations, acme) = (&host.integrations, &host.acme);
    let templates = integrations.templates(acme).await.unwrap();
    assert!(templates.iter().any(|it| it.template.name == "openphone"));

    let wrong = Config::new("c4nary0123456789abcdef0123456789");
    let test = integrations.test_unsaved(acme, wrong).await.unwrap();
    assert!(!test.success && !test.message.contains("c4nary"));
    let test = integrations.test_unsaved(acme, host.config()).await;
    let test = test.unwrap();
    assert_eq!(
        test.message,
        "Connected. The workspace has 2 phone numbers."
    );
    assert_eq!(test.data, Some(json!({ "phone_numbers": 2 })));

    let number = host.sandbox.phone_number_id();
    let settings = Settings::new()
        .phone_number_id(number.as_str())
        .is_default(true);
    let id = host.saved(settings.clone()).await;
    let saved = integrations.get(acme, id).await.unwrap();
    assert_eq!((saved.status, saved.is_default), (Status::Pending, true));
    assert_eq!(saved.settings_as::<Settings>(), Some(settings));
    let shown = format!("{saved:?} {}", serde_json::to_string(&saved).unwrap());
    assert!(!shown.contains(host.sandbox.api_key()));

    let client: Client = integrations.client(acme, id).await.unwrap();
    let numbers = client.phone_numbers().list(&ListPhoneNumbers::new()).await;
    assert_eq!(numbers.unwrap().len(), 2);
    let found = integrations
        .find_by_source(acme, "openphone", &number)
        .await;
    assert_eq!(
        found.unwrap().iter().map(|it| it.id).collect::<Vec<_>>(),
        [id]
    );

    integrations.enable(acme, id).await.unwrap();
    host.sandbox.control().revoke_api_keys();
    let test = integrations.test_connection(acme, id).await.unwrap();
    assert!(!test.success);
    let broken = integrations.get(acme, id).await.unwrap();
    assert_eq!(broken.status, Status::Error);
    assert!(broken.error_message.is_some());
}

#[tokio::test]
async fn deliveries_are_verified_with_the_keys_that_enabling_brought() {
    let host = Host::start().await;
    let id = host.enabled(Settings::new()).await;
    let again = host.integrations.enable(&host.acme, id).await.unwrap();
    assert_eq!(host.registered().await.len(), 2);
    let endpoint = again.endpoints.first().unwrap();
    assert_eq!(endpoint.webhooks.len(), 2);
    assert!(endpoint.webhooks.iter().all(|webhook| webhook.has_secret));

    let control = host.sandbox.control();
    let us = host.sandbox.phone_number();
    control.place_inbound_text(THEM, us, "hello").unwrap();
    control
        .place_inbound_call(THEM, us, CallEnd::Missed)
        .unwrap();
    control.webhooks_settled().await;

    let mut names = Vec::new();
    for delivery in host.inbox.received_requests().await.unwrap() {
        let to = delivery.url.path().strip_prefix("/webhooks/").unwrap();
        let to = to.parse().unwrap();
        let endpoint = host.integrations.endpoint(Scope::Administrator, to).await;
        let endpoint = endpoint.unwrap();
        assert_eq!(endpoint.integration.id, id);
        let keys = endpoint.secrets.into_iter().map(|key| key.secret);
        let verifier = Verifier::new(keys).unwrap();
        let genuine = verifier.verify(&delivery.headers, &delivery.body, TokioTimer.utc_now());
        let event = Event::parse(&genuine.unwrap()).unwrap();
        if let EventKind::CallCompleted(call) = &event.kind {
            assert!(call.was_missed());
        }
        names.push(event.kind.name().to_owned());
    }
    names.sort();
    assert_eq!(names, ["call.completed", "message.received"]);
}

#[tokio::test]
async fn webhooks_follow_the_settings_and_go_with_the_instance() {
    let host = Host::start().await;
    let id = host.enabled(Settings::new()).await;
    let before = host.registered().await;
    assert_eq!(before.len(), 2);

    let patch = IntegrationPatch::new().setting("auto_log_calls", false);
    let integrations = &host.integrations;
    let updated = integrations.update(&host.acme, id, patch).await.unwrap();
    let kept = host.registered().await;
    assert_eq!(kept.len(), 1);
    assert!(before.contains(kept.first().unwrap()));
    let webhooks = &updated.endpoints.first().unwrap().webhooks;
    let ids: Vec<_> = webhooks.iter().map(|it| &it.vendor_webhook_id).collect();
    assert_eq!(ids, kept.iter().collect::<Vec<_>>());

    let removal = integrations.delete(&host.acme, id).await.unwrap();
    assert_eq!((removal.removed, removal.left), (kept, Vec::new()));
    assert!(host.registered().await.is_empty());
}
