//! One key, or several while a secret is rotated.

use std::fmt;

use super::{WebhookError, WebhookErrorKind};

/// The keys that a delivery may be signed with, newest first. Never empty.
///
/// While a secret is rotated, both the new and the old key are configured; a delivery signed with either is accepted.
/// Used as [`HmacKeys`](super::HmacKeys), [`Ed25519Keys`](super::Ed25519Keys) and [`RsaKeys`](super::RsaKeys).
#[derive(Clone)]
pub struct Keys<K>(Box<[K]>);

impl<K> Keys<K> {
    /// Collects keys, newest first.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if there is none.
    pub fn new(keys: impl IntoIterator<Item = K>) -> Result<Self, WebhookError> {
        let keys: Box<[K]> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(WebhookError::new(WebhookErrorKind::NoKey));
        }
        Ok(Self(keys))
    }

    /// Returns how many keys there are: at least one.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn all(&self) -> std::slice::Iter<'_, K> {
        self.0.iter()
    }
}

impl<K> From<K> for Keys<K> {
    fn from(key: K) -> Self {
        Self(Box::new([key]))
    }
}

impl<K> fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}
