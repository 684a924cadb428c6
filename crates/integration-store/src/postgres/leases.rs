use std::time::Duration;

use async_trait::async_trait;
use integration_core::store::{LeaseStore, StoreError};

use super::{PostgresStore, failed};
use crate::rows::lease_ttl;

/// The server's clock is the one that everybody shares.
const HOLD: &str = "
    insert into main.integration_leases as l (name, owner, expires_at)
    values ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
    on conflict (name) do update set owner = excluded.owner, expires_at = excluded.expires_at
    where l.owner = excluded.owner or l.expires_at <= clock_timestamp()";

const RELEASE: &str = "delete from main.integration_leases where name = $1 and owner = $2";

#[async_trait]
impl LeaseStore for PostgresStore {
    async fn hold_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, StoreError> {
        let ttl = lease_ttl(ttl).num_microseconds().unwrap_or(i64::MAX);
        let query = self.query(HOLD).bind(name).bind(owner).bind(ttl);
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let query = self.query(RELEASE).bind(name).bind(owner);
        query.execute(self.writer()).await.map_err(failed)?;
        Ok(())
    }
}
