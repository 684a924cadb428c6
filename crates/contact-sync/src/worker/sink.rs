//! Who hears what attempts say about integrations.

use async_trait::async_trait;

use crate::store::StatusEvent;

/// Hears what an attempt says about its integration, once it is written down.
#[async_trait]
pub trait StatusSink: Send + Sync {
    /// Takes an event. What it cannot keep is its own affair: a job never fails because of it.
    async fn report(&self, event: &StatusEvent);
}
