use std::fmt;
use std::sync::Arc;

use crate::error::SandboxError;
use crate::fault::FaultPlan;
use crate::log::RequestRecord;
use crate::operation::OperationCount;
use crate::shared::{Shared, lock};
use crate::webhook::DeliveryRecord;

/// A handle on a running sandbox: what a test sets up, and what it looks at afterwards.
///
/// It is cheap to clone and may go to any thread. What is here is the same for every vendor;
/// what belongs to one vendor stands in its module, for instance `contacts()` and
/// `place_inbound_text()` for [`OpenPhone`](crate::openphone::OpenPhone).
pub struct Control<V> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) vendor: Arc<V>,
}

impl<V> Control<V> {
    /// Returns the requests that reached the vendor, oldest first.
    ///
    /// The log keeps the newest only, see
    /// [`Builder::request_log`](crate::Builder::request_log); requests to `/_sandbox/` are not
    /// in it.
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.shared.requests).iter().cloned().collect()
    }

    /// Returns how many requests reached the vendor, those that the log forgot included.
    pub fn request_count(&self) -> u64 {
        lock(&self.shared.requests).total()
    }

    /// Returns how often each operation of the vendor was asked for, those never asked for
    /// included: what a conformance run touched, and what it left out.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// // … run a client against it …
    /// for count in sandbox.control().operations() {
    ///     if count.succeeded == 0 {
    ///         println!("untouched: {} {}", count.method, count.template);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn operations(&self) -> Vec<OperationCount> {
        self.shared.operation_counts()
    }

    /// Empties the log of requests and starts its count, and those of the operations, anew.
    pub fn clear_requests(&self) {
        self.shared.clear_requests();
    }

    /// Sets how many requests a key may send per window; `None` lifts the limit.
    ///
    /// While it is lifted the vendor says nothing about a limit in its headers either, so that
    /// no caller paces itself by it.
    pub fn set_rate_limit(&self, requests: Option<u32>) {
        self.shared.set_rate_limit(requests);
    }

    /// Replaces the fault plan; what was left of the old script is forgotten.
    pub fn faults(&self, plan: FaultPlan) {
        self.shared.set_faults(plan);
    }

    /// Lets every request through again.
    pub fn clear_faults(&self) {
        self.shared.set_faults(FaultPlan::none());
    }

    /// Lets one more API key in.
    ///
    /// # Errors
    ///
    /// [`SandboxError::UnusableApiKey`] when the key could not stand in a header.
    pub fn add_api_key(&self, key: &str) -> Result<(), SandboxError> {
        self.shared.add_key(key)
    }

    /// Takes an API key away; from then on it is answered as wrong. Says whether it was there.
    pub fn revoke_api_key(&self, key: &str) -> bool {
        self.shared.revoke_key(key)
    }

    /// Takes every API key away and lets this one in instead, as when somebody makes a new key in
    /// the app and deletes the old one. Calls with an old key are answered as with a wrong one.
    ///
    /// ```
    /// # async fn example() -> Result<(), vendor_sandbox::SandboxError> {
    /// use vendor_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::openphone().start().await?;
    /// sandbox.control().replace_api_key("the-next-key")?;
    /// // `sandbox.api_key()` is the key it started with, and opens nothing any more.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SandboxError::UnusableApiKey`] when the key could not stand in a header; then the old
    /// keys stay.
    pub fn replace_api_key(&self, key: &str) -> Result<(), SandboxError> {
        self.shared.replace_keys(key)
    }

    /// Takes every API key away: from then on every call is answered 401, until one is let in by
    /// [`add_api_key`](Self::add_api_key).
    pub fn revoke_api_keys(&self) {
        self.shared.revoke_keys();
    }

    /// Returns what became of the webhook deliveries, oldest first; only the newest are kept.
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.shared.dispatcher.records()
    }

    /// Sends a delivery once more and returns the number of the new one: receivers must cope
    /// with at-least-once.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Unknown`] when the log does not hold this number (any more).
    pub fn redeliver(&self, number: u64) -> Result<u64, SandboxError> {
        self.shared
            .dispatcher
            .repeat(number)
            .ok_or(SandboxError::Unknown { what: "delivery" })
    }

    /// Waits until no webhook delivery is under way or waiting for its retry, and no call is going
    /// on or being processed that webhooks would tell of.
    pub async fn webhooks_settled(&self) {
        self.shared.settled().await;
    }
}

impl<V> Clone for Control<V> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            vendor: Arc::clone(&self.vendor),
        }
    }
}

impl<V> fmt::Debug for Control<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Control")
            .field("vendor", &self.shared.vendor.name())
            .field("base_url", &self.shared.base_url)
            .finish_non_exhaustive()
    }
}
