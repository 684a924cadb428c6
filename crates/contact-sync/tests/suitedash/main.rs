//! The SuiteDash target: against the simulated vendor, with one that misbehaves, and with files that a person imports.

#![cfg(feature = "suitedash")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside of test functions"
)]

mod api;
mod import;
#[cfg(feature = "integrations")]
mod integrations;
mod mapping;
mod world;
