//! Where a request's credentials come from.
//!
//! An authenticator is asked before every attempt, after the wait for the rate limit, so that a token cannot
//! grow old in a queue. A secret is exposed here and nowhere else; every header value is marked sensitive.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::transport::BoxFuture;

/// Names a token, so that a refusal can be laid at the door of the token that was refused.
///
/// It tells two tokens apart and says nothing about their content: a counter or a keyed hash, never the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(u64);

impl TokenId {
    /// Makes an id from a number that differs from token to token.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }
}

/// The headers that authenticate one attempt. Cheap to clone.
#[derive(Clone, Default)]
pub struct AuthHeaders {
    headers: Arc<[(HeaderName, HeaderValue)]>,
    token: Option<TokenId>,
}

impl AuthHeaders {
    /// Makes the set from header names and values. The values are marked sensitive.
    pub fn new(headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        let headers = headers
            .into_iter()
            .map(|(name, mut value)| {
                value.set_sensitive(true);
                (name, value)
            })
            .collect();
        Self {
            headers,
            token: None,
        }
    }

    /// Notes which token these headers carry. With it, one 401 makes the engine invalidate that token and, if
    /// that gave a different one, send the request once more.
    pub fn token(mut self, token: TokenId) -> Self {
        self.token = Some(token);
        self
    }

    /// Returns which token these headers carry.
    pub fn token_id(&self) -> Option<TokenId> {
        self.token
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        self.headers.iter()
    }
}

impl fmt::Debug for AuthHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        f.debug_struct("AuthHeaders")
            .field("names", &names.collect::<Vec<_>>())
            .field("token", &self.token)
            .finish()
    }
}

/// Provides the headers that authenticate a request.
pub trait Authenticate: Send + Sync + 'static {
    /// Returns the headers for one attempt, refreshing what has to be refreshed first.
    ///
    /// # Errors
    ///
    /// When no valid credential can be had; the attempt is then not made.
    fn headers(&self) -> impl Future<Output = Result<AuthHeaders, AuthError>> + Send;

    /// Returns the headers if they can be had without waiting, which saves a future per attempt. What it returns
    /// must be what [`headers`](Self::headers) would return now. The default is `None`: ask `headers`.
    fn ready(&self) -> Option<AuthHeaders> {
        None
    }

    /// Is told that the vendor refused this token with a 401, so that the next [`headers`](Self::headers)
    /// gives a different one if it can. The default does nothing.
    fn invalidate(&self, token: TokenId) -> impl Future<Output = ()> + Send {
        let _ = token;
        async {}
    }
}

/// Why no credential could be had.
///
/// Its texts must hold no secret: they end up in the source chain of an [`Error`](crate::Error).
#[derive(Debug)]
pub struct AuthError {
    kind: AuthErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What is wrong with the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The vendor will not accept these credentials again until a person reconnects the account.
    ReauthorizationRequired,
    /// A token could not be fetched this time; trying later may work.
    Unavailable,
    /// The credentials are unusable as configured.
    Invalid,
}

impl AuthError {
    /// Makes an error of this kind.
    pub fn new(kind: AuthErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Adds what caused it. Its texts must hold no secret.
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what is wrong.
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            AuthErrorKind::ReauthorizationRequired => "the account has to be connected again",
            AuthErrorKind::Unavailable => "no token could be fetched",
            AuthErrorKind::Invalid => "the credentials cannot be used",
        })
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// Sends the same header with every request: an API key.
#[derive(Clone, Debug)]
pub struct StaticHeaders {
    headers: AuthHeaders,
}

impl StaticHeaders {
    /// Takes the header and the exact text to put into it.
    ///
    /// ```
    /// use connector_http::{InvalidCredential, StaticHeaders};
    /// use http::header::AUTHORIZATION;
    ///
    /// assert!(StaticHeaders::new(AUTHORIZATION, "key-123").is_ok());
    /// assert_eq!(
    ///     StaticHeaders::new(AUTHORIZATION, "key-123\n").unwrap_err(),
    ///     InvalidCredential::ControlCharacter,
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is empty or cannot stand in a header. The error never repeats the text.
    pub fn new(
        name: HeaderName,
        secret: impl Into<SecretString>,
    ) -> Result<Self, InvalidCredential> {
        Self::none().and(name, secret)
    }

    /// Sends `Authorization: Bearer …` with this token.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn bearer(token: impl Into<SecretString>) -> Result<Self, InvalidCredential> {
        let token = token.into();
        // Of the token alone: with the word before it, an empty one would pass.
        header_value(token.expose_secret())?;
        let text = SecretString::from(format!("Bearer {}", token.expose_secret()));
        Self::new(AUTHORIZATION, text)
    }

    /// Adds a second header, for vendors that want a public id beside the secret.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn and(
        self,
        name: HeaderName,
        secret: impl Into<SecretString>,
    ) -> Result<Self, InvalidCredential> {
        let value = header_value(secret.into().expose_secret())?;
        let pairs = self.headers.iter().cloned().chain([(name, value)]);
        Ok(Self {
            headers: AuthHeaders::new(pairs),
        })
    }

    fn none() -> Self {
        Self {
            headers: AuthHeaders::default(),
        }
    }
}

