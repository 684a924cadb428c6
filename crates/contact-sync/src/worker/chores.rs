//! What a worker does beside its jobs: reconciling, forgetting, and saying how much there is.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use connector_http::Timer;
use tokio::task::JoinSet;

use crate::reconcile::Reconciler;
use crate::store::{Snapshot, StoreError, SyncStore};

/// What is done again and again. `None` is never.
#[derive(Clone, Debug)]
pub(super) struct Chores {
    pub(super) snapshot: Option<Duration>,
    /// How often, and for how long attempts are remembered.
    pub(super) sweep: Option<(Duration, Duration)>,
    pub(super) reconcile: Option<(Duration, Reconciler)>,
    #[cfg(feature = "integrations")]
    pub(super) refresh: Option<(Duration, crate::integrations::IntegrationDirectory)>,
}

impl Chores {
    pub(super) fn new() -> Self {
        Self {
            snapshot: Some(Duration::from_mins(1)),
            sweep: None,
            reconcile: None,
            #[cfg(feature = "integrations")]
            refresh: None,
        }
    }

    /// Starts them; they end with the set.
    pub(super) fn start(self, store: &Arc<dyn SyncStore>, timer: &Arc<dyn Timer>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if let Some(every) = self.snapshot {
            let store = Arc::clone(store);
            let snapshot = move || {
                let store = Arc::clone(&store);
                async move { store.snapshot().await.map(|snapshot| trace(&snapshot)) }
            };
            tasks.spawn(again(every, "snapshot", Arc::clone(timer), snapshot));
        }
        if let Some((every, keep)) = self.sweep {
            let store = Arc::clone(store);
            let sweep = move || {
                let store = Arc::clone(&store);
                async move {
                    let entries = store.sweep(keep).await?;
                    tracing::debug!(entries, "old attempts forgotten");
                    Ok::<(), StoreError>(())
                }
            };
            tasks.spawn(again(every, "sweep", Arc::clone(timer), sweep));
        }
        if let Some((every, reconciler)) = self.reconcile {
            let reconcile = move || {
                let reconciler = reconciler.clone();
                async move { reconciler.run().await.map(drop) }
            };
            tasks.spawn(again(every, "reconcile", Arc::clone(timer), reconcile));
        }
        #[cfg(feature = "integrations")]
        if let Some((every, directory)) = self.refresh {
            let store = Arc::clone(store);
            let refresh = move || {
                let (directory, store) = (directory.clone(), Arc::clone(&store));
                async move {
                    directory.refresh().await?;
                    directory.catch_up(store).await?;
                    Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
                }
            };
            tasks.spawn(again(every, "refresh", Arc::clone(timer), refresh));
        }
        tasks
    }
}

/// Does something now, and again after each wait. What fails or panics is said, and done again like the rest.
async fn again<F, E>(
    every: Duration,
    chore: &'static str,
    timer: Arc<dyn Timer>,
    work: impl Fn() -> F + Send,
) where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    loop {
        match guarded(work()).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::warn!(chore, %error, "a chore of the worker failed; it is done again later");
            }
            None => {
                tracing::error!(
                    chore,
                    "a chore of the worker panicked; it is done again later"
                );
            }
        }
        timer.sleep(every.max(Duration::from_secs(1))).await;
    }
}

/// Runs what the host's own code has a part in; `None` if it panicked. It ends with the future, as any other does.
pub(super) async fn guarded<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let mut run = JoinSet::new();
    run.spawn(work);
    run.join_next().await?.ok()
}

fn trace(snapshot: &Snapshot) {
    let Snapshot {
        ready,
        retrying,
        running,
        review,
        dead,
        done,
        oldest_ms,
        failed_intake,
        outcomes,
    } = snapshot;
    tracing::info!(
        ready,
        retrying,
        running,
        review,
        dead,
        done,
        oldest_ms,
        failed_intake,
        created = outcomes.created,
        updated = outcomes.updated,
        unchanged = outcomes.unchanged,
        undone = outcomes.undone,
        removed = outcomes.removed,
        retried = outcomes.retried,
        parked = outcomes.parked,
        reviews = outcomes.reviews,
        died = outcomes.dead,
        crashes = outcomes.crashes,
        "outbox"
    );
}
