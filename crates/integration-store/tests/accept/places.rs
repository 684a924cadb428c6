//! Stores to test with, and what they hold.

use std::sync::Arc;

use contact_sync::{Contact, Lane, NewJob, Region, Signup, SignupStore, TenantId};
use integration_store::{PostgresStore, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};

use crate::server;

/// A store with a way to look into its tables.
pub(crate) enum Place {
    File(SqliteStore, tempfile::TempDir),
    Schema(PostgresStore, server::Schema),
}

impl Place {
    pub(crate) async fn file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("a.db")).await;
        Self::File(store.unwrap(), directory)
    }

    pub(crate) async fn schema() -> Option<Self> {
        let schema = server::schema()?;
        let builder = PostgresStore::builder().schema(&schema.name);
        let store = builder.max_connections(8).connect(schema.url()).await;
        Some(Self::Schema(store.unwrap(), schema))
    }

    pub(crate) fn store(&self) -> Arc<dyn SignupStore> {
        match self {
            Self::File(store, _) => Arc::new(store.clone()),
            Self::Schema(store, _) => Arc::new(store.clone()),
        }
    }

    /// Reads one number, with `main.` before the names of the tables.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        match self {
            Self::File(_, directory) => {
                let query = sqlx::query(sqlx::AssertSqlSafe(query.to_owned()));
                let row = query.fetch_one(&mut connection(directory).await).await;
                row.unwrap().get(0)
            }
            Self::Schema(_, schema) => {
                let query = query.replace("main.", &format!("{}.", schema.name));
                let query = sqlx::query(sqlx::AssertSqlSafe(query));
                let row = query.fetch_one(&mut schema.connection().await).await;
                row.unwrap().get(0)
            }
        }
    }

    /// Writes, with `main.` before the names of the tables.
    pub(crate) async fn run(&self, sql: &str) {
        match self {
            Self::File(_, directory) => {
                let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
                sql.execute(&mut connection(directory).await).await.unwrap();
            }
            Self::Schema(_, schema) => schema.run(&sql.replace("main.", "{schema}.")).await,
        }
    }
}

/// Opens a connection of the test's own.
pub(crate) async fn connection(directory: &tempfile::TempDir) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(directory.path().join("a.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Runs a test on both databases; on PostgreSQL where there is a server.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::places::Place::file().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(place) = $crate::places::Place::schema().await {
                    super::$name(place).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) fn tenant() -> TenantId {
    TenantId::from("acme")
}

pub(crate) fn person(signup: &Signup) -> Contact {
    Contact::new(&tenant(), signup, Some(Region::US))
}

pub(crate) fn ann() -> Signup {
    Signup::new()
        .tenant("acme")
        .name("Ann Lee")
        .email("ann@example.com")
}

pub(crate) fn bulk(target: &'static str) -> NewJob {
    NewJob::new(target.into(), Lane::Bulk)
}
