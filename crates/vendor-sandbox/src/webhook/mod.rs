//! Webhooks: where they go, how they are signed, and their delivery with retries.

mod deliver;
mod sign;
mod target;

pub(crate) use deliver::{Delivery, Dispatcher};
pub use deliver::{DeliveryRecord, DeliveryState};
pub(crate) use sign::Signer;
pub(crate) use target::{Recipient, Target};
