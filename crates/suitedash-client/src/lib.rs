#![doc = include_str!("../README.md")]

mod address;
mod auth;
mod check;
mod client;
mod companies;
#[cfg(feature = "export")]
pub mod connection;
mod contacts;
mod env;
mod error;
#[cfg(feature = "export")]
pub mod export;
mod ids;
#[cfg(feature = "integration")]
pub mod integration;
mod marketing;
mod meta;
mod page;
mod projects;
mod quota;
mod reply;
mod tolerant;
mod upsert;
mod values;
#[cfg(feature = "webhooks")]
pub mod webhooks;
mod worlds;

/// The engine below, for what only a few need by name: transports, observers and gates of one's own.
#[doc(no_inline)]
pub use connector_http;
pub use connector_http::{
    Call, CallSequence, CallWithResponse, Cursor, Delivery, Error, ErrorKind, FieldError, Items,
    Lane, Method, Page, Pages, Paginator, Patch, Request, Response, RetryPolicy, SharedLimits,
};

pub use crate::client::{Client, ClientBuilder, ConnectionInfo, endpoints};
pub use crate::companies::{
    Category, Companies, Company, CompanyContact, CompanyPatch, NewCompany, PrimaryContact,
};
pub use crate::contacts::{Circle, Contact, ContactCompany, ContactPatch, Contacts, NewContact};
pub use crate::ids::{CompanyUid, ContactUid, CustomFieldUid, ProjectUid};
pub use crate::marketing::{Marketing, SubscribeReply};
pub use crate::meta::{Attribute, Attributes};
pub use crate::page::{ListPage, ListQuery, Pagination};
pub use crate::projects::{Project, ProjectKey, ProjectPatch, ProjectRef, Projects};
pub use crate::quota::{
    FileQuota, MemoryQuota, QuotaCorrection, QuotaLedger, QuotaPeriod, QuotaPlan, QuotaStatus,
    QuotaStore, QuotaStoreError, QuotaStoreErrorKind, QuotaUse, Taken,
};
pub use crate::upsert::{
    ContactAction, ContactInput, ContactOutcome, ContactPlan, ContactRules, ContactWrite, DryRun,
    ExistingValues, FieldRef, LeadContact, LeadPerson, LeadSubmission, NotesRule, Notice,
    PlannedCall, SourceRule, StepWhen, Unmapped, UnmappedReason,
};
pub use crate::values::{Address, CompanyLink, Role};
pub use crate::worlds::{World, Worlds};
