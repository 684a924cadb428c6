#![doc = include_str!("../README.md")]

mod clock;
mod control;
mod control_http;
mod error;
mod exchange;
mod fault;
mod limit;
mod log;
pub mod openphone;
mod operation;
mod route;
mod sandbox;
mod server;
mod shared;
pub mod suitedash;
mod timeline;
mod vendor;
mod webhook;

pub use control::Control;
pub use error::SandboxError;
pub use fault::{Fault, FaultKind, FaultPlan, When};
pub use log::RequestRecord;
pub use operation::{Operation, OperationCount};
pub use sandbox::{Builder, Sandbox};
pub use webhook::{DeliveryRecord, DeliveryState};
