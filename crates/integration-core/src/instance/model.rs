use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::ids::{Actor, EndpointId, IntegrationId, TemplateId, TenantId};
use crate::status::{CredentialsVersion, State};

/// A config as it is stored: sealed fields sealed, the rest readable.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StoredConfig {
    /// Which set of credentials this is.
    pub version: CredentialsVersion,
    /// The fields that are no secret.
    pub readable: Map<String, Value>,
    /// The sealed fields, each an envelope of the vault bound to tenant, instance and field.
    pub sealed: BTreeMap<String, String>,
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

/// An instance as a store keeps it: one row with its endpoints. What the host sees is the façade's view of it.
#[derive(Clone, Debug, PartialEq)]
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
    /// a second one takes it from the first, in the same transaction.
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
