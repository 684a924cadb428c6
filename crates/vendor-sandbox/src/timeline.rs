//! What is still to happen, and the task that lets it happen when its time has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock;
use crate::shared::Shared;

/// Things to come, in the order in which they come.
#[derive(Debug)]
pub(crate) struct Timeline<T> {
    queue: BTreeMap<(Instant, u64), T>,
    /// Keeps things of one moment in the order in which they were planned.
    planned: u64,
    wake: Arc<Notify>,
}

impl<T> Timeline<T> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            planned: 0,
            wake: Arc::new(Notify::new()),
        }
    }

    /// What is told whenever something is planned.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    pub(crate) fn plan(&mut self, due: Instant, thing: T) {
        self.planned += 1;
        self.queue.insert((due, self.planned), thing);
        self.wake.notify_one();
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes the first thing whose time has come.
    pub(crate) fn take_due(&mut self, until: Instant) -> Option<T> {
        self.next_due().filter(|due| *due <= until)?;
        self.queue.pop_first().map(|(_, thing)| thing)
    }

    pub(crate) fn any(&self, mut wanted: impl FnMut(&T) -> bool) -> bool {
        self.queue.values().any(&mut wanted)
    }

    /// Takes everything that is wanted, in its order, without waiting for its time.
    pub(crate) fn take(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Vec<T> {
        let keys: Vec<_> = self
            .queue
            .iter()
            .filter(|(_, thing)| wanted(thing))
            .map(|(key, _)| *key)
            .collect();
        keys.iter()
            .filter_map(|key| self.queue.remove(key))
            .collect()
    }
}

/// Runs until the task is aborted.
pub(crate) async fn run(shared: Arc<Shared>) {
    let wake = shared.vendor.wake();
    loop {
        let send = |deliveries| shared.dispatcher.send(deliveries);
        shared.vendor.run_due(clock::monotonic(), &send);
        shared.ticked.notify_waiters();
        match shared.vendor.next_due() {
            Some(due) => tokio::select! {
                () = clock::sleep_until(due) => {}
                () = wake.notified() => {}
            },
            None => wake.notified().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn things_come_in_their_order_and_not_before_their_time() {
        let mut timeline = Timeline::new();
        let now = clock::monotonic();
        let later = now + Duration::from_secs(5);
        for (due, thing) in [(later, 3), (now, 1), (now, 2), (later, 4)] {
            timeline.plan(due, thing);
        }
        let mut taken = Vec::new();
        while let Some(thing) = timeline.take_due(now) {
            taken.push(thing);
        }
        assert_eq!(taken, [1, 2]);
        assert_eq!(timeline.next_due(), Some(later));
        assert!(timeline.any(|thing| *thing == 4));
        assert_eq!(timeline.take(|thing| *thing == 4), [4]);
        assert_eq!(timeline.take_due(later), Some(3));
        assert_eq!(timeline.next_due(), None);
    }
}
