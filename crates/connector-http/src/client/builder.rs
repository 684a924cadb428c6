//! Putting a client together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Client, DEFAULT_MAX_BODY, Inner};
use crate::auth::{Authenticate, DynAuthenticate, NoAuth};
use crate::base_url::{BaseUrl, is_loopback};
use crate::clock::{Timer, TokioTimer};
use crate::endpoint::RateClass;
use crate::error::{Error, ErrorDecoder};
use crate::gate::AttemptGate;
use crate::hints::RateHints;
use crate::limits::{Rate, SharedLimits};
use crate::observer::Observer;
use crate::quota::RetryQuota;
use crate::retry::RetryPolicy;
use crate::transport::{ReqwestTransport, Transport};

const DEFAULT_USER_AGENT: &str = concat!("connector-http/", env!("CARGO_PKG_VERSION"));
const DEFAULT_REQUEST_ID_HEADERS: &[&str] = &["x-request-id", "request-id"];

/// Builds a [`Client`].
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    vendor: &'static str,
    base_url: String,
    account: Option<Arc<str>>,
    auth: Box<dyn DynAuthenticate>,
    decoder: Option<Box<dyn ErrorDecoder>>,
    hints: Option<Box<dyn RateHints>>,
    gate: Option<Arc<dyn AttemptGate>>,
    observer: Option<Arc<dyn Observer>>,
    transport: Option<Arc<dyn Transport>>,
    timer: Arc<dyn Timer>,
    policy: RetryPolicy,
    limits: SharedLimits,
    rates: Vec<(RateClass, Rate)>,
    headers: Vec<(HeaderName, String)>,
    user_agent: String,
    request_id_headers: &'static [&'static str],
    max_body: usize,
    max_queue_wait: Duration,
    connect_timeout: Option<Duration>,
}

impl ClientBuilder {
    pub(super) fn new(vendor: &'static str) -> Self {
        Self {
            vendor,
            base_url: String::new(),
            account: None,
            auth: Box::new(NoAuth),
            decoder: None,
            hints: None,
            gate: None,
            observer: None,
            transport: None,
            timer: Arc::new(TokioTimer),
            policy: RetryPolicy::new(),
            limits: SharedLimits::new(),
            rates: Vec::new(),
            headers: Vec::new(),
            user_agent: DEFAULT_USER_AGENT.to_owned(),
            request_id_headers: DEFAULT_REQUEST_ID_HEADERS,
            max_body: DEFAULT_MAX_BODY,
            max_queue_wait: Duration::from_mins(1),
            connect_timeout: None,
        }
    }

    /// Sets where the API is: `https`, or `http` to loopback; without credentials, query and fragment. A path is
    /// kept and put before every endpoint's own.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets where credentials come from. None by default.
    pub fn auth(mut self, auth: impl Authenticate) -> Self {
        self.auth = Box::new(auth);
        self
    }

    /// Sets who reads the vendor's error bodies.
    pub fn error_decoder(mut self, decoder: impl ErrorDecoder) -> Self {
        self.decoder = Some(Box::new(decoder));
        self
    }

    /// Sets who reads the vendor's own pace headers, beside the standard ones.
    pub fn rate_hints(mut self, hints: impl RateHints) -> Self {
        self.hints = Some(Box::new(hints));
        self
    }

    /// Sets the pace of a rate class. Classes without one are not paced, only cooled down when the vendor says so.
    pub fn rate(mut self, class: RateClass, rate: Rate) -> Self {
        self.rates.push((class, rate));
        self
    }

