//! SuiteDash as a vendor of `integration_core`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod flow;
mod forms;
mod vendor;
