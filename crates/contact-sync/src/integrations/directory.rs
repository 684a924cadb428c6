//! Which vendors a tenant has, from memory.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Timer, TokioTimer};
use integration_core::instance::{Integration, IntegrationError};
use integration_core::status::{CredentialsVersion, Status};
use integration_core::store::IntegrationFilter;
use integration_core::{IntegrationId, Integrations, Scope};
use serde_json::Value;

use super::{IntegrationClients, IntegrationStatus};
use crate::directory::{SkipReason, Switch, TargetDirectory};
use crate::failure::ClientUnavailable;
use crate::ids::{TargetName, TenantId};
use crate::mapping::{FieldMap, Mappings};
use crate::reconcile::Reconciler;
use crate::store::{JobStore, SignupStore, StoreError};

/// The setting of an integration that holds its [`FieldMap`].
pub const FIELD_MAP: &str = "contact_fields";

type Key = (TenantId, TargetName);

/// What the tenants have connected, as it was at the last [`refresh`](Self::refresh).
///
/// A signup asks it, so it answers from memory. A tenant's integration with a vendor is its default instance, else the
/// oldest that is on, else the oldest.
///
/// | The instance | Signups |
/// |---|---|
/// | there is none | skipped, [`NotConfigured`](SkipReason::NotConfigured) |
/// | switched off, disconnected | skipped, [`Disabled`](SkipReason::Disabled) |
/// | on, in whatever state: active, pending, in error | queued; the jobs wait until it is active |
///
/// **An old answer** loses nothing. What was switched off since is queued, and its jobs wait until it is on again;
/// what was switched on since is skipped, and a [worker with this directory](crate::Worker::integrations) finds the new
/// contacts of those minutes and queues them. All that were skipped before are found by a
/// [`Reconciler`](crate::Reconciler) that [includes them](crate::Reconciler::include_skipped). Before the first refresh every vendor
/// counts as on, because a job can wait and a signup that was skipped cannot.
///
/// The gap is as wide as refreshes are apart: half a minute with a worker. Who signs up in it gets a receipt that says
/// `disabled` or `not_configured`, [`on_signup_wait`](crate::SignupHook::on_signup_wait) does not wait for that
/// vendor, and the delivery follows with the worker's next refresh; without a worker nobody queues it but a
/// reconciler. A host that switches an integration on closes the gap of its own process by a
/// [`refresh`](Self::refresh) right after
/// [`enable`](integration_core::Integrations::enable), `disable` or `test_connection`.
///
/// A clone is the same directory.
#[derive(Clone)]
pub struct IntegrationDirectory {
    integrations: Integrations,
    /// The target's name, and the vendor's.
    vendors: Vec<(TargetName, String)>,
    jobs: Option<Arc<dyn JobStore>>,
    timer: Arc<dyn Timer>,
    known: Arc<RwLock<Option<HashMap<Key, Instance>>>>,
    late: Arc<Mutex<Late>>,
}

/// What was switched on while signups still went by an older answer.
#[derive(Default)]
struct Late {
    /// When what is known was read.
    read_at: Option<DateTime<Utc>>,
    /// Since when signups may have been skipped, and for how long they may be still, by a process that reads later.
    skipped: HashMap<Key, (DateTime<Utc>, DateTime<Utc>)>,
}

/// By how much the processes that share a store may be apart: in their clocks, and in when they read.
const APART: TimeDelta = TimeDelta::minutes(1);

/// One instance as far as signups and jobs go.
#[derive(Clone)]
struct Instance {
    id: IntegrationId,
    switch: Switch,
    credentials: CredentialsVersion,
    /// Whether its jobs run now, and nothing that was parked before still waits for it.
    runs: bool,
    /// None for one that cannot be read.
    map: Option<Arc<FieldMap>>,
}

impl IntegrationDirectory {
    /// Makes a directory without vendors.
    pub fn new(integrations: Integrations) -> Self {
        Self {
            integrations,
            vendors: Vec::new(),
            jobs: None,
            timer: Arc::new(TokioTimer),
            known: Arc::default(),
            late: Arc::default(),
        }
    }

    /// Adds a vendor that signups can go to, in the order in which the strict road calls them. The target bears the
    /// vendor's name.
    pub fn vendor(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.vendors.push((TargetName::from(name.as_str()), name));
        self
    }

    /// Lets the jobs of an integration go on when a refresh sees that it is active again, and at the first refresh
    /// those of all that are active, which may have been mended while the process was down. Without it they go on by
    /// themselves, within the retry policy's [`park_pause`](crate::RetryPolicy::park_pause).
    pub fn resuming(mut self, jobs: Arc<dyn JobStore>) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Sets the clock.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Returns who hands out the clients of a vendor to its target.
    pub fn clients(&self, vendor: impl Into<TargetName>) -> IntegrationClients {
        IntegrationClients::new(self.clone(), vendor.into())
    }

