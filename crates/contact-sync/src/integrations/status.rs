//! What attempts say, brought to the status machine.

use async_trait::async_trait;
use integration_core::Integrations;
use integration_core::http::CallResult;
use integration_core::status::CredentialsVersion;

use crate::store::{Signal, StatusEvent};
use crate::worker::StatusSink;

/// Reports to each integration what attempts say about it. Made by
/// [`IntegrationDirectory::status`](super::IntegrationDirectory::status).
///
/// A result is reported once, after it was written down, and is lost if the process ends in between: the next attempt
/// says the same.
#[derive(Clone)]
pub struct IntegrationStatus(Integrations);

impl IntegrationStatus {
    pub(super) fn new(integrations: Integrations) -> Self {
        Self(integrations)
    }
}

impl std::fmt::Debug for IntegrationStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntegrationStatus").finish_non_exhaustive()
    }
}

#[async_trait]
impl StatusSink for IntegrationStatus {
    async fn report(&self, event: &StatusEvent) {
        // An attempt that never got a client says nothing about the vendor.
        let (Some(id), Some(credentials)) = (event.integration, event.credentials) else {
            return;
        };
        let message = || {
            let failure = event.failure.as_ref();
            failure.map_or_else(|| "a call failed".to_owned(), ToString::to_string)
        };
        let result = match event.signal {
            Signal::CallOk => CallResult::Works,
            Signal::AuthRefused => CallResult::AuthRefused { message: message() },
            Signal::TransientFailure => CallResult::Failed {
                message: message(),
                retry_after: event.retry_after,
            },
        };
        let used = CredentialsVersion(credentials);
        if let Err(error) = self.0.report(&event.tenant, id, used, result).await {
            tracing::warn!(integration = %id, %error, "the result of an attempt was not reported");
        }
    }
}