    /// Sends this header with every request.
    pub fn default_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the headers in which the vendor names its requests, the first that is there counts. `x-request-id` and
    /// `request-id` by default.
    pub fn request_id_headers(mut self, names: &'static [&'static str]) -> Self {
        self.request_id_headers = names;
        self
    }

    /// Names the account whose rate limits these calls count against. Clients with the same account and the same
    /// [`limits`](Self::limits) share them.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into().into());
        self
    }

    /// Shares rate limits with other clients. Without [`account`](Self::account) all clients of one vendor on these
    /// limits count as one account; without this the client has limits of its own.
    pub fn limits(mut self, limits: SharedLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how often, how long and how patiently calls are tried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets who hears about every attempt.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets who admits attempts.
    pub fn gate(mut self, gate: Arc<dyn AttemptGate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets what sends requests: to share one connection pool between clients, or to send nothing in a test.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the clock.
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Sets how many bytes an answer may have after decompression. 10 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets how long a call may wait for its turn. 60 seconds by default; a call that would wait longer fails at
    /// once with [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited).
    pub fn max_queue_wait(mut self, wait: Duration) -> Self {
        self.max_queue_wait = wait;
        self
    }

    /// Sets the user agent. `connector-http/…` by default; a vendor's client puts its own name and version there.
    pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
        self.user_agent = agent.into();
        self
    }

    /// Sets how long making a connection may take. Five seconds by default. A [`transport`](Self::transport) that
    /// was given has its own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a base URL that breaks the rules, a pace that cannot be
    /// kept, a header that cannot be sent, or a system whose TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let vendor = self.vendor;
        let refuse = |reason: &str| Error::config(vendor, "client", reason);
        let base = BaseUrl::parse(&self.base_url).map_err(refuse)?;

        let mut headers = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
        let agent = [(USER_AGENT, self.user_agent)];
        for (name, value) in agent.into_iter().chain(self.headers) {
            let value = HeaderValue::from_str(&value)
                .map_err(|_| refuse("a header value contains a control character"))?;
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value));
        }

        let mut request_id_headers = Vec::with_capacity(self.request_id_headers.len());
        for name in self.request_id_headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| refuse("a request id header's name cannot be a header"))?;
            request_id_headers.push(name);
        }

        if self.rates.iter().any(|(_, rate)| rate.interval().is_none()) {
            return Err(refuse("a rate of no requests, or of no time"));
        }
        let account = self.account;
        let bucket = |class, rate| self.limits.bucket(vendor, account.as_ref(), class, rate);
        let mut buckets = vec![(RateClass::DEFAULT, bucket(RateClass::DEFAULT, None))];
        for (class, rate) in &self.rates {
            buckets.push((*class, bucket(*class, Some(*rate))));
        }

        let transport = if let Some(transport) = self.transport {
            transport
        } else {
            let mut builder = ReqwestTransport::builder();
            if let Some(timeout) = self.connect_timeout {
                builder = builder.connect_timeout(timeout);
            }
            // It would go straight to loopback anyway, but keep a second pool ready for remote hosts.
            if is_loopback(base.url()) {
                builder = builder.no_proxy();
            }
            Arc::new(builder.build()?)
        };

        Ok(Client {
            inner: Arc::new(Inner {
                vendor,
                base,
                account,
                transport,
                auth: self.auth,
                decoder: self.decoder,
                hints: self.hints,
                gate: self.gate,
                observer: self.observer,
                timer: self.timer,
                policy: self.policy,
                quota: RetryQuota::new(),
                limits: self.limits,
                buckets,
                // Beside these: content-type, credentials, accept-encoding, host, content-length.
                no_headers: HeaderMap::with_capacity(headers.len().saturating_add(7)),
                headers,
                request_id_headers,
                max_body: self.max_body,
                max_queue_wait: self.max_queue_wait,
            }),
        })
    }
}

