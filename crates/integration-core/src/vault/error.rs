//! What goes wrong with a value, and what goes wrong with a key.

use std::error::Error as StdError;
use std::fmt;

use thiserror::Error;

use super::key::KeyId;

/// Why a value could not be sealed or opened. No text here holds anything of a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The stored text is not of the form `icv1.….….…`: cut short, altered, or never sealed.
    #[error("the stored value is not of the form this vault writes")]
    Malformed,
    /// The value was sealed under a key that the keyring does not hold: one that was retired too early, or a value of
    /// another system. No other key is tried.
    #[error("the stored value is sealed under key {key}, which is not in the keyring")]
    UnknownKey {
        /// The key's id as the value names it.
        key: KeyId,
    },
    /// The value was sealed for another tenant, instance or field, or altered since, or sealed under another key that
    /// had the same id. Which of these, the tag does not say.
    #[error("the stored value is not what was sealed for this tenant, instance and field")]
    Refused,
    /// The value opened, but what was sealed is not UTF-8.
    #[error("the opened value is not text")]
    NotText,
    /// The value is larger than 64 KiB, or the names of its context are.
    #[error("the value is larger than a vault takes")]
    TooLarge,
    /// A value of the older form `{iv}:{data}` cannot be opened. There is one error for every reason, so that nobody
    /// learns from it how far the attempt got.
    #[error("the value of the older form cannot be opened")]
    Legacy,
    /// A value of the older form was found where such values are no longer allowed.
    #[error("values of the older form are no longer allowed")]
    LegacyNotAllowed,
    /// The system gave no random bytes, or the cryptographic library failed.
    #[error("the cryptographic library failed")]
    Unavailable,
}

/// How to come by a key, as every message about one says. A new one opens nothing of what is stored.
const HOW: &str = "make one with `openssl rand -base64 32`, or restore the one that stored values were sealed with";

/// Why a key or a keyring cannot be used. A host that gets one should not start.
///
/// Its text says where the fault lies and what to do, and never repeats what was given: that may be most of a key.
#[derive(Debug)]
pub struct KeyError {
    kind: KeyErrorKind,
    variable: Option<&'static str>,
    entry: Option<usize>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl KeyError {
    /// Makes the error of a [`KeyProvider`](super::KeyProvider) that cannot load. What `source` says must hold nothing
    /// of a key.
    pub fn provider(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(KeyErrorKind::Provider)
        }
    }

    pub(super) fn new(kind: KeyErrorKind) -> Self {
        Self {
            kind,
            variable: None,
            entry: None,
            source: None,
        }
    }

    pub(super) fn in_variable(mut self, name: &'static str) -> Self {
        self.variable = Some(name);
        self
    }

    /// Of several, counted from 1.
    pub(super) fn in_entry(mut self, entry: usize) -> Self {
        self.entry = Some(entry);
        self
    }

    /// Returns what is wrong.
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }

    /// Returns the environment variable that the fault lies in, if it was read from one.
    pub fn variable(&self) -> Option<&'static str> {
        self.variable
    }
}

impl From<KeyErrorKind> for KeyError {
    fn from(kind: KeyErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = self.variable {
            write!(f, "{variable}")?;
            if let Some(entry) = self.entry {
                write!(f, ", entry {entry}")?;
            }
            f.write_str(": ")?;
        } else if let Some(entry) = self.entry {
            write!(f, "entry {entry}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

impl StdError for KeyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// What is wrong with a key or a keyring.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// No key was given.
    #[error("no master key is set; {HOW}")]
    Missing,
    /// A key was given that is no text at all.
    #[error("the master key is empty; {HOW}")]
    Empty,
    /// The text is neither 64 hex digits nor base64.
    #[error("the master key is neither base64 nor 64 hex digits; {HOW}")]
    Encoding,
    /// The text is a key behind an id and a colon, as a keyring has it, where a key alone is wanted.
    #[error(
        "an id stands in front of the master key; here the key is wanted alone, without the id and the colon"
    )]
    IdInFront,
    /// Several keys are separated by something else than commas.
    #[error("the keys of a keyring are separated by commas: `k2:KEY,k1:KEY,index=k1`")]
    Separator,
    /// The text is well-formed and stands for the wrong number of bytes.
    #[error("the master key has {bytes} bytes instead of 32; {HOW}")]
    Length {
        /// How many bytes it stands for.
        bytes: usize,
    },
    /// A key id has characters other than letters, digits, `_` and `-`, or is empty or longer than 64, or looks like
    /// a key: ids stand readable in every value.
    #[error("a key id is 1 to 64 of A-Z, a-z, 0-9, _ and -, and is not a key itself")]
    KeyId,
    /// Two keys have the same id.
    #[error("two keys have the same id")]
    DuplicateId,
    /// The same key is there twice, so that a rotation from one to the other would change nothing.
    #[error(
        "the same key is there twice under two ids; take one out, \
         or make another with `openssl rand -base64 32` for the newer id"
    )]
    DuplicateKey,
    /// The key for blind indexes and fingerprints is named twice.
    #[error(
        "`index=` is there twice; leave the one that names the key that blind indexes were made with so far"
    )]
    DuplicateIndex,
    /// The keyring does not hold the key that is named.
    #[error("there is no key of that id in the keyring")]
    UnknownId,
    /// There are several keys, and none is named as the one for blind indexes and fingerprints.
    #[error(
        "with several keys, one must be named for blind indexes and fingerprints: \
         append `,index=` and the id of the key that made them so far, which usually is the older one"
    )]
    IndexKeyNotNamed,
    /// The key is the primary, or the one for blind indexes and fingerprints, and cannot be taken out.
    #[error("the primary key and the index key cannot be taken out of the keyring")]
    InUse,
    /// The new keyring would make other blind indexes and fingerprints than those that are stored.
    #[error(
        "the new keyring names another index key, so stored blind indexes would not be found: name the one there was \
         with `,index=` and its id, or, if no blind index is stored, restart with the new keyring"
    )]
    IndexKeyChanged,
    /// The new keyring holds another key under an id that values were sealed under.
    #[error("the new keyring holds another key under the same id; give a new key a new id")]
    KeyChanged,
    /// A key provider could not load the keyring.
    #[error("the key provider could not load the keyring")]
    Provider,
    /// The system gave no random bytes, or the cryptographic library failed.
    #[error("the cryptographic library failed")]
    Unavailable,
}
