//! A database with one integration in it, as a test and its workers open it.

use std::sync::Arc;

use chrono::DateTime;
use connector_http::TokenStore;
use integration_core::http::VaultTokenStore;
use integration_core::instance::StoredIntegration;
use integration_core::status::State;
use integration_core::store::{IntegrationStore, TemplateStore, TokenRowId, TokenRows};
use integration_core::template::{IntegrationTemplate, NewTemplate};
use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
use integration_core::{IntegrationId, TemplateId, TenantId};
#[cfg(feature = "postgres")]
use integration_store::PostgresStore;
#[cfg(feature = "sqlite")]
use integration_store::SqliteStore;

use crate::idp::Idp;
use crate::talk::{Database, Settings, Step, Timings};

const TENANT: &str = "acme";

/// The master key of every database of these tests.
const MASTER_KEY: [u8; 32] = [7; 32];

/// Makes one test of each case for each database. A case is an async function of a [`Place`].
macro_rules! on_each_database {
    ($($case:ident),* $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::place::Place::sqlite().await).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                // Where there is no server, that was said.
                if let Some(place) = crate::place::Place::postgres().await {
                    super::$case(place).await;
                }
            })*
        }
    };
}
pub(crate) use on_each_database;

pub(crate) struct Place {
    name: &'static str,
    database: Database,
    integration: IntegrationId,
    rows: Arc<dyn TokenRows>,
    _held: Held,
}

/// What keeps the database there.
enum Held {
    #[cfg(feature = "sqlite")]
    File { _directory: tempfile::TempDir },
    #[cfg(feature = "postgres")]
    Server { _schema: crate::postgres::Schema },
}

impl Place {
    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("integrations.db");
        let store = SqliteStore::open(&path).await.unwrap();
        Self {
            name: "sqlite",
            database: Database::Sqlite(path),
            integration: integration(&store).await,
            rows: Arc::new(store),
            _held: Held::File {
                _directory: directory,
            },
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<Self> {
        let schema = tokio::task::spawn_blocking(crate::postgres::schema);
        let schema = schema.await.unwrap()?;
        let builder = PostgresStore::builder().schema(&schema.name);
        let store = builder.connect(schema.url()).await.unwrap();
        Some(Self {
            name: "postgres",
            database: Database::Postgres {
                url: schema.url().to_owned(),
                schema: schema.name.clone(),
            },
            integration: integration(&store).await,
            rows: Arc::new(store),
            _held: Held::Server { _schema: schema },
        })
    }

    /// Returns what the database is called in figures.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn store(&self) -> VaultTokenStore {
        grant(self.rows.clone(), self.integration)
    }

    pub(crate) fn settings(&self, idp: &Idp, timings: Timings, pauses: &[Step]) -> Settings {
        Settings {
            database: self.database.clone(),
            integration: self.integration.to_string(),
            idp: idp.address(),
            timings,
            clock_ahead: 0,
            pauses: pauses.to_vec(),
        }
    }
}

/// Opens the database in a worker.
pub(crate) async fn open(settings: &Settings) -> Arc<dyn TokenStore> {
    let rows: Arc<dyn TokenRows> = match &settings.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => Arc::new(SqliteStore::open(path).await.unwrap()),
        #[cfg(feature = "postgres")]
        Database::Postgres { url, schema } => {
            let builder = PostgresStore::builder().schema(schema).max_connections(4);
            Arc::new(builder.connect(url).await.unwrap())
        }
    };
    Arc::new(grant(rows, settings.integration.parse().unwrap()))
}

fn grant(rows: Arc<dyn TokenRows>, integration: IntegrationId) -> VaultTokenStore {
    let key = MasterKey::from_bytes(&MASTER_KEY).unwrap();
    let vault = Vault::new(Keyring::new(KeyId::new("k1").unwrap(), key));
    let row = TokenRowId::new(TenantId::from(TENANT), integration);
    VaultTokenStore::new(rows, vault, row)
}

async fn integration(store: &(impl TemplateStore + IntegrationStore)) -> IntegrationId {
    let words = NewTemplate::new("phone", "Phone", "phone");
    let template = IntegrationTemplate::new(TemplateId::generate(), words, DateTime::UNIX_EPOCH);
    store.insert_template(&template).await.unwrap();
    let row = StoredIntegration::new(
        IntegrationId::generate(),
        TenantId::from(TENANT),
        template.id,
        "phone",
        "Front desk",
        State::new(),
        DateTime::UNIX_EPOCH,
    );
    store.insert_integration(&row, &[]).await.unwrap();
    row.id
}
