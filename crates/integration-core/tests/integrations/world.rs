//! A façade, its store, and the vendor, ready to use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Timer, TokioTimer};
use integration_core::instance::IntegrationsBuilder;
use integration_core::store::{MemoryStore, Store};
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use integration_core::{Integrations, TenantId};

use crate::acme::Acme;

pub(crate) const HOOKS: &str = "https://app.example.com/hooks/";

pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) acme: Acme,
    pub(crate) integrations: Integrations,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = MemoryStore::with_timer(clock());
        let acme = Acme::new();
        let integrations = builder(&store, vault(), &acme).build().await.unwrap();
        Self {
            store,
            acme,
            integrations,
        }
    }

    /// Another process on the same store.
    pub(crate) async fn another_process(&self, vault: Vault) -> Integrations {
        let builder = builder(&self.store, vault, &self.acme);
        builder.build().await.unwrap()
    }
}

pub(crate) fn builder<S: Store + Clone>(
    store: &S,
    vault: Vault,
    acme: &Acme,
) -> IntegrationsBuilder {
    Integrations::builder(Arc::new(store.clone()), vault)
        .timer(clock())
        .vendor(acme.clone())
        .transport(Arc::new(acme.transport()))
        .webhook_base_url(HOOKS.parse().unwrap())
}

/// Always of the same key, so that two processes can share a store.
pub(crate) fn vault() -> Vault {
    vault_of('7')
}

pub(crate) fn vault_of(digit: char) -> Vault {
    let key = MasterKey::parse(&digit.to_string().repeat(64).into()).unwrap();
    Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key))
}

pub(crate) fn tenant() -> TenantId {
    TenantId::from("umbrella")
}

/// A clock whose wall time goes with the paused time of the test.
#[derive(Debug)]
struct Clock {
    start: tokio::time::Instant,
}

thread_local! {
    static START: tokio::time::Instant = TokioTimer.now();
}

/// The same for everything in one test.
pub(crate) fn clock() -> Arc<dyn Timer> {
    let start = START.with(|start| *start);
    Arc::new(Clock { start })
}

#[async_trait]
impl Timer for Clock {
    fn now(&self) -> tokio::time::Instant {
        TokioTimer.now()
    }

    fn utc_now(&self) -> DateTime<Utc> {
        let since = self.now().duration_since(self.start);
        DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::from_std(since).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        TokioTimer.sleep(duration).await;
    }
}
