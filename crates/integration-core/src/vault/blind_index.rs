//! Finding a value without opening it, and telling two apart.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use secrecy::{ExposeSecret, SecretString};

use super::context::{SealContext, push};
use super::sealing::Vault;
use crate::ids::TenantId;

/// A keyed hash of a value, by which a store finds the row that holds it: 43 characters of base64url.
///
/// It is not a secret, but it stays with the rows: who has both the key and a list of guesses (all phone numbers of a
/// country) can try them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlindIndex(String);

impl BlindIndex {
    /// Returns the text to store and to look for.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<BlindIndex> for String {
    fn from(index: BlindIndex) -> Self {
        index.0
    }
}

impl Vault {
    /// Returns the blind index of a value of one tenant. `purpose` says what the value is (`email`, `phone`), so that
    /// equal texts of two kinds differ; the value has to be normalised by the caller, for one letter's case gives
    /// another index.
    ///
    /// The key is HKDF-SHA256 of the keyring's **index key** with the info `integration-core/v1/blind-index`, expanded
    /// for the tenant; the index is the HMAC-SHA256 of the purpose, with its length in front, and the value. It changes
    /// with the index key alone, which [`Keyring::promote`](super::Keyring::promote) and the rotation of sealed values
    /// leave as it is. To change the index key, every stored index has to be made anew from the opened values.
    ///
    /// ```
    /// use integration_core::TenantId;
    /// use integration_core::vault::{KeyId, Keyring, MasterKey, Vault};
    ///
    /// let vault = Vault::new(Keyring::new(KeyId::new("k1")?, MasterKey::generate()?));
    /// let (acme, umbrella) = (TenantId::from("acme"), TenantId::from("umbrella"));
    ///
    /// let index = vault.blind_index(&acme, "email", "jo@example.com");
    /// assert_eq!(index, vault.blind_index(&acme, "email", "jo@example.com"));
    /// assert_ne!(index, vault.blind_index(&umbrella, "email", "jo@example.com"));
    /// # Ok::<(), integration_core::vault::KeyError>(())
    /// ```
    pub fn blind_index(&self, tenant: &TenantId, purpose: &str, value: &str) -> BlindIndex {
        let of_tenant = expand(&self.ring().index.index, tenant.as_str().as_bytes());
        let mut message = Vec::with_capacity(4 + purpose.len() + value.len());
        push(&mut message, purpose.as_bytes());
        message.extend_from_slice(value.as_bytes());
        BlindIndex(BASE64.encode(hmac::sign(&of_tenant, &message)))
    }

    /// Returns a keyed hash of a secret in its place, by which two are told apart without opening them: 43 characters of
    /// base64url, the same for the same secret in the same place.
    ///
    /// The key is HKDF-SHA256 of the keyring's **index key** with the info `integration-core/v1/fingerprint`, the hash
    /// the HMAC-SHA256 of the context's names, each with its length in front, and the secret. It outlives rotations as
    /// [`blind_index`](Self::blind_index) does.
    pub fn fingerprint(&self, context: &SealContext, secret: &SecretString) -> String {
        let mut mac = hmac::Context::with_key(&self.ring().index.fingerprint);
        mac.update(context.names());
        mac.update(secret.expose_secret().as_bytes());
        BASE64.encode(mac.sign())
    }
}

/// The first block of HKDF-Expand (RFC 5869), which is a key of its own per `info`.
fn expand(key: &hmac::Key, info: &[u8]) -> hmac::Key {
    let mut mac = hmac::Context::with_key(key);
    mac.update(info);
    mac.update(&[1]);
    hmac::Key::new(hmac::HMAC_SHA256, mac.sign().as_ref())
}
