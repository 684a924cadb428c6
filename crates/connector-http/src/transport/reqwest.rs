//! Requests through `reqwest`.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method};
use http_body::{Body, Frame, SizeHint};

use super::{
    BodyError, BodyErrorKind, BoxFuture, Transport, TransportError, TransportErrorKind,
    WireRequest, WireResponse, WireStream,
};
use crate::base_url::is_loopback;
use crate::error::Error;

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The transport that production uses. Cheap to clone; clones share one connection pool.
///
/// It follows no redirect, retries nothing that may have left, and decompresses gzip. Proxies named in the
/// environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are used for remote hosts and never for loopback.
#[derive(Clone)]
pub struct ReqwestTransport {
    shared: Arc<Shared>,
}

struct Shared {
    client: reqwest::Client,
    /// For loopback hosts, when `client` may use a proxy. Made on first use.
    direct: Option<OnceLock<reqwest::Client>>,
    settings: ReqwestTransportBuilder,
}

/// Builds a [`ReqwestTransport`].
#[derive(Clone, Debug)]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    proxy: bool,
}

impl ReqwestTransport {
    /// Starts with a connect timeout of five seconds and the environment's proxies.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            proxy: true,
        }
    }

    fn client_for(&self, url: &url::Url) -> Result<&reqwest::Client, reqwest::Error> {
        let Some(direct) = &self.shared.direct else {
            return Ok(&self.shared.client);
        };
        if !is_loopback(url) {
            return Ok(&self.shared.client);
        }
        if let Some(client) = direct.get() {
            return Ok(client);
        }
        let client = self.shared.settings.client(false)?;
        Ok(direct.get_or_init(|| client))
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl ReqwestTransportBuilder {
    /// Sets how long making a connection may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Ignores the environment's proxies.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = false;
        self
    }

    /// Builds the transport.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when TLS or the certificates of the system cannot be set up.
    pub fn build(self) -> Result<ReqwestTransport, Error> {
        let client = self.client(self.proxy).map_err(|error| {
            Error::config(
                "connector-http",
                "transport",
                "the http client cannot be set up",
            )
            .with_source(error.without_url())
        })?;
        Ok(ReqwestTransport {
            shared: Arc::new(Shared {
                client,
                direct: self.proxy.then(OnceLock::new),
                settings: self,
            }),
        })
    }

    fn client(&self, proxy: bool) -> Result<reqwest::Client, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        if proxy {
            builder.build()
        } else {
            builder.no_proxy().build()
        }
    }
}

