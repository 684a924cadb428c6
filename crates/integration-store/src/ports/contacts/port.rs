//! The queue as workers see it.

use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    ClaimRequest, Claims, ContactId, JobId, JobStore, LeaseToken, Link, LinkStore, Outcome,
    RemoteId, Snapshot, StoppedJob, StoreError, TargetName, TenantId,
};

use super::{Store, claim, commit, reap, snapshot, start, stopped};

#[async_trait]
impl JobStore for Store {
    async fn claim(&self, request: ClaimRequest) -> Result<Claims, StoreError> {
        claim::claim(self, request).await
    }

    async fn renew(
        &self,
        job: JobId,
        token: LeaseToken,
        lease: Duration,
    ) -> Result<(), StoreError> {
        if start::renew(self, job, token, lease).await? {
            Ok(())
        } else {
            Err(StoreError::LeaseLost)
        }
    }

    async fn work_added(&self) {
        self.wait_for_work().await;
    }

    async fn stopped_jobs(&self) -> Result<Vec<StoppedJob>, StoreError> {
        stopped::stopped_jobs(self).await
    }

    async fn replay(&self, job: JobId) -> Result<(), StoreError> {
        stopped::replay(self, job).await
    }

    async fn discard(&self, job: JobId) -> Result<(), StoreError> {
        stopped::discard(self, job).await
    }

    async fn resume(&self, tenant: &TenantId, target: &TargetName) -> Result<u64, StoreError> {
        stopped::resume(self, tenant, target).await
    }

    async fn sweep(&self, keep: Duration) -> Result<u64, StoreError> {
        reap::sweep(self, keep).await
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        snapshot::snapshot(self).await
    }
}

#[async_trait]
impl LinkStore for Store {
    async fn commit_outcome(&self, outcome: Outcome) -> Result<(), StoreError> {
        commit::commit(self, outcome).await
    }

    async fn is_linked(
        &self,
        tenant: &TenantId,
        target: &TargetName,
        remote: &RemoteId,
        except: Option<ContactId>,
    ) -> Result<bool, StoreError> {
        snapshot::is_linked(self, tenant, target, remote, except).await
    }

    async fn links(&self, contact: ContactId) -> Result<Vec<Link>, StoreError> {
        snapshot::links(self, contact).await
    }
}