    /// Returns who reports to the integrations what attempts say about them.
    pub fn status(&self) -> IntegrationStatus {
        IntegrationStatus::new(self.integrations.clone())
    }

    pub(super) fn integrations(&self) -> &Integrations {
        &self.integrations
    }

    /// Reads what there is, and lets jobs go on whose integration is active again.
    ///
    /// # Errors
    ///
    /// When the store cannot read; then the directory answers as before.
    pub async fn refresh(&self) -> Result<(), IntegrationError> {
        let now = self.timer.utc_now();
        let mut fresh = HashMap::new();
        for (target, vendor) in &self.vendors {
            let filter = IntegrationFilter::new().vendor(vendor.as_str());
            let all = self.integrations.list(Scope::Administrator, filter).await?;
            let mut of_tenant: HashMap<TenantId, Vec<Integration>> = HashMap::new();
            for integration in all {
                let own = of_tenant.entry(integration.tenant.clone()).or_default();
                own.push(integration);
            }
            for (tenant, own) in of_tenant {
                if let Some(chosen) = choose(&own) {
                    let key = (tenant, target.clone());
                    fresh.insert(key, Instance::of(chosen, now));
                }
            }
        }
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for ((tenant, target), instance) in &mut fresh {
            let key = (tenant.clone(), target.clone());
            let before = known.as_ref().and_then(|known| known.get(&key));
            // Until the first look every vendor counts as on, and nobody was skipped.
            if known.is_some() {
                self.note_switch(&key, before, instance, now);
            }
            // What was mended while nobody looked goes on with the first look.
            let went_on = before.is_some_and(|old| old.goes_on_as(instance));
            if instance.runs && !went_on {
                instance.runs = self.resume(tenant, target).await;
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        self.late().read_at = Some(now);
        Ok(())
    }

    /// Queues the contacts that came in after a vendor was switched on and before everybody has seen that.
    pub(crate) async fn catch_up(&self, store: Arc<dyn SignupStore>) -> Result<(), StoreError> {
        let (since, skipped): (_, HashSet<Key>) = {
            let late = self.late();
            let since = late.skipped.values().map(|(since, _)| *since).min();
            (since, late.skipped.keys().cloned().collect())
        };
        let Some(since) = since else {
            return Ok(());
        };
        let now = self.timer.utc_now();
        let reconciler = Reconciler::new(store, self.clone()).include_skipped();
        reconciler.since(since - APART).only(skipped).run().await?;
        self.late().skipped.retain(|_, (_, until)| *until > now);
        Ok(())
    }

    fn late(&self) -> MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_switch(
        &self,
        key: &Key,
        before: Option<&Instance>,
        instance: &Instance,
        now: DateTime<Utc>,
    ) {
        let is_on = |instance: &Instance| instance.switch == Switch::On;
        if is_on(instance) && !before.is_some_and(is_on) {
            let mut late = self.late();
            let since = late.read_at.unwrap_or(now);
            let skipped = late
                .skipped
                .entry(key.clone())
                .or_insert((since, now + APART));
            skipped.1 = now + APART;
        }
    }

    /// Lets the jobs of an integration go on; `false` if that has to be done again.
    async fn resume(&self, tenant: &TenantId, target: &TargetName) -> bool {
        let Some(jobs) = &self.jobs else {
            return true;
        };
        match jobs.resume(tenant, target).await {
            Ok(0) => true,
            Ok(resumed) => {
                tracing::info!(%tenant, %target, resumed, "the integration is active, its jobs go on");
                true
            }
            Err(error) => {
                tracing::warn!(%tenant, %target, %error, "jobs could not be resumed; tried again");
                false
            }
        }
    }

    /// The tenant's instance, as it was at the last refresh.
    pub(super) fn instance(&self, tenant: &TenantId, target: &TargetName) -> Option<IntegrationId> {
        let key = (tenant.clone(), target.clone());
        self.read(|known| Some(known?.get(&key)?.id))
    }

    /// The settings of the instance that a tenant's contacts go to, as they are now; `None` if there is none.
    #[cfg(feature = "suitedash")]
    pub(crate) async fn settings_of(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Option<serde_json::Map<String, Value>>, IntegrationError> {
        let found = |read: Result<Integration, IntegrationError>| match read {
            Ok(integration) => Ok(Some(integration.settings)),
            Err(IntegrationError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        if let Some(id) = self.instance(tenant, target)
            && let Some(settings) = found(self.integrations.get(tenant, id).await)?
        {
            return Ok(Some(settings));
        }
        // What is known may be old.
        match self.look_up(tenant, target).await? {
            Some(id) => found(self.integrations.get(tenant, id).await),
            None => Ok(None),
        }
    }

    /// The tenant's instance, as it is now. It is remembered.
    pub(super) async fn look_up(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Option<IntegrationId>, IntegrationError> {
        Ok(self.look(tenant, target).await?.map(|it| it.id))
    }

    async fn look(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Option<Instance>, IntegrationError> {
        let Some((_, vendor)) = self.vendors.iter().find(|(name, _)| name == target) else {
            return Ok(None);
        };
        let filter = IntegrationFilter::new().vendor(vendor.as_str());
        let own = self.integrations.list(tenant, filter).await?;
        let mut found = choose(&own).map(|it| Instance::of(it, self.timer.utc_now()));
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_mut() {
            let key = (tenant.clone(), target.clone());
            let before = known.remove(&key);
            if let Some(found) = &mut found {
                self.note_switch(&key, before.as_ref(), found, self.timer.utc_now());
                // That it runs again is for a refresh to see.
                found.runs &= before.is_some_and(|before| before.goes_on_as(found));
                known.insert(key, found.clone());
            }
        }
        Ok(found)
    }

    fn read<T>(&self, look: impl FnOnce(Option<&HashMap<Key, Instance>>) -> T) -> T {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        look(known.as_ref())
    }
}

impl fmt::Debug for IntegrationDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrationDirectory")
            .field("vendors", &self.vendors)
            .finish_non_exhaustive()
    }
}

impl TargetDirectory for IntegrationDirectory {
    fn targets(&self, tenant: &TenantId) -> Vec<(TargetName, Switch)> {
        let switch = |target: &TargetName| {
            self.read(|known| match known {
                None => Switch::On,
                Some(known) => known
                    .get(&(tenant.clone(), target.clone()))
                    .map_or(Switch::Off(SkipReason::NotConfigured), |it| it.switch),
            })
        };
        self.vendors
            .iter()
            .map(|(target, _)| (target.clone(), switch(target)))
            .collect()
    }
}

#[async_trait]
impl Mappings for IntegrationDirectory {
    async fn mapping(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Arc<FieldMap>, ClientUnavailable> {
        let key = (tenant.clone(), target.clone());
        let instance = match self.read(|known| known?.get(&key).cloned()) {
            Some(instance) => Some(instance),
            None => self.look(tenant, target).await.map_err(|error| {
                tracing::warn!(%tenant, %target, %error, "the field map could not be read");
                ClientUnavailable::Failed
            })?,
        };
        let Some(instance) = instance else {
            return Err(ClientUnavailable::NotConfigured);
        };
        // To deliver without it would put things where the tenant does not want them.
        instance.map.ok_or(ClientUnavailable::Paused)
    }
}

impl Instance {
    /// Tells whether its jobs ran, and with what they run with now.
    fn goes_on_as(&self, now: &Self) -> bool {
        self.runs && self.id == now.id && self.credentials == now.credentials
    }

    fn of(integration: &Integration, now: DateTime<Utc>) -> Self {
        let is_wanted = integration.is_active || integration.enable_pending;
        let is_gone = integration.status == Status::Disconnected && !integration.enable_pending;
        let serves = integration.status == Status::Active
            || (integration.status == Status::Pending && integration.serves_older_credentials);
        let is_paused = integration.paused_until.is_some_and(|until| until > now);
        let map = field_map(integration);
        Self {
            id: integration.id,
            switch: if is_wanted && !is_gone {
                Switch::On
            } else {
                Switch::Off(SkipReason::Disabled)
            },
            credentials: integration.credentials,
            runs: integration.is_active && serves && !is_paused && map.is_some(),
            map,
        }
    }
}

fn field_map(integration: &Integration) -> Option<Arc<FieldMap>> {
    let map = match integration.settings.get(FIELD_MAP) {
        None | Some(Value::Null) => return Some(Arc::default()),
        Some(map) => <FieldMap as serde::Deserialize>::deserialize(map).ok(),
    };
    if map.is_none() {
        // The error itself would quote the settings.
        tracing::warn!(
            integration = %integration.id, setting = FIELD_MAP,
            "the field map cannot be read, deliveries wait"
        );
    }
    map.map(Arc::new)
}

/// The instance that a tenant's contacts go to, of those with one vendor, oldest first.
fn choose(own: &[Integration]) -> Option<&Integration> {
    own.iter()
        .find(|it| it.is_default)
        .or_else(|| own.iter().find(|it| it.is_active))
        .or_else(|| own.first())
}
