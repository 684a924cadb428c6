//! How many retries a client may make at all.
//!
//! During an outage every call fails, and four attempts each would multiply the traffic by four, just when the
//! vendor can bear it least. So retries are paid from a common purse that only successes refill.

use std::sync::atomic::{AtomicU32, Ordering};

const CAPACITY: u32 = 100;
const PRICE: u32 = 5;
const REFUND: u32 = 1;

#[derive(Debug)]
pub(crate) struct RetryQuota(AtomicU32);

impl RetryQuota {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(CAPACITY))
    }

    /// Takes the price of one retry, to be given back unless the retry is made.
    pub(crate) fn reserve(&self) -> Option<Reserved<'_>> {
        let take = |left: u32| left.checked_sub(PRICE);
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok().then(|| Reserved(Some(self)))
    }

    /// Puts back a little for a success.
    pub(crate) fn succeeded(&self) {
        // The usual case costs one load.
        if self.0.load(Ordering::Relaxed) < CAPACITY {
            self.put_back(REFUND);
        }
    }

    fn put_back(&self, amount: u32) {
        let add = |left: u32| Some(left.saturating_add(amount).min(CAPACITY));
        let put = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        debug_assert!(put.is_ok(), "adding is never refused");
    }
}

/// The price of one retry. Dropped before the retry is made, it goes back: a cancelled call costs nothing.
#[derive(Debug)]
pub(crate) struct Reserved<'a>(Option<&'a RetryQuota>);

impl Reserved<'_> {
    pub(crate) fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(quota) = self.0 {
            quota.put_back(PRICE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_retries_and_then_five_successes_for_one_more() {
        let quota = RetryQuota::new();
        for _ in 0..20 {
            quota.reserve().unwrap().spend();
        }
        assert!(quota.reserve().is_none());
        for _ in 0..4 {
            quota.succeeded();
        }
        assert!(quota.reserve().is_none());
        quota.succeeded();
        assert!(quota.reserve().is_some());
    }

    #[test]
    fn a_retry_that_is_not_made_costs_nothing() {
        let quota = RetryQuota::new();
        for _ in 0..100 {
            drop(quota.reserve().unwrap());
        }
        assert_eq!(quota.0.load(Ordering::Relaxed), CAPACITY);
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let quota = RetryQuota::new();
        for _ in 0..10 {
            quota.succeeded();
        }
        assert_eq!(quota.0.load(Ordering::Relaxed), CAPACITY);
    }
}
