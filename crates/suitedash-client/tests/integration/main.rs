//! SuiteDash as a vendor of `integration_core`.

mod flow;
mod forms;
mod vendor;
