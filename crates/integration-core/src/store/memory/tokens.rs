use std::time::Duration;

use async_trait::async_trait;

use super::leases::Lease;
use super::{MemoryStore, Tables};
use crate::ids::{IntegrationId, Scope, TenantId};
use crate::store::{SaveOutcome, SealedTokens, StoreError, StoredTokens, TokenRowId, TokenRows};

/// One row of tokens.
pub(super) struct Grant {
    pub(super) tenant: TenantId,
    pub(super) stored: StoredTokens,
    lease: Option<Lease>,
}

#[async_trait]
impl TokenRows for MemoryStore {
    async fn put_tokens(&self, row: &TokenRowId, tokens: &SealedTokens) -> Result<(), StoreError> {
        let now = self.timer().utc_now();
        let mut tables = self.tables();
        let scope = Scope::from(&row.tenant);
        if tables.within(&scope, row.integration).is_none() {
            return Err(StoreError::NotFound);
        }
        let grant = Grant {
            tenant: row.tenant.clone(),
            stored: StoredTokens::new(tokens.clone(), now),
            lease: None,
        };
        tables
            .tokens
            .insert((row.integration, row.owner.clone()), grant);
        Ok(())
    }

    async fn tokens(&self, row: &TokenRowId) -> Result<Option<StoredTokens>, StoreError> {
        Ok(self.tables().grant(row).map(|grant| grant.stored.clone()))
    }

    async fn lease_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.timer().now();
        let mut tables = self.tables();
        let grant = tables.grant(row).ok_or(StoreError::NotFound)?;
        Ok(Lease::hold(&mut grant.lease, owner, now, ttl))
    }

    async fn save_tokens_if(
        &self,
        row: &TokenRowId,
        spent: &str,
        tokens: &SealedTokens,
    ) -> Result<SaveOutcome, StoreError> {
        let now = self.timer().utc_now();
        let mut tables = self.tables();
        let Some(grant) = tables.grant(row) else {
            return Ok(SaveOutcome::Gone);
        };
        if grant.stored.tokens.fingerprint != spent {
            return Ok(SaveOutcome::Superseded);
        }
        let granted = grant.stored.tokens.clone();
        let mut tokens = tokens.clone();
        if tokens.refresh_token.is_none() && granted.refresh_token.is_some() {
            tokens.refresh_token = granted.refresh_token;
            tokens.fingerprint = granted.fingerprint;
            tokens.refresh_expires_at = tokens.refresh_expires_at.or(granted.refresh_expires_at);
        }
        tokens.scope = tokens.scope.or(granted.scope);
        grant.stored = StoredTokens::new(tokens, now);
        grant.lease = None;
        Ok(SaveOutcome::Saved)
    }

    async fn refuse_tokens(&self, row: &TokenRowId, fingerprint: &str) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let holds = tables
            .grant(row)
            .filter(|grant| grant.stored.tokens.fingerprint == fingerprint);
        Ok(match holds {
            Some(grant) => {
                grant.stored.refused_fingerprint = Some(fingerprint.to_owned());
                true
            }
            None => false,
        })
    }

    async fn release_tokens(&self, row: &TokenRowId, owner: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if let Some(grant) = tables.grant(row) {
            grant.lease.take_if(|lease| lease.is_of(owner));
        }
        Ok(())
    }

    async fn delete_tokens(&self, row: &TokenRowId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.grant(row).is_some() {
            tables.tokens.remove(&(row.integration, row.owner.clone()));
        }
        Ok(())
    }

    async fn delete_grants(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
    ) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let before = tables.tokens.len();
        let of_it = |id: IntegrationId, grant: &Grant| id == integration && grant.tenant == *tenant;
        tables.tokens.retain(|(id, _), grant| !of_it(*id, grant));
        Ok(u64::try_from(before - tables.tokens.len()).unwrap_or(u64::MAX))
    }
}

impl Tables {
    fn grant(&mut self, row: &TokenRowId) -> Option<&mut Grant> {
        self.tokens
            .get_mut(&(row.integration, row.owner.clone()))
            .filter(|grant| grant.tenant == row.tenant)
    }
}
