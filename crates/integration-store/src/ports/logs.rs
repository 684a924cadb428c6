use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration_core::store::{
    IntegrationLog, LogFilter, LogResult, LogStatus, LogStore, StoreError,
};
use integration_core::{IntegrationId, LogId, Scope, TenantId};
use serde_json::Value;
use sqlx::QueryBuilder;
use sqlx::error::DatabaseError;
use sqlx::types::Json;

use super::{Row, Store, Tx, failed, get};
use crate::failure::corrupt;
use crate::rows::{Id, Time, from_word, millis, word};

const SELECT: &str = "
    select l.id, l.tenant_id, l.integration_id, l.provider, l.action, l.request_id, l.status, l.related_type,
        l.related_id, l.payload, l.response, l.error_message, l.http_status, l.duration_ms, l.created_at
    from main.integration_logs l";

const INSERT: &str = "
    insert into main.integration_logs
        (id, tenant_id, integration_id, provider, action, request_id, status, related_type, related_id, payload,
         response, error_message, http_status, duration_ms, created_at) ";

/// An entry of an integration that is deleted by now is kept without it.
const INTEGRATION_IF_THERE: &str = "(select i.id from main.integrations i where i.id = ";

const FINISH: &str = "
    update main.integration_logs
    set status = $2, request_id = coalesce($3, request_id), response = coalesce($4, response),
        error_message = coalesce($5, error_message), http_status = coalesce($6, http_status),
        duration_ms = coalesce($7, duration_ms)
    where id = $1 and status = $8";

const EXISTS: &str = "select count(*) as found from main.integration_logs where id = $1";

const DELETE: &str = "
    delete from main.integration_logs where id in
        (select l.id from main.integration_logs l where l.created_at < $1 order by l.created_at, l.id limit $2)";

/// How many entries go into one statement: far below the number of parameters that either database takes.
const BATCH: usize = 500;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

fn read(row: &Row) -> Result<IntegrationLog, StoreError> {
    let mut log = IntegrationLog::new(
        LogId::from(get::<Id>(row, "id")?.0),
        TenantId::from(get::<String>(row, "tenant_id")?),
        get::<String>(row, "provider")?,
        get::<String>(row, "action")?,
        from_word(get(row, "status")?, "status")?,
        get::<Time>(row, "created_at")?.0,
    );
    let integration: Option<Id> = get(row, "integration_id")?;
    log.integration = integration.map(|id| IntegrationId::from(id.0));
    log.request_id = get(row, "request_id")?;
    log.related_type = get(row, "related_type")?;
    log.related_id = get(row, "related_id")?;
    log.payload = get::<Option<Json<Value>>>(row, "payload")?.map(|json| json.0);
    log.response = get::<Option<Json<Value>>>(row, "response")?.map(|json| json.0);
    log.error_message = get(row, "error_message")?;
    let status: Option<i64> = get(row, "http_status")?;
    log.http_status = status
        .map(|status| u16::try_from(status).map_err(|_| corrupt("http_status")))
        .transpose()?;
    let duration: Option<i64> = get(row, "duration_ms")?;
    log.duration = duration
        .map(|millis| u64::try_from(millis).map_err(|_| corrupt("duration_ms")))
        .transpose()?
        .map(Duration::from_millis);
    Ok(log)
}

