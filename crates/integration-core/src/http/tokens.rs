//! The tokens of OAuth grants, sealed in the vault.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connector_http::{
    Fingerprint, LeaseOwner, Saved, StoredToken, TokenSet, TokenStore, TokenStoreError,
    TokenStoreErrorKind,
};
use secrecy::SecretString;

use crate::store::{SaveOutcome, SealedTokens, StoreError, StoredTokens, TokenRowId, TokenRows};
use crate::vault::{SealContext, Vault, VaultError};

/// One grant in a store: the port of `connector-http` over a row of sealed tokens.
///
/// Each token is sealed for its tenant, its integration and its place, so that a token copied into another row or
/// column cannot be opened. What lies in the store beside them, and says nothing without the key, is the
/// fingerprint of the refresh token.
///
/// # Key rotation
///
/// A rotation changes no fingerprint: they depend on the keyring's index key alone. Even another index key would lose
/// nothing, for a fingerprint is made when its token is saved, read from the row whenever two are compared, and never
/// computed again. A refresh that brings no new refresh token leaves the sealed one alone, in whatever form a sweep
/// has put it meanwhile.
///
/// # Details
///
/// A token that cannot be opened is [`Unreadable`](TokenStoreErrorKind::Unreadable). Nothing but
/// [`connect`](Self::connect) writes over it, so that it is there again when its key is.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use connector_http::{TokenSet, TokenStoreError};
/// use integration_core::http::VaultTokenStore;
/// use integration_core::store::{TokenRowId, TokenRows};
/// use integration_core::vault::Vault;
///
/// /// A person has just connected the account.
/// async fn connected(
///     rows: Arc<dyn TokenRows>,
///     vault: Vault,
///     row: TokenRowId,
///     granted: &TokenSet,
/// ) -> Result<VaultTokenStore, TokenStoreError> {
///     let store = VaultTokenStore::new(rows, vault, row);
///     store.connect(granted).await?;
///     Ok(store)
/// }
/// ```
#[derive(Clone)]
pub struct VaultTokenStore {
    rows: Arc<dyn TokenRows>,
    vault: Vault,
    row: TokenRowId,
}

impl VaultTokenStore {
    /// Names the row in which the grant lies, or will lie once it is [connected](Self::connect).
    pub fn new(rows: Arc<dyn TokenRows>, vault: Vault, row: TokenRowId) -> Self {
        Self { rows, vault, row }
    }

    /// Returns the row's name.
    pub fn row(&self) -> &TokenRowId {
        &self.row
    }

    /// Writes the tokens of a new grant, over whatever was there: a person has connected the account, for the first
    /// time or again. A refresh of the grant before that is still under way can no longer save anything.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](TokenStoreErrorKind::NotConnected) when there is no such integration of that tenant;
    /// [`Unavailable`](TokenStoreErrorKind::Unavailable) when the store cannot write.
    pub async fn connect(&self, tokens: &TokenSet) -> Result<(), TokenStoreError> {
        let sealed = self.seal(tokens)?;
        self.rows
            .put_tokens(&self.row, &sealed)
            .await
            .map_err(store_failed)
    }

    fn seal(&self, tokens: &TokenSet) -> Result<SealedTokens, TokenStoreError> {
        let (access, refresh) = (self.access(), self.refresh());
        let seal = |context: &SealContext, token: &SecretString| {
            self.vault.seal(context, token).map_err(cannot_seal)
        };
        let fingerprint = match &tokens.refresh_token {
            Some(token) => self.vault.fingerprint(&refresh, token),
            None => self.vault.fingerprint(&access, &tokens.access_token),
        };
        Ok(SealedTokens {
            access_token: seal(&access, &tokens.access_token)?,
            refresh_token: tokens
                .refresh_token
                .as_ref()
                .map(|token| seal(&refresh, token))
                .transpose()?,
            fingerprint,
            token_type: tokens.token_type.clone(),
            expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            scope: tokens.scope.clone(),
        })
    }

