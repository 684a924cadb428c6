use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use connector_http::{Observer, SharedLimits, Timer, Transport};
use serde_json::json;
use url::Url;

use super::clients::Clients;
use super::draft::Draft;
use super::erased::AnyVendor;
use super::sealing::Sealing;
use super::view::Integration;
use super::{IntegrationError, IntegrationsBuilder, Missing, StoredIntegration};
use crate::http::LogWriter;
use crate::ids::{Actor, IntegrationId, LogId, Scope, TenantId};
use crate::status::{Effect, HistoryEntry, Policy, Status};
use crate::store::{IntegrationLog, LogStatus, Store, StoreError};
use crate::template::{ConfigSchema, IntegrationTemplate};
use crate::vault::Vault;

/// How often a change is computed anew because somebody else was faster.
pub(super) const ATTEMPTS: u32 = 16;

/// Everything that can be done with integrations: the one way to their rows, which every call goes with a scope.
///
/// A clone is the same façade. It has no type parameter: vendors are registered when it is built.
///
/// # Details
///
/// - A row outside the scope of a call is as if it did not exist.
/// - A change is written with compare-and-set over the version it was computed from, together with its history; if
///   somebody else was faster it is computed anew. A store that fails leaves the row as it was.
/// - What tests, enables, deletes or takes away goes on to its end even if its caller goes away, so that a closed
///   browser leaves nothing half-done.
/// - Log entries are for people: when one cannot be written that is traced, and nothing fails because of it.
#[derive(Clone)]
pub struct Integrations {
    pub(super) inner: Arc<Inner>,
    pub(super) actor: Option<Actor>,
}

pub(super) struct Inner {
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Vault,
    #[cfg(feature = "vault-legacy")]
    pub(super) legacy: Option<Arc<crate::vault::Legacy>>,
    pub(super) vendors: BTreeMap<&'static str, Registered>,
    pub(super) webhook_base_url: Option<Url>,
    pub(super) test_timeout: Duration,
    pub(super) policy: Policy,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) limits: SharedLimits,
    pub(super) clients: Clients,
    pub(super) logs: LogWriter,
}

/// A vendor with the schemas that follow from its types.
#[derive(Clone)]
pub(super) struct Registered {
    pub(super) vendor: Arc<dyn AnyVendor>,
    pub(super) display_name: String,
    pub(super) config: ConfigSchema,
    pub(super) settings: ConfigSchema,
}

/// A template with what is needed to take a config of it: its schemas, and its vendor if one is registered.
pub(super) struct Kind {
    pub(super) template: IntegrationTemplate,
    pub(super) config: ConfigSchema,
    pub(super) settings: ConfigSchema,
    pub(super) vendor: Option<Arc<dyn AnyVendor>>,
}

impl Integrations {
    /// Starts to build a façade on a store and a vault.
    pub fn builder<S: Store>(store: Arc<S>, vault: Vault) -> IntegrationsBuilder {
        IntegrationsBuilder::new(store, vault)
    }

