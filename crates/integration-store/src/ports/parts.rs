//! The tables around `integrations`: sealed fields, endpoints with their webhooks, source ids. Whoever writes them has
//! taken the row they belong to.

use std::collections::HashSet;

use integration_core::instance::{StoredConfig, StoredEndpoint, StoredIntegration};
use integration_core::store::StoreError;
use sqlx::types::Json;

use super::{Store, Tx, failed};
use crate::rows::{Id, Time, Which, counter};

const DELETE_SECRETS: &str = "delete from main.integration_secrets where integration_id = $1";

const INSERT_SECRET: &str = "
    insert into main.integration_secrets (integration_id, config, credentials_version, field, value)
    values ($1, $2, $3, $4, $5)";

const DELETE_SOURCES: &str = "delete from main.integration_source_ids where integration_id = $1";

const INSERT_SOURCE: &str = "
    insert into main.integration_source_ids (integration_id, position, source_id) values ($1, $2, $3)";

const DELETE_ENDPOINT: &str = "delete from main.integration_endpoints where id = $1";

const INSERT_ENDPOINT: &str = "
    insert into main.integration_endpoints (id, integration_id, position, url, created_at)
    values ($1, $2, $3, $4, $5)";

const UPDATE_ENDPOINT: &str = "
    update main.integration_endpoints set position = $3, url = $4, created_at = $5
    where id = $1 and integration_id = $2";

const DELETE_WEBHOOKS: &str = "delete from main.integration_webhooks where endpoint_id = $1";

const INSERT_WEBHOOK: &str = "
    insert into main.integration_webhooks (endpoint_id, position, vendor_webhook_id, events, secret)
    values ($1, $2, $3, $4, $5)";

fn taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => StoreError::AlreadyExists,
        _ => failed(error),
    }
}

fn position(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

impl Store {
    /// Writes what is not stored that way already.
    pub(super) async fn write_parts(
        &self,
        tx: &mut Tx,
        row: &StoredIntegration,
        stored: Option<&StoredIntegration>,
    ) -> Result<(), StoreError> {
        let sealed_as_stored = stored.is_some_and(|stored| {
            same_secrets(&stored.config, &row.config)
                && match (&stored.serving, &row.serving) {
                    (Some(stored), Some(new)) => same_secrets(stored, new),
                    (None, None) => true,
                    _ => false,
                }
        });
        if !sealed_as_stored {
            self.write_secrets(tx, row).await?;
        }
        if stored.is_none_or(|stored| stored.source_ids != row.source_ids) {
            self.write_sources(tx, row).await?;
        }
        let none = Vec::new();
        let before = stored.map_or(&none, |stored| &stored.endpoints);
        if *before != row.endpoints {
            self.write_endpoints(tx, row, before).await?;
        }
        Ok(())
    }

    async fn write_secrets(&self, tx: &mut Tx, row: &StoredIntegration) -> Result<(), StoreError> {
        let id = Id::from(row.id.as_uuid());
        let query = self.query(DELETE_SECRETS).bind(id);
        query.execute(&mut **tx).await.map_err(failed)?;
        let newest = (Which::Newest, &row.config);
        let serving = row.serving.as_ref().map(|config| (Which::Serving, config));
        for (which, config) in std::iter::once(newest).chain(serving) {
            for (field, value) in &config.sealed {
                self.query(INSERT_SECRET)
                    .bind(id)
                    .bind(which.as_str())
                    .bind(counter(config.version.0))
                    .bind(field)
                    .bind(value)
                    .execute(&mut **tx)
                    .await
                    .map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn write_sources(&self, tx: &mut Tx, row: &StoredIntegration) -> Result<(), StoreError> {
        let id = Id::from(row.id.as_uuid());
        let query = self.query(DELETE_SOURCES).bind(id);
        query.execute(&mut **tx).await.map_err(failed)?;
        for (index, source_id) in row.source_ids.iter().enumerate() {
            self.query(INSERT_SOURCE)
                .bind(id)
                .bind(position(index))
                .bind(source_id)
                .execute(&mut **tx)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// An endpoint that stays keeps its row: what arrived there may refer to it.
    async fn write_endpoints(
        &self,
        tx: &mut Tx,
        row: &StoredIntegration,
        before: &[StoredEndpoint],
    ) -> Result<(), StoreError> {
        let kept: HashSet<_> = row.endpoints.iter().map(|endpoint| endpoint.id).collect();
        for gone in before
            .iter()
            .filter(|endpoint| !kept.contains(&endpoint.id))
        {
            let query = self
                .query(DELETE_ENDPOINT)
                .bind(Id::from(gone.id.as_uuid()));
            query.execute(&mut **tx).await.map_err(failed)?;
        }
        for (index, endpoint) in row.endpoints.iter().enumerate() {
            let old = before.iter().find(|old| old.id == endpoint.id);
            let text = if old.is_some() {
                UPDATE_ENDPOINT
            } else {
                INSERT_ENDPOINT
            };
            self.query(text)
                .bind(Id::from(endpoint.id.as_uuid()))
                .bind(Id::from(row.id.as_uuid()))
                .bind(position(index))
                .bind(&endpoint.url)
                .bind(Time::from(endpoint.created_at))
                .execute(&mut **tx)
                .await
                .map_err(taken)?;
            if old.is_none_or(|old| old.webhooks != endpoint.webhooks) {
                self.write_webhooks(tx, endpoint).await?;
            }
        }
        Ok(())
    }

    async fn write_webhooks(
        &self,
        tx: &mut Tx,
        endpoint: &StoredEndpoint,
    ) -> Result<(), StoreError> {
        let id = Id::from(endpoint.id.as_uuid());
        let query = self.query(DELETE_WEBHOOKS).bind(id);
        query.execute(&mut **tx).await.map_err(failed)?;
        for (index, webhook) in endpoint.webhooks.iter().enumerate() {
            self.query(INSERT_WEBHOOK)
                .bind(id)
                .bind(position(index))
                .bind(&webhook.vendor_webhook_id)
                .bind(Json(&webhook.events))
                .bind(&webhook.secret)
                .execute(&mut **tx)
                .await
                .map_err(taken)?;
        }
        Ok(())
    }
}

fn same_secrets(one: &StoredConfig, other: &StoredConfig) -> bool {
    one.version == other.version && one.sealed == other.sealed
}
