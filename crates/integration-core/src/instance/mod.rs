//! One tenant's instance of a template: its config with sealed credentials, its settings, its state.
//!
//! A vendor's crate implements [`Vendor`]; the host registers it with [`Integrations`], and a settings page is a few
//! lines:
//!
//! ```
//! # use std::sync::Arc;
//! # use integration_core::instance::{ConfigValues, ConnectOptions, TestReport, Vendor, VendorConfig};
//! # use integration_core::template::NewTemplate;
//! # use secrecy::SecretString;
//! # mod acme {
//! #     use super::*;
//! #     #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #     pub struct Config {
//! #         #[schemars(schema_with = "integration_core::template::sealed")]
//! #         api_key: SecretString,
//! #     }
//! #     impl Config {
//! #         pub fn new(key: &str) -> Self { Self { api_key: key.into() } }
//! #     }
//! #     impl VendorConfig for Config {
//! #         const VENDOR: &'static str = "acme";
//! #         fn into_values(self) -> ConfigValues { ConfigValues::new().secret("api_key", self.api_key) }
//! #     }
//! #     #[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Default)]
//! #     pub struct Settings {}
//! #     #[derive(Clone)]
//! #     pub struct Client;
//! #     #[derive(Debug)]
//! #     pub struct Acme;
//! #     #[async_trait::async_trait]
//! #     impl Vendor for Acme {
//! #         type Config = Config;
//! #         type Settings = Settings;
//! #         type Client = Client;
//! #         fn template(&self) -> NewTemplate { NewTemplate::new("acme", "Acme", "phone") }
//! #         fn connect(&self, _: &Config, _: &ConnectOptions) -> Result<Client, connector_http::Error> { Ok(Client) }
//! #         async fn test_connection(&self, _: &Client) -> Result<TestReport, connector_http::Error> {
//! #             Ok(TestReport::new("Connected."))
//! #         }
//! #     }
//! # }
//! # use acme::{Acme, Client, Config};
//! use integration_core::status::Status;
//! use integration_core::store::MemoryStore;
//! use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
//! use integration_core::{Integrations, TenantId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let vault = Vault::new(Keyring::new(KeyId::new("k1")?, MasterKey::generate()?));
//! let integrations = Integrations::builder(Arc::new(MemoryStore::new()), vault)
//!     .vendor(Acme)
//!     .build()
//!     .await?;
//!
//! let tenant = &TenantId::from("umbrella");
//! let test = integrations.test_unsaved(tenant, Config::new("a-key")).await?;
//! assert!(test.success, "{}", test.message);
//! let id = integrations.save(tenant, Config::new("a-key")).await?;
//! let client: Client = integrations.client(tenant, id).await?; // to list what there is to choose from
//! # drop(client);
//! let enabled = integrations.enable(tenant, id).await?; // tests again, registers webhooks once
//! assert_eq!(enabled.status, Status::Active);
//! # Ok(())
//! # }
//! ```
//!
//! What it must not do: send anything by itself, which is the vendor's client's business, and tell a secret, which goes
//! from the vault into the vendor's config and nowhere else.

pub mod health;

mod builder;
mod checks;
mod clients;
mod connection;
mod draft;
mod enable;
mod erased;
mod error;
mod input;
mod integrations;
#[cfg(feature = "vault-legacy")]
mod legacy;
mod model;
mod probe;
mod read;
mod remove;
mod rows;
mod save;
mod sealing;
mod templates;
mod unreadable;
mod values;
mod vendor;
mod view;
mod webhooks;

pub use builder::IntegrationsBuilder;
pub use clients::ActiveClient;
pub use error::{IntegrationError, Missing, NotActive};
pub use input::{Form, IntegrationPatch, NewIntegration};
pub use integrations::Integrations;
pub use model::{StoredConfig, StoredEndpoint, StoredIntegration, StoredWebhook};
pub use values::{ConfigValue, ConfigValues};
pub use vendor::{
    ConnectOptions, Health, RegisteredWebhook, TestReport, Vendor, VendorConfig, WebhookRequest,
};
pub use view::{
    ConfigField, ConnectionTest, Endpoint, Integration, Removal, TestRecord, Webhook,
    WebhookEndpoint, WebhookSecret,
};

/// The setting that marks a tenant's default instance of a vendor.
const IS_DEFAULT: &str = "is_default";
