#![cfg_attr(
    all(feature = "core", feature = "sqlite", feature = "postgres"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(feature = "core", feature = "sqlite", feature = "postgres")),
    doc = "Integrations, their sealed credentials, logs and leases on SQLite and on PostgreSQL, behind the features `core`, `sqlite` and `postgres`."
)]
#![allow(
    clippy::duplicate_mod,
    reason = "a port reads the same on both databases: its file is compiled once for each, where `super` is the database"
)]

#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
mod failure;
#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
mod migrations;
#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
mod open_error;
#[cfg(all(feature = "core", feature = "postgres"))]
mod postgres;
#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
mod rows;
#[cfg(all(feature = "core", feature = "sqlite"))]
mod sqlite;

#[cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
pub use self::open_error::OpenError;
#[cfg(all(feature = "core", feature = "postgres"))]
pub use self::postgres::{PostgresStore, PostgresStoreBuilder};
#[cfg(all(feature = "core", feature = "sqlite"))]
pub use self::sqlite::{SqliteStore, SqliteStoreBuilder};

#[doc = include_str!("../docs/tables.md")]
pub mod tables {}
