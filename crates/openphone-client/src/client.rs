//! The client: what it is built from, and where its resources are.

use std::fmt;
use std::sync::Arc;

use connector_http::{Call, Endpoint, Error, Method, Rate, RateClass, Request, Transport};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::calls::{self, Calls};
use crate::contacts::{self, Contacts};
use crate::conversations::{self, Conversations};
use crate::custom_fields::{self, CustomFields};
use crate::error::Decoder;
use crate::messages::{self, Messages};
use crate::phone_numbers::{self, PhoneNumbers};
use crate::recordings::{self, Recordings};
use crate::summaries::{self, Summaries};
use crate::tasks::{self, Tasks};
use crate::transcripts::{self, Transcripts};
use crate::users::{self, Users};
use crate::voicemails::{self, Voicemails};
use crate::webhook_management::{self, Webhooks};
use crate::{auth, env};

/// The vendor's name in errors, spans and logs. The company is called Quo since September 2025; its
/// developers still look for OpenPhone.
pub(crate) const VENDOR: &str = "openphone";

/// Where the API lives. The old name, `https://api.openphone.com`, answers API v1 alike.
const BASE_URL: &str = "https://api.quo.com";

/// The vendor allows 10 requests per second and key, and refuses bursts. Eight, evenly spaced, stay
/// clear of its clock.
const REQUESTS_PER_SECOND: u32 = 8;

/// A client of one OpenPhone workspace.
///
/// Cheap to clone: clones share the connections, the pace and the retry budget. Build one per API
/// key and keep it.
///
/// ```
/// # async fn example() -> Result<(), openphone_client::Error> {
/// use openphone_client::{Client, ListPhoneNumbers};
///
/// let client = Client::builder().api_key("0123456789abcdef").build()?;
/// for number in client.phone_numbers().list(&ListPhoneNumbers::new()).await? {
///     println!("{}", number.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    http: connector_http::Client,
}

impl Client {
    /// Starts to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            http: connector_http::Client::builder(VENDOR)
                .error_decoder(Decoder)
                .user_agent(concat!("openphone-client/", env!("CARGO_PKG_VERSION"))),
            api_key: SecretString::default(),
            base_url: None,
            pace: Rate::per_second(REQUESTS_PER_SECOND),
        }
    }

    /// Builds a client from `OPENPHONE_API_KEY` and, if it is set, `OPENPHONE_BASE_URL`.
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
        api_key: impl Into<SecretString>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, Error> {
        Self::builder()
            .api_key(api_key)
            .transport(transport)
            .build()
    }

    /// The calls that were made and received.
    pub fn calls(&self) -> Calls<'_> {
        Calls::new(self)
    }

    /// The address book.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts::new(self)
    }

    /// The conversations: threads of texts and calls.
    pub fn conversations(&self) -> Conversations<'_> {
        Conversations::new(self)
    }

    /// The definitions of the contacts' custom fields.
    pub fn custom_fields(&self) -> CustomFields<'_> {
        CustomFields::new(self)
    }

    /// The text messages.
    pub fn messages(&self) -> Messages<'_> {
        Messages::new(self)
    }

    /// The phone numbers.
    pub fn phone_numbers(&self) -> PhoneNumbers<'_> {
        PhoneNumbers::new(self)
    }

    /// The recordings of calls.
    pub fn recordings(&self) -> Recordings<'_> {
        Recordings::new(self)
    }

    /// The summaries of calls.
    pub fn summaries(&self) -> Summaries<'_> {
        Summaries::new(self)
    }

    /// The tasks.
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks::new(self)
    }

    /// The transcripts of calls.
    pub fn transcripts(&self) -> Transcripts<'_> {
        Transcripts::new(self)
    }

    /// The users.
    pub fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// The voicemails left by callers.
    pub fn voicemails(&self) -> Voicemails<'_> {
        Voicemails::new(self)
    }

    /// The webhooks that are registered: who is told what, and where.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks::new(self)
    }

    /// Tests whether the address and the key work, with one read.
    ///
    /// API v1 cannot say whose key it is; this lists the phone numbers, the cheapest thing it can
    /// say, and counts them.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a wrong key; [`Api`](crate::ErrorKind::Api) with status
    /// 404 when the base URL leads to something that is not this API; else the usual ones of a read.
    pub fn test_connection(&self) -> Call<ConnectionInfo> {
        self.http
            .request(&phone_numbers::LIST)
            .fetch_map(Countable::count)
    }

    /// Calls an operation this crate does not have, with the same key, pace and retries.
    ///
    /// `path` begins below the base URL: `"/v1/new-things"`. GET and HEAD are retried like every
    /// read, everything else never once its bytes have left.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::Method;
    ///
    /// let things: serde_json::Value = client
    ///     .raw(Method::Get, "/v1/new-things")
    ///     .query("maxResults", 10)
    ///     .fetch()
    ///     .await?;
    /// # drop(things);
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(&self, method: Method, path: &str) -> Request {
        self.http.raw(method, path)
    }

    /// The base URL in use.
    pub fn base_url(&self) -> &Url {
        self.http.base_url()
    }

    pub(crate) fn http(&self) -> &connector_http::Client {
        &self.http
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
    /// How many phone numbers the workspace has.
    pub phone_numbers: usize,
}

/// The numbers are counted, not read, so that the test of a key cannot fail on one of their fields.
#[derive(Deserialize)]
struct Countable {
    data: Vec<IgnoredAny>,
}

