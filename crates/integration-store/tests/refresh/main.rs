//! The refresh of OAuth tokens among real processes, which are killed at each step.
//!
//! [`refresher`] is the protocol of [`connector_http::TokenStore`], step by step. It runs in worker processes: this
//! binary, started again for the one test [`worker`], on the database of the test that started it. [`idp`] is an
//! identity provider in the test's own process, whose refresh tokens work once and which revokes a grant when a spent
//! one comes back. A worker that is to die at a step says that it is there and waits, so that it dies exactly there.
//!
//! [`kill_points`] takes the steps one by one. [`crowd`] lets many processes refresh at once for many rounds; what it
//! prints is in the form `name=value`, and its size can be set: `REFRESH_PROCESSES`, `REFRESH_TASKS`, `REFRESH_ROUNDS`,
//! `REFRESH_KILLS`, `REFRESH_SLOW_ANSWERS`.

#![cfg(all(feature = "core", any(feature = "sqlite", feature = "postgres")))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests; a panic is a failed test"
)]

mod crowd;
mod idp;
mod kill_points;
mod place;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod postgres;
mod process;
mod refresher;
mod talk;
mod worker;

/// What a worker process runs. Started by hand, or with the other tests, it does nothing.
#[test]
fn worker() {
    worker::run();
}
