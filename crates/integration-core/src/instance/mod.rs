//! One tenant's instance of a template: its config with sealed credentials, its settings, its state.
//!
//! A vendor's crate implements [`Vendor`]; the host registers it with [`Integrations`], whose calls, in the order of an
//! instance's life, are these:
//!
//! | Step | Calls |
//! |---|---|
//! | start | [`builder`](Integrations::builder), [`check_vault`](Integrations::check_vault) |
//! | show a form | [`templates`](Integrations::templates), [`ConfigSchema::form_fields`](crate::template::ConfigSchema::form_fields) |
//! | try what was filled in | [`test_unsaved`](Integrations::test_unsaved), [`test_update`](Integrations::test_update) |
//! | save, change | [`save`](Integrations::save), [`update`](Integrations::update) |
//! | test | [`test_connection`](Integrations::test_connection) |
//! | switch on and off | [`enable`](Integrations::enable), [`disable`](Integrations::disable) |
//! | use | [`active_client`](Integrations::active_client) |
//! | report what came of a call | [`report`](Integrations::report) with [`status_signal`](crate::http::status_signal) |
//! | receive webhooks | [`endpoint`](Integrations::endpoint) |
//! | watch | [`health_checks`](Integrations::health_checks), [`get`](Integrations::get), [`history`](Integrations::history), [`logs`](Integrations::logs) |
//! | remove | [`delete`](Integrations::delete); [`uninstalled`](Integrations::uninstalled) and [`revoked`](Integrations::revoked) when the vendor says so |
//! | stop | [`RunningHealthChecks::shutdown`](health::RunningHealthChecks::shutdown), [`close`](Integrations::close) |
//!
//! # On a settings page
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
//! # In a worker
//!
//! A worker asks for the client before each piece of work, which costs one read, and reports what came of it. So the
//! state of the instance follows its calls, and a job whose integration does not run waits instead of failing.
//!
//! ```
//! # #[derive(Clone)]
//! # pub struct Client;
//! # impl Client {
//! #     async fn sync(&self) -> Result<(), connector_http::Error> { Ok(()) }
//! # }
//! use integration_core::http::{CallResult, status_signal};
//! use integration_core::instance::IntegrationError;
//! use integration_core::{IntegrationId, Integrations, TenantId};
//!
//! /// Returns whether the work is done. Otherwise it is to be tried again later.
//! async fn work(
//!     integrations: &Integrations,
//!     tenant: &TenantId,
//!     id: IntegrationId,
//! ) -> Result<bool, IntegrationError> {
//!     let acme = match integrations.active_client::<Client>(tenant, id).await {
//!         Ok(acme) => acme,
//!         Err(IntegrationError::NotActive(_)) => return Ok(false),
//!         Err(error) => return Err(error),
//!     };
//!     let outcome = acme.sync().await;
//!     let result = match &outcome {
//!         Ok(()) => CallResult::Works,
//!         Err(error) => status_signal(error),
//!     };
//!     integrations.report(tenant, id, acme.credentials, result).await?;
//!     Ok(outcome.is_ok())
//! }
//!
//! # async fn main_loop(integrations: Integrations) {
//! let checks = integrations.health_checks().start(); // in every process; one of them works
//! // … until the host stops:
//! checks.shutdown().await;
//! integrations.close().await; // writes what still waits for the log
//! # }
//! ```
//!
//! What it must not do: send anything by itself, which is the vendor's client's business, and tell a secret, which goes
//! from the vault into the vendor's config and nowhere else.

pub mod health;

// The order in which rustdoc shows what `Integrations` does: the life of an instance.
mod integrations;

mod save;

mod connection;

mod enable;

mod clients;

mod webhooks;

mod remove;

mod read;

mod builder;
mod checks;
mod draft;
mod erased;
mod error;
mod input;
#[cfg(feature = "vault-legacy")]
mod legacy;
mod model;
mod probe;
mod rows;
mod sealing;
mod templates;
mod unreadable;
mod values;
mod vendor;
mod view;

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
