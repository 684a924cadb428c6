//! OpenPhone, as `integration_core` knows vendors.

use async_trait::async_trait;
use connector_http::Error;
use integration_core::instance::{
    ConnectOptions, Health, RegisteredWebhook, TestReport, Vendor, VendorConfig as _,
    WebhookRequest,
};
use integration_core::template::NewTemplate;
use serde_json::json;

use super::config::Config;
use super::registration;
use super::settings::Settings;
use crate::client::Client;
use crate::ids::PhoneNumberId;

/// OpenPhone, for the host to register. All tenants' instances share it.
#[derive(Clone, Debug, Default)]
pub struct OpenPhone {
    base_url: Option<String>,
}

impl OpenPhone {
    /// Takes the vendor at its usual address.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the vendor at another address: a proxy, a sandbox on loopback.
    ///
    /// Only the host says this, for all instances, and no config holds it: a tenant who could choose the address
    /// could have the host call its own network, and read the answers in test results and logs.
    ///
    /// What is wrong with it, [`connect`](Vendor::connect) says.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }
}

#[async_trait]
impl Vendor for OpenPhone {
    type Config = Config;
    type Settings = Settings;
    type Client = Client;

    fn template(&self) -> NewTemplate {
        NewTemplate::new(Config::VENDOR, "OpenPhone (Quo)", "phone")
            .description("Calls, text messages and contacts of an OpenPhone workspace. OpenPhone is called Quo since 2025.")
            .icon("phone")
            .api_version("v1")
            .setup_instructions(include_str!("setup.md"))
    }

    fn connect(&self, config: &Config, options: &ConnectOptions) -> Result<Client, Error> {
        let mut builder = Client::builder().api_key(config.api_key.clone());
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        options.apply(builder).build()
    }

    async fn test_connection(&self, client: &Client) -> Result<TestReport, Error> {
        let count = client.test_connection().await?.phone_numbers;
        let numbers = match count {
            0 => "no phone number yet".to_owned(),
            1 => "1 phone number".to_owned(),
            more => format!("{more} phone numbers"),
        };
        let message = format!("Connected. The workspace has {numbers}.");
        Ok(TestReport::new(message).data(json!({ "phone_numbers": count })))
    }

    /// The phone number, if the settings name one: payloads carry its id.
    fn source_ids(&self, _config: &Config, settings: &Settings) -> Vec<String> {
        let number = settings.phone_number();
        number.map(PhoneNumberId::into_string).into_iter().collect()
    }

    /// Registers one webhook per family of events, and takes back those that the settings no longer ask for, and those
    /// of an earlier address. Webhooks there that API v1 cannot register, made by a person, stay and are returned too.
    async fn ensure_webhooks(
        &self,
        client: &Client,
        settings: &Settings,
        request: &WebhookRequest,
    ) -> Result<Vec<RegisteredWebhook>, Error> {
        registration::ensure(client, settings, request).await
    }

    /// Tries all of them; the first error is returned.
    async fn remove_webhooks(
        &self,
        client: &Client,
        vendor_webhook_ids: &[String],
    ) -> Result<(), Error> {
        registration::remove(client, vendor_webhook_ids).await
    }

    fn health(&self) -> Health {
        Health::Probe
    }
}
