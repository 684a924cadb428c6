use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer, TokioTimer};
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

#[cfg(feature = "contacts")]
use super::contacts::{DEFAULT_MAX_CRASHES, Local};
#[cfg(feature = "contacts")]
use super::contacts_db::Own;
use super::{SqliteStore, checkpoint, failure, file};
use crate::OpenError;
use crate::failure::{Class, Failure};
use crate::migrations::{Applied, Migration, pending};

/// The steps of the schema, by number.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "core",
        sql: include_str!("../../migrations/sqlite/0001_core.sql"),
    },
    Migration {
        version: 2,
        name: "tokens",
        sql: include_str!("../../migrations/sqlite/0002_tokens.sql"),
    },
    Migration {
        version: 3,
        name: "contacts",
        sql: include_str!("../../migrations/sqlite/0003_contacts.sql"),
    },
];

/// How often we look whether a database that is locked while it is opened is free.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// At so many pages the file beside the store's is brought into it: 16 MiB. A signup writes a dozen, and at SQLite's own
/// thousand every eightieth would wait for that.
const PAGES_IN_WAL: &str = "4096";

/// How to open a [`SqliteStore`].
///
/// ```
/// use std::time::Duration;
///
/// use integration_store::SqliteStore;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("integrations.db");
/// let store = SqliteStore::builder()
///     .busy_timeout(Duration::from_secs(1))
///     .readers(2)
///     .open(&path)
///     .await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStoreBuilder {
    busy_timeout: Duration,
    readers: u32,
    timer: Arc<dyn Timer>,
    #[cfg(feature = "contacts")]
    max_crashes: u32,
}

impl SqliteStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            timer: Arc::new(TokioTimer),
            #[cfg(feature = "contacts")]
            max_crashes: DEFAULT_MAX_CRASHES,
        }
    }

    /// Sets how long a call waits for another process or task to finish writing. 5 seconds if not set.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets how many connections read at once, at least one. 4 if not set.
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// Sets the clock that leases are measured with.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Sets after how many crashes of its worker a job is a dead letter, at least one. 3 if not set.
    #[cfg(feature = "contacts")]
    pub fn max_crashes(mut self, crashes: u32) -> Self {
        self.max_crashes = crashes.max(1);
        self
    }

    /// Opens the file, as [`SqliteStore::open`] does.
    ///
    /// # Errors
    ///
    /// See there.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        let path = path.as_ref().to_owned();
        let making = path.clone();
        let path = tokio::task::spawn_blocking(move || file::make(making))
            .await
            .map_err(|_| {
                Failure::new(Class::Unavailable, "the runtime is shutting down")
                    .of_sqlite(Some(path))
            })??;
        let options = self.options().filename(&path);
        file::check_length(&options, &path).await?;
        let writing = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", PAGES_IN_WAL)
            // What is deleted is overwritten: erased people do not stay in free pages.
            .pragma("secure_delete", "on");
        let writer = self.connect(1, writing, Some(&path)).await?;
        file::check_writable(&options, &path).await?;
        migrate(&writer, Some(&path)).await?;
        let reading = options.pragma("query_only", "on");
        let readers = self.connect(self.readers, reading, Some(&path)).await?;
        self.store(writer, readers, Some(&path)).await
    }

    /// Opens a store in memory, as [`SqliteStore::in_memory`] does.
    ///
    /// # Errors
    ///
    /// See there.
    pub async fn in_memory(self) -> Result<SqliteStore, OpenError> {
        // Such a database lives in its connection, so there is one for everything.
        let options = self.options().in_memory(true);
        let writer = self.connect(1, options, None).await?;
        migrate(&writer, None).await?;
        self.store(writer.clone(), writer, None).await
    }

    #[cfg_attr(
        not(feature = "contacts"),
        expect(
            clippy::unused_async,
            reason = "the clock of the contacts reads the file"
        )
    )]
    async fn store(
        self,
        writer: SqlitePool,
        readers: SqlitePool,
        file: Option<&Path>,
    ) -> Result<SqliteStore, OpenError> {
        #[cfg(feature = "contacts")]
        let own = Own::new(&readers, self.timer.as_ref()).await;
        #[cfg(feature = "contacts")]
        let own = own.map_err(|error| failed(&error, file))?;
        #[cfg(not(feature = "contacts"))]
        let _ = file;
        Ok(SqliteStore {
            writer,
            readers,
            #[cfg(feature = "contacts")]
            local: Arc::new(Local::new(self.timer.clone(), self.max_crashes, own)),
            timer: self.timer,
        })
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .create_if_missing(false)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(self.busy_timeout)
    }

    /// Opens connections. Several processes that make a file into a database at once may be told that it is locked
    /// without having waited.
    async fn connect(
        &self,
        connections: u32,
        options: SqliteConnectOptions,
        file: Option<&Path>,
    ) -> Result<SqlitePool, OpenError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.busy_timeout.max(Duration::from_secs(1)))
            .idle_timeout(None)
            .max_lifetime(None)
            // A file does not hang up: to ask each time is a journey to the connection's thread and back.
            .test_before_acquire(false)
            .before_acquire(|connection, _| {
                // A disk that is full ends a transaction by itself. The driver believes that it goes on, and would
                // begin no other on this connection.
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            });
        let until = self.timer.now() + self.busy_timeout;
        loop {
            match pool.clone().connect_with(options.clone()).await {
                Ok(pool) => return Ok(pool),
                Err(error) => {
                    let failure = failure(&error);
                    if failure.class != Class::Locked || self.timer.now() >= until {
                        return Err(failure.of_sqlite(file.map(Path::to_owned)));
                    }
                }
            }
            self.timer.sleep(LOOK_AGAIN).await;
        }
    }
}

