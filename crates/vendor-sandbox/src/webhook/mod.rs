//! Webhooks: where they go, how they are signed, and their delivery with retries.

mod deliver;
mod record;
mod sign;
mod target;

pub(crate) use deliver::{Delivery, Dispatcher};
pub(crate) use record::Message;
pub use record::{DeliveryRecord, DeliveryState};
pub(crate) use sign::Signer;
pub(crate) use target::{Recipient, Target};