impl Transport for ReqwestTransport {
    fn execute(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        // What can be done now need not be kept in the future, and the smaller that is, the cheaper the call.
        match self.start(request) {
            Ok(exchange) => Box::pin(exchange.finish()),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn execute_stream(
        &self,
        request: WireRequest,
    ) -> BoxFuture<'_, Result<WireStream, TransportError>> {
        match self.start(request) {
            Ok(exchange) => Box::pin(exchange.begin()),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

/// A request that was handed to the connection pool.
struct Exchange<F> {
    answer: F,
    polled: Option<Arc<AtomicBool>>,
    cap: usize,
}

impl ReqwestTransport {
    fn start(
        &self,
        wire: WireRequest,
    ) -> Result<
        Exchange<impl Future<Output = Result<reqwest::Response, reqwest::Error>> + use<>>,
        TransportError,
    > {
        let client = self.client_for(&wire.url).map_err(|error| {
            TransportError::new(TransportErrorKind::InvalidRequest, false)
                .source(error.without_url())
        })?;
        let mut request = reqwest::Request::new(wire.method, wire.url);
        *request.headers_mut() = wire.headers;
        *request.timeout_mut() = Some(wire.timeout);
        if wire.body.is_none() && takes_body(request.method()) {
            // RFC 9110, section 8.6; some servers answer 411 without it, and hyper leaves it out.
            let none = HeaderValue::from_static("0");
            request.headers_mut().insert(CONTENT_LENGTH, none);
        }
        let polled = wire.body.map(|bytes| {
            let polled = Arc::new(AtomicBool::new(false));
            *request.body_mut() = Some(reqwest::Body::wrap(NotedBody {
                bytes: Some(bytes),
                polled: Arc::clone(&polled),
            }));
            polled
        });
        Ok(Exchange {
            answer: client.execute(request),
            polled,
            cap: wire.max_body,
        })
    }
}

impl<F> Exchange<F>
where
    F: Future<Output = Result<reqwest::Response, reqwest::Error>>,
{
    async fn finish(self) -> Result<WireResponse, TransportError> {
        match self.answer.await {
            Ok(mut response) => {
                let body = body(&mut response, self.cap).await;
                let headers = std::mem::take(response.headers_mut());
                let status = response.status().as_u16();
                Ok(WireResponse::new(status, headers, body))
            }
            Err(error) => Err(no_answer(error, self.polled.as_deref())),
        }
    }
}

impl<F> Exchange<F>
where
    F: Future<Output = Result<reqwest::Response, reqwest::Error>>,
{
    async fn begin(self) -> Result<WireStream, TransportError> {
        match self.answer.await {
            Ok(response) => {
                let (head, body) = http::Response::from(response).into_parts();
                let body = Pieces {
                    body: Some(body),
                    room: self.cap,
                };
                Ok(WireStream::new(
                    head.status.as_u16(),
                    head.headers,
                    Box::pin(body),
                ))
            }
            Err(error) => Err(no_answer(error, self.polled.as_deref())),
        }
    }
}

/// A body piece by piece, up to a cap.
struct Pieces {
    /// `None` once it has ended, well or badly.
    body: Option<reqwest::Body>,
    room: usize,
}

impl Stream for Pieces {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            let frame = ready!(Pin::new(body).poll_frame(cx));
            let fault = match frame.map(|frame| frame.map(Frame::into_data)) {
                None => {
                    self.body = None;
                    return Poll::Ready(None);
                }
                // Trailers, and pieces of nothing.
                Some(Ok(Err(_))) => continue,
                Some(Ok(Ok(piece))) if piece.is_empty() => continue,
                Some(Ok(Ok(piece))) => match self.room.checked_sub(piece.len()) {
                    Some(room) => {
                        self.room = room;
                        return Poll::Ready(Some(Ok(piece)));
                    }
                    None => BodyError::new(BodyErrorKind::TooLarge),
                },
                Some(Err(error)) => broken_off(error),
            };
            self.body = None;
            return Poll::Ready(Some(Err(fault)));
        }
    }
}

fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A request without a body may have left unless the connection itself failed; one with a body has not left
/// before the body was asked for, because head and body leave together.
fn no_answer(error: reqwest::Error, polled: Option<&AtomicBool>) -> TransportError {
    let sent = if error.is_connect() || error.is_builder() {
        false
    } else {
        polled.is_none_or(|polled| polled.load(Ordering::Acquire))
    };
    let kind = if error.is_builder() {
        TransportErrorKind::InvalidRequest
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else {
        TransportErrorKind::Broken
    };
    TransportError::new(kind, sent).source(error.without_url())
}

async fn body(response: &mut reqwest::Response, cap: usize) -> Result<Bytes, BodyError> {
    let announced = response.content_length();
    if announced.is_some_and(|length| length > cap as u64) {
        return Err(BodyError::new(BodyErrorKind::TooLarge));
    }
    let Some(first) = chunk(response, cap).await? else {
        return Ok(Bytes::new());
    };
    if announced == Some(first.len() as u64) {
        return Ok(first);
    }
    let Some(second) = chunk(response, cap).await? else {
        return Ok(first);
    };
    let room = announced.and_then(|length| usize::try_from(length).ok());
    let mut whole = BytesMut::with_capacity(room.unwrap_or(0).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(part) = next {
        if part.len() > cap.saturating_sub(whole.len()) {
            return Err(BodyError::new(BodyErrorKind::TooLarge));
        }
        whole.extend_from_slice(&part);
        next = chunk(response, cap).await?;
    }
    Ok(whole.freeze())
}

async fn chunk(response: &mut reqwest::Response, cap: usize) -> Result<Option<Bytes>, BodyError> {
    match response.chunk().await {
        Ok(Some(part)) if part.len() > cap => Err(BodyError::new(BodyErrorKind::TooLarge)),
        Ok(part) => Ok(part),
        Err(error) => Err(broken_off(error)),
    }
}

fn broken_off(error: reqwest::Error) -> BodyError {
    let kind = if error.is_timeout() {
        BodyErrorKind::Timeout
    } else {
        BodyErrorKind::Broken
    };
    BodyError::new(kind).source(error.without_url())
}

/// A request body that notes when it is first asked for: from then on bytes may have left.
struct NotedBody {
    bytes: Option<Bytes>,
    polled: Arc<AtomicBool>,
}

impl Body for NotedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polled.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(left as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_body_knows_its_length_and_notes_the_first_poll() {
        let polled = Arc::new(AtomicBool::new(false));
        let mut body = NotedBody {
            bytes: Some(Bytes::from_static(b"12345")),
            polled: Arc::clone(&polled),
        };
        assert_eq!(body.size_hint().exact(), Some(5));
        assert!(!body.is_end_stream() && !polled.load(Ordering::Acquire));
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "12345");
        assert!(polled.load(Ordering::Acquire) && body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
}
