//! The strict road: vendor first, then the host's insert, and neither without the other.

mod error;
mod operation;
mod ticket;
mod undo;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer, TokioTimer};
use tokio::time::Instant;

use self::operation::{Halt, Kept, Operation};
pub use error::StrictError;
pub use ticket::{Confirmation, Ticket};
pub(crate) use undo::{Undone, made_since, undo};

use crate::contact::{Contact, Region, Signup, warm_up};
use crate::directory::{Switch, TargetDirectory};
use crate::ids::{TargetName, TenantId};
use crate::lease::{Hold, longest_settle, safe_lease};
use crate::receipt::{Reason, Receipt, TargetReceipt};
use crate::retry::RetryPolicy;
use crate::store::{Begun, StoreError, SyncStore};
use crate::target::Target;
use crate::worker::{Reports, Runner, StatusSink};

/// Creates contacts in lock step: at every vendor first, then in the host, or nowhere.
///
/// - A vendor's error aborts, and the host's insert never runs.
/// - If the insert fails, what this call created at the vendors is deleted again; a record that was merely found
///   stays as it was. It is brought up to date only after the insert, by a queued delivery.
/// - The undo job is written before the create is called, so that a crash, a panic or a dropped future in between is
///   undone too, by a worker on the same store, once the operation's lease is over.
/// - An outcome that is unknown is looked up before it is decided.
/// - A target that is switched off or not configured is skipped, and the receipt says so; every target is, if the
///   signup has nothing to recognise or reach the person by. For a change of somebody who is known there is
///   [`on_profile_updated`](crate::SignupHook::on_profile_updated).
///
/// See the crate's documentation for an example.
#[derive(Clone)]
pub struct CrmHook {
    runner: Runner,
    directory: Arc<dyn TargetDirectory>,
    targets: HashMap<&'static str, Arc<dyn Target>>,
    region: Option<Region>,
    leave_and_flag: bool,
    patience: Duration,
}

impl CrmHook {
    /// Makes a hook without targets.
    pub fn new(store: Arc<dyn SyncStore>, directory: impl TargetDirectory + 'static) -> Self {
        warm_up();
        let runner = Runner {
            store,
            timer: Arc::new(TokioTimer),
            policy: RetryPolicy::new(),
            lease: Duration::from_mins(1),
            on_event: None,
            reports: None,
        };
        Self {
            runner,
            directory: Arc::new(directory),
            targets: HashMap::new(),
            region: None,
            leave_and_flag: false,
            patience: Duration::from_secs(10),
        }
    }

    /// Adds a target.
    pub fn target(mut self, target: Arc<dyn Target>) -> Self {
        self.targets.insert(target.name(), target);
        self
    }

    /// Sets the country whose national phone formats people mean.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Accepts targets that cannot delete: what would have to be deleted there stays, and waits among the store's
    /// stopped jobs for a person to see to it.
    pub fn leave_and_flag(mut self) -> Self {
        self.leave_and_flag = true;
        self
    }

    /// Sets how long to wait for another job or operation of the same person: 10 seconds by default.
    pub fn patience(mut self, wait: Duration) -> Self {
        self.patience = wait;
        self
    }

