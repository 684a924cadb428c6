//! The store on SQLite: the conformance suite on a file, and what may be wrong with a file.
#![cfg(all(feature = "core", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "support/clock.rs"]
mod clock;
mod conformance;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conformance::{Ports, Subject, suite};
use integration_store::SqliteStore;
use tempfile::TempDir;

struct OnFile {
    directory: TempDir,
    clock: Arc<clock::MovedClock>,
    store: Arc<SqliteStore>,
}

impl OnFile {
    async fn open(directory: &TempDir, clock: &Arc<clock::MovedClock>) -> Arc<SqliteStore> {
        let store = SqliteStore::builder()
            .timer(clock.clone())
            .open(directory.path().join("integrations.db"))
            .await;
        Arc::new(store.unwrap())
    }
}

#[async_trait]
impl Subject for OnFile {
    fn store(&self) -> Arc<dyn Ports> {
        self.store.clone()
    }

    async fn reopened(&self) -> Arc<dyn Ports> {
        Self::open(&self.directory, &self.clock).await
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

async fn on_file() -> Option<OnFile> {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let store = OnFile::open(&directory, &clock).await;
    Some(OnFile {
        directory,
        clock,
        store,
    })
}

suite!(crate::on_file);
