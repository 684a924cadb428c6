#[cfg(feature = "contacts")]
mod contacts_db;
#[cfg(test)]
#[cfg(feature = "contacts")]
mod contacts_tests;
#[cfg(feature = "contacts")]
mod crowd;
mod encoding;
mod file;
#[cfg(feature = "core")]
mod leases;
mod open;
#[cfg(feature = "contacts")]
mod queue;
#[cfg(feature = "core")]
mod token_leases;

#[cfg(feature = "contacts")]
#[path = "../ports/contacts/mod.rs"]
mod contacts;
#[cfg(feature = "core")]
#[path = "../ports/integration_row.rs"]
mod integration_row;
#[cfg(feature = "core")]
#[path = "../ports/integrations.rs"]
mod integrations;
#[cfg(feature = "core")]
#[path = "../ports/logs.rs"]
mod logs;
#[cfg(feature = "core")]
#[path = "../ports/parts.rs"]
mod parts;
#[cfg(feature = "core")]
#[path = "../ports/sealed.rs"]
mod sealed;
#[cfg(feature = "core")]
#[path = "../ports/templates.rs"]
mod templates;
#[cfg(test)]
#[cfg(feature = "core")]
mod tests;
#[cfg(feature = "core")]
#[path = "../ports/tokens.rs"]
mod tokens;

#[cfg(feature = "core")]
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use connector_http::Timer;
#[cfg(feature = "core")]
use integration_core::store::StoreError;
use sqlx::SqlitePool;
use sqlx::error::DatabaseError;

pub use self::open::SqliteStoreBuilder;
use crate::OpenError;
use crate::failure::{Class, Failure};

// What the files of the ports take from their database.
use SqliteStore as Store;
use sqlx::Sqlite as Database;
use sqlx::sqlite::SqliteRow as Row;

#[cfg(feature = "core")]
type Tx = sqlx::Transaction<'static, Database>;
type Query = sqlx::query::Query<'static, Database, <Database as sqlx::Database>::Arguments>;

/// A store in one SQLite file. Any number of processes of one machine may open it.
///
/// Cheap to clone. Writing goes through one connection and waits its turn there; reading has its own. Every write is
/// on the disk when its call returns (`synchronous=FULL` in WAL mode), in the file or in the one beside it that ends in
/// `-wal` and belongs to it. [`close`](Self::close) brings all of it into the file; so do the connections when the last
/// clone is dropped, on threads of their own that a program does not wait for when it ends.
///
/// # Example
///
/// ```
/// use integration_store::SqliteStore;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("integrations.db");
/// let store = SqliteStore::open(&path).await?;
/// // … and before the program ends:
/// store.close().await;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    timer: Arc<dyn Timer>,
    #[cfg(feature = "contacts")]
    local: Arc<contacts::Local>,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none (readable and writable by its owner alone), and brings its tables
    /// up to date. It makes no directory.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what is wrong and how to mend it. The tables are then as they were.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().open(path).await
    }

    /// Opens a store that ends with the last clone of it: for tests and for trying things out.
    ///
    /// # Errors
    ///
    /// When SQLite has no memory left.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::builder().in_memory().await
    }

    /// Begins to say how to open a store.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder::new()
    }

    /// Ends all connections, once nobody uses them any more. Calls that come later fail.
    ///
    /// What has been written lies in the file alone then, and no longer in the `-wal` file beside it, unless another
    /// process reads for longer than the [busy timeout](SqliteStoreBuilder::busy_timeout). Call it before the program
    /// ends: nothing is lost without it, but whoever copies the file alone has not all of it.
    pub async fn close(&self) {
        self.readers.close().await;
        checkpoint(&self.writer).await;
        self.writer.close().await;
    }

    /// A file has no schemas.
    #[cfg(feature = "contacts")]
    #[expect(
        clippy::unused_self,
        reason = "on PostgreSQL the store knows its schema"
    )]
    fn schema_name(&self) -> &'static str {
        ""
    }

    fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    #[cfg(feature = "core")]
    fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Begins a transaction that may write. It holds the write lock from the start, so that it cannot fail half-way
    /// for want of it.
    #[cfg(feature = "core")]
    async fn begin(&self) -> Result<Tx, StoreError> {
        self.writer
            .begin_with("begin immediate")
            .await
            .map_err(failed)
    }

    #[expect(
        clippy::unused_self,
        reason = "on PostgreSQL the store knows its schema"
    )]
    fn query(&self, text: &'static str) -> Query {
        sqlx::query(text)
    }

    /// Returns the text as SQLite takes it, which is as it is written.
    #[cfg(feature = "core")]
    #[expect(
        clippy::unused_self,
        reason = "on PostgreSQL the store knows its schema"
    )]
    fn text(&self, text: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(text)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Brings what lies in the log of writes into the file, and empties the log. Where that cannot be done nothing is lost:
/// what is in the log counts.
async fn checkpoint(writer: &SqlitePool) {
    let _ = sqlx::query("pragma wal_checkpoint(truncate)")
        .execute(writer)
        .await;
}

/// Reads a column.
#[cfg(feature = "core")]
fn get<T>(row: &Row, column: &str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, Database> + sqlx::Type<Database>,
{
    sqlx::Row::try_get(row, column).map_err(failed)
}

/// There is one writer at a time: two defaults cannot be written at once.
#[cfg(feature = "core")]
async fn keep_defaults_apart(
    _store: &Store,
    _tx: &mut Tx,
    _tenant: &str,
    _vendor: &str,
) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(feature = "core")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` wants to call"
)]
fn failed(error: sqlx::Error) -> StoreError {
    failure(&error).into()
}

fn failure(error: &sqlx::Error) -> Failure {
    // The writer is one connection: whoever waits in vain for it waits for another writer.
    Failure::of(error, Class::Locked, said_by_sqlite)
}

/// The texts of SQLite name tables and columns and quote no values.
fn said_by_sqlite(error: &dyn DatabaseError) -> Failure {
    let code = error.code().and_then(|code| code.parse().ok());
    let class = code.map_or(Class::Unavailable, class_of);
    Failure::new(
        class,
        format!(
            "{} (SQLite code {})",
            error.message(),
            code.unwrap_or_default()
        ),
    )
}

/// Sorts an extended result code of SQLite. Its lowest byte is the primary code.
fn class_of(code: i32) -> Class {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const READONLY: i32 = 8;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const TOOBIG: i32 = 18;
    const CONSTRAINT: i32 = 19;
    const AUTH: i32 = 23;
    const NOTADB: i32 = 26;
    const IOERR_WRITE: i32 = 778;
    const IOERR_FSYNC: i32 = 1_034;
    const IOERR_DIR_FSYNC: i32 = 1_290;
    const IOERR_TRUNCATE: i32 = 1_546;
    const IOERR_SHMOPEN: i32 = 4_618;
    const IOERR_SHMSIZE: i32 = 4_874;
    match (code, code & 0xff) {
        (
            IOERR_WRITE | IOERR_FSYNC | IOERR_DIR_FSYNC | IOERR_TRUNCATE | IOERR_SHMOPEN
            | IOERR_SHMSIZE,
            _,
        )
        | (_, READONLY | FULL | CANTOPEN) => Class::ReadOnly,
        (_, BUSY | LOCKED) => Class::Locked,
        (_, CORRUPT | NOTADB) => Class::Damaged,
        (_, CONSTRAINT) => Class::Refused,
        (_, TOOBIG) => Class::Unfit,
        (_, AUTH) => Class::Denied,
        _ => Class::Unavailable,
    }
}
