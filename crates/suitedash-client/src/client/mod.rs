//! The client: where its resources are, and what it keeps for them.

mod builder;

use std::fmt;
use std::sync::Arc;

use connector_http::{Call, Endpoint, Error, Lane, Method, Request, Timer, Transport};
use secrecy::SecretString;
use url::Url;

pub use self::builder::ClientBuilder;
use crate::companies::{self, Companies};
use crate::contacts::{self, Contacts};
use crate::marketing::{self, Marketing};
use crate::meta::{Attributes, MetaCache};
use crate::projects::{self, Projects};
use crate::quota::{QuotaLedger, QuotaPlan, QuotaStatus, QuotaStoreError};
use crate::reply::Reply;
use crate::upsert::{ContactRules, KnownContacts};
use crate::worlds::{self, Worlds};

/// The vendor's name in errors, spans and logs.
pub(crate) const VENDOR: &str = "suitedash";

/// A client of one SuiteDash account.
///
/// Cheap to clone: clones share the connections, the quota's count and what is remembered of the account. Build one
/// per account and keep it.
///
/// ```
/// # async fn example() -> Result<(), suitedash_client::Error> {
/// use suitedash_client::Client;
///
/// let client = Client::builder()
///     .public_id("00000000-0000-0000-0000-000000000000")
///     .secret_key("DummySecretKey")
///     .build()?;
/// println!("{} fields of their own", client.test_connection().await?.custom_fields);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: connector_http::Client,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) rules: ContactRules,
    pub(crate) known: KnownContacts,
    quota: Option<QuotaLedger>,
    credential: Arc<str>,
    meta: MetaCache,
    dummy: bool,
    old_name: bool,
}

