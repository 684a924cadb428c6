//! Testing a connection, and what is made of the result.

use std::future::Future;
use std::time::Duration;

use connector_http::Error;
use serde_json::json;
use tracing::Instrument as _;

use super::clients::not_active;
use super::enable::Lease;
use super::erased::{AnyClient, AnyVendor};
use super::integrations::Integrations;
use super::probe::Probe;
use super::save::{open_config, tenant_of};
use super::{
    ConnectionTest, IntegrationError, IntegrationPatch, NewIntegration, StoredIntegration,
};
use crate::ids::{IntegrationId, LogId, Scope};
use crate::status::{Effect, Event, Status};
use crate::store::{IntegrationLog, LogStatus};

/// How often a test is repeated because newer credentials were saved while it ran.
const ATTEMPTS: u32 = 3;

impl Integrations {
    /// Tests a config before it is saved. What the vendor has against it, and that it does not answer, is no error
    /// but a test that did not succeed.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::UnknownVendor`], [`IntegrationError::NoVendor`], [`IntegrationError::TemplateInactive`],
    /// [`IntegrationError::InvalidConfig`], [`IntegrationError::NotFound`] for a tenant who names another,
    /// [`IntegrationError::Store`].
    pub async fn test_unsaved(
        &self,
        scope: impl Into<Scope>,
        config: impl Into<NewIntegration>,
    ) -> Result<ConnectionTest, IntegrationError> {
        let (scope, new) = (scope.into(), config.into());
        let tenant = match tenant_of(&scope, new.tenant.as_ref()) {
            Ok(tenant) => Some(tenant),
            // What an administrator tries belongs to nobody yet, and so to nobody's log.
            Err(IntegrationError::TenantRequired) => None,
            Err(error) => return Err(error),
        };
        let kind = self.kind_of_new(&new.config).await?;
        let name = kind.template.name.clone();
        let vendor = self.vendor(&name)?;
        let open = open_config(new.config, &kind)?;
        let client = vendor.connect(&open, &self.unsaved_options(tenant.as_ref(), &name));
        let client = usable(client.map_err(IntegrationError::from))?;
        let probe = self.probe(vendor.as_ref(), client.as_ref()).await;
        if let Some(tenant) = tenant {
            let mut entry = IntegrationLog::new(
                LogId::generate(),
                tenant,
                name,
                "connection.test",
                LogStatus::Success,
                self.now(),
            );
            probe.describe(&mut entry);
            self.log(entry).await;
        }
        Ok(probe.test)
    }

    /// Tests what [`update`](Self::update) would make of an instance, and changes nothing: for the page on which it is
    /// edited, where a secret that stays is not typed again.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::NoVendor`], [`IntegrationError::NoCredentials`], and those
    /// of [`update`](Self::update) that say what is wrong with the patch.
    pub async fn test_update(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
        patch: IntegrationPatch,
    ) -> Result<ConnectionTest, IntegrationError> {
        let row = self.row(&scope.into(), id).await?;
        let vendor = self.vendor(&row.vendor)?;
        let (row, open) = self.patched(row, &patch).await?;
        let client = vendor.connect(&open, &self.connect_options(&row));
        let client = usable(client.map_err(IntegrationError::from))?;
        let probe = self.probe(vendor.as_ref(), client.as_ref()).await;
        let mut entry = self.entry(&row, "connection.test", LogStatus::Success);
        entry.payload = Some(json!({ "saved": false }));
        probe.describe(&mut entry);
        self.log(entry).await;
        Ok(probe.test)
    }

