//! What stands between proxy and sandbox and remembers the last answer.
//!
//! The proxy puts an error in the place of an answer that breaks the specification. The flow must go on with what the
//! vendor said, or the first breach would hide all that come after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use connector_http::{ReqwestTransport, Transport as _, WireRequest, WireResponse};
use http::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

/// No request of a flow comes near it.
const MAX_BODY: usize = 1024 * 1024;

/// A forwarder on loopback; it listens until this is dropped.
pub(crate) struct Tap {
    base_url: Url,
    memory: Arc<Memory>,
    serving: AbortHandle,
}

struct Memory {
    upstream: Url,
    wire: ReqwestTransport,
    last: Mutex<Option<Answer>>,
}

/// A whole answer of the vendor's.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Tap {
    /// Starts to forward to `upstream`.
    pub(crate) async fn start(upstream: Url, wire: ReqwestTransport) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the tap: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let base_url = Url::parse(&format!("http://{address}"))
            .map_err(|error| format!("the tap: {error}"))?;
        let memory = Arc::new(Memory {
            upstream,
            wire,
            last: Mutex::new(None),
        });
        let router = Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&memory));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            base_url,
            memory,
            serving: serving.abort_handle(),
        })
    }

    /// The address to call in place of the sandbox's.
    pub(crate) fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Takes the answer to the last request, or `None` if none came since this was last asked.
    pub(crate) fn take(&self) -> Option<WireResponse> {
        let answer = self.memory.last().take()?;
        Some(WireResponse::new(
            answer.status,
            answer.headers,
            Ok(answer.body),
        ))
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Memory {
    fn last(&self) -> MutexGuard<'_, Option<Answer>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, request: Request) -> Result<Answer, String> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY)
            .await
            .map_err(|error| error.to_string())?;
        let mut url = self.upstream.clone();
        url.set_path(parts.uri.path());
        url.set_query(parts.uri.query());
        let mut request = WireRequest::new(parts.method, url);
        request.headers = parts.headers;
        for name in [
            ACCEPT_ENCODING,
            CONNECTION,
            CONTENT_LENGTH,
            HOST,
            TRANSFER_ENCODING,
        ] {
            request.headers.remove(name);
        }
        request.body = (!body.is_empty()).then_some(body);
        let answer = self
            .wire
            .execute(request)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Answer {
            status: answer.status,
            headers: answer.headers,
            body: answer.body.map_err(|error| error.to_string())?,
        })
    }
}

async fn forward(State(memory): State<Arc<Memory>>, request: Request) -> Response {
    match memory.ask(request).await {
        Ok(answer) => {
            *memory.last() = Some(answer.clone());
            let mut response = Response::new(Body::from(answer.body));
            *response.status_mut() =
                StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            *response.headers_mut() = answer.headers;
            for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
                response.headers_mut().remove(name);
            }
            response
        }
        Err(message) => {
            let mut response = Response::new(Body::from(message));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
