//! Working with the integrations that `integration-core` keeps: their clients, their switches, their field maps,
//! their status.
//!
//! One [`IntegrationDirectory`] is all of it:
//!
//! ```
//! use std::sync::Arc;
//!
//! use contact_sync::integrations::IntegrationDirectory;
//! use contact_sync::{MemoryStore, Region, SignupHook, Worker};
//! use integration_core::Integrations;
//!
//! # #[cfg(feature = "openphone")]
//! # async fn example(integrations: Integrations) -> Result<(), integration_core::instance::IntegrationError> {
//! use contact_sync::targets::openphone::OpenPhoneTarget;
//!
//! let store = Arc::new(MemoryStore::new());
//! let directory = IntegrationDirectory::new(integrations).vendor("openphone").resuming(store.clone());
//! directory.refresh().await?;
//!
//! let target = OpenPhoneTarget::new(directory.clients("openphone")).mappings(directory.clone());
//! let hook = SignupHook::new(store.clone(), directory.clone()).region(Region::US);
//! let worker = Worker::new(store).target(Arc::new(target)).integrations(&directory).start();
//! # drop((hook, worker));
//! # Ok(())
//! # }
//! ```
//!
//! - **Clients** are those of the tenant's default instance of the vendor. While it is pending or in error its jobs
//!   wait; they do not fail.
//! - **Attempts** are reported to the status machine with the version of the credentials that they were made with, so
//!   that a late failure of old credentials cannot stop new ones. Each call stands in the integration log, with our
//!   own id of the contact.
//! - **Jobs go on** once their integration is active again: every process looks at each refresh, and the first that
//!   sees it lets them go.

mod clients;
mod directory;
mod status;

use std::cell::Cell;
use std::future::Future;

use integration_core::IntegrationId;
use integration_core::http::log_context;
use integration_core::status::CredentialsVersion;

pub use clients::IntegrationClients;
pub use directory::{FIELD_MAP, IntegrationDirectory};
pub use status::IntegrationStatus;

use crate::ids::ContactId;
use crate::worker::Used;

tokio::task_local! {
    static USED: Cell<Used>;
}

/// Runs an attempt, for the log as one that is about this contact, and tells which client it was made with.
pub(crate) async fn watch<F: Future>(contact: ContactId, attempt: F) -> (F::Output, Used) {
    let watched = USED.scope(Cell::default(), async {
        let output = log_context::related("contact", contact.to_string(), attempt).await;
        (output, USED.with(Cell::get))
    });
    Box::pin(watched).await
}

/// Runs a part of an attempt that says nothing about the client that the attempt is made with.
pub(crate) fn unwatched<F: Future>(part: F) -> impl Future<Output = F::Output> {
    USED.scope(Cell::default(), part)
}

/// Says which client an attempt is made with. Outside of an attempt it says nothing to anybody.
fn note_use(integration: IntegrationId, credentials: CredentialsVersion) {
    let used = Used {
        integration: Some(integration),
        credentials: Some(credentials.0),
    };
    // Without a scope, nobody watches.
    let _ = USED.try_with(|watched| watched.set(used));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_after_a_delivery_does_not_say_what_it_was_made_with() {
        let id = IntegrationId::generate();
        let attempt = async {
            note_use(id, CredentialsVersion(1));
            unwatched(async { note_use(id, CredentialsVersion(2)) }).await;
        };
        let ((), used) = watch(ContactId::generate(), attempt).await;
        assert_eq!((used.integration, used.credentials), (Some(id), Some(1)));
    }
}
