//! The store that lives in memory: the model of every other store, and lost with its process.

mod integrations;
mod leases;
mod logs;
mod sealed;
mod templates;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_http::{Timer, TokioTimer};

use self::integrations::Instance;
use self::leases::Lease;
use self::tokens::Grant;
use super::IntegrationLog;
use crate::ids::{IntegrationId, LogId, TemplateId};
use crate::template::IntegrationTemplate;

/// A store in memory, with every port: for tests, for trying things out, and as the model that the databases are
/// measured against. What it holds is gone with the process.
///
/// A clone is the same store.
///
/// ```
/// use integration_core::store::{MemoryStore, Store};
///
/// fn takes(store: &impl Store) {
///     # let _ = store;
/// }
/// takes(&MemoryStore::new());
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    tables: Mutex<Tables>,
    timer: Arc<dyn Timer>,
}

#[derive(Default)]
struct Tables {
    templates: BTreeMap<TemplateId, IntegrationTemplate>,
    integrations: BTreeMap<IntegrationId, Instance>,
    logs: BTreeMap<LogId, IntegrationLog>,
    tokens: BTreeMap<(IntegrationId, String), Grant>,
    leases: BTreeMap<String, Lease>,
}

impl MemoryStore {
    /// Makes an empty store on the runtime's clock.
    pub fn new() -> Self {
        Self::with_timer(Arc::new(TokioTimer))
    }

    /// Makes an empty store whose leases run on another clock.
    pub fn with_timer(timer: Arc<dyn Timer>) -> Self {
        Self(Arc::new(Inner {
            tables: Mutex::default(),
            timer,
        }))
    }

    /// Every change is checked before it begins, so no panic leaves a table half-changed and a poisoned lock is
    /// taken.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timer(&self) -> &dyn Timer {
        &*self.0.timer
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.tables();
        f.debug_struct("MemoryStore")
            .field("templates", &tables.templates.len())
            .field("integrations", &tables.integrations.len())
            .field("logs", &tables.logs.len())
            .field("tokens", &tables.tokens.len())
            .finish_non_exhaustive()
    }
}