    /// Tests the newest credentials of an instance, moves its status by the result and records it. A test that fails
    /// leads to error whatever the reason, but for a vendor that has had too many calls.
    ///
    /// A test that passes does not switch anything on: [`enable`](Self::enable) does. For an instance that is on and
    /// begins to run with it, it also sees to its webhooks.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::NoVendor`], [`IntegrationError::NoCredentials`],
    /// [`IntegrationError::Vault`] when the stored credentials cannot be opened, which the state and the log say too,
    /// [`IntegrationError::InvalidConfig`] when the vendor's type has changed since it was saved,
    /// [`IntegrationError::Busy`], [`IntegrationError::Store`].
    pub async fn test_connection(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<ConnectionTest, IntegrationError> {
        let (facade, scope) = (self.clone(), scope.into());
        to_its_end(async move {
            let row = facade.row(&scope, id).await?;
            // One that begins to run with this test needs its webhooks, as if it were enabled.
            let tested = if row.state.is_active && !row.state.runs_jobs() {
                let lease = facade.lease(id).await?;
                let tested = facade.resume(&scope, id, &lease, true).await;
                lease.release(&facade).await;
                tested
            } else {
                facade.test(&scope, id, Goal::Test).await
            };
            Ok(tested?.test)
        })
        .await
    }

    /// Tests an instance that is on and does not run, and lets it run if it can.
    pub(super) async fn resume(
        &self,
        scope: &Scope,
        id: IntegrationId,
        lease: &Lease,
        by_hand: bool,
    ) -> Result<Tested, IntegrationError> {
        self.change(scope, id, |draft| {
            self.prepare_endpoint(draft);
            Ok(())
        })
        .await?;
        let goal = Goal::Run {
            lease,
            switch_on: false,
            by_hand,
        };
        self.test(scope, id, goal).await
    }

    /// Tests, and does what the goal asks for besides. When newer credentials were saved while it ran, they are tested
    /// too.
    pub(super) async fn test(
        &self,
        scope: &Scope,
        id: IntegrationId,
        goal: Goal<'_>,
    ) -> Result<Tested, IntegrationError> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            if let Goal::Run { lease, .. } = goal {
                lease.renew(self).await?;
            }
            let row = self.row(scope, id).await?;
            let used = row.state.credentials;
            let tested = Box::pin(self.test_once(scope, &row, goal)).await?;
            if tested.row.state.credentials == used || left == 0 {
                return Ok(tested);
            }
        }
    }

    async fn test_once(
        &self,
        scope: &Scope,
        row: &StoredIntegration,
        goal: Goal<'_>,
    ) -> Result<Tested, IntegrationError> {
        let vendor = self.vendor(&row.vendor)?;
        if !row.state.has_credentials {
            return Err(IntegrationError::NoCredentials);
        }
        let client = self.any_client(row, &row.config).await;
        if let Err(IntegrationError::Vault { field, source }) = &client {
            self.note_unreadable(scope, row, field, source).await?;
        }
        let client = usable(client)?;
        let mut probe = self.probe(vendor.as_ref(), client.as_ref()).await;
        let mut registered = None;
        if let (Goal::Run { .. }, Ok(client), true) = (goal, &client, probe.test.success) {
            match self.register(row, vendor.as_ref(), client).await? {
                Ok(registration) => registered = registration,
                // It has run with those that it has, and goes on with them.
                Err(reason) if row.state.runs_jobs() && self.is_in_place(row) => {
                    self.log_registration(row, Err(reason)).await;
                }
                Err(reason) => probe = probe.without_webhooks(reason),
            }
        }
        let used = row.state.credentials;
        let changed = self
            .change(scope, row.id, |draft| {
                if let Some(registered) = &registered {
                    self.keep_webhooks(draft, registered)?;
                }
                let state = &draft.row.state;
                let is_due = match state.status {
                    Status::Active => state.credentials == used,
                    // It was off and worked when that was asked for, and newer credentials were saved since: they are
                    // tested next. Whoever switches it off makes it disconnected.
                    Status::Pending => !state.is_active,
                    _ => false,
                };
                if goal.switches_on() && probe.test.success && is_due {
                    let by = self.actor.clone();
                    draft.apply(Event::EnableRequested { by })?;
                }
                probe.apply(draft, used, goal.by_hand())
            })
            .await;
        if let (Ok(client), Some(registered)) = (&client, &registered) {
            let written = changed.as_ref().map(|changed| &changed.row);
            self.drop_unkept(row, client, registered, written).await;
        }
        let changed = changed?;
        let mut entry = self.entry(&changed.row, "connection.test", LogStatus::Success);
        probe.describe(&mut entry);
        if let Some(ignored) = changed.value {
            entry.response = Some(json!({ "ignored": ignored.to_string() }));
        }
        self.log(entry).await;
        let mut row = changed.row;
        if matches!(goal, Goal::Test | Goal::Look)
            && changed.effects.contains(&Effect::EnsureWebhooks)
        {
            // It was switched on while the test ran.
            row = self.follow_settings(scope, row).await;
        }
        Ok(Tested {
            test: probe.test,
            row,
        })
    }

    /// Asks the vendor, for as long as a test may take. A client that cannot be built is a failed test.
    pub(super) async fn probe(
        &self,
        vendor: &dyn AnyVendor,
        client: Result<&AnyClient, &Error>,
    ) -> Probe {
        let name = self.display_name(vendor.name());
        let client = match client {
            Ok(client) => client,
            Err(error) => return Probe::failed(name, error),
        };
        let start = self.inner.timer.now();
        let timeout = self.inner.test_timeout;
        let mut probe = match self.within(timeout, vendor.test(client)).await {
            Some(Ok(report)) => Probe::passed(report),
            Some(Err(error)) => Probe::failed(name, &error),
            None => Probe::cut_off(name, timeout),
        };
        probe.took = Some(self.inner.timer.now().saturating_duration_since(start));
        probe
    }

    /// Waits for a future, but no longer than this.
    pub(super) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.inner.timer.sleep(limit) => None,
        }
    }
}

/// Tells a client that the vendor's code refuses to build, which is a failed test, from what is an error.
fn usable(
    client: Result<AnyClient, IntegrationError>,
) -> Result<Result<AnyClient, Error>, IntegrationError> {
    match client {
        Ok(client) => Ok(Ok(client)),
        Err(IntegrationError::Vendor(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// What a test is made for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Goal<'a> {
    /// A person wants to know.
    Test,
    /// Nobody has asked.
    Look,
    /// To run, which takes webhooks.
    Run {
        /// Nobody else registers webhooks meanwhile.
        lease: &'a Lease,
        /// Whether a person asked to switch it on.
        switch_on: bool,
        /// Whether a person asked at all.
        by_hand: bool,
    },
}

impl Goal<'_> {
    fn by_hand(self) -> bool {
        match self {
            Self::Test => true,
            Self::Look => false,
            Self::Run { by_hand, .. } => by_hand,
        }
    }

    fn switches_on(self) -> bool {
        matches!(
            self,
            Self::Run {
                switch_on: true,
                ..
            }
        )
    }
}

/// What came of a test, once it was stored.
pub(super) struct Tested {
    pub(super) test: ConnectionTest,
    pub(super) row: StoredIntegration,
}

impl Tested {
    /// The row, if it runs now.
    pub(super) fn running(self) -> Result<StoredIntegration, IntegrationError> {
        if self.row.state.runs_jobs() {
            return Ok(self.row);
        }
        if self.test.success {
            // It was switched off while the test ran, or these credentials were refused before.
            return Err(not_active(&self.row, None));
        }
        Err(IntegrationError::TestFailed(Box::new(self.test)))
    }
}

/// Runs something to its end even if whoever waits for it goes away.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, IntegrationError>> + Send + 'static,
) -> Result<T, IntegrationError> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(IntegrationError::Interrupted),
        },
    }
}
