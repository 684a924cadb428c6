//! Where the tokens of one OAuth grant lie, for any number of processes that refresh them.
//!
//! Many vendors give refresh tokens that work once, and take a spent one that comes back for a theft: they revoke the
//! whole grant. So no token may be sent twice, and no new one may be lost, while processes share the grant, wait for
//! a slow identity provider, and die at any moment. The store keeps three things that make this possible: the tokens,
//! a lease, and the fingerprint of the refresh token. [`TokenStore`] says step by step how they are used.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::auth::{AuthError, AuthErrorKind};

/// Keeps the tokens of one grant, for any number of processes that share it.
///
/// Whoever implements it makes every method one atomic step, across processes.
///
/// # When to refresh
///
/// When a caller wants an access token that is not *fresh*: its end is nearer than the lesser of five minutes and half
/// its life, less up to a tenth of that by chance, so that processes do not all begin at once. Or when a vendor has
/// refused it with a 401: then no token is fresh but another one. And before a refresh token dies of disuse: when it
/// has lain for half its life or 24 hours, whichever is sooner.
///
/// # One refresh, step by step
///
/// 1. Within a process, all callers share one refresh.
/// 2. [`load`](Self::load). Fresh: use it. [`refused`](StoredToken::refused): a person has to reconnect; the
///    identity provider is not asked again.
/// 3. [`try_lease`](Self::try_lease), for longer than the call of step 6 may take: 60 s for a call of at most
///    15 s. Note the monotonic time *before* asking. Who does not get it waits 50 ms, doubling up to 1 s, and goes back
///    to step 2; after 20 s it uses the old access token if that is still valid, or fails for now.
/// 4. With the lease, [`load`](Self::load) again: whoever had it before may have refreshed. Fresh: release, use it.
/// 5. See that the call fits into what is left of the lease, by the monotonic clock. If the process was stopped
///    meanwhile, it does not: back to step 3. A call that may take longer than the lease takes the lease again while it
///    runs, at a third of its time.
/// 6. Send the refresh token to the identity provider, `NotIdempotent`: once bytes have left, it is not sent again, for it
///    may be spent. A caller may stop waiting; the call goes on to its own time-out, since an answer that nobody
///    reads is a lost token.
/// 7. By what comes back:
///    - *Tokens:* [`save_if`](Self::save_if) with the fingerprint of the token that was **sent**. The lease is not
///      asked: a holder whose lease ran out still has the only valid token. Repeat while the error is
///      [retryable](TokenStoreError::is_retryable); neither a cancelled caller nor a shutdown ends this before it is
///      done. Only then is the new access token used. [`Saved::Superseded`]: load, and use what is there.
///    - *`invalid_grant`:* load. Another fingerprint: somebody else won, use theirs. The same: wait 2 s, load once more.
///      Still the same: [`refuse`](Self::refuse), and a person has to reconnect.
///    - *Anything else* (no connection, a time-out, 5xx) is never the end of a grant: fail for now.
/// 8. [`release`](Self::release), where nothing was saved. Saving ends the lease by itself.
///
/// # When the process dies
///
/// | After | The others find | Lost |
/// |---|---|---|
/// | step 2 | nothing out of the ordinary | nothing |
/// | step 3, 4 or 5 | a lease: they use the old access token while it is valid, and refresh when the lease has run out | nothing |
/// | step 6, before the request was read | the same | nothing |
/// | step 6 or 7, with the answer on its way or at hand | a lease; when it has run out, the next one sends the spent token again. A vendor that allows a repeat for some seconds answers with tokens. The others answer `invalid_grant`, which is confirmed after 2 s and stored as a refusal, so that it is asked about once and not for ever | the grant. The only copy of the new token died; nothing on this side can bring it back |
/// | the save | the new tokens, and no lease | nothing |
///
/// A process that was stopped rather than killed, with the answer at hand, saves it when it wakes, although its lease is
/// over: within the 2 s, the others never notice; later, the save lifts the refusal.
///
/// # Clocks
///
/// The lease runs by the store's clock. [`TokenSet::expires_at`] comes from the wall clock of the process that refreshed:
/// one whose clock is five minutes ahead of it refreshes five minutes early, one behind meets a 401 and refreshes
/// then. Neither spends a token twice.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use connector_http::{Fingerprint, Saved, Timer, TokenSet, TokenStore, TokenStoreError};
///
/// /// Keeps what the identity provider answered. It exists nowhere else, so giving up is no choice.
/// async fn keep(
///     store: &dyn TokenStore,
///     timer: &dyn Timer,
///     spent: &Fingerprint,
///     new: &TokenSet,
/// ) -> Result<Saved, TokenStoreError> {
///     let mut wait = Duration::from_millis(50);
///     loop {
///         match store.save_if(spent, new).await {
///             Err(error) if error.is_retryable() => timer.sleep(wait).await,
///             settled => return settled,
///         }
///         wait = (wait * 2).min(Duration::from_secs(1));
///     }
/// }
/// ```
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Reads the tokens; none when the account is not connected.
    ///
    /// # Errors
    ///
    /// [`Unreadable`](TokenStoreErrorKind::Unreadable) when there are tokens that cannot be opened;
    /// [`Unavailable`](TokenStoreErrorKind::Unavailable) when the store cannot read.
    async fn load(&self) -> Result<Option<StoredToken>, TokenStoreError>;

    /// Takes the lease for `ttl` if nobody else holds it, or renews one's own, by the store's clock. Returns whether
    /// `owner` holds it now.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](TokenStoreErrorKind::NotConnected) when there are no tokens;
    /// [`Unavailable`](TokenStoreErrorKind::Unavailable) when the store cannot write.
    async fn try_lease(&self, owner: &LeaseOwner, ttl: Duration) -> Result<bool, TokenStoreError>;

    /// Writes `new` if the refresh token there is still the one of the fingerprint `spent`, whoever holds the lease;
    /// ends the lease and forgets a refusal.
    ///
    /// What the vendor's reply left out stays as it was: a `new` without a refresh token keeps the stored one, and its
    /// fingerprint with it; without a scope, the scope.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](TokenStoreErrorKind::Unavailable) when nothing was written, or nobody knows: try again until it
    /// works, for the tokens exist nowhere else; [`Unstorable`](TokenStoreErrorKind::Unstorable).
    ///
    /// A repeat of a save that had worked answers [`Saved::Superseded`] where the refresh token changed, and
    /// [`Saved::Saved`] where it stayed; either way, what is loaded then is what was saved.
    async fn save_if(&self, spent: &Fingerprint, new: &TokenSet) -> Result<Saved, TokenStoreError>;

    /// Notes that the identity provider has refused the refresh token of this fingerprint for good, if it is still
    /// the one there. Returns whether it is; if not, somebody else has saved another.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn refuse(&self, fingerprint: &Fingerprint) -> Result<bool, TokenStoreError>;

    /// Gives the lease back, if `owner` still holds it.
    ///
    /// # Errors
    ///
    /// When the store cannot write; the lease then runs out by itself.
    async fn release(&self, owner: &LeaseOwner) -> Result<(), TokenStoreError>;
}

