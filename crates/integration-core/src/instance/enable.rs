//! Switching on and off.

use std::time::Duration;

use uuid::Uuid;

use super::IntegrationError;
use super::StoredIntegration;
use super::connection::{Goal, to_its_end};
use super::integrations::Integrations;
use super::view::Integration;
use super::webhooks::WEBHOOKS_TIMEOUT;
use crate::ids::{IntegrationId, Scope};
use crate::status::{Event, Status};

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Integrations {
    /// Switches an instance on: tests it again, sees to it that the vendor has its webhooks, once, and only then lets
    /// jobs run. Its address for webhooks is stored before the vendor is asked, so that an attempt that is cut off
    /// cannot register anything twice.
    ///
    /// For one that runs already the test is made too, and webhooks that are missing are registered; if that does not
    /// work, it runs on, and the log says so.
    ///
    /// Without a [`webhook_base_url`](super::IntegrationsBuilder::webhook_base_url) no webhook is registered.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::TestFailed`] when the test did not pass or the webhooks could not be registered: the state
    /// says so too, and the wish to have it on stays, so that health checks go on with it.
    /// [`IntegrationError::NotActive`] when it was switched off meanwhile, or its credentials were refused before and
    /// have to be replaced. Also [`IntegrationError::NotFound`], [`IntegrationError::NoVendor`],
    /// [`IntegrationError::NoCredentials`], [`IntegrationError::Vault`] when the stored credentials cannot be opened,
    /// which the state and the log say too, [`IntegrationError::Busy`],
    /// [`IntegrationError::Store`].
    pub async fn enable(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Integration, IntegrationError> {
        let (facade, scope) = (self.clone(), scope.into());
        to_its_end(async move {
            let row = facade.row(&scope, id).await?;
            facade.vendor(&row.vendor)?;
            let lease = facade.lease(id).await?;
            let row = facade.enable_alone(&scope, id, &lease).await;
            lease.release(&facade).await;
            facade.view(row?).await
        })
        .await
    }

    async fn enable_alone(
        &self,
        scope: &Scope,
        id: IntegrationId,
        lease: &Lease,
    ) -> Result<StoredIntegration, IntegrationError> {
        self.change(scope, id, |draft| {
            if !draft.row.state.has_credentials {
                return Err(IntegrationError::NoCredentials);
            }
            self.prepare_endpoint(draft);
            // One that works and is off is switched on once its webhooks are there.
            if draft.row.state.status != Status::Active {
                let by = self.actor.clone();
                draft.apply(Event::EnableRequested { by })?;
            }
            Ok(())
        })
        .await?;
        let goal = Goal::Run {
            lease,
            switch_on: true,
            by_hand: true,
        };
        self.test(scope, id, goal).await?.running()
    }

    /// Switches an instance off by hand. Its credentials stay, its jobs wait, and what the vendor still sends is the
    /// host's to refuse: the endpoint's integration says that it is disconnected.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn disable(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Integration, IntegrationError> {
        let changed = self
            .change(&scope.into(), id, |draft| {
                let by = self.actor.clone();
                draft.apply(Event::Disabled { by }).map(drop)
            })
            .await?;
        self.view(changed.row).await
    }

    /// Waits until nobody else works on this instance's webhooks, in this process or another.
    pub(super) async fn lease(&self, id: IntegrationId) -> Result<Lease, IntegrationError> {
        let lease = Lease {
            name: format!("integration.{id}"),
            owner: Uuid::new_v4().to_string(),
            ttl: self.inner.test_timeout + 3 * WEBHOOKS_TIMEOUT + Duration::from_secs(30),
        };
        let give_up = self.inner.timer.now().checked_add(lease.ttl);
        let mut wait = FIRST_WAIT;
        while !lease.hold(self).await? {
            if give_up.is_none_or(|at| self.inner.timer.now() >= at) {
                return Err(IntegrationError::Busy);
            }
            self.inner.timer.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(lease)
    }
}

/// The right to work on one instance's webhooks. It outlives its holder by minutes at most.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lease {
    name: String,
    owner: String,
    ttl: Duration,
}

impl Lease {
    async fn hold(&self, facade: &Integrations) -> Result<bool, IntegrationError> {
        let store = facade.store();
        Ok(store.hold_lease(&self.name, &self.owner, self.ttl).await?)
    }

    pub(super) async fn renew(&self, facade: &Integrations) -> Result<(), IntegrationError> {
        if self.hold(facade).await? {
            Ok(())
        } else {
            Err(IntegrationError::Busy)
        }
    }

    /// Gives the lease back. One that cannot be given back ends by itself.
    pub(super) async fn release(&self, facade: &Integrations) {
        if let Err(error) = facade.store().release_lease(&self.name, &self.owner).await {
            tracing::warn!(
                lease = self.name,
                error = &error as &dyn std::error::Error,
                "a lease was not given back"
            );
        }
    }
}
