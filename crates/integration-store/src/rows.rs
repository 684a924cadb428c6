//! What the columns of the integrations hold, the same on both databases.

use chrono::{DateTime, Utc};
use integration_core::EndpointId;
use integration_core::instance::{StoredConfig, StoredEndpoint, StoredWebhook};
use integration_core::status::State;
use integration_core::store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

pub(crate) use crate::columns::{Id, Time, counter, lease_ttl, millis, word};
use crate::failure::corrupt;

/// Reads the enum that a word stands for.
pub(crate) fn from_word<T: DeserializeOwned>(word: String, column: &str) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word)).map_err(|_| corrupt(column))
}

/// The fields of a state that have columns of their own, by their names in [`State`]. Whatever else a state holds,
/// also what a later version adds to it, goes into the column `state`.
const OWN_COLUMNS: [&str; 11] = [
    "status",
    "is_active",
    "needs_reauth",
    "reason",
    "error_message",
    "consecutive_failures",
    "last_sync_at",
    "last_test",
    "paused_until",
    "credentials",
    "version",
];

/// Returns what of a state has no column of its own.
pub(crate) fn rest_of_state(state: &State) -> Map<String, Value> {
    match serde_json::to_value(state) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|name, _| !OWN_COLUMNS.contains(&name.as_str()));
            fields
        }
        _ => Map::new(),
    }
}

/// The columns of a state.
#[derive(Serialize)]
pub(crate) struct StateColumns {
    pub(crate) status: String,
    pub(crate) is_active: bool,
    pub(crate) needs_reauth: bool,
    pub(crate) reason: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) consecutive_failures: i64,
    pub(crate) last_sync_at: Option<DateTime<Utc>>,
    pub(crate) last_test: Option<TestColumns>,
    pub(crate) paused_until: Option<DateTime<Utc>>,
    pub(crate) credentials: u64,
    pub(crate) version: u64,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

#[derive(Serialize)]
pub(crate) struct TestColumns {
    pub(crate) at: DateTime<Utc>,
    pub(crate) ok: bool,
    pub(crate) message: String,
}

impl StateColumns {
    /// Puts the state together again.
    pub(crate) fn into_state(self) -> Result<State, StoreError> {
        serde_json::to_value(self)
            .and_then(serde_json::from_value)
            .map_err(|_| corrupt("state"))
    }
}

/// Which config a sealed field belongs to: the column `config` of `integration_secrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    Newest,
    Serving,
}

impl Which {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Serving => "serving",
        }
    }
}

/// A row of `integration_secrets`.
#[derive(Deserialize)]
pub(crate) struct SecretRow {
    config: Which,
    field: String,
    value: String,
}

/// A row of `integration_endpoints`.
#[derive(Deserialize)]
pub(crate) struct EndpointRow {
    id: Uuid,
    position: i64,
    url: String,
    created_at: DateTime<Utc>,
    /// Where there are none, PostgreSQL gives null.
    webhooks: Option<Nested<WebhookRow>>,
}

/// A row of `integration_webhooks`.
#[derive(Deserialize)]
struct WebhookRow {
    position: i64,
    vendor_webhook_id: String,
    events: Nested<String>,
    secret: Option<String>,
}

/// A list within JSON. SQLite nests one that lies in a column, or comes of another query, as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nested<T> {
    List(Vec<T>),
    Text(String),
}

impl<T: DeserializeOwned> Nested<T> {
    fn into_list(self, column: &str) -> Result<Vec<T>, StoreError> {
        match self {
            Self::List(list) => Ok(list),
            Self::Text(text) => serde_json::from_str(&text).map_err(|_| corrupt(column)),
        }
    }
}

/// A row of `integration_source_ids`.
#[derive(Deserialize)]
pub(crate) struct SourceRow {
    position: i64,
    source_id: String,
}

/// Puts the sealed fields into the configs that they belong to.
pub(crate) fn unite_secrets(
    secrets: Vec<SecretRow>,
    config: &mut StoredConfig,
    serving: Option<&mut StoredConfig>,
) -> Result<(), StoreError> {
    let mut serving = serving;
    for row in secrets {
        let config = match (row.config, serving.as_deref_mut()) {
            (Which::Newest, _) => &mut *config,
            (Which::Serving, Some(serving)) => serving,
            (Which::Serving, None) => return Err(corrupt("serving_version")),
        };
        config.sealed.insert(row.field, row.value);
    }
    Ok(())
}

/// Puts the webhooks into their endpoints, all in the order they were written in.
pub(crate) fn unite_endpoints(
    mut endpoints: Vec<EndpointRow>,
) -> Result<Vec<StoredEndpoint>, StoreError> {
    endpoints.sort_by_key(|row| row.position);
    endpoints.into_iter().map(endpoint).collect()
}

fn endpoint(row: EndpointRow) -> Result<StoredEndpoint, StoreError> {
    let mut endpoint = StoredEndpoint::new(EndpointId::from(row.id), row.url, row.created_at);
    let webhooks = row.webhooks.map(|webhooks| webhooks.into_list("webhooks"));
    let mut webhooks = webhooks.transpose()?.unwrap_or_default();
    webhooks.sort_by_key(|row| row.position);
    for row in webhooks {
        let mut webhook =
            StoredWebhook::new(row.vendor_webhook_id, row.events.into_list("events")?);
        webhook.secret = row.secret;
        endpoint.webhooks.push(webhook);
    }
    Ok(endpoint)
}

/// Returns the source ids in the order they were written in.
pub(crate) fn unite_sources(mut rows: Vec<SourceRow>) -> Vec<String> {
    rows.sort_by_key(|row| row.position);
    rows.into_iter().map(|row| row.source_id).collect()
}
