//! One request as the caller describes it, before anything happens.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    COOKIE, EXPECT, HOST, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base_url;
use crate::call::Call;
use crate::client::Client;
use crate::decode;
use crate::endpoint::{Endpoint, Idempotency, Method, RateClass};
use crate::error::{Delivery, Error, ErrorKind};
use crate::limits::Lane;

/// What the connection, the authenticator or the transport sets.
const RESERVED: [HeaderName; 14] = [
    AUTHORIZATION,
    PROXY_AUTHORIZATION,
    COOKIE,
    HOST,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    ACCEPT_ENCODING,
    TRANSFER_ENCODING,
    CONNECTION,
    EXPECT,
    TE,
    TRAILER,
    UPGRADE,
];

/// A request being described. Infallible to build: the first mistake is kept and surfaces when the [`Call`] is
/// awaited, before anything is sent.
#[must_use = "a request does nothing until it is turned into a call and awaited"]
pub struct Request {
    plan: Box<Plan>,
}

/// Everything the engine needs to know of one call.
pub(crate) struct Plan {
    pub(crate) client: Client,
    pub(crate) operation: Operation,
    pub(crate) path: Cow<'static, str>,
    pub(crate) query: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) options: Options,
    pub(crate) failed: Option<Error>,
}

/// What is known of the operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// The path template, where it holds no values.
    pub(crate) template: &'static str,
    pub(crate) idempotency: Idempotency,
    pub(crate) rate_class: RateClass,
    pub(crate) refuses_with_503: bool,
}

/// What the caller chose for this call.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) no_retry: bool,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) lane: Lane,
}

impl Request {
    pub(crate) fn typed(client: Client, endpoint: &Endpoint) -> Self {
        let operation = Operation {
            name: endpoint.name,
            method: endpoint.method,
            template: endpoint.path,
            idempotency: endpoint.idempotency,
            rate_class: endpoint.rate_class,
            refuses_with_503: endpoint.refuses_with_503,
        };
        Self::new(client, operation, Cow::Borrowed(endpoint.path))
    }

    pub(crate) fn raw(client: Client, method: Method, path: &str) -> Self {
        let operation = Operation {
            name: "raw",
            method,
            // The path of a raw request may hold values.
            template: "",
            idempotency: if method.is_safe() {
                Idempotency::Idempotent
            } else {
                Idempotency::NotIdempotent
            },
            rate_class: RateClass::DEFAULT,
            refuses_with_503: false,
        };
        let request = Self::new(client, operation, Cow::Owned(path.to_owned()));
        match base_url::check_path(path) {
            Ok(()) => request,
            Err(reason) => request.refuse(reason),
        }
    }

    fn new(client: Client, operation: Operation, path: Cow<'static, str>) -> Self {
        Self {
            plan: Box::new(Plan {
                client,
                operation,
                path,
                query: String::new(),
                headers: Vec::new(),
                body: None,
                content_type: None,
                options: Options::default(),
                failed: None,
            }),
        }
    }

    /// Puts `value` in place of `{name}` in the path, percent-encoded as one segment.
    ///
    /// An empty value, `.` and `..` are refused: they would name another resource.
    pub fn path(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        match base_url::fill(&self.plan.path, name, value.as_ref()) {
            Ok(path) => {
                self.plan.path = Cow::Owned(path);
                self
            }
            Err(reason) => self.refuse(reason),
        }
    }

    /// Adds `key=value` to the query, percent-encoded. A key may be repeated.
    pub fn query(mut self, key: &str, value: impl Display) -> Self {
        match base_url::push_pair(&mut self.plan.query, key, &value) {
            Ok(()) => self,
            Err(fmt::Error) => self.refuse("a query value cannot be displayed"),
        }
    }

    /// Adds `key=value` to the query if there is a value.
    pub fn query_opt(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Sets the body to this value as JSON. It is serialised here, once, whatever the number of attempts.
    pub fn json<B: Serialize + ?Sized>(mut self, body: &B) -> Self {
        // serde's error may repeat values, so it is not kept.
        if let Ok(bytes) = serde_json::to_vec(body) {
            self.plan.body = Some(bytes.into());
            self.plan.content_type = Some(HeaderValue::from_static("application/json"));
            self
        } else {
            let reason = "the body cannot be written as json";
            let error = self.error(ErrorKind::Encode).with_own_message(reason);
            self.invalid(error)
        }
    }

    /// Sets the body to these bytes, for the rare endpoint that takes no JSON.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.plan.body = Some(body.into());
        self.plan.content_type = Some(content_type);
        self
    }

    /// Adds a header. Those that carry credentials or frame the message (`authorization`, `host`,
    /// `content-length`, …) are refused: the client sets them.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if RESERVED.contains(&name) {
            return self.refuse("a header that only the client may set");
        }
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.plan.headers.push((name, value));
                self
            }
            Err(_) => self.refuse("a header value contains a control character"),
        }
    }

    /// Makes the call fail with this error, unless an earlier one is kept already: lets a client's own validation
    /// surface where every other error does.
    pub fn invalid(mut self, error: Error) -> Self {
        self.plan.failed.get_or_insert(error);
        self
    }

    /// Makes the call, and reads the body of its answer as JSON.
    ///
    /// # Errors
    ///
    /// When awaited: see [`ErrorKind`]. A 2xx whose body cannot be read is [`ErrorKind::Decode`] with
    /// [`Delivery::Succeeded`].
    pub fn fetch<T: DeserializeOwned + Send + 'static>(self) -> Call<T> {
        Call::new(self.plan, Box::new(|body| decode::json(body)))
    }

    /// Makes the call, reads the body as JSON and takes the result out of it: `fetch_map(|w: Data<T>| w.data)`.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch).
    pub fn fetch_map<W, T>(self, take: impl FnOnce(W) -> T + Send + 'static) -> Call<T>
    where
        W: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        Call::new(
            self.plan,
            Box::new(move |body| decode::json(body).map(take)),
        )
    }

    /// Makes the call and ignores the body of a success, as of a 204.
    ///
    /// # Errors
    ///
    /// When awaited: see [`ErrorKind`].
    pub fn discard(self) -> Call<()> {
        Call::new(self.plan, Box::new(|_| Ok(())))
    }

    /// Makes the call and gives the body as it is.
    ///
    /// # Errors
    ///
    /// When awaited: see [`ErrorKind`].
    pub fn bytes(self) -> Call<Bytes> {
        Call::new(self.plan, Box::new(|body| Ok(body.clone())))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        self.plan.error(kind, Delivery::NotSent)
    }

    fn refuse(self, reason: &'static str) -> Self {
        let error = self.error(ErrorKind::Config).with_own_message(reason);
        self.invalid(error)
    }
}

impl Plan {
    pub(crate) fn error(&self, kind: ErrorKind, delivery: Delivery) -> Error {
        Error::new(kind, self.client.vendor(), self.operation.name, delivery)
    }
}

/// Prints the operation; path, query and body hold persons.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("vendor", &self.plan.client.vendor())
            .field("operation", &self.plan.operation.name)
            .field("method", &self.plan.operation.method)
            .field("failed", &self.plan.failed)
            .finish_non_exhaustive()
    }
}
