use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration_core::instance::StoredIntegration;
use integration_core::status::HistoryEntry;
use integration_core::store::{
    DueRows, IntegrationFilter, IntegrationStore, StoreError, UnreadableRow,
};
use integration_core::{Actor, EndpointId, IntegrationId, Scope, TenantId};
use serde_json::json;
use sqlx::QueryBuilder;

use super::integration_row::{INSERT, SELECT, UPDATE, bind, read};
use super::{Database, Row, Store, Tx, failed, get, keep_defaults_apart};
use crate::failure::corrupt;
use crate::rows::{Id, Time, counter, word};

const EXISTS: &str = "
    select 1 from main.integrations where id = $1 and tenant_id = coalesce($2, tenant_id)";

const DELETE: &str =
    "delete from main.integrations where id = $1 and tenant_id = coalesce($2, tenant_id)";

/// The row that loses the mark gets a new version: whoever has read it must not write the mark back.
const TAKE_DEFAULT: &str = "
    update main.integrations set is_default = $4, version = version + 1, updated_at = $5
    where tenant_id = $1 and vendor = $2 and is_default and id <> $3";

/// Whoever has read the row must not write the old time back.
const POSTPONE: &str =
    "update main.integrations set next_check_at = $2, version = version + 1 where id = $1";

const INSERT_HISTORY: &str = "
    insert into main.integration_status_history
        (integration_id, at, from_status, to_status, event, reason_code, message, actor, version)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const SELECT_HISTORY: &str = "
    select h.at, h.from_status, h.to_status, h.event, h.reason_code, h.message, h.actor, h.version
    from main.integration_status_history h
    join main.integrations i on i.id = h.integration_id
    where h.integration_id = $1 and i.tenant_id = coalesce($2, i.tenant_id)
    order by h.id desc limit $3";

fn tenant(scope: &Scope) -> Option<&str> {
    scope.tenant().map(TenantId::as_str)
}

fn read_history(row: &Row) -> Result<HistoryEntry, StoreError> {
    serde_json::from_value(json!({
        "at": get::<Time>(row, "at")?.0,
        "from": get::<Option<String>>(row, "from_status")?,
        "to": get::<String>(row, "to_status")?,
        "event": get::<String>(row, "event")?,
        "reason": get::<Option<String>>(row, "reason_code")?,
        "message": get::<Option<String>>(row, "message")?,
        "actor": get::<Option<String>>(row, "actor")?,
        "version": get::<i64>(row, "version")?.cast_unsigned(),
    }))
    .map_err(|_| corrupt("to_status"))
}

