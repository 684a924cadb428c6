#[cfg(feature = "contacts")]
mod contacts_db;
mod encoding;
#[cfg(feature = "contacts")]
mod intake;
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
#[cfg(feature = "core")]
#[path = "../ports/tokens.rs"]
mod tokens;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "core")]
use integration_core::store::StoreError;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgPool};

pub use self::open::PostgresStoreBuilder;
use crate::OpenError;
use crate::failure::{Class, Failure};

// What the files of the ports take from their database.
use PostgresStore as Store;
use sqlx::Postgres as Database;
use sqlx::postgres::PgRow as Row;

const BEGIN: &str = "begin isolation level read committed";

#[cfg(feature = "core")]
type Tx = sqlx::Transaction<'static, Database>;
type Query = sqlx::query::Query<'static, Database, <Database as sqlx::Database>::Arguments>;

/// A store in a PostgreSQL database, for any number of processes on any number of machines.
///
/// It has a schema of its own, `integrations` if no other is chosen, with its own table of migrations in it: nothing
/// of it meets what else the database holds. Cheap to clone.
///
/// # Example
///
/// ```no_run
/// use integration_store::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://user:password@127.0.0.1:5432/host").await?;
/// let same = store.clone();
/// # drop(same);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    schema: Arc<str>,
    #[cfg(feature = "contacts")]
    local: Arc<contacts::Local>,
}

impl PostgresStore {
    /// Connects to the database at a `postgres://` address and brings the store's schema up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what is wrong and how to mend it. The schema is then as it was.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::builder().connect(url).await
    }

    /// Uses connections that the host has already, and brings the store's schema up to date. Nothing is set on the
    /// connections: they can be shared with whatever else the host does.
    ///
    /// # Errors
    ///
    /// See [`connect`](Self::connect).
    pub async fn from_pool(pool: PgPool) -> Result<Self, OpenError> {
        Self::builder().from_pool(pool).await
    }

    /// Begins to say how to open a store.
    pub fn builder() -> PostgresStoreBuilder {
        PostgresStoreBuilder::new()
    }

    #[cfg(feature = "contacts")]
    fn schema_name(&self) -> &str {
        &self.schema
    }

    fn reader(&self) -> &PgPool {
        &self.pool
    }

    #[cfg(feature = "core")]
    fn writer(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction in which each statement sees what others have written by then, whatever the connections of
    /// the host begin with: who has waited for a lock goes by what it was held for.
    #[cfg(feature = "core")]
    async fn begin(&self) -> Result<Tx, StoreError> {
        self.pool.begin_with(BEGIN).await.map_err(failed)
    }

    fn query(&self, text: &'static str) -> Query {
        sqlx::query(AssertSqlSafe(self.text(text).into_owned()))
    }

    /// Returns the text as PostgreSQL takes it.
    fn text(&self, text: &'static str) -> Cow<'static, str> {
        Cow::Owned(text_in(&self.schema, text))
    }
}

/// Returns a text as PostgreSQL takes it. It is written for SQLite, which calls its own schema `main` and has other
/// names for some functions.
fn text_in(schema: &str, text: &'static str) -> String {
    text.replace("main.", &format!("\"{schema}\"."))
        .replace("json_group_array(", "jsonb_agg(")
        .replace("json_object(", "jsonb_build_object(")
        // That of the transaction's start would be older than what a statement waited for.
        .replace("current_timestamp", "clock_timestamp()")
        // What is locked is a comment to SQLite, which has one writer at a time.
        .replace("/* for ", "for ")
        .replace(" */", "")
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Reads a column.
#[cfg(feature = "core")]
fn get<T>(row: &Row, column: &str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, Database> + sqlx::Type<Database>,
{
    sqlx::Row::try_get(row, column).map_err(failed)
}

/// Lets one transaction at a time choose the default of a tenant and vendor. The index alone would make the second of
/// two that do it at once fail.
#[cfg(feature = "core")]
async fn keep_defaults_apart(
    store: &Store,
    tx: &mut Tx,
    tenant: &str,
    vendor: &str,
) -> Result<(), StoreError> {
    let key = format!(
        "integration-store default {} {tenant} {vendor}",
        store.schema
    );
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(key)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
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
    Failure::of(error, Class::Unavailable, said_by_postgres)
}

/// Details always quote values, and so do many messages: only the code goes on, the name of the constraint where
/// there is one, and the messages of those classes that speak of the server.
fn said_by_postgres(error: &dyn DatabaseError) -> Failure {
    let code = error.code().unwrap_or_default();
    let class = class_of(&code);
    let mut text = match code.get(..2) {
        Some("08" | "25" | "28" | "3D" | "3F" | "53" | "55" | "57" | "58") => {
            format!("{} (SQLSTATE {code})", error.message())
        }
        _ => format!("SQLSTATE {code}"),
    };
    if let Some(constraint) = error.constraint() {
        text = format!("{text}, constraint {constraint}");
    }
    let mut failure = Failure::new(class, text);
    failure.is_collision = matches!(&*code, "40001" | "40P01");
    failure
}

/// Sorts an SQLSTATE.
fn class_of(code: &str) -> Class {
    match (code, code.get(..2).unwrap_or_default()) {
        // Serialisation failure, deadlock, lock not available, statement timeout.
        ("40001" | "40P01" | "55P03" | "57014", _) => Class::Locked,
        // Read-only transaction, disk full.
        ("25006" | "53100", _) => Class::ReadOnly,
        // Insufficient privilege.
        ("42501", _) | (_, "28" | "3D") => Class::Denied,
        // A value that no column takes, or that is too long for an index.
        (_, "22" | "54") => Class::Unfit,
        (_, "23") => Class::Refused,
        // Index or data corrupted.
        (_, "XX") if code != "XX000" => Class::Damaged,
        _ => Class::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::serialisation("40001", Class::Locked)]
    #[case::deadlock("40P01", Class::Locked)]
    #[case::lock_timeout("55P03", Class::Locked)]
    #[case::statement_timeout("57014", Class::Locked)]
    #[case::read_only("25006", Class::ReadOnly)]
    #[case::disk_full("53100", Class::ReadOnly)]
    #[case::no_right("42501", Class::Denied)]
    #[case::wrong_password("28P01", Class::Denied)]
    #[case::no_such_database("3D000", Class::Denied)]
    #[case::nul_in_a_text("22021", Class::Unfit)]
    #[case::too_long_for_an_index("54000", Class::Unfit)]
    #[case::check("23514", Class::Refused)]
    #[case::damaged("XX001", Class::Damaged)]
    #[case::internal("XX000", Class::Unavailable)]
    #[case::too_many_connections("53300", Class::Unavailable)]
    #[case::shutting_down("57P01", Class::Unavailable)]
    #[case::connection_lost("08006", Class::Unavailable)]
    #[case::no_such_table("42P01", Class::Unavailable)]
    #[case::nothing("", Class::Unavailable)]
    fn states_are_sorted(#[case] code: &str, #[case] class: Class) {
        assert_eq!(class_of(code), class);
    }
}
