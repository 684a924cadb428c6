//! The client against scripted answers, on paused time.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

mod bad_input;
mod connection;
mod errors;
mod lists;
mod models;
mod quota;
mod support;
mod upsert;
