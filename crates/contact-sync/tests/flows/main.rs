//! Flows through store, worker and hooks, on paused time, with a vendor that fails on demand.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

mod alike;
mod bookkeeping;
mod crash;
mod dedup;
mod erase;
mod exactly_once;
mod failures;
mod flaky;
mod lanes;
mod profile;
mod reconcile;
mod signup;
mod status;
mod strict;
mod strict_crash;
mod unkept;
mod vendor;
