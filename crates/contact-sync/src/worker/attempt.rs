//! One attempt of one job: run it under its lease, and write down what follows.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use connector_http::Timer;
use integration_core::IntegrationId;
use tokio::time::Instant;

use super::event::{Event, Progress};
use super::remove::{Removed, remove};
use super::sink::Reports;
use crate::failure::{ClientUnavailable, ErrorClass, FailureNote, TargetError};
use crate::ids::{ContactId, TargetName, TenantId};
use crate::lease::{Hold, insist};
use crate::retry::{Attempt, Next, RetryPolicy};
use crate::store::{
    Ack, Claim, JobKind, LinkChange, LogEntry, LogOutcome, Outcome, Removal, Signal, StatusEvent,
    StoreError, SyncStore, Undo, Work,
};
use crate::strict::{Undone, undo};
use crate::target::{Action, Context, Delivered, Delivery, Target};

pub(crate) type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

/// What every attempt needs; shared by the worker and by the strict road's own undo.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) store: Arc<dyn SyncStore>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) policy: RetryPolicy,
    pub(crate) lease: Duration,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) reports: Option<Reports>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("policy", &self.policy)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// What an attempt came to, before it is written down.
struct Verdict {
    link: LinkChange,
    outcome: LogOutcome,
    ack: Ack,
    signal: Option<Signal>,
    retry_after: Option<Duration>,
    progress: Progress,
    used: Used,
}

/// Which client an attempt was made with, where its provider has said so.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) integration: Option<IntegrationId>,
    pub(crate) credentials: Option<u64>,
}

impl Used {
    /// Says something about the integration whose client it was.
    pub(crate) fn event(self, tenant: TenantId, target: TargetName, signal: Signal) -> StatusEvent {
        StatusEvent {
            integration: self.integration,
            credentials: self.credentials,
            ..StatusEvent::new(tenant, target, signal)
        }
    }
}

/// Does something at a vendor, and tells which client it was done with.
#[cfg(feature = "integrations")]
pub(crate) async fn watched<F: Future>(contact: ContactId, work: F) -> (F::Output, Used) {
    crate::integrations::watch(contact, work).await
}

/// Does something at a vendor. Nobody says which client it was done with.
#[cfg(not(feature = "integrations"))]
pub(crate) async fn watched<F: Future>(_contact: ContactId, work: F) -> (F::Output, Used) {
    (work.await, Used::default())
}

impl Runner {
    /// Runs a job, whose lease was asked for at `asked`, to its end, or until `stop` says to let go of it.
    ///
    /// A job whose lease is lost is let go of: it is another worker's, and to go on with it would be the double work
    /// that leases are there to prevent. One that cannot be written down is left to its lease: the next attempt looks
    /// before it creates.
    pub(crate) async fn run(
        &self,
        claim: Claim,
        asked: Instant,
        target: Option<&dyn Target>,
        stop: impl Future<Output = ()>,
    ) -> Event {
        let start = self.timer.now();
        let settle = target.map_or(Duration::ZERO, Target::settle_time);
        let hold = Hold::new(asked, self.lease, settle);
        let renew = || self.store.renew(claim.job, claim.token, self.lease);
        let attempt = self.watched_attempt(&claim, target);
        let work = hold.work(self.timer.as_ref(), renew, attempt);
        let mut stop = pin!(stop);
        let verdict = tokio::select! {
            biased;
            verdict = work => verdict.unwrap_or_else(|lost| {
                tracing::warn!(job = %claim.job, target = %claim.target, contact = %claim.contact, %lost, "let go of");
                released(&claim, settle)
            }),
            // Nothing is said of one that is released, so nobody waits for this again.
            () = &mut stop => released(&claim, settle),
        };
        self.write_down(claim, verdict, start, stop).await
    }

    async fn watched_attempt(&self, claim: &Claim, target: Option<&dyn Target>) -> Verdict {
        let attempt = self.attempt(claim, target);
        let (mut verdict, used) = watched(claim.contact, attempt).await;
        verdict.used = used;
        verdict
    }