/// What an identity provider granted.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use connector_http::TokenSet;
/// use secrecy::SecretString;
///
/// let now = DateTime::UNIX_EPOCH;
/// let tokens = TokenSet::new("access", now + TimeDelta::hours(1))
///     .refresh_token(SecretString::from("refresh"))
///     .scope("contacts.read");
/// assert_eq!(tokens.token_type, "Bearer");
/// assert!(!format!("{tokens:?}").contains("refresh\""));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenSet {
    /// What requests carry.
    pub access_token: SecretString,
    /// What the next tokens are asked for with; none where the identity provider gave none.
    pub refresh_token: Option<SecretString>,
    /// How the access token is sent: `Bearer`.
    pub token_type: String,
    /// When the access token ends to be valid, by the wall clock of the process that fetched it.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends to be valid, if the identity provider says so.
    pub refresh_expires_at: Option<DateTime<Utc>>,
    /// What was granted, as the identity provider words it.
    pub scope: Option<String>,
}

impl TokenSet {
    /// Makes a set of what every grant has, of the type `Bearer`.
    pub fn new(access_token: impl Into<SecretString>, expires_at: DateTime<Utc>) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: None,
            token_type: "Bearer".to_owned(),
            expires_at,
            refresh_expires_at: None,
            scope: None,
        }
    }
}

