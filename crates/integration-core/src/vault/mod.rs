//! Keeps credentials: each value sealed for one tenant, one instance and one field.
//!
//! ```
//! use integration_core::vault::{KeyId, Keyring, MasterKey, SealContext, Vault};
//! use secrecy::ExposeSecret;
//!
//! // A host reads it once at its start, and does not start without: Keyring::from_env()?
//! let keyring = Keyring::new(KeyId::new("k2026a")?, MasterKey::generate()?);
//! let vault = Vault::new(keyring);
//!
//! let context = SealContext::new("acme", "0197c0de-0000-7000-8000-000000000001", "api_key");
//! let stored = vault.seal(&context, &"sk_live_abc".into())?;
//! assert_eq!(vault.open(&context, &stored)?.expose_secret(), "sk_live_abc");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is stored
//!
//! `icv1.{key id}.{b64url(nonce ‖ wrapped data key ‖ tag)}.{b64url(nonce ‖ ciphertext ‖ tag)}`, one text per field.
//! AES-256-GCM twice: the value under a random data key of its own, the data key under a key derived from the master key
//! (HKDF-SHA256, no salt, info `integration-core/v1/kek`). Both tags cover, each with its length in front (32 bits, big
//! end first), `icv1`, the key id, the tenant, the instance and the field, and then `dek` or `data`.
//!
//! # What that stops, and what it does not
//!
//! - Who can **read** the database learns lengths, key ids, and which values were written when; no value, and not
//!   whether two are equal.
//! - Who can **write** to it cannot move a value to another tenant, instance or field, change a bit of it, or pass it
//!   off as another key's. They can delete a value, or put back an older one of the same place: the vault does not know
//!   which is the latest.
//! - Who has a **master key** and the database has everything under that key. Rotating does not undo that: change the
//!   credentials at the vendors too.
//! - Who reads the **memory** of the process has what it has opened. Plaintexts and data keys are wiped when they are no
//!   longer used; the copies that an HTTP client makes of a header are not ours to wipe.
//! - A **blind index** shows which rows of a tenant hold the same value, and with the index key can be guessed at.
//!
//! # Rotation
//!
//! A primary should have wrapped well under 2³² values when it is replaced, because its nonces are random.
//!
//! 1. Make a key: `openssl rand -base64 32`. Add it **behind** the primary, and name the key that made the blind indexes
//!    so far: `API_KEY_ENCRYPTION_SECRET=k1:OLD,k2:NEW,index=k1`. Bring this to every replica. Each can open both now.
//! 2. Promote: put the new key **first**, `k2:NEW,k1:OLD,index=k1`, on every replica. New values are sealed under it.
//! 3. Sweep: `Rotation` (feature `http`) seals every stored value anew that lies under another key.
//! 4. When its report says that the old key may be retired, take it out. The index key stays, unless the host has stored
//!    no blind index: `RotationReport::why_not` says what to do.
//!
//! A key without an id has one derived from it; [`Vault::primary_id`] tells which. In a running process,
//! [`Vault::replace_keyring`] takes the same steps without a restart.

mod blind_index;
#[cfg(feature = "http")]
mod check;
mod context;
mod envelope;
mod error;
mod form;
mod key;
mod keyring;
#[cfg(feature = "vault-legacy")]
mod legacy;
mod primitives;
mod provider;
#[cfg(feature = "http")]
mod rotation;
mod sealing;

pub use self::blind_index::BlindIndex;
#[cfg(feature = "http")]
pub use self::check::VaultCheck;
pub use self::context::SealContext;
pub use self::error::{KeyError, KeyErrorKind, VaultError};
pub use self::form::StoredForm;
pub use self::key::{KeyId, MasterKey};
pub use self::keyring::{KEY_VARIABLE, Keyring};
#[cfg(feature = "vault-legacy")]
pub use self::legacy::{Legacy, Opened};
pub use self::provider::{EnvironmentKeys, KeyProvider};
#[cfg(feature = "http")]
pub use self::rotation::{
    KeyNeeded, Rotation, RotationCounts, RotationError, RotationProgress, RotationReport, Unopened,
};
pub use self::sealing::Vault;
