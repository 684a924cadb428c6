use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, Tables};
use crate::ids::{EndpointId, IntegrationId, Scope};
use crate::instance::StoredIntegration;
use crate::status::HistoryEntry;
use crate::store::{DueRows, IntegrationFilter, IntegrationStore, StoreError};

pub(super) struct Instance {
    pub(super) row: StoredIntegration,
    history: Vec<HistoryEntry>,
}

#[async_trait]
impl IntegrationStore for MemoryStore {
    async fn insert_integration(
        &self,
        row: &StoredIntegration,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.templates.contains_key(&row.template) {
            return Err(StoreError::NotFound);
        }
        if tables.integrations.contains_key(&row.id) || tables.endpoints_taken(row) {
            return Err(StoreError::AlreadyExists);
        }
        tables.integrations.insert(
            row.id,
            Instance {
                row: row.clone(),
                history: history.to_vec(),
            },
        );
        tables.keep_one_default(row);
        Ok(())
    }

    async fn integration(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<Option<StoredIntegration>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .within(scope, id)
            .map(|instance| instance.row.clone()))
    }

    async fn integrations(
        &self,
        scope: &Scope,
        filter: &IntegrationFilter,
    ) -> Result<Vec<StoredIntegration>, StoreError> {
        let tables = self.tables();
        let mut rows = tables.select(scope, |row| {
            let vendor = filter.vendor.as_ref().is_none_or(|it| *it == row.vendor);
            let status = filter.status.is_none_or(|it| it == row.state.status);
            vendor && status
        });
        rows.sort_by(|one, other| (&one.tenant, one.id).cmp(&(&other.tenant, other.id)));
        Ok(rows)
    }

    async fn integrations_by_source(
        &self,
        scope: &Scope,
        vendor: &str,
        source_id: &str,
    ) -> Result<Vec<StoredIntegration>, StoreError> {
        Ok(self.tables().select(scope, |row| {
            row.vendor == vendor && row.source_ids.iter().any(|id| id == source_id)
        }))
    }

    async fn integration_by_endpoint(
        &self,
        scope: &Scope,
        endpoint: EndpointId,
    ) -> Result<Option<StoredIntegration>, StoreError> {
        let found = self.tables().select(scope, |row| {
            row.endpoints.iter().any(|there| there.id == endpoint)
        });
        Ok(found.into_iter().next())
    }

    async fn update_integration(
        &self,
        scope: &Scope,
        row: &StoredIntegration,
        expected: u64,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let instance = tables.within_mut(scope, row.id)?;
        if instance.row.state.version != expected {
            return Err(StoreError::VersionConflict);
        }
        if tables.endpoints_taken(row) {
            return Err(StoreError::AlreadyExists);
        }
        let instance = tables.within_mut(scope, row.id)?;
        let old = &instance.row;
        instance.row = StoredIntegration {
            tenant: old.tenant.clone(),
            template: old.template,
            vendor: old.vendor.clone(),
            created_at: old.created_at,
            created_by: old.created_by.clone(),
            ..row.clone()
        };
        instance.history.extend_from_slice(history);
        let written = instance.row.clone();
        tables.keep_one_default(&written);
        Ok(())
    }

    async fn delete_integration(&self, scope: &Scope, id: IntegrationId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.within_mut(scope, id)?;
        tables.integrations.remove(&id);
        tables
            .tokens
            .retain(|(integration, _), _| *integration != id);
        let entries = tables.logs.values_mut();
        for entry in entries.filter(|entry| entry.integration == Some(id)) {
            entry.integration = None;
        }
        Ok(())
    }

    async fn history(
        &self,
        scope: &Scope,
        id: IntegrationId,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let tables = self.tables();
        let instance = tables.within(scope, id).ok_or(StoreError::NotFound)?;
        let newest = instance.history.iter().rev();
        Ok(newest.take(limit as usize).cloned().collect())
    }

    async fn due_for_check(&self, now: DateTime<Utc>, limit: u32) -> Result<DueRows, StoreError> {
        let tables = self.tables();
        let mut due = tables.select(&Scope::Administrator, |row| {
            row.next_check_at.is_some_and(|at| at <= now)
        });
        due.sort_by_key(|row| (row.next_check_at, row.id));
        due.truncate(limit as usize);
        Ok(DueRows {
            rows: due,
            ..DueRows::default()
        })
    }

    async fn postpone_check(
        &self,
        id: IntegrationId,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = &mut tables.within_mut(&Scope::Administrator, id)?.row;
        row.next_check_at = next;
        row.state.version += 1;
        Ok(())
    }
}

impl Tables {
    pub(super) fn within(&self, scope: &Scope, id: IntegrationId) -> Option<&Instance> {
        self.integrations
            .get(&id)
            .filter(|instance| scope.covers(&instance.row.tenant))
    }

    fn within_mut(
        &mut self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<&mut Instance, StoreError> {
        self.integrations
            .get_mut(&id)
            .filter(|instance| scope.covers(&instance.row.tenant))
            .ok_or(StoreError::NotFound)
    }

    fn select(
        &self,
        scope: &Scope,
        fits: impl Fn(&StoredIntegration) -> bool,
    ) -> Vec<StoredIntegration> {
        self.integrations
            .values()
            .map(|instance| &instance.row)
            .filter(|row| scope.covers(&row.tenant) && fits(row))
            .cloned()
            .collect()
    }

    /// Whether an endpoint belongs to another instance or stands there twice, or a webhook stands twice in one.
    fn endpoints_taken(&self, row: &StoredIntegration) -> bool {
        let others = self
            .integrations
            .values()
            .map(|instance| &instance.row)
            .filter(|other| other.id != row.id);
        let mut endpoints: HashSet<_> = others
            .flat_map(|other| &other.endpoints)
            .map(|endpoint| endpoint.id)
            .collect();
        row.endpoints.iter().any(|endpoint| {
            let webhooks = endpoint.webhooks.iter();
            let distinct: HashSet<_> = webhooks.map(|webhook| &webhook.vendor_webhook_id).collect();
            !endpoints.insert(endpoint.id) || distinct.len() < endpoint.webhooks.len()
        })
    }

    /// Takes the mark from whoever had it. That changes the version of that row, or a writer who read it before
    /// would bring the mark back unnoticed.
    fn keep_one_default(&mut self, row: &StoredIntegration) {
        if !row.is_default {
            return;
        }
        for other in self.integrations.values_mut() {
            let other = &mut other.row;
            let rival = other.tenant == row.tenant && other.vendor == row.vendor;
            if rival && other.id != row.id && other.is_default {
                other.is_default = false;
                other.state.version += 1;
                other.updated_at = row.updated_at;
            }
        }
    }
}
