use std::time::Duration;

use async_trait::async_trait;
use integration_core::store::{
    SaveOutcome, SealedTokens, StoreError, StoredTokens, TokenRowId, TokenRows,
};
use integration_core::{IntegrationId, TenantId};

use super::{Query, Row, Store, failed, get};
use crate::rows::{Id, Time};

/// Which row, in every statement: the grant of owner `$3` of integration `$1` of tenant `$2`.
macro_rules! this_row {
    () => {
        "t.owner = $3 and t.integration_id = \
            (select i.id from main.integrations i where i.id = $1 and i.tenant_id = $2)"
    };
}
pub(super) use this_row;

/// The time is the store's own: `$11` where it is ours to give, else that of the server.
const PUT: &str = "
    insert into main.integration_tokens as t
        (integration_id, owner, access_token, refresh_token, fingerprint, token_type, expires_at, refresh_expires_at,
         scope, updated_at)
    select i.id, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, current_timestamp)
    from main.integrations i where i.id = $1 and i.tenant_id = $2
    on conflict (integration_id, owner) do update set
        access_token = excluded.access_token, refresh_token = excluded.refresh_token,
        fingerprint = excluded.fingerprint, refused_fingerprint = null, token_type = excluded.token_type,
        expires_at = excluded.expires_at, refresh_expires_at = excluded.refresh_expires_at, scope = excluded.scope,
        lease_owner = null, lease_until = null, updated_at = excluded.updated_at";

const READ: &str = concat!(
    "select t.access_token, t.refresh_token, t.fingerprint, t.refused_fingerprint, t.token_type, t.expires_at,
        t.refresh_expires_at, t.scope, t.updated_at
    from main.integration_tokens t where ",
    this_row!()
);

/// It asks for no lease: whoever has spent a token has the only copy of what came of it.
const SAVE: &str = concat!(
    "update main.integration_tokens as t set
        access_token = $4,
        refresh_token = coalesce($5, t.refresh_token),
        fingerprint = case when $5 is null and t.refresh_token is not null then t.fingerprint else $6 end,
        refused_fingerprint = null,
        token_type = $7,
        expires_at = $8,
        refresh_expires_at = case when $5 is null then coalesce($9, t.refresh_expires_at) else $9 end,
        scope = coalesce($10, t.scope),
        lease_owner = null,
        lease_until = null,
        updated_at = coalesce($11, current_timestamp)
    where t.fingerprint = $12 and ",
    this_row!()
);

const REFUSE: &str = concat!(
    "update main.integration_tokens as t set refused_fingerprint = t.fingerprint where t.fingerprint = $4 and ",
    this_row!()
);

const RELEASE: &str = concat!(
    "update main.integration_tokens as t set lease_owner = null, lease_until = null where t.lease_owner = $4 and ",
    this_row!()
);

const DELETE: &str = concat!(
    "delete from main.integration_tokens as t where ",
    this_row!()
);

const DELETE_ALL: &str = "
    delete from main.integration_tokens as t where t.integration_id =
        (select i.id from main.integrations i where i.id = $1 and i.tenant_id = $2)";

const EXISTS: &str = concat!(
    "select count(*) as number from main.integration_tokens t where ",
    this_row!()
);

impl Store {
    /// Begins a statement about one row: `$1` to `$3`.
    pub(super) fn about(&self, text: &'static str, row: &TokenRowId) -> Query {
        self.query(text)
            .bind(Id::from(row.integration.as_uuid()))
            .bind(row.tenant.as_str().to_owned())
            .bind(row.owner.clone())
    }

    async fn there_is(&self, row: &TokenRowId) -> Result<bool, StoreError> {
        let query = self.about(EXISTS, row).fetch_one(self.writer());
        Ok(get::<i64>(&query.await.map_err(failed)?, "number")? > 0)
    }

