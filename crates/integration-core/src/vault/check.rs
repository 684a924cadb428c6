//! A look at the stored values: do they open with the keys there are?

use std::collections::BTreeMap;
use std::fmt;

use super::context::SealContext;
use super::form::StoredForm;
use super::key::KeyId;
use super::sealing::Vault;
use crate::store::{SealedStore, StoreError};

const PAGE: u32 = 200;

/// What a [look](Vault::check) at stored values found. `Display` says it in a line for a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultCheck {
    /// Values read.
    pub values: u64,
    /// Values by the key that they say they lie under.
    pub by_key: BTreeMap<KeyId, u64>,
    /// Those of them whose key is not in the keyring.
    pub missing: BTreeMap<KeyId, u64>,
    /// Values that do not open although their key's id is in the keyring: another key has that id, or they were altered.
    pub refused: u64,
    /// Values of the older form. They are not opened.
    pub legacy: u64,
    /// Whether these are all that are stored, or the look ended before.
    pub complete: bool,
}

impl VaultCheck {
    /// Returns whether every value that was read opens, but for those of the older form.
    pub fn all_open(&self) -> bool {
        self.missing.is_empty() && self.refused == 0
    }
}

impl fmt::Display for VaultCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values;
        if self.complete {
            write!(f, "of {values} stored values")?;
        } else {
            write!(f, "of the first {values} stored values")?;
        }
        if self.all_open() {
            return f.write_str(" all open");
        }
        for (key, count) in &self.missing {
            write!(
                f,
                ", {count} lie under the key {key}, which is not in the keyring"
            )?;
        }
        if self.refused > 0 {
            write!(f, ", {} do not open with the key they name", self.refused)?;
        }
        Ok(())
    }
}

impl Vault {
    /// Looks whether stored values open, at most so many of them, and writes nothing. For a host that starts: with a
    /// wrong master key everything else works, until somebody needs a credential.
    ///
    /// # Errors
    ///
    /// When the store cannot read. Values that do not open are counted.
    pub async fn check(
        &self,
        store: &dyn SealedStore,
        at_most: u64,
    ) -> Result<VaultCheck, StoreError> {
        let keys = self.key_ids();
        let mut check = VaultCheck::default();
        let mut after = None;
        loop {
            let left = at_most.saturating_sub(check.values);
            let limit = u32::try_from(left).map_or(PAGE, |left| left.min(PAGE));
            if limit == 0 {
                return Ok(check);
            }
            let values = store.sealed_values(after.as_ref(), limit).await?;
            let last = values.last().map(|value| value.cursor.clone());
            if last.is_none() || last == after {
                check.complete = last.is_none();
                return Ok(check);
            }
            for value in &values {
                check.values += 1;
                match StoredForm::of(&value.value) {
                    StoredForm::Sealed { key } => {
                        if keys.contains(&key) {
                            let context = SealContext::new(
                                value.tenant.as_str(),
                                &value.instance,
                                &value.field,
                            );
                            let opened = self.open(&context, &value.value);
                            check.refused += u64::from(opened.is_err());
                        } else {
                            *check.missing.entry(key.clone()).or_default() += 1;
                        }
                        *check.by_key.entry(key).or_default() += 1;
                    }
                    StoredForm::Legacy => check.legacy += 1,
                    StoredForm::Neither => check.refused += 1,
                }
            }
            after = last;
        }
    }
}
