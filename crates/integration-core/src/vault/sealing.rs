//! Sealing and opening.

use std::fmt;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use super::context::SealContext;
use super::envelope::{self, DATA_OVERHEAD, Envelope, MAX_PLAINTEXT, WRAPPED_LEN};
use super::error::{KeyError, KeyErrorKind, VaultError};
use super::key::{Derived, KeyId};
use super::keyring::{Keyring, Named};
use super::primitives::{self, Gcm, KEY_LEN, NONCE_LEN};
use super::provider::KeyProvider;

/// Seals credentials, and opens them for the place they were sealed for.
///
/// Clones share one keyring. Nothing here waits or blocks: a value of a few hundred bytes takes microseconds.
///
/// ```
/// use integration_core::vault::{KeyId, Keyring, MasterKey, SealContext, Vault, VaultError};
/// use secrecy::ExposeSecret;
///
/// let vault = Vault::new(Keyring::new(KeyId::new("k1")?, MasterKey::generate()?));
/// let context = SealContext::new("acme", "instance-1", "api_key");
///
/// let stored = vault.seal(&context, &"sk_live_abc".into())?;
/// assert!(stored.starts_with("icv1.k1."));
/// assert_eq!(vault.open(&context, &stored)?.expose_secret(), "sk_live_abc");
///
/// // A row that was copied to another tenant does not open there.
/// let other = SealContext::new("umbrella", "instance-1", "api_key");
/// assert_eq!(vault.open(&other, &stored).unwrap_err(), VaultError::Refused);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vault(Arc<RwLock<Ring>>);

