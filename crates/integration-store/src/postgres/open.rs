use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "contacts")]
use connector_http::{Timer, TokioTimer};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _};

#[cfg(feature = "contacts")]
use super::contacts::{DEFAULT_MAX_CRASHES, Local};
#[cfg(feature = "contacts")]
use super::contacts_db::Own;
use super::{BEGIN, PostgresStore, failure};
use crate::OpenError;
use crate::migrations::{Applied, Migration, pending};

/// The steps of the schema, by number.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "core",
        sql: include_str!("../../migrations/postgres/0001_core.sql"),
    },
    Migration {
        version: 2,
        name: "tokens",
        sql: include_str!("../../migrations/postgres/0002_tokens.sql"),
    },
    Migration {
        version: 3,
        name: "contacts",
        sql: include_str!("../../migrations/postgres/0003_contacts.sql"),
    },
];

/// A connection that was used a moment ago is not asked first whether it is alive: that is a journey to the server for
/// every use of it.
const TRUSTED: Duration = Duration::from_millis(500);

/// How to open a [`PostgresStore`].
///
/// ```no_run
/// use integration_store::PostgresStore;
///
/// # async fn example() -> Result<(), integration_store::OpenError> {
/// let store = PostgresStore::builder()
///     .schema("acme_integrations")
///     .max_connections(5)
///     .connect("postgres://user:password@127.0.0.1:5432/host")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStoreBuilder {
    schema: String,
    max_connections: u32,
    acquire_timeout: Duration,
    #[cfg(feature = "contacts")]
    timer: Arc<dyn Timer>,
    #[cfg(feature = "contacts")]
    max_crashes: u32,
}

impl PostgresStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            schema: "integrations".to_owned(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(10),
            #[cfg(feature = "contacts")]
            timer: Arc::new(TokioTimer),
            #[cfg(feature = "contacts")]
            max_crashes: DEFAULT_MAX_CRASHES,
        }
    }

    /// Sets the schema that the tables lie in. `integrations` if not set. Two stores in one database have two
    /// schemas.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// Sets how many connections [`connect`](Self::connect) opens at most, at least one. 10 if not set.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections.max(1);
        self
    }

    /// Sets how long a call of a store from [`connect`](Self::connect) waits for a connection. 10 seconds if not set.
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.acquire_timeout = timeout;
        self
    }

    /// Sets the clock that calls wait on. When a job is due is the server's to say.
    #[cfg(feature = "contacts")]
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

    /// Opens the database at an address, as [`PostgresStore::connect`] does.
    ///
    /// # Errors
    ///
    /// See there.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, OpenError> {
        check_schema(&self.schema)?;
        // What the parser has against an address quotes parts of it.
        let mut options = PgConnectOptions::from_str(url).map_err(|_| OpenError::InvalidUrl)?;
        if options.get_application_name().is_none() {
            options = options.application_name("integration-store");
        }
        let pool = PgPoolOptions::new()
            .max_connections(self.max_connections)
            .acquire_timeout(self.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for >= TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
            .map_err(|error| failure(&error))?;
        self.from_pool(pool).await
    }

    /// Uses connections that the host has already, as [`PostgresStore::from_pool`] does.
    ///
    /// # Errors
    ///
    /// See there.
    pub async fn from_pool(self, pool: PgPool) -> Result<PostgresStore, OpenError> {
        check_schema(&self.schema)?;
        migrate(&pool, &self.schema).await?;
        Ok(PostgresStore {
            pool,
            schema: Arc::from(self.schema),
            #[cfg(feature = "contacts")]
            local: Arc::new(Local::new(self.timer, self.max_crashes, Own::new())),
        })
    }
}

fn check_schema(name: &str) -> Result<(), OpenError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = name
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    if begins_well && name.len() <= 63 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(OpenError::InvalidSchema {
        name: name.to_owned(),
    })
}

/// Takes the steps that the schema has not taken, all or none, one process at a time. Where nothing is to be done, no
/// right is needed but to read and write rows.
async fn migrate(pool: &PgPool, schema: &str) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| failure(&error);
    let mut connection = pool.acquire().await.map_err(failed)?;
    if pending(MIGRATIONS, &applied(&mut connection, schema).await?)?.is_empty() {
        return Ok(());
    }
    drop(connection);
    let mut tx = pool.begin_with(BEGIN).await.map_err(failed)?;
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("integration-store migrations {schema}"))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    let there: bool = sqlx::query_scalar("select to_regnamespace($1) is not null")
        .bind(format!("\"{schema}\""))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
    if !there {
        let create = format!("create schema \"{schema}\"");
        let created = sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *tx).await;
        created.map_err(failed)?;
    }
    let set_up = format!(
        "set local search_path to \"{schema}\";
         create table if not exists integration_migrations (
            version bigint not null primary key,
            name text not null,
            checksum text not null,
            applied_at timestamptz not null default now()
         );"
    );
    let set_up = sqlx::raw_sql(AssertSqlSafe(set_up)).execute(&mut *tx).await;
    set_up.map_err(failed)?;
    // Another process may have been faster.
    for migration in pending(MIGRATIONS, &applied(&mut tx, schema).await?)? {
        for table in migration.tables() {
            let columns = columns(&mut tx, schema, table).await.map_err(failed)?;
            if columns.is_some() {
                return Err(taken(schema, table));
            }
        }
        let stepped = sqlx::raw_sql(migration.sql).execute(&mut *tx).await;
        stepped.map_err(failed)?;
        sqlx::query(
            "insert into integration_migrations (version, name, checksum) values ($1, $2, $3)",
        )
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(())
}

async fn applied(connection: &mut PgConnection, schema: &str) -> Result<Vec<Applied>, OpenError> {
    let failed = |error: sqlx::Error| failure(&error);
    let table = "integration_migrations";
    let columns = columns(&mut *connection, schema, table).await;
    let Some(columns) = columns.map_err(failed)? else {
        return Ok(Vec::new());
    };
    let ours = ["version", "name", "checksum"];
    if !ours
        .iter()
        .all(|ours| columns.iter().any(|column| column == ours))
    {
        return Err(taken(schema, table));
    }
    let table = format!("\"{schema}\".{table}");
    let select = format!("select version, name, checksum from {table} order by version");
    let rows: Vec<(i64, String, String)> = sqlx::query_as(AssertSqlSafe(select))
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

/// Returns the columns of a table or whatever else is of that name, where there is such a thing.
async fn columns(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    sqlx::query_scalar(
        "select array(
            select attname::text from pg_catalog.pg_attribute
            where attrelid = class.oid and attnum > 0 and not attisdropped
         )
         from pg_catalog.pg_class class
         join pg_catalog.pg_namespace namespace on namespace.oid = class.relnamespace
         where namespace.nspname = $1 and class.relname = $2",
    )
    .bind(schema)
    .bind(table)
    .fetch_optional(connection)
    .await
}

fn taken(schema: &str, table: &str) -> OpenError {
    OpenError::TakenInSchema {
        schema: schema.to_owned(),
        table: table.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("integrations", true)]
    #[case("_a1", true)]
    #[case("", false)]
    #[case("1a", false)]
    #[case("Integrations", false)]
    #[case("a\"; drop schema public", false)]
    #[case(
        "a123456789012345678901234567890123456789012345678901234567890123",
        false
    )]
    fn only_plain_names_can_be_schemas(#[case] name: &str, #[case] good: bool) {
        assert_eq!(check_schema(name).is_ok(), good);
    }
}
