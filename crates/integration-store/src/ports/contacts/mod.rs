//! The ports of contact-sync. The model is its store in memory: what that does with order, leases and claims is what
//! these statements do.
//!
//! A *line* is one contact at one target. Who changes a line locks, in this order: the row of the contact, the rows of
//! its jobs, the row of the line. Statements of a line's end (a new last job, a new head) run under the last of these
//! locks, so that two transactions cannot both believe that the other makes the head.
//!
//! What runs in a transaction takes [`Statements`] and a connection, so that it runs in the host's own as well.

pub(super) mod accept;
mod blocker;
mod claim;
mod commit;
mod confirm;
pub(super) mod contact;
mod ending;
mod erase;
mod identifiers;
mod job_row;
pub(super) mod line;
mod local;
mod operation;
pub(super) mod outbox;
mod port;
mod reap;
mod record;
mod snapshot;
mod standing;
mod start;
mod stopped;
mod strict;
mod undo;
mod wait;
mod watch;

use std::future::Future;
use std::pin::Pin;

use contact_sync::StoreError;

pub(super) use self::local::Local;
use super::{Database, Query, Row, Store, contacts_db, failure, queue};
use crate::failure::Failure;

/// After how many crashes a job is a dead letter, if nothing else was said.
pub(super) const DEFAULT_MAX_CRASHES: u32 = 3;

pub(super) type Connection = <Database as sqlx::Database>::Connection;
pub(super) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What a change does with its connection, until it is done.
pub(super) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// Makes statements out of texts that are written for SQLite, which calls its own schema `main`.
pub(super) trait Statements: Sync {
    /// Makes a statement.
    fn query(&self, text: &'static str) -> Query;
}

impl Statements for Store {
    fn query(&self, text: &'static str) -> Query {
        Store::query(self, text)
    }
}

/// Reads a column.
pub(super) fn get<T>(row: &Row, column: &str) -> Result<T>
where
    T: for<'r> sqlx::Decode<'r, Database> + sqlx::Type<Database>,
{
    sqlx::Row::try_get(row, column).map_err(failed)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` wants to call"
)]
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    failure(&error).into()
}

/// A column that holds what this version cannot read.
pub(super) fn corrupt(column: &str) -> StoreError {
    Failure::unreadable(column).into()
}
