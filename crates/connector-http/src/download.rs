//! Bodies of any length, written as they arrive, from wherever an answer's address leads.
//!
//! Such an address is no part of the API: it belongs to a storage somewhere, is signed, and is open to whoever has it.
//! So nothing of the client goes along (no credential, no default header, no idempotency key), and nothing there counts
//! against the account's pace.

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use tracing::Span;
use url::Url;

use crate::base_url::{check_download, is_loopback};
use crate::classify::{self, Failed, Raw};
use crate::client::{Client, Inner};
use crate::clock::within;
use crate::endpoint::{Idempotency, Method, RateClass};
use crate::error::{Delivery, Error, ErrorKind};
use crate::hints::Hints;
use crate::observer::CallOutcome;
use crate::pipeline::Report;
use crate::quota::Reserved;
use crate::request::{Operation, Options, Plan};
use crate::retry::{self, Decision, Dice, Outcome, decide};
use crate::spans;
use crate::transport::{
    BodyError, BodyErrorKind, BodyStream, BoxFuture, TransportError, TransportErrorKind,
    WireRequest, WireStream,
};

const DEFAULT_DEADLINE: Duration = Duration::from_mins(10);
const DEFAULT_MAX_BYTES: u64 = 512 * 1024 * 1024;

/// A download that happens when it is awaited, with its options. Made by [`Client::download`].
///
/// It gives the number of bytes written. The memory it takes does not depend on the length.
#[must_use = "nothing is downloaded until it is awaited"]
pub struct Download<'w, W: ?Sized> {
    plan: Box<Plan>,
    from: Option<Url>,
    writer: &'w mut W,
    deadline: Duration,
    max_bytes: u64,
}

impl Client {
    /// Downloads what is at `url`, an address from one of the vendor's answers, into `writer`.
    ///
    /// **No credential goes along**, whatever the host: the address itself is the permission. It must be `https`, or on
    /// loopback if the API is there too. Redirects are not followed.
    ///
    /// Until the head of an answer is there, failures are tried again as those of a read are. Afterwards nothing is: the
    /// writer holds a part by then.
    ///
    /// ```
    /// # async fn example(client: connector_http::Client) -> Result<(), connector_http::Error> {
    /// let mut audio = Vec::new(); // or a file
    /// let url = "https://media.example.com/CR1.mp3?signature=abc";
    /// let bytes = client.download("recordings.download", url, &mut audio).max_bytes(50_000_000).await?;
    /// assert_eq!(bytes, audio.len() as u64);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited. **What was written before an error is a part, and to be thrown away.** All of them say
    /// [`Error::is_elsewhere`].
    ///
    /// - [`ErrorKind::Config`], nothing sent: an address that breaks the rules above.
    /// - [`ErrorKind::Permission`] (401, 403), [`ErrorKind::NotFound`]: mostly an address that has expired.
    /// - [`ErrorKind::Api`]: an answer without the thing itself, such as a redirect, `202`, `204` or a part (`206`).
    /// - [`ErrorKind::Decode`]: the body broke off, is not as long as announced, or longer than
    ///   [`max_bytes`](Download::max_bytes).
    /// - [`ErrorKind::Timeout`]: the deadline, or nothing came for as long as one attempt may take.
    /// - [`ErrorKind::Write`]: the writer failed.
    pub fn download<'w, W>(
        &self,
        operation: &'static str,
        url: &str,
        writer: &'w mut W,
    ) -> Download<'w, W>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        let operation = Operation {
            name: operation,
            method: Method::Get,
            // The path of an address is signed, or names somebody.
            template: "",
            idempotency: Idempotency::Idempotent,
            rate_class: RateClass::DEFAULT,
            refuses_with_503: false,
        };
        let mut plan = Box::new(Plan {
            client: self.clone(),
            operation,
            path: "".into(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            content_type: None,
            options: Options::default(),
            failed: None,
        });
        let from = match check_download(url, is_loopback(self.base_url())) {
            Ok(from) => Some(from),
            Err(reason) => {
                let error = Error::config(self.vendor(), operation.name, reason);
                plan.failed = Some(error);
                None
            }
        };
        Download {
            plan,
            from,
            writer,
            deadline: DEFAULT_DEADLINE,
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }
}

impl<W: ?Sized> Download<'_, W> {
    /// Limits the whole download to this time from its first poll, waits and writing included. Ten minutes by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Refuses a body of more bytes than this. 512 MiB by default.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Makes one request, whatever comes of it.
    pub fn no_retry(mut self) -> Self {
        self.plan.options.no_retry = true;
        self
    }

    /// Fails with this error and sends nothing: for a client's own validation, which knows better than this what is
    /// wrong with an address.
    pub fn invalid(mut self, error: Error) -> Self {
        self.plan.failed = Some(error);
        self
    }
}

impl<'w, W> IntoFuture for Download<'w, W>
where
    W: AsyncWrite + Unpin + Send + ?Sized,
{
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'w, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(drive(self))
    }
}

