//! Three vendors that fail, each in its own way.

use std::time::Duration;

use async_trait::async_trait;
use connector_http::{Rate, RateClass, RetryPolicy};
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    Contact, Context, Hit, Person, RemoteId, SharedClient, Target, TargetError, Unmapped, Updated,
};
use openphone_client::Client;
use vendor_sandbox::openphone::{CREATE_CONTACT, LIST_CONTACTS};
use vendor_sandbox::{Fault, FaultPlan, Sandbox, When};

use crate::Outcome;

/// What each of them is called.
pub(crate) const VENDORS: [&str; 3] = ["errors", "hangs", "resets"];

/// How long a vendor that hangs keeps a caller.
const PATIENCE: Duration = Duration::from_secs(1);

/// What goes wrong at a vendor, before and after it has done what it was asked.
fn faults(vendor: &str) -> (Fault, Fault) {
    match vendor {
        "errors" => (
            Fault::ServerError {
                status: 503,
                retry_after: None,
            },
            Fault::ServerErrorAfterEffect { status: 502 },
        ),
        "hangs" => (Fault::Hang, Fault::HangAfterEffect),
        _ => (Fault::ResetBeforeEffect, Fault::ResetAfterEffect),
    }
}

/// No call succeeds, but for a look-up now and then, or nobody would ever come to a create and half of those would not
/// leave a record behind that nobody heard of.
pub(crate) fn outage(vendor: &str) -> FaultPlan {
    let (before, after) = faults(vendor);
    FaultPlan::none()
        .chance(LIST_CONTACTS, 0.9, before)
        .chance(LIST_CONTACTS, 1.0, Fault::Pass)
        .chance(CREATE_CONTACT, 0.5, before)
        .chance(When::any(), 1.0, after)
}

pub(crate) async fn start(vendor: &str) -> Outcome<Sandbox> {
    let started = Sandbox::openphone()
        .rate_limit(None)
        .request_log(0)
        .fault_plan(outage(vendor))
        .start()
        .await;
    started.map_err(|e| e.to_string())
}

/// OpenPhone under another name, so that there can be several.
pub(crate) struct Vendor {
    name: &'static str,
    target: OpenPhoneTarget,
}

impl Vendor {
    pub(crate) fn new(name: &'static str, sandbox: &Sandbox) -> Outcome<Self> {
        let policy = RetryPolicy::new().attempt_timeout(PATIENCE).max_attempts(1);
        let client = Client::builder()
            .api_key(sandbox.api_key())
            .base_url(sandbox.base_url())
            .rate(RateClass::DEFAULT, Rate::per_second(5_000))
            .retry(policy)
            .build();
        let client = client.map_err(|e| e.to_string())?;
        let target = OpenPhoneTarget::new(SharedClient::new(client)).settle_after(PATIENCE);
        Ok(Self { name, target })
    }
}

#[async_trait]
impl Target for Vendor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn can_delete(&self) -> bool {
        self.target.can_delete()
    }

    fn search_lag(&self) -> Duration {
        self.target.search_lag()
    }

    fn settle_time(&self) -> Duration {
        self.target.settle_time()
    }

    fn unmapped(&self, contact: &Contact) -> Vec<Unmapped> {
        self.target.unmapped(contact)
    }

    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        self.target.find(context, person).await
    }

    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        self.target.create(context, person).await
    }

    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        self.target.update(context, remote, person).await
    }

    async fn delete(&self, context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
        self.target.delete(context, remote).await
    }
}
