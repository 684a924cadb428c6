//! Taking signups in, on both databases.
#![cfg(all(feature = "contacts", feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "support/postgres.rs"]
mod server;

#[path = "accept/away.rs"]
mod away;
#[path = "accept/enqueue.rs"]
mod enqueue;
#[path = "accept/intake.rs"]
mod intake;
#[path = "accept/places.rs"]
mod places;
#[path = "accept/record.rs"]
mod record;
#[path = "accept/signups.rs"]
mod signups;
#[path = "accept/wake.rs"]
mod wake;
