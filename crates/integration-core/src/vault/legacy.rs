//! Reading what an older system sealed: `{iv}:{data}`, AES-256-CBC under a key of scrypt. Reading alone.
//!
//! CBC authenticates nothing: who can write to the database can change such a value without anybody noticing, and move
//! it to another tenant. So every value is sealed anew when it is first read, the rest by the sweep, and then the form is
//! no longer allowed.
//!
//! The older system ignores a second colon and what follows it. Here such a value is refused: look for them with
//! [`StoredForm`](super::StoredForm) before moving over.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use scrypt::Params;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::context::SealContext;
use super::error::VaultError;
use super::form::legacy_parts;
use super::key::decode_hex;
use super::primitives::{BLOCK_LEN, Cbc, KEY_LEN};
use super::sealing::{self, Vault};

/// What the older system gave every key as its salt.
const SALT: &[u8] = b"salt";
/// 2¹⁴ = 16,384 rounds.
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 1;

/// Opens values of the older form, with the secret they were sealed with.
///
/// ```
/// use integration_core::vault::{KeyId, Keyring, Legacy, MasterKey, SealContext, Vault};
/// use secrecy::ExposeSecret;
///
/// let vault = Vault::new(Keyring::new(KeyId::new("k1")?, MasterKey::generate()?));
/// let legacy = Legacy::new(&"the older system's secret".into())?;
/// let context = SealContext::new("acme", "instance-1", "api_key");
///
/// // On the first read, the value comes with its replacement.
/// let stored = "2804bad6fe94a55f18b2b37e300919a5:eff6841f84e9cda9d922773c417d6007b82d52e9ec1f8b7524a24d87fbbf1cda";
/// let opened = legacy.open_and_renew(&vault, &context, stored)?;
/// assert_eq!(opened.secret.expose_secret(), r#"{"api_key":"sk_live_abc"}"#);
/// let renewed = opened.replacement.expect("to be stored over the old text, if that has not changed");
///
/// // From then on there is none.
/// assert!(legacy.open_and_renew(&vault, &context, &renewed)?.replacement.is_none());
///
/// // Once all are renewed, no text of the older form passes for a value any more.
/// legacy.set_allowed(false);
/// assert!(legacy.open(stored).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Legacy {
    key: Cbc,
    allowed: AtomicBool,
}

/// A value that was opened, of whichever form.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// What was sealed.
    pub secret: SecretString,
    /// The same, sealed anew: to be stored in the place of exactly the text that was read. None if it needs no renewal.
    pub replacement: Option<String>,
}

impl Legacy {
    /// Derives the key from the older system's secret. The secret is not kept, the key is wiped in the end.
    ///
    /// This computes for some 20 to 40 milliseconds and takes 16 MiB meanwhile. Do it once, at the start; in an async
    /// program on a thread for such work:
    ///
    /// ```
    /// use integration_core::vault::Legacy;
    /// use secrecy::SecretString;
    ///
    /// # async fn start(secret: SecretString) -> Result<(), Box<dyn std::error::Error>> {
    /// let legacy = tokio::task::spawn_blocking(move || Legacy::new(&secret)).await??;
    /// # let _ = legacy; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`VaultError::Unavailable`] when the cryptographic library fails.
    pub fn new(secret: &SecretString) -> Result<Self, VaultError> {
        let params = Params::new(LOG_N, R, P).map_err(|_| VaultError::Unavailable)?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let secret = secret.expose_secret().as_bytes();
        scrypt::scrypt(secret, SALT, &params, key.as_mut_slice())
            .map_err(|_| VaultError::Unavailable)?;
        Ok(Self {
            key: Cbc::new(&key)?,
            allowed: AtomicBool::new(true),
        })
    }

    /// Says whether values of the older form are opened. They are until told otherwise; after the sweep has found no
    /// more of them, they should not be.
    pub fn set_allowed(&self, allowed: bool) {
        self.allowed.store(allowed, Ordering::Relaxed);
    }

    /// Returns whether values of the older form are opened.
    pub fn allowed(&self) -> bool {
        self.allowed.load(Ordering::Relaxed)
    }

    /// Opens a value of the older form.
    ///
    /// What comes out was not authenticated: the caller checks that it is what the field holds (JSON that fits the
    /// schema, a key of the right shape) before using it.
    ///
    /// # Errors
    ///
    /// [`VaultError::LegacyNotAllowed`], or [`VaultError::Legacy`] for every other reason: another form, a wrong key, a
    /// wrong padding, no UTF-8.
    pub fn open(&self, stored: &str) -> Result<SecretString, VaultError> {
        if !self.allowed() {
            return Err(VaultError::LegacyNotAllowed);
        }
        self.decrypt(stored).ok_or(VaultError::Legacy)
    }

    /// Opens a value of either form. One of the older form comes with its replacement, sealed for `context`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) for a value of the older form, those of [`Vault::open`] for every other, and those
    /// of [`Vault::seal`].
    pub fn open_and_renew(
        &self,
        vault: &Vault,
        context: &SealContext,
        stored: &str,
    ) -> Result<Opened, VaultError> {
        if legacy_parts(stored).is_none() {
            return Ok(Opened {
                secret: vault.open(context, stored)?,
                replacement: None,
            });
        }
        let secret = self.open(stored)?;
        let replacement = vault.seal(context, &secret)?;
        Ok(Opened {
            secret,
            replacement: Some(replacement),
        })
    }

    fn decrypt(&self, stored: &str) -> Option<SecretString> {
        let (iv, data) = legacy_parts(stored)?;
        let iv: [u8; BLOCK_LEN] = decode_hex(iv)?.try_into().ok()?;
        let mut data = Zeroizing::new(decode_hex(data)?);
        let plaintext = self.key.decrypt(&iv, &mut data).ok()?;
        sealing::text(Zeroizing::new(plaintext.to_vec())).ok()
    }
}

impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Legacy")
            .field("allowed", &self.allowed())
            .finish_non_exhaustive()
    }
}