impl Countable {
    fn count(self) -> ConnectionInfo {
        ConnectionInfo {
            phone_numbers: self.data.len(),
        }
    }
}

/// Every operation this crate calls, for conformance tests against the vendor's description.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [
        calls::ENDPOINTS,
        contacts::ENDPOINTS,
        conversations::ENDPOINTS,
        custom_fields::ENDPOINTS,
        messages::ENDPOINTS,
        phone_numbers::ENDPOINTS,
        recordings::ENDPOINTS,
        summaries::ENDPOINTS,
        tasks::ENDPOINTS,
        transcripts::ENDPOINTS,
        users::ENDPOINTS,
        voicemails::ENDPOINTS,
        webhook_management::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}

/// Builds a [`Client`].
///
/// ```
/// use openphone_client::Client;
///
/// let client = Client::builder()
///     .api_key("0123456789abcdef")
///     .base_url("https://gateway.example.com/quo")
///     .build()?;
/// assert_eq!(client.base_url().as_str(), "https://gateway.example.com/quo");
/// # Ok::<(), openphone_client::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder {
    http: connector_http::ClientBuilder,
    api_key: SecretString,
    base_url: Option<String>,
    pace: Rate,
}

impl ClientBuilder {
    /// Sets the API key: the bare key, without `Bearer`.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = key.into();
        self
    }

    /// Sets another base URL: the old host, a proxy, a sandbox on loopback. A path prefix is kept; a
    /// trailing `/v1` is dropped, because the paths bring it and older documents gave it twice.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Takes key and base URL from `OPENPHONE_API_KEY` and, if it is set, `OPENPHONE_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when the key is not set, or one of the two is not text.
    /// What is wrong with a key that is set, [`build`](Self::build) says.
    #[expect(
        clippy::disallowed_methods,
        reason = "a from_env constructor is where a library may read the environment"
    )]
    pub fn from_env(self) -> Result<Self, Error> {
        env::apply(self, std::env::var)
    }

    /// Sets the pace of a rate class, in place of 8 requests per second. All operations of this
    /// vendor are in [`RateClass::DEFAULT`].
    ///
    /// Pace several processes on one key so that they stay below 10 per second together.
    pub fn rate(mut self, class: RateClass, rate: Rate) -> Self {
        if class == RateClass::DEFAULT {
            self.pace = rate;
        } else {
            self.http = self.http.rate(class, rate);
        }
        self
    }

    /// Builds the client. Nothing is sent; [`Client::test_connection`] does that.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when the key is missing, blank, prefixed with `Bearer `
    /// or holds a character that cannot stand in a header, or when the base URL is not `https` (or
    /// `http` on loopback), or carries credentials, a query or a fragment. The text never repeats
    /// the key.
    pub fn build(self) -> Result<Client, Error> {
        let auth = auth::authenticate(self.api_key)?;
        let base_url = self.base_url.as_deref().unwrap_or(BASE_URL);
        let http = self
            .http
            .base_url(without_version(base_url))
            .auth(auth)
            .rate(RateClass::DEFAULT, self.pace)
            .build()?;
        Ok(Client { http })
    }
}

connector_http::shared_client_options!(ClientBuilder, http);

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

/// Drops a trailing `/v1`: `https://api.openphone.com/v1` is the base URL of much older code.
fn without_version(url: &str) -> &str {
    let trimmed = url.trim_end_matches('/');
    match trimmed.strip_suffix("/v1") {
        // `https://v1` is a host, not a version.
        Some(rest) if !rest.ends_with('/') => rest,
        _ => url,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn built(url: &str) -> Result<Client, Error> {
        Client::builder()
            .api_key("0123456789abcdef")
            .base_url(url)
            .build()
    }

    #[rstest]
    #[case("https://api.quo.com", "https://api.quo.com/")]
    #[case("https://api.quo.com/v1", "https://api.quo.com/")]
    #[case("https://api.openphone.com/v1/", "https://api.openphone.com/")]
    #[case("https://gateway.example.com/quo", "https://gateway.example.com/quo")]
    #[case(
        "https://gateway.example.com/quo/v1//",
        "https://gateway.example.com/quo"
    )]
    #[case("http://127.0.0.1:4010", "http://127.0.0.1:4010/")]
    #[case("http://localhost:4010/v1", "http://localhost:4010/")]
    #[case("https://v1", "https://v1/")]
    fn takes_hosts_prefixes_and_the_version(#[case] url: &str, #[case] base: &str) {
        assert_eq!(built(url).unwrap().base_url().as_str(), base);
    }

    #[rstest]
    #[case("")]
    #[case("api.quo.com")]
    #[case("http://api.quo.com")]
    #[case("https://user:pass@api.quo.com")]
    #[case("https://api.quo.com?key=1")]
    #[case("https://api.quo.com/v1?key=1")]
    #[case("https://api.quo.com#top")]
    #[case("ftp://api.quo.com")]
    fn refuses_what_would_leak_or_not_work(#[case] url: &str) {
        let error = built(url).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        assert!(!format!("{error} {error:?}").contains("pass"));
    }

    #[test]
    fn the_default_is_the_new_host() {
        let client = Client::builder()
            .api_key("0123456789abcdef")
            .build()
            .unwrap();
        assert_eq!(client.base_url().as_str(), "https://api.quo.com/");
        assert_eq!(
            format!("{client:?}"),
            r#"Client { base_url: "https://api.quo.com/", .. }"#
        );
    }

    #[test]
    fn a_builder_without_a_key_fails_when_built() {
        let error = Client::builder().build().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
    }
}
