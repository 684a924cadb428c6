//! The port of the strict road: each call is one transaction.

use std::time::Duration;

use async_trait::async_trait;
use contact_sync::limits::{check_names, check_remote};
use contact_sync::{
    Begun, Claim, Contact, Held, Link, RemoteId, StoreError, StrictStore, TargetName, TenantId,
    Undo,
};

use super::claim::look_after;
use super::{Store, confirm, operation};

#[async_trait]
impl StrictStore for Store {
    async fn begin(
        &self,
        tenant: &TenantId,
        contact: &Contact,
        targets: &[TargetName],
        lease: Duration,
    ) -> Result<Begun, StoreError> {
        check_names(tenant, targets)?;
        let asked = self.local.timer.now();
        look_after(self, asked).await?;
        let (tenant, contact, targets) = (tenant.clone(), contact.clone(), targets.to_vec());
        let begun = self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                let person = (&tenant, &contact);
                operation::begin(store, connection, person, &targets, lease, now).await
            })
        });
        let begun = begun.await?;
        self.local.watch.begun(begun.held, asked + lease);
        Ok(begun)
    }

    async fn renew_operation(&self, held: Held, lease: Duration) -> Result<(), StoreError> {
        let asked = self.local.timer.now();
        let renewed = self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::renew(store, connection, held, lease, now).await
            })
        });
        renewed.await?;
        self.local.watch.begun(held, asked + lease);
        Ok(())
    }

    async fn expect_create(
        &self,
        held: Held,
        target: &TargetName,
        undo: Undo,
    ) -> Result<(), StoreError> {
        let target = target.clone();
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::expect_create(store, connection, held, &target, undo, now).await
            })
        })
        .await
    }

    async fn note_created(
        &self,
        held: Held,
        target: &TargetName,
        remote: &RemoteId,
    ) -> Result<(), StoreError> {
        check_remote(remote)?;
        let (target, remote) = (target.clone(), remote.clone());
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::note_created(store, connection, held, &target, &remote, now).await
            })
        })
        .await
    }

    async fn note_unclear(
        &self,
        held: Held,
        target: &TargetName,
        settle: Duration,
    ) -> Result<(), StoreError> {
        let target = target.clone();
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::note_unclear(store, connection, held, &target, settle, now).await
            })
        })
        .await
    }

    async fn withdraw_create(&self, held: Held, target: &TargetName) -> Result<(), StoreError> {
        let target = target.clone();
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::withdraw_create(store, connection, held, &target, now).await
            })
        })
        .await
    }

    async fn confirm(
        &self,
        held: Held,
        created: &[Link],
        found: &[Link],
    ) -> Result<(), StoreError> {
        let (created, found) = (created.to_vec(), found.to_vec());
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                confirm::confirm(store, connection, held, &created, &found, now).await
            })
        })
        .await?;
        self.wake();
        Ok(())
    }

    async fn finish(&self, held: Held) -> Result<bool, StoreError> {
        let is_confirmed = self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::finish(store, connection, held, now).await
            })
        });
        let is_confirmed = is_confirmed.await?;
        if is_confirmed {
            self.local.watch.over(held);
        }
        self.wake();
        Ok(is_confirmed)
    }

    async fn abandon(&self, held: Held, lease: Duration) -> Result<Vec<Claim>, StoreError> {
        let claims = self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                operation::abandon(store, connection, held, lease, now).await
            })
        });
        let claims = claims.await?;
        self.local.watch.over(held);
        self.wake();
        Ok(claims)
    }
}
