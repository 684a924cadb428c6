use std::time::Duration;

use integration_core::store::{StoreError, TokenRowId};

use super::tokens::this_row;
use super::{PostgresStore, failed};
use crate::rows::{Time, lease_ttl};

const LEASE: &str = concat!(
    "update main.integration_tokens as t
    set lease_owner = $4, lease_until = clock_timestamp() + $5 * interval '1 microsecond'
    where (t.lease_owner is null or t.lease_owner = $4 or t.lease_until <= clock_timestamp()) and ",
    this_row!()
);

/// The server's clock is the one that everybody shares.
impl PostgresStore {
    #[expect(
        clippy::unused_self,
        reason = "the other database has its clock in the store"
    )]
    pub(super) fn time_of_tokens(&self) -> Option<Time> {
        None
    }

    pub(super) async fn take_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let ttl = lease_ttl(ttl).num_microseconds().unwrap_or(i64::MAX);
        let query = self.about(LEASE, row).bind(owner.to_owned()).bind(ttl);
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }
}