/// Leaves out the address.
impl<W: ?Sized> fmt::Debug for Download<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.plan.operation.name)
            .field("deadline", &self.deadline)
            .field("max_bytes", &self.max_bytes)
            .field("failed", &self.plan.failed)
            .finish_non_exhaustive()
    }
}

/// Downloads, and tells span and observer.
async fn drive<W>(download: Download<'_, W>) -> Result<u64, Error>
where
    W: AsyncWrite + Unpin + Send + ?Sized,
{
    let Download {
        mut plan,
        from,
        writer,
        deadline,
        max_bytes,
    } = download;
    let span = spans::call(&plan);
    let failed = plan.failed.take();
    let plan = &*plan;
    let inner = &*plan.client.inner;
    let started = inner.timer.now();
    let mut run = Run {
        plan,
        inner,
        deadline: started.checked_add(deadline),
        max_bytes,
        attempts: 0,
        status: None,
    };
    let result = match (failed, from) {
        (None, Some(from)) => {
            let mut running = pin!(run.run(&from, writer));
            poll_fn(|cx| span.in_scope(|| running.as_mut().poll(cx))).await
        }
        (Some(error), _) => Err(error),
        (None, None) => Err(run.error(ErrorKind::Config, Delivery::NotSent)),
    };
    let result = result.map_err(Error::with_elsewhere);
    let error = result.as_ref().err();
    if !span.is_disabled() {
        span.record("attempts", run.attempts);
        spans::outcome(&span, error);
    }
    if let Some(observer) = &inner.observer {
        observer.on_call(&CallOutcome {
            vendor: inner.vendor,
            operation: plan.operation.name,
            account: inner.account.as_deref(),
            attempts: run.attempts,
            status: run.status,
            request_id: error.and_then(Error::request_id),
            duration: inner.timer.now().saturating_duration_since(started),
            sent: None,
            received: None,
            elsewhere: true,
            error,
        });
    }
    result
}

struct Run<'a> {
    plan: &'a Plan,
    inner: &'a Inner,
    deadline: Option<Instant>,
    max_bytes: u64,
    attempts: u32,
    /// Of the last answer.
    status: Option<u16>,
}

