//! A log that forgets its oldest entries.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::fault::Fault;
use crate::operation::Operation;

/// One request that reached the vendor, without anything personal in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// The number of the request, counted from 1 since the sandbox started or the log was last
    /// cleared.
    pub number: u64,
    /// When the answer was decided.
    pub at: DateTime<Utc>,
    /// The HTTP method as it was sent; of one that is longer than any known, the beginning.
    pub method: String,
    /// The operation; `None` for a route the vendor does not have.
    pub operation: Option<Operation>,
    /// The path template of the operation, never the path itself.
    pub template: Option<&'static str>,
    /// The status answered; `None` where the connection was cut or left hanging.
    pub status: Option<u16>,
    /// The fault that was injected.
    pub fault: Option<Fault>,
}

/// The newest entries, at most `capacity` of them, and how many there were in all.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    entries: VecDeque<T>,
    capacity: usize,
    total: u64,
}

impl<T> Recent<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity,
            total: 0,
        }
    }

    /// Adds the entry that `make` builds from its number, and returns that number.
    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        self.total += 1;
        if self.capacity > 0 {
            if self.entries.len() == self.capacity {
                self.entries.pop_front();
            }
            self.entries.push_back(make(self.total));
        }
        self.total
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.total = 0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.entries.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_the_total_goes_on() {
        let mut recent = Recent::new(2);
        for _ in 0..5 {
            recent.push(|number| number);
        }
        assert_eq!(recent.iter().copied().collect::<Vec<_>>(), [4, 5]);
        assert_eq!(recent.total(), 5);
        recent.clear();
        assert_eq!((recent.iter().count(), recent.total()), (0, 0));
    }

    #[test]
    fn a_log_of_no_size_still_counts() {
        let mut recent = Recent::new(0);
        recent.push(|number| number);
        assert_eq!((recent.iter().count(), recent.total()), (0, 1));
    }
}
