#![doc = include_str!("../README.md")]

mod contact;
mod ids;

pub use contact::{
    Contact, ContactKey, E164, Email, ExternalKey, Field, Identifier, InvalidE164, Issue,
    PersonName, Phone, Region, Signup, UnknownRegion,
};
pub use ids::{ContactId, JobId, LeaseToken, OperationId, RemoteId, TargetName, TenantId};
