//! The strict road: vendor first, then the host's insert, and neither without the other.

mod error;
mod ticket;
mod undo;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Lane, Timer, TokioTimer};
use tokio::time::Instant;

pub use error::StrictError;
pub use ticket::{Confirmation, Ticket};
pub(crate) use undo::made_since;
pub(crate) use undo::{Undone, undo};

use crate::contact::{Contact, Region, Signup, warm_up};
use crate::directory::{Switch, TargetDirectory};
use crate::failure::{ErrorClass, TargetError};
use crate::ids::{RemoteId, TargetName, TenantId};
use crate::lease::{Hold, insist, longest_settle, safe_lease};
use crate::receipt::{Reason, Receipt, TargetReceipt};
use crate::retry::RetryPolicy;
use crate::store::limits::check_remote;
use crate::store::{Begun, Link, NewJob, StoreError, StrictTarget, SyncStore, Undo};
use crate::target::{Context, Known, Person, Target, look};
use crate::worker::Runner;

/// Creates contacts in lock step: at every vendor first, then in the host, or nowhere.
///
/// - A vendor's error aborts, and the host's insert never runs.
/// - If the insert fails, what this call created at the vendors is deleted again; a record that was merely found
///   stays as it was. It is brought up to date only after the insert, by a queued delivery.
/// - The undo job is written before the create is called, so that a crash, a panic or a dropped future in between is
///   undone too, by a worker on the same store, once the operation's lease is over.
/// - An outcome that is unknown is looked up before it is decided.
/// - A target that is switched off or not configured is skipped, and the receipt says so; every target is, if there
///   is nothing to recognise or reach the person by.
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
            sink: None,
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
        let (on, skipped) = self.switched_on(&signup.tenant, &contact)?;
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
        match inserted {
            Ok(value) => {
                let kept = Box::pin(operation.keep(&confirmation)).await;
                match kept.map_err(StrictError::Unconfirmed)? {
                    Kept::Confirmed => {}
                    Kept::Queued => {
                        for receipt in done.receipts.iter_mut().filter(|r| r.integrated) {
                            let target = receipt.target.clone();
                            *receipt = TargetReceipt::not_integrated(target, Reason::Queued);
                        }
                    }
                    Kept::RolledBack => {
                        Box::pin(operation.undo_all()).await;
                        return Err(StrictError::RolledBack);
                    }
                }
                Ok((value, self.receipt(&signup.tenant, &begun, done.receipts)))
            }
            Err(error) => {
                Box::pin(operation.undo_all()).await;
                Err(StrictError::Insert(error))
            }
        }
    }

    /// The targets to call, in order, and the receipts of those to skip. Refuses before any call is made.
    #[expect(clippy::type_complexity, reason = "used once, taken apart at once")]
    fn switched_on<E>(
        &self,
        tenant: &TenantId,
        contact: &Contact,
    ) -> Result<(Vec<(TargetName, Arc<dyn Target>)>, Vec<TargetReceipt>), StrictError<E>> {
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
        Ok((on, skipped))
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

impl fmt::Debug for CrmHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrmHook")
            .field("targets", &self.targets.keys())
            .field("region", &self.region)
            .field("leave_and_flag", &self.leave_and_flag)
            .finish_non_exhaustive()
    }
}

/// One strict create in progress.
struct Operation<'a> {
    hook: &'a CrmHook,
    tenant: &'a TenantId,
    contact: &'a Contact,
    begun: &'a Begun,
    hold: Hold,
}

/// What the vendors have when it is the host's turn.
#[derive(Default)]
struct Done {
    created: Vec<Link>,
    found: Vec<Link>,
    receipts: Vec<TargetReceipt>,
}

/// A record at a vendor, and whose it is.
enum Record {
    /// Made by this call: goes if the insert fails.
    Created(RemoteId),
    /// Made by an earlier call that failed: goes if this one fails too, and may need an update if it does not.
    TakenOver(RemoteId),
    /// There before: stays in any case.
    Found(RemoteId),
}

/// What is left of an operation whose insert has gone well.
enum Kept {
    Confirmed,
    /// Its records may be gone again, and the contact goes the way of any signup.
    Queued,
    /// The insert confirmed in a transaction that was not committed: there is nothing to keep.
    RolledBack,
}

/// Why the vendors' part stopped.
enum Halt {
    Vendor(TargetName, TargetError),
    Store(StoreError),
    /// A create may be on its way, and nothing could be written about it. To undo it now would be too early: the end
    /// of the operation's lease is not.
    UnderWay(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<Halt> for StrictError<E> {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Vendor(target, error) => Self::Vendor { target, error },
            Halt::Store(error) | Halt::UnderWay(error) => error.into(),
        }
    }
}

