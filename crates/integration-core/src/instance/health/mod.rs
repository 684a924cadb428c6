//! Looks after integrations in the background: probes those nobody has called for long, and says when a person is
//! needed.
//!
//! Any number of processes may run [`HealthChecks`]; a lease lets one of them work. What is to be done with an
//! integration, and when, is decided by [`due_check`] and [`next_check`]; how it is done is the
//! business of whoever implements [`Checks`].
//!
//! At most [`concurrency`](HealthOptions::concurrency) checks run at once and at most as many begin in one
//! [`interval`](HealthOptions::interval), so that a host that was down for a day does not call every account at once
//! when it comes back.

mod scheduler;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_http::Timer;
use tokio::sync::watch;

use self::scheduler::Scheduler;
use crate::ids::{IntegrationId, TenantId};
use crate::status::{DueCheck, Health, State};
#[cfg(doc)]
use crate::status::{due_check, next_check};
use crate::store::LeaseStore;

/// An integration whose check is due, as it was read just now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DueIntegration {
    /// Its id.
    pub id: IntegrationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its vendor.
    pub vendor: String,
    /// Where it stands.
    pub state: State,
    /// How its health is found out.
    pub health: Health,
    /// When a call last succeeded, where that is known to be later than [`State::last_sync_at`].
    pub last_success: Option<DateTime<Utc>>,
}

impl DueIntegration {
    /// Puts together what is known of it.
    pub fn new(
        id: IntegrationId,
        tenant: TenantId,
        vendor: impl Into<String>,
        state: State,
        health: Health,
    ) -> Self {
        Self {
            id,
            tenant,
            vendor: vendor.into(),
            state,
            health,
            last_success: None,
        }
    }
}

/// What checking takes: the rows and the calls.
///
/// Each method may be called for an integration that has changed since it was read; the version in its
/// [`state`](DueIntegration::state) tells.
#[async_trait]
pub trait Checks: Send + Sync + 'static {
    /// What can go wrong. Its text is logged: it holds neither secrets nor personal data.
    type Error: StdError + Send + Sync + 'static;

    /// Reads the integrations whose check is due, the longest due first.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    async fn due(&self, now: DateTime<Utc>, limit: u32)
    -> Result<Vec<DueIntegration>, Self::Error>;

    /// Does the [`Test`](DueCheck::Test) or the [`Probe`](DueCheck::Probe), reports what came of it to the status
    /// machine, and writes when the next check is due.
    ///
    /// # Errors
    ///
    /// When what came of it cannot be written. That the vendor answered with an error is none.
    async fn check(&self, due: &DueIntegration, what: DueCheck) -> Result<(), Self::Error>;

    /// Writes when the next check is due, and nothing else; none for never.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    async fn postpone(
        &self,
        due: &DueIntegration,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), Self::Error>;

    /// Reports [`Event::ReauthNotified`](crate::status::Event::ReauthNotified) to the status machine and writes when
    /// the next check is due. Returns false when somebody else did so first, or it is not needed any more: then nobody
    /// is told.
    ///
    /// # Errors
    ///
    /// When that cannot be written. Then nobody is told either: better late than twice.
    async fn note_reauth(&self, due: &DueIntegration) -> Result<bool, Self::Error>;
}

/// How often, how many, how long.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HealthOptions {
    /// How often to look for checks that are due: 10 s, and at least 1 s.
    pub interval: Duration,
    /// How many run at once, and how many begin in one interval. 4.
    pub concurrency: usize,
    /// How long the lease holds unless it is renewed, which is done at a third: after so long another process takes
    /// over from one that died. 1 min, and at least 3 s.
    pub lease_ttl: Duration,
    /// How long one check may take before it is given up. 2 min.
    pub check_timeout: Duration,
    /// How long an integration is left alone after a check at least, also when the next one could not be written.
    /// 2 min.
    pub hold_back: Duration,
    /// The name of the lease: hosts that share a database but not their integrations use different ones.
    pub lease_name: String,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            concurrency: 4,
            lease_ttl: Duration::from_mins(1),
            check_timeout: Duration::from_mins(2),
            hold_back: Duration::from_mins(2),
            lease_name: "integration-health".to_owned(),
        }
    }
}

type OnReauth = Arc<dyn Fn(&DueIntegration) + Send + Sync>;

/// Regular checks, not started yet.
///
/// ```
/// use std::sync::Arc;
/// use connector_http::TokioTimer;
/// use integration_core::instance::health::{Checks, HealthChecks};
/// use integration_core::store::LeaseStore;
///
/// # async fn example(checks: Arc<impl Checks>, leases: Arc<dyn LeaseStore>) {
/// let running = HealthChecks::new(checks, leases, Arc::new(TokioTimer))
///     .on_reauth(|due| println!("{} has to connect {} again", due.tenant, due.vendor))
///     .start();
/// // … until the host stops:
/// running.shutdown().await;
/// # }
/// ```
pub struct HealthChecks<C> {
    checks: Arc<C>,
    leases: Arc<dyn LeaseStore>,
    timer: Arc<dyn Timer>,
    options: HealthOptions,
    on_reauth: Option<OnReauth>,
}

impl<C: Checks> HealthChecks<C> {
    /// Prepares checks.
    pub fn new(checks: Arc<C>, leases: Arc<dyn LeaseStore>, timer: Arc<dyn Timer>) -> Self {
        Self {
            checks,
            leases,
            timer,
            options: HealthOptions::default(),
            on_reauth: None,
        }
    }

    /// Sets how often, how many, how long.
    pub fn options(mut self, options: HealthOptions) -> Self {
        self.options = options;
        self
    }

    /// Is told, at most once a day for each, of integrations that a person has to connect again. It is called
    /// inline: it must only take note and return.
    pub fn on_reauth(mut self, tell: impl Fn(&DueIntegration) + Send + Sync + 'static) -> Self {
        self.on_reauth = Some(Arc::new(tell));
        self
    }

    /// Starts a task on the Tokio runtime that this is called in. It stops with
    /// [`shutdown`](RunningHealthChecks::shutdown), or when what this returns is dropped.
    pub fn start(self) -> RunningHealthChecks {
        let (stop, stopping) = watch::channel(false);
        let (ended, over) = watch::channel(false);
        let scheduler = Scheduler::new(self, stopping);
        tokio::spawn(async move {
            scheduler.run().await;
            ended.send_replace(true);
        });
        RunningHealthChecks { stop, over }
    }
}

impl<C> fmt::Debug for HealthChecks<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthChecks")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Regular checks under way.
#[derive(Debug)]
#[must_use = "the checks stop when this is dropped"]
pub struct RunningHealthChecks {
    stop: watch::Sender<bool>,
    over: watch::Receiver<bool>,
}

impl RunningHealthChecks {
    /// Begins no more checks, lets the running ones finish, and gives the lease back.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // An error means that the task is gone, which is what is waited for.
        let _ = self.over.wait_for(|over| *over).await;
    }
}