    async fn attempt(&self, claim: &Claim, target: Option<&dyn Target>) -> Verdict {
        let Some(target) = target else {
            // A job of a target that this worker does not have: another one may, or a later release.
            let error = TargetError::unavailable(ClientUnavailable::NotConfigured);
            return self.failed(claim, &error, Duration::ZERO, LinkChange::Keep);
        };
        let context = Context::new(&claim.tenant, claim.lane, self.timer.as_ref());
        match &claim.work {
            Work::Deliver(delivery) => self.deliver(claim, target, &context, delivery).await,
            Work::Undo(what) => self.take_back(claim, target, &context, what).await,
            Work::Remove(what) => self.remove(claim, target, &context, what).await,
        }
    }

    async fn deliver(
        &self,
        claim: &Claim,
        target: &dyn Target,
        context: &Context<'_>,
        delivery: &Delivery,
    ) -> Verdict {
        match target.deliver(context, delivery).await {
            Ok(Delivered::Done { remote, action }) => {
                let unmapped = target.unmapped_for(context, &delivery.contact);
                // The delivery was made with the client that it was made with, whichever this one gets.
                #[cfg(feature = "integrations")]
                let unmapped = crate::integrations::unwatched(unmapped);
                let unmapped = unmapped.await;
                Verdict {
                    link: LinkChange::Set {
                        remote: remote.clone(),
                        created: action == Action::Created,
                    },
                    outcome: LogOutcome::Delivered {
                        action,
                        unmapped: unmapped.clone(),
                    },
                    ack: Ack::Done {
                        revision: delivery.revision,
                    },
                    signal: Some(Signal::CallOk),
                    retry_after: None,
                    used: Used::default(),
                    progress: Progress::Delivered {
                        remote,
                        action,
                        unmapped,
                    },
                }
            }
            Ok(Delivered::Gone(remote)) => Verdict {
                link: LinkChange::Gone(remote),
                outcome: LogOutcome::Relinking,
                ack: Ack::Snooze {
                    after: Duration::ZERO,
                },
                signal: Some(Signal::CallOk),
                retry_after: None,
                used: Used::default(),
                progress: Progress::Relinking,
            },
            Err(error) => {
                let settle = target.settle_time();
                let link = match error.may_have_created() {
                    true if error.is_still_running() => LinkChange::Unclear { settle },
                    true => LinkChange::Unclear {
                        settle: Duration::ZERO,
                    },
                    // What an earlier attempt may have done is as unclear as before.
                    false if delivery.uncertain => LinkChange::Keep,
                    false => LinkChange::Withdraw,
                };
                self.failed(claim, &error, settle, link)
            }
        }
    }

    async fn take_back(
        &self,
        claim: &Claim,
        target: &dyn Target,
        context: &Context<'_>,
        what: &Undo,
    ) -> Verdict {
        match undo(target, context, what, self.store.as_ref()).await {
            Ok(Undone::Clean) => Verdict {
                link: LinkChange::Withdraw,
                outcome: LogOutcome::Undone,
                ack: Ack::Done { revision: 0 },
                signal: Some(Signal::CallOk),
                retry_after: None,
                used: Used::default(),
                progress: Progress::Undone,
            },
            Ok(Undone::LeftBehind) => {
                let failure = FailureNote::new(ErrorClass::Conflict);
                Verdict {
                    link: LinkChange::Keep,
                    outcome: LogOutcome::Failed(failure.clone()),
                    ack: Ack::Review,
                    signal: None,
                    retry_after: None,
                    used: Used::default(),
                    progress: Progress::Review { failure },
                }
            }
            Err(error) => self.failed(claim, &error, target.settle_time(), LinkChange::Keep),
        }
    }

