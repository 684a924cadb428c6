//! Which targets are on for a tenant, as far as that is known without asking anybody.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::ids::{TargetName, TenantId};

/// Tells which targets a tenant's signups go to.
///
/// It is asked on the path of a signup, so it answers from memory: no vendor call, no credential, no database.
pub trait TargetDirectory: Send + Sync {
    /// Returns every target that the tenant could have, in the order in which the strict road calls them.
    fn targets(&self, tenant: &TenantId) -> Vec<(TargetName, Switch)>;
}

/// Whether a target takes part.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Switch {
    /// It does.
    On,
    /// It is skipped, and the receipt says why.
    Off(SkipReason),
}

/// Why a target is skipped.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// The tenant has no credentials for it.
    NotConfigured,
    /// The tenant has switched it off.
    Disabled,
}

/// A directory that is written down in the program.
///
/// ```
/// use contact_sync::{SkipReason, StaticDirectory, Switch, TargetDirectory, TenantId};
///
/// let directory = StaticDirectory::new()
///     .on("openphone")
///     .off("suitedash", SkipReason::NotConfigured)
///     .off_for("acme", "openphone", SkipReason::Disabled);
/// let acme = directory.targets(&TenantId::from("acme"));
/// assert_eq!(acme[0], ("openphone".into(), Switch::Off(SkipReason::Disabled)));
/// assert_eq!(directory.targets(&TenantId::default())[0], ("openphone".into(), Switch::On));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticDirectory {
    everybody: Vec<(TargetName, Switch)>,
    exceptions: HashMap<(TenantId, TargetName), Switch>,
}

impl StaticDirectory {
    /// Makes a directory without targets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Switches a target on for every tenant.
    pub fn on(self, target: impl Into<TargetName>) -> Self {
        self.set(target.into(), Switch::On)
    }

    /// Switches a target off for every tenant, and says so in every receipt.
    pub fn off(self, target: impl Into<TargetName>, reason: SkipReason) -> Self {
        self.set(target.into(), Switch::Off(reason))
    }

    /// Switches a target off for one tenant.
    pub fn off_for(
        mut self,
        tenant: impl Into<TenantId>,
        target: impl Into<TargetName>,
        reason: SkipReason,
    ) -> Self {
        self.exceptions
            .insert((tenant.into(), target.into()), Switch::Off(reason));
        self
    }

    fn set(mut self, target: TargetName, switch: Switch) -> Self {
        self.everybody.retain(|(name, _)| *name != target);
        self.everybody.push((target, switch));
        self
    }
}

impl TargetDirectory for StaticDirectory {
    fn targets(&self, tenant: &TenantId) -> Vec<(TargetName, Switch)> {
        self.everybody
            .iter()
            .map(|(target, switch)| {
                let exception = self.exceptions.get(&(tenant.clone(), target.clone()));
                (target.clone(), exception.copied().unwrap_or(*switch))
            })
            .collect()
    }
}
