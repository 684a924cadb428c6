//! A transport that sends nothing: scripted answers and failures, on paused time if the test pauses it.
//!
//! ```
//! use std::sync::Arc;
//! use connector_http::testing::{FakeTransport, Reply};
//! use connector_http::{Client, Method};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), connector_http::Error> {
//! let fake = FakeTransport::new();
//! fake.push(Reply::status(503));
//! fake.push(Reply::status(200).json(&serde_json::json!({ "ok": true })));
//!
//! let client = Client::builder("acme")
//!     .base_url("https://api.example.com")
//!     .transport(Arc::new(fake.clone()))
//!     .build()?;
//! let answer: serde_json::Value = client.raw(Method::Get, "/v1/things").fetch().await?;
//! assert_eq!(answer["ok"], true);
//! assert_eq!(fake.requests().len(), 2);
//! # Ok(()) }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use crate::clock::{Timer as _, TokioTimer};
use crate::transport::{
    BodyError, BodyErrorKind, BoxFuture, Transport, TransportError, TransportErrorKind,
    WireRequest, WireResponse, WireStream,
};

type Handler = Box<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;

/// A scripted [`Transport`] that records what it is given. Cheap to clone; clones are the same transport.
#[derive(Clone, Default)]
pub struct FakeTransport {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    handler: Option<Handler>,
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl FakeTransport {
    /// Makes a transport without any reply. A request it has no reply for fails with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a transport that answers each request as `handler` says. Replies that were pushed go first.
    pub fn handler(handler: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                handler: Some(Box::new(handler)),
                ..Shared::default()
            }),
        }
    }

    /// Adds the reply to one request, after those pushed before.
    pub fn push(&self, reply: Reply) -> &Self {
        lock(&self.shared.replies).push_back(reply);
        self
    }

    /// Returns every request so far.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared.requests).clone()
    }

    /// Returns the latest request.
    pub fn last_request(&self) -> Option<RecordedRequest> {
        lock(&self.shared.requests).last().cloned()
    }

    /// Returns how many pushed replies were not used yet.
    pub fn unused(&self) -> usize {
        lock(&self.shared.replies).len()
    }
}

impl fmt::Debug for FakeTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTransport")
            .field("requests", &lock(&self.shared.requests).len())
            .field("unused", &self.unused())
            .finish_non_exhaustive()
    }
}

impl Transport for FakeTransport {
    fn execute(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        let cap = request.max_body;
        let arriving = self.exchange(request);
        Box::pin(async move {
            let answer = arriving.await?;
            let body = match answer.ending {
                Ending::Answer(Ok(body)) if body.len() > cap => {
                    Err(BodyError::new(BodyErrorKind::TooLarge))
                }
                Ending::Answer(Ok(body)) => Ok(body),
                Ending::Answer(Err(kind)) | Ending::Cut(_, kind) => Err(BodyError::new(kind)),
                Ending::None(kind) => return Err(TransportError::new(kind, answer.sent)),
            };
            Ok(WireResponse::new(answer.status, answer.headers, body))
        })
    }

    /// Gives the body in pieces of at most 1,000 bytes.
    fn execute_stream(
        &self,
        request: WireRequest,
    ) -> BoxFuture<'_, Result<WireStream, TransportError>> {
        let room = request.max_body;
        let arriving = self.exchange(request);
        Box::pin(async move {
            let answer = arriving.await?;
            let (rest, fault) = match answer.ending {
                Ending::Answer(Ok(body)) => (body, None),
                Ending::Answer(Err(kind)) => (Bytes::new(), Some(kind)),
                Ending::Cut(body, kind) => (body, Some(kind)),
                Ending::None(kind) => return Err(TransportError::new(kind, answer.sent)),
            };
            let pieces = Box::pin(Pieces { rest, fault, room });
            Ok(WireStream::new(answer.status, answer.headers, pieces))
        })
    }
}

impl FakeTransport {
    /// Records the request and waits for the head of its reply.
    fn exchange(
        &self,
        request: WireRequest,
    ) -> impl Future<Output = Result<Reply, TransportError>> + Send + use<> {
        let timer = TokioTimer;
        let timeout = request.timeout;
        let recorded = RecordedRequest {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body.unwrap_or_default(),
            timeout,
            at: timer.now(),
        };
        let pushed = lock(&self.shared.replies).pop_front();
        let reply = pushed.or_else(|| {
            let handler = self.shared.handler.as_ref()?;
            Some(handler(&recorded))
        });
        lock(&self.shared.requests).push(recorded);
        async move {
            let Some(reply) = reply else {
                let kind = TransportErrorKind::InvalidRequest;
                return Err(TransportError::new(kind, false).source("no reply was scripted"));
            };
            if reply.delay >= timeout {
                timer.sleep(timeout).await;
                let kind = TransportErrorKind::Timeout;
                return Err(TransportError::new(kind, reply.sent));
            }
            if !reply.delay.is_zero() {
                timer.sleep(reply.delay).await;
            }
            Ok(reply)
        }
    }
}

