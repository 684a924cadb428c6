use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// Lets one process at a time do what only one has to do.
///
/// The time is the store's own, so that the clocks of several machines do not have to agree.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes or renews the lease of this name for `ttl`. Returns whether `owner` holds it now.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write.
    async fn hold_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, StoreError>;

    /// Gives a lease back, if `owner` still holds it.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError>;
}
