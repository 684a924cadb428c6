//! The accept loop, one task per connection, and the road of one request through it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::exchange::{Call, Reply, Routed};
use crate::fault::{Drawn, Fault};
use crate::limit::Standing;
use crate::operation::Operation;
use crate::shared::{Door, Shared, lock};
use crate::vendor::Refusal;
use crate::{clock, control_http};

/// How long the accept loop rests after an error such as "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves until the task is aborted; then every connection ends with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                Err(_) => clock::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// How a connection is broken off instead of answered.
enum Breakage {
    Reset,
    /// Sends these bytes, which end too early, and closes.
    Truncated(Bytes),
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Without it small answers may wait for an acknowledgement; a socket that cannot do this
    // still serves.
    let _ = stream.set_nodelay(true);
    let (breaker, mut broken) = mpsc::channel(1);
    let service = service_fn(|request| handle(&shared, &breaker, request));
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let breakage = tokio::select! {
        // An error here means that the caller went away, which is the caller's business.
        _ = &mut served => return,
        Some(breakage) = broken.recv() => breakage,
    };
    let mut stream = served.into_parts().io.into_inner();
    // Neither a failed write nor a failed option can be told to anyone: the connection is
    // being broken on purpose.
    match breakage {
        Breakage::Reset => {
            let _ = stream.set_zero_linger();
        }
        Breakage::Truncated(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    }
}

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn handle(
    shared: &Arc<Shared>,
    breaker: &mpsc::Sender<Breakage>,
    request: Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, shared.max_body).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(TooLarge),
        // The caller went away in the middle of its body and will not read this.
        Err(_) => return Ok(respond(shared, Reply::empty(StatusCode::BAD_REQUEST), None)),
    };
    let control = parts.uri.path().strip_prefix("/_sandbox");
    if let Some(path) = control.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        let reply = match body {
            Ok(body) => control_http::answer(shared, &parts, path, &body).await,
            Err(TooLarge) => control_http::too_large(),
        };
        return Ok(respond(shared, reply, None));
    }
    let exchange = Exchange {
        shared,
        parts: &parts,
        body,
    };
    match exchange.run().await {
        Ending::Answer(reply, standing) => Ok(respond(shared, reply, standing)),
        Ending::Break(breakage) => {
            // The receiver lives as long as the connection that runs this future.
            let _ = breaker.send(breakage).await;
            pending().await
        }
        Ending::Hang(limit) => {
            if let Some(limit) = limit {
                clock::sleep(limit).await;
                let _ = breaker.send(Breakage::Reset).await;
            }
            pending().await
        }
    }
}

struct TooLarge;

enum Ending {
    Answer(Reply, Option<Standing>),
    Break(Breakage),
    Hang(Option<Duration>),
}

/// One request on its way: route, door, fault before the effect, effect, fault after it.
struct Exchange<'a> {
    shared: &'a Arc<Shared>,
    parts: &'a Parts,
    body: Result<Bytes, TooLarge>,
}

