use std::time::Duration;

use integration_core::store::{StoreError, TokenRowId};

use super::tokens::this_row;
use super::{SqliteStore, failed};
use crate::rows::{Time, lease_ttl};

const LEASE: &str = concat!(
    "update main.integration_tokens as t set lease_owner = $4, lease_until = $5
    where (t.lease_owner is null or t.lease_owner = $4 or t.lease_until <= $6) and ",
    this_row!()
);

/// Whoever shares the file shares the clock of the machine: the time is ours to give.
impl SqliteStore {
    pub(super) fn time_of_tokens(&self) -> Time {
        self.timer.utc_now().into()
    }

    pub(super) async fn take_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.timer.utc_now();
        let query = self.about(LEASE, row).bind(owner.to_owned());
        let query = query
            .bind(Time::from(now + lease_ttl(ttl)))
            .bind(Time::from(now));
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }
}
