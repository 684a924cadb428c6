//! What a host sees of an integration: everything but the secrets.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{StoredConfig, StoredEndpoint, StoredIntegration, StoredWebhook};
use crate::ids::{Actor, EndpointId, IntegrationId, TemplateId, TenantId};
use crate::status::{CredentialsVersion, LastTest, ReasonCode, Status};

/// One tenant's instance of a template, as a settings page shows it. It serialises, and holds no secret.
///
/// `Debug` shows what it is and where it stands, not what people filled in.
#[derive(Clone, PartialEq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a page shows each of them by itself"
)]
#[non_exhaustive]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which template it is.
    pub template: TemplateId,
    /// The template's name, which is also that of the vendor.
    pub vendor: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether a person wants it on. Jobs run only while it is on and [`Status::Active`].
    pub is_active: bool,
    /// Where it stands.
    pub status: Status,
    /// Whether a request to enable it waits for its test.
    pub enable_pending: bool,
    /// Whether only a person can mend it, by connecting the account again.
    pub needs_reauth: bool,
    /// Why it is in error or disconnected, for programs.
    pub reason: Option<ReasonCode>,
    /// Why it is in error, in a sentence for a person.
    pub error_message: Option<String>,
    /// The config, by field.
    pub config: BTreeMap<String, ConfigField>,
    /// The settings.
    pub settings: Map<String, Value>,
    /// Whether it is the tenant's default for this vendor. The setting `is_default` says the same.
    pub is_default: bool,
    /// Which credentials it has: the number to report the results of calls with.
    pub credentials: CredentialsVersion,
    /// Whether older credentials serve until the newest have passed their test.
    pub serves_older_credentials: bool,
    /// When it last became active, or a call last succeeded.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// The last connection test.
    pub last_test: Option<TestRecord>,
    /// No call is to be made before this time.
    pub paused_until: Option<DateTime<Utc>>,
    /// When the next health check is due.
    pub next_check_at: Option<DateTime<Utc>>,
    /// Where its webhooks arrive.
    pub endpoints: Vec<Endpoint>,
    /// The vendor's own name of the account.
    pub external_account_id: Option<String>,
    /// What tells it apart in payloads that all instances receive.
    pub source_ids: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: Option<Actor>,
}

impl Integration {
    pub(super) fn of(row: StoredIntegration, sealed: &[String]) -> Self {
        let settings = settings_of(&row);
        let config = fields(&row.config, sealed);
        let data = row.last_test_data;
        let state = row.state;
        Self {
            id: row.id,
            tenant: row.tenant,
            template: row.template,
            vendor: row.vendor,
            name: row.name,
            description: row.description,
            is_active: state.is_active,
            status: state.status,
            enable_pending: state.enable_pending,
            needs_reauth: state.needs_reauth,
            reason: state.reason,
            error_message: state.error_message,
            config,
            settings,
            is_default: row.is_default,
            credentials: state.credentials,
            serves_older_credentials: row.serving.is_some(),
            last_sync_at: state.last_sync_at,
            last_test: state.last_test.map(|test| TestRecord::of(test, data)),
            paused_until: state.paused_until,
            next_check_at: row.next_check_at,
            endpoints: row.endpoints.into_iter().map(Endpoint::of).collect(),
            external_account_id: row.external_account_id,
            source_ids: row.source_ids,
            created_at: row.created_at,
            updated_at: row.updated_at,
            created_by: row.created_by,
        }
    }

