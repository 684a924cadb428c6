//! Taking an instance away: by the tenant, or by the vendor.

use super::IntegrationError;
use super::StoredIntegration;
use super::connection::to_its_end;
use super::erased::AnyClient;
use super::integrations::Integrations;
use super::view::Removal;
use super::webhooks::ids;
use crate::ids::{IntegrationId, Scope};
use crate::status::{Effect, Event, Status};
use crate::store::LogStatus;

impl Integrations {
    /// Deletes an instance with its credentials, tokens and history. Its webhooks are taken back at the vendor first,
    /// as far as the vendor lets us; what could not be is returned, and does not keep the instance from being deleted.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Busy`], [`IntegrationError::Store`].
    pub async fn delete(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Removal, IntegrationError> {
        let (facade, scope) = (self.clone(), scope.into());
        to_its_end(async move {
            facade.row(&scope, id).await?;
            let lease = facade.lease(id).await?;
            let removal = facade.delete_alone(&scope, id).await;
            lease.release(&facade).await;
            removal
        })
        .await
    }

    async fn delete_alone(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<Removal, IntegrationError> {
        let row = self.row(scope, id).await?;
        let client = self.last_client(&row).await;
        let removal = self
            .take_back(&row, client.as_ref(), webhook_ids(&row))
            .await;
        self.store().delete_integration(scope, id).await?;
        self.inner.clients.forget(id);
        self.log_removal(&row, &removal).await;
        let mut entry = self.entry(&row, "integration.deleted", LogStatus::Success);
        entry.integration = None;
        self.log(entry).await;
        Ok(removal)
    }

    /// Notes that the vendor says its app was uninstalled: the instance is disconnected, its credentials and tokens
    /// are deleted, its webhooks taken back as far as the vendor still lets us. One that is disconnected already stays
    /// as it is.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn uninstalled(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Removal, IntegrationError> {
        self.taken_away(scope.into(), id, Event::Uninstalled).await
    }

    /// Notes that the vendor says access was revoked. What happens is that of [`uninstalled`](Self::uninstalled).
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn revoked(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Removal, IntegrationError> {
        self.taken_away(scope.into(), id, Event::Revoked).await
    }

    async fn taken_away(
        &self,
        scope: Scope,
        id: IntegrationId,
        event: Event,
    ) -> Result<Removal, IntegrationError> {
        let facade = self.clone();
        to_its_end(async move {
            let row = facade.row(&scope, id).await?;
            if row.state.status == Status::Disconnected {
                return Ok(Removal::default());
            }
            // Built before the credentials go, which must not wait for a vendor that may not answer.
            let client = facade.last_client(&row).await;
            // Before the state: a failure in between leaves an instance for which this is told again.
            facade.store().delete_grants(&row.tenant, id).await?;
            let changed = facade
                .change(&scope, id, |draft| draft.apply(event.clone()).map(drop))
                .await?;
            if !changed.effects.contains(&Effect::RemoveWebhooks) {
                return Ok(Removal::default());
            }
            let ids = webhook_ids(&changed.row);
            let removal = facade.take_back(&changed.row, client.as_ref(), ids).await;
            facade
                .change(&scope, id, |draft| {
                    for endpoint in &mut draft.row.endpoints {
                        let gone = |id: &String| removal.removed.contains(id);
                        endpoint.webhooks.retain(|it| !gone(&it.vendor_webhook_id));
                    }
                    Ok(())
                })
                .await?;
            facade.log_removal(&changed.row, &removal).await;
            Ok(removal)
        })
        .await
    }

    /// A client to take webhooks back with, if there can be one.
    async fn last_client(&self, row: &StoredIntegration) -> Option<AnyClient> {
        if !row.state.has_credentials || webhook_ids(row).is_empty() {
            return None;
        }
        self.any_client(row, &row.config).await.ok()
    }
}

fn webhook_ids(row: &StoredIntegration) -> Vec<String> {
    row.endpoints
        .iter()
        .flat_map(|it| ids(&it.webhooks))
        .collect()
}
