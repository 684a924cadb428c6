//! The state that belongs to every vendor alike: keys, rate limit, faults, log, deliveries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use tokio::sync::Notify;

use crate::clock;
use crate::error::SandboxError;
use crate::fault::{Fault, FaultPlan, Faults};
use crate::limit::{Limiter, Quota, Standing};
use crate::log::{Recent, RequestRecord};
use crate::operation::{Operation, OperationCount};
use crate::sandbox::usable_key;
use crate::vendor::Vendor;
use crate::webhook::Dispatcher;

/// Locks, and goes on with what is there should another thread have died with the lock held:
/// a sandbox that answers is more use in a failing test than one that fails too.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How much of a method is kept in the log: a stranger may send one of any length.
const METHOD_CHARS: usize = 32;

/// The key under which requests without a valid key are counted.
const STRANGER: &str = "";

pub(crate) struct Shared {
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) base_url: String,
    pub(crate) seed: u64,
    pub(crate) window: Duration,
    pub(crate) max_body: usize,
    pub(crate) keys: Mutex<Vec<String>>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) requests: Mutex<Recent<RequestRecord>>,
    pub(crate) counts: Mutex<HashMap<Operation, OperationCount>>,
    pub(crate) dispatcher: Dispatcher,
    /// Told whenever something happened that nobody called for.
    pub(crate) ticked: Notify,
}

/// Whether a presented key opens the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// Open to anybody, and counted for nobody.
    Public,
    NoKey,
    WrongKey,
}

impl Shared {
    /// Checks the key and counts the request against it. Strangers share one count that is
    /// shown to them but never refuses: they are refused for their key.
    pub(crate) fn admit(&self, presented: Option<&[u8]>) -> (Door, Option<Standing>) {
        let keys = lock(&self.keys);
        let known =
            presented.and_then(|presented| keys.iter().find(|key| key.as_bytes() == presented));
        let door = match (presented, known) {
            (_, Some(_)) => Door::Open,
            (Some(_), None) => Door::WrongKey,
            (None, None) => Door::NoKey,
        };
        let key = known.map_or(STRANGER, String::as_str);
        (door, lock(&self.limiter).count(key, clock::monotonic()))
    }

    pub(crate) fn set_rate_limit(&self, requests: Option<u32>) {
        let quota = requests.map(|requests| Quota {
            requests,
            window: self.window,
        });
        lock(&self.limiter).set(quota);
    }

    pub(crate) fn reset(&self) {
        self.vendor.reset();
        self.clear_requests();
    }

    /// Empties the log of requests and the counts by operation.
    pub(crate) fn clear_requests(&self) {
        lock(&self.requests).clear();
        lock(&self.counts).clear();
    }

    /// Counts by operation, those never asked for included, in the vendor's order.
    pub(crate) fn operation_counts(&self) -> Vec<OperationCount> {
        let counts = lock(&self.counts);
        self.vendor
            .operations()
            .into_iter()
            .map(|operation| {
                let count = counts.get(&operation).copied();
                count.unwrap_or_else(|| OperationCount::new(operation))
            })
            .collect()
    }

    /// Waits until no webhook is under way and none is to come without anyone calling.
    pub(crate) async fn settled(&self) {
        loop {
            self.dispatcher.settled().await;
            let mut ticked = std::pin::pin!(self.ticked.notified());
            ticked.as_mut().enable();
            if self.dispatcher.has_stopped() {
                return;
            }
            if !self.vendor.is_expecting() {
                // What came meanwhile was handed over before it was no longer expected.
                return self.dispatcher.settled().await;
            }
            ticked.await;
        }
    }

    /// Lets a key in; one that is known already stays as it is.
    pub(crate) fn add_key(&self, key: &str) -> Result<(), SandboxError> {
        if !usable_key(key) {
            return Err(SandboxError::UnusableApiKey);
        }
        let mut keys = lock(&self.keys);
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
        Ok(())
    }

    /// Takes a key away and says whether it was there.
    pub(crate) fn revoke_key(&self, key: &str) -> bool {
        let mut keys = lock(&self.keys);
        let before = keys.len();
        keys.retain(|known| known != key);
        keys.len() < before
    }

    /// Lets a key in, in place of every other.
    pub(crate) fn replace_keys(&self, key: &str) -> Result<(), SandboxError> {
        if !usable_key(key) {
            return Err(SandboxError::UnusableApiKey);
        }
        *lock(&self.keys) = vec![key.to_owned()];
        Ok(())
    }

    pub(crate) fn revoke_keys(&self) {
        lock(&self.keys).clear();
    }

    pub(crate) fn set_faults(&self, plan: FaultPlan) {
        *lock(&self.faults) = Faults::new(plan, self.seed);
    }

    pub(crate) fn record(
        &self,
        method: &Method,
        operation: Option<Operation>,
        status: Option<u16>,
        fault: Option<Fault>,
    ) {
        if let Some(operation) = operation {
            let mut counts = lock(&self.counts);
            let count = counts
                .entry(operation)
                .or_insert_with(|| OperationCount::new(operation));
            count.requests += 1;
            count.succeeded += u64::from(status.is_some_and(|status| (200..300).contains(&status)));
        }
        lock(&self.requests).push(|number| RequestRecord {
            number,
            at: clock::utc_now(),
            method: method.as_str().chars().take(METHOD_CHARS).collect(),
            operation,
            template: operation.map(Operation::template),
            status,
            fault,
        });
    }
}