impl Store {
    async fn insert_logs(
        &self,
        tx: &mut Tx,
        entries: &[&IntegrationLog],
    ) -> Result<(), sqlx::Error> {
        let integration_if_there = self.text(INTEGRATION_IF_THERE);
        for batch in entries.chunks(BATCH) {
            let mut query = QueryBuilder::new(self.text(INSERT));
            query.push_values(batch, |mut values, entry| {
                values
                    .push_bind(Id::from(entry.id.as_uuid()))
                    .push_bind(entry.tenant.as_str());
                match entry.integration {
                    Some(id) => values
                        .push(&integration_if_there)
                        .push_bind_unseparated(Id::from(id.as_uuid()))
                        .push_unseparated(" and i.tenant_id = ")
                        .push_bind_unseparated(entry.tenant.as_str())
                        .push_unseparated(")"),
                    None => values.push("null"),
                };
                values
                    .push_bind(&entry.provider)
                    .push_bind(&entry.action)
                    .push_bind(&entry.request_id)
                    .push_bind(word(&entry.status))
                    .push_bind(&entry.related_type)
                    .push_bind(&entry.related_id)
                    .push_bind(entry.payload.as_ref().map(Json))
                    .push_bind(entry.response.as_ref().map(Json))
                    .push_bind(&entry.error_message)
                    .push_bind(entry.http_status.map(i64::from))
                    .push_bind(entry.duration.map(millis))
                    .push_bind(Time::from(entry.created_at));
            });
            query.push(" on conflict (id) do nothing");
            query.build().persistent(false).execute(&mut **tx).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl LogStore for Store {
    async fn append_logs(&self, entries: &[IntegrationLog]) -> Result<(), StoreError> {
        // Writers of the same entries take them in one order, so that none waits for another in a circle.
        let mut entries: Vec<_> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.id);
        // An integration that is deleted between its being looked up and the end of the statement breaks its foreign
        // key. The next look finds it gone.
        let mut looks = 3;
        loop {
            let mut tx = self.begin().await?;
            looks -= 1;
            match self.insert_logs(&mut tx, &entries).await {
                Ok(()) => return tx.commit().await.map_err(failed),
                Err(error) => {
                    let gone = error
                        .as_database_error()
                        .is_some_and(DatabaseError::is_foreign_key_violation);
                    if looks == 0 || !gone {
                        return Err(failed(error));
                    }
                }
            }
            tx.rollback().await.map_err(failed)?;
        }
    }

    async fn finish_log(&self, id: LogId, result: &LogResult) -> Result<(), StoreError> {
        let id = Id::from(id.as_uuid());
        let mut tx = self.begin().await?;
        let done = self
            .query(FINISH)
            .bind(id)
            .bind(word(&result.status))
            .bind(&result.request_id)
            .bind(result.response.as_ref().map(Json))
            .bind(&result.error_message)
            .bind(result.http_status.map(i64::from))
            .bind(result.duration.map(millis))
            .bind(word(&LogStatus::Pending))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 0 {
            let query = self.query(EXISTS).bind(id);
            let row = query.fetch_one(&mut *tx).await.map_err(failed)?;
            if get::<i64>(&row, "found")? == 0 {
                return Err(StoreError::NotFound);
            }
        }
        tx.commit().await.map_err(failed)
    }

    async fn logs(
        &self,
        scope: &Scope,
        filter: &LogFilter,
    ) -> Result<Vec<IntegrationLog>, StoreError> {
        let mut query = QueryBuilder::new(self.text(SELECT));
        let tenant = scope.tenant().map(TenantId::as_str);
        match tenant {
            None => query.push(" where 1 = 1"),
            Some(tenant) => query.push(" where l.tenant_id = ").push_bind(tenant),
        };
        if let Some(id) = filter.integration {
            query
                .push(" and l.integration_id = ")
                .push_bind(Id::from(id.as_uuid()));
        }
        if let Some(provider) = &filter.provider {
            query.push(" and l.provider = ").push_bind(provider);
        }
        if let Some(status) = &filter.status {
            query.push(" and l.status = ").push_bind(word(status));
        }
        if let Some(from) = filter.from {
            query
                .push(" and l.created_at >= ")
                .push_bind(Time::from(from));
        }
        if let Some(until) = filter.until {
            query
                .push(" and l.created_at < ")
                .push_bind(Time::from(until));
        }
        if let Some(last) = filter.after {
            query
                .push(" and (l.created_at, l.id) < ")
                .push(
                    self.text(
                        "(select a.created_at, a.id from main.integration_logs a where a.id = ",
                    ),
                )
                .push_bind(Id::from(last.as_uuid()));
            if let Some(tenant) = tenant {
                query.push(" and a.tenant_id = ").push_bind(tenant);
            }
            query.push(")");
        }
        let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        query
            .push(" order by l.created_at desc, l.id desc limit ")
            .push_bind(i64::from(limit));
        let rows = query.build().fetch_all(self.reader()).await;
        rows.map_err(failed)?.iter().map(read).collect()
    }

    async fn delete_logs(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let query = self.query(DELETE).bind(Time::from(before));
        let done = query.bind(i64::from(limit)).execute(self.writer()).await;
        Ok(done.map_err(failed)?.rows_affected())
    }
}
