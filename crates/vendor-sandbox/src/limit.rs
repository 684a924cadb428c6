//! The rate limit: a fixed window per key.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How many requests a key may send in each window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) requests: u32,
    pub(crate) window: Duration,
}

/// Where a key stands in the running window, after the request that was just counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) quota: u32,
    pub(crate) remaining: u32,
    /// Seconds until the window ends, rounded up.
    pub(crate) reset: u64,
    pub(crate) window: u64,
    pub(crate) refused: bool,
}

/// Counts requests per key in windows that start with the sandbox.
#[derive(Debug)]
pub(crate) struct Limiter {
    quota: Option<Quota>,
    start: Instant,
    used: HashMap<String, (u128, u32)>,
}

impl Limiter {
    pub(crate) fn new(quota: Option<Quota>, start: Instant) -> Self {
        Self {
            quota,
            start,
            used: HashMap::new(),
        }
    }

    /// Replaces the quota and forgets what was used; `None` lifts the limit.
    pub(crate) fn set(&mut self, quota: Option<Quota>) {
        self.quota = quota;
        self.used.clear();
    }

    /// Counts one request of `key`. The caller passes only keys it knows, so that the table
    /// cannot grow with what strangers send.
    pub(crate) fn count(&mut self, key: &str, now: Instant) -> Option<Standing> {
        let Quota { requests, window } = self.quota?;
        let nanos = window.as_nanos().max(1);
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        let (index, into) = (elapsed / nanos, elapsed % nanos);
        let used = match self.used.get_mut(key) {
            Some(used) => used,
            None => self.used.entry(key.to_owned()).or_insert((index, 0)),
        };
        if used.0 != index {
            *used = (index, 0);
        }
        let refused = used.1 >= requests;
        if !refused {
            used.1 += 1;
        }
        let left = nanos - into;
        Some(Standing {
            quota: requests,
            remaining: requests - used.1,
            reset: u64::try_from(left.div_ceil(1_000_000_000)).unwrap_or(u64::MAX),
            window: window.as_secs().max(1),
            refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(requests: u32, start: Instant) -> Limiter {
        let window = Duration::from_secs(1);
        Limiter::new(Some(Quota { requests, window }), start)
    }

    #[test]
    fn a_window_holds_its_quota_per_key_and_starts_anew() {
        let start = Instant::now();
        let mut limiter = limiter(2, start);
        let mut at = |key: &str, millis| {
            let standing = limiter
                .count(key, start + Duration::from_millis(millis))
                .unwrap();
            (standing.remaining, standing.refused)
        };
        assert_eq!(at("a", 0), (1, false));
        assert_eq!(at("a", 500), (0, false));
        assert_eq!(at("a", 999), (0, true));
        assert_eq!(at("b", 999), (1, false));
        assert_eq!(at("a", 1_000), (1, false));
    }

    #[test]
    fn a_refused_request_does_not_spend_the_next_window() {
        let start = Instant::now();
        let mut limiter = limiter(1, start);
        for _ in 0..50 {
            limiter.count("a", start);
        }
        let next = limiter.count("a", start + Duration::from_secs(1)).unwrap();
        assert!(!next.refused);
    }

    #[test]
    fn the_reset_rounds_up_and_a_lifted_limit_says_nothing() {
        let start = Instant::now();
        let mut limiter = limiter(1, start);
        let late = limiter
            .count("a", start + Duration::from_millis(990))
            .unwrap();
        assert_eq!((late.reset, late.window), (1, 1));
        limiter.set(None);
        assert_eq!(limiter.count("a", start), None);
    }

    #[test]
    fn a_quota_of_nothing_refuses_everything() {
        let start = Instant::now();
        let standing = limiter(0, start).count("a", start).unwrap();
        assert!(standing.refused);
        assert_eq!(standing.remaining, 0);
    }
}