impl Operation<'_> {
    /// Calls the vendors for as long as the operation is certainly ours.
    async fn all_vendors(&self, targets: &[(TargetName, Arc<dyn Target>)]) -> Result<Done, Halt> {
        let (store, lease) = (self.store(), self.hook.safe_lease());
        let renew = || store.renew_operation(self.begun.held, lease);
        let vendors = self.vendors(targets);
        match self.hold.work(self.timer(), renew, vendors).await {
            Ok(result) => result,
            Err(lost) => Err(Halt::UnderWay(lost)),
        }
    }

    /// Renews the operation's lease. Once that is lost it does nothing more: the host's insert must not be torn, and
    /// its confirmation will be refused.
    async fn stay_alive(&self) -> Infallible {
        let (store, lease) = (self.store(), self.hook.safe_lease());
        let renew = || store.renew_operation(self.begun.held, lease);
        while let StoreError::Unavailable(_) = self.hold.keep(self.timer(), renew).await {}
        std::future::pending().await
    }

    async fn vendors(&self, targets: &[(TargetName, Arc<dyn Target>)]) -> Result<Done, Halt> {
        let mut done = Done::default();
        for (name, target) in targets {
            let unknown = StrictTarget::new(name.clone());
            let state = self
                .begun
                .targets
                .iter()
                .find(|state| state.target == *name)
                .unwrap_or(&unknown);
            let record = match self.vendor(target.as_ref(), state).await {
                Ok(record) => record,
                Err(Halt::Vendor(target, error)) => match error.skip_reason() {
                    Some(reason) => {
                        done.receipts
                            .push(TargetReceipt::not_integrated(target, reason.into()));
                        continue;
                    }
                    None => return Err(Halt::Vendor(target, error)),
                },
                Err(halt) => return Err(halt),
            };
            let (links, remote) = match record {
                Record::Created(remote) => (&mut done.created, remote),
                Record::TakenOver(remote) | Record::Found(remote) => (&mut done.found, remote),
            };
            // Before the host's turn: a link that cannot be confirmed would leave the two sides apart.
            check_remote(&remote)?;
            links.push(Link::new(name.clone(), remote.clone()));
            done.receipts
                .push(TargetReceipt::integrated(name.clone(), remote));
        }
        Ok(done)
    }

    /// Looks for the person at one vendor, and creates them if nobody is there.
    async fn vendor(&self, target: &dyn Target, state: &StrictTarget) -> Result<Record, Halt> {
        let failed = |error| Halt::Vendor(state.target.clone(), error);
        match &state.known {
            Known::One(remote) => return Ok(Record::Found(remote.clone())),
            Known::Several(_) => return Err(failed(TargetError::new(ErrorClass::Conflict))),
            Known::Nobody => {}
        }
        let timer = self.hook.runner.timer.as_ref();
        let context = Context::new(self.tenant, Lane::Interactive, timer);
        let mut person = Person::new(self.contact, &self.begun.key);
        if state.unfinished.is_none() {
            person.aliases = &state.aliases;
        }
        let hit = look(target, &context, &person).await.map_err(failed)?;
        match hit {
            Some(hit) => match state.unfinished {
                Some(since) if made_since(&hit, since) => {
                    self.note_created(&state.target, &hit.remote).await?;
                    Ok(Record::TakenOver(hit.remote))
                }
                _ => Ok(Record::Found(hit.remote)),
            },
            None => self.create(target, &state.target, &context, &person).await,
        }
    }

    async fn create(
        &self,
        target: &dyn Target,
        name: &TargetName,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Record, Halt> {
        let (store, held, timer) = (self.store(), self.begun.held, context.timer);
        let undo = Undo::new(
            self.contact.clone(),
            self.begun.key.clone(),
            timer.utc_now(),
        );
        store.expect_create(held, name, undo).await?;
        let failure = match target.create(context, person).await {
            Ok(remote) => {
                if let Err(unkept) = check_remote(&remote) {
                    // The undo has to look for it.
                    let lag = target.search_lag();
                    insist(timer, || store.note_unclear(held, name, lag))
                        .await
                        .map_err(Halt::UnderWay)?;
                    return Err(unkept.into());
                }
                self.note_created(name, &remote).await?;
                return Ok(Record::Created(remote));
            }
            Err(failure) => failure,
        };
        if failure.class() == ErrorClass::Ambiguous {
            let settle = if failure.is_still_running() {
                target.settle_time()
            } else {
                Duration::ZERO
            };
            insist(timer, || store.note_unclear(held, name, settle))
                .await
                .map_err(Halt::UnderWay)?;
            if let Ok(Some(hit)) = look(target, context, person).await {
                self.note_created(name, &hit.remote).await?;
                return Ok(Record::Created(hit.remote));
            }
            return Err(Halt::Vendor(name.clone(), failure));
        }
        insist(timer, || store.withdraw_create(held, name)).await?;
        if failure.class() == ErrorClass::Conflict
            && let Ok(Some(hit)) = look(target, context, person).await
        {
            return Ok(Record::Found(hit.remote));
        }
        Err(Halt::Vendor(name.clone(), failure))
    }

    async fn note_created(&self, target: &TargetName, remote: &RemoteId) -> Result<(), StoreError> {
        let (store, held) = (self.store(), self.begun.held);
        insist(self.timer(), || store.note_created(held, target, remote)).await
    }

    /// Confirms what the insert has not confirmed itself. Where that comes too late, because the operation's lease
    /// has run out and its records may be gone again, the contact is queued like any signup, since the host has it.
    async fn keep(&self, confirmation: &Confirmation) -> Result<Kept, StoreError> {
        if confirmation.is_joined() {
            return self.committed(confirmation).await;
        }
        match confirmation.write(self.store(), self.timer()).await {
            Ok(()) => {
                // Confirmed is confirmed: what this call cannot end, the end of its lease will.
                if let Err(error) = self.store().finish(self.begun.held).await {
                    tracing::debug!(contact = %self.begun.contact, %error, "a confirmed operation was not ended");
                }
                Ok(Kept::Confirmed)
            }
            Err(StoreError::LeaseLost) => {
                let links = confirmation.created.iter().chain(&confirmation.found);
                let jobs: Vec<NewJob> = links
                    .map(|link| NewJob::new(link.target.clone(), Lane::Interactive))
                    .collect();
                let store = self.store();
                let accept = || store.accept(self.tenant, self.contact, &jobs);
                insist(self.timer(), accept).await?;
                Ok(Kept::Queued)
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out whether the transaction of the host that the confirmation was written in has been committed.
    async fn committed(&self, confirmation: &Confirmation) -> Result<Kept, StoreError> {
        let (store, contact, held) = (self.store(), self.begun.contact, self.begun.held);
        // The driver rolls a transaction that was dropped back a little later.
        let is_confirmed = match insist(self.timer(), || store.finish(held)).await {
            Ok(is_confirmed) => is_confirmed,
            // The end of its lease has ended it, and what it left tells how: links are written by the confirmation.
            Err(StoreError::LeaseLost) => {
                let links = insist(self.timer(), || store.links(contact)).await?;
                let mut confirmed = confirmation.created.iter().chain(&confirmation.found);
                confirmed.all(|link| links.contains(link))
            }
            // The transaction may be open still. However it ends, the end of the operation's lease sees what it left.
            Err(error) => {
                tracing::debug!(%contact, %error, "whether an operation is confirmed is not known yet");
                true
            }
        };
        Ok(if is_confirmed {
            Kept::Confirmed
        } else {
            Kept::RolledBack
        })
    }

    /// Deletes what this call has created, the latest first. What cannot be deleted now stays queued.
    async fn undo_all(&self) {
        let (store, lease) = (self.store(), self.hook.safe_lease());
        let abandon = || store.abandon(self.begun.held, lease);
        let claims = match insist(self.timer(), abandon).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::warn!(contact = %self.begun.contact, %error, "the undo is left to a worker");
                return;
            }
        };
        let runner = Runner {
            lease,
            ..self.hook.runner.clone()
        };
        for mut claim in claims.into_iter().rev() {
            // Those before it took their time: one whose lease is over is a worker's already.
            let asked = self.timer().now();
            if let Err(error) = store.renew(claim.job, claim.token, lease).await {
                tracing::warn!(job = %claim.job, contact = %claim.contact, %error, "the undo is left to a worker");
                continue;
            }
            // The host waits for it.
            claim.lane = Lane::Interactive;
            let target = self.hook.targets.get(claim.target.as_str()).cloned();
            runner
                .run(claim, asked, target.as_deref(), std::future::pending())
                .await;
        }
    }

    fn store(&self) -> &dyn SyncStore {
        self.hook.runner.store.as_ref()
    }

    fn timer(&self) -> &dyn Timer {
        self.hook.runner.timer.as_ref()
    }
}
