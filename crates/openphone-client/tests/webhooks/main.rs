//! Webhooks: what is accepted, what each refusal is called, and what every generation's events are read as.

#![cfg(feature = "webhooks")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]

mod describe;
mod dropped;
mod fixtures;
mod models_app;
mod models_dated;
mod models_tasks;
mod models_v4;
mod mutations;
#[cfg(feature = "webhook-replay")]
mod replay;
mod sandbox;
mod traps;
mod verify;
