//! One strict create, from the first look at a vendor to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Lane, Timer};

use super::CrmHook;
use super::error::StrictError;
use super::ticket::Confirmation;
use super::undo::made_since;
use crate::contact::Contact;
use crate::failure::{ErrorClass, TargetError};
use crate::ids::{RemoteId, TargetName, TenantId};
use crate::lease::{Hold, insist};
use crate::receipt::TargetReceipt;
use crate::store::limits::check_remote;
use crate::store::{
    Begun, Link, NewJob, Signal, StatusEvent, StoreError, StrictTarget, SyncStore, Undo,
};
use crate::target::{Context, Known, Person, Target, look};
use crate::worker::{Runner, Used, watched};

/// One strict create in progress.
pub(super) struct Operation<'a> {
    pub(super) hook: &'a CrmHook,
    pub(super) tenant: &'a TenantId,
    pub(super) contact: &'a Contact,
    pub(super) begun: &'a Begun,
    pub(super) hold: Hold,
}

/// What the vendors have when it is the host's turn.
#[derive(Default)]
pub(super) struct Done {
    pub(super) created: Vec<Link>,
    pub(super) found: Vec<Link>,
    pub(super) receipts: Vec<TargetReceipt>,
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
pub(super) enum Kept {
    Confirmed,
    /// Its records may be gone again, and the contact goes the way of any signup.
    Queued,
    /// The insert confirmed in a transaction that was not committed: there is nothing to keep.
    RolledBack,
}

/// Why the vendors' part stopped.
pub(super) enum Halt {
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
    pub(super) async fn all_vendors(
        &self,
        targets: &[(TargetName, Arc<dyn Target>)],
    ) -> Result<Done, Halt> {
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
    pub(super) async fn stay_alive(&self) -> Infallible {
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

    /// Finds out what one vendor has of the person, and says what that tells of the integration.
    async fn vendor(&self, target: &dyn Target, state: &StrictTarget) -> Result<Record, Halt> {
        match &state.known {
            Known::One(remote) => return Ok(Record::Found(remote.clone())),
            Known::Several(_) => {
                let error = TargetError::new(ErrorClass::Conflict);
                return Err(Halt::Vendor(state.target.clone(), error));
            }
            Known::Nobody => {}
        }
        let reached = self.look_or_create(target, state);
        let (reached, used) = watched(self.begun.contact, reached).await;
        self.report(&state.target, &reached, used).await;
        reached
    }

    /// What fails in our own store says nothing.
    async fn report(&self, target: &TargetName, reached: &Result<Record, Halt>, used: Used) {
        let (signal, error) = match reached {
            Ok(_) => (Some(Signal::CallOk), None),
            Err(Halt::Vendor(_, error)) => (Signal::said_by(error), Some(error)),
            Err(Halt::Store(_) | Halt::UnderWay(_)) => (None, None),
        };
        if let (Some(reports), Some(signal)) = (&self.hook.runner.reports, signal) {
            let event = StatusEvent {
                failure: error.map(|error| error.note().clone()),
                retry_after: error.and_then(TargetError::wait),
                ..used.event(self.tenant.clone(), target.clone(), signal)
            };
            let never = std::future::pending();
            reports.report(&event, self.timer(), never).await;
        }
    }

    /// Looks for the person at one vendor, and creates them if nobody is there.
    async fn look_or_create(
        &self,
        target: &dyn Target,
        state: &StrictTarget,
    ) -> Result<Record, Halt> {
        let failed = |error| Halt::Vendor(state.target.clone(), error);
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
    pub(super) async fn keep(&self, confirmation: &Confirmation) -> Result<Kept, StoreError> {
        if confirmation.is_joined() {
            return Ok(self.committed().await);
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
    async fn committed(&self) -> Kept {
        let (store, contact, held) = (self.store(), self.begun.contact, self.begun.held);
        // The driver rolls a transaction that was dropped back a little later.
        let is_confirmed = match insist(self.timer(), || store.finish(held)).await {
            Ok(is_confirmed) => is_confirmed,
            // The end of its lease has ended it, and there was no confirmation: one would be remembered.
            Err(StoreError::LeaseLost) => false,
            // The transaction may be open still. However it ends, the end of the operation's lease sees what it left.
            Err(error) => {
                tracing::debug!(%contact, %error, "whether an operation is confirmed is not known yet");
                true
            }
        };
        if is_confirmed {
            Kept::Confirmed
        } else {
            Kept::RolledBack
        }
    }

    /// Deletes what this call has created, the latest first. What cannot be deleted now stays queued.
    pub(super) async fn undo_all(&self) {
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
