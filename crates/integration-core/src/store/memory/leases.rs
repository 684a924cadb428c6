use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::MemoryStore;
use crate::store::{LeaseStore, StoreError};

/// A hundred years, which every clock can add to a time.
const LONGEST: Duration = Duration::from_hours(24 * 36_500);

/// Who may do something, until when.
pub(super) struct Lease {
    owner: String,
    until: Instant,
}

impl Lease {
    /// Takes or renews the lease in `slot`.
    pub(super) fn hold(slot: &mut Option<Self>, owner: &str, now: Instant, ttl: Duration) -> bool {
        let free = slot
            .as_ref()
            .is_none_or(|lease| lease.owner == owner || lease.until <= now);
        if free {
            *slot = Some(Self {
                owner: owner.to_owned(),
                until: now + ttl.min(LONGEST),
            });
        }
        free
    }

    pub(super) fn is_of(&self, owner: &str) -> bool {
        self.owner == owner
    }
}

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn hold_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, StoreError> {
        let now = self.timer().now();
        let mut tables = self.tables();
        let mut slot = tables.leases.remove(name);
        let held = Lease::hold(&mut slot, owner, now, ttl);
        tables
            .leases
            .extend(slot.map(|lease| (name.to_owned(), lease)));
        Ok(held)
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.leases.get(name).is_some_and(|it| it.is_of(owner)) {
            tables.leases.remove(name);
        }
        Ok(())
    }
}
