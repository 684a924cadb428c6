//! OpenPhone as a vendor of `integration-core`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

mod flow;
mod forms;
mod sandbox;
mod vendor;