crate::setters! { TokenSet {
    /// Sets what the next tokens are asked for with.
    refresh_token: Option<SecretString>,
    /// Sets how the access token is sent.
    token_type: String,
    /// Sets when the refresh token ends to be valid.
    refresh_expires_at: Option<DateTime<Utc>>,
    /// Sets what was granted.
    scope: Option<String>,
} }

/// Prints whether there are tokens, and neither of them.
impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("token_type", &self.token_type)
            .field("expires_at", &self.expires_at)
            .field("refresh_expires_at", &self.refresh_expires_at)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Tells two refresh tokens of one grant apart, and says nothing about them: a keyed hash, never the token or a part
/// of it.
///
/// It is made once, when the token is saved, and read from the store after that. Nobody computes it again to
/// compare, for the key may have changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Takes the store's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tokens of a grant as they lie in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredToken {
    /// The tokens.
    pub tokens: TokenSet,
    /// That of the refresh token; of the access token where there is no refresh token.
    pub fingerprint: Fingerprint,
    /// When they were saved, by the store's clock. With [`TokenSet::expires_at`] it says how long the access token
    /// lives, and so how early to refresh it; and how long a refresh token has lain unused.
    pub saved_at: DateTime<Utc>,
    /// The identity provider has said that this refresh token is over. A person has to connect the account again.
    pub refused: bool,
}

impl StoredToken {
    /// Puts tokens together with what the store knows of them, not refused.
    pub fn new(tokens: TokenSet, fingerprint: Fingerprint, saved_at: DateTime<Utc>) -> Self {
        Self {
            tokens,
            fingerprint,
            saved_at,
            refused: false,
        }
    }

    /// Sets whether the identity provider has refused the refresh token.
    pub fn refused(mut self, refused: bool) -> Self {
        self.refused = refused;
        self
    }
}

/// Who holds a lease: one refresher in one process. Two that share a name would both believe to hold it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseOwner(String);

impl LeaseOwner {
    /// Takes a name that nobody else has, in this process or another.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Makes a name nobody else has: the process id, for who looks into the table, and a random number.
    pub fn generate() -> Self {
        let random = fastrand::u128(..);
        Self(format!("{}-{random:032x}", std::process::id()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of [`TokenStore::save_if`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// Written.
    Saved,
    /// Not written: there is another refresh token than the one that was spent. Load it and use it.
    Superseded,
    /// Not written: the account is no longer connected.
    Gone,
}

/// Why a token store could not do what it was asked.
///
/// Its texts hold no secret: they end up in the source chain of an [`Error`](crate::Error).
#[derive(Debug)]
pub struct TokenStoreError {
    kind: TokenStoreErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What is wrong with a token store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenStoreErrorKind {
    /// The store cannot be reached, is locked or full. Trying later may work.
    Unavailable,
    /// There are tokens that cannot be opened: their key is gone, or they were sealed for another place. They are left
    /// as they are, since the key may come back; calls fail for now, and nothing is taken for refused. Connecting the
    /// account again writes new ones.
    Unreadable,
    /// There are no tokens: the account is not connected, or no longer.
    NotConnected,
    /// The tokens are of a kind that the store cannot keep: larger than it takes, or of characters it has no room for.
    Unstorable,
}

impl TokenStoreError {
    /// Makes an error of this kind.
    pub fn new(kind: TokenStoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Adds what caused it. Its texts must hold no secret.
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what is wrong.
    pub fn kind(&self) -> TokenStoreErrorKind {
        self.kind
    }

    /// Returns whether the same may work later.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            TokenStoreErrorKind::Unavailable => true,
            TokenStoreErrorKind::Unreadable
            | TokenStoreErrorKind::NotConnected
            | TokenStoreErrorKind::Unstorable => false,
        }
    }
}

impl fmt::Display for TokenStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TokenStoreErrorKind::Unavailable => "the token store is out of order",
            TokenStoreErrorKind::Unreadable => "the stored tokens cannot be opened",
            TokenStoreErrorKind::NotConnected => "there are no stored tokens",
            TokenStoreErrorKind::Unstorable => "the store cannot keep such tokens",
        })
    }
}