    async fn remove(
        &self,
        claim: &Claim,
        target: &dyn Target,
        context: &Context<'_>,
        what: &Removal,
    ) -> Verdict {
        let removed = remove(target, context, claim.contact, what, self.store.as_ref()).await;
        let (outcome, progress) = match removed {
            Ok(Removed::Gone) => (LogOutcome::Removed, Progress::Removed),
            Ok(Removed::Kept) => (LogOutcome::Kept, Progress::Kept),
            Ok(Removed::LeftBehind) => {
                let failure = FailureNote::new(ErrorClass::Conflict);
                return Verdict {
                    link: LinkChange::Keep,
                    outcome: LogOutcome::Failed(failure.clone()),
                    ack: Ack::Review,
                    signal: None,
                    retry_after: None,
                    used: Used::default(),
                    progress: Progress::Review { failure },
                };
            }
            Err(error) => {
                return self.failed(claim, &error, target.settle_time(), LinkChange::Keep);
            }
        };
        Verdict {
            link: LinkChange::Unlink,
            outcome,
            ack: Ack::Done { revision: 0 },
            signal: Some(Signal::CallOk),
            retry_after: None,
            used: Used::default(),
            progress,
        }
    }

    fn failed(
        &self,
        claim: &Claim,
        error: &TargetError,
        settle: Duration,
        link: LinkChange,
    ) -> Verdict {
        let attempt = Attempt {
            number: claim.attempt,
            age: claim.age,
        };
        let failure = error.note().clone();
        let (ack, progress) = match self.policy.decide(error, &attempt, settle, fastrand::f64()) {
            Next::Retry(after) => (
                Ack::Retry { after },
                Progress::Retrying {
                    failure: failure.clone(),
                    after,
                },
            ),
            Next::Snooze(after) => (
                Ack::Snooze { after },
                Progress::Retrying {
                    failure: failure.clone(),
                    after,
                },
            ),
            Next::Park(after) => (
                Ack::Park { after },
                Progress::Retrying {
                    failure: failure.clone(),
                    after,
                },
            ),
            Next::Review => (
                Ack::Review,
                Progress::Review {
                    failure: failure.clone(),
                },
            ),
            Next::Dead => (
                Ack::Dead,
                Progress::Dead {
                    failure: failure.clone(),
                },
            ),
        };
        let signal = Signal::said_by(error);
        Verdict {
            link,
            outcome: LogOutcome::Failed(failure),
            ack,
            signal,
            retry_after: error.wait(),
            used: Used::default(),
            progress,
        }
    }

    async fn write_down(
        &self,
        claim: Claim,
        verdict: Verdict,
        start: Instant,
        stop: impl Future<Output = ()>,
    ) -> Event {
        let Claim {
            job,
            token,
            tenant,
            target,
            contact,
            attempt,
            trace_id,
            work,
            ..
        } = claim;
        let kind = work.kind();
        let revision = match &work {
            Work::Deliver(delivery) => Some(delivery.revision),
            Work::Undo(_) | Work::Remove(_) => None,
        };
        let mut log = LogEntry::new(
            job,
            kind,
            (tenant.clone(), target.clone(), contact),
            verdict.outcome,
        );
        log.attempt = attempt;
        log.trace_id.clone_from(&trace_id);
        let took = self.timer.now().saturating_duration_since(start);
        log.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let status = verdict.signal.map(|signal| StatusEvent {
            failure: match &log.outcome {
                LogOutcome::Failed(failure) => Some(failure.clone()),
                _ => None,
            },
            retry_after: verdict.retry_after,
            ..verdict.used.event(tenant.clone(), target.clone(), signal)
        });
        let mut outcome = Outcome::new((job, token), verdict.link, log, status, verdict.ack);
        outcome.revision = revision;
        let mut event = Event {
            job,
            kind,
            tenant,
            target,
            contact,
            attempt,
            trace_id,
            progress: verdict.progress,
        };
        let commit = || self.store.commit_outcome(outcome.clone());
        let mut written = insist(self.timer.as_ref(), commit).await;
        if let Err(StoreError::Refused(why)) = &written {
            tracing::error!(job = %event.job, target = %event.target, contact = %event.contact, %why, "an outcome cannot be kept");
            event.progress = unkept(&mut outcome, kind);
            let commit = || self.store.commit_outcome(outcome.clone());
            written = insist(self.timer.as_ref(), commit).await;
        }
        match written {
            Ok(()) => {
                trace_event(&event);
                if let (Some(reports), Some(status)) = (&self.reports, &outcome.status) {
                    reports.report(status, self.timer.as_ref(), stop).await;
                }
            }
            Err(error) => tracing::error!(
                job = %event.job, target = %event.target, contact = %event.contact,
                error = &error as &dyn std::error::Error,
                "an outcome could not be written down; the job will run again"
            ),
        }
        if let Some(on_event) = &self.on_event {
            let heard = catch_unwind(AssertUnwindSafe(|| on_event(&event)));
            if heard.is_err() {
                tracing::error!(job = %event.job, "the listener of the worker panicked");
            }
        }
        event
    }
}

