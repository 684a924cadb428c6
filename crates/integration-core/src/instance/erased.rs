//! Vendors of every type behind one, so that the façade has no type parameter.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connector_http::Error;
use serde_json::{Map, Value};

use super::read::Unreadable;
use super::{
    ConfigValues, ConnectOptions, Health, RegisteredWebhook, TestReport, Vendor, VendorConfig,
    WebhookRequest,
};
use crate::template::{NewTemplate, schema_of};

/// A client of some vendor. Only the vendor that built it can use it.
#[derive(Clone)]
pub(super) struct AnyClient(Arc<dyn Any + Send + Sync>);

impl AnyClient {
    pub(super) fn downcast<C: Clone + 'static>(&self) -> Option<C> {
        self.0.downcast_ref::<C>().cloned()
    }
}

/// Why there is no client.
pub(super) enum NoClient {
    Config(Unreadable),
    Vendor(Error),
}

#[async_trait]
pub(super) trait AnyVendor: Send + Sync + fmt::Debug {
    fn name(&self) -> &'static str;

    /// The template with the schemas that follow from the types.
    fn template(&self) -> NewTemplate;

    fn health(&self) -> Health;

    fn client_type(&self) -> TypeId;

    fn check_config(&self, config: &ConfigValues) -> Result<(), Unreadable>;

    /// The settings with the defaults of those that are left out.
    fn fill_settings(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Unreadable>;

    fn source_ids(
        &self,
        config: &ConfigValues,
        settings: &Map<String, Value>,
    ) -> Result<Vec<String>, Unreadable>;

    fn connect(
        &self,
        config: &ConfigValues,
        options: &ConnectOptions,
    ) -> Result<AnyClient, NoClient>;

    async fn test(&self, client: &AnyClient) -> Result<TestReport, Error>;

    async fn ensure_webhooks(
        &self,
        client: &AnyClient,
        settings: &Map<String, Value>,
        request: &WebhookRequest,
    ) -> Result<Vec<RegisteredWebhook>, Error>;

    async fn remove_webhooks(&self, client: &AnyClient, ids: &[String]) -> Result<(), Error>;
}

/// One vendor, its types forgotten.
pub(super) struct Erased<V>(pub(super) V);

impl<V: Vendor> Erased<V> {
    const NAME: &'static str = <V::Config as VendorConfig>::VENDOR;

    fn own(client: &AnyClient) -> Result<&V::Client, Error> {
        let mistaken = || Error::config(Self::NAME, "client", "it is the client of another vendor");
        client.0.downcast_ref().ok_or_else(mistaken)
    }

    fn settings(given: &Map<String, Value>) -> Result<V::Settings, Unreadable> {
        let unreadable = |_| Unreadable {
            field: None,
            problem: "cannot be read",
        };
        let defaults = serde_json::to_value(V::Settings::default()).map_err(unreadable)?;
        let mut settings = match defaults {
            Value::Object(defaults) => defaults,
            _ => Map::new(),
        };
        settings.extend(given.clone());
        serde_json::from_value(Value::Object(settings)).map_err(unreadable)
    }
}

impl<V: Vendor> fmt::Debug for Erased<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl<V: Vendor> AnyVendor for Erased<V> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn template(&self) -> NewTemplate {
        let mut template = self.0.template();
        Self::NAME.clone_into(&mut template.name);
        template
            .config_schema(schema_of::<V::Config>())
            .settings_schema(schema_of::<V::Settings>())
    }

    fn health(&self) -> Health {
        self.0.health()
    }

    fn client_type(&self) -> TypeId {
        TypeId::of::<V::Client>()
    }

    fn check_config(&self, config: &ConfigValues) -> Result<(), Unreadable> {
        config.read::<V::Config>().map(drop)
    }

    fn fill_settings(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Unreadable> {
        Ok(match serde_json::to_value(Self::settings(given)?) {
            // An `Option` that is not set is written as null, and the schema has it left out.
            Ok(Value::Object(settings)) => {
                let set = settings.into_iter().filter(|(_, value)| !value.is_null());
                set.collect()
            }
            _ => Map::new(),
        })
    }

    fn source_ids(
        &self,
        config: &ConfigValues,
        settings: &Map<String, Value>,
    ) -> Result<Vec<String>, Unreadable> {
        let settings = Self::settings(settings)?;
        Ok(self.0.source_ids(&config.read()?, &settings))
    }

    fn connect(
        &self,
        config: &ConfigValues,
        options: &ConnectOptions,
    ) -> Result<AnyClient, NoClient> {
        let config = config.read().map_err(NoClient::Config)?;
        let client = self.0.connect(&config, options).map_err(NoClient::Vendor)?;
        Ok(AnyClient(Arc::new(client)))
    }

    async fn test(&self, client: &AnyClient) -> Result<TestReport, Error> {
        self.0.test_connection(Self::own(client)?).await
    }

    async fn ensure_webhooks(
        &self,
        client: &AnyClient,
        settings: &Map<String, Value>,
        request: &WebhookRequest,
    ) -> Result<Vec<RegisteredWebhook>, Error> {
        let settings = Self::settings(settings).map_err(|_| {
            Error::config(Self::NAME, "webhooks", "the stored settings cannot be read")
        })?;
        let client = Self::own(client)?;
        self.0.ensure_webhooks(client, &settings, request).await
    }

    async fn remove_webhooks(&self, client: &AnyClient, ids: &[String]) -> Result<(), Error> {
        self.0.remove_webhooks(Self::own(client)?, ids).await
    }
}
