//! Finding contacts that were meant to go somewhere and are not on their way.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use connector_http::Lane;
use uuid::Uuid;

use crate::contact::{Contact, Signup};
use crate::directory::{Switch, TargetDirectory};
use crate::ids::{ContactId, TargetName, TenantId};
use crate::store::{DeliveryState, NewJob, SignupStore, Standing, Standings, StoreError};

/// Looks through every contact for deliveries that are missing, and queues them.
///
/// Missing is, at a target that is switched on for the tenant:
///
/// - a contact that had a job there and has neither job nor link any more, and none that waits for a person;
/// - a contact whose record there says something older, because it changed while the target was switched off;
/// - with [`include_skipped`](Self::include_skipped), a contact that never had a job there, because the target was off
///   when it came in.
///
/// To run it twice, or on several machines, queues nothing twice. [Blank](crate::Contact::is_blank) contacts are left
/// alone.
///
/// ```
/// use std::sync::Arc;
///
/// use contact_sync::{MemoryStore, Reconciler, StaticDirectory};
///
/// # async fn example() -> Result<(), contact_sync::StoreError> {
/// let store = Arc::new(MemoryStore::new());
/// // The tenant has just connected OpenPhone: what would go there?
/// let reconciler = Reconciler::new(store, StaticDirectory::new().on("openphone")).include_skipped();
/// let found = reconciler.clone().dry_run().run().await?;
/// println!("{} deliveries would be queued", found.missing.len());
/// reconciler.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a reconciler does nothing before it is run"]
pub struct Reconciler {
    store: Arc<dyn SignupStore>,
    directory: Arc<dyn TargetDirectory>,
    include_skipped: bool,
    dry_run: bool,
    page: usize,
    since: Option<DateTime<Utc>>,
    only: Option<HashSet<(TenantId, TargetName)>>,
}

impl Reconciler {
    /// Makes a reconciler of a store.
    pub fn new(store: Arc<dyn SignupStore>, directory: impl TargetDirectory + 'static) -> Self {
        Self {
            store,
            directory: Arc::new(directory),
            include_skipped: false,
            dry_run: false,
            page: 200,
            since: None,
            only: None,
        }
    }

    /// Queues deliveries for contacts, too, that came in while a target was switched off or not configured.
    pub fn include_skipped(mut self) -> Self {
        self.include_skipped = true;
        self
    }

    /// Only looks.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Sets how many contacts are read at a time: 200, at least 1.
    pub fn page(mut self, contacts: usize) -> Self {
        self.page = contacts.max(1);
        self
    }

    /// Looks only at contacts that came in first since then, by the clock of the machine that took them.
    pub fn since(mut self, time: DateTime<Utc>) -> Self {
        self.since = Some(time);
        self
    }

    /// Looks only at these targets of these tenants.
    #[cfg(feature = "integrations")]
    pub(crate) fn only(mut self, targets: HashSet<(TenantId, TargetName)>) -> Self {
        self.only = Some(targets);
        self
    }

    /// Looks through every contact once.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write. What was queued until then stays queued.
    pub async fn run(&self) -> Result<Reconciled, StoreError> {
        let mut reconciled = Reconciled::default();
        let mut after = self.since.map(just_before);
        let mut switches: HashMap<TenantId, Vec<TargetName>> = HashMap::new();
        loop {
            let page = self.store.standings(after, self.page).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.contact);
            for standings in &page {
                reconciled.contacts += 1;
                let on = switches
                    .entry(standings.tenant.clone())
                    .or_insert_with(|| self.switched_on(&standings.tenant));
                let missing = self.missing(standings, on);
                if !missing.is_empty() {
                    self.queue(standings, missing, &mut reconciled).await?;
                }
            }
        }
        let (contacts, missing) = (reconciled.contacts, reconciled.missing.len());
        if missing > 0 {
            tracing::warn!(
                contacts,
                missing,
                dry_run = self.dry_run,
                "deliveries were missing"
            );
        } else {
            tracing::debug!(contacts, "no delivery is missing");
        }
        Ok(reconciled)
    }

    fn switched_on(&self, tenant: &TenantId) -> Vec<TargetName> {
        let targets = self.directory.targets(tenant).into_iter();
        targets
            .filter(|(_, switch)| *switch == Switch::On)
            .map(|(target, _)| target)
            .filter(|target| {
                let key = (tenant.clone(), target.clone());
                self.only.as_ref().is_none_or(|only| only.contains(&key))
            })
            .collect()
    }

    fn missing(&self, standings: &Standings, on: &[TargetName]) -> Vec<TargetName> {
        let is_missing = |target: &&TargetName| {
            let state = standings.targets.iter().find(|s| s.target == **target);
            state.map_or(self.include_skipped, |state| {
                is_left_over(state, standings.revision)
            })
        };
        on.iter().filter(is_missing).cloned().collect()
    }

    async fn queue(
        &self,
        standings: &Standings,
        targets: Vec<TargetName>,
        reconciled: &mut Reconciled,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (&standings.tenant, standings.contact);
        // Erased between the page and now: then nothing is missing.
        let Some(stored) = self.store.stored(tenant, id).await? else {
            return Ok(());
        };
        if stored.contact.is_blank() {
            return Ok(());
        }
        let jobs: Vec<NewJob> = targets
            .iter()
            .map(|target| NewJob::new(target.clone(), Lane::Bulk))
            .collect();
        // What has been read may be old by now, and must not be written: this changes nothing.
        let no_change = Contact::new(tenant, &Signup::new(), None);
        let queued = self.dry_run
            || self
                .store
                .amend(tenant, id, &no_change, &jobs)
                .await?
                .is_some();
        if queued {
            let missing = targets.into_iter().map(|target| Missing {
                tenant: tenant.clone(),
                contact: id,
                target,
            });
            reconciled.missing.extend(missing);
        }
        Ok(())
    }
}

/// An id that is older than every one of that time: those of contacts are UUIDs of version 7.
fn just_before(time: DateTime<Utc>) -> ContactId {
    let millis = u128::try_from(time.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80).into()
}

/// Nothing is to be done there, although the target does not have the contact as it is now.
fn is_left_over(state: &DeliveryState, revision: u64) -> bool {
    state.standing == Standing::Idle && (state.remote.is_none() || state.delivered < revision)
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler")
            .field("include_skipped", &self.include_skipped)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// What a reconciler has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// How many contacts it has looked at.
    pub contacts: usize,
    /// The deliveries that were missing: queued now, unless it only looked.
    pub missing: Vec<Missing>,
}

/// A delivery that was missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// The host's customer.
    pub tenant: TenantId,
    /// The contact.
    pub contact: ContactId,
    /// Where it should be.
    pub target: TargetName,
}
