use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use integration_core::instance::{StoredConfig, StoredEndpoint, StoredIntegration, StoredWebhook};
use integration_core::status::{CredentialsVersion, HistoryEntry, State, Status};
use integration_core::store::{IntegrationLog, LogStatus};
use integration_core::template::{IntegrationTemplate, NewTemplate};
use integration_core::{Actor, EndpointId, IntegrationId, LogId, Scope, TemplateId, TenantId};
use serde_json::json;

use super::Ports;

pub(crate) const EVERYBODY: Scope = Scope::Administrator;

/// A moment, by the microsecond, so many seconds after the start of the tests' time.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
        + TimeDelta::seconds(seconds)
        + TimeDelta::microseconds(123_456)
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::from(name)
}

/// A template with nothing but what it must have.
pub(crate) fn plain_template(name: &str) -> IntegrationTemplate {
    let words = NewTemplate::new(name, name.to_uppercase(), "phone");
    IntegrationTemplate::new(TemplateId::generate(), words, at(0))
}

/// A template with everything it can have.
pub(crate) fn full_template(name: &str) -> IntegrationTemplate {
    let words = NewTemplate::new(name, "Open Phone", "phone")
        .description("Calls and messages.")
        .icon("phone.svg")
        .active(false)
        .config_schema(json!({"type": "object", "properties": {"api_key": {"x-sealed": true}}}))
        .settings_schema(json!({"type": "object", "maxProperties": 3, "default": [1.5, null, -7]}))
        .setup_instructions("# First\n\nGo to *Settings*.")
        .webhook_url("https://host.example/hook")
        .api_version("v1")
        .created_by(Actor::from("root"));
    let mut template = IntegrationTemplate::new(TemplateId::generate(), words, at(0));
    template.updated_at = at(5);
    template
}

pub(crate) fn state(status: Status, version: u64) -> State {
    serde_json::from_value(json!({
        "status": status,
        "is_active": false,
        "enable_pending": false,
        "needs_reauth": false,
        "consecutive_failures": 0,
        "credentials": 1,
        "version": version,
    }))
    .unwrap()
}

/// An instance with nothing but what it must have.
pub(crate) fn plain(tenant: &str, template: &IntegrationTemplate) -> StoredIntegration {
    StoredIntegration::new(
        IntegrationId::generate(),
        TenantId::from(tenant),
        template.id,
        &template.name,
        "Front desk",
        state(Status::Pending, 1),
        at(10),
    )
}

/// An instance with everything it can have.
pub(crate) fn full(tenant: &str, template: &IntegrationTemplate) -> StoredIntegration {
    let mut row = plain(tenant, template);
    row.description = Some("The line of the front desk.".to_owned());
    row.config = config(
        7,
        &[
            ("api_key", "icv1.new.key"),
            ("api_secret", "icv1.new.secret"),
        ],
    );
    row.serving = Some(config(6, &[("api_key", "icv1.old.key")]));
    row.settings = json!({"phone_number_id": "PN1", "auto_log": true, "nested": {"a": [1, 2]}})
        .as_object()
        .unwrap()
        .clone();
    row.is_default = true;
    row.state = serde_json::from_value(json!({
        "status": "error",
        "is_active": true,
        "enable_pending": true,
        "needs_reauth": true,
        "reason": "auth_refused",
        "error_message": "The vendor refused the key.",
        "consecutive_failures": 4,
        "failing_since": at(40),
        "last_sync_at": at(30),
        "last_test": {"at": at(31), "ok": false, "message": "401"},
        "paused_until": at(60),
        "credentials": 7,
        "refused": 6,
        "version": 12,
    }))
    .unwrap();
    row.next_check_at = Some(at(90));
    row.external_account_id = Some("ACME-1".to_owned());
    row.source_ids = ["LOC-2", "LOC-1", "LOC-3"].map(str::to_owned).to_vec();
    row.endpoints = vec![endpoint("one"), endpoint("two")];
    row.last_test_data = Some(json!({"phone_numbers": 3}));
    row.updated_at = at(50);
    row.created_by = Some(Actor::from("user-1"));
    row
}

pub(crate) fn config(version: u64, sealed: &[(&str, &str)]) -> StoredConfig {
    let mut config = StoredConfig::new(CredentialsVersion(version));
    config.readable.insert("region".to_owned(), json!("eu"));
    for (field, value) in sealed {
        config
            .sealed
            .insert((*field).to_owned(), (*value).to_owned());
        config.hints.insert((*field).to_owned(), "1234".to_owned());
    }
    config
}

/// An endpoint with two webhooks, one of which has a key.
pub(crate) fn endpoint(name: &str) -> StoredEndpoint {
    let url = format!("https://host.example/hooks/{name}");
    let mut endpoint = StoredEndpoint::new(EndpointId::generate(), url, at(20));
    let events = ["message.received", "call.completed"]
        .map(str::to_owned)
        .to_vec();
    let mut keyed = StoredWebhook::new(format!("WH-{name}-b"), events);
    keyed.secret = Some(format!("icv1.hook.{name}"));
    endpoint.webhooks = vec![
        keyed,
        StoredWebhook::new(format!("WH-{name}-a"), Vec::new()),
    ];
    endpoint
}

pub(crate) fn entry(version: u64, to: Status, event: &str) -> HistoryEntry {
    serde_json::from_value(json!({
        "at": at(100),
        "from": null,
        "to": to,
        "event": event,
        "version": version,
    }))
    .unwrap()
}

pub(crate) fn log(tenant: &str, provider: &str, seconds: i64) -> IntegrationLog {
    IntegrationLog::new(
        LogId::generate(),
        TenantId::from(tenant),
        provider,
        "contacts.create",
        LogStatus::Pending,
        at(seconds),
    )
}

/// Writes a template.
pub(crate) async fn with_template(store: &dyn Ports, name: &str) -> IntegrationTemplate {
    let template = plain_template(name);
    store.insert_template(&template).await.unwrap();
    template
}

/// Writes an instance.
pub(crate) async fn with(store: &dyn Ports, row: StoredIntegration) -> StoredIntegration {
    store.insert_integration(&row, &[]).await.unwrap();
    row
}

/// Reads an instance that is there.
pub(crate) async fn read(store: &dyn Ports, id: IntegrationId) -> StoredIntegration {
    store.integration(&EVERYBODY, id).await.unwrap().unwrap()
}

/// Returns the ids of instances.
pub(crate) fn ids(rows: &[StoredIntegration]) -> Vec<IntegrationId> {
    rows.iter().map(|row| row.id).collect()
}