/// Takes the steps that the database has not taken, all or none. A database that is up to date is not written to.
async fn migrate(writer: &SqlitePool, file: Option<&Path>) -> Result<(), OpenError> {
    let failed = |error| failed(&error, file);
    let mut connection = writer.acquire().await.map_err(failed)?;
    if pending(MIGRATIONS, &applied(&mut connection, file).await?)?.is_empty() {
        return Ok(());
    }
    drop(connection);
    let mut tx = writer.begin_with("begin immediate").await.map_err(failed)?;
    sqlx::raw_sql(
        "create table if not exists integration_migrations (
            version integer not null primary key,
            name text not null,
            checksum text not null,
            applied_at text not null
        ) strict",
    )
    .execute(&mut *tx)
    .await
    .map_err(failed)?;
    // Another process may have been faster.
    for migration in pending(MIGRATIONS, &applied(&mut tx, file).await?)? {
        for table in migration.tables() {
            if columns(&mut tx, table).await.map_err(failed)?.is_some() {
                return Err(taken(file, table));
            }
        }
        let stepped = sqlx::raw_sql(migration.sql).execute(&mut *tx).await;
        stepped.map_err(failed)?;
        sqlx::query(
            "insert into integration_migrations (version, name, checksum, applied_at)
             values ($1, $2, $3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        )
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    checkpoint(writer).await;
    Ok(())
}

async fn applied(
    connection: &mut SqliteConnection,
    file: Option<&Path>,
) -> Result<Vec<Applied>, OpenError> {
    let failed = |error| failed(&error, file);
    let table = "integration_migrations";
    let Some(columns) = columns(connection, table).await.map_err(failed)? else {
        return Ok(Vec::new());
    };
    let ours = ["version", "name", "checksum"];
    if !ours
        .iter()
        .all(|ours| columns.iter().any(|column| column == ours))
    {
        return Err(taken(file, table));
    }
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "select version, name, checksum from integration_migrations order by version",
    )
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|(version, name, checksum)| Applied {
            version,
            name,
            checksum,
        })
        .collect())
}

/// Returns the columns of a table or view, where there is one of that name.
async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info($1)")
        .bind(table)
        .fetch_all(connection)
        .await?;
    Ok((!columns.is_empty()).then_some(columns))
}

fn taken(file: Option<&Path>, table: &str) -> OpenError {
    OpenError::TakenInFile {
        path: file.map(Path::to_owned).unwrap_or_default(),
        table: table.to_owned(),
    }
}

fn failed(error: &sqlx::Error, file: Option<&Path>) -> OpenError {
    failure(error).of_sqlite(file.map(Path::to_owned))
}
