use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use connector_http::{Observer, SharedLimits, Timer, TokioTimer, Transport};
use url::Url;

use super::clients::Clients;
use super::erased::{AnyVendor, Erased};
use super::integrations::{ATTEMPTS, Inner, Integrations, Registered};
use super::{IntegrationError, Vendor};
use crate::http::{LogWriter, LogWriterOptions};
use crate::ids::TemplateId;
use crate::status::Policy;
use crate::store::{LogStore, Store, StoreError};
use crate::template::{ConfigSchema, IntegrationTemplate, NewTemplate, placeholders};
use crate::vault::Vault;

/// Builds [`Integrations`].
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use integration_core::Integrations;
/// use integration_core::store::MemoryStore;
/// use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let vault = Vault::new(Keyring::new(KeyId::new("k1")?, MasterKey::generate()?));
/// let integrations = Integrations::builder(Arc::new(MemoryStore::new()), vault)
///     .webhook_base_url("https://app.example.com/webhooks".parse()?)
///     .connection_test_timeout(Duration::from_secs(10))
///     .build()
///     .await?;
/// # drop(integrations);
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct IntegrationsBuilder {
    store: Arc<dyn Store>,
    vault: Vault,
    #[cfg(feature = "vault-legacy")]
    legacy: Option<Arc<crate::vault::Legacy>>,
    vendors: Vec<Arc<dyn AnyVendor>>,
    webhook_base_url: Option<Url>,
    test_timeout: Duration,
    policy: Policy,
    timer: Arc<dyn Timer>,
    observer: Option<Arc<dyn Observer>>,
    transport: Option<Arc<dyn Transport>>,
    limits: SharedLimits,
}

impl IntegrationsBuilder {
    pub(super) fn new<S: Store>(store: Arc<S>, vault: Vault) -> Self {
        Self {
            store,
            vault,
            #[cfg(feature = "vault-legacy")]
            legacy: None,
            vendors: Vec::new(),
            webhook_base_url: None,
            test_timeout: Duration::from_secs(20),
            policy: Policy::default(),
            timer: Arc::new(TokioTimer),
            observer: None,
            transport: None,
            limits: SharedLimits::new(),
        }
    }

    /// Registers a vendor. Its template is seeded, and instances of it can be tested, enabled and called.
    pub fn vendor<V: Vendor>(mut self, vendor: V) -> Self {
        self.vendors.push(Arc::new(Erased(vendor)));
        self
    }

    /// Opens values of an older system's form `{iv}:{data}` too, one to a sealed field of a config. Each is checked
    /// against the schema and sealed anew when it is first read.
    #[cfg(feature = "vault-legacy")]
    pub fn legacy(mut self, legacy: Arc<crate::vault::Legacy>) -> Self {
        self.legacy = Some(legacy);
        self
    }

    /// Sets the public address under which webhooks arrive. An endpoint's own address is this one with its id at the
    /// end of the path. Without it an instance gets no address, and no webhook is registered for one that has none.
    pub fn webhook_base_url(mut self, url: Url) -> Self {
        self.webhook_base_url = Some(url);
        self
    }

    /// Sets how long a connection test may take: 20 seconds if not set.
    pub fn connection_test_timeout(mut self, timeout: Duration) -> Self {
        self.test_timeout = timeout;
        self
    }

    /// Sets when failing calls lead to error: five of them over 15 minutes if not set.
    pub fn status_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the clock.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Sets who hears about every attempt of every client, besides the integration log.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets the transport that all clients share: the seam for tests.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets rate limits that are shared with clients built elsewhere.
    pub fn limits(mut self, limits: SharedLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Seeds the templates of the registered vendors, those that come without a client yet, and builds the façade.
    ///
    /// A template that is there already keeps its words; schemas follow the vendor's types, so those of a registered
    /// vendor are brought up to date.
    ///
    /// It also looks whether the first thousand of the stored values open, and warns when they do not: see
    /// [`check_vault`](Integrations::check_vault).
    ///
    /// # Errors
    ///
    /// [`IntegrationError::DuplicateVendor`], [`IntegrationError::InvalidTemplate`] when a vendor's words or types
    /// cannot be a template, [`IntegrationError::InvalidWebhookBaseUrl`], [`IntegrationError::Store`].
    pub async fn build(self) -> Result<Integrations, IntegrationError> {
        // An address without a path could not be told from that of another endpoint.
        let base = self.webhook_base_url.as_ref();
        if base.is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(IntegrationError::InvalidWebhookBaseUrl);
        }
        let now = self.timer.utc_now().trunc_subsecs(6);
        let mut vendors = BTreeMap::new();
        let mut templates = Vec::new();
        for vendor in self.vendors {
            let name = vendor.name();
            let template = seed(vendor.template(), now)?;
            let registered = Registered {
                display_name: template.display_name.clone(),
                config: super::integrations::config_schema(&template)?,
                settings: super::integrations::settings_schema(&template)?,
                vendor,
            };
            if vendors.insert(name, registered).is_some() {
                return Err(IntegrationError::DuplicateVendor {
                    vendor: name.to_owned(),
                });
            }
            templates.push(template);
        }
        for words in placeholders() {
            if !vendors.contains_key(words.name.as_str()) {
                templates.push(seed(words, now)?);
            }
        }
        self.store.seed_templates(&templates).await?;
        for (name, registered) in &vendors {
            update_schemas(
                &*self.store,
                name,
                &registered.config,
                &registered.settings,
                now,
            )
            .await?;
        }
        let store: Arc<dyn LogStore> = self.store.clone();
        let logs = LogWriter::start(store, Arc::clone(&self.timer), LogWriterOptions::default());
        let inner = Inner {
            logs,
            store: self.store,
            vault: self.vault,
            #[cfg(feature = "vault-legacy")]
            legacy: self.legacy,
            vendors,
            webhook_base_url: self.webhook_base_url,
            test_timeout: self.test_timeout,
            policy: self.policy,
            timer: self.timer,
            observer: self.observer,
            transport: self.transport,
            limits: self.limits,
            clients: Clients::default(),
        };
        let built = Integrations {
            inner: Arc::new(inner),
            actor: None,
        };
        built.check_vault_at_the_start().await;
        Ok(built)
    }
}

fn seed(words: NewTemplate, now: DateTime<Utc>) -> Result<IntegrationTemplate, IntegrationError> {
    words
        .into_template(TemplateId::generate(), now, None)
        .map_err(IntegrationError::InvalidTemplate)
}

/// Brings the stored schemas of a vendor's template up to date, whoever changes its words meanwhile.
async fn update_schemas(
    store: &dyn Store,
    name: &str,
    config: &ConfigSchema,
    settings: &ConfigSchema,
    now: DateTime<Utc>,
) -> Result<(), IntegrationError> {
    for _ in 0..ATTEMPTS {
        let Some(mut template) = store.template_named(name).await? else {
            return Ok(());
        };
        if template.config_schema == *config.as_value()
            && template.settings_schema == *settings.as_value()
        {
            return Ok(());
        }
        let read = template.updated_at;
        template.config_schema = config.as_value().clone();
        template.settings_schema = settings.as_value().clone();
        template.updated_at = super::templates::later(read, now);
        match store.update_template(&template, read).await {
            Ok(()) | Err(StoreError::NotFound) => return Ok(()),
            Err(StoreError::VersionConflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::VersionConflict.into())
}

impl fmt::Debug for IntegrationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendors: Vec<_> = self.vendors.iter().map(|vendor| vendor.name()).collect();
        f.debug_struct("IntegrationsBuilder")
            .field("vendors", &vendors)
            .finish_non_exhaustive()
    }
}
