//! A master key and its name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{
    STANDARD, STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT,
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::{Zeroize, Zeroizing};

use super::error::{KeyError, KeyErrorKind};
use super::primitives::{self, Gcm, KEY_LEN};

/// The name of a master key. It stands readable in every value that is sealed under the key, and is authenticated with
/// it.
///
/// ```
/// use integration_core::vault::KeyId;
///
/// let id: KeyId = "k2026a".parse()?;
/// assert_eq!(id.as_str(), "k2026a");
/// assert!("no.dots".parse::<KeyId>().is_err());
/// # Ok::<(), integration_core::vault::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    pub(super) const MAX_LEN: usize = 64;

    /// Takes 1 to 64 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::KeyId`] for anything else.
    pub fn new(id: &str) -> Result<Self, KeyError> {
        if !Self::is_valid(id) {
            return Err(KeyErrorKind::KeyId.into());
        }
        Ok(Self(id.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_valid(id: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (1..=Self::MAX_LEN).contains(&id.len()) && id.bytes().all(allowed)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(id: &str) -> Result<Self, KeyError> {
        Self::new(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 32 secret bytes that everything else is derived from. They are wiped when the key is dropped, and `Debug` shows
/// nothing of them.
///
/// ```
/// use integration_core::vault::MasterKey;
///
/// let key = MasterKey::parse(&"d2Uga2VlcCBzZWNyZXRzIGluIGEgdmF1bHQgaGVyZSE=".into())?;
/// assert_eq!(format!("{key:?}"), "MasterKey(..)");
/// assert!(MasterKey::parse(&"too short".into()).is_err());
/// # Ok::<(), integration_core::vault::KeyError>(())
/// ```
pub struct MasterKey {
    bytes: SecretBox<[u8; KEY_LEN]>,
    pub(super) derived: Derived,
}

impl MasterKey {
    /// Makes a new key at random.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Unavailable`] when the system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        primitives::fill_random(bytes.as_mut()).map_err(unavailable)?;
        Self::from_bytes(bytes.as_slice())
    }

    /// Takes 32 bytes as 64 hex digits, or in base64 or base64url, padded or not. Blanks around them (a file ends with a
    /// newline) are ignored.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Empty`], [`KeyErrorKind::Encoding`], [`KeyErrorKind::Length`], and [`KeyErrorKind::IdInFront`] for
    /// what [`Keyring::parse`](super::Keyring::parse) takes.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        Self::parse_str(text.expose_secret())
    }

    /// Takes 32 bytes as they are, as a key service returns them.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Length`] for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let array: &[u8; KEY_LEN] = bytes
            .try_into()
            .map_err(|_| KeyErrorKind::Length { bytes: bytes.len() })?;
        Ok(Self {
            derived: Derived::from_master(array).map_err(unavailable)?,
            bytes: SecretBox::init_with_mut(|own: &mut [u8; KEY_LEN]| own.copy_from_slice(array)),
        })
    }

    /// Returns the key in base64, to be written where only the host can read it.
    pub fn to_base64(&self) -> SecretString {
        SecretString::from(STANDARD.encode(self.bytes.expose_secret()))
    }

    pub(super) fn parse_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyErrorKind::Empty.into());
        }
        let bytes = decode(text).ok_or_else(|| match text.split_once(':') {
            Some((id, _)) if KeyId::is_valid(id.trim()) => KeyErrorKind::IdInFront,
            _ => KeyErrorKind::Encoding,
        })?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The id of a key that was given none: a function of the key, so that another key has another.
    pub(super) fn derived_id(&self) -> KeyId {
        self.derived.id.clone()
    }

    /// Wipes the key and leaves what was derived from it.
    pub(super) fn into_derived(self) -> Derived {
        self.derived
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        let (own, other) = (self.bytes.expose_secret(), other.bytes.expose_secret());
        constant_time::verify_slices_are_equal(own, other).is_ok()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// What a vault keeps of a master key: keys for one purpose each, none of which leads back to it or to another.
pub(super) struct Derived {
    /// Wraps data keys.
    pub(super) kek: Gcm,
    /// Makes blind indexes.
    pub(super) index: hmac::Key,
    /// Makes fingerprints.
    pub(super) fingerprint: hmac::Key,
    /// Tells keys apart without holding them.
    pub(super) id: KeyId,
}

impl Derived {
    fn from_master(master: &[u8; KEY_LEN]) -> Result<Self, Unspecified> {
        let derive = |info: &str| -> Result<Zeroizing<[u8; KEY_LEN]>, Unspecified> {
            let mut key = Zeroizing::new([0; KEY_LEN]);
            primitives::hkdf_sha256(&[], master, info.as_bytes(), key.as_mut())?;
            Ok(key)
        };
        let mac_key =
            |info| derive(info).map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()));
        let name = derive("integration-core/v1/key-id")?;
        let digits = name.iter().take(6).map(|byte| format!("{byte:02x}"));
        let name: String = std::iter::once("k".to_owned()).chain(digits).collect();
        Ok(Self {
            kek: Gcm::new(&*derive("integration-core/v1/kek")?)?,
            index: mac_key("integration-core/v1/blind-index")?,
            fingerprint: mac_key("integration-core/v1/fingerprint")?,
            id: KeyId(name.into()),
        })
    }
}

/// A text of hex digits alone is taken as hex, so that a key cut short is measured right; but for those of the length
/// that 32 bytes have in base64.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && !matches!(text.len(), 43 | 44) {
        return decode_hex(text.as_bytes()).map(Zeroizing::new);
    }
    // Room for all of it from the start: a buffer that grows would leave its old self behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let standard = STANDARD_PAD_INDIFFERENT.decode_vec(text, &mut bytes);
    if standard.is_err() {
        bytes.zeroize();
        URL_SAFE_PAD_INDIFFERENT.decode_vec(text, &mut bytes).ok()?;
    }
    Some(bytes)
}

/// Hex of either case.
pub(super) fn decode_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn unavailable(_: Unspecified) -> KeyError {
    KeyErrorKind::Unavailable.into()
}
