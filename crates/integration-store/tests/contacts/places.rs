//! The three stores as subjects of the suite.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{MemoryStore, SyncStore};

use crate::clock::MovedClock;
use crate::subject::Subject;

pub(crate) struct InMemory {
    store: MemoryStore,
    clock: Arc<MovedClock>,
}

#[async_trait]
impl Subject for InMemory {
    fn store(&self) -> Arc<dyn SyncStore> {
        Arc::new(self.store.clone())
    }

    async fn reopened(&self) -> Arc<dyn SyncStore> {
        self.store()
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    async fn dump(&self, _table: &str) -> Option<Vec<String>> {
        None
    }
}

pub(crate) fn in_memory() -> Ready<Option<InMemory>> {
    let clock: Arc<MovedClock> = Arc::default();
    let store = MemoryStore::with_timer(clock.clone());
    ready(Some(InMemory { store, clock }))
}

#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::on_file;

#[cfg(feature = "sqlite")]
mod sqlite {
    use integration_store::SqliteStore;
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, Row};
    use tempfile::TempDir;

    use super::*;

    pub(crate) struct OnFile {
        directory: TempDir,
        clock: Arc<MovedClock>,
        store: Arc<SqliteStore>,
    }

    async fn open(directory: &TempDir, clock: &Arc<MovedClock>) -> Arc<SqliteStore> {
        let store = SqliteStore::builder()
            .timer(clock.clone())
            .open(directory.path().join("contacts.db"))
            .await;
        Arc::new(store.unwrap())
    }

    #[async_trait]
    impl Subject for OnFile {
        fn store(&self) -> Arc<dyn SyncStore> {
            self.store.clone()
        }

        async fn reopened(&self) -> Arc<dyn SyncStore> {
            open(&self.directory, &self.clock).await
        }

        async fn pass(&self, time: Duration) {
            self.clock.pass(time);
        }

        async fn dump(&self, table: &str) -> Option<Vec<String>> {
            let options =
                SqliteConnectOptions::new().filename(self.directory.path().join("contacts.db"));
            let mut connection = options.connect().await.unwrap();
            let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info(?)")
                .bind(table)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            assert!(!columns.is_empty(), "no table {table}");
            let quoted: Vec<String> = columns.iter().map(|c| format!("quote({c})")).collect();
            let select = format!("select {} as line from {table}", quoted.join(" || ' ' || "));
            let rows = sqlx::query(sqlx::AssertSqlSafe(select))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            Some(rows.iter().map(|row| row.get("line")).collect())
        }
    }

    pub(crate) async fn on_file() -> Option<OnFile> {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::default();
        let store = open(&directory, &clock).await;
        Some(OnFile {
            directory,
            clock,
            store,
        })
    }
}

#[cfg(feature = "postgres")]
pub(crate) use self::postgres::in_schema;

#[cfg(feature = "postgres")]
mod postgres {
    use integration_store::PostgresStore;

    use super::*;
    use crate::server;

    pub(crate) struct InSchema {
        store: Arc<PostgresStore>,
        // After the store, so that the store does not outlive it.
        schema: server::Schema,
    }

    async fn open(schema: &server::Schema) -> Arc<PostgresStore> {
        let store = PostgresStore::builder()
            .schema(&schema.name)
            .max_connections(4)
            .connect(schema.url())
            .await;
        Arc::new(store.unwrap())
    }

    #[async_trait]
    impl Subject for InSchema {
        fn store(&self) -> Arc<dyn SyncStore> {
            self.store.clone()
        }

        async fn reopened(&self) -> Arc<dyn SyncStore> {
            open(&self.schema).await
        }

        /// The server's clock cannot be moved; everything that was ever written by it can. When a create was about to
        /// be called is the caller's own time, and stays.
        async fn pass(&self, time: Duration) {
            let mut connection = self.schema.connection().await;
            let columns: Vec<(String, String)> = sqlx::query_as(
                "select table_name::text, column_name::text from information_schema.columns
                 where table_schema = $1 and table_name like 'sync\\_%' and table_name <> 'sync_undos'
                   and data_type = 'timestamp with time zone'",
            )
            .bind(&self.schema.name)
            .fetch_all(&mut connection)
            .await
            .unwrap();
            assert!(!columns.is_empty(), "no times to move");
            let seconds = time.as_secs_f64();
            let moves: Vec<String> = columns
                .iter()
                .map(|(table, column)| {
                    format!("update {{schema}}.{table} set {column} = {column} - interval '{seconds} seconds'")
                })
                .collect();
            self.schema.run(&moves.join(";")).await;
        }

        async fn dump(&self, table: &str) -> Option<Vec<String>> {
            let mut connection = self.schema.connection().await;
            let select = format!(
                "select row_to_json(t)::text from {}.{table} t",
                self.schema.name
            );
            let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
                .fetch_all(&mut connection)
                .await;
            Some(rows.unwrap())
        }
    }

    pub(crate) async fn in_schema() -> Option<InSchema> {
        let schema = tokio::task::spawn_blocking(server::schema);
        let schema = schema.await.unwrap()?;
        let store = open(&schema).await;
        Some(InSchema { store, schema })
    }
}
