//! One tenant's instance of a template: its config with sealed credentials, its settings, its state.

pub mod health;
mod model;
mod values;
mod vendor;

pub use model::{StoredConfig, StoredEndpoint, StoredIntegration, StoredWebhook};
pub use values::{ConfigValue, ConfigValues};
pub use vendor::{
    ConnectOptions, Health, RegisteredWebhook, TestReport, Vendor, VendorConfig, WebhookRequest,
};