impl std::error::Error for TokenStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<TokenStoreError> for AuthError {
    fn from(error: TokenStoreError) -> Self {
        let kind = match error.kind {
            // A replica whose keyring lags behind a rotation reads what it cannot open: the account is connected, and
            // no person must be asked to connect it again. Only the identity provider's word is the end of a grant.
            TokenStoreErrorKind::Unavailable | TokenStoreErrorKind::Unreadable => {
                AuthErrorKind::Unavailable
            }
            TokenStoreErrorKind::NotConnected => AuthErrorKind::ReauthorizationRequired,
            TokenStoreErrorKind::Unstorable => AuthErrorKind::Invalid,
        };
        Self::new(kind).source(error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::error::Error;

    use rstest::rstest;

    use super::*;

    #[test]
    fn a_set_prints_neither_of_its_tokens() {
        let tokens = TokenSet::new("c4nary-access", DateTime::UNIX_EPOCH)
            .refresh_token(SecretString::from("c4nary-refresh"))
            .refresh_expires_at(DateTime::UNIX_EPOCH)
            .scope("contacts.read");
        let stored = StoredToken::new(tokens.clone(), Fingerprint::new("f1"), DateTime::UNIX_EPOCH);
        let printed = format!("{tokens:?} {stored:?}");
        assert!(!printed.contains("c4nary"), "{printed}");
        assert!(printed.contains("contacts.read"));
        assert!(printed.contains("has_refresh_token: true"));
    }

    #[test]
    fn no_two_owners_have_the_same_name() {
        let names = (0..1_000).map(|_| LeaseOwner::generate().as_str().to_owned());
        let distinct: HashSet<_> = names.collect();
        assert_eq!(distinct.len(), 1_000);
    }

    #[rstest]
    #[case(
        TokenStoreErrorKind::Unavailable,
        true,
        AuthErrorKind::Unavailable,
        "the token store is out of order"
    )]
    #[case(
        TokenStoreErrorKind::Unreadable,
        false,
        AuthErrorKind::Unavailable,
        "the stored tokens cannot be opened"
    )]
    #[case(
        TokenStoreErrorKind::NotConnected,
        false,
        AuthErrorKind::ReauthorizationRequired,
        "there are no stored tokens"
    )]
    #[case(
        TokenStoreErrorKind::Unstorable,
        false,
        AuthErrorKind::Invalid,
        "the store cannot keep such tokens"
    )]
    fn an_error_says_whether_to_try_again_or_to_ask_a_person(
        #[case] kind: TokenStoreErrorKind,
        #[case] retryable: bool,
        #[case] auth: AuthErrorKind,
        #[case] text: &str,
    ) {
        let error = TokenStoreError::new(kind).source("beneath");
        assert_eq!((error.kind(), error.is_retryable()), (kind, retryable));
        assert_eq!(error.to_string(), text);
        let error = AuthError::from(error);
        assert_eq!(error.kind(), auth);
        let beneath = Error::source(&error).and_then(Error::source).unwrap();
        assert_eq!(beneath.to_string(), "beneath");
    }
}
