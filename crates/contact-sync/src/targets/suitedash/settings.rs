//! What each tenant has chosen.

use async_trait::async_trait;
use suitedash_client::connection::Settings;

use crate::failure::ClientUnavailable;
use crate::ids::TenantId;

/// Knows what each tenant has chosen.
///
/// [`Settings`] are one, the same for every tenant; with the feature `integrations`, so is an
/// `IntegrationDirectory`.
#[async_trait]
pub trait SettingsProvider: Send + Sync {
    /// Returns the tenant's settings.
    ///
    /// # Errors
    ///
    /// Says why there are none; the job waits.
    async fn settings(&self, tenant: &TenantId) -> Result<Settings, ClientUnavailable>;
}

#[async_trait]
impl SettingsProvider for Settings {
    async fn settings(&self, _tenant: &TenantId) -> Result<Settings, ClientUnavailable> {
        Ok(self.clone())
    }
}

/// Those of the tenant's default instance of SuiteDash.
#[cfg(feature = "integrations")]
#[async_trait]
impl SettingsProvider for crate::integrations::IntegrationDirectory {
    async fn settings(&self, tenant: &TenantId) -> Result<Settings, ClientUnavailable> {
        let read = self.settings_of(tenant, &super::NAME.into()).await;
        let settings = read.map_err(|error| {
            tracing::warn!(%tenant, %error, "the settings of SuiteDash could not be read");
            ClientUnavailable::Failed
        })?;
        let settings = settings.ok_or(ClientUnavailable::NotConfigured)?;
        // To deliver without them could invite people whom the tenant does not want to invite.
        serde_json::from_value(settings.into()).map_err(|_| ClientUnavailable::Paused)
    }
}
