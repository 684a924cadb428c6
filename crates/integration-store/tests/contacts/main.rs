//! What contact-sync's ports promise, sentence by sentence, asked of each store: the one in memory, which is the model,
//! a SQLite file and a PostgreSQL server.
//!
//! [`suite!`](suite::suite) makes one test of every case for every store. [`walk`] goes beside them: random operations
//! on two stores at once, which have to say the same.

#![cfg(feature = "contacts")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]

#[path = "../support/clock.rs"]
mod clock;
mod desk;
mod people;
mod places;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod server;
mod subject;
mod suite;

mod claims;
#[cfg(feature = "postgres")]
mod clocks;
mod crashes;
mod erased_meanwhile;
mod erasure;
mod identity;
mod jobs;
mod leases;
mod links;
mod privacy;
mod signups;
mod standing;
mod strict;
mod strict_ends;
mod texts;
mod walk;

suite::suite!(crate::places::in_memory, memory);
#[cfg(feature = "sqlite")]
suite::suite!(crate::places::on_file, sqlite);
#[cfg(feature = "postgres")]
suite::suite!(crate::places::in_schema, postgres);
