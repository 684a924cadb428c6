use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::ids::{Actor, EndpointId, IntegrationId, TemplateId, TenantId};
use crate::status::{CredentialsVersion, State};

/// A config as it is stored: sealed fields sealed, the rest readable. `Debug` shows the names of the fields.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct StoredConfig {
    /// Which set of credentials this is.
    pub version: CredentialsVersion,
    /// The fields that are no secret.
    pub readable: Map<String, Value>,
    /// The sealed fields, each an envelope of the vault bound to tenant, instance and field.
    pub sealed: BTreeMap<String, String>,
    /// The last four characters of those sealed fields that are longer than twelve, in the clear: what a settings
    /// page shows. They are kept so that a list opens no credential.
    pub hints: BTreeMap<String, String>,
}

impl StoredConfig {
    /// Makes a config without fields.
    pub fn new(version: CredentialsVersion) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }
}

impl fmt::Debug for StoredConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readable: Vec<_> = self.readable.keys().collect();
        let sealed: Vec<_> = self.sealed.keys().collect();
        f.debug_struct("StoredConfig")
            .field("version", &self.version)
            .field("readable", &readable)
            .field("sealed", &sealed)
            .finish_non_exhaustive()
    }
}

/// Where a vendor's webhooks for one instance arrive: one address, with every webhook that the vendor sends there.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredEndpoint {
    /// Its id, which stands in the public address.
    pub id: EndpointId,
    /// The public address the vendor calls.
    pub url: String,
    /// What the vendor has registered for it: none before the instance is enabled.
    pub webhooks: Vec<StoredWebhook>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl StoredEndpoint {
    /// Makes an endpoint for which nothing is registered yet.
    pub fn new(id: EndpointId, url: impl Into<String>, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            url: url.into(),
            webhooks: Vec::new(),
            created_at,
        }
    }
}

/// One webhook as the vendor knows it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredWebhook {
    /// The vendor's own id of it. Unique within the endpoint.
    pub vendor_webhook_id: String,
    /// Which events it brings.
    pub events: Vec<String>,
    /// The key its deliveries are verified with, sealed.
    pub secret: Option<String>,
}

impl StoredWebhook {
    /// Makes a record of a webhook without a key.
    pub fn new(vendor_webhook_id: impl Into<String>, events: Vec<String>) -> Self {
        Self {
            vendor_webhook_id: vendor_webhook_id.into(),
            events,
            secret: None,
        }
    }
}

/// An instance as a store keeps it: one row with its endpoints. What the host sees is the façade's view of it.
///
/// `Debug` shows what it is and where it stands, not what people filled in.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredIntegration {
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
    /// The newest config.
    pub config: StoredConfig,
    /// The config that is still in use until the newest has passed its test.
    pub serving: Option<StoredConfig>,
    /// What the tenant chose: no secrets.
    pub settings: Map<String, Value>,
    /// Whether it is the tenant's default for this vendor. A store keeps at most one per tenant and vendor: writing
    /// a second one takes it from the first, in the same transaction, and raises the version of the first.
    pub is_default: bool,
    /// Where it stands. [`State::version`] is the version of the whole row.
    pub state: State,
    /// When the next health check is due; none for never.
    pub next_check_at: Option<DateTime<Utc>>,
    /// The vendor's own name of the account.
    pub external_account_id: Option<String>,
    /// What tells this instance apart in payloads that all instances receive: a location, a phone number.
    pub source_ids: Vec<String>,
    /// Where its webhooks arrive.
    pub endpoints: Vec<StoredEndpoint>,
    /// What its last connection test brought to light: the vendor's answer, without secrets or personal data.
    pub last_test_data: Option<Value>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: Option<Actor>,
}

impl StoredIntegration {
    /// Makes an instance that has no config, no settings and no endpoint yet, changed last when it was made.
    pub fn new(
        id: IntegrationId,
        tenant: TenantId,
        template: TemplateId,
        vendor: impl Into<String>,
        name: impl Into<String>,
        state: State,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            tenant,
            template,
            vendor: vendor.into(),
            name: name.into(),
            description: None,
            config: StoredConfig::default(),
            serving: None,
            settings: Map::new(),
            is_default: false,
            state,
            next_check_at: None,
            external_account_id: None,
            source_ids: Vec::new(),
            endpoints: Vec::new(),
            last_test_data: None,
            created_at,
            updated_at: created_at,
            created_by: None,
        }
    }
}

impl fmt::Debug for StoredIntegration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredIntegration")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("vendor", &self.vendor)
            .field("status", &self.state.status)
            .field("version", &self.state.version)
            .finish_non_exhaustive()
    }
}
