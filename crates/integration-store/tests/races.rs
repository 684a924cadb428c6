//! What meets on the tables of the queue: two at a time, each at its worst moment.

#![cfg(all(feature = "contacts", feature = "sqlite", feature = "postgres"))]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "support/clock.rs"]
mod clock;
#[path = "support/postgres.rs"]
mod postgres;

#[path = "races/pairs.rs"]
mod pairs;
#[path = "races/scene.rs"]
mod scene;
