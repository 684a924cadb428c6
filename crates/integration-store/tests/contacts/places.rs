//! The three stores as subjects of the suite.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{MemoryStore, SyncStore};

use crate::clock::MovedClock;
use crate::subject::Subject;

pub(crate) struct InMemory {
    store: MemoryStore,
    clock: Arc<MovedClock>,
}

#[async_trait]
impl Subject for InMemory {
    fn store(&self) -> Arc<dyn SyncStore> {
        Arc::new(self.store.clone())
    }

    async fn reopened(&self) -> Arc<dyn SyncStore> {
        self.store()
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    async fn dump(&self, _table: &str) -> Option<Vec<String>> {
        None
    }
}

pub(crate) fn in_memory() -> Ready<Option<InMemory>> {
    let clock: Arc<MovedClock> = Arc::default();
    let store = MemoryStore::with_timer(clock.clone());
    ready(Some(InMemory { store, clock }))
}
