//! Where signups are kept, and what is still to be done for them: in memory, in an SQLite file, or on a PostgreSQL
//! server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use contact_sync::integrations::IntegrationDirectory;
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    ContactId, DeliveryState, MemoryStore, RunningWorker, SharedClient, SignupHook,
    StaticDirectory, SyncStore, Worker,
};
use integration_core::instance::{Integration, IntegrationPatch};
use integration_core::store::{IntegrationFilter, Store};
use integration_core::vault::{Keyring, Vault};
use integration_core::{Integrations, TenantId};
use integration_store::SqliteStore;
use openphone_client::Client;
use openphone_client::integration::{Config, OpenPhone};

use crate::master_key;
use crate::openphone::Connection;

type Failure = Box<dyn std::error::Error>;

/// The target's name, which is also the vendor's.
pub const TARGET: &str = "openphone";

/// The place, as it is named on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// `memory`: what is queued is lost with the process.
    #[default]
    Memory,
    /// `sqlite://FILE`.
    Sqlite(PathBuf),
    /// `postgres://…`.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", file)) if !file.is_empty() && !file.contains('?') => {
                Ok(Self::Sqlite(file.into()))
            }
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            #[cfg(not(feature = "postgres"))]
            Some(("postgres" | "postgresql", _)) => {
                Err("this was built without PostgreSQL: add --features postgres")
            }
            _ => Err("memory, sqlite://FILE or postgres://USER@HOST/DATABASE"),
        }
    }
}

/// A worker at work, and the hook that gives it something to do.
#[non_exhaustive]
pub struct Sync {
    /// Takes the signups.
    pub hook: SignupHook,
    /// Delivers them.
    pub worker: RunningWorker,
    store: Arc<dyn SyncStore>,
    integrations: Option<Integrations>,
    file: Option<SqliteStore>,
}

impl Sync {
    /// Opens the place and goes to work for one tenant, the default one.
    ///
    /// In memory the client of `vendor` is all there is. Elsewhere the vendor is an integration: saved with its key
    /// sealed, tested and switched on, or found as an earlier run left it.
    ///
    /// # Errors
    ///
    /// When the place cannot be opened, or the integration cannot be connected.
    pub async fn open(
        place: &Place,
        vendor: &Connection,
        tune: impl FnOnce(Worker) -> Worker,
        region: contact_sync::Region,
    ) -> Result<Self, Failure> {
        let work = |store: Arc<dyn SyncStore>| tune(Worker::new(store));
        match place {
            Place::Memory => {
                let store = Arc::new(MemoryStore::new());
                let clients = SharedClient::new(vendor.client.clone());
                let target = Arc::new(OpenPhoneTarget::new(clients));
                let directory = StaticDirectory::new().on(TARGET);
                Ok(Self {
                    worker: work(store.clone()).target(target).start(),
                    hook: SignupHook::new(store.clone(), directory).region(region),
                    store,
                    integrations: None,
                    file: None,
                })
            }
            Place::Sqlite(file) => {
                let (keyring, origin) = master_key::for_database(file)?;
                eprintln!("{origin}");
                let store = SqliteStore::open(file).await?;
                let mut sync = on_disk(store.clone(), keyring, vendor, work, region).await?;
                sync.file = Some(store);
                Ok(sync)
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(address) => on_postgres(address, vendor, work, region).await,
        }
    }

    /// Returns where a contact stands with the vendor: another process on the same store may have delivered it.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub async fn standing(&self, contact: ContactId) -> Result<Option<DeliveryState>, Failure> {
        let all = self.store.deliveries(contact).await?;
        Ok(all.into_iter().find(|state| state.target == TARGET))
    }

    /// Lets the jobs that run come to their end, and writes what is still in memory.
    pub async fn close(self, grace: std::time::Duration) {
        self.worker.shutdown(grace).await;
        if let Some(integrations) = &self.integrations {
            integrations.close().await;
        }
        if let Some(file) = &self.file {
            file.close().await;
        }
    }
}

impl fmt::Debug for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sync")
            .field("hook", &self.hook)
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "postgres")]
async fn on_postgres(
    address: &str,
    vendor: &Connection,
    work: impl FnOnce(Arc<dyn SyncStore>) -> Worker,
    region: contact_sync::Region,
) -> Result<Sync, Failure> {
    // There is no file for a key to lie beside.
    let keyring = Keyring::from_env()?;
    let store = integration_store::PostgresStore::connect(address).await?;
    on_disk(store, keyring, vendor, work, region).await
}

async fn on_disk<S: Store + SyncStore + Clone + 'static>(
    store: S,
    keyring: Keyring,
    vendor: &Connection,
    work: impl FnOnce(Arc<dyn SyncStore>) -> Worker,
    region: contact_sync::Region,
) -> Result<Sync, Failure> {
    let store = Arc::new(store);
    let integrations = Integrations::builder(store.clone(), Vault::new(keyring))
        .vendor(OpenPhone::new().base_url(vendor.client.base_url().as_str()))
        .build()
        .await?;
    connect(&integrations, vendor).await?;
    let directory = IntegrationDirectory::new(integrations.clone())
        .vendor(TARGET)
        .resuming(store.clone());
    directory.refresh().await?;
    let target = OpenPhoneTarget::new(directory.clients(TARGET)).mappings(directory.clone());
    let left = store.snapshot().await?;
    if left.running > 0 {
        eprintln!(
            "{} deliveries are under way in another process, or were when it ended: after a kill they go on within about a minute, \
             once no request of it can take effect any more",
            left.running
        );
    }
    Ok(Sync {
        worker: work(store.clone())
            .target(Arc::new(target))
            .integrations(&directory)
            .start(),
        hook: SignupHook::new(store.clone(), directory).region(region),
        store,
        integrations: Some(integrations),
        file: None,
    })
}

/// Saves the vendor's key and switches the integration on. An earlier run may have done so already.
async fn connect(integrations: &Integrations, vendor: &Connection) -> Result<(), Failure> {
    let tenant = TenantId::default();
    let config = Config::new(vendor.api_key.clone());
    let filter = IntegrationFilter::new().vendor(TARGET);
    let saved: Vec<Integration> = integrations.list(&tenant, filter).await?;
    let id = match saved.first() {
        Some(saved) => {
            // A key that opens nothing is said here, not covered up by saving anew.
            integrations.client::<Client>(&tenant, saved.id).await?;
            let patch = IntegrationPatch::new().config(config);
            integrations.update(&tenant, saved.id, patch).await?;
            saved.id
        }
        None => integrations.save(&tenant, config).await?,
    };
    let enabled = integrations.enable(&tenant, id).await?;
    if let Some(problem) = enabled.error_message {
        return Err(problem.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_on_the_command_line() {
        assert_eq!("memory".parse(), Ok(Place::Memory));
        assert_eq!(
            "sqlite://a.db".parse(),
            Ok(Place::Sqlite(PathBuf::from("a.db")))
        );
        for wrong in ["", "disk", "sqlite://", "mysql://h/d"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    /// Said with the arguments, before a vendor is simulated or a file opened.
    #[test]
    fn a_server_that_this_program_cannot_talk_to_is_refused_with_the_arguments() {
        let refusal = "postgres://app@db.example.com/app".parse::<Place>().err();
        let is_refused = refusal.is_some_and(|why| why.contains("--features postgres"));
        assert_ne!(is_refused, cfg!(feature = "postgres"));
    }
}
