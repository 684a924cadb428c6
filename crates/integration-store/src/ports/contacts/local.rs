//! What a store knows in its own process, and no other: who waits, and what has been counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_http::Timer;
use contact_sync::Outcomes;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::commit::Waiting;
use super::contacts_db::Own;
use super::watch::Watch;

/// Shared by all clones of a store.
#[derive(Debug)]
pub(in super::super) struct Local {
    pub(in super::super) timer: Arc<dyn Timer>,
    pub(in super::super) max_crashes: u32,
    /// What only this database needs.
    pub(in super::super) own: Own,
    pub(super) watch: Watch,
    pub(super) outcomes: Waiting,
    work: Notify,
    changed: Notify,
    counts: Mutex<Counts>,
}

/// What this process has done since it opened the store.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Counts {
    pub(in super::super) done: u64,
    pub(in super::super) outcomes: Outcomes,
}

impl Local {
    pub(in super::super) fn new(timer: Arc<dyn Timer>, max_crashes: u32, own: Own) -> Self {
        Self {
            timer,
            max_crashes,
            own,
            watch: Watch::default(),
            outcomes: Waiting::default(),
            work: Notify::new(),
            changed: Notify::new(),
            counts: Mutex::default(),
        }
    }

    /// Tells those who wait in this process that something was written.
    pub(in super::super) fn wake(&self) {
        self.changed.notify_waiters();
        // One that is just about to wait finds the permit; those that wait already all look.
        self.work.notify_waiters();
        self.work.notify_one();
    }

    /// Waits until this process has heard of work.
    pub(in super::super) async fn work_added(&self) {
        self.work.notified().await;
    }

    /// Reads what has been counted, for adding to it.
    pub(in super::super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of what this process writes, from now on.
    pub(in super::super) fn changes(&self) -> Notified<'_> {
        self.changed.notified()
    }
}
