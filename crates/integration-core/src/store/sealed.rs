use async_trait::async_trait;

use super::StoreError;
use crate::ids::TenantId;

/// Where a sweep over all sealed values stands. Opaque; a store makes and reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCursor(pub String);

/// One sealed value of any table, with everything it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedValue {
    /// The store's own name of the place: table, row and column.
    pub place: String,
    /// The tenant it is sealed for.
    pub tenant: TenantId,
    /// The instance it is sealed for.
    pub instance: String,
    /// The field it is sealed for.
    pub field: String,
    /// The sealed text.
    pub value: String,
    /// Goes on after this one.
    pub cursor: SealedCursor,
}

impl SealedValue {
    /// Puts a sealed text together with what it is bound to and where it lies.
    pub fn new(
        place: impl Into<String>,
        tenant: TenantId,
        instance: impl Into<String>,
        field: impl Into<String>,
        value: impl Into<String>,
        cursor: SealedCursor,
    ) -> Self {
        Self {
            place: place.into(),
            tenant,
            instance: instance.into(),
            field: field.into(),
            value: value.into(),
            cursor,
        }
    }
}

/// Shows every sealed value there is, so that a rotation can renew them, wherever they lie.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// Returns up to `limit` sealed values after the cursor, in an order that does not change while values do.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn sealed_values(
        &self,
        after: Option<&SealedCursor>,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError>;

    /// Puts `new` in the place of exactly the value that was read. Returns false, and writes nothing, when somebody
    /// else has changed it since. In a row with a version it raises that, so that nobody who read the row before
    /// brings the old value back.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn replace_sealed(&self, old: &SealedValue, new: &str) -> Result<bool, StoreError>;
}
