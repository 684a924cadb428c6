//! What meets on the tables of the queue: two at a time, each at its worst moment, and then a crowd.

#![cfg(all(feature = "contacts", feature = "sqlite", feature = "postgres"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "support/clock.rs"]
mod clock;
#[path = "support/postgres.rs"]
mod postgres;

#[path = "races/crowd.rs"]
mod crowd;
#[path = "races/pairs.rs"]
mod pairs;
#[path = "races/scene.rs"]
mod scene;
