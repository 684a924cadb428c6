//! How fast a vendor is called, and who waits when it is too fast.
//!
//! One bucket per account and rate class. Constants only seed it: what the vendor's headers say rules. No task is
//! spawned, so that limits may outlive the runtime they were first used on.

mod bucket;
mod lanes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) use self::bucket::{Bucket, Patience, Refused};
use crate::endpoint::RateClass;

/// Which callers go first while everybody waits for the same limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// Somebody is waiting for the answer. The default of a call.
    #[default]
    Interactive,
    /// Background work: goes when no interactive call waits. The default of a [`Paginator`](crate::Paginator).
    Bulk,
}

/// A pace: so many requests in so much time, evenly spaced.
///
/// Requests are spaced evenly because a vendor that counts in fixed windows sees two bursts of the whole rate as
/// twice the rate. Only a small [`burst`](Self::burst) may go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
    burst: u32,
}

impl Rate {
    /// So many requests each second.
    pub const fn per_second(count: u32) -> Self {
        Self::per(count, Duration::from_secs(1))
    }

    /// So many requests each `period`. A count or a period of zero is refused when the client is built.
    pub const fn per(count: u32, period: Duration) -> Self {
        Self {
            count,
            period,
            burst: 2,
        }
    }

    /// Sets how many requests may go at once after a pause. Two by default, so that a late timer does not lose a
    /// turn; zero is read as one.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = if burst == 0 { 1 } else { burst };
        self
    }

    /// The time between two requests; `None` for a pace that cannot be kept.
    pub(crate) fn interval(self) -> Option<Duration> {
        self.period
            .checked_div(self.count)
            .filter(|interval| !interval.is_zero())
    }

    pub(crate) fn bursts(self) -> u32 {
        self.burst
    }
}

/// Rate limits that several clients share. Cheap to clone; clones are the same limits.
///
/// Two clients that use one key of a vendor must share its limit: give both the same `SharedLimits`, and with
/// several accounts in one process also the account's name.
///
/// ```
/// use connector_http::{Client, SharedLimits};
///
/// # fn main() -> Result<(), connector_http::Error> {
/// let limits = SharedLimits::new();
/// let web = Client::builder("acme").base_url("https://api.example.com");
/// let jobs = Client::builder("acme").base_url("https://api.example.com");
/// let web = web.limits(limits.clone()).account("tenant-7").build()?;
/// let jobs = jobs.limits(limits).account("tenant-7").build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SharedLimits {
    buckets: Arc<Mutex<HashMap<Key, Arc<Bucket>>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    vendor: &'static str,
    account: Option<Arc<str>>,
    class: RateClass,
}

impl SharedLimits {
    /// Makes limits that nobody shares yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the bucket of this account and class. Where two clients seed it differently, the slower pace counts.
    pub(crate) fn bucket(
        &self,
        vendor: &'static str,
        account: Option<&Arc<str>>,
        class: RateClass,
        seed: Option<Rate>,
    ) -> Arc<Bucket> {
        let key = Key {
            vendor,
            account: account.cloned(),
            class,
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key).or_default();
        if let Some(seed) = seed {
            bucket.seed(seed);
        }
        Arc::clone(bucket)
    }
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("SharedLimits")
            .field("buckets", &buckets.len())
            .finish()
    }
}