    fn open(&self, stored: StoredTokens) -> Result<StoredToken, TokenStoreError> {
        let sealed = stored.tokens;
        let open = |context: &SealContext, value: &str| {
            self.vault.open(context, value).map_err(cannot_open)
        };
        let mut tokens = TokenSet::new(
            open(&self.access(), &sealed.access_token)?,
            sealed.expires_at,
        );
        tokens.refresh_token = sealed
            .refresh_token
            .as_deref()
            .map(|value| open(&self.refresh(), value))
            .transpose()?;
        tokens.token_type = sealed.token_type;
        tokens.refresh_expires_at = sealed.refresh_expires_at;
        tokens.scope = sealed.scope;
        let refused = stored.refused_fingerprint.as_ref() == Some(&sealed.fingerprint);
        let fingerprint = Fingerprint::new(sealed.fingerprint);
        Ok(StoredToken::new(tokens, fingerprint, stored.updated_at).refused(refused))
    }

    fn access(&self) -> SealContext {
        self.context(&self.row.access_token_field())
    }

    fn refresh(&self) -> SealContext {
        self.context(&self.row.refresh_token_field())
    }

    fn context(&self, field: &str) -> SealContext {
        let instance = self.row.integration.to_string();
        SealContext::new(self.row.tenant.as_str(), &instance, field)
    }
}

#[async_trait]
impl TokenStore for VaultTokenStore {
    async fn load(&self) -> Result<Option<StoredToken>, TokenStoreError> {
        let stored = self.rows.tokens(&self.row).await.map_err(store_failed)?;
        stored.map(|stored| self.open(stored)).transpose()
    }

    async fn try_lease(&self, owner: &LeaseOwner, ttl: Duration) -> Result<bool, TokenStoreError> {
        self.rows
            .lease_tokens(&self.row, owner.as_str(), ttl)
            .await
            .map_err(store_failed)
    }

    async fn save_if(&self, spent: &Fingerprint, new: &TokenSet) -> Result<Saved, TokenStoreError> {
        let sealed = self.seal(new)?;
        let outcome = self
            .rows
            .save_tokens_if(&self.row, spent.as_str(), &sealed)
            .await
            .map_err(store_failed)?;
        Ok(match outcome {
            SaveOutcome::Saved => Saved::Saved,
            SaveOutcome::Superseded => Saved::Superseded,
            SaveOutcome::Gone => Saved::Gone,
        })
    }

    async fn refuse(&self, fingerprint: &Fingerprint) -> Result<bool, TokenStoreError> {
        self.rows
            .refuse_tokens(&self.row, fingerprint.as_str())
            .await
            .map_err(store_failed)
    }

    async fn release(&self, owner: &LeaseOwner) -> Result<(), TokenStoreError> {
        self.rows
            .release_tokens(&self.row, owner.as_str())
            .await
            .map_err(store_failed)
    }
}

impl fmt::Debug for VaultTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultTokenStore")
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

fn store_failed(error: StoreError) -> TokenStoreError {
    let kind = match error {
        StoreError::NotFound => TokenStoreErrorKind::NotConnected,
        StoreError::Corrupt(_) => TokenStoreErrorKind::Unreadable,
        StoreError::Refused(_) => TokenStoreErrorKind::Unstorable,
        // A full disk and a locked file are cleared by somebody; a fetched token must wait for that, not be dropped.
        StoreError::VersionConflict
        | StoreError::AlreadyExists
        | StoreError::InUse { .. }
        | StoreError::Locked(_)
        | StoreError::ReadOnly(_)
        | StoreError::Unavailable(_) => TokenStoreErrorKind::Unavailable,
    };
    TokenStoreError::new(kind).source(error)
}

fn cannot_open(error: VaultError) -> TokenStoreError {
    let kind = match error {
        VaultError::Unavailable => TokenStoreErrorKind::Unavailable,
        _ => TokenStoreErrorKind::Unreadable,
    };
    TokenStoreError::new(kind).source(error)
}

fn cannot_seal(error: VaultError) -> TokenStoreError {
    let kind = match error {
        VaultError::TooLarge => TokenStoreErrorKind::Unstorable,
        _ => TokenStoreErrorKind::Unavailable,
    };
    TokenStoreError::new(kind).source(error)
}