impl Authenticate for StaticHeaders {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        Ok(self.headers.clone())
    }

    fn ready(&self) -> Option<AuthHeaders> {
        Some(self.headers.clone())
    }
}

/// Sends no credentials.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuth;

impl Authenticate for NoAuth {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        Ok(AuthHeaders::default())
    }

    fn ready(&self) -> Option<AuthHeaders> {
        Some(AuthHeaders::default())
    }
}

/// Why a text cannot be used as a credential. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredential {
    /// There is nothing in it.
    Empty,
    /// There is white space before or after it, as a copied line brings along.
    SurroundingSpace,
    /// There is a line break or another control character in it.
    ControlCharacter,
    /// There is a character outside ASCII in it.
    NotAscii,
}

impl fmt::Display for InvalidCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the credential is empty",
            Self::SurroundingSpace => "the credential has white space around it",
            Self::ControlCharacter => "the credential contains a control character",
            Self::NotAscii => "the credential contains a character outside ascii",
        })
    }
}

impl std::error::Error for InvalidCredential {}

fn header_value(text: &str) -> Result<HeaderValue, InvalidCredential> {
    if text.trim().is_empty() {
        return Err(InvalidCredential::Empty);
    }
    if !text.is_ascii() {
        return Err(InvalidCredential::NotAscii);
    }
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(InvalidCredential::ControlCharacter);
    }
    if text.trim() != text {
        return Err(InvalidCredential::SurroundingSpace);
    }
    HeaderValue::from_str(text).map_err(|_| InvalidCredential::ControlCharacter)
}

/// The dyn-safe twin of [`Authenticate`], for every authenticator there is.
pub(crate) trait DynAuthenticate: Send + Sync {
    fn ready(&self) -> Option<AuthHeaders>;
    fn headers(&self) -> BoxFuture<'_, Result<AuthHeaders, AuthError>>;
    fn invalidate(&self, token: TokenId) -> BoxFuture<'_, ()>;
}

impl<A: Authenticate> DynAuthenticate for A {
    fn ready(&self) -> Option<AuthHeaders> {
        Authenticate::ready(self)
    }

    fn headers(&self) -> BoxFuture<'_, Result<AuthHeaders, AuthError>> {
        Box::pin(Authenticate::headers(self))
    }

    fn invalidate(&self, token: TokenId) -> BoxFuture<'_, ()> {
        Box::pin(Authenticate::invalidate(self, token))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", InvalidCredential::Empty)]
    #[case("  \n", InvalidCredential::Empty)]
    #[case("key\n", InvalidCredential::ControlCharacter)]
    #[case("ke\u{0}y", InvalidCredential::ControlCharacter)]
    #[case("key\r\nx-evil: 1", InvalidCredential::ControlCharacter)]
    #[case(" key", InvalidCredential::SurroundingSpace)]
    #[case("kéy", InvalidCredential::NotAscii)]
    #[case("\u{200b}key", InvalidCredential::NotAscii)]
    fn a_text_that_cannot_be_a_credential_is_refused_without_repeating_it(
        #[case] text: &str,
        #[case] expected: InvalidCredential,
    ) {
        let error = StaticHeaders::new(AUTHORIZATION, text).unwrap_err();
        assert_eq!(error, expected);
        assert_eq!(StaticHeaders::bearer(text).unwrap_err(), expected);
        let trimmed = text.trim();
        assert!(trimmed.is_empty() || !format!("{error} {error:?}").contains(trimmed));
    }

    #[tokio::test]
    async fn what_is_ready_is_what_would_be_asked_for() {
        let auth = StaticHeaders::new(AUTHORIZATION, "key").unwrap();
        let asked = Authenticate::headers(&auth).await.unwrap();
        let ready = Authenticate::ready(&auth).unwrap();
        assert!(ready.iter().eq(asked.iter()));
        let nothing = Authenticate::ready(&NoAuth).unwrap();
        assert_eq!(nothing.iter().count(), 0);
    }

    #[test]
    fn a_bearer_token_arrives_behind_its_word() {
        let auth = StaticHeaders::bearer("c4nary-token").unwrap();
        let headers = Authenticate::ready(&auth).unwrap();
        let pairs: Vec<_> = headers.iter().collect();
        assert_eq!(pairs[0].0, AUTHORIZATION);
        assert_eq!(pairs[0].1, "Bearer c4nary-token");
        assert!(pairs[0].1.is_sensitive());
        assert!(!format!("{auth:?} {headers:?}").contains("c4nary"));
    }

    #[tokio::test]
    async fn a_key_arrives_verbatim_and_is_marked_sensitive() {
        let auth = StaticHeaders::new(AUTHORIZATION, "c4nary-key")
            .and_then(|auth| auth.and(HeaderName::from_static("x-public-id"), "id-1"))
            .unwrap();
        let headers = Authenticate::headers(&auth).await.unwrap();
        let pairs: Vec<_> = headers.iter().collect();
        assert_eq!(pairs[0].1, "c4nary-key");
        assert!(pairs.iter().all(|(_, value)| value.is_sensitive()));
        assert_eq!(pairs[1].0, "x-public-id");
        assert!(!format!("{auth:?} {headers:?} {pairs:?}").contains("c4nary"));
    }
}
