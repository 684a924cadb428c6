//! A façade, its store, and the vendor, ready to use.

use std::sync::Arc;

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
        let store = MemoryStore::new();
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
