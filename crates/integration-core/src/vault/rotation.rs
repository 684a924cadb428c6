//! The sweep of a rotation: seals anew every stored value that does not lie under the primary key.

use std::collections::BTreeMap;
use std::fmt;
#[cfg(feature = "vault-legacy")]
use std::sync::Arc;

use thiserror::Error;

use super::context::SealContext;
use super::error::VaultError;
use super::form::StoredForm;
use super::key::KeyId;
#[cfg(feature = "vault-legacy")]
use super::legacy::Legacy;
use super::sealing::Vault;
use crate::ids::TenantId;
use crate::store::{SealedCursor, SealedStore, SealedValue, StoreError};

const DEFAULT_PAGE_SIZE: u32 = 200;
const DEFAULT_MAX_PASSES: u32 = 8;
/// So that a keyring that opens nothing does not fill the memory with names.
const MAX_NAMED: usize = 1000;

/// A sweep over a store.
///
/// It reads page by page and puts a renewed value only in the place of exactly the text it read, so it never undoes what
/// somebody else writes meanwhile: such a value is counted as a conflict and read again in the next pass. A value that
/// cannot be opened stays as it is, is counted and named, and does not stop the sweep.
///
/// A sweep may be dropped at any moment, and several may run at once: what was done stays done. It goes on where it
/// stood [from a cursor](Self::resume_from), or as well from the start, since values under the primary key are only
/// checked.
///
/// Run it when **every** replica seals under the new key; one that still seals under the old puts values behind the
/// sweep's back.
///
/// ```
/// use integration_core::store::SealedStore;
/// use integration_core::vault::{KeyId, Rotation, RotationError, Vault};
///
/// async fn sweep(vault: Vault, store: &dyn SealedStore, old: &KeyId) -> Result<(), RotationError> {
///     let mut rotation = Rotation::new(vault, store);
///     let report = rotation
///         .run(|progress| {
///             // Keep progress.cursor to go on from there after a restart.
///             println!("pass {}: {} of them renewed", progress.pass, progress.counts.renewed);
///         })
///         .await?;
///     for unopened in &report.unopened {
///         println!("{}: {}", unopened.place, unopened.error);
///     }
///     match report.why_not(old) {
///         None => println!("take {old} out of the keyring"),
///         Some(reason) => println!("{old} has to stay: {reason}"),
///     }
///     Ok(())
/// }
/// ```
pub struct Rotation<'a> {
    vault: Vault,
    store: &'a dyn SealedStore,
    #[cfg(feature = "vault-legacy")]
    legacy: Option<Arc<Legacy>>,
    page_size: u32,
    max_passes: u32,
    pass: Pass,
}

/// What one pass has seen so far.
#[derive(Clone, Default)]
struct Pass {
    number: u32,
    /// Whether it began at the start.
    whole: bool,
    after: Option<SealedCursor>,
    counts: RotationCounts,
    unopened: Vec<Unopened>,
}

impl Pass {
    fn first() -> Self {
        Self {
            number: 1,
            whole: true,
            ..Self::default()
        }
    }

    fn following(&self) -> Self {
        Self {
            number: self.number.saturating_add(1),
            ..Self::first()
        }
    }
}

/// Where a sweep stands, after each page.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RotationProgress {
    /// Which pass, from 1.
    pub pass: u32,
    /// Goes on behind this page.
    pub cursor: SealedCursor,
    /// What this pass has seen so far.
    pub counts: RotationCounts,
    /// The values of this page that cannot be opened.
    pub unopened: Vec<Unopened>,
}

/// What one pass has seen and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationCounts {
    /// Values read.
    pub values: u64,
    /// Values by the key they lay under **when they were read**.
    pub by_key: BTreeMap<KeyId, u64>,
    /// Values of the older form, when they were read.
    pub legacy: u64,
    /// Values sealed anew.
    pub renewed: u64,
    /// Values that somebody else changed while they were sealed anew. The next pass reads them again.
    pub conflicts: u64,
    /// Values that could not be opened. They are as they were.
    pub unopened: u64,
}

impl RotationCounts {
    /// Returns how many values lay under a key when they were read.
    pub fn under(&self, key: &KeyId) -> u64 {
        self.by_key.get(key).copied().unwrap_or_default()
    }
}

/// A value that could not be opened, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unopened {
    /// The store's own name of the place.
    pub place: String,
    /// The tenant it is stored for.
    pub tenant: TenantId,
    /// Why.
    pub error: VaultError,
}

