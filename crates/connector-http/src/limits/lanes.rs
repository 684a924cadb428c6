//! Who is next: two queues, first in first out, the interactive one before the other.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::Lane;

/// Those who wait, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    interactive: VecDeque<Waiter>,
    bulk: VecDeque<Waiter>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    call: Arc<Notify>,
}

impl Lanes {
    /// Whether somebody waits who goes before a newcomer of this lane.
    pub(super) fn busy_for(&self, lane: Lane) -> bool {
        match lane {
            Lane::Interactive => !self.interactive.is_empty(),
            Lane::Bulk => !self.interactive.is_empty() || !self.bulk.is_empty(),
        }
    }

    /// Stands in line. Returns the number to stand under and what calls that number.
    pub(super) fn join(&mut self, lane: Lane) -> (u64, Arc<Notify>) {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let call = Arc::new(Notify::new());
        let waiter = Waiter {
            id,
            call: Arc::clone(&call),
        };
        self.queue_mut(lane).push_back(waiter);
        (id, call)
    }

    /// Returns how many go before this number.
    pub(super) fn ahead_of(&self, lane: Lane, id: u64) -> usize {
        let before = match lane {
            Lane::Interactive => 0,
            Lane::Bulk => self.interactive.len(),
        };
        let queue = self.queue(lane);
        // Numbers only grow, so the place can be looked up.
        let place = queue.binary_search_by_key(&id, |waiter| waiter.id);
        before.saturating_add(place.unwrap_or_else(|place| place))
    }

    /// Leaves the line, served or not, and calls whoever is first now.
    pub(super) fn leave(&mut self, lane: Lane, id: u64) {
        let queue = self.queue_mut(lane);
        if let Ok(place) = queue.binary_search_by_key(&id, |waiter| waiter.id) {
            queue.remove(place);
        }
        if let Some(first) = self.interactive.front().or_else(|| self.bulk.front()) {
            first.call.notify_one();
        }
    }

    /// Calls everybody, to look at the changed world.
    pub(super) fn call_all(&self) {
        for waiter in self.interactive.iter().chain(&self.bulk) {
            waiter.call.notify_one();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.interactive.len() + self.bulk.len()
    }

    fn queue(&self, lane: Lane) -> &VecDeque<Waiter> {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Bulk => &self.bulk,
        }
    }

    fn queue_mut(&mut self, lane: Lane) -> &mut VecDeque<Waiter> {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Bulk => &mut self.bulk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interactive_goes_before_bulk_and_each_in_order() {
        let mut lanes = Lanes::default();
        let (bulk, _) = lanes.join(Lane::Bulk);
        let (one, _) = lanes.join(Lane::Interactive);
        let (two, _) = lanes.join(Lane::Interactive);
        let places = |lanes: &Lanes| {
            [
                lanes.ahead_of(Lane::Interactive, one),
                lanes.ahead_of(Lane::Interactive, two),
                lanes.ahead_of(Lane::Bulk, bulk),
            ]
        };
        assert_eq!(places(&lanes), [0, 1, 2]);
        lanes.leave(Lane::Interactive, one);
        assert_eq!(lanes.ahead_of(Lane::Interactive, two), 0);
        assert_eq!(lanes.ahead_of(Lane::Bulk, bulk), 1);
        lanes.leave(Lane::Interactive, two);
        assert!(!lanes.busy_for(Lane::Interactive) && lanes.busy_for(Lane::Bulk));
        lanes.leave(Lane::Bulk, bulk);
        assert!(!lanes.busy_for(Lane::Bulk));
    }

    #[tokio::test]
    async fn whoever_becomes_first_is_called() {
        let mut lanes = Lanes::default();
        let (first, _) = lanes.join(Lane::Bulk);
        let (middle, _) = lanes.join(Lane::Bulk);
        let (_, call) = lanes.join(Lane::Bulk);
        // Giving up in the middle of the line leaves the rest in place.
        lanes.leave(Lane::Bulk, middle);
        lanes.leave(Lane::Bulk, first);
        call.notified().await;
        assert_eq!(lanes.len(), 1);
    }
}
