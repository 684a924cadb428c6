//! What a sealed value is bound to.

use std::fmt;

/// More than any real names have; a length beyond it is refused before it is used.
const MAX_BOUND: usize = 64 * 1024;

/// The tenant, the instance and the field that a value is sealed for. It opens for these and for no other.
///
/// ```
/// use integration_core::vault::SealContext;
///
/// let context = SealContext::new("acme", "0197c0de-0000-7000-8000-000000000001", "api_key");
/// assert_ne!(context, SealContext::new("acme", "0197c0de-0000-7000-8000-000000000001", "api_secret"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SealContext(Vec<u8>);

impl SealContext {
    /// Names the place of a value.
    pub fn new(tenant: &str, instance: &str, field: &str) -> Self {
        let names = [tenant, instance, field];
        let length: usize = names.iter().map(|name| 4 + name.len()).sum();
        let mut bound = Vec::with_capacity(length);
        for name in names {
            push(&mut bound, name.as_bytes());
        }
        Self(bound)
    }

    /// The three names, each with its length in front, so that no two contexts give the same bytes.
    pub(super) fn names(&self) -> &[u8] {
        &self.0
    }

    /// What the tags of a value are computed over besides the value. None when the names are longer than a vault takes.
    pub(super) fn aad(&self, key_id: &str) -> Option<AssociatedData> {
        let bound = (self.0.len() <= MAX_BOUND).then_some(&self.0)?;
        let mut bytes = Vec::with_capacity(12 + key_id.len() + bound.len() + 4);
        push(&mut bytes, b"icv1");
        push(&mut bytes, key_id.as_bytes());
        bytes.extend_from_slice(bound);
        Some(AssociatedData {
            prefix: bytes.len(),
            bytes,
        })
    }
}

/// Shows the three names, which are identifiers, not secrets.
impl fmt::Debug for SealContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("SealContext");
        let mut rest = self.0.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let Some((name, after)) = after.split_at_checked(length) else {
                break;
            };
            shown.field(&String::from_utf8_lossy(name));
            rest = after;
        }
        shown.finish()
    }
}

/// The associated data of one value: a common part, and a last word that tells the wrapped key from the data.
pub(super) struct AssociatedData {
    bytes: Vec<u8>,
    prefix: usize,
}

impl AssociatedData {
    pub(super) fn of_key(&mut self) -> &[u8] {
        self.ending(b"dek")
    }

    pub(super) fn of_data(&mut self) -> &[u8] {
        self.ending(b"data")
    }

    fn ending(&mut self, word: &[u8]) -> &[u8] {
        self.bytes.truncate(self.prefix);
        self.bytes.extend_from_slice(word);
        &self.bytes
    }
}

/// Appends the length as 32 bits, big end first, and the bytes.
///
/// A length beyond 32 bits is far beyond `MAX_BOUND`, and so refused before what stands here matters.
pub(super) fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_between_names_count() {
        let split = |tenant, instance, field| SealContext::new(tenant, instance, field);
        assert_ne!(split("ab", "c", "d"), split("a", "bc", "d"));
        assert_ne!(split("a", "", "b"), split("a", "b", ""));
        assert_eq!(split("a", "b", "c"), split("a", "b", "c"));
    }

    #[test]
    fn associated_data_stands_as_documented() {
        let mut aad = SealContext::new("t", "in", "field").aad("k1").unwrap();
        let expected = b"\0\0\0\x04icv1\0\0\0\x02k1\0\0\0\x01t\0\0\0\x02in\0\0\0\x05field";
        assert_eq!(aad.of_key(), [expected.as_slice(), b"dek"].concat());
        assert_eq!(aad.of_data(), [expected.as_slice(), b"data"].concat());
        assert_eq!(aad.of_key(), [expected.as_slice(), b"dek"].concat());
    }

    #[test]
    fn names_of_absurd_length_are_refused() {
        let name = "a".repeat(MAX_BOUND);
        assert!(SealContext::new(&name, "", "").aad("k").is_none());
    }

    #[test]
    fn debug_shows_the_names() {
        let context = SealContext::new("acme", "", "api_key");
        assert_eq!(
            format!("{context:?}"),
            r#"SealContext("acme", "", "api_key")"#
        );
    }
}
