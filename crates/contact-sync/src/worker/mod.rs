//! The worker: claims jobs, calls targets, writes down what came of it.

mod attempt;
mod chores;
mod event;
mod remove;
mod sink;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer, TokioTimer};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::chores::{Chores, guarded};
pub(crate) use attempt::{Runner, Used, watched};
pub use event::{Event, Progress};
pub(crate) use sink::Reports;
pub use sink::StatusSink;

use crate::directory::TargetDirectory;
use crate::hook::SignupHook;
use crate::lease::safe_lease;
use crate::reconcile::Reconciler;
use crate::retry::RetryPolicy;
use crate::store::{ClaimRequest, SyncStore};
use crate::target::Target;

/// Settings of a worker; [`start`](Self::start) sets it to work.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use contact_sync::{MemoryStore, Worker};
///
/// # async fn run(target: Arc<dyn contact_sync::Target>) {
/// let store = Arc::new(MemoryStore::new());
/// let worker = Worker::new(store).target(target).concurrency(16).on_event(|event| println!("{event:?}")).start();
/// // … until the host stops:
/// worker.shutdown(Duration::from_secs(10)).await;
/// # }
/// ```
#[must_use = "a worker does nothing before it is started"]
#[derive(Clone)]
pub struct Worker {
    runner: Runner,
    targets: HashMap<&'static str, Arc<dyn Target>>,
    concurrency: usize,
    poll: Duration,
    intake: Option<SignupHook>,
    chores: Chores,
}

/// How often whoever else can run is let go first, before more jobs are claimed.
const LET_OTHERS_END: usize = 16;

/// How many signups are taken over at a time, so that the jobs that are there already do not wait for all of them.
const INTAKE: usize = 100;