impl<'a> Run<'a> {
    /// Attempts until the head of a success is there, then the body.
    async fn run<W>(&mut self, from: &Url, writer: &mut W) -> Result<u64, Error>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        loop {
            self.attempts = self.attempts.saturating_add(1);
            let span = spans::attempt(self.attempts);
            let report = Report::begin(self.plan, self.attempts, &span);
            let result = {
                let mut attempt = pin!(self.attempt(from, writer));
                poll_fn(|cx| span.in_scope(|| attempt.as_mut().poll(cx))).await
            };
            if let Some(report) = report {
                report_end(report, &span, &result);
            }
            let failed = match result {
                Ok((_, bytes)) => {
                    self.inner.quota.succeeded();
                    return Ok(bytes);
                }
                Err(failed) => failed,
            };
            self.wait(failed).await?.spend();
        }
    }

    /// One request, and the body of its answer.
    async fn attempt<W>(&mut self, from: &Url, writer: &mut W) -> Result<(Raw, u64), Failed>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        let attempts = self.attempts;
        let answer = self.open(from).await;
        let result = match answer {
            Ok(answer) => {
                let raw = Raw {
                    status: answer.status,
                    headers: answer.headers,
                    body: Bytes::new(),
                };
                match self.pour(answer.body, &raw, writer).await {
                    Ok(bytes) => Ok((raw, bytes)),
                    Err(Fault::Body(fault)) => {
                        let lost = fault.kind() != BodyErrorKind::TooLarge;
                        let failed =
                            classify::unreadable(self.plan, raw.status, raw.headers, fault);
                        // A read may be repeated, though not here: a part of it is written.
                        Err(Failed {
                            error: failed.error.with_retryable(lost),
                            outcome: Outcome::Final,
                            ..failed
                        })
                    }
                    Err(Fault::Writer(kind)) => {
                        let error = self
                            .error(ErrorKind::Write, Delivery::Succeeded)
                            .with_status(raw.status)
                            .with_source(io::Error::from(kind));
                        Err(Failed {
                            error,
                            outcome: Outcome::Final,
                            told: None,
                            asked: None,
                        })
                    }
                }
            }
            Err(failed) => Err(failed),
        };
        result.map_err(|mut failed| {
            failed.error = failed.error.with_attempts(attempts);
            failed
        })
    }

    /// Sends the request and waits for the head of a success.
    async fn open(&mut self, from: &Url) -> Result<WireStream, Failed> {
        let timer = &*self.inner.timer;
        let sending = self.inner.transport.execute_stream(self.wire(from));
        let head = within(timer, self.soon(), sending).await;
        let late = || TransportError::new(TransportErrorKind::Timeout, true);
        let answer = head
            .unwrap_or_else(|_| Err(late()))
            .map_err(|fault| classify::no_answer(self.plan, fault))?;
        self.status = Some(answer.status);
        // Any other success has no body, or a part of one, or a word that there will be one.
        if matches!(answer.status, 200 | 203) {
            return Ok(answer);
        }
        let hints = Hints::from_headers(&answer.headers);
        Err(classify::refused_elsewhere(
            self.plan,
            answer.status,
            answer.headers,
            &hints,
        ))
    }

    /// Writes the body as it arrives.
    async fn pour<W>(&self, mut body: BodyStream, raw: &Raw, writer: &mut W) -> Result<u64, Fault>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        let timer = &*self.inner.timer;
        let late = |_| Fault::Body(BodyError::new(BodyErrorKind::Timeout));
        let too_large = || Fault::Body(BodyError::new(BodyErrorKind::TooLarge));
        let announced = length(&raw.headers);
        if announced.is_some_and(|length| length > self.max_bytes) {
            return Err(too_large());
        }
        let mut written: u64 = 0;
        loop {
            let next = poll_fn(|cx| body.as_mut().poll_next(cx));
            let Some(piece) = within(timer, self.soon(), next).await.map_err(late)? else {
                break;
            };
            let piece = piece.map_err(Fault::Body)?;
            written = written.saturating_add(piece.len() as u64);
            if written > self.max_bytes {
                return Err(too_large());
            }
            let writing = write_all(writer, &piece);
            let wrote = within(timer, self.deadline, writing).await.map_err(late)?;
            wrote.map_err(|error| Fault::Writer(error.kind()))?;
        }
        if announced.is_some_and(|length| length != written) {
            return Err(Fault::Body(BodyError::new(BodyErrorKind::Broken)));
        }
        let flushing = poll_fn(|cx| Pin::new(&mut *writer).poll_flush(cx));
        let flushed = within(timer, self.deadline, flushing).await.map_err(late)?;
        flushed.map_err(|error| Fault::Writer(error.kind()))?;
        Ok(written)
    }

    /// Waits for the next attempt, or gives up with the error.
    async fn wait(&self, failed: Failed) -> Result<Reserved<'a>, Error> {
        let Failed {
            error,
            outcome,
            told,
            asked,
        } = failed;
        if decide(Idempotency::Idempotent, outcome, told) != Decision::Retry {
            return Err(error);
        }
        let error = error.with_retryable(true);
        let policy = &self.inner.policy;
        if self.plan.options.no_retry || self.attempts >= policy.max_attempts {
            return Err(error);
        }
        let Some(paid) = self.inner.quota.reserve() else {
            return Err(error);
        };
        let dice = Dice {
            spread: fastrand::u32(..),
            jitter: fastrand::u32(..),
        };
        let left = self.left();
        let Ok(wait) = retry::wait(policy, self.attempts, asked, left, dice) else {
            return Err(error);
        };
        self.inner.timer.sleep(wait).await;
        Ok(paid)
    }

    /// Nothing but what every program that downloads says of itself.
    fn wire(&self, from: &Url) -> WireRequest {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // The length that is announced has to be the one that arrives.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut ours = self.inner.headers.iter();
        if let Some((name, agent)) = ours.find(|(name, _)| *name == USER_AGENT) {
            headers.insert(name.clone(), agent.clone());
        }
        let mut request = WireRequest::new(http::Method::GET, from.clone());
        request.headers = headers;
        request.timeout = self.left().unwrap_or(DEFAULT_DEADLINE);
        request.max_body = usize::try_from(self.max_bytes).unwrap_or(usize::MAX);
        request
    }

    fn left(&self) -> Option<Duration> {
        let now = self.inner.timer.now();
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(now))
    }

    /// When silence has lasted too long.
    fn soon(&self) -> Option<Instant> {
        let patience = self.inner.policy.attempt_timeout;
        let soon = self.inner.timer.now().checked_add(patience);
        match (soon, self.deadline) {
            (Some(soon), Some(deadline)) => Some(soon.min(deadline)),
            (soon, deadline) => soon.or(deadline),
        }
    }

    fn error(&self, kind: ErrorKind, delivery: Delivery) -> Error {
        self.plan.error(kind, delivery)
    }
}

/// Why a body was not written to its end.
enum Fault {
    Body(BodyError),
    Writer(io::ErrorKind),
}

fn report_end(report: Report<'_>, span: &Span, result: &Result<(Raw, u64), Failed>) {
    let told = result
        .as_ref()
        .map(|(raw, _)| raw)
        .map_err(|failed| &failed.error);
    report.end(span, told);
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn write_all<W>(writer: &mut W, mut bytes: &[u8]) -> io::Result<()>
where
    W: AsyncWrite + Unpin + ?Sized,
{
    while !bytes.is_empty() {
        let count = poll_fn(|cx| Pin::new(&mut *writer).poll_write(cx, bytes)).await?;
        bytes = match bytes.get(count..) {
            Some(rest) if count > 0 => rest,
            _ => return Err(io::ErrorKind::WriteZero.into()),
        };
    }
    Ok(())
}
