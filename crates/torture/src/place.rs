//! A database of one run, and the stores on it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contact_sync::SyncStore;
use integration_store::{PostgresStore, SqliteStore};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::{Outcome, server};

#[derive(Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// Where another process finds the database.
#[derive(Clone)]
pub(crate) enum Address {
    Sqlite(PathBuf),
    Postgres { url: String, schema: String },
}

impl Address {
    /// Reads what [`Display`](fmt::Display) has written.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        match text.rsplit_once('#') {
            Some((url, schema)) => Ok(Self::Postgres {
                url: url.to_owned(),
                schema: schema.to_owned(),
            }),
            None => Err(format!("no database: `{text}`")),
        }
    }

    /// Opens the store.
    pub(crate) async fn open(
        &self,
        max_crashes: u32,
        connections: u32,
    ) -> Outcome<Arc<dyn SyncStore>> {
        Ok(match self {
            Self::Sqlite(path) => {
                let builder = SqliteStore::builder().max_crashes(max_crashes);
                Arc::new(builder.open(path).await.map_err(|e| e.to_string())?)
            }
            Self::Postgres { url, schema } => {
                let builder = PostgresStore::builder()
                    .schema(schema)
                    .max_crashes(max_crashes)
                    .max_connections(connections);
                Arc::new(builder.connect(url).await.map_err(|e| e.to_string())?)
            }
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres { url, schema } => write!(f, "{url}#{schema}"),
        }
    }
}

pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) address: Address,
    directory: TempDir,
    _schema: Option<server::Schema>,
}

impl Place {
    /// Makes a database with nothing in it, or none where there is no server to be had, which has been said.
    pub(crate) async fn new(database: Database) -> Outcome<Option<Self>> {
        let directory = tempfile::tempdir().map_err(|e| format!("no folder: {e}"))?;
        let (address, schema) = match database {
            Database::Sqlite => (Address::Sqlite(directory.path().join("outbox.db")), None),
            Database::Postgres => {
                let schema = tokio::task::spawn_blocking(server::schema);
                let Some(schema) = schema.await.map_err(|e| e.to_string())? else {
                    return Ok(None);
                };
                let address = Address::Postgres {
                    url: schema.url().to_owned(),
                    schema: schema.name.clone(),
                };
                (address, Some(schema))
            }
        };
        Ok(Some(Self {
            database,
            address,
            directory,
            _schema: schema,
        }))
    }

    /// Returns a folder for what workers write down.
    pub(crate) fn folder(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Returns of each dead job its contact and how many crashes are recorded.
    pub(crate) async fn dead(&self) -> Outcome<Vec<(uuid::Uuid, i64)>> {
        let failed = |e: sqlx::Error| format!("the dead cannot be counted: {e}");
        let select = "select contact_id, crash_count from {}sync_outbox where state = 'dead'";
        match &self.address {
            Address::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.map_err(failed)?;
                let select = sqlx::AssertSqlSafe(select.replace("{}", ""));
                let rows: Vec<(String, i64)> = sqlx::query_as(select)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(failed)?;
                let id = |text: &str| uuid::Uuid::parse_str(text).map_err(|e| e.to_string());
                rows.into_iter()
                    .map(|(contact, crashes)| Ok((id(&contact)?, crashes)))
                    .collect()
            }
            Address::Postgres { url, schema } => {
                let mut connection = PgConnection::connect(url).await.map_err(failed)?;
                let select = sqlx::AssertSqlSafe(select.replace("{}", &format!("{schema}.")));
                sqlx::query_as(select)
                    .fetch_all(&mut connection)
                    .await
                    .map_err(failed)
            }
        }
    }

    /// Opens what a bare commit is measured on: a table of its own in the store's database, as a host's would be.
    pub(crate) async fn bare(&self) -> Outcome<Bare> {
        let failed = |e: sqlx::Error| format!("no table for bare commits: {e}");
        match &self.address {
            Address::Sqlite(path) => bare_file(path).await.map_err(failed),
            Address::Postgres { url, schema } => {
                let mut connection = PgConnection::connect(url).await.map_err(failed)?;
                let create = CREATE_BARE.replace("bare_commits", &format!("{schema}.bare_commits"));
                sqlx::query(sqlx::AssertSqlSafe(create))
                    .execute(&mut connection)
                    .await
                    .map_err(failed)?;
                let insert = format!("insert into {schema}.bare_commits values ($1, $2)");
                Ok(Bare::Postgres(connection, insert.into()))
            }
        }
    }

    /// Opens a file with the store's settings in which nobody else writes, if the database is a file.
    pub(crate) async fn bare_alone(&self) -> Outcome<Option<Bare>> {
        match &self.address {
            Address::Sqlite(_) => {
                let bare = bare_file(&self.directory.path().join("bare.db")).await;
                let bare = bare.map_err(|e| format!("no file for bare commits: {e}"))?;
                Ok(Some(bare))
            }
            Address::Postgres { .. } => Ok(None),
        }
    }
}

const CREATE_BARE: &str = "create table bare_commits (id text primary key, line text not null)";

async fn bare_file(path: &Path) -> Result<Bare, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .pragma("wal_autocheckpoint", "4096")
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await?;
    sqlx::query(CREATE_BARE).execute(&mut connection).await?;
    Ok(Bare::Sqlite(connection))
}

/// A connection that commits one row at a time.
pub(crate) enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, Arc<str>),
}

impl Bare {
    pub(crate) async fn commit(&mut self, id: &str) -> Outcome {
        let line = "x".repeat(200);
        let failed = |e: sqlx::Error| format!("a bare commit failed: {e}");
        match self {
            Self::Sqlite(connection) => {
                let insert = sqlx::query("insert into bare_commits values ($1, $2)");
                insert
                    .bind(id)
                    .bind(line)
                    .execute(connection)
                    .await
                    .map_err(failed)?;
            }
            Self::Postgres(connection, insert) => {
                let insert = sqlx::query(sqlx::AssertSqlSafe(insert.to_string()));
                insert
                    .bind(id)
                    .bind(line)
                    .execute(connection)
                    .await
                    .map_err(failed)?;
            }
        }
        Ok(())
    }
}
