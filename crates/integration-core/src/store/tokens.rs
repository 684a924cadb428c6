use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::ids::{IntegrationId, TenantId};

/// Names one row of tokens: an integration has one grant per owner (its own, or one user's).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TokenRowId {
    /// Whose integration.
    pub tenant: TenantId,
    /// Which integration.
    pub integration: IntegrationId,
    /// On whose behalf the tokens were granted: a location, a company, a user. Empty for the integration itself.
    pub owner: String,
}

impl TokenRowId {
    /// Names the row of an integration's own grant.
    pub fn new(tenant: TenantId, integration: IntegrationId) -> Self {
        Self {
            tenant,
            integration,
            owner: String::new(),
        }
    }

    /// Names the row of a grant on somebody's behalf.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// Returns the field for which the row's access token is sealed.
    ///
    /// ```
    /// use integration_core::store::TokenRowId;
    /// use integration_core::{IntegrationId, TenantId};
    ///
    /// let row = TokenRowId::new(TenantId::from("acme"), IntegrationId::generate());
    /// assert_eq!(row.access_token_field(), "oauth.access_token");
    /// assert_eq!(row.owner("loc-1").refresh_token_field(), "oauth.refresh_token.loc-1");
    /// ```
    pub fn access_token_field(&self) -> String {
        self.field("oauth.access_token")
    }

    /// Returns the field for which the row's refresh token is sealed.
    pub fn refresh_token_field(&self) -> String {
        self.field("oauth.refresh_token")
    }

    fn field(&self, name: &str) -> String {
        if self.owner.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.owner)
        }
    }
}

/// Tokens as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedTokens {
    /// The access token, sealed.
    pub access_token: String,
    /// The refresh token, sealed; none where the vendor gave none. A row that has one keeps it then.
    pub refresh_token: Option<String>,
    /// A keyed hash of the refresh token, by which two are told apart without opening them. Where there is no refresh
    /// token, that of the access token.
    pub fingerprint: String,
    /// `Bearer`.
    pub token_type: String,
    /// When the access token ends to be valid.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends to be valid, if the vendor says so.
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// What was granted.
    pub scope: Option<String>,
}

impl SealedTokens {
    /// Makes a row of what every grant has.
    pub fn new(
        access_token: impl Into<String>,
        fingerprint: impl Into<String>,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: None,
            fingerprint: fingerprint.into(),
            token_type: "Bearer".to_owned(),
            expires_at,
            refresh_expires_at: None,
            scope: None,
        }
    }
}

/// A row of tokens with what the store knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The tokens.
    pub tokens: SealedTokens,
    /// When they were granted or refreshed, by the store's clock. Sealing them anew does not change it.
    pub updated_at: DateTime<Utc>,
    /// The vendor said that this grant is over (`invalid_grant`) for the refresh token of this fingerprint.
    pub refused_fingerprint: Option<String>,
}

impl StoredTokens {
    /// Puts a row together.
    pub fn new(tokens: SealedTokens, updated_at: DateTime<Utc>) -> Self {
        Self {
            tokens,
            updated_at,
            refused_fingerprint: None,
        }
    }
}

/// What came of [`TokenRows::save_tokens_if`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveOutcome {
    /// Written.
    Saved,
    /// Not written: the row holds another refresh token than the one that was spent, so somebody else refreshed.
    Superseded,
    /// Not written: the row is gone.
    Gone,
}

/// Keeps the tokens of OAuth grants, for any number of processes at once.
///
/// The lease says who may call the identity provider; it is **not** asked when a result is saved. A holder whose
/// lease ran out still has the only valid token and must be able to save it, so saving compares the fingerprint of
/// the refresh token that was spent, and nothing else.
#[async_trait]
pub trait TokenRows: Send + Sync {
    /// Writes the tokens of a new grant, over whatever was there, all columns of it; takes any lease from its holder
    /// and forgets a refusal.
    ///
    /// # Errors
    ///
    /// When the store cannot write, or [`StoreError::NotFound`] when there is no such integration of that tenant.
    async fn put_tokens(&self, row: &TokenRowId, tokens: &SealedTokens) -> Result<(), StoreError>;

    /// Reads a row.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn tokens(&self, row: &TokenRowId) -> Result<Option<StoredTokens>, StoreError>;

    /// Takes the lease of a row for `ttl` if nobody else holds it, by the store's own clock. Its holder may take it
    /// again. Returns whether `owner` holds it now.
    ///
    /// # Errors
    ///
    /// When the store cannot write, or [`StoreError::NotFound`].
    async fn lease_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError>;

    /// Writes new tokens if the row still holds the refresh token of the fingerprint `spent`; ends the lease, whoever
    /// holds it, and forgets a refusal.
    ///
    /// What the vendor's reply left out stays as it was granted. Without a `refresh_token` the row keeps its own with
    /// its fingerprint, and with its `refresh_expires_at` unless there is a new one; without a `scope`, its scope. A row
    /// that never had a refresh token takes the new fingerprint. All of it is one statement: a value read before and
    /// written back could undo what a key rotation did in between.
    ///
    /// # Errors
    ///
    /// When the store cannot write; then it is to be tried again, for the tokens exist nowhere else.
    async fn save_tokens_if(
        &self,
        row: &TokenRowId,
        spent: &str,
        tokens: &SealedTokens,
    ) -> Result<SaveOutcome, StoreError>;

    /// Notes that the vendor refused the refresh token of this fingerprint, if the row still holds it. Returns
    /// whether it does.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn refuse_tokens(&self, row: &TokenRowId, fingerprint: &str) -> Result<bool, StoreError>;

    /// Gives a lease back, if `owner` still holds it.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn release_tokens(&self, row: &TokenRowId, owner: &str) -> Result<(), StoreError>;

    /// Deletes a row.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn delete_tokens(&self, row: &TokenRowId) -> Result<(), StoreError>;

    /// Deletes all rows of an integration, whoever owns them. Returns how many there were.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn delete_grants(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
    ) -> Result<u64, StoreError>;
}
