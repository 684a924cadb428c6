//! The client of the dated API: what it is built from, and where its resources are.

use std::fmt;
use std::sync::Arc;

use connector_http::{
    Call, Endpoint, Error, Method, Paginator, Rate, RateClass, Request, Transport,
};
use http::HeaderName;
use secrecy::SecretString;
use url::Url;

use super::VERSION;
use super::calls::{self, Calls};
use super::contacts::{self, ContactNotes, ContactProperties, Contacts};
use super::conversations::{self, Conversations};
use super::messages::{self, Messages};
use super::organization::{self, Organization};
use super::page::ListPage;
use super::phone_numbers::{self, PhoneNumbers};
use super::tasks::{self, Tasks};
use super::users::{self, Users};
use super::webhooks::{self, Webhooks};
use crate::client::VENDOR;

const VERSION_HEADER: HeaderName = HeaderName::from_static("quo-api-version");

/// The old host. It serves API v1 alike, and knows no path of the dated API.
const OLD_HOST: &str = "api.openphone.com";

/// A client of the dated API of one OpenPhone workspace.
///
/// Cheap to clone: clones share the connections, the pace and the retry budget. The vendor counts the
/// requests of a key over both APIs together: who uses both makes this one with
/// [`beside`](Self::beside).
///
/// ```
/// # async fn example() -> Result<(), openphone_client::Error> {
/// let client = openphone_client::dated::Client::builder().api_key("0123456789abcdef").build()?;
/// let workspace = client.test_connection().await?;
/// println!("{}: {}", workspace.id, workspace.subscription_status);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    v1: crate::Client,
}

impl Client {
    /// Starts to build a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            v1: crate::Client::builder(),
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

    /// Makes a client of the dated API beside one of API v1: with its key, its address, its connections,
    /// its pace and its retry budget.
    ///
    /// ```
    /// # fn example() -> Result<(), openphone_client::Error> {
    /// let v1 = openphone_client::Client::from_env()?;
    /// let dated = openphone_client::dated::Client::beside(&v1)?;
    /// # drop(dated);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when that client talks to the old host,
    /// `api.openphone.com`, which does not serve the dated API.
    pub fn beside(v1: &crate::Client) -> Result<Self, Error> {
        if v1.base_url().host_str() == Some(OLD_HOST) {
            let reason = "api.openphone.com does not serve the dated API: use https://api.quo.com";
            return Err(Error::config(VENDOR, "client.build", reason));
        }
        Ok(Self { v1: v1.clone() })
    }

    /// The calls of the workspace.
    pub fn calls(&self) -> Calls<'_> {
        Calls::new(self)
    }

    /// The notes on contacts.
    pub fn contact_notes(&self) -> ContactNotes<'_> {
        ContactNotes::new(self)
    }

    /// The phone numbers, e-mail addresses and custom values of contacts.
    pub fn contact_properties(&self) -> ContactProperties<'_> {
        ContactProperties::new(self)
    }

    /// The address book.
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts::new(self)
    }

    /// The conversations: threads of texts and calls.
    pub fn conversations(&self) -> Conversations<'_> {
        Conversations::new(self)
    }

    /// The text messages of the workspace.
    pub fn messages(&self) -> Messages<'_> {
        Messages::new(self)
    }

    /// The phone numbers.
    pub fn phone_numbers(&self) -> PhoneNumbers<'_> {
        PhoneNumbers::new(self)
    }

    /// The tasks.
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks::new(self)
    }

    /// The users.
    pub fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// The webhooks that are registered over the dated API.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks::new(self)
    }

    /// Reads the workspace that the key belongs to.
    ///
    /// # Errors
    ///
    /// The usual ones of a read.
    pub fn organization(&self) -> Call<Organization> {
        organization::get(self)
    }

    /// Tests whether the address and the key work, with one read, and tells which workspace it is.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) for a wrong key; [`Api`](crate::ErrorKind::Api) with status 404
    /// when the base URL leads to something that is not this API; else the usual ones of a read.
    pub fn test_connection(&self) -> Call<Organization> {
        self.organization()
    }

    /// Calls an operation this crate does not have, with the same key, version header, pace and retries.
    ///
    /// `path` begins below the base URL and has no `/v1`: `"/new-things"`. GET and HEAD are retried like
    /// every read, everything else never once its bytes have left.
    pub fn raw(&self, method: Method, path: &str) -> Request {
        versioned(self.v1.raw(method, path))
    }

    /// The base URL in use.
    pub fn base_url(&self) -> &Url {
        self.v1.base_url()
    }

    /// The client of API v1 that this one shares everything with: sending messages and defining custom
    /// fields is only there.
    pub fn v1(&self) -> &crate::Client {
        &self.v1
    }

    /// Every request of this crate goes through here, so that none misses the version.
    pub(super) fn request(&self, endpoint: &Endpoint) -> Request {
        versioned(self.v1.http().request(endpoint))
    }

    /// A list of pages.
    pub(super) fn paginate<Q, T>(
        &self,
        query: &Q,
        page: fn(&Self, &Q, Option<&str>) -> Call<ListPage<T>>,
    ) -> Paginator<T>
    where
        Q: Clone + Send + Sync + 'static,
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        let (client, query) = (self.clone(), query.clone());
        Paginator::new(move |after| page(&client, &query, after).map(Into::into))
    }
}

