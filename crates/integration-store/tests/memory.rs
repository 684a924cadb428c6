//! The conformance suite on the store in memory: what the databases are measured with is what hosts test with.
#![cfg(feature = "core")]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "support/clock.rs"]
mod clock;
mod conformance;

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conformance::{Ports, Subject, suite};
use integration_core::store::MemoryStore;

struct InMemory {
    store: MemoryStore,
    clock: Arc<clock::MovedClock>,
}

#[async_trait]
impl Subject for InMemory {
    fn store(&self) -> Arc<dyn Ports> {
        Arc::new(self.store.clone())
    }

    async fn reopened(&self) -> Arc<dyn Ports> {
        self.store()
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

fn in_memory() -> Ready<Option<InMemory>> {
    let clock: Arc<clock::MovedClock> = Arc::default();
    let store = MemoryStore::with_timer(clock.clone());
    ready(Some(InMemory { store, clock }))
}

suite!(crate::in_memory);