/// A body on its way.
struct Pieces {
    rest: Bytes,
    fault: Option<BodyErrorKind>,
    room: usize,
}

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = self.rest.len().min(1000);
        if length == 0 {
            return Poll::Ready(self.fault.take().map(|kind| Err(BodyError::new(kind))));
        }
        let piece = self.rest.split_to(length);
        let Some(room) = self.room.checked_sub(length) else {
            (self.rest, self.fault) = (Bytes::new(), None);
            return Poll::Ready(Some(Err(BodyError::new(BodyErrorKind::TooLarge))));
        };
        self.room = room;
        Poll::Ready(Some(Ok(piece)))
    }
}

/// A request as it would have left.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: http::Method,
    /// The whole URL.
    pub url: Url,
    /// All headers, credentials included.
    pub headers: HeaderMap,
    /// The body; empty if there was none.
    pub body: Bytes,
    /// How long it was given.
    pub timeout: Duration,
    /// When it was made.
    pub at: Instant,
}

impl RecordedRequest {
    /// Returns the path, percent-encoded as on the wire.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Returns the decoded query, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        self.url.query_pairs().into_owned().collect()
    }

    /// Returns a header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body as JSON; `null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Prints neither path, query, header values nor body.
impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("RecordedRequest")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What becomes of one request.
#[derive(Clone, Debug)]
#[must_use = "a reply does nothing until it is given to a transport"]
pub struct Reply {
    status: u16,
    headers: HeaderMap,
    ending: Ending,
    sent: bool,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Ending {
    Answer(Result<Bytes, BodyErrorKind>),
    Cut(Bytes, BodyErrorKind),
    None(TransportErrorKind),
}

impl Reply {
    /// Answers with this status and no body.
    pub fn status(status: u16) -> Self {
        Self::new(status, Ending::Answer(Ok(Bytes::new())), true)
    }

    /// Answers with a head whose body breaks off.
    pub fn truncated(status: u16) -> Self {
        Self::new(status, Ending::Answer(Err(BodyErrorKind::Broken)), true)
    }

    /// Answers with a head whose body does not arrive in time.
    pub fn slow_body(status: u16) -> Self {
        Self::new(status, Ending::Answer(Err(BodyErrorKind::Timeout)), true)
    }

    /// Fails to connect.
    pub fn connect_error() -> Self {
        Self::new(0, Ending::None(TransportErrorKind::Connect), false)
    }

    /// Breaks the connection before anything was sent.
    pub fn reset_before_sending() -> Self {
        Self::new(0, Ending::None(TransportErrorKind::Broken), false)
    }

    /// Breaks the connection after the request was sent.
    pub fn reset_after_sending() -> Self {
        Self::new(0, Ending::None(TransportErrorKind::Broken), true)
    }

    /// Never answers: the request was sent and the time runs out.
    pub fn hang() -> Self {
        Self::status(200).delay(Duration::MAX)
    }

    /// Never connects: the time runs out before anything was sent.
    pub fn hang_connecting() -> Self {
        Self::connect_error().delay(Duration::MAX)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.ending = Ending::Answer(Ok(body.into()));
        self
    }

    /// Lets the body break off where it was to end. A download sees what was set of it, any other call nothing.
    pub fn cut(mut self, kind: BodyErrorKind) -> Self {
        if let Ending::Answer(Ok(body)) = self.ending {
            self.ending = Ending::Cut(body, kind);
        }
        self
    }

    /// Sets the body to this value as JSON, and the content type.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON.
    #[expect(
        clippy::expect_used,
        reason = "a test that cannot write its fixture has to fail"
    )]
    pub fn json<B: Serialize + ?Sized>(self, body: &B) -> Self {
        let body = serde_json::to_vec(body).expect("the reply is written as json");
        self.header("content-type", "application/json").body(body)
    }

    /// Adds a header.
    ///
    /// # Panics
    ///
    /// If the value cannot be a header.
    #[expect(
        clippy::expect_used,
        reason = "a test that cannot write its fixture has to fail"
    )]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("the value can be a header");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Lets so much time pass first. If it is no less than the request's timeout, the request times out.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn new(status: u16, ending: Ending, sent: bool) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            ending,
            sent,
            delay: Duration::ZERO,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
