use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_http::Timer;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::store::{IntegrationLog, LogStore};

/// How a [`LogWriter`] works.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogWriterOptions {
    /// How many entries wait at most. Further ones are dropped and counted: a slow store must not slow down calls,
    /// and memory has an end. 4,096.
    pub capacity: usize,
    /// How many are written together at most. 200.
    pub batch: usize,
    /// How long the first of a batch waits for others. 200 ms.
    pub linger: Duration,
    /// How often a batch is tried before it is dropped and counted. 5.
    pub attempts: u32,
    /// The wait after the first failed attempt; it doubles from one to the next. 250 ms.
    pub back_off: Duration,
    /// How long one attempt may take. 10 s.
    pub write_timeout: Duration,
    /// At most one warning about dropped entries in so much time. 1 min.
    pub warn_every: Duration,
}

impl Default for LogWriterOptions {
    fn default() -> Self {
        Self {
            capacity: 4096,
            batch: 200,
            linger: Duration::from_millis(200),
            attempts: 5,
            back_off: Duration::from_millis(250),
            write_timeout: Duration::from_secs(10),
            warn_every: Duration::from_mins(1),
        }
    }
}

/// Writes integration logs in the background, in batches. Cheap to clone; clones are the same writer.
///
/// Taking an entry never waits. What cannot be kept, because too many wait already or because the store stays out of
/// order, is dropped, counted by [`dropped`](Self::dropped) and warned of. An entry is written at most once, however
/// often its batch is tried.
#[derive(Clone)]
pub struct LogWriter {
    entries: mpsc::Sender<IntegrationLog>,
    close: watch::Sender<bool>,
    over: watch::Receiver<bool>,
    drops: Arc<Drops>,
}

impl LogWriter {
    /// Starts a task that writes to `store`, on the Tokio runtime that this is called in. It ends with
    /// [`close`](Self::close), or once every clone and every observer of this writer is gone.
    pub fn start(
        store: Arc<dyn LogStore>,
        timer: Arc<dyn Timer>,
        options: LogWriterOptions,
    ) -> Self {
        let (entries, incoming) = mpsc::channel(options.capacity.max(1));
        let (close, closing) = watch::channel(false);
        let (ended, over) = watch::channel(false);
        let drops = Arc::new(Drops {
            count: AtomicU64::new(0),
            warned: Mutex::new(None),
            warn_every: options.warn_every,
            timer: Arc::clone(&timer),
        });
        let task = Task {
            incoming,
            closing,
            store,
            timer,
            options,
            drops: Arc::clone(&drops),
        };
        tokio::spawn(async move {
            task.run().await;
            ended.send_replace(true);
        });
        Self {
            entries,
            close,
            over,
            drops,
        }
    }

    /// Takes an entry, without waiting. It is redacted and capped before: see [`redact`](super::redact()).
    pub fn write(&self, entry: IntegrationLog) {
        if self.entries.try_send(entry).is_err() {
            self.drops.add(1);
        }
    }

    /// Returns how many entries were dropped.
    pub fn dropped(&self) -> u64 {
        self.drops.count.load(Ordering::Relaxed)
    }

    /// Takes no more entries, writes those that wait, and returns when they are written or dropped. With a store out
    /// of order that is after one batch has used up its attempts. Entries that come later are dropped.
    pub async fn close(&self) {
        self.close.send_replace(true);
        // An error means that the task is gone, which is what is waited for.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }

    pub(super) fn timer(&self) -> &dyn Timer {
        &*self.drops.timer
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogWriter")
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

/// Counts what is dropped, and says so now and then.
struct Drops {
    count: AtomicU64,
    warned: Mutex<Option<Instant>>,
    warn_every: Duration,
    timer: Arc<dyn Timer>,
}

impl Drops {
    fn add(&self, entries: u64) {
        let all = self
            .count
            .fetch_add(entries, Ordering::Relaxed)
            .saturating_add(entries);
        let now = self.timer.now();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_some_and(|last| now.saturating_duration_since(last) < self.warn_every) {
            return;
        }
        *warned = Some(now);
        drop(warned);
        tracing::warn!(target: "integration_core", dropped = all, "integration log entries are lost");
    }
}

struct Task {
    incoming: mpsc::Receiver<IntegrationLog>,
    closing: watch::Receiver<bool>,
    store: Arc<dyn LogStore>,
    timer: Arc<dyn Timer>,
    options: LogWriterOptions,
    drops: Arc<Drops>,
}

impl Task {
    async fn run(mut self) {
        let size = self.options.batch.max(1);
        let mut batch = Vec::with_capacity(size);
        while self.gather(&mut batch, size).await {
            if !self.append(&batch).await {
                self.drops.add(count(batch.len()));
                if *self.closing.borrow() {
                    // What is left would not fare better, and somebody waits.
                    break;
                }
            }
            batch.clear();
        }
        self.incoming.close();
        let mut left = 0;
        while self.incoming.recv().await.is_some() {
            left += 1;
        }
        if left > 0 {
            self.drops.add(left);
        }
    }

    /// Waits for entries. Returns false when there are none and will be none.
    async fn gather(&mut self, batch: &mut Vec<IntegrationLog>, size: usize) -> bool {
        if !*self.closing.borrow() {
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => {}
                first = self.incoming.recv() => match first {
                    None => return false,
                    Some(first) => {
                        batch.push(first);
                        if batch.len().saturating_add(self.incoming.len()) < size {
                            tokio::select! {
                                () = closed(&mut self.closing) => {}
                                () = self.timer.sleep(self.options.linger) => {}
                            }
                        }
                    }
                },
            }
        }
        if *self.closing.borrow() {
            self.incoming.close();
            // Waits for a writer on another thread whose entry was let in and is not there yet, as `try_recv` does not.
            while batch.len() < size
                && let Some(entry) = self.incoming.recv().await
            {
                batch.push(entry);
            }
        }
        while batch.len() < size
            && let Ok(entry) = self.incoming.try_recv()
        {
            batch.push(entry);
        }
        !batch.is_empty()
    }

    /// Writes a batch, and returns whether that came to pass.
    async fn append(&self, batch: &[IntegrationLog]) -> bool {
        let attempts = self.options.attempts.max(1);
        let mut wait = self.options.back_off;
        for attempt in 1..=attempts {
            let result = tokio::select! {
                result = self.store.append_logs(batch) => result.map_err(Some),
                () = self.timer.sleep(self.options.write_timeout) => Err(None),
            };
            match result {
                Ok(()) => return true,
                Err(error) => {
                    let error = error.as_ref().map(tracing::field::display);
                    tracing::debug!(target: "integration_core", attempt, error, "integration logs were not written");
                }
            }
            if attempt < attempts {
                self.timer.sleep(wait).await;
                wait = wait.saturating_mul(2);
            }
        }
        false
    }
}

fn count(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or(u64::MAX)
}

/// Waits until the writer is told to close. Without anybody left to tell it, that is never: the entries end instead.
async fn closed(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending::<()>().await;
    }
}
