//! The sandbox as its callers see it: over plain TCP, and through its control handle.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

mod bulk;
mod calls;
mod contact_lists;
mod contacts;
mod control;
mod conversations;
mod dated;
mod dated_contacts;
mod dated_webhooks;
mod directory;
mod faults;
mod limits;
mod media;
mod messages;
mod portal;
#[cfg(feature = "cli")]
mod program;
mod receiver;
mod suitedash_access;
mod suitedash_companies;
mod suitedash_contacts;
mod suitedash_control;
mod suitedash_lists;
mod suitedash_projects;
mod support;
mod tasks;
mod webhook_api;
mod webhook_subscriptions;
mod webhooks;
