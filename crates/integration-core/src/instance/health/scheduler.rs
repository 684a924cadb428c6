use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use connector_http::Timer;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Checks, DueIntegration, HealthChecks, OnReauth};
use crate::ids::IntegrationId;
use crate::status::{DueCheck, due_check, next_check};

pub(super) struct Scheduler<C> {
    setup: HealthChecks<C>,
    stopping: watch::Receiver<bool>,
    /// Tells this process from others that want the lease.
    owner: String,
    /// Until when the lease is ours for certain, by our own clock.
    held_until: Option<Instant>,
    renew_at: Instant,
    look_at: Instant,
    running: JoinSet<()>,
    /// Which integration a running task is for.
    checked: HashMap<Id, IntegrationId>,
    /// Integrations that are left alone until then.
    held_back: HashMap<IntegrationId, Instant>,
}

impl<C: Checks> Scheduler<C> {
    pub(super) fn new(mut setup: HealthChecks<C>, stopping: watch::Receiver<bool>) -> Self {
        // Below these it would do nothing but ask.
        let options = &mut setup.options;
        options.interval = options.interval.max(Duration::from_secs(1));
        options.lease_ttl = options.lease_ttl.max(Duration::from_secs(3));
        let now = setup.timer.now();
        Self {
            setup,
            stopping,
            owner: Uuid::new_v4().to_string(),
            held_until: None,
            renew_at: now,
            look_at: now,
            running: JoinSet::new(),
            checked: HashMap::new(),
            held_back: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let now = self.now();
            if now >= self.renew_at {
                self.renew().await;
            }
            if self.holds() && self.now() >= self.look_at {
                self.look().await;
            }
            let next = if self.holds() {
                self.renew_at.min(self.look_at)
            } else {
                self.renew_at
            };
            let timer = Arc::clone(&self.setup.timer);
            tokio::select! {
                biased;
                () = stopped(&mut self.stopping) => break,
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                () = timer.sleep(next.saturating_duration_since(self.setup.timer.now())) => {}
            }
        }
        self.finish().await;
    }

