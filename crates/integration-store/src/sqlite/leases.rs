use std::time::Duration;

use async_trait::async_trait;
use integration_core::store::{LeaseStore, StoreError};

use super::{SqliteStore, failed};
use crate::rows::{Time, lease_ttl};

/// Whoever shares the file shares the clock of the machine: the time is ours to give.
const HOLD: &str = "
    insert into main.integration_leases as l (name, owner, expires_at) values ($1, $2, $3)
    on conflict (name) do update set owner = excluded.owner, expires_at = excluded.expires_at
    where l.owner = excluded.owner or l.expires_at <= $4";

const RELEASE: &str = "delete from main.integration_leases where name = $1 and owner = $2";

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn hold_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, StoreError> {
        let now = self.timer.utc_now();
        let query = self.query(HOLD).bind(name).bind(owner);
        let query = query
            .bind(Time::from(now + lease_ttl(ttl)))
            .bind(Time::from(now));
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let query = self.query(RELEASE).bind(name).bind(owner);
        query.execute(self.writer()).await.map_err(failed)?;
        Ok(())
    }
}