fn versioned(request: Request) -> Request {
    request.header(VERSION_HEADER, VERSION)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url().as_str())
            .field("version", &VERSION)
            .finish_non_exhaustive()
    }
}

/// Every operation of the dated API that this crate calls, for conformance tests.
pub fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    [
        calls::ENDPOINTS,
        contacts::ENDPOINTS,
        contacts::notes::ENDPOINTS,
        contacts::properties::ENDPOINTS,
        conversations::ENDPOINTS,
        messages::ENDPOINTS,
        organization::ENDPOINTS,
        phone_numbers::ENDPOINTS,
        tasks::ENDPOINTS,
        users::ENDPOINTS,
        webhooks::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}

/// Builds a [`Client`]. The options are those of [`crate::ClientBuilder`].
///
/// ```
/// let client = openphone_client::dated::Client::builder()
///     .api_key("0123456789abcdef")
///     .base_url("https://gateway.example.com/quo")
///     .build()?;
/// assert_eq!(client.base_url().as_str(), "https://gateway.example.com/quo");
/// # Ok::<(), openphone_client::Error>(())
/// ```
#[must_use]
pub struct ClientBuilder {
    v1: crate::ClientBuilder,
}

impl ClientBuilder {
    /// Sets the API key: the bare key, without `Bearer`. It is the same as for API v1.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.v1 = self.v1.api_key(key);
        self
    }

    /// Sets another base URL: a proxy, a sandbox on loopback. A path prefix is kept; a trailing `/v1`
    /// is dropped, so that both clients take the same setting.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.v1 = self.v1.base_url(url);
        self
    }

    /// Takes key and base URL from `OPENPHONE_API_KEY` and, if it is set, `OPENPHONE_BASE_URL`.
    ///
    /// # Errors
    ///
    /// Those of [`crate::ClientBuilder::from_env`].
    pub fn from_env(mut self) -> Result<Self, Error> {
        self.v1 = self.v1.from_env()?;
        Ok(self)
    }

    /// Sets the pace of a rate class, in place of 8 requests per second.
    pub fn rate(mut self, class: RateClass, rate: Rate) -> Self {
        self.v1 = self.v1.rate(class, rate);
        self
    }

    /// Builds the client. Nothing is sent; [`Client::test_connection`] does that.
    ///
    /// # Errors
    ///
    /// Those of [`crate::ClientBuilder::build`], and [`Config`](crate::ErrorKind::Config) for the old
    /// host, `api.openphone.com`, which does not serve the dated API.
    pub fn build(self) -> Result<Client, Error> {
        Client::beside(&self.v1.build()?)
    }
}

connector_http::shared_client_options!(ClientBuilder, v1);

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::ErrorKind;

    fn built(url: &str) -> Result<Client, Error> {
        Client::builder().api_key("k3y").base_url(url).build()
    }

    #[rstest]
    #[case("https://api.openphone.com")]
    #[case("https://api.openphone.com/v1")]
    #[case("https://API.openphone.com:443/")]
    fn the_old_host_is_refused(#[case] url: &str) {
        let error = built(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().unwrap().contains("https://api.quo.com"));
        let v1 = crate::Client::builder().api_key("k3y").base_url(url);
        let error = Client::beside(&v1.build().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn the_default_is_the_new_host() {
        let client = Client::builder().api_key("k3y").build().unwrap();
        assert_eq!(
            format!("{client:?}"),
            r#"Client { base_url: "https://api.quo.com/", version: "2026-03-30", .. }"#
        );
        assert_eq!(
            built("http://127.0.0.1:1/v1").unwrap().base_url().path(),
            "/"
        );
    }

    #[test]
    fn keys_are_checked_as_for_v1() {
        for key in ["", "Bearer k3y", "k3y\n"] {
            let error = Client::builder().api_key(key).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }
}
