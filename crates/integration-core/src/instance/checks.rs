//! What health checks take: which instances are due, and how each is looked at.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::IntegrationError;
use super::connection::{Goal, Tested, to_its_end};
use super::health::{Checks, DueIntegration, HealthChecks};
use super::integrations::Integrations;
use crate::ids::{IntegrationId, LogId, Scope};
use crate::status::{DueCheck, Event, ReasonCode, due_check};
use crate::store::{IntegrationLog, LeaseStore, LogStatus, StoreError, UnreadableRow};

/// How long one is left alone whose row cannot be read, or whose config cannot be opened.
const AFTER_A_FAULT: TimeDelta = TimeDelta::hours(1);

impl Integrations {
    /// Prepares regular checks of all tenants' instances. Nothing is checked before they are started, by as many
    /// processes as there are: one of them works.
    ///
    /// A check that fails because the vendor does not answer is a failed call like any other and leads to error only
    /// when there were enough of them; one that finds an instance mended sees to its webhooks and lets its jobs run.
    ///
    /// ```
    /// use integration_core::Integrations;
    ///
    /// # async fn example(integrations: &Integrations) {
    /// let running = integrations
    ///     .health_checks()
    ///     .on_reauth(|due| println!("{} has to connect {} again", due.tenant, due.vendor))
    ///     .start();
    /// // … until the host stops:
    /// running.shutdown().await;
    /// # }
    /// ```
    pub fn health_checks(&self) -> HealthChecks<Self> {
        let leases: Arc<dyn LeaseStore> = self.inner.store.clone();
        HealthChecks::new(
            Arc::new(self.clone()),
            leases,
            Arc::clone(&self.inner.timer),
        )
    }

    /// Writes when an instance is looked at next, and nothing else.
    async fn plan(
        &self,
        id: IntegrationId,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), IntegrationError> {
        let planned = self
            .change(&Scope::Administrator, id, |draft| {
                draft.plan(next);
                Ok(())
            })
            .await;
        match planned {
            // Nobody has to look after what is gone.
            Ok(_) | Err(IntegrationError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Leaves one alone for a while, unless its state says when to look at it next.
    async fn plan_after_a_fault(&self, id: IntegrationId) -> Result<(), IntegrationError> {
        let row = match self.row(&Scope::Administrator, id).await {
            Err(IntegrationError::NotFound { .. }) => return Ok(()),
            row => row?,
        };
        if row.state.reason == Some(ReasonCode::CredentialsUnreadable) {
            return Ok(());
        }
        self.plan(id, Some(self.now() + AFTER_A_FAULT)).await
    }

    /// Says that a row cannot be read, and leaves it alone for a while: it must not stand before the others, which are
    /// other tenants' as well.
    async fn set_aside(&self, row: &UnreadableRow) -> Result<(), IntegrationError> {
        let next = self.now() + AFTER_A_FAULT;
        match self.store().postpone_check(row.id, Some(next)).await {
            Err(StoreError::NotFound) => return Ok(()),
            postponed => postponed?,
        }
        tracing::warn!(
            target: "integration_core",
            integration = %row.id,
            error = &row.error as &dyn std::error::Error,
            "no health check: its row cannot be read"
        );
        let mut entry = IntegrationLog::new(
            LogId::generate(),
            row.tenant.clone(),
            row.vendor.clone(),
            "health.check",
            LogStatus::Failed,
            self.now(),
        );
        entry.integration = Some(row.id);
        entry.error_message = Some(match std::error::Error::source(&row.error) {
            Some(what) => format!("{}: {what}", row.error),
            None => row.error.to_string(),
        });
        self.log(entry).await;
        Ok(())
    }

    async fn look(&self, due: &DueIntegration, what: DueCheck) -> Result<(), IntegrationError> {
        let scope = Scope::from(&due.tenant);
        let row = self.row(&scope, due.id).await?;
        let begins = row.state.is_active && !row.state.runs_jobs();
        let tested = if begins {
            let lease = self.lease(due.id).await?;
            let tested = self.resume(&scope, due.id, &lease, false).await;
            lease.release(self).await;
            tested
        } else {
            self.test(&scope, due.id, Goal::Look).await
        };
        let Tested { test, row } = tested?;
        // Somebody may have taken them away at the vendor.
        if what == DueCheck::Probe && !begins && test.success && row.state.runs_jobs() {
            self.follow_settings(&scope, row).await;
        }
        Ok(())
    }
}

#[async_trait]
impl Checks for Integrations {
    type Error = IntegrationError;

    async fn due(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueIntegration>, IntegrationError> {
        let found = self.store().due_for_check(now, limit).await?;
        for row in &found.unreadable {
            self.set_aside(row).await?;
        }
        let mut due = Vec::new();
        for row in found.rows {
            if let Ok(vendor) = self.vendor(&row.vendor) {
                let health = vendor.health();
                due.push(DueIntegration::new(
                    row.id, row.tenant, row.vendor, row.state, health,
                ));
            } else {
                // Its vendor was registered once. It must not stand in the way of the others for ever.
                self.plan(row.id, None).await?;
            }
        }
        Ok(due)
    }

    async fn check(&self, due: &DueIntegration, what: DueCheck) -> Result<(), IntegrationError> {
        let (facade, due) = (self.clone(), due.clone());
        to_its_end(async move {
            let looked = facade.look(&due, what).await;
            match &looked {
                Err(IntegrationError::NotFound { .. }) => return Ok(()),
                // Nothing was asked, and asking again at once would not help: a person has to see to it.
                Err(IntegrationError::Vault { .. } | IntegrationError::InvalidConfig(_)) => {
                    facade.plan_after_a_fault(due.id).await?;
                }
                _ => {}
            }
            looked
        })
        .await
    }

    async fn postpone(
        &self,
        due: &DueIntegration,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), IntegrationError> {
        self.plan(due.id, next).await
    }

    async fn note_reauth(&self, due: &DueIntegration) -> Result<bool, IntegrationError> {
        let noted = self
            .change(&Scope::Administrator, due.id, |draft| {
                let state = &draft.row.state;
                if due_check(state, due.health, None, draft.now) != DueCheck::Notify {
                    return Ok(false);
                }
                Ok(draft.apply(Event::ReauthNotified)?.is_none())
            })
            .await;
        let noted = match noted {
            Err(IntegrationError::NotFound { .. }) => return Ok(false),
            noted => noted?,
        };
        if noted.value {
            let mut entry = self.entry(&noted.row, "reauth.notified", LogStatus::Success);
            entry.response = Some(json!({ "reason": noted.row.state.reason }));
            self.log(entry).await;
        }
        Ok(noted.value)
    }
}
