//! Telling what a stored text is, without a key.

use super::envelope::Envelope;
use super::key::KeyId;

/// What a stored text looks like. Nothing is opened, so nothing is promised about what is in it.
///
/// ```
/// use integration_core::vault::StoredForm;
///
/// let legacy = "0e035ea2cf9127a1fa959b2c60bb9a7f:b0b544f3221f9ca29e6b14d416674cf1";
/// assert_eq!(StoredForm::of(legacy), StoredForm::Legacy);
/// assert_eq!(StoredForm::of("sk_live_abc"), StoredForm::Neither);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoredForm {
    /// A value of this vault's form.
    Sealed {
        /// The key it says it was sealed under.
        key: KeyId,
    },
    /// A value of the older form `{iv}:{data}`.
    Legacy,
    /// Neither: cut short, altered, or never sealed.
    Neither,
}

impl StoredForm {
    /// Looks at a stored text.
    pub fn of(stored: &str) -> Self {
        if let Some(envelope) = Envelope::parse(stored)
            && let Ok(key) = KeyId::new(envelope.key_id)
        {
            return Self::Sealed { key };
        }
        if legacy_parts(stored).is_some() {
            return Self::Legacy;
        }
        Self::Neither
    }
}

/// The most hex digits of data that are taken: 1 MiB of ciphertext.
const MAX_LEGACY_DIGITS: usize = 2 * 1024 * 1024;

/// IV and data of the older form, in hex: 32 digits, one colon, a positive multiple of 32 digits, and nothing else.
///
/// The system that wrote them ignores a second colon and what follows it; here such a value is refused.
pub(super) fn legacy_parts(stored: &str) -> Option<(&[u8], &[u8])> {
    let (iv, data) = stored.split_once(':')?;
    let (iv, data) = (iv.as_bytes(), data.as_bytes());
    let whole_blocks = !data.is_empty() && data.len().is_multiple_of(32);
    let sizes = iv.len() == 32 && whole_blocks && data.len() <= MAX_LEGACY_DIGITS;
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
    (sizes && digits(iv) && digits(data)).then_some((iv, data))
}
