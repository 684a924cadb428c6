//! A database with the store and the host's table in it, as a test and the processes it kills open it.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{
    ClaimRequest, CrmHook, Receipt, Region, Signup, SignupHook, StaticDirectory, StrictError,
    SyncStore, Target, Ticket, Worker,
};
#[cfg(feature = "postgres")]
use integration_store::PostgresStore;
#[cfg(feature = "sqlite")]
use integration_store::SqliteStore;
use serde::{Deserialize, Serialize};

use crate::host::{End, Failed, Nobody, insert};
use crate::vendor::{PHONE, Vendor};

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

/// A time long before every test.
const LONG_AGO: &str = "2000-01-01T00:00:00.000000Z";

/// The host's own connections.
pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite {
        pool: sqlx::SqlitePool,
        path: std::path::PathBuf,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        pool: sqlx::PgPool,
        url: String,
        schema: String,
    },
}

/// Where a database is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Address {
    #[cfg(feature = "sqlite")]
    Sqlite(std::path::PathBuf),
    #[cfg(feature = "postgres")]
    Postgres { url: String, schema: String },
}

impl Database {
    pub(crate) async fn open(address: &Address) -> Self {
        match address {
            #[cfg(feature = "sqlite")]
            Address::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(20));
                let pool = sqlx::sqlite::SqlitePoolOptions::new();
                Self::Sqlite {
                    pool: pool.max_connections(4).connect_with(options).await.unwrap(),
                    path: path.clone(),
                }
            }
            #[cfg(feature = "postgres")]
            Address::Postgres { url, schema } => {
                let pool = sqlx::postgres::PgPoolOptions::new();
                Self::Postgres {
                    pool: pool.max_connections(6).connect(url).await.unwrap(),
                    url: url.clone(),
                    schema: schema.clone(),
                }
            }
        }
    }

    pub(crate) fn address(&self) -> Address {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { path, .. } => Address::Sqlite(path.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema, .. } => Address::Postgres {
                url: url.clone(),
                schema: schema.clone(),
            },
        }
    }

    /// Opens a store in it.
    pub(crate) async fn store(&self) -> Arc<dyn SyncStore> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { path, .. } => {
                let builder = SqliteStore::builder().busy_timeout(Duration::from_secs(20));
                Arc::new(builder.open(path).await.unwrap())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema, .. } => {
                let builder = PostgresStore::builder().schema(schema).max_connections(6);
                Arc::new(builder.connect(url).await.unwrap())
            }
        }
    }

    /// Runs statements, in which `{s}` stands before the name of each table.
    pub(crate) async fn run(&self, sql: &str) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => {
                let sql = sqlx::AssertSqlSafe(sql.replace("{s}", ""));
                sqlx::raw_sql(sql).execute(pool).await.unwrap();
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, schema, .. } => {
                let sql = sqlx::AssertSqlSafe(sql.replace("{s}", &format!("{schema}.")));
                sqlx::raw_sql(sql).execute(pool).await.unwrap();
            }
        }
    }

    /// Counts the rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => {
                let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
                sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, schema, .. } => {
                let sql = sqlx::AssertSqlSafe(format!("select count(*) from {schema}.{table}"));
                sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
            }
        }
    }
}

pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) store: Arc<dyn SyncStore>,
    pub(crate) vendor: Vendor,
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
        let address = Address::Sqlite(directory.path().join("host.db"));
        let held = Held::File {
            _directory: directory,
        };
        Self::at(address, held).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<Self> {
        let schema = tokio::task::spawn_blocking(crate::postgres::schema);
        let schema = schema.await.unwrap()?;
        let address = Address::Postgres {
            url: schema.url().to_owned(),
            schema: schema.name.clone(),
        };
        Some(Self::at(address, Held::Server { _schema: schema }).await)
    }

    async fn at(address: Address, held: Held) -> Self {
        let database = Database::open(&address).await;
        let store = database.store().await;
        database
            .run("create table {s}people (name text not null)")
            .await;
        Self {
            store,
            database,
            vendor: Vendor::start().await,
            _held: held,
        }
    }

    pub(crate) fn target(&self) -> Arc<dyn Target> {
        self.vendor.target(PHONE)
    }

    pub(crate) fn crm(&self) -> CrmHook {
        CrmHook::new(self.store.clone(), StaticDirectory::new().on(PHONE))
            .target(self.target())
            .region(Region::US)
    }

    pub(crate) fn signups(&self) -> SignupHook {
        SignupHook::new(self.store.clone(), StaticDirectory::new().on(PHONE)).region(Region::US)
    }

    /// Creates a person with an insert that ends like this.
    pub(crate) async fn create(
        &self,
        signup: &Signup,
        end: End,
    ) -> Result<Receipt, StrictError<Failed>> {
        self.create_by(&self.crm(), signup, end).await
    }

    pub(crate) async fn create_by(
        &self,
        crm: &CrmHook,
        signup: &Signup,
        end: End,
    ) -> Result<Receipt, StrictError<Failed>> {
        let name = signup.name.clone().unwrap_or_default();
        let insert =
            async |ticket: Ticket| insert(&self.database, &ticket, &name, end, &Nobody).await;
        crm.create(signup, insert)
            .await
            .map(|((), receipt)| receipt)
    }

    /// Lets every lease run out, and every wait be over.
    pub(crate) async fn everything_is_due(&self) {
        let due = format!(
            "update {{s}}sync_operations set lease_until = '{LONG_AGO}';
             update {{s}}sync_lines set settles_at = '{LONG_AGO}' where settles_at is not null;
             update {{s}}sync_outbox set lease_until = '{LONG_AGO}' where lease_until is not null;
             update {{s}}sync_outbox set run_at = '{LONG_AGO}';"
        );
        self.database.run(&due).await;
    }

    /// Takes back what was leased to those who did not come back.
    pub(crate) async fn reap(&self) {
        self.everything_is_due().await;
        let nothing = ClaimRequest::new(0, Duration::from_mins(1));
        self.store.claim(nothing).await.unwrap();
        self.everything_is_due().await;
    }

    /// Works until nothing is left to do.
    pub(crate) async fn work(&self) {
        let worker = Worker::new(self.store.clone())
            .target(self.target())
            .poll(Duration::from_millis(50))
            .start();
        let idle = tokio::time::timeout(Duration::from_mins(1), worker.idle()).await;
        assert!(idle.is_ok(), "{:?}", self.store.snapshot().await);
        worker.shutdown(Duration::from_secs(5)).await;
    }

    /// What a worker does once it is certain that nobody is at work any more.
    pub(crate) async fn recover(&self) {
        self.reap().await;
        self.work().await;
    }

    /// Checks that host and vendor have so many people both, and that nothing is left of any operation.
    pub(crate) async fn both_have(&self, people: usize) {
        let vendor = self.vendor.records().len();
        let host = usize::try_from(self.database.count("people").await).unwrap();
        assert_eq!((host, vendor), (people, people), "host and vendor");
        self.nothing_is_left().await;
    }

    pub(crate) async fn nothing_is_left(&self) {
        for table in [
            "sync_operations",
            "sync_confirmations where ended_at is null",
            "sync_undos",
            "sync_outbox",
            "sync_claims",
        ] {
            assert_eq!(self.database.count(table).await, 0, "{table}");
        }
    }
}

pub(crate) fn ann() -> Signup {
    Signup::new()
        .name("Ann Lee")
        .email("ann@example.com")
        .phone("202 555 0143")
}