    /// Binds tokens and the time to `$4` to `$11`.
    fn bind_tokens(&self, query: Query, tokens: &SealedTokens) -> Query {
        query
            .bind(tokens.access_token.clone())
            .bind(tokens.refresh_token.clone())
            .bind(tokens.fingerprint.clone())
            .bind(tokens.token_type.clone())
            .bind(Time::from(tokens.expires_at))
            .bind(tokens.refresh_expires_at.map(Time::from))
            .bind(tokens.scope.clone())
            .bind(self.time_of_tokens())
    }
}

fn read(row: &Row) -> Result<StoredTokens, StoreError> {
    let mut tokens = SealedTokens::new(
        get::<String>(row, "access_token")?,
        get::<String>(row, "fingerprint")?,
        get::<Time>(row, "expires_at")?.0,
    );
    tokens.refresh_token = get(row, "refresh_token")?;
    tokens.token_type = get(row, "token_type")?;
    tokens.refresh_expires_at = get::<Option<Time>>(row, "refresh_expires_at")?.map(|at| at.0);
    tokens.scope = get(row, "scope")?;
    let mut stored = StoredTokens::new(tokens, get::<Time>(row, "updated_at")?.0);
    stored.refused_fingerprint = get(row, "refused_fingerprint")?;
    Ok(stored)
}

#[async_trait]
impl TokenRows for Store {
    async fn put_tokens(&self, row: &TokenRowId, tokens: &SealedTokens) -> Result<(), StoreError> {
        let query = self.bind_tokens(self.about(PUT, row), tokens);
        let done = query.execute(self.writer()).await;
        // The integration may be deleted between its being looked up and the end of the statement.
        let done = done.map_err(|error| match error.as_database_error() {
            Some(error) if error.is_foreign_key_violation() => StoreError::NotFound,
            _ => failed(error),
        })?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound);
        }
        Ok(())
    }

    async fn tokens(&self, row: &TokenRowId) -> Result<Option<StoredTokens>, StoreError> {
        let query = self.about(READ, row).fetch_optional(self.reader());
        query.await.map_err(failed)?.as_ref().map(read).transpose()
    }

    async fn lease_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        if self.take_tokens(row, owner, ttl).await? {
            return Ok(true);
        }
        if self.there_is(row).await? {
            return Ok(false);
        }
        Err(StoreError::NotFound)
    }

    async fn save_tokens_if(
        &self,
        row: &TokenRowId,
        spent: &str,
        tokens: &SealedTokens,
    ) -> Result<SaveOutcome, StoreError> {
        let query = self.bind_tokens(self.about(SAVE, row), tokens);
        let query = query.bind(spent.to_owned()).execute(self.writer());
        if query.await.map_err(failed)?.rows_affected() > 0 {
            return Ok(SaveOutcome::Saved);
        }
        Ok(if self.there_is(row).await? {
            SaveOutcome::Superseded
        } else {
            SaveOutcome::Gone
        })
    }

    async fn refuse_tokens(&self, row: &TokenRowId, fingerprint: &str) -> Result<bool, StoreError> {
        let query = self.about(REFUSE, row).bind(fingerprint.to_owned());
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn release_tokens(&self, row: &TokenRowId, owner: &str) -> Result<(), StoreError> {
        let query = self.about(RELEASE, row).bind(owner.to_owned());
        query.execute(self.writer()).await.map_err(failed)?;
        Ok(())
    }

    async fn delete_tokens(&self, row: &TokenRowId) -> Result<(), StoreError> {
        let query = self.about(DELETE, row).execute(self.writer());
        query.await.map_err(failed)?;
        Ok(())
    }
    async fn delete_grants(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
    ) -> Result<u64, StoreError> {
        let query = self
            .query(DELETE_ALL)
            .bind(Id::from(integration.as_uuid()))
            .bind(tenant.as_str().to_owned());
        let done = query.execute(self.writer()).await.map_err(failed)?;
        Ok(done.rows_affected())
    }
}
