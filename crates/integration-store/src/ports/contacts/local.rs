//! What a store knows in its own process, and no other: who waits, and what has been counted.

use std::sync::atomic::{AtomicUsize, Ordering};
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
    waiting: AtomicUsize,
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
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
            counts: Mutex::default(),
        }
    }

    /// Tells those who wait in this process that something was written.
    pub(in super::super) fn wake(&self) {
        self.changed.notify_waiters();
        // All who wait look; if nobody does, the next one looks before it waits.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.work.notify_waiters();
        } else {
            self.work.notify_one();
        }
    }

    /// Waits until this process has heard of work.
    pub(in super::super) async fn work_added(&self) {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let word = self.work.notified();
        tokio::pin!(word);
        // Registered before it is counted, so that a word in between reaches it either way.
        word.as_mut().enable();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        word.await;
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
