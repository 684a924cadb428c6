//! Where keyrings come from.

use async_trait::async_trait;

use super::error::KeyError;
use super::keyring::Keyring;

/// Loads the keyring from where the host keeps it: the environment, a file, a key management service.
///
/// ```
/// use async_trait::async_trait;
/// use integration_core::vault::{KeyError, KeyId, KeyProvider, Keyring, MasterKey};
///
/// struct KeyService;
///
/// impl KeyService {
///     async fn decrypt_master_key(&self) -> Result<Vec<u8>, std::io::Error> {
///         Ok(vec![7; 32])
///     }
/// }
///
/// #[async_trait]
/// impl KeyProvider for KeyService {
///     async fn load(&self) -> Result<Keyring, KeyError> {
///         let bytes = self.decrypt_master_key().await.map_err(KeyError::provider)?;
///         Ok(Keyring::new(KeyId::new("kms-1")?, MasterKey::from_bytes(&bytes)?))
///     }
/// }
/// ```
#[async_trait]
pub trait KeyProvider: Send + Sync {
    /// Loads the keyring as it is now.
    ///
    /// # Errors
    ///
    /// A [`KeyError`]; [`KeyError::provider`] makes one of whatever the service said.
    async fn load(&self) -> Result<Keyring, KeyError>;
}

/// Loads the keyring from the environment, by [`Keyring::from_env`].
#[derive(Copy, Clone, Debug, Default)]
#[non_exhaustive]
pub struct EnvironmentKeys;

impl EnvironmentKeys {
    /// Makes the provider.
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl KeyProvider for EnvironmentKeys {
    async fn load(&self) -> Result<Keyring, KeyError> {
        Keyring::from_env()
    }
}