impl Vault {
    /// Makes a vault of a keyring. The master keys are wiped; what is kept of them are the keys derived from them.
    pub fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(Ring::new(keyring))))
    }

    /// Makes a vault of what a provider loads.
    ///
    /// # Errors
    ///
    /// What the provider says.
    pub async fn from_provider(provider: &(impl KeyProvider + ?Sized)) -> Result<Self, KeyError> {
        provider.load().await.map(Self::new)
    }

    /// Seals a value for one place, under the primary key. Every call gives another text.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooLarge`], [`VaultError::Unavailable`].
    pub fn seal(&self, context: &SealContext, secret: &SecretString) -> Result<String, VaultError> {
        self.ring().seal(context, secret.expose_secret().as_bytes())
    }

    /// Opens a value for the place it was sealed for, with the key it names and no other.
    ///
    /// # Errors
    ///
    /// [`VaultError::Malformed`], [`VaultError::UnknownKey`], [`VaultError::Refused`], [`VaultError::NotText`],
    /// [`VaultError::TooLarge`]. The value is as it was; nothing of it is in the error.
    pub fn open(&self, context: &SealContext, stored: &str) -> Result<SecretString, VaultError> {
        let envelope = Envelope::parse(stored).ok_or(VaultError::Malformed)?;
        text(self.ring().open(context, &envelope)?)
    }

    /// Seals a value that lies under an older key anew, under the primary key, with a fresh data key. Returns `None`
    /// when it lies under the primary key already. In both cases the value was opened, so it is known to be sound.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and [`seal`](Self::seal).
    pub fn rewrap(
        &self,
        context: &SealContext,
        stored: &str,
    ) -> Result<Option<String>, VaultError> {
        let envelope = Envelope::parse(stored).ok_or(VaultError::Malformed)?;
        let ring = self.ring();
        let plaintext = ring.open(context, &envelope)?;
        if ring.primary.id.as_str() == envelope.key_id {
            return Ok(None);
        }
        ring.seal(context, &plaintext).map(Some)
    }

    /// Puts another keyring in the place of this one, for this vault and all its clones, between two calls.
    ///
    /// # Errors
    ///
    /// Nothing changes, and the error is [`KeyErrorKind::IndexKeyChanged`] when stored blind indexes would no longer be
    /// found, or [`KeyErrorKind::KeyChanged`] when an id would mean another key. To change the index key, make a new
    /// vault, and the stored indexes anew.
    pub fn replace_keyring(&self, keyring: Keyring) -> Result<(), KeyError> {
        let new = Ring::new(keyring);
        let mut ring = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ring.may_become(&new)?;
        let old = mem::replace(&mut *ring, new);
        drop(ring);
        drop(old);
        Ok(())
    }

    /// Returns the id of the key that seals now.
    pub fn primary_id(&self) -> KeyId {
        self.ring().primary.id.clone()
    }

    /// Returns the id of the key that blind indexes and fingerprints are made with.
    pub fn index_id(&self) -> KeyId {
        self.ring().index.id.clone()
    }

    /// Returns the ids of all keys, the primary's first.
    pub fn key_ids(&self) -> Vec<KeyId> {
        self.ring().keys().map(|key| key.id.clone()).collect()
    }

    /// The lock is held for one computation, never across an await; nothing panics under it.
    pub(super) fn ring(&self) -> RwLockReadGuard<'_, Ring> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the ids of the keys and nothing of a key.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring();
        f.debug_struct("Vault")
            .field("primary", &ring.primary.id)
            .field("index", &ring.index.id)
            .field("keys", &ring.keys().map(|key| &key.id).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Makes text of what was opened, without leaving a copy behind.
pub(super) fn text(mut plaintext: Zeroizing<Vec<u8>>) -> Result<SecretString, VaultError> {
    String::from_utf8(mem::take(&mut *plaintext))
        .map(SecretString::from)
        .map_err(|refused| {
            refused.into_bytes().zeroize();
            VaultError::NotText
        })
}

/// What is left of a keyring once the keys for each purpose are derived.
pub(super) struct Ring {
    primary: RingKey,
    others: Vec<RingKey>,
    pub(super) index: IndexKeys,
}

struct RingKey {
    id: KeyId,
    kek: Gcm,
    /// Differs where the key does.
    mark: KeyId,
}

pub(super) struct IndexKeys {
    id: KeyId,
    mark: KeyId,
    pub(super) index: hmac::Key,
    pub(super) fingerprint: hmac::Key,
}

impl IndexKeys {
    fn of(id: &KeyId, derived: &Derived) -> Self {
        Self {
            id: id.clone(),
            mark: derived.id.clone(),
            index: derived.index.clone(),
            fingerprint: derived.fingerprint.clone(),
        }
    }
}

impl Ring {
    fn new(keyring: Keyring) -> Self {
        let Keyring {
            primary,
            others,
            index,
        } = keyring;
        // The keyring holds its index key; were it not so, the primary would stand in.
        let named = others.iter().find(|named| named.id == index);
        let named = named.unwrap_or(&primary);
        let index = IndexKeys::of(&named.id, &named.key.derived);
        Self {
            index,
            primary: RingKey::from(primary),
            others: others.into_iter().map(RingKey::from).collect(),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    fn may_become(&self, new: &Self) -> Result<(), KeyError> {
        if self.index.mark != new.index.mark {
            return Err(KeyErrorKind::IndexKeyChanged.into());
        }
        let changed = |key: &RingKey| {
            let mut namesakes = new.keys().filter(|other| other.id == key.id);
            namesakes.any(|other| other.mark != key.mark)
        };
        if self.keys().any(changed) {
            return Err(KeyErrorKind::KeyChanged.into());
        }
        Ok(())
    }

    pub(super) fn seal(
        &self,
        context: &SealContext,
        plaintext: &[u8],
    ) -> Result<String, VaultError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(VaultError::TooLarge);
        }
        let key_id = self.primary.id.as_str();
        let mut aad = context.aad(key_id).ok_or(VaultError::TooLarge)?;

        let mut fresh = Zeroizing::new([0; KEY_LEN + 2 * NONCE_LEN]);
        primitives::fill_random(fresh.as_mut())?;
        let (data_key, nonces) = fresh.split_first_chunk().ok_or(Unspecified)?;
        let (key_nonce, data_nonce) = nonces.split_first_chunk().ok_or(Unspecified)?;
        let data_nonce = data_nonce.first_chunk().ok_or(Unspecified)?;

        let mut wrapped = [0; WRAPPED_LEN];
        put(
            &self.primary.kek,
            key_nonce,
            aad.of_key(),
            data_key,
            &mut wrapped,
        )?;
        let mut data = vec![0; plaintext.len() + DATA_OVERHEAD];
        put(
            &Gcm::new(data_key)?,
            data_nonce,
            aad.of_data(),
            plaintext,
            &mut data,
        )?;
        Ok(envelope::format(key_id, &wrapped, &data))
    }

    pub(super) fn open(
        &self,
        context: &SealContext,
        envelope: &Envelope<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let mut named = self.keys().filter(|key| key.id.as_str() == envelope.key_id);
        let Some(key) = named.next() else {
            let key = KeyId::new(envelope.key_id).map_err(|_| VaultError::Malformed)?;
            return Err(VaultError::UnknownKey { key });
        };
        let mut aad = context.aad(envelope.key_id).ok_or(VaultError::TooLarge)?;

        let mut data_key = Zeroizing::new([0; KEY_LEN]);
        take(
            &key.kek,
            aad.of_key(),
            &envelope.wrapped,
            data_key.as_mut_slice(),
        )?;
        let data = envelope.data.as_slice();
        let length = data.len().saturating_sub(DATA_OVERHEAD);
        let mut plaintext = Zeroizing::new(vec![0; length]);
        take(&Gcm::new(&data_key)?, aad.of_data(), data, &mut plaintext)?;
        Ok(plaintext)
    }
}

impl From<Named> for RingKey {
    fn from(named: Named) -> Self {
        let Named { id, key } = named;
        let Derived { kek, id: mark, .. } = key.into_derived();
        Self { id, kek, mark }
    }
}

/// Writes nonce, ciphertext and tag to `out`.
fn put(
    key: &Gcm,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    plaintext: &[u8],
    out: &mut [u8],
) -> Result<(), VaultError> {
    let (head, rest) = out.split_first_chunk_mut().ok_or(Unspecified)?;
    *head = *nonce;
    Ok(key.seal(nonce, aad, plaintext, rest)?)
}

/// Reads what [`put`] wrote.
fn take(key: &Gcm, aad: &[u8], sealed: &[u8], out: &mut [u8]) -> Result<(), VaultError> {
    let (nonce, rest) = sealed.split_first_chunk().ok_or(VaultError::Malformed)?;
    key.open(nonce, aad, rest, out)
        .map_err(|_| VaultError::Refused)
}

/// Of everything but a tag that does not match, which is told apart where it occurs.
impl From<Unspecified> for VaultError {
    fn from(_: Unspecified) -> Self {
        Self::Unavailable
    }
}
