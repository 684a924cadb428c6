//! The attributes of contacts, read once: each reading is a call of the month.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector_http::{Error, Timer};
use tokio::time::Instant;

use super::Attributes;

/// How long the attributes are remembered unless told otherwise. They change when somebody edits the account's fields.
pub(crate) const TTL: Duration = Duration::from_hours(24);

/// The memory, which clones of a client share.
#[derive(Debug)]
pub(crate) struct MetaCache {
    timer: Arc<dyn Timer>,
    ttl: Duration,
    kept: Mutex<Option<(Instant, Arc<Attributes>)>>,
    /// One reads, the others wait for what it reads.
    flight: tokio::sync::Mutex<()>,
}

impl MetaCache {
    pub(crate) fn new(timer: Arc<dyn Timer>, ttl: Duration) -> Self {
        Self {
            timer,
            ttl,
            kept: Mutex::new(None),
            flight: tokio::sync::Mutex::new(()),
        }
    }

    /// What is remembered, if it is not too old.
    pub(crate) fn get(&self) -> Option<Arc<Attributes>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, attributes) = kept.as_ref()?;
        let age = self.timer.now().saturating_duration_since(*at);
        (age < self.ttl).then(|| Arc::clone(attributes))
    }

    pub(crate) fn put(&self, attributes: Attributes) -> Arc<Attributes> {
        let attributes = Arc::new(attributes);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((self.timer.now(), Arc::clone(&attributes)));
        attributes
    }

    pub(crate) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Gives what is remembered, or reads it: one caller does, the others wait. Says how many calls it took.
    pub(crate) async fn get_or_read<F>(
        &self,
        read: impl FnOnce() -> F + Send,
    ) -> Result<(Arc<Attributes>, u32), Error>
    where
        F: Future<Output = Result<(Attributes, u32), Error>> + Send,
    {
        if let Some(attributes) = self.get() {
            return Ok((attributes, 0));
        }
        let _turn = self.flight.lock().await;
        if let Some(attributes) = self.get() {
            return Ok((attributes, 0));
        }
        let (attributes, calls) = read().await?;
        Ok((self.put(attributes), calls))
    }
}
