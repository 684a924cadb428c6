//! A history that ends with the process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::ledger::{Ledger, Slot};
use super::{ExportHistory, ExportRun, HistoryError, Inclusion, OpenRun, RunId, Standing};

/// A history in memory, for tests and for what is exported once. Clones share it.
///
/// ```
/// use suitedash_client::export::{ExportHistory, MemoryHistory, Standing};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let history = MemoryHistory::default();
/// assert_eq!(history.standing(&["c-1"]).await?, [Standing::Waiting]);
/// # Ok::<(), suitedash_client::export::HistoryError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryHistory {
    ledger: Arc<Mutex<Ledger>>,
}

struct OpenInMemory {
    ledger: Arc<Mutex<Ledger>>,
    slot: Slot,
    include_exported: bool,
    is_kept: bool,
}

#[async_trait]
impl ExportHistory for MemoryHistory {
    async fn begin(
        &self,
        run: &RunId,
        include_exported: bool,
    ) -> Result<Box<dyn OpenRun>, HistoryError> {
        Ok(Box::new(OpenInMemory {
            slot: lock(&self.ledger).open(run)?,
            ledger: Arc::clone(&self.ledger),
            include_exported,
            is_kept: false,
        }))
    }

    async fn finish(&self, run: &RunId) -> Result<(), HistoryError> {
        lock(&self.ledger).finish(run)
    }

    async fn abandon(&self, run: &RunId) -> Result<(), HistoryError> {
        let mut ledger = lock(&self.ledger);
        let slot = ledger.prepared(run)?;
        ledger.remove(slot);
        Ok(())
    }

    async fn runs(&self) -> Result<Vec<ExportRun>, HistoryError> {
        Ok(lock(&self.ledger).runs())
    }

    async fn mark_imported(
        &self,
        run: &RunId,
        at: DateTime<Utc>,
        by: &str,
    ) -> Result<ExportRun, HistoryError> {
        lock(&self.ledger).mark_imported(run, at, by)
    }

    async fn standing(&self, contacts: &[&str]) -> Result<Vec<Standing>, HistoryError> {
        let ledger = lock(&self.ledger);
        Ok(contacts.iter().map(|id| ledger.standing(id)).collect())
    }
}

#[async_trait]
impl OpenRun for OpenInMemory {
    async fn include(&mut self, contacts: &[&str]) -> Result<Vec<Inclusion>, HistoryError> {
        let mut ledger = lock(&self.ledger);
        let include = |id: &&str| ledger.include(self.slot, id, self.include_exported);
        Ok(contacts.iter().map(include).collect())
    }

    async fn prepare(mut self: Box<Self>, run: &ExportRun) -> Result<(), HistoryError> {
        lock(&self.ledger).keep(self.slot, run.clone());
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for OpenInMemory {
    fn drop(&mut self) {
        if !self.is_kept {
            lock(&self.ledger).remove(self.slot);
        }
    }
}

impl fmt::Debug for MemoryHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = lock(&self.ledger).runs().len();
        f.debug_struct("MemoryHistory")
            .field("runs", &runs)
            .finish()
    }
}

/// A panic while it was locked leaves a ledger that is whole: each call changes it in one step that matters.
fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