    /// Returns the same façade, on behalf of somebody: what is made and switched through it bears that name.
    pub fn acting(&self, actor: impl Into<Actor>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            actor: Some(actor.into()),
        }
    }

    /// Writes the log entries of calls that still wait to be written, and takes no more of them. Call it before the
    /// process ends.
    pub async fn close(&self) {
        self.inner.logs.close().await;
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// The time, to the microsecond, which is what databases keep: a row that is read equals the one written.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.inner.timer.utc_now().trunc_subsecs(6)
    }

    pub(super) fn sealing<'a>(&'a self, tenant: &'a TenantId, id: IntegrationId) -> Sealing<'a> {
        Sealing::new(
            &self.inner.vault,
            #[cfg(feature = "vault-legacy")]
            self.inner.legacy.as_deref(),
            tenant,
            id,
        )
    }

    pub(super) fn vendor(&self, name: &str) -> Result<&Arc<dyn AnyVendor>, IntegrationError> {
        let registered = self.inner.vendors.get(name);
        registered
            .map(|registered| &registered.vendor)
            .ok_or_else(|| IntegrationError::NoVendor {
                vendor: name.to_owned(),
            })
    }

    /// Returns the vendor's name for people.
    pub(super) fn display_name<'n>(&'n self, vendor: &'n str) -> &'n str {
        let registered = self.inner.vendors.get(vendor);
        registered.map_or(vendor, |registered| &registered.display_name)
    }

    pub(super) async fn kind(&self, name: &str) -> Result<Kind, IntegrationError> {
        let unknown = || IntegrationError::UnknownVendor {
            vendor: name.to_owned(),
        };
        // Not every database can be asked for such a name.
        if name.contains('\0') {
            return Err(unknown());
        }
        let template = self.store().template_named(name).await?;
        let template = template.ok_or_else(unknown)?;
        if let Some(registered) = self.inner.vendors.get(name) {
            return Ok(Kind {
                template,
                config: registered.config.clone(),
                settings: registered.settings.clone(),
                vendor: Some(Arc::clone(&registered.vendor)),
            });
        }
        Ok(Kind {
            config: config_schema(&template)?,
            settings: settings_schema(&template)?,
            template,
            vendor: None,
        })
    }

    /// Reads a row within the scope.
    pub(super) async fn row(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<StoredIntegration, IntegrationError> {
        let row = self.store().integration(scope, id).await?;
        Ok(row.ok_or(Missing::Integration)?)
    }

    /// Makes views of rows. The names of secrets that are not set come from the templates, each read once.
    pub(super) async fn views(
        &self,
        rows: Vec<StoredIntegration>,
    ) -> Result<Vec<Integration>, IntegrationError> {
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            if !known.contains_key(&row.vendor) {
                let sealed = self.sealed_fields(&row.vendor).await?;
                known.insert(row.vendor.clone(), sealed);
            }
            let sealed = known.get(&row.vendor).map_or(&[][..], Vec::as_slice);
            views.push(Integration::of(row, sealed));
        }
        Ok(views)
    }

    pub(super) async fn view(
        &self,
        row: StoredIntegration,
    ) -> Result<Integration, IntegrationError> {
        let sealed = self.sealed_fields(&row.vendor).await?;
        Ok(Integration::of(row, &sealed))
    }

    async fn sealed_fields(&self, vendor: &str) -> Result<Vec<String>, IntegrationError> {
        if let Some(registered) = self.inner.vendors.get(vendor) {
            return Ok(sealed_names(&registered.config));
        }
        match self.store().template_named(vendor).await? {
            Some(template) => Ok(sealed_names(&config_schema(&template)?)),
            None => Ok(Vec::new()),
        }
    }

    /// Changes a row: reads it, lets `decide` change it, and writes it over the version that was read. `decide` is
    /// asked again if somebody else was faster, and must have no effect but on what it is given.
    pub(super) async fn change<T>(
        &self,
        scope: &Scope,
        id: IntegrationId,
        decide: impl Fn(&mut Draft<'_>) -> Result<T, IntegrationError> + Send,
    ) -> Result<Changed<T>, IntegrationError> {
        for _ in 0..ATTEMPTS {
            let row = self.row(scope, id).await?;
            let mut draft = Draft::new(self, row);
            let value = decide(&mut draft)?;
            let before = draft.before.state.status;
            let version = draft.before.state.version;
            let (row, effects, history, written) = draft.finish();
            if !written {
                return Ok(Changed {
                    row,
                    effects,
                    value,
                });
            }
            match self
                .store()
                .update_integration(scope, &row, version, &history)
                .await
            {
                Ok(()) => {
                    self.inner.clients.keep_only(&row);
                    self.log_status(&row, before, &history).await;
                    return Ok(Changed {
                        row,
                        effects,
                        value,
                    });
                }
                Err(StoreError::VersionConflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::VersionConflict.into())
    }

    async fn log_status(&self, row: &StoredIntegration, before: Status, history: &[HistoryEntry]) {
        if row.state.status == before {
            return;
        }
        let event = history.last().map(|entry| entry.event.as_str());
        let outcome = match row.state.status {
            Status::Error => LogStatus::Failed,
            _ => LogStatus::Success,
        };
        let mut entry = self.entry(row, "status.changed", outcome);
        entry.payload = Some(json!({ "from": before, "to": row.state.status, "event": event }));
        if row.state.status == Status::Error {
            entry.error_message.clone_from(&row.state.error_message);
        }
        self.log(entry).await;
    }

    /// Starts a log entry about an instance.
    pub(super) fn entry(
        &self,
        row: &StoredIntegration,
        action: &str,
        status: LogStatus,
    ) -> IntegrationLog {
        let mut entry = IntegrationLog::new(
            LogId::generate(),
            row.tenant.clone(),
            row.vendor.clone(),
            action,
            status,
            self.now(),
        );
        entry.integration = Some(row.id);
        entry
    }

    /// Writes a log entry. What it tells of has happened already, so a failure is traced and no more.
    pub(super) async fn log(&self, entry: IntegrationLog) {
        let action = entry.action.clone();
        if let Err(error) = self.store().append_logs(&[entry]).await {
            tracing::warn!(
                action,
                error = &error as &dyn std::error::Error,
                "a log entry was not written"
            );
        }
    }
}

impl fmt::Debug for Integrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendors: Vec<_> = self.inner.vendors.keys().collect();
        f.debug_struct("Integrations")
            .field("vendors", &vendors)
            .finish_non_exhaustive()
    }
}

/// What was written, or found as it should be.
pub(super) struct Changed<T> {
    pub(super) row: StoredIntegration,
    pub(super) effects: Vec<Effect>,
    pub(super) value: T,
}

pub(super) fn config_schema(
    template: &IntegrationTemplate,
) -> Result<ConfigSchema, IntegrationError> {
    ConfigSchema::parse(&template.config_schema).map_err(|source| IntegrationError::InvalidSchema {
        which: "config",
        source,
    })
}

pub(super) fn settings_schema(
    template: &IntegrationTemplate,
) -> Result<ConfigSchema, IntegrationError> {
    ConfigSchema::parse_settings(&template.settings_schema).map_err(|source| {
        IntegrationError::InvalidSchema {
            which: "settings",
            source,
        }
    })
}

fn sealed_names(schema: &ConfigSchema) -> Vec<String> {
    schema.sealed_fields().map(str::to_owned).collect()
}