    /// Sets how long after a crash the undo begins: 60 seconds by default, and no less than
    /// [`Worker::lease`](crate::Worker::lease) allows.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.runner.lease = lease;
        self
    }

    /// Sets the clock.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.runner.timer = timer;
        self
    }

    /// Sets who hears what the vendors' answers say about integrations: a refused key as well as a call that went
    /// well, and the same of an undo. See [`StatusSink`]: one that does not answer delays a create by no more than its
    /// patience.
    pub fn status_sink(mut self, sink: impl StatusSink + 'static) -> Self {
        self.runner.reports = Some(Reports::new(sink));
        self
    }

    /// Works with the integrations of this directory: reports to each what the vendors' answers say about it, as
    /// [`Worker::integrations`](crate::Worker::integrations) does on the main road. It is the worker that keeps the
    /// directory fresh.
    #[cfg(feature = "integrations")]
    pub fn integrations(self, directory: &crate::integrations::IntegrationDirectory) -> Self {
        self.status_sink(directory.status())
    }

    /// Creates a contact at every target that is switched on, and then runs `insert`.
    ///
    /// The insert gets a [`Ticket`] with the vendors' ids, and confirms with it. Its own error comes back as
    /// [`StrictError::Insert`].
    ///
    /// # Errors
    ///
    /// See [`StrictError`]: after every one of them both sides are alike, or an undo job will make them so.
    pub async fn create<T, E>(
        &self,
        signup: &Signup,
        insert: impl AsyncFnOnce(Ticket) -> Result<T, E>,
    ) -> Result<(T, Receipt), StrictError<E>> {
        let contact = Contact::new(&signup.tenant, signup, self.region);
        let Switched { on, skipped } = self.switched_on(&signup.tenant, &contact)?;
        let names: Vec<TargetName> = on.iter().map(|(name, _)| name.clone()).collect();
        let (begun, hold) = self.begin(&signup.tenant, &contact, &names).await?;
        let operation = Operation {
            hook: self,
            tenant: &signup.tenant,
            contact: &contact,
            begun: &begun,
            hold,
        };
        // Boxed, so that the future that the host holds stays small.
        let mut done = match Box::pin(operation.all_vendors(&on)).await {
            Ok(done) => done,
            Err(Halt::UnderWay(error)) => return Err(error.into()),
            Err(halt) => {
                Box::pin(operation.undo_all()).await;
                return Err(halt.into());
            }
        };
        done.receipts.extend(skipped);
        let schema = self.runner.store.schema();
        let (created, found) = (done.created, done.found);
        let confirmation = Confirmation::new(begun.held, begun.contact, created, found, schema);
        let confirmation = Arc::new(confirmation);
        let ticket = Ticket::new(
            Arc::clone(&self.runner.store),
            Arc::clone(&self.runner.timer),
            Arc::clone(&confirmation),
        );
        let inserted = tokio::select! {
            biased;
            inserted = insert(ticket) => inserted,
            never = operation.stay_alive() => match never {},
        };
        let value = match inserted {
            Ok(value) => value,
            Err(error) => {
                Box::pin(operation.undo_all()).await;
                return Err(StrictError::Insert(error));
            }
        };
        let kept = Box::pin(operation.keep(&confirmation)).await;
        match kept.map_err(StrictError::Unconfirmed)? {
            Kept::Confirmed => {}
            Kept::Queued => queued(&mut done.receipts),
            Kept::RolledBack => {
                Box::pin(operation.undo_all()).await;
                return Err(StrictError::RolledBack);
            }
        }
        Ok((value, self.receipt(&signup.tenant, &begun, done.receipts)))
    }

    /// Refuses before any call is made.
    fn switched_on<E>(
        &self,
        tenant: &TenantId,
        contact: &Contact,
    ) -> Result<Switched, StrictError<E>> {
        let (mut on, mut skipped) = (Vec::new(), Vec::new());
        for (name, switch) in self.directory.targets(tenant) {
            match switch {
                Switch::Off(reason) => {
                    skipped.push(TargetReceipt::not_integrated(name, reason.into()));
                }
                Switch::On if contact.is_blank() => {
                    skipped.push(TargetReceipt::not_integrated(name, Reason::Blank));
                }
                Switch::On => {
                    let Some(target) = self.targets.get(name.as_str()) else {
                        return Err(StrictError::NoSuchTarget { target: name });
                    };
                    if !target.can_delete() && !self.leave_and_flag {
                        return Err(StrictError::CannotUndo { target: name });
                    }
                    on.push((name, Arc::clone(target)));
                }
            }
        }
        Ok(Switched { on, skipped })
    }

    /// Begins an operation, waiting for whoever is at work on the same person.
    async fn begin(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
    ) -> Result<(Begun, Hold), StoreError> {
        let Runner { store, timer, .. } = &self.runner;
        let lease = self.safe_lease();
        let settle = longest_settle(self.targets.values());
        let deadline: Instant = timer.now() + self.patience;
        let mut pause = Duration::from_millis(10);
        loop {
            let asked = timer.now();
            match store.begin(tenant, contact, targets, lease).await {
                Err(StoreError::Busy) if timer.now() < deadline => {
                    timer.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(250));
                }
                result => return Ok((result?, Hold::new(asked, lease, settle))),
            }
        }
    }

    fn safe_lease(&self) -> Duration {
        safe_lease(self.runner.lease, self.targets.values())
    }

    /// The receipt, in the order of the directory.
    fn receipt(
        &self,
        tenant: &TenantId,
        begun: &Begun,
        mut receipts: Vec<TargetReceipt>,
    ) -> Receipt {
        let order = self.directory.targets(tenant);
        receipts.sort_by_key(|receipt| order.iter().position(|(name, _)| *name == receipt.target));
        Receipt::new(begun.contact, receipts)
    }
}

/// Where a contact goes, in the order of the directory.
struct Switched {
    on: Vec<(TargetName, Arc<dyn Target>)>,
    skipped: Vec<TargetReceipt>,
}

/// Says of what had arrived that it is on its way again.
fn queued(receipts: &mut [TargetReceipt]) {
    for receipt in receipts.iter_mut().filter(|receipt| receipt.integrated) {
        *receipt = TargetReceipt::not_integrated(receipt.target.clone(), Reason::Queued);
    }
}

impl fmt::Debug for CrmHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrmHook")
            .field("targets", &self.targets.keys())
            .field("region", &self.region)
            .field("leave_and_flag", &self.leave_and_flag)
            .finish_non_exhaustive()
    }
}
