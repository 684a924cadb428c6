#![cfg_attr(
    all(feature = "core", feature = "contacts", feature = "sqlite", feature = "postgres"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(
        feature = "core",
        feature = "contacts",
        feature = "sqlite",
        feature = "postgres"
    )),
    doc = "Integrations and contacts on SQLite and on PostgreSQL, behind the features `core`, `contacts`, `sqlite` and `postgres`."
)]
#![allow(
    clippy::duplicate_mod,
    reason = "a port reads the same on both databases: its file is compiled once for each, where `super` is the database"
)]

#[cfg(all(
    any(feature = "core", feature = "contacts"),
    any(feature = "sqlite", feature = "postgres")
))]
mod columns;
#[cfg(all(
    any(feature = "core", feature = "contacts"),
    any(feature = "sqlite", feature = "postgres")
))]
mod failure;
#[cfg(all(
    any(feature = "core", feature = "contacts"),
    any(feature = "sqlite", feature = "postgres")
))]
mod migrations;
#[cfg(all(
    any(feature = "core", feature = "contacts"),
    any(feature = "sqlite", feature = "postgres")
))]
mod open_error;
#[cfg(all(any(feature = "core", feature = "contacts"), feature = "postgres"))]
mod postgres;
#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
mod rows;
#[cfg(all(any(feature = "core", feature = "contacts"), feature = "sqlite"))]
mod sqlite;

#[cfg(all(
    any(feature = "core", feature = "contacts"),
    any(feature = "sqlite", feature = "postgres")
))]
pub use self::open_error::OpenError;
#[cfg(all(any(feature = "core", feature = "contacts"), feature = "postgres"))]
pub use self::postgres::{PostgresStore, PostgresStoreBuilder};
#[cfg(all(any(feature = "core", feature = "contacts"), feature = "sqlite"))]
pub use self::sqlite::{SqliteStore, SqliteStoreBuilder};

#[cfg(all(feature = "contacts", any(feature = "sqlite", feature = "postgres")))]
mod confirm_in;
#[cfg(all(feature = "contacts", any(feature = "sqlite", feature = "postgres")))]
pub use self::confirm_in::ConfirmIn;
#[cfg(all(feature = "contacts", any(feature = "sqlite", feature = "postgres")))]
mod record;
#[cfg(all(feature = "contacts", any(feature = "sqlite", feature = "postgres")))]
pub use self::record::RecordIn;

#[doc = include_str!("../docs/tables.md")]
pub mod tables {}
