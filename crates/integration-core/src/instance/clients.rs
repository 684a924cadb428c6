//! Clients of vendors: built once, and used until the credentials change.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_http::{Attempt, CallOutcome, Observer};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::erased::{AnyClient, NoClient};
use super::integrations::Integrations;
use super::sealing::errors_of;
use super::view::settings_of;
use super::{ConnectOptions, IntegrationError, NotActive, StoredConfig, StoredIntegration};
use crate::http::{CallResult, LogObserver};
use crate::ids::{IntegrationId, Scope, TenantId};
use crate::status::{CredentialsVersion, Effect, Ignored, Status, lets_one_try};

/// A client that may be called now, with what its results are reported with. It derefs to the client.
#[derive(Clone)]
#[non_exhaustive]
pub struct ActiveClient<C> {
    /// The client.
    pub client: C,
    /// With which credentials it was built: for [`Integrations::report`].
    pub credentials: CredentialsVersion,
    /// The settings.
    pub settings: Map<String, Value>,
}

impl<C> Deref for ActiveClient<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for ActiveClient<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveClient")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Integrations {
    /// Returns the client of an instance with its newest credentials, whatever state it is in: for a settings page
    /// that lists what there is to choose from. Workers take [`active_client`](Self::active_client).
    ///
    /// It is built once and kept until the credentials change. Every call reads the row, so that a change made by
    /// another process counts from the next call on; a secret is opened only when a client is built.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::NoVendor`], [`IntegrationError::WrongClientType`],
    /// [`IntegrationError::NoCredentials`], [`IntegrationError::Vault`], [`IntegrationError::InvalidConfig`] when the
    /// vendor's type has changed since it was saved, [`IntegrationError::Vendor`] when the config cannot be used,
    /// [`IntegrationError::Store`].
    pub async fn client<C: Clone + Send + Sync + 'static>(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<C, IntegrationError> {
        let row = self.row_of_client(&scope.into(), id).await?;
        self.typed_client(&row, &row.config).await
    }

    /// Returns the client of an instance that may be called now: it is on, active and not paused. After its
    /// credentials were changed the older ones serve until the newest have passed their test. Where the vendor's calls are
    /// scarce ([`Health::Passive`](super::Health::Passive)) and they kept failing, the client is given out again after a
    /// while: the next call finds out whether they go through.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotActive`], which says why not and until when, and those of [`client`](Self::client).
    pub async fn active_client<C: Clone + Send + Sync + 'static>(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<ActiveClient<C>, IntegrationError> {
        let row = self.row_of_client(&scope.into(), id).await?;
        let config = self.config_in_use(&row)?;
        let client = self.typed_client(&row, config).await?;
        Ok(ActiveClient {
            client,
            credentials: config.version,
            settings: settings_of(&row),
        })
    }

    /// Reports what came of a call: [`CallResult::Works`], or what
    /// [`status_signal`](crate::http::status_signal) makes of the error. `used` are the credentials that the client
    /// was built with; a result of older ones changes nothing. Successes of a healthy instance are written once a
    /// minute at most.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Illegal`] for credentials that were never saved,
    /// [`IntegrationError::Store`].
    pub async fn report(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
        used: CredentialsVersion,
        result: CallResult,
    ) -> Result<(), IntegrationError> {
        let scope = scope.into();
        let changed = self
            .change(&scope, id, |draft| {
                let event = result.clone().into_event(used, draft.now);
                event.map_or(Ok(None), |event| draft.apply(event))
            })
            .await?;
        if let Some(ignored) = changed.value.filter(|it| *it != Ignored::NothingNew) {
            tracing::debug!(integration = %id, why = %ignored, "the result of a call was ignored");
        }
        if changed.effects.contains(&Effect::EnsureWebhooks) {
            self.follow_settings(&scope, changed.row).await;
        }
        Ok(())
    }

    /// Reads a row. If it turns out that another process has deleted it, its client goes, with the credentials in it.
    async fn row_of_client(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<StoredIntegration, IntegrationError> {
        let row = self.row(scope, id).await;
        if matches!(row, Err(IntegrationError::NotFound { .. })) && self.inner.clients.has(id) {
            let anywhere = self.row(&Scope::Administrator, id).await;
            if matches!(anywhere, Err(IntegrationError::NotFound { .. })) {
                self.inner.clients.forget(id);
            }
        }
        row
    }

    /// The config that calls are made with now.
    fn config_in_use<'r>(
        &self,
        row: &'r StoredIntegration,
    ) -> Result<&'r StoredConfig, IntegrationError> {
        let state = &row.state;
        let paused_until = state.paused_at(self.now());
        let config = match state.status {
            Status::Active => Some(&row.config),
            Status::Pending => row.serving.as_ref(),
            Status::Error if self.lets_one_try(row) => Some(&row.config),
            _ => None,
        };
        match config {
            Some(config) if state.is_active && paused_until.is_none() => Ok(config),
            _ => Err(not_active(row, paused_until)),
        }
    }

    /// Tells whether a call may find out whether it works again: nobody else does, where calls are scarce.
    fn lets_one_try(&self, row: &StoredIntegration) -> bool {
        let vendor = self.vendor(&row.vendor);
        vendor.is_ok_and(|vendor| lets_one_try(&row.state, vendor.health()))
    }

    async fn typed_client<C: Clone + Send + Sync + 'static>(
        &self,
        row: &StoredIntegration,
        config: &StoredConfig,
    ) -> Result<C, IntegrationError> {
        let wrong_type = || IntegrationError::WrongClientType {
            vendor: row.vendor.clone(),
        };
        if self.vendor(&row.vendor)?.client_type() != TypeId::of::<C>() {
            return Err(wrong_type());
        }
        if !row.state.has_credentials {
            self.inner.clients.keep_only(row);
            return Err(IntegrationError::NoCredentials);
        }
        let client = self.any_client(row, config).await?;
        client.downcast().ok_or_else(wrong_type)
    }

    /// The client for a config of a row, built by whoever comes first.
    pub(super) async fn any_client(
        &self,
        row: &StoredIntegration,
        config: &StoredConfig,
    ) -> Result<AnyClient, IntegrationError> {
        let vendor = self.vendor(&row.vendor)?;
        let slot = self.inner.clients.slot(row, config.version);
        let build = async {
            let open = self.sealing(&row.tenant, row.id).open_all(config)?;
            #[cfg(feature = "vault-legacy")]
            self.check_legacy(row, config, &open)?;
            let client = vendor.connect(&open, &self.connect_options(row))?;
            #[cfg(feature = "vault-legacy")]
            Box::pin(self.renew_legacy(row)).await;
            Ok(client)
        };
        slot.get_or_try_init(|| build).await.cloned()
    }

    pub(super) fn connect_options(&self, row: &StoredIntegration) -> ConnectOptions {
        let observer = self
            .log_observer(&row.tenant, &row.vendor)
            .integration(row.id);
        ConnectOptions {
            account: Some(row.id.to_string()),
            ..self.options(Some(observer))
        }
    }

    /// What a client is built with whose config is not saved. Its calls are logged if they are some tenant's.
    pub(super) fn unsaved_options(
        &self,
        tenant: Option<&TenantId>,
        vendor: &str,
    ) -> ConnectOptions {
        self.options(tenant.map(|tenant| self.log_observer(tenant, vendor)))
    }

    fn options(&self, log: Option<LogObserver>) -> ConnectOptions {
        let observer = Observers {
            log,
            host: self.inner.observer.clone(),
        };
        ConnectOptions {
            account: None,
            limits: Some(self.inner.limits.clone()),
            observer: Some(Arc::new(observer)),
            transport: self.inner.transport.clone(),
        }
    }

    fn log_observer(&self, tenant: &TenantId, vendor: &str) -> LogObserver {
        LogObserver::new(self.inner.logs.clone(), tenant.clone(), vendor)
    }
}

