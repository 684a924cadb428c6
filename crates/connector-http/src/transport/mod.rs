//! The seam between deciding and sending.
//!
//! Everything above it (retries, limits, deadlines, redaction) is tested without a socket and on paused time;
//! everything below it is [`ReqwestTransport`], the only production implementation.

mod reqwest;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use url::Url;

pub use self::reqwest::{ReqwestTransport, ReqwestTransportBuilder};

/// A boxed future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one request and reads its answer.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` once, without following a redirect and without retrying anything that may have left.
    ///
    /// An implementation keeps to `request.timeout` for the whole exchange, the answer's body included, and to
    /// `request.max_body` for the decompressed body. It must be cancelled by dropping the future.
    ///
    /// # Errors
    ///
    /// When no answer's head arrived. A head whose body cannot be read is a [`WireResponse`] with
    /// [`BodyError`], because its status already says what the vendor did.
    fn execute(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>>;

    /// Sends `request` as [`execute`](Self::execute) does, and gives the answer's body piece by piece, as it arrives.
    ///
    /// `request.timeout` is for the whole exchange, to the last piece; `request.max_body` is for all pieces together.
    /// After an error the body ends. A transport that does not override this refuses.
    ///
    /// # Errors
    ///
    /// When no answer's head arrived. What happens to the body afterwards, its pieces tell.
    fn execute_stream(
        &self,
        request: WireRequest,
    ) -> BoxFuture<'_, Result<WireStream, TransportError>> {
        drop(request);
        let refused = TransportError::new(TransportErrorKind::InvalidRequest, false)
            .source("this transport cannot give a body piece by piece");
        Box::pin(std::future::ready(Err(refused)))
    }
}

/// One request, ready for the wire.
#[non_exhaustive]
pub struct WireRequest {
    /// The method.
    pub method: http::Method,
    /// The whole URL.
    pub url: Url,
    /// All headers, credentials included.
    pub headers: HeaderMap,
    /// The body; `None` sends none.
    pub body: Option<Bytes>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// How long the decompressed answer may be, in bytes.
    pub max_body: usize,
}

impl WireRequest {
    /// Makes a request without headers and body, with the timeout and body cap of the defaults.
    pub fn new(method: http::Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            timeout: crate::retry::DEFAULT_ATTEMPT_TIMEOUT,
            max_body: crate::client::DEFAULT_MAX_BODY,
        }
    }
}

/// Prints neither path, query, header values nor body: they hold persons and secrets.
impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("host", &self.url.host_str())
            .field("headers", &names)
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}

/// One answer, read to its end or as far as that went.
#[non_exhaustive]
pub struct WireResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The decompressed body, or why it could not be read.
    pub body: Result<Bytes, BodyError>,
}

impl WireResponse {
    /// Makes an answer.
    pub fn new(status: u16, headers: HeaderMap, body: Result<Bytes, BodyError>) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }
}

/// Prints neither header values nor the body.
impl fmt::Debug for WireResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("WireResponse")
            .field("status", &self.status)
            .field("headers", &names)
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// The pieces of an answer's body, none of them empty.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// One answer whose body has yet to arrive.
#[non_exhaustive]
pub struct WireStream {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The decompressed body.
    pub body: BodyStream,
}

impl WireStream {
    /// Makes an answer.
    pub fn new(status: u16, headers: HeaderMap, body: BodyStream) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }
}

/// Prints neither header values nor the body.
impl fmt::Debug for WireStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("WireStream")
            .field("status", &self.status)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why no answer arrived, and whether the request may have left.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    sent: bool,
    source: Option<Source>,
}

/// How an exchange failed before the answer's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: name resolution, TCP or TLS.
    Connect,
    /// The time was up.
    Timeout,
    /// The connection broke.
    Broken,
    /// The request itself cannot be sent as it is.
    InvalidRequest,
}

impl TransportError {
    /// Makes an error. `sent` is whether any byte of the request may have reached the vendor: when in doubt, `true`.
    pub fn new(kind: TransportErrorKind, sent: bool) -> Self {
        Self {
            kind,
            sent,
            source: None,
        }
    }

    /// Adds what caused it. Its texts must hold no URL, header or body.
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns how it failed.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns whether any byte of the request may have reached the vendor.
    pub fn sent(&self) -> bool {
        self.sent
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.kind, self.sent) {
            (TransportErrorKind::Connect, _) => "no connection could be made",
            (TransportErrorKind::Timeout, false) => "the time was up before anything was sent",
            (TransportErrorKind::Timeout, true) => "the time was up before the answer arrived",
            (TransportErrorKind::Broken, false) => "the connection broke before anything was sent",
            (TransportErrorKind::Broken, true) => "the connection broke before the answer arrived",
            (TransportErrorKind::InvalidRequest, _) => "the request cannot be sent as it is",
        })
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// Why the body of an answer could not be read.
#[derive(Debug)]
pub struct BodyError {
    kind: BodyErrorKind,
    source: Option<Source>,
}

/// How reading an answer's body failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyErrorKind {
    /// The time was up.
    Timeout,
    /// The connection broke, or the body was cut short or badly compressed.
    Broken,
    /// It is longer than the cap.
    TooLarge,
}

impl BodyError {
    /// Makes an error of this kind.
    pub fn new(kind: BodyErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Adds what caused it. Its texts must hold nothing of the body.
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns how it failed.
    pub fn kind(&self) -> BodyErrorKind {
        self.kind
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            BodyErrorKind::Timeout => "the time was up before the whole answer had arrived",
            BodyErrorKind::Broken => "the answer broke off",
            BodyErrorKind::TooLarge => "the answer is longer than the cap for bodies",
        })
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