/// How a sweep ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RotationReport {
    /// How many passes there were.
    pub passes: u32,
    /// Whether the last pass read every value and found nothing left to renew. It is not when values change faster than
    /// they can be renewed; then run it again.
    pub complete: bool,
    /// What the last pass has seen.
    pub counts: RotationCounts,
    /// The values that the last pass could not open, the first thousand of them.
    pub unopened: Vec<Unopened>,
    primary: KeyId,
    index: KeyId,
}

impl RotationReport {
    /// Returns whether a key may be taken out of the keyring: a whole pass has found no value under it, and it is neither
    /// the primary nor the index key. [`why_not`](Self::why_not) says what stands against it.
    pub fn may_retire(&self, key: &KeyId) -> bool {
        self.why_not(key).is_none()
    }

    /// Returns why a key may not be taken out of the keyring; none if it may.
    ///
    /// It is [`IndexKey`](KeyNeeded::IndexKey) only when nothing else stands against it: see there how to replace one.
    pub fn why_not(&self, key: &KeyId) -> Option<KeyNeeded> {
        if *key == self.primary {
            return Some(KeyNeeded::Primary);
        }
        if !self.complete {
            return Some(KeyNeeded::Incomplete);
        }
        match self.counts.under(key) {
            0 if *key == self.index => Some(KeyNeeded::IndexKey),
            0 => None,
            values => Some(KeyNeeded::Unopened { values }),
        }
    }

    /// Returns whether values of the older form need no longer be allowed: a whole pass has found none.
    pub fn may_disallow_legacy(&self) -> bool {
        self.complete && self.counts.legacy == 0
    }
}

/// Why a key has to stay in the keyring.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyNeeded {
    /// It is the primary: new values are sealed under it. Promote another, and sweep.
    #[error("new values are sealed under it")]
    Primary,
    /// The sweep ended before a whole pass had found nothing left to renew. Run it again.
    #[error("the sweep is not complete; run it again")]
    Incomplete,
    /// Values lie under it that could not be opened, and so could not be sealed anew. The report's
    /// [`unopened`](RotationReport::unopened) says where.
    #[error("{values} values lie under it that could not be opened")]
    Unopened {
        /// How many.
        values: u64,
    },
    /// No value lies under it, but blind indexes and fingerprints are made with it, which a sweep cannot make anew.
    ///
    /// If the host never calls [`Vault::blind_index`], nothing is looked for under the index key: these crates store
    /// only fingerprints of tokens, which are compared as they stand and never computed again, so they lose nothing by
    /// it (see [`VaultTokenStore`](crate::http::VaultTokenStore)). Then restart with `index=` naming the new key, or
    /// with the new key alone. [`Vault::replace_keyring`] refuses that, because it cannot know.
    ///
    /// If it does call it, keep the key with `index=`, or make every stored index anew with such a restart.
    #[error(
        "blind indexes and fingerprints are made with it; where no blind index is stored, a restart may name another \
         key with `index=`"
    )]
    IndexKey,
}

/// Why a sweep stopped. What it has done stays done; it can go on from the last cursor.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The store could not read or write.
    #[error("the sweep stopped at the store")]
    Store(#[from] StoreError),
    /// The store returned a page that ends where it was asked to go on.
    #[error("the store's pages do not advance")]
    NoProgress,
}

impl<'a> Rotation<'a> {
    /// Prepares a sweep. Nothing happens until it is run.
    pub fn new(vault: Vault, store: &'a dyn SealedStore) -> Self {
        Self {
            vault,
            store,
            #[cfg(feature = "vault-legacy")]
            legacy: None,
            page_size: DEFAULT_PAGE_SIZE,
            max_passes: DEFAULT_MAX_PASSES,
            pass: Pass::first(),
        }
    }

    /// Seals values of the older form anew, too. Without this they are only counted.
    #[cfg(feature = "vault-legacy")]
    pub fn legacy(mut self, legacy: Arc<Legacy>) -> Self {
        self.legacy = Some(legacy);
        self
    }

    /// Reads this many values at once: 200 if not said, at least 1.
    pub fn page_size(mut self, values: u32) -> Self {
        self.page_size = values.max(1);
        self
    }

    /// Ends after this many passes even if values still change: 8 if not said, at least 1.
    pub fn max_passes(mut self, passes: u32) -> Self {
        self.max_passes = passes.max(1);
        self
    }