impl Store {
    async fn append_history(
        &self,
        tx: &mut Tx,
        id: IntegrationId,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError> {
        for entry in history {
            self.query(INSERT_HISTORY)
                .bind(Id::from(id.as_uuid()))
                .bind(Time::from(entry.at))
                .bind(entry.from.as_ref().map(word))
                .bind(word(&entry.to))
                .bind(&entry.event)
                .bind(entry.reason.as_ref().map(word))
                .bind(&entry.message)
                .bind(entry.actor.as_ref().map(Actor::as_str))
                .bind(counter(entry.version))
                .execute(&mut **tx)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Takes the mark of the default from whichever other instance of the tenant and vendor of `owner` has it.
    async fn take_default(
        &self,
        tx: &mut Tx,
        row: &StoredIntegration,
        owner: &StoredIntegration,
    ) -> Result<(), StoreError> {
        let tenant = owner.tenant.as_str();
        keep_defaults_apart(self, tx, tenant, &owner.vendor).await?;
        self.query(TAKE_DEFAULT)
            .bind(tenant)
            .bind(&owner.vendor)
            .bind(Id::from(row.id.as_uuid()))
            .bind(false)
            .bind(Time::from(row.updated_at))
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn one(
        &self,
        scope: &Scope,
        condition: impl FnOnce(&mut QueryBuilder<Database>) + Send,
    ) -> Result<Option<StoredIntegration>, StoreError> {
        let mut query = self.select_within(scope);
        condition(&mut query);
        let row = query.build().fetch_optional(self.reader()).await;
        row.map_err(failed)?.as_ref().map(read).transpose()
    }

    async fn many(
        &self,
        scope: &Scope,
        condition: impl FnOnce(&mut QueryBuilder<Database>) + Send,
    ) -> Result<Vec<StoredIntegration>, StoreError> {
        let mut query = self.select_within(scope);
        condition(&mut query);
        let rows = query.build().fetch_all(self.reader()).await;
        rows.map_err(failed)?.iter().map(read).collect()
    }

    /// Begins a query that cannot see past the scope; conditions are added with `and`.
    fn select_within(&self, scope: &Scope) -> QueryBuilder<Database> {
        let mut query = QueryBuilder::new(self.text(SELECT));
        match scope {
            Scope::Administrator => query.push(" where 1 = 1"),
            scope => query.push(" where i.tenant_id = ").push_bind(tenant(scope)),
        };
        query
    }
}

#[async_trait]
impl IntegrationStore for Store {
    async fn insert_integration(
        &self,
        row: &StoredIntegration,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if row.is_default {
            self.take_default(&mut tx, row, row).await?;
        }
        let inserted = bind(self.query(INSERT), row).execute(&mut *tx).await;
        inserted.map_err(|error| match error.as_database_error() {
            Some(error) if error.is_foreign_key_violation() => StoreError::NotFound,
            Some(error) if error.is_unique_violation() => StoreError::AlreadyExists,
            _ => failed(error),
        })?;
        self.write_parts(&mut tx, row, None).await?;
        self.append_history(&mut tx, row.id, history).await?;
        tx.commit().await.map_err(failed)
    }

    async fn integration(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<Option<StoredIntegration>, StoreError> {
        self.one(scope, |query| {
            query.push(" and i.id = ").push_bind(Id::from(id.as_uuid()));
        })
        .await
    }

    async fn integrations(
        &self,
        scope: &Scope,
        filter: &IntegrationFilter,
    ) -> Result<Vec<StoredIntegration>, StoreError> {
        self.many(scope, |query| {
            if let Some(vendor) = &filter.vendor {
                query.push(" and i.vendor = ").push_bind(vendor);
            }
            if let Some(status) = &filter.status {
                query.push(" and i.status = ").push_bind(word(status));
            }
            query.push(" order by i.tenant_id, i.id");
        })
        .await
    }

    async fn integrations_by_source(
        &self,
        scope: &Scope,
        vendor: &str,
        source_id: &str,
    ) -> Result<Vec<StoredIntegration>, StoreError> {
        let belongs = self.text(
            " and i.id in (select n.integration_id from main.integration_source_ids n where n.source_id = ",
        );
        self.many(scope, |query| {
            query.push(" and i.vendor = ").push_bind(vendor);
            query.push(belongs).push_bind(source_id);
            query.push(") order by i.tenant_id, i.id");
        })
        .await
    }

    async fn integration_by_endpoint(
        &self,
        scope: &Scope,
        endpoint: EndpointId,
    ) -> Result<Option<StoredIntegration>, StoreError> {
        let belongs = self.text(
            " and i.id = (select e.integration_id from main.integration_endpoints e where e.id = ",
        );
        self.one(scope, |query| {
            query.push(belongs).push_bind(Id::from(endpoint.as_uuid()));
            query.push(")");
        })
        .await
    }

    async fn update_integration(
        &self,
        scope: &Scope,
        row: &StoredIntegration,
        expected: u64,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let mut select = self.select_within(scope);
        select
            .push(" and i.id = ")
            .push_bind(Id::from(row.id.as_uuid()));
        let found = select.build().fetch_optional(&mut *tx).await;
        let found = found.map_err(failed)?.ok_or(StoreError::NotFound)?;
        let stored = read(&found)?;
        if stored.state.version != expected {
            return Err(StoreError::VersionConflict);
        }
        if row.is_default {
            self.take_default(&mut tx, row, &stored).await?;
        }
        let query = bind(self.query(UPDATE), row).bind(counter(expected));
        let done = query.execute(&mut *tx).await.map_err(failed)?;
        // Somebody may have been faster since it was read. From here on the row is ours until the transaction ends,
        // and whoever changes its parts takes the row first.
        if done.rows_affected() == 0 {
            return Err(StoreError::VersionConflict);
        }
        self.write_parts(&mut tx, row, Some(&stored)).await?;
        self.append_history(&mut tx, row.id, history).await?;
        tx.commit().await.map_err(failed)
    }

    async fn delete_integration(&self, scope: &Scope, id: IntegrationId) -> Result<(), StoreError> {
        let query = self.query(DELETE).bind(Id::from(id.as_uuid()));
        let query = query.bind(tenant(scope)).execute(self.writer());
        match query.await.map_err(failed)?.rows_affected() {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn history(
        &self,
        scope: &Scope,
        id: IntegrationId,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let id = Id::from(id.as_uuid());
        let query = self.query(SELECT_HISTORY).bind(id).bind(tenant(scope));
        let rows = query.bind(i64::from(limit)).fetch_all(self.reader());
        let rows = rows.await.map_err(failed)?;
        if rows.is_empty() {
            let query = self.query(EXISTS).bind(id).bind(tenant(scope));
            let there = query.fetch_optional(self.reader()).await.map_err(failed)?;
            there.ok_or(StoreError::NotFound)?;
        }
        rows.iter().map(read_history).collect()
    }

    async fn due_for_check(&self, now: DateTime<Utc>, limit: u32) -> Result<DueRows, StoreError> {
        let mut query = self.select_within(&Scope::Administrator);
        query
            .push(" and i.next_check_at <= ")
            .push_bind(Time::from(now));
        query
            .push(" order by i.next_check_at, i.id limit ")
            .push_bind(i64::from(limit));
        let rows = query.build().fetch_all(self.reader()).await;
        let mut due = DueRows::default();
        for row in rows.map_err(failed)? {
            match read(&row) {
                Ok(integration) => due.rows.push(integration),
                Err(error) => due.unreadable.push(UnreadableRow::new(
                    IntegrationId::from(get::<Id>(&row, "id")?.0),
                    TenantId::from(get::<String>(&row, "tenant_id")?),
                    get::<String>(&row, "vendor")?,
                    error,
                )),
            }
        }
        Ok(due)
    }

    async fn postpone_check(
        &self,
        id: IntegrationId,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let query = self.query(POSTPONE).bind(Id::from(id.as_uuid()));
        let query = query.bind(next.map(Time::from)).execute(self.writer());
        match query.await.map_err(failed)?.rows_affected() {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }
}
