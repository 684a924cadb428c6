//! What the suite needs of a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::SyncStore;

/// A store to ask, empty at first.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    /// Returns the store.
    fn store(&self) -> Arc<dyn SyncStore>;

    /// Opens the same data once more, as another process would.
    async fn reopened(&self) -> Arc<dyn SyncStore>;

    /// Lets this much time pass on the clock that waits and leases are measured with.
    async fn pass(&self, time: Duration);

    /// Returns every value of every row of a table, a text for each row; none of a store without tables.
    async fn dump(&self, table: &str) -> Option<Vec<String>>;
}