/// Tells both the log and the host.
struct Observers {
    log: Option<LogObserver>,
    host: Option<Arc<dyn Observer>>,
}

impl Observer for Observers {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        if let Some(log) = &self.log {
            log.on_attempt(attempt);
        }
        if let Some(host) = &self.host {
            host.on_attempt(attempt);
        }
    }

    fn on_call(&self, outcome: &CallOutcome<'_>) {
        if let Some(log) = &self.log {
            log.on_call(outcome);
        }
        if let Some(host) = &self.host {
            host.on_call(outcome);
        }
    }
}

pub(super) fn not_active(
    row: &StoredIntegration,
    paused_until: Option<chrono::DateTime<chrono::Utc>>,
) -> IntegrationError {
    IntegrationError::NotActive(Box::new(NotActive {
        status: row.state.status,
        is_active: row.state.is_active,
        needs_reauth: row.state.needs_reauth,
        reason: row.state.reason.clone(),
        paused_until,
    }))
}

impl From<NoClient> for IntegrationError {
    fn from(reason: NoClient) -> Self {
        match reason {
            NoClient::Config(unreadable) => Self::InvalidConfig(errors_of(&unreadable)),
            NoClient::Vendor(error) => Self::Vendor(error),
        }
    }
}

/// The clients that were built, by instance and credentials: the newest, and those that still serve.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<IntegrationId, Vec<Slot>>>);

struct Slot {
    version: CredentialsVersion,
    client: Arc<OnceCell<AnyClient>>,
}

impl Clients {
    /// Returns the place of a client. Those of credentials that the row no longer has are dropped.
    fn slot(
        &self,
        row: &StoredIntegration,
        version: CredentialsVersion,
    ) -> Arc<OnceCell<AnyClient>> {
        let mut all = self.all();
        let slots = all.entry(row.id).or_default();
        slots.retain(|slot| slot.version == version || is_of(row, slot.version));
        if let Some(slot) = slots.iter().find(|slot| slot.version == version) {
            return Arc::clone(&slot.client);
        }
        let client = Arc::default();
        slots.push(Slot {
            version,
            client: Arc::clone(&client),
        });
        client
    }

    /// Drops the clients of credentials that the row no longer has.
    pub(super) fn keep_only(&self, row: &StoredIntegration) {
        let mut all = self.all();
        if let Some(slots) = all.get_mut(&row.id) {
            slots.retain(|slot| row.state.has_credentials && is_of(row, slot.version));
            if slots.is_empty() {
                all.remove(&row.id);
            }
        }
    }

    fn has(&self, id: IntegrationId) -> bool {
        self.all().contains_key(&id)
    }

    pub(super) fn forget(&self, id: IntegrationId) {
        self.all().remove(&id);
    }

    /// No change of the map can be cut off half-way, so a poisoned lock is taken.
    fn all(&self) -> MutexGuard<'_, HashMap<IntegrationId, Vec<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of(row: &StoredIntegration, version: CredentialsVersion) -> bool {
    let serving = row.serving.as_ref();
    row.config.version == version || serving.is_some_and(|it| it.version == version)
}
