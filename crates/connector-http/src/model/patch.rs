//! Leaving a field alone, emptying it, or setting it: three different things to a vendor's PATCH.

use serde::{Serialize, Serializer};

/// What to do with one field of an existing thing.
///
/// ```
/// use connector_http::Patch;
///
/// #[derive(Default, serde::Serialize)]
/// struct ContactPatch {
///     #[serde(skip_serializing_if = "Patch::is_keep")]
///     company: Patch<String>,
///     #[serde(skip_serializing_if = "Patch::is_keep")]
///     role: Patch<String>,
/// }
///
/// let patch = ContactPatch { role: Patch::Clear, ..ContactPatch::default() };
/// assert_eq!(serde_json::to_string(&patch)?, r#"{"role":null}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth thing to do, and whoever merges patches has to handle all three"
)]
pub enum Patch<T> {
    /// Leaves it as it is; the field is not sent.
    #[default]
    Keep,
    /// Empties it; `null` is sent.
    Clear,
    /// Sets it.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns whether the field is left alone: for `skip_serializing_if`.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Returns the value to set, if there is one.
    pub const fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Changes the value to set, if there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(change(value)),
        }
    }

    /// Returns the field's value after this patch, given the one before.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

/// A field that is kept should be skipped; where it cannot be, it is written as `null`, as is one that is cleared.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.set().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_applies() {
        assert_eq!(Patch::Keep.apply(Some(1)), Some(1));
        assert_eq!(Patch::Clear.apply(Some(1)), None);
        assert_eq!(Patch::Set(2).apply(Some(1)), Some(2));
        assert_eq!(Patch::from(3).map(|n| n + 1), Patch::Set(4));
        assert_eq!(Patch::<u8>::Clear.map(|n| n + 1), Patch::Clear);
    }
}