impl Worker {
    /// Makes a worker on a store, without targets.
    pub fn new(store: Arc<dyn SyncStore>) -> Self {
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
            targets: HashMap::new(),
            concurrency: 8,
            poll: Duration::from_secs(5),
            intake: None,
            chores: Chores::new(),
        }
    }

    /// Adds a target. Jobs of a target that no worker has stay parked.
    pub fn target(mut self, target: Arc<dyn Target>) -> Self {
        self.targets.insert(target.name(), target);
        self
    }

    /// Sets how many jobs run at a time; 8 by default, at least 1. From 2 on, one place is kept for jobs that
    /// somebody waits for.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// Sets how failed jobs are tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.runner.policy = policy;
        self
    }

    /// Sets how long a job of a crashed worker stays out of reach: 60 seconds by default, and never less than one and
    /// a half times the longest [`settle_time`](Target::settle_time) of the targets, or a create of the crashed worker
    /// could still be on its way.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.runner.lease = lease;
        self
    }

    /// Sets how often the store is asked for work when it does not say that there is some: every 5 seconds.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// Sets who plans the signups that hosts have put into the store's database themselves, with the function `enqueue`
    /// of a store on PostgreSQL. Without it they wait for a worker that has one.
    pub fn intake(mut self, hook: SignupHook) -> Self {
        self.intake = Some(hook);
        self
    }

    /// Sets the clock.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.runner.timer = timer;
        self
    }

    /// Sets who hears of the end of each attempt, for a progress bar or a counter. Called on the worker's own tasks,
    /// so it had better be quick.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.runner.on_event = Some(Arc::new(listener));
        self
    }

    /// Sets who hears what attempts say about integrations.
    pub fn status_sink(mut self, sink: impl StatusSink + 'static) -> Self {
        self.runner.reports = Some(Reports::new(sink));
        self
    }

    /// Looks for deliveries that are missing ([`Reconciler`]), now and every so often.
    pub fn reconcile(mut self, every: Duration, directory: impl TargetDirectory + 'static) -> Self {
        let reconciler = Reconciler::new(self.runner.store.clone(), directory);
        self.chores.reconcile = Some((every, reconciler));
        self
    }

    /// Forgets attempts that are older than this, once an hour, signups of `enqueue` that could not be taken over, and
    /// which strict creates were confirmed, that one not before a day has passed. Without it they are kept for ever, and
    /// what is personal in those signups with them.
    pub fn keep_attempts(mut self, keep: Duration) -> Self {
        self.chores.sweep = Some((Duration::from_hours(1), keep));
        self
    }

    /// Sets how often a snapshot of the store goes to `tracing`, at INFO, with the message `outbox`: how many jobs
    /// there are by state, how old the oldest is, and what came of attempts. Once a minute by default; zero is never.
    pub fn snapshot_every(mut self, interval: Duration) -> Self {
        self.chores.snapshot = Some(interval).filter(|interval| !interval.is_zero());
        self
    }

    /// Works with the integrations of this directory: reports to each what attempts say about it, refreshes the
    /// directory every 30 seconds, queues new contacts that were skipped because it had not seen yet that a vendor was
    /// switched on, and, if it is [resuming](crate::integrations::IntegrationDirectory::resuming), lets
    /// the jobs of an integration go on when it is active again.
    #[cfg(feature = "integrations")]
    pub fn integrations(mut self, directory: &crate::integrations::IntegrationDirectory) -> Self {
        self.chores.refresh = Some((Duration::from_secs(30), directory.clone()));
        self.status_sink(directory.status())
    }

    /// Starts working on the current runtime.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, as [`tokio::spawn`] does.
    pub fn start(mut self) -> RunningWorker {
        self.runner.lease = safe_lease(self.runner.lease, self.targets.values());
        let chores = self.chores.clone();
        let chores = chores.start(&self.runner.store, &self.runner.timer);
        let (order, orders) = watch::channel(Order::Work { probe: 0 });
        let (quiet, quiets) = watch::channel(0);
        let task = tokio::spawn(
            Loop {
                worker: self,
                orders,
                quiet,
            }
            .run(),
        );
        RunningWorker {
            order,
            quiets,
            task,
            chores,
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("runner", &self.runner)
            .field("targets", &self.targets.keys())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// A worker at work. Dropping it stops the work at once, as a crash would; [`shutdown`](Self::shutdown) is kinder.
#[derive(Debug)]
pub struct RunningWorker {
    order: watch::Sender<Order>,
    quiets: watch::Receiver<u64>,
    task: JoinHandle<Stopped>,
    /// They end when this is dropped.
    chores: JoinSet<()>,
}

impl RunningWorker {
    /// Waits until there is no live job left: everything is delivered, dead, or waits for a person.
    ///
    /// With a vendor that is out of order this takes as long as the outage.
    pub async fn idle(&self) {
        let mut mine = 0;
        self.order.send_modify(|order| {
            if let Order::Work { probe } = order {
                *probe += 1;
                mine = *probe;
            }
        });
        let mut quiets = self.quiets.clone();
        // An error means that the worker has ended: then it is as idle as it will ever be.
        let _ = quiets.wait_for(|quiet| *quiet >= mine).await;
    }

    /// Stops taking jobs, lets those that run finish for up to `grace`, and hands the rest back to the store.
    pub async fn shutdown(mut self, grace: Duration) -> Stopped {
        self.chores.shutdown().await;
        self.order.send_replace(Order::Stop { grace });
        // It can only fail by being aborted, which only a drop does.
        (&mut self.task).await.unwrap_or_default()
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a worker stopped.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// Jobs that came to their end during the grace.
    pub finished: usize,
    /// Jobs that were handed back to the store.
    pub released: usize,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Order {
    /// Go on; a probe that grew asks to be told when there is nothing left.
    Work {
        probe: u64,
    },
    Stop {
        grace: Duration,
    },
}

struct Loop {
    worker: Worker,
    orders: watch::Receiver<Order>,
    quiet: watch::Sender<u64>,
}

impl Loop {
    async fn run(mut self) -> Stopped {
        let (let_go, letting_go) = watch::channel(false);
        let mut running: JoinSet<Event> = JoinSet::new();
        loop {
            let order = *self.orders.borrow_and_update();
            let probe = match order {
                Order::Work { probe } => probe,
                Order::Stop { grace } => return self.stop(running, &let_go, grace).await,
            };
            let wait = self.claim(&mut running, &letting_go).await;
            if wait.is_none() && running.is_empty() {
                self.quiet.send_replace(probe);
            }
            let nap = wait.unwrap_or(self.worker.poll).min(self.worker.poll);
            let full = running.len() >= self.worker.concurrency;
            tokio::select! {
                biased;
                changed = self.orders.changed() => {
                    if changed.is_err() {
                        // Nobody can give an order any more: the handle was dropped, and this task with it.
                        return Stopped::default();
                    }
                }
                Some(ended) = running.join_next() => note_panic(&ended),
                () = self.worker.runner.store.work_added(), if !full => {}
                () = self.worker.runner.timer.sleep(nap), if !full => {}
            }
            // Those that end together make room together, and the next claim fills all of it.
            for _ in 0..LET_OTHERS_END {
                tokio::task::yield_now().await;
            }
            while let Some(ended) = running.try_join_next() {
                note_panic(&ended);
            }
        }
    }

    /// Takes what there is room for; returns when to ask again, `None` if there is nothing live anywhere.
    async fn claim(
        &self,
        running: &mut JoinSet<Event>,
        letting_go: &watch::Receiver<bool>,
    ) -> Option<Duration> {
        let worker = &self.worker;
        let free = worker.concurrency.saturating_sub(running.len());
        if free == 0 {
            return Some(worker.poll);
        }
        let taken_over = self.take_over().await;
        let reserved = usize::from(worker.concurrency > 1);
        let request =
            ClaimRequest::new(free, worker.runner.lease).bulk_limit(free - reserved.min(free));
        let asked = worker.runner.timer.now();
        let claims = match worker.runner.store.claim(request).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no jobs could be claimed"
                );
                return Some(worker.poll);
            }
        };
        for claim in claims.jobs {
            let runner = worker.runner.clone();
            let target = worker.targets.get(claim.target.as_str()).cloned();
            let mut letting_go = letting_go.clone();
            running.spawn(async move {
                let stop = async {
                    // The sender outlives every task; were it gone, there would be nobody to let go for.
                    if letting_go.wait_for(|now| *now).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                };
                runner.run(claim, asked, target.as_deref(), stop).await
            });
        }
        // There may be more where these came from.
        (taken_over == INTAKE)
            .then_some(Duration::ZERO)
            .or(claims.next_in)
    }

    /// Takes over signups that hosts have put in; returns how many.
    async fn take_over(&self) -> usize {
        let Some(hook) = &self.worker.intake else {
            return 0;
        };
        let hook = hook.clone();
        match guarded(async move { hook.drain_intake(INTAKE).await }).await {
            Some(Ok(taken)) => taken,
            Some(Err(error)) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "signups could not be taken over"
                );
                0
            }
            None => {
                tracing::error!(
                    "signups could not be taken over: the hook or its directory panicked"
                );
                0
            }
        }
    }

    async fn stop(
        &self,
        mut running: JoinSet<Event>,
        let_go: &watch::Sender<bool>,
        grace: Duration,
    ) -> Stopped {
        let mut stopped = Stopped::default();
        let mut over = self.worker.runner.timer.sleep(grace);
        let mut waiting = true;
        while !running.is_empty() {
            tokio::select! {
                biased;
                Some(ended) = running.join_next() => {
                    note_panic(&ended);
                    match ended {
                        Ok(Event { progress: Progress::Released, .. }) => stopped.released += 1,
                        Ok(_) => stopped.finished += 1,
                        Err(_) => {}
                    }
                }
                () = &mut over, if waiting => {
                    waiting = false;
                    let_go.send_replace(true);
                }
            }
        }
        stopped
    }
}

/// A target that panics costs its job a crash, when the lease runs out, and nobody else anything. What it said may
/// quote the contact, so it is not repeated here.
fn note_panic(ended: &Result<Event, tokio::task::JoinError>) {
    if ended.is_err() {
        tracing::error!("a target panicked; its job runs again when the lease is over");
    }
}