/// Makes a wait for a person of an outcome that the store refuses. To let its lease run out would be to call the vendor
/// again, with the same end. Whoever replays the job looks for what was created before it creates.
fn unkept(outcome: &mut Outcome, kind: JobKind) -> Progress {
    let failure = FailureNote::new(ErrorClass::Unkept);
    outcome.link = match kind {
        JobKind::Deliver => LinkChange::Unclear {
            settle: Duration::ZERO,
        },
        JobKind::Undo | JobKind::Remove => LinkChange::Keep,
    };
    outcome.log.outcome = LogOutcome::Failed(failure.clone());
    outcome.ack = Ack::Review;
    Progress::Review { failure }
}

/// A job that is let go of in the middle: a request may be on its way, so nobody looks before it has settled.
fn released(claim: &Claim, settle: Duration) -> Verdict {
    Verdict {
        link: match &claim.work {
            Work::Deliver(_) => LinkChange::Unclear { settle },
            Work::Undo(_) | Work::Remove(_) => LinkChange::Keep,
        },
        outcome: LogOutcome::Released,
        ack: Ack::Snooze { after: settle },
        signal: None,
        retry_after: None,
        used: Used::default(),
        progress: Progress::Released,
    }
}

fn trace_event(event: &Event) {
    let Event {
        job,
        tenant,
        target,
        contact,
        attempt,
        kind,
        ..
    } = event;
    let trace_id = event.trace_id.as_deref();
    match &event.progress {
        Progress::Delivered { action, .. } => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, trace_id, ?action, "contact delivered");
        }
        Progress::Relinking => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, trace_id, "linked record was deleted, looking anew");
        }
        Progress::Removed => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, trace_id, "erased contact removed");
        }
        Progress::Kept => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, trace_id, "erased contact unlinked, its record stays");
        }
        Progress::Undone => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, trace_id, "strict create undone");
        }
        // Nothing but a person mends these: whoever watches the log for warnings has to see them.
        Progress::Retrying { failure, after }
            if matches!(
                failure.class,
                ErrorClass::Auth | ErrorClass::Unavailable | ErrorClass::QuotaSpent
            ) =>
        {
            tracing::warn!(%job, %tenant, %target, %contact, attempt, ?kind, trace_id, %failure, ?after, "waits until the integration is mended");
        }
        Progress::Retrying { failure, after } => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, ?kind, trace_id, %failure, ?after, "will be tried again");
        }
        Progress::Review { failure } => {
            tracing::warn!(%job, %tenant, %target, %contact, attempt, ?kind, trace_id, %failure, "waits for a person's choice");
        }
        Progress::Dead { failure } => {
            tracing::warn!(%job, %tenant, %target, %contact, attempt, ?kind, trace_id, %failure, "given up, kept for replay");
        }
        Progress::Released => {
            tracing::info!(%job, %tenant, %target, %contact, attempt, ?kind, trace_id, "released");
        }
    }
}