    /// Lets the running checks end, and keeps the lease until then so that nobody repeats them.
    async fn finish(mut self) {
        while !self.running.is_empty() {
            let now = self.now();
            if self.holds() && now >= self.renew_at {
                self.renew().await;
            }
            let wait = self.renew_at.saturating_duration_since(self.now());
            let wait = wait.max(Duration::from_millis(1));
            let timer = Arc::clone(&self.setup.timer);
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                () = timer.sleep(wait), if self.holds() => {}
            }
        }
        if self.held_until.is_some() {
            let name = &self.setup.options.lease_name;
            let released = self.setup.leases.release_lease(name, &self.owner);
            let released = within(&*self.setup.timer, self.third(), released).await;
            if !matches!(released, Some(Ok(()))) {
                tracing::debug!(target: "integration_core", "the lease of the health checks runs out by itself");
            }
        }
    }

    /// Takes or renews the lease.
    async fn renew(&mut self) {
        let asked = self.now();
        let (name, ttl) = (&self.setup.options.lease_name, self.setup.options.lease_ttl);
        let held = self.setup.leases.hold_lease(name, &self.owner, ttl);
        let held = within(&*self.setup.timer, self.third(), held).await;
        // Those who wait for the lease do not ask for it all at the same time.
        self.renew_at = plus(asked, self.third().mul_f64(0.9 + 0.1 * fastrand::f64()));
        match held {
            Some(Ok(true)) => {
                let gained = !self.holds();
                // From before asking: the store's time began to run at some moment since.
                self.held_until = Some(plus(asked, ttl));
                if gained {
                    let spread = longest(self.setup.options.interval).mul_f64(fastrand::f64());
                    self.look_at = plus(self.now(), spread);
                    tracing::info!(target: "integration_core", "this process does the health checks");
                }
            }
            Some(Ok(false)) => {
                if self.held_until.take().is_some() {
                    tracing::info!(target: "integration_core", "another process does the health checks");
                }
            }
            // The lease may still be ours: until it has run out it counts as such.
            Some(Err(error)) => {
                let error = tracing::field::display(error);
                tracing::warn!(target: "integration_core", error, "the lease of the health checks was not renewed");
            }
            None => {
                tracing::warn!(target: "integration_core", "the lease of the health checks was not renewed in time");
            }
        }
        self.renew_at = self.renew_at.max(self.now());
    }

    /// Begins what is due, as far as there is room.
    async fn look(&mut self) {
        let options = &self.setup.options;
        let spread = longest(options.interval).mul_f64(0.9 + 0.2 * fastrand::f64());
        let now = self.now();
        self.look_at = plus(now, spread);
        self.held_back.retain(|_, until| *until > now);
        let room = options
            .concurrency
            .max(1)
            .saturating_sub(self.running.len());
        if room == 0 {
            return;
        }
        // Those that are left alone are still due, and must not stand before the others.
        let limit = room + self.running.len() + self.held_back.len();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let due = self.setup.checks.due(self.setup.timer.utc_now(), limit);
        let due = match within(&*self.setup.timer, self.third(), due).await {
            Some(Ok(due)) => due,
            Some(Err(error)) => {
                let error = tracing::field::display(error);
                tracing::warn!(target: "integration_core", error, "no health checks: the integrations cannot be read");
                return;
            }
            None => {
                tracing::warn!(target: "integration_core", "no health checks: the integrations were not read in time");
                return;
            }
        };
        let fresh = due
            .into_iter()
            .filter(|due| !self.held_back.contains_key(&due.id))
            .filter(|due| !self.checked.values().any(|id| *id == due.id))
            .take(room)
            .collect::<Vec<_>>();
        for due in fresh {
            if !self.holds() {
                return;
            }
            self.begin(due);
        }
    }

    fn begin(&mut self, due: DueIntegration) {
        let id = due.id;
        let checks = Arc::clone(&self.setup.checks);
        let timer = Arc::clone(&self.setup.timer);
        let on_reauth = self.setup.on_reauth.clone();
        let timeout = self.setup.options.check_timeout;
        let task = self.running.spawn(async move {
            let ended = within(&*timer, timeout, attend(&*checks, &*timer, &due, on_reauth));
            match ended.await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    let error = tracing::field::display(error);
                    tracing::warn!(target: "integration_core", integration = %id, error, "a health check came to nothing");
                }
                None => {
                    tracing::warn!(target: "integration_core", integration = %id, "a health check was given up: it took too long");
                }
            }
        });
        self.checked.insert(task.id(), id);
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match ended {
            Ok((task, ())) => task,
            Err(error) => {
                tracing::warn!(target: "integration_core", "a health check panicked");
                error.id()
            }
        };
        if let Some(id) = self.checked.remove(&task) {
            let until = plus(self.now(), self.setup.options.hold_back);
            self.held_back.insert(id, until);
        }
    }

    fn now(&self) -> Instant {
        self.setup.timer.now()
    }

    fn holds(&self) -> bool {
        self.held_until.is_some_and(|until| self.now() < until)
    }

    fn third(&self) -> Duration {
        longest(self.setup.options.lease_ttl) / 3
    }
}

/// Does what is due for one integration.
async fn attend<C: Checks>(
    checks: &C,
    timer: &dyn Timer,
    due: &DueIntegration,
    on_reauth: Option<OnReauth>,
) -> Result<(), C::Error> {
    let now = timer.utc_now();
    match due_check(&due.state, due.health, due.last_success, now) {
        what @ (DueCheck::Test | DueCheck::Probe) => checks.check(due, what).await,
        DueCheck::Notify => {
            if checks.note_reauth(due).await?
                && let Some(tell) = on_reauth
            {
                tell(due);
            }
            Ok(())
        }
        DueCheck::Nothing => {
            let random = fastrand::f64();
            let next = next_check(&due.state, due.health, due.last_success, now, random);
            checks.postpone(due, next).await
        }
    }
}

/// No time that a host sets is so long that it cannot be reckoned with.
fn longest(span: Duration) -> Duration {
    span.min(Duration::from_hours(365 * 24))
}

fn plus(start: Instant, span: Duration) -> Instant {
    start + longest(span)
}

/// Waits for a future for so long; none when it took longer.
async fn within<F: Future>(timer: &dyn Timer, limit: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = timer.sleep(limit) => None,
    }
}

/// Waits until the checks are to stop: they are told so, or nobody is left to tell them.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
