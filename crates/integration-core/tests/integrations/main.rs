//! The façade on a store in memory, with a vendor that lives in the test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

mod acme;
mod checks;
mod clients;
mod concurrency;
mod faults;
#[cfg(feature = "vault-legacy")]
mod legacy;
mod settings_page;
mod templates;
mod tenants;
mod vaults;
mod webhooks;
mod world;
