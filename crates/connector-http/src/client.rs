//! The engine below each vendor's client.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

pub use self::builder::{ClientBuilder, HttpBuilder};
use crate::auth::DynAuthenticate;
use crate::base_url::BaseUrl;
use crate::clock::Timer;
use crate::endpoint::{Endpoint, Method, RateClass};
use crate::error::ErrorDecoder;
use crate::gate::AttemptGate;
use crate::hints::RateHints;
use crate::limits::{Bucket, SharedLimits};
use crate::observer::Observer;
use crate::quota::RetryQuota;
use crate::request::Request;
use crate::retry::RetryPolicy;
use crate::transport::Transport;

pub(crate) const DEFAULT_MAX_BODY: usize = 10 * 1024 * 1024;

/// Calls one vendor's API. Cheap to clone; clones share connections, limits and the retry quota.
///
/// A vendor's crate wraps one of these; its users never see it, except through an accessor for
/// [`raw`](Self::raw) requests.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) vendor: &'static str,
    pub(crate) base: BaseUrl,
    pub(crate) account: Option<Arc<str>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) auth: Box<dyn DynAuthenticate>,
    pub(crate) decoder: Option<Box<dyn ErrorDecoder>>,
    pub(crate) hints: Option<Box<dyn RateHints>>,
    pub(crate) gate: Option<Arc<dyn AttemptGate>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) policy: RetryPolicy,
    pub(crate) quota: RetryQuota,
    pub(crate) limits: SharedLimits,
    /// The buckets known when the client was built, the default one first.
    pub(crate) buckets: Vec<(RateClass, Arc<Bucket>)>,
    /// What every request carries.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// No headers, but room for what a request and the layers below add: a map that has to grow is hashed again.
    pub(crate) no_headers: HeaderMap,
    pub(crate) request_id_headers: Vec<HeaderName>,
    pub(crate) max_body: usize,
    pub(crate) max_queue_wait: Duration,
}

impl Client {
    /// Starts to build a client. `vendor` is its name in errors, spans and logs: `"openphone"`.
    pub fn builder(vendor: &'static str) -> ClientBuilder {
        ClientBuilder::new(vendor)
    }

    /// Returns the vendor's name.
    pub fn vendor(&self) -> &'static str {
        self.inner.vendor
    }

    /// Returns the base URL, as checked when the client was built.
    pub fn base_url(&self) -> &Url {
        self.inner.base.url()
    }

    /// Describes a request to a known endpoint.
    pub fn request(&self, endpoint: &Endpoint) -> Request {
        Request::typed(self.clone(), endpoint)
    }

    /// Describes a request to an endpoint that has no method yet, with the same authentication, limits and redaction.
    ///
    /// `path` is a path below the base URL, with `{name}` for what [`Request::path`] fills in; a query goes through
    /// [`Request::query`]. GET and HEAD count as idempotent, everything else does not. In errors the operation is
    /// `"raw"`.
    pub fn raw(&self, method: Method, path: &str) -> Request {
        Request::raw(self.clone(), method, path)
    }

    pub(crate) fn bucket(&self, class: RateClass) -> Arc<Bucket> {
        let inner = &*self.inner;
        let known = inner.buckets.iter().find(|(known, _)| *known == class);
        if let Some((_, bucket)) = known {
            return Arc::clone(bucket);
        }
        inner
            .limits
            .bucket(inner.vendor, inner.account.as_ref(), class, None)
    }

    pub(crate) fn request_id<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let mut names = self.inner.request_id_headers.iter();
        names.find_map(|name| headers.get(name)?.to_str().ok())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.debug_struct("Client")
            .field("vendor", &inner.vendor)
            .field("base_url", &inner.base.url().as_str())
            .field("account", &inner.account)
            .field("policy", &inner.policy)
            .field("limits", &inner.limits)
            .finish_non_exhaustive()
    }
}
