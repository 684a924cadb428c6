use std::cmp::Reverse;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::ids::{IntegrationId, LogId, Scope};
use crate::store::{IntegrationLog, LogFilter, LogResult, LogStatus, LogStore, StoreError};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;

#[async_trait]
impl LogStore for MemoryStore {
    async fn append_logs(&self, entries: &[IntegrationLog]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for entry in entries {
            let there = |id: &IntegrationId| {
                let instance = tables.integrations.get(id);
                instance.is_some_and(|instance| instance.row.tenant == entry.tenant)
            };
            let mut kept = entry.clone();
            kept.integration = entry.integration.filter(there);
            tables.logs.entry(entry.id).or_insert(kept);
        }
        Ok(())
    }

    async fn finish_log(&self, id: LogId, result: &LogResult) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let entry = tables.logs.get_mut(&id).ok_or(StoreError::NotFound)?;
        if entry.status == LogStatus::Pending {
            let result = result.clone();
            entry.status = result.status;
            entry.request_id = result.request_id.or(entry.request_id.take());
            entry.response = result.response.or(entry.response.take());
            entry.error_message = result.error_message.or(entry.error_message.take());
            entry.http_status = result.http_status.or(entry.http_status);
            entry.duration = result.duration.or(entry.duration);
        }
        Ok(())
    }

    async fn logs(
        &self,
        scope: &Scope,
        filter: &LogFilter,
    ) -> Result<Vec<IntegrationLog>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<_> = tables
            .logs
            .values()
            .filter(|entry| scope.covers(&entry.tenant) && fits(filter, entry))
            .collect();
        found.sort_by_key(|entry| Reverse(place(entry)));
        if let Some(last) = filter.after {
            // An entry that is gone was swept, and with it whatever is older.
            let last = tables.logs.get(&last);
            let last = last.filter(|entry| scope.covers(&entry.tenant)).map(place);
            found.retain(|entry| last.is_some_and(|last| place(entry) < last));
        }
        let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
        Ok(found.into_iter().take(limit as usize).cloned().collect())
    }

    async fn delete_logs(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let mut old: Vec<_> = tables
            .logs
            .values()
            .map(place)
            .filter(|(made, _)| *made < before)
            .collect();
        old.sort_unstable();
        old.truncate(limit as usize);
        for (_, id) in &old {
            tables.logs.remove(id);
        }
        Ok(old.len() as u64)
    }
}

fn place(entry: &IntegrationLog) -> (DateTime<Utc>, LogId) {
    (entry.created_at, entry.id)
}

fn fits(filter: &LogFilter, entry: &IntegrationLog) -> bool {
    let LogFilter {
        integration,
        provider,
        status,
        from,
        until,
        after: _,
        limit: _,
    } = filter;
    integration.is_none_or(|id| entry.integration == Some(id))
        && provider.as_ref().is_none_or(|it| *it == entry.provider)
        && status.is_none_or(|it| it == entry.status)
        && from.is_none_or(|it| entry.created_at >= it)
        && until.is_none_or(|it| entry.created_at < it)
}
