//! Where a target has its client from.

use async_trait::async_trait;

use crate::failure::ClientUnavailable;
use crate::ids::TenantId;

/// Hands out ready-made clients, so that no target ever sees a credential.
#[async_trait]
pub trait ClientProvider<C>: Send + Sync {
    /// Returns the tenant's client.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    async fn client(&self, tenant: &TenantId) -> Result<C, ClientUnavailable>;
}

/// One client for every tenant: for hosts with one account.
///
/// Tenants that share an account share its external ids too: a user id of the host that two of them have is one record
/// there. Such a host makes its [`Signup::host_id`](crate::Signup::host_id)s unique over all tenants.
#[derive(Clone, Debug)]
pub struct SharedClient<C>(C);

impl<C> SharedClient<C> {
    /// Makes a provider of this client.
    pub fn new(client: C) -> Self {
        Self(client)
    }
}

#[async_trait]
impl<C: Clone + Send + Sync> ClientProvider<C> for SharedClient<C> {
    async fn client(&self, _tenant: &TenantId) -> Result<C, ClientUnavailable> {
        Ok(self.0.clone())
    }
}