impl Client {
    /// Starts to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Builds a client from `SUITEDASH_PUBLIC_ID`, `SUITEDASH_SECRET_KEY` and, if it is set, `SUITEDASH_API_URL`.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::from_env`] and [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().from_env()?.build()
    }

    /// Builds a client on a transport of the caller's: the seam for tests.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`].
    pub fn from_transport(
        public_id: impl Into<SecretString>,
        secret_key: impl Into<SecretString>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, Error> {
        Self::builder()
            .public_id(public_id)
            .secret_key(secret_key)
            .transport(transport)
            .build()
    }

    /// The contacts, leads among them.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts::new(self)
    }

    /// The companies.
    pub fn companies(&self) -> Companies<'_> {
        Companies::new(self)
    }

    /// The projects.
    pub fn projects(&self) -> Projects<'_> {
        Projects::new(self)
    }

    /// The marketing audiences.
    pub fn marketing(&self) -> Marketing<'_> {
        Marketing::new(self)
    }

    /// The worlds.
    pub fn worlds(&self) -> Worlds<'_> {
        Worlds::new(self)
    }

    /// Gives the attributes of this account's contacts, its own fields among them. Read with one call, then remembered
    /// for 24 hours unless [`meta_ttl`](ClientBuilder::meta_ttl) says otherwise, by all clones together; callers who
    /// come while they are being read wait for that one reading.
    ///
    /// # Errors
    ///
    /// The usual ones of a read. A failure is not remembered.
    pub async fn meta(&self) -> Result<Arc<Attributes>, Error> {
        let (attributes, _calls) = self.meta_with(|call| call).await?;
        Ok(attributes)
    }

    /// The same for work of this lane: a reading that nobody waits for does not touch the reserve of the quota.
    ///
    /// # Errors
    ///
    /// As [`meta`](Self::meta).
    pub async fn meta_in(&self, lane: Lane) -> Result<Arc<Attributes>, Error> {
        let (attributes, _calls) = self.meta_with(|call| call.lane(lane)).await?;
        Ok(attributes)
    }

    /// Forgets the attributes, after somebody changed the account's fields.
    pub fn forget_meta(&self) {
        self.inner.meta.forget();
    }

    /// Tests whether the address and the pair work, with one call: it reads the attributes of contacts, and feeds what
    /// [`meta`](Self::meta) remembers.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a wrong pair; [`Api`](crate::ErrorKind::Api) with status 404 when the base
    /// URL leads to something that is not this API; [`QuotaSpent`](crate::ErrorKind::QuotaSpent); else the usual ones
    /// of a read.
    pub fn test_connection(&self) -> Call<ConnectionInfo> {
        let inner = Arc::clone(&self.inner);
        self.contacts().meta().map(move |attributes| {
            let attributes = inner.meta.put(attributes);
            ConnectionInfo {
                attributes: attributes.standard.len(),
                custom_fields: attributes.custom.len(),
                dummy: inner.dummy,
            }
        })
    }

    /// Tells how the month stands: calls used, left, and when it turns. No call is made: the vendor has no operation for
    /// it, and this is what was counted here; nothing with [`without_quota`](ClientBuilder::without_quota).
    ///
    /// ```
    /// # async fn example(client: suitedash_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let quota = client.quota().await?;
    /// println!("{} used, {:?} left until {}", quota.used, quota.remaining, quota.resets_at);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the record of the quota cannot be read.
    pub async fn quota(&self) -> Result<QuotaStatus, QuotaStoreError> {
        let now = self.inner.timer.utc_now();
        let nothing = QuotaLedger::new(QuotaPlan::Uncounted);
        let ledger = self.inner.quota.as_ref().unwrap_or(&nothing);
        ledger.status(&self.inner.credential, now).await
    }

    /// Sets the count of the current month to what the account's page shows (Integrations > Secure API): for calls made
    /// before this crate counted, or by others.
    ///
    /// # Errors
    ///
    /// When the record of the quota cannot be written.
    pub async fn set_quota_used(&self, used: u64) -> Result<(), QuotaStoreError> {
        let now = self.inner.timer.utc_now();
        match &self.inner.quota {
            Some(ledger) => ledger.set_used(&self.inner.credential, now, used).await,
            None => Ok(()),
        }
    }

    /// The name under which this client's calls are counted: a fingerprint of the public id.
    pub fn quota_credential(&self) -> &str {
        &self.inner.credential
    }

    /// Lifts the mark that the vendor called the month spent, after somebody bought a larger plan.
    ///
    /// # Errors
    ///
    /// When the record of the quota cannot be written.
    pub async fn lift_spent_quota(&self) -> Result<(), QuotaStoreError> {
        let now = self.inner.timer.utc_now();
        match &self.inner.quota {
            Some(ledger) => ledger.lift_spent(&self.inner.credential, now).await,
            None => Ok(()),
        }
    }

    /// Calls an operation this crate does not have, or one of its own with a body it does not type, with the same
    /// credentials, quota and redaction.
    ///
    /// `path` begins below the base URL: `"/contact/{identifier}"`, where [`Request::path`] fills in the braces. GET
    /// and HEAD are retried like every read, everything else never once its bytes have left.
    ///
    /// ```
    /// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
    /// use suitedash_client::Method;
    ///
    /// // Circles are not typed: one public client writes them so.
    /// let body = serde_json::json!({ "circles": { "add": ["Newsletter"] } });
    /// let reply: serde_json::Value = client
    ///     .raw(Method::Put, "/contact/{identifier}")
    ///     .path("identifier", "11111111-1111-4111-8111-111111111111")
    ///     .json(&body)
    ///     .fetch()
    ///     .await?;
    /// # drop(reply);
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(&self, method: Method, path: &str) -> Request {
        self.inner.http.raw(method, path)
    }

    /// The base URL in use.
    pub fn base_url(&self) -> &Url {
        self.inner.http.base_url()
    }

    /// Whether this client has the pair the vendor publishes for trying reads: what it reads is nobody's account.
    pub fn is_dummy(&self) -> bool {
        self.inner.dummy
    }

    /// Whether the public id was taken from `SUITEDASH_API_KEY`, a name of older documents, for a user interface to say.
    pub fn uses_old_variable_name(&self) -> bool {
        self.inner.old_name
    }

    pub(crate) fn http(&self) -> &connector_http::Client {
        &self.inner.http
    }

    /// The attributes, and how many calls they took now. `options` is applied to the call if there is one.
    pub(crate) async fn meta_with(
        &self,
        options: impl FnOnce(Call<Attributes>) -> Call<Attributes> + Send,
    ) -> Result<(Arc<Attributes>, u32), Error> {
        let read = || async {
            let call = self
                .http()
                .request(&contacts::META)
                .fetch_map(Reply::into_data);
            let answer = options(call).with_response().await?;
            Ok((answer.value, answer.attempts))
        };
        self.inner.meta.get_or_read(read).await
    }

    /// The attributes, if they are remembered.
    pub(crate) fn known_meta(&self) -> Option<Arc<Attributes>> {
        self.inner.meta.get()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url().as_str())
            .finish_non_exhaustive()
    }
}

/// What [`Client::test_connection`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// How many standard attributes contacts have.
    pub attributes: usize,
    /// How many fields of its own the account has.
    pub custom_fields: usize,
    /// Whether it was tested with the vendor's published pair: then it proves nothing about a customer's keys.
    pub dummy: bool,
}

/// Every operation this crate calls, for conformance tests against the vendor's description.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [
        contacts::ENDPOINTS,
        companies::ENDPOINTS,
        projects::ENDPOINTS,
        marketing::ENDPOINTS,
        worlds::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}
