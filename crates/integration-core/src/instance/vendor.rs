use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_http::{HttpBuilder, Observer, SharedLimits, Transport};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::ConfigValues;
pub use crate::status::Health;

/// What a tenant fills in to connect a vendor. Its JSON Schema becomes the form; its sealed fields are
/// `SecretString`s whose schema is [`template::sealed`](crate::template).
///
/// The fields are one level deep, so that each can be shown, merged and sealed by its name.
pub trait VendorConfig: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The vendor's name, which is also that of its template: `openphone`.
    const VENDOR: &'static str;

    /// Takes the config apart, field by field, under the names that it deserialises from.
    fn into_values(self) -> ConfigValues;
}

/// What is known of one vendor: its template, how to connect, how to test. A vendor's crate implements it; the host
/// registers it.
///
/// Every error is that of the client, so that it says what happened and how to go on.
#[async_trait]
pub trait Vendor: Send + Sync + fmt::Debug + 'static {
    /// What a tenant fills in to connect.
    type Config: VendorConfig;
    /// What a tenant chooses once it is connected. It holds no secret. A boolean field `is_default` marks the
    /// tenant's default instance of this vendor, of which there is at most one.
    type Settings: DeserializeOwned + Serialize + JsonSchema + Default + Send + Sync + 'static;
    /// The client. Cheap to clone.
    type Client: Clone + Send + Sync + 'static;

    /// Returns the template that is seeded for it: words, category and version. The schemas are derived from
    /// [`Config`](Self::Config) and [`Settings`](Self::Settings).
    fn template(&self) -> crate::template::NewTemplate;

    /// Builds a client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// When the config cannot be used as it is.
    fn connect(
        &self,
        config: &Self::Config,
        options: &ConnectOptions,
    ) -> Result<Self::Client, connector_http::Error>;

    /// Tests whether the credentials work, with one cheap read.
    ///
    /// # Errors
    ///
    /// Those of the read.
    async fn test_connection(
        &self,
        client: &Self::Client,
    ) -> Result<TestReport, connector_http::Error>;

    /// Returns what tells an instance apart in payloads that all instances receive: a location, a phone number. The
    /// default is nothing.
    fn source_ids(&self, config: &Self::Config, settings: &Self::Settings) -> Vec<String> {
        let _ = (config, settings);
        Vec::new()
    }

    /// Sees to it that the vendor calls `request.url` for the events that the settings ask for: registers what is
    /// missing and never anything twice, also when an earlier attempt was cut off before its result was stored.
    /// Returns all webhooks of that address. The default, for vendors whose webhooks are set up by hand, is nothing.
    ///
    /// # Errors
    ///
    /// Those of the calls.
    async fn ensure_webhooks(
        &self,
        client: &Self::Client,
        settings: &Self::Settings,
        request: &WebhookRequest,
    ) -> Result<Vec<RegisteredWebhook>, connector_http::Error> {
        let _ = (client, settings, request);
        Ok(Vec::new())
    }

    /// Takes webhooks back. One that the vendor no longer has counts as taken back. The default does nothing.
    ///
    /// # Errors
    ///
    /// Those of the calls.
    async fn remove_webhooks(
        &self,
        client: &Self::Client,
        vendor_webhook_ids: &[String],
    ) -> Result<(), connector_http::Error> {
        let _ = (client, vendor_webhook_ids);
        Ok(())
    }

    /// Returns how the health of an instance is found out. The default is a regular [`Health::Probe`].
    fn health(&self) -> Health {
        Health::Probe
    }
}

/// What a client is built with, besides its config. [`apply`](Self::apply) hands all of it on.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Names the account whose rate limits its calls count against.
    pub account: Option<String>,
    /// Rate limits that are shared with other clients.
    pub limits: Option<SharedLimits>,
    /// Who hears about every attempt.
    pub observer: Option<Arc<dyn Observer>>,
    /// The transport, if not the usual one: the seam for tests.
    pub transport: Option<Arc<dyn Transport>>,
}

impl ConnectOptions {
    /// Sets all of them on a builder: that of `connector_http`, or a vendor's own.
    ///
    /// ```
    /// use connector_http::{Client, Error};
    /// use integration_core::instance::ConnectOptions;
    ///
    /// fn connect(options: &ConnectOptions) -> Result<Client, Error> {
    ///     let builder = Client::builder("acme").base_url("https://api.example.com");
    ///     options.apply(builder).build()
    /// }
    /// # connect(&ConnectOptions::default()).unwrap();
    /// ```
    pub fn apply<B: HttpBuilder>(&self, builder: B) -> B {
        let Self {
            account,
            limits,
            observer,
            transport,
        } = self.clone();
        builder.with_http(|mut http| {
            if let Some(account) = account {
                http = http.account(account);
            }
            if let Some(limits) = limits {
                http = http.limits(limits);
            }
            if let Some(observer) = observer {
                http = http.observer(observer);
            }
            if let Some(transport) = transport {
                http = http.transport(transport);
            }
            http
        })
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// What a connection test brought to light.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TestReport {
    /// A sentence for a person: "Connected. The workspace has 3 phone numbers."
    pub message: String,
    /// What the vendor said, for programs: without secrets and without personal data.
    pub data: Option<Value>,
    /// The vendor's own name of the account, where it tells.
    pub account_id: Option<String>,
}

impl TestReport {
    /// Makes a report.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
            account_id: None,
        }
    }

    /// Adds what the vendor said, for programs: without secrets and without personal data.
    pub fn data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// Adds the vendor's own name of the account.
    pub fn account_id(mut self, id: impl Into<String>) -> Self {
        self.account_id = Some(id.into());
        self
    }
}

/// Where webhooks are wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebhookRequest {
    /// The public address, which is of this instance alone.
    pub url: Url,
    /// What was registered for it before, as far as it was stored.
    pub registered: Vec<RegisteredWebhook>,
}

impl WebhookRequest {
    /// Asks for webhooks at this address.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            registered: Vec::new(),
        }
    }
}

/// One webhook as the vendor has registered it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegisteredWebhook {
    /// The vendor's own id of it.
    pub vendor_webhook_id: String,
    /// Which events it brings, in the vendor's words.
    pub events: Vec<String>,
    /// The key its deliveries are verified with.
    pub secret: Option<SecretString>,
}

impl RegisteredWebhook {
    /// Makes a record of a webhook.
    pub fn new(
        vendor_webhook_id: impl Into<String>,
        events: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            vendor_webhook_id: vendor_webhook_id.into(),
            events: events.into_iter().map(Into::into).collect(),
            secret: None,
        }
    }

    /// Adds the key its deliveries are verified with.
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secret = Some(secret.into());
        self
    }
}