    /// Begins the first pass behind this cursor, where another sweep stood. That pass does not read every value, so a
    /// further one follows before a key may be retired.
    pub fn resume_from(mut self, cursor: SealedCursor) -> Self {
        self.pass = Pass {
            whole: false,
            after: Some(cursor),
            ..Pass::first()
        };
        self
    }

    /// Sweeps until a pass finds nothing left to do. `on_progress` hears of every page.
    ///
    /// When the future is dropped, calling this again goes on with the page it was at.
    ///
    /// # Errors
    ///
    /// [`RotationError::Store`], [`RotationError::NoProgress`]. Calling this again goes on with the page that failed.
    pub async fn run(
        &mut self,
        mut on_progress: impl FnMut(&RotationProgress) + Send,
    ) -> Result<RotationReport, RotationError> {
        loop {
            while let Some(progress) = self.page().await? {
                on_progress(&progress);
            }
            let following = self.pass.following();
            let pass = std::mem::replace(&mut self.pass, following);
            let settled = pass.counts.renewed == 0 && pass.counts.conflicts == 0;
            let complete = pass.whole && settled;
            if complete || pass.number >= self.max_passes {
                self.pass = Pass::first();
                return Ok(RotationReport {
                    passes: pass.number,
                    complete,
                    counts: pass.counts,
                    unopened: pass.unopened,
                    primary: self.vault.primary_id(),
                    index: self.vault.index_id(),
                });
            }
        }
    }

    /// Handles one page; none when the pass is over. Until the page is done, nothing of it is noted, so that a page that
    /// was cut off is counted once.
    async fn page(&mut self) -> Result<Option<RotationProgress>, RotationError> {
        let after = self.pass.after.as_ref();
        let values = self.store.sealed_values(after, self.page_size).await?;
        let Some(last) = values.last() else {
            return Ok(None);
        };
        let cursor = last.cursor.clone();
        if Some(&cursor) == after {
            return Err(RotationError::NoProgress);
        }
        let mut counts = self.pass.counts.clone();
        let mut unopened = Vec::new();
        for value in &values {
            if let Err(error) = self.renew(value, &mut counts).await? {
                counts.unopened += 1;
                unopened.push(Unopened {
                    place: value.place.clone(),
                    tenant: value.tenant.clone(),
                    error,
                });
            }
        }
        let room = MAX_NAMED.saturating_sub(self.pass.unopened.len());
        let named = unopened.iter().take(room).cloned();
        self.pass.unopened.extend(named);
        self.pass.counts = counts.clone();
        self.pass.after = Some(cursor.clone());
        Ok(Some(RotationProgress {
            pass: self.pass.number,
            cursor,
            counts,
            unopened,
        }))
    }

    /// The outer result is the store's, the inner one the vault's.
    async fn renew(
        &self,
        value: &SealedValue,
        counts: &mut RotationCounts,
    ) -> Result<Result<(), VaultError>, StoreError> {
        counts.values += 1;
        let new = match self.renewed(value, counts) {
            Ok(Some(new)) => new,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        if self.store.replace_sealed(value, &new).await? {
            counts.renewed += 1;
        } else {
            counts.conflicts += 1;
        }
        Ok(Ok(()))
    }

    fn renewed(
        &self,
        value: &SealedValue,
        counts: &mut RotationCounts,
    ) -> Result<Option<String>, VaultError> {
        let context = SealContext::new(value.tenant.as_str(), &value.instance, &value.field);
        match StoredForm::of(&value.value) {
            StoredForm::Sealed { key } => {
                *counts.by_key.entry(key).or_default() += 1;
                self.vault.rewrap(&context, &value.value)
            }
            StoredForm::Legacy => {
                counts.legacy += 1;
                self.renewed_legacy(&context, &value.value)
            }
            StoredForm::Neither => Err(VaultError::Malformed),
        }
    }

    #[cfg(feature = "vault-legacy")]
    fn renewed_legacy(
        &self,
        context: &SealContext,
        stored: &str,
    ) -> Result<Option<String>, VaultError> {
        let Some(legacy) = &self.legacy else {
            return Ok(None);
        };
        self.vault.seal(context, &legacy.open(stored)?).map(Some)
    }

    #[cfg(not(feature = "vault-legacy"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the same call as where values of the older form can be read"
    )]
    fn renewed_legacy(&self, _: &SealContext, _: &str) -> Result<Option<String>, VaultError> {
        Ok(None)
    }
}

impl fmt::Debug for Rotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("vault", &self.vault)
            .field("pass", &self.pass.number)
            .field("counts", &self.pass.counts)
            .finish_non_exhaustive()
    }
}