impl Exchange<'_> {
    async fn run(self) -> Ending {
        let shared = self.shared;
        let parts = self.parts;
        let routed = shared
            .vendor
            .route(&parts.method, parts.uri.path(), &parts.headers);
        let (operation, ids) = match routed {
            Routed::To { operation, ids } => (operation, Some(ids)),
            Routed::BadId(operation) => (operation, None),
            // Before the key is looked at, as was seen live.
            Routed::WrongVersion(operation) => {
                let reply = shared.vendor.refuse(Refusal::WrongVersion, Some(operation));
                return self.plain(Some(operation), reply, None);
            }
            Routed::Refused(refusal) => {
                let reply = shared.vendor.refuse(refusal, None);
                return self.plain(None, reply, None);
            }
            Routed::Nowhere => {
                let reply = shared.vendor.refuse(Refusal::UnknownRoute, None);
                return self.plain(None, reply, None);
            }
        };
        let (door, standing) = if shared.vendor.is_public(operation, &parts.headers) {
            (Door::Public, None)
        } else {
            shared.admit(shared.vendor.presented_key(&parts.headers))
        };
        let (ids, body) = match self.let_in(door, standing, ids.as_deref()) {
            Ok(inside) => inside,
            Err(refusal) => {
                let reply = shared.vendor.refuse(refusal, Some(operation));
                return self.plain(Some(operation), reply, standing);
            }
        };
        let id = |place: usize| ids.get(place).map(String::as_str).unwrap_or_default();
        // Only now: a step of a script is not to be used up by a request that could have no effect.
        let drawn = lock(&shared.faults).draw(operation);
        if let Some(drawn) = drawn
            && let Some(ending) = self.before_effect(operation, drawn, standing)
        {
            return ending;
        }
        let outcome = shared.vendor.answer(&Call {
            operation,
            id: id(0),
            second_id: id(1),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &self.parts.headers,
            body,
            now: clock::utc_now(),
        });
        shared.dispatcher.send(outcome.deliveries);
        match drawn {
            None => self.plain(Some(operation), outcome.reply, standing),
            Some(drawn) => {
                self.after_effect(operation, drawn, outcome.reply, standing)
                    .await
            }
        }
    }

    /// Key, limits and size, in this order, and then whether there is an id to look for.
    fn let_in<'i>(
        &'i self,
        door: Door,
        standing: Option<Standing>,
        ids: Option<&'i [String]>,
    ) -> Result<(&'i [String], &'i Bytes), Refusal> {
        match door {
            Door::NoKey => return Err(Refusal::MissingKey),
            Door::WrongKey => return Err(Refusal::WrongKey),
            Door::Open => {
                let hurried = standing.is_some_and(|standing| standing.refused);
                if hurried || !self.shared.vendor.spend() {
                    return Err(Refusal::TooManyRequests);
                }
            }
            Door::Public => {}
        }
        match (&self.body, ids) {
            (Err(TooLarge), _) => Err(Refusal::BodyTooLarge),
            (Ok(_), None) => Err(Refusal::UnreadableId),
            (Ok(body), Some(ids)) => Ok((ids, body)),
        }
    }

    /// The faults that keep the request from its effect.
    fn before_effect(
        &self,
        operation: Operation,
        drawn: Drawn,
        standing: Option<Standing>,
    ) -> Option<Ending> {
        let refuse = |refusal| self.shared.vendor.refuse(refusal, Some(operation));
        let ending = match drawn.fault {
            Fault::RateLimited { retry_after } => {
                let reply = refuse(Refusal::TooManyRequests);
                // The header must agree with the answer: nothing remains in this window.
                let standing = standing.map(|standing| Standing {
                    remaining: 0,
                    ..standing
                });
                Ending::Answer(reply.retry_after(retry_after), standing)
            }
            Fault::ServerError {
                status,
                retry_after,
            } => {
                let refusal = Refusal::ServerError(server_error(status));
                Ending::Answer(refuse(refusal).retry_after(retry_after), standing)
            }
            Fault::HtmlErrorPage => Ending::Answer(refuse(Refusal::HtmlErrorPage), None),
            Fault::Unsuccessful => Ending::Answer(refuse(Refusal::Unsuccessful), standing),
            Fault::ResetBeforeEffect => Ending::Break(Breakage::Reset),
            Fault::Hang => Ending::Hang(drawn.hang_millis.map(Duration::from_millis)),
            Fault::Pass
            | Fault::Latency { .. }
            | Fault::ServerErrorAfterEffect { .. }
            | Fault::ResetAfterEffect
            | Fault::TruncatedBody
            | Fault::MalformedJson
            | Fault::HangAfterEffect => return None,
        };
        self.record(Some(operation), &ending, Some(drawn.fault));
        Some(ending)
    }

    /// The faults that delay, lose or spoil the answer to what has been done.
    async fn after_effect(
        &self,
        operation: Operation,
        drawn: Drawn,
        reply: Reply,
        standing: Option<Standing>,
    ) -> Ending {
        let ending = match drawn.fault {
            Fault::ResetAfterEffect => Ending::Break(Breakage::Reset),
            Fault::HangAfterEffect => Ending::Hang(drawn.hang_millis.map(Duration::from_millis)),
            Fault::TruncatedBody if reply.body.is_empty() => Ending::Break(Breakage::Reset),
            Fault::TruncatedBody => {
                let half = truncated(self.shared, &reply, standing);
                Ending::Break(Breakage::Truncated(half))
            }
            Fault::MalformedJson => Ending::Answer(malformed(reply), standing),
            Fault::ServerErrorAfterEffect { status } => {
                let refusal = Refusal::ServerError(server_error(status));
                let reply = self.shared.vendor.refuse(refusal, Some(operation));
                Ending::Answer(reply, standing)
            }
            _ => Ending::Answer(reply, standing),
        };
        // Before the delay: a caller who does not wait for the end of it has been served too.
        self.record(Some(operation), &ending, Some(drawn.fault));
        if let Fault::Latency { millis } = drawn.fault {
            clock::sleep(Duration::from_millis(millis)).await;
        }
        ending
    }

    /// Answers without a fault.
    fn plain(
        &self,
        operation: Option<Operation>,
        reply: Reply,
        standing: Option<Standing>,
    ) -> Ending {
        let ending = Ending::Answer(reply, standing);
        self.record(operation, &ending, None);
        ending
    }

    fn record(&self, operation: Option<Operation>, ending: &Ending, fault: Option<Fault>) {
        let status = match ending {
            Ending::Answer(reply, _) => Some(reply.status.as_u16()),
            Ending::Break(_) | Ending::Hang(_) => None,
        };
        self.shared
            .record(&self.parts.method, operation, status, fault);
    }
}

fn server_error(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(StatusCode::is_server_error)
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn headers(shared: &Shared, reply: &Reply, standing: Option<Standing>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    if let Some(content_type) = reply.content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in &reply.headers {
        headers.insert(name, value.clone());
    }
    if let Some(standing) = standing {
        shared.vendor.limit_headers(standing, &mut headers);
    }
    headers
}

fn respond(shared: &Shared, reply: Reply, standing: Option<Standing>) -> Response<Full<Bytes>> {
    let headers = headers(shared, &reply, standing);
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = headers;
    response
}

/// Spoils a body: what is left of it is whole as far as HTTP can tell, and no JSON.
fn malformed(mut reply: Reply) -> Reply {
    let half = reply.body.len() / 2;
    reply.body.truncate(half.max(1));
    reply
}

/// Writes the answer with the length of the whole body and only half of it.
fn truncated(shared: &Shared, reply: &Reply, standing: Option<Standing>) -> Bytes {
    let reason = reply.status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status.as_u16());
    for (name, value) in &headers(shared, reply, standing) {
        if let Ok(value) = value.to_str() {
            // Writing to a string does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
    }
    let _ = write!(head, "content-length: {}\r\n\r\n", reply.body.len());
    let mut bytes = head.into_bytes();
    bytes.extend(reply.body.iter().take(reply.body.len() / 2));
    bytes.into()
}
