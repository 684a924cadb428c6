//! Clients of the tenants' integrations.

use std::any::type_name;

use async_trait::async_trait;
use integration_core::IntegrationId;
use integration_core::instance::{ActiveClient, IntegrationError, NotActive};
use integration_core::status::Status;

use super::directory::IntegrationDirectory;
use super::note_use;
use crate::failure::ClientUnavailable;
use crate::ids::{TargetName, TenantId};
use crate::target::ClientProvider;

/// Hands out the client of a tenant's default instance of a vendor, if it may be called now.
///
/// | The instance | The answer |
/// |---|---|
/// | there is none, or it has no credentials | [`NotConfigured`](ClientUnavailable::NotConfigured) |
/// | switched off, disconnected, uninstalled | [`Disabled`](ClientUnavailable::Disabled) |
/// | pending, in error, paused, credentials that cannot be opened or used | [`Paused`](ClientUnavailable::Paused) |
/// | the database did not answer | [`Failed`](ClientUnavailable::Failed) |
///
/// Made by [`IntegrationDirectory::clients`].
#[derive(Clone, Debug)]
pub struct IntegrationClients {
    directory: IntegrationDirectory,
    target: TargetName,
}

impl IntegrationClients {
    pub(super) fn new(directory: IntegrationDirectory, target: TargetName) -> Self {
        Self { directory, target }
    }

    async fn active<C: Clone + Send + Sync + 'static>(
        &self,
        tenant: &TenantId,
        id: IntegrationId,
    ) -> Result<C, IntegrationError> {
        let integrations = self.directory.integrations();
        let ActiveClient {
            client,
            credentials,
            ..
        } = integrations.active_client(tenant, id).await?;
        note_use(id, credentials);
        Ok(client)
    }
}

#[async_trait]
impl<C: Clone + Send + Sync + 'static> ClientProvider<C> for IntegrationClients {
    async fn client(&self, tenant: &TenantId) -> Result<C, ClientUnavailable> {
        if let Some(id) = self.directory.instance(tenant, &self.target)
            && let Ok(client) = self.active(tenant, id).await
        {
            return Ok(client);
        }
        // What is known may be old: another instance may be the default by now, or this one deleted.
        let looked = self.directory.look_up(tenant, &self.target).await;
        let id = looked
            .map_err(|error| self.unavailable(tenant, error))?
            .ok_or(ClientUnavailable::NotConfigured)?;
        self.active(tenant, id).await.map_err(|error| {
            if let IntegrationError::WrongClientType { .. } = error {
                tracing::error!(target = %self.target, wanted = type_name::<C>(), "a client of another type");
            }
            self.unavailable(tenant, error)
        })
    }
}

impl IntegrationClients {
    fn unavailable(&self, tenant: &TenantId, error: IntegrationError) -> ClientUnavailable {
        match error {
            IntegrationError::NotActive(why) => not_active(&why),
            IntegrationError::NotFound { .. } | IntegrationError::NoCredentials => {
                ClientUnavailable::NotConfigured
            }
            IntegrationError::Store(error) => {
                tracing::warn!(%tenant, target = %self.target, %error, "no client: the store did not answer");
                ClientUnavailable::Failed
            }
            error => {
                tracing::warn!(%tenant, target = %self.target, %error, "no client: a person has to see to it");
                ClientUnavailable::Paused
            }
        }
    }
}

fn not_active(why: &NotActive) -> ClientUnavailable {
    if why.is_active && why.status != Status::Disconnected {
        ClientUnavailable::Paused
    } else {
        ClientUnavailable::Disabled
    }
}
