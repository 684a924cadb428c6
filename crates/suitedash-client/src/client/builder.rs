//! Putting a client together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Error, RetryPolicy, Timer, TokioTimer};
use secrecy::{ExposeSecret, SecretString};

use super::{Client, Inner, VENDOR};
use crate::error::Decoder;
use crate::meta::{MetaCache, TTL};
use crate::page::name_of;
use crate::quota::{QuotaGate, QuotaLedger, QuotaPlan};
use crate::upsert::{ContactRules, KnownContacts};
use crate::{address, auth, env};

/// A read is tried twice at most: retries are calls of the month too.
const ATTEMPTS: u32 = 2;

/// Builds a [`Client`].
///
/// ```
/// use suitedash_client::Client;
///
/// let client = Client::builder()
///     .public_id("00000000-0000-0000-0000-000000000000")
///     .secret_key("DummySecretKey")
///     .base_url("https://portal.example.com") // an account's own portal
///     .build()?;
/// assert_eq!(client.base_url().as_str(), "https://portal.example.com/secure-api");
/// # Ok::<(), suitedash_client::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder {
    http: connector_http::ClientBuilder,
    public_id: SecretString,
    secret_key: SecretString,
    base_url: Option<String>,
    timer: Arc<dyn Timer>,
    meta_ttl: Duration,
    rules: ContactRules,
    remembered: usize,
    quota: Option<QuotaLedger>,
    old_name: bool,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        let policy = RetryPolicy::new().max_attempts(ATTEMPTS);
        Self {
            http: connector_http::Client::builder(VENDOR)
                .error_decoder(Decoder)
                .retry(policy)
                .user_agent(concat!("suitedash-client/", env!("CARGO_PKG_VERSION"))),
            public_id: SecretString::default(),
            secret_key: SecretString::default(),
            base_url: None,
            timer: Arc::new(TokioTimer),
            meta_ttl: TTL,
            rules: ContactRules::default(),
            remembered: 0,
            quota: Some(QuotaLedger::new(QuotaPlan::Uncounted)),
            old_name: false,
        }
    }

    /// Sets the public id, from Integrations > Secure API.
    pub fn public_id(mut self, id: impl Into<SecretString>) -> Self {
        self.public_id = id.into();
        self.old_name = false;
        self
    }

    /// Sets the secret key: the plain key, not the hash that some pages show.
    pub fn secret_key(mut self, key: impl Into<SecretString>) -> Self {
        self.secret_key = key.into();
        self
    }

    /// Sets the pair that the vendor publishes for trying the reads.
    ///
    /// It shows that the wiring works (address, TLS, proxy) without touching an account. **It proves nothing about a
    /// customer's keys**, and no write works with it.
    pub fn dummy_credentials(self) -> Self {
        self.public_id(auth::DUMMY_PUBLIC_ID)
            .secret_key(auth::DUMMY_SECRET_KEY)
    }

    /// Sets another base URL: an account's own portal, a proxy, a sandbox on loopback. A bare origin gets
    /// `/secure-api`; a path is kept; `/api/v1`, which older documents name, is refused when the client is built.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets how long [`Client::meta`] remembers. 24 hours by default.
    pub fn meta_ttl(mut self, ttl: Duration) -> Self {
        self.meta_ttl = ttl;
        self
    }

    /// Sets who counts the calls of the month. Give one ledger to every client of an account. Without this, calls are
    /// counted in memory and refused only once the vendor has refused one.
    pub fn quota(mut self, ledger: QuotaLedger) -> Self {
        self.quota = Some(ledger);
        self
    }

    /// Counts nothing, and leaves the place to a [`gate`](Self::gate) of the caller's, which a ledger would replace.
    /// After a 429, every further call asks the vendor again.
    pub fn without_quota(mut self) -> Self {
        self.quota = None;
        self
    }

    /// Sets how contacts are found, merged and written by [`Contacts::create_or_update`](crate::Contacts::create_or_update) and its like.
    pub fn contact_rules(mut self, rules: ContactRules) -> Self {
        self.rules = rules;
        self
    }

    /// Remembers so many people who were found or made, so that [`Contacts::create_or_update`](crate::Contacts::create_or_update) reads them first: 2
    /// calls at most instead of 3. None by default. Only hashes of addresses are kept.
    pub fn remember_contacts(mut self, people: usize) -> Self {
        self.remembered = people;
        self
    }

    /// Sets the clock: of the engine, of the quota, of what is remembered and of the dates that are written.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.http = self.http.timer(Arc::clone(&timer));
        self.timer = timer;
        self
    }

    /// Takes the pair from `SUITEDASH_PUBLIC_ID` and `SUITEDASH_SECRET_KEY`; where they are set, the base URL from
    /// `SUITEDASH_API_URL`, the plan from `SUITEDASH_PLAN` (a name or a number of calls) and the file to count in from
    /// `SUITEDASH_QUOTA_FILE`. `SUITEDASH_API_KEY`, a name of older documents, is taken as the public id with a warning in the
    /// log, and [`Client::uses_old_variable_name`] says so.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when one of the two is not set, one that is set is not text, or the plan is
    /// none. What is
    /// wrong with one that is set, [`build`](Self::build) says.
    #[expect(
        clippy::disallowed_methods,
        reason = "a from_env constructor is where a library may read the environment"
    )]
    pub fn from_env(self) -> Result<Self, Error> {
        env::apply(self, std::env::var)
    }

    /// Builds the client. Nothing is sent; [`Client::test_connection`] does that.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when one of the pair is missing or cannot be what it is said to be, or when
    /// the base URL is not `https` (or `http` on loopback), carries credentials, a query or a fragment, or is
    /// `/api/v1`. The text never repeats a secret.
    pub fn build(self) -> Result<Client, Error> {
        let auth = auth::authenticate(&self.public_id, &self.secret_key)?;
        let base_url = self.base_url.as_deref().unwrap_or(address::BASE_URL);
        let base_url = address::complete(base_url)
            .map_err(|reason| Error::config(VENDOR, "client.build", reason))?;
        let credential: Arc<str> = name_of(self.public_id.expose_secret()).into();
        let mut http = self.http.base_url(base_url).auth(auth);
        if let Some(ledger) = &self.quota {
            http = http.gate(Arc::new(QuotaGate {
                ledger: ledger.clone(),
                credential: Arc::clone(&credential),
                timer: Arc::clone(&self.timer),
            }));
        }
        let http = http.build()?;
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                rules: self.rules,
                known: KnownContacts::new(self.remembered),
                quota: self.quota,
                credential,
                meta: MetaCache::new(Arc::clone(&self.timer), self.meta_ttl),
                timer: self.timer,
                dummy: self.public_id.expose_secret() == auth::DUMMY_PUBLIC_ID,
                old_name: self.old_name,
            }),
        })
    }

    /// Notes that the public id came under its old name.
    pub(crate) fn old_name(mut self) -> Self {
        self.old_name = true;
        self
    }
}

connector_http::shared_client_options!(ClientBuilder, http);

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}
