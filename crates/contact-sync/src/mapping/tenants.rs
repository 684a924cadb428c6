//! Who wants which map.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::FieldMap;
use crate::failure::ClientUnavailable;
use crate::ids::{TargetName, TenantId};

/// Hands out the tenants' maps. It is asked for every delivery, so it answers from memory where it can.
#[async_trait]
pub trait Mappings: Send + Sync {
    /// Returns a tenant's map for a target: an empty one where the tenant wants nothing otherwise.
    ///
    /// # Errors
    ///
    /// When it cannot be had or cannot be read: the delivery waits.
    async fn mapping(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Arc<FieldMap>, ClientUnavailable>;
}

/// Maps that are written down in the program.
///
/// ```
/// use contact_sync::{Field, FieldMap, Place, StaticMappings};
///
/// let maps = StaticMappings::new()
///     .everybody("openphone", FieldMap::new().constant(Place::field("source"), "shop"))
///     .tenant("acme", "openphone", FieldMap::new().field(Field::Notes, Place::custom("Remarks")));
/// # drop(maps);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticMappings {
    everybody: HashMap<TargetName, Arc<FieldMap>>,
    tenants: HashMap<(TenantId, TargetName), Arc<FieldMap>>,
}

impl StaticMappings {
    /// Makes maps that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a target's map for every tenant that has none of its own.
    pub fn everybody(mut self, target: impl Into<TargetName>, map: FieldMap) -> Self {
        self.everybody.insert(target.into(), Arc::new(map));
        self
    }

    /// Sets a tenant's own map for a target.
    pub fn tenant(
        mut self,
        tenant: impl Into<TenantId>,
        target: impl Into<TargetName>,
        map: FieldMap,
    ) -> Self {
        self.tenants
            .insert((tenant.into(), target.into()), Arc::new(map));
        self
    }
}

#[async_trait]
impl Mappings for StaticMappings {
    async fn mapping(
        &self,
        tenant: &TenantId,
        target: &TargetName,
    ) -> Result<Arc<FieldMap>, ClientUnavailable> {
        let own = self.tenants.get(&(tenant.clone(), target.clone()));
        let map = own.or_else(|| self.everybody.get(target));
        Ok(map.cloned().unwrap_or_default())
    }
}