/// A builder of a client that goes through this crate: [`ClientBuilder`] itself, and each vendor's own, for which
/// [`shared_client_options!`](crate::shared_client_options) writes this. So whoever holds options that every client has
/// can apply them to any builder.
///
/// ```
/// use connector_http::{Client, HttpBuilder, SharedLimits};
///
/// fn paced_together<B: HttpBuilder>(builder: B, limits: &SharedLimits) -> B {
///     builder.with_http(|http| http.account("tenant-7").limits(limits.clone()))
/// }
/// # let _ = paced_together(Client::builder("acme"), &SharedLimits::new());
/// ```
pub trait HttpBuilder: Sized {
    /// Changes the [`ClientBuilder`] it holds. What a vendor's builder sets itself when it builds, its base URL and its
    /// credentials, it sets over this.
    #[must_use]
    fn with_http(self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self;
}

impl HttpBuilder for ClientBuilder {
    fn with_http(self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        change(self)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base URL is not checked yet and may hold a password.
        f.debug_struct("ClientBuilder")
            .field("vendor", &self.vendor)
            .field("account", &self.account)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Writes the options that every vendor's client has onto its builder, and makes it an [`HttpBuilder`].
///
/// Beside the builder of a vendor's crate, with its name and that of the field that holds the
/// [`connector_http::ClientBuilder`](ClientBuilder), or another [`HttpBuilder`]:
///
/// ```
/// pub struct ClientBuilder { http: connector_http::ClientBuilder }
///
/// connector_http::shared_client_options!(ClientBuilder, http);
/// # let http = connector_http::Client::builder("acme");
/// # let _ = ClientBuilder { http }.account("tenant-7").max_body(1024);
/// ```
#[macro_export]
macro_rules! shared_client_options {
    ($builder:ident, $http:ident) => {
        impl $builder {
            /// Names the account whose rate limits these calls count against. Clients with the same account and the
            /// same `limits` share them.
            #[must_use]
            pub fn account(mut self, account: impl Into<String>) -> Self {
                self.$http = self.$http.account(account);
                self
            }

            /// Shares rate limits with other clients of the same account.
            #[must_use]
            pub fn limits(mut self, limits: $crate::SharedLimits) -> Self {
                self.$http = self.$http.limits(limits);
                self
            }

            /// Sets how often, how long and how patiently calls are tried.
            #[must_use]
            pub fn retry(mut self, policy: $crate::RetryPolicy) -> Self {
                self.$http = self.$http.retry(policy);
                self
            }

            /// Sets who hears about every attempt.
            #[must_use]
            pub fn observer(mut self, observer: ::std::sync::Arc<dyn $crate::Observer>) -> Self {
                self.$http = self.$http.observer(observer);
                self
            }

            /// Sets who admits attempts: whoever counts a quota that pace alone does not keep.
            #[must_use]
            pub fn gate(mut self, gate: ::std::sync::Arc<dyn $crate::AttemptGate>) -> Self {
                self.$http = self.$http.gate(gate);
                self
            }

            /// Sets what sends requests: to share one connection pool between clients, or to send nothing in a test.
            #[must_use]
            pub fn transport(mut self, transport: ::std::sync::Arc<dyn $crate::Transport>) -> Self {
                self.$http = self.$http.transport(transport);
                self
            }

            /// Sets how many bytes an answer may have after decompression. 10 MiB by default.
            #[must_use]
            pub fn max_body(mut self, bytes: usize) -> Self {
                self.$http = self.$http.max_body(bytes);
                self
            }

            /// Sets how long a call may wait for its turn. 60 seconds by default; a call that would wait longer fails
            /// at once, with `retry_after()` set.
            #[must_use]
            pub fn max_queue_wait(mut self, wait: ::std::time::Duration) -> Self {
                self.$http = self.$http.max_queue_wait(wait);
                self
            }

            /// Sets the user agent, in place of this crate's name and version.
            #[must_use]
            pub fn user_agent(mut self, agent: impl Into<String>) -> Self {
                self.$http = self.$http.user_agent(agent);
                self
            }

            /// Sets how long making a connection may take. Five seconds by default.
            #[must_use]
            pub fn connect_timeout(mut self, timeout: ::std::time::Duration) -> Self {
                self.$http = self.$http.connect_timeout(timeout);
                self
            }
        }

        impl $crate::HttpBuilder for $builder {
            fn with_http(
                mut self,
                change: impl FnOnce($crate::ClientBuilder) -> $crate::ClientBuilder,
            ) -> Self {
                self.$http = $crate::HttpBuilder::with_http(self.$http, change);
                self
            }
        }
    };
}
