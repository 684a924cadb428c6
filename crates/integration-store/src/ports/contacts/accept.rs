//! Taking signups in.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contact_sync::limits::check_names;
use contact_sync::{
    Accepted, Contact, ContactId, ContactKey, DeliveryState, Erased, NewJob, Planner, SignupStore,
    Standings, StoreError, StoredContact, TargetName, TenantId,
};

use super::contact::{LineId, Written, amend_contact, key_text, write_by_key};
use super::outbox::{add_delivery, queue_delivery};
use super::{Connection, Result, Statements, Store, erase, failed, get, standing};
use crate::columns::Id;

const FIND: &str = "
    select id from main.sync_contacts
    where tenant_id = $1 and contact_key = $2 and contact is not null and erased_at is null";

/// Writes a contact and its jobs. One that is blank has none.
pub(in super::super) async fn accept(
    store: &impl Statements,
    connection: &mut Connection,
    tenant: &TenantId,
    contact: &Contact,
    jobs: &[NewJob],
    now: DateTime<Utc>,
) -> Result<Accepted> {
    check_names(tenant, jobs.iter().map(|job| &job.target))?;
    let written = write_by_key(store, connection, tenant, contact, now).await?;
    for job in jobs.iter().filter(|_| !written.is_blank) {
        let line = LineId::new(written.id, job.target.clone());
        let trace_id = job.trace_id.as_deref();
        if written.is_new {
            add_delivery(store, connection, &line, tenant, job.lane, trace_id, now).await?;
        } else {
            queue_delivery(store, connection, &line, tenant, job.lane, trace_id, now).await?;
        }
    }
    Ok(accepted(&written))
}

fn accepted(written: &Written) -> Accepted {
    Accepted::new(written.id, written.revision).blank(written.is_blank)
}

async fn amend(
    store: &Store,
    connection: &mut Connection,
    tenant: &TenantId,
    id: ContactId,
    change: &Contact,
    jobs: &[NewJob],
) -> Result<Option<Accepted>> {
    check_names(tenant, jobs.iter().map(|job| &job.target))?;
    let now = store.now(connection).await?;
    let Some(written) = amend_contact(store, connection, tenant, id, change, now).await? else {
        return Ok(None);
    };
    for job in jobs.iter().filter(|_| !written.is_blank) {
        let line = LineId::new(id, job.target.clone());
        let trace_id = job.trace_id.as_deref();
        queue_delivery(store, connection, &line, tenant, job.lane, trace_id, now).await?;
    }
    Ok(Some(accepted(&written)))
}

/// Tells whether a tenant has a name that nothing is kept under: PostgreSQL would not even look for it.
pub(super) fn is_nobodys(tenant: &TenantId) -> bool {
    check_names(tenant, None).is_err()
}

#[async_trait]
impl SignupStore for Store {
    async fn accept(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        jobs: &[NewJob],
    ) -> Result<Accepted, StoreError> {
        let accepted = self
            .take_in(tenant.clone(), contact.clone(), jobs.to_vec())
            .await?;
        self.wake();
        Ok(accepted)
    }

    async fn amend(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        change: &Contact,
        jobs: &[NewJob],
    ) -> Result<Option<Accepted>, StoreError> {
        let (tenant, change, jobs) = (tenant.clone(), change.clone(), jobs.to_vec());
        let accepted = self
            .change(move |store, connection| {
                Box::pin(
                    async move { amend(store, connection, &tenant, contact, &change, &jobs).await },
                )
            })
            .await?;
        self.wake();
        Ok(accepted)
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<Erased>, StoreError> {
        if is_nobodys(tenant) {
            return Ok(None);
        }
        let tenant = tenant.clone();
        let erased = self
            .change(move |store, connection| {
                Box::pin(async move { erase::erase(store, connection, &tenant, contact).await })
            })
            .await?;
        self.wake();
        Ok(erased)
    }

    async fn find(
        &self,
        tenant: &TenantId,
        key: &ContactKey,
    ) -> Result<Option<ContactId>, StoreError> {
        let Some(key) = key_text(key).filter(|_| !is_nobodys(tenant)) else {
            return Ok(None);
        };
        let query = self.query(FIND).bind(tenant.as_str().to_owned()).bind(key);
        let row = query.fetch_optional(self.reader()).await.map_err(failed)?;
        row.map(|row| Ok(get::<Id>(&row, "id")?.0.into()))
            .transpose()
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Option<StoredContact>, StoreError> {
        if is_nobodys(tenant) {
            return Ok(None);
        }
        standing::stored(self, tenant, contact).await
    }

    async fn standings(
        &self,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Vec<Standings>, StoreError> {
        standing::standings(self, after, limit).await
    }

    fn schema(&self) -> &str {
        self.schema_name()
    }

    async fn drain_intake(&self, planner: &Planner<'_>, limit: usize) -> Result<usize, StoreError> {
        self.take_over(planner, limit).await
    }

    async fn deliveries(&self, contact: ContactId) -> Result<Vec<DeliveryState>, StoreError> {
        standing::deliveries(self, contact).await
    }

    async fn settled(&self, accepted: Accepted, targets: &[TargetName]) -> Result<(), StoreError> {
        standing::settled(self, accepted, targets).await
    }
}
