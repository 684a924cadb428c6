//! One tenant's instance of a template: its config with sealed credentials, its settings, its state.

pub mod health;

mod builder;
mod checks;
mod clients;
mod connection;
mod enable;
mod erased;
mod error;
mod input;
mod integrations;
mod model;
mod probe;
mod read;
mod remove;
mod rows;
mod save;
mod sealing;
mod templates;
mod values;
mod vendor;
mod view;
mod webhooks;

pub use builder::IntegrationsBuilder;
pub use clients::ActiveClient;
pub use error::{IntegrationError, NotActive};
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
