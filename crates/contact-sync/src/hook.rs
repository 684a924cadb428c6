//! The signup hook: accept locally, deliver later, never fail on a vendor.

mod profile;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Lane, Timer, TokioTimer};
pub use profile::ContactRef;
use thiserror::Error;

use crate::contact::{Contact, Region, Signup, warm_up};
use crate::directory::{Switch, TargetDirectory};
use crate::ids::{TargetName, TenantId};
use crate::receipt::{Reason, Receipt, TargetReceipt};
use crate::store::{Accepted, NewJob, SignupStore, StoreError};

/// Takes signups: one local write each, and whatever the vendors do, no error.
///
/// On this path there is no vendor call, no credential, no limiter and no state check; a worker does the rest. See
/// the crate's documentation for an example.
#[derive(Clone)]
pub struct SignupHook {
    store: Arc<dyn SignupStore>,
    directory: Arc<dyn TargetDirectory>,
    region: Option<Region>,
    timer: Arc<dyn Timer>,
}

impl SignupHook {
    /// Makes a hook. Phone numbers without a country code cannot be read until [`region`](Self::region) is set.
    pub fn new(store: Arc<dyn SignupStore>, directory: impl TargetDirectory + 'static) -> Self {
        warm_up();
        Self {
            store,
            directory: Arc::new(directory),
            region: None,
            timer: Arc::new(TokioTimer),
        }
    }

    /// Sets the country whose national phone formats people mean.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Sets the clock that [`on_signup_wait`](Self::on_signup_wait) waits on.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Normalises a signup and decides where it goes, without writing anything. Pure, and cannot fail.
    pub fn plan(&self, signup: &Signup) -> Plan {
        let contact = Contact::new(&signup.tenant, signup, self.region);
        Plan {
            tenant: signup.tenant.clone(),
            contact,
            targets: self.directory.targets(&signup.tenant),
            schema: self.store.schema().to_owned(),
            trace_id: signup.trace_id.clone(),
        }
    }

    /// Accepts a signup and returns at once; the worker brings it to the vendors.
    ///
    /// # Errors
    ///
    /// Only when the store cannot write. Nothing was kept then, and the host decides.
    pub async fn on_signup(&self, signup: Signup) -> Result<Receipt, NotAccepted> {
        let plan = self.plan(&signup);
        let accepted = self.accept(&plan, Lane::Bulk).await?;
        Ok(plan.receipt(accepted))
    }

    /// Accepts a signup, and waits for its deliveries, which go before the backlog, for up to `timeout`.
    ///
    /// What arrived in time is `integrated`, with the vendor's id. What did not goes on without the caller, and its
    /// line says where it stands.
    ///
    /// # Errors
    ///
    /// Only when the store cannot write. Nothing was kept then, and the host decides.
    pub async fn on_signup_wait(
        &self,
        signup: Signup,
        timeout: Duration,
    ) -> Result<Receipt, NotAccepted> {
        let plan = self.plan(&signup);
        let accepted = self.accept(&plan, Lane::Interactive).await?;
        let targets: Vec<TargetName> = if accepted.is_blank {
            Vec::new()
        } else {
            let jobs = plan.jobs(Lane::Interactive).into_iter();
            jobs.map(|job| job.target).collect()
        };
        tokio::select! {
            biased;
            // It is accepted already: a store that cannot tell how it goes on is no reason to refuse it.
            _ = self.store.settled(accepted, &targets) => {}
            () = self.timer.sleep(timeout) => {}
        }
        let mut receipt = plan.receipt(accepted);
        if let Ok(states) = self.store.deliveries(accepted.contact).await {
            for state in states {
                if let Some(line) = receipt
                    .targets
                    .iter_mut()
                    .find(|l| l.target == state.target && l.is_queued())
                {
                    *line = TargetReceipt::of(state, accepted.revision);
                }
            }
        }
        Ok(receipt)
    }

    /// Takes over up to `limit` signups that hosts have put into the store's database themselves, as if each had come
    /// to [`on_signup`](Self::on_signup). Returns how many. A worker does so by itself:
    /// [`Worker::intake`](crate::Worker::intake).
    ///
    /// # Errors
    ///
    /// When the store cannot read or write. What was not taken over is still there.
    pub async fn drain_intake(&self, limit: usize) -> Result<usize, StoreError> {
        let planner = |signup: &Signup| self.plan(signup);
        self.store.drain_intake(&planner, limit).await
    }

    async fn accept(&self, plan: &Plan, lane: Lane) -> Result<Accepted, NotAccepted> {
        let accepted = self
            .store
            .accept(&plan.tenant, &plan.contact, &plan.jobs(lane))
            .await?;
        tracing::debug!(tenant = %plan.tenant, contact = %accepted.contact, "signup accepted");
        Ok(accepted)
    }
}

impl fmt::Debug for SignupHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignupHook")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A signup, normalised, with where it goes: everything that is known before it is written.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The host's customer.
    pub tenant: TenantId,
    /// The contact.
    pub contact: Contact,
    /// Every target that the tenant could have.
    pub targets: Vec<(TargetName, Switch)>,
    /// Where the store's tables are in its database, for writing into the host's own transaction; empty where there is
    /// no such thing.
    pub schema: String,
    /// What ties the jobs to the request that they come from, in the host's own traces.
    pub trace_id: Option<String>,
}

impl Plan {
    /// Sets what ties the jobs to the request that they come from: nothing personal, it is logged.
    pub fn trace_id(mut self, id: impl Into<String>) -> Self {
        self.trace_id = Some(id.into());
        self
    }

    /// Returns the jobs to be written with the contact. The store queues none for a contact that is
    /// [blank](crate::Contact::is_blank), with all that it has known before; this signup alone cannot tell.
    pub fn jobs(&self, lane: Lane) -> Vec<NewJob> {
        let on = self
            .targets
            .iter()
            .filter(|(_, switch)| *switch == Switch::On);
        on.map(|(target, _)| {
            let mut job = NewJob::new(target.clone(), lane);
            job.trace_id.clone_from(&self.trace_id);
            job
        })
        .collect()
    }

    /// Returns the receipt for what was accepted, before any of it was delivered.
    pub fn receipt(&self, accepted: Accepted) -> Receipt {
        let lines = self.targets.iter().map(|(target, switch)| {
            let reason = match switch {
                Switch::On if accepted.is_blank => Reason::Blank,
                Switch::On => Reason::Queued,
                Switch::Off(reason) => Reason::from(*reason),
            };
            TargetReceipt::not_integrated(target.clone(), reason)
        });
        Receipt::new(accepted.contact, lines.collect())
    }
}

/// The one way in which a signup fails: our own store could not write it.
#[derive(Debug, Error)]
#[error("the signup was not accepted: the local store could not write it")]
pub struct NotAccepted(#[from] StoreError);