    /// Reads the settings as the vendor's own type. None when they are of another type.
    pub fn settings_as<S: DeserializeOwned>(&self) -> Option<S> {
        serde_json::from_value(Value::Object(self.settings.clone())).ok()
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("vendor", &self.vendor)
            .field("status", &self.status)
            .field("is_active", &self.is_active)
            .field("reason", &self.reason)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The settings as they are in force: a store moves the mark of the default from one row to another, and does not
/// look into the settings.
pub(super) fn settings_of(row: &StoredIntegration) -> Map<String, Value> {
    let mut settings = row.settings.clone();
    if let Some(mark) = settings.get_mut(super::IS_DEFAULT) {
        *mark = Value::Bool(row.is_default);
    }
    settings
}

fn fields(config: &StoredConfig, sealed: &[String]) -> BTreeMap<String, ConfigField> {
    let readable = config
        .readable
        .iter()
        .map(|(field, value)| (field.clone(), ConfigField::Readable(value.clone())));
    let unset = sealed
        .iter()
        .map(|field| (field.clone(), ConfigField::secret(false, None)));
    let set = config.sealed.keys().map(|field| {
        let hint = config.hints.get(field).cloned();
        (field.clone(), ConfigField::secret(true, hint))
    });
    readable.chain(unset).chain(set).collect()
}

/// One field of a config. `Debug` shows which of the two it is.
///
/// It serialises as the value itself, or as `{"set": true, "last_four": "9f3c"}`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigField {
    /// A field that may be read.
    Readable(Value),
    /// A secret, of which no more is told.
    #[non_exhaustive]
    Secret {
        /// Whether there is one.
        set: bool,
        /// Its last four characters, if it is longer than twelve.
        last_four: Option<String>,
    },
}

impl ConfigField {
    fn secret(set: bool, last_four: Option<String>) -> Self {
        Self::Secret { set, last_four }
    }
}

impl Serialize for ConfigField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        match self {
            Self::Readable(value) => value.serialize(serializer),
            Self::Secret { set, last_four } => {
                let mut secret = serializer.serialize_struct("Secret", 2)?;
                secret.serialize_field("set", set)?;
                secret.serialize_field("last_four", last_four)?;
                secret.end()
            }
        }
    }
}

impl fmt::Debug for ConfigField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readable(_) => "readable",
            Self::Secret { set: true, .. } => "secret, set",
            Self::Secret { set: false, .. } => "secret, not set",
        })
    }
}

/// What came of a connection test.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConnectionTest {
    /// Whether the vendor accepted the credentials.
    pub success: bool,
    /// A sentence for a person.
    pub message: String,
    /// What the vendor said, for programs: without secrets and without personal data.
    pub data: Option<Value>,
}

impl ConnectionTest {
    pub(super) fn passed(message: String, data: Option<Value>) -> Self {
        Self {
            success: true,
            message,
            data,
        }
    }

    pub(super) fn failed(message: String) -> Self {
        Self {
            success: false,
            message,
            data: None,
        }
    }
}

/// The last connection test of an instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TestRecord {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// What came of it.
    #[serde(flatten)]
    pub result: ConnectionTest,
}

impl TestRecord {
    fn of(test: LastTest, data: Option<Value>) -> Self {
        Self {
            at: test.at,
            result: ConnectionTest {
                success: test.ok,
                message: test.message,
                data,
            },
        }
    }
}

/// Where webhooks of an instance arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// Its id, which stands in the address.
    pub id: EndpointId,
    /// The public address.
    pub url: String,
    /// What the vendor has registered for it.
    pub webhooks: Vec<Webhook>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Endpoint {
    fn of(stored: StoredEndpoint) -> Self {
        Self {
            id: stored.id,
            url: stored.url,
            webhooks: stored.webhooks.into_iter().map(Webhook::of).collect(),
            created_at: stored.created_at,
        }
    }
}

/// One webhook as the vendor has registered it, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Webhook {
    /// The vendor's own id of it.
    pub vendor_webhook_id: String,
    /// Which events it brings, in the vendor's words.
    pub events: Vec<String>,
    /// Whether there is a key to verify its deliveries with.
    pub has_secret: bool,
}

impl Webhook {
    fn of(stored: StoredWebhook) -> Self {
        Self {
            vendor_webhook_id: stored.vendor_webhook_id,
            events: stored.events,
            has_secret: stored.secret.is_some(),
        }
    }
}

/// An endpoint with the keys that its deliveries are verified with: for the code that receives webhooks, and for
/// nobody else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// The instance it belongs to.
    pub integration: Integration,
    /// Its id.
    pub id: EndpointId,
    /// The keys, one for each webhook that has one. Without any, nothing is to be accepted.
    pub secrets: Vec<WebhookSecret>,
}

/// The key of one webhook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebhookSecret {
    /// The vendor's own id of the webhook.
    pub vendor_webhook_id: String,
    /// The key.
    pub secret: SecretString,
}

impl WebhookSecret {
    pub(super) fn new(vendor_webhook_id: &str, secret: SecretString) -> Self {
        Self {
            vendor_webhook_id: vendor_webhook_id.to_owned(),
            secret,
        }
    }
}

/// What was done at the vendor when an integration was deleted or taken away, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removal {
    /// The vendor's ids of webhooks that are registered no more.
    pub removed: Vec<String>,
    /// The vendor's ids of webhooks that may still be registered, and have to be removed by hand. Their deliveries
    /// are not accepted.
    pub left: Vec<String>,
    /// Why they were left, in a sentence for a person.
    pub reason: Option<String>,
}
