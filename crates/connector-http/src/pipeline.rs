//! One call, step by step; the numbers are those of the README.

use std::collections::hash_map::RandomState;
use std::future::{Future as _, poll_fn};
use std::hash::{BuildHasher as _, Hasher as _};
use std::pin::pin;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tracing::Span;

use crate::auth::{AuthError, AuthErrorKind, AuthHeaders, TokenId};
use crate::call::{Answer, Decode};
use crate::classify::{self, Failed, Raw};
use crate::client::Inner;
use crate::clock::within;
use crate::endpoint::Idempotency;
use crate::error::{Delivery, Error, ErrorKind, Throttle, is_token};
use crate::gate::AttemptInfo;
use crate::hints::Hints;
use crate::limits::{Bucket, Patience, Refused};
use crate::observer::{Attempt, AttemptOutcome, Body, CallOutcome};
use crate::quota::Reserved;
use crate::request::Plan;
use crate::retry::{self, Decision, Dice, Outcome, ceiling, decide};
use crate::spans;
use crate::transport::WireRequest;

/// Makes the call and reads its answer.
pub(crate) async fn drive<T>(mut plan: Box<Plan>, decode: Decode<T>) -> Result<Answer<T>, Error> {
    let span = spans::call(&plan);
    let started = plan.client.inner.timer.now();
    let mut attempts = 0;
    let result = {
        // Not `instrument`, which moves the future once more.
        let mut running = pin!(run(&mut plan, started, &mut attempts));
        poll_fn(|cx| span.in_scope(|| running.as_mut().poll(cx))).await
    };
    let result = result.and_then(|raw| match decode(&raw.body) {
        Ok(value) => Ok((value, raw)),
        Err(fault) => Err(classify::undecodable(&plan, raw, fault).with_attempts(attempts)),
    });
    let error = result.as_ref().err();
    if !span.is_disabled() {
        span.record("attempts", attempts);
        spans::outcome(&span, error);
    }
    let inner = &*plan.client.inner;
    if let Some(observer) = &inner.observer {
        let (status, request_id) = match &result {
            Ok((_, raw)) => (Some(raw.status), plan.client.request_id(&raw.headers)),
            Err(error) => (error.status(), error.request_id()),
        };
        let received = result.as_ref().ok().map(|(_, raw)| &*raw.body);
        observer.on_call(&CallOutcome {
            vendor: inner.vendor,
            operation: plan.operation.name,
            account: inner.account.as_deref(),
            attempts,
            status,
            request_id,
            duration: inner.timer.now().saturating_duration_since(started),
            sent: plan.body.as_deref().and_then(Body::of),
            received: received.and_then(Body::of),
            elsewhere: false,
            error,
        });
    }
    let (value, raw) = result?;
    Ok(Answer {
        value,
        status: raw.status,
        headers: raw.headers,
        attempts,
        client: plan.client,
    })
}

/// Steps 1 and 2: what stays the same for every attempt, and the retry loop.
async fn run(plan: &mut Plan, started: Instant, attempts: &mut u32) -> Result<Raw, Error> {
    if let Some(error) = plan.failed.take() {
        return Err(error);
    }
    if plan.path.contains('{') {
        let reason = "a path parameter was not filled in";
        return Err(plan
            .error(ErrorKind::Config, Delivery::NotSent)
            .with_own_message(reason));
    }
    let key = idempotency_key(plan)?;
    let plan = &*plan;
    let inner = &*plan.client.inner;
    let within_call = plan.options.deadline.unwrap_or(inner.policy.deadline);
    let mut run = Run {
        plan,
        inner,
        bucket: &plan.client.bucket(plan.operation.rate_class),
        key,
        deadline: started.checked_add(within_call),
        attempts,
        worst: Delivery::NotSent,
        now: started,
        last: None,
        replayed: false,
        admitted: false,
    };
    let mut paid: Option<Reserved<'_>> = None;
    loop {
        let (auth, timeout) = match run.prepare().await {
            Ok(ready) => ready,
            Err(error) => {
                run.withdraw().await;
                return Err(error);
            }
        };
        if let Some(paid) = paid.take() {
            paid.spend();
        }
        let result = run.attempt(&auth, timeout).await;
        run.settle(result.as_ref().err().map(|failed| &failed.error))
            .await;
        match result {
            Ok(raw) => {
                inner.quota.succeeded();
                return Ok(raw);
            }
            Err(failed) => paid = run.after(failed, auth.token_id()).await?,
        }
    }
}

struct Run<'a> {
    plan: &'a Plan,
    inner: &'a Inner,
    bucket: &'a Bucket,
    key: Option<(HeaderName, HeaderValue)>,
    deadline: Option<Instant>,
    /// The time as of the last wait: a clock read saved is a twentieth of a microsecond.
    now: Instant,
    attempts: &'a mut u32,
    worst: Delivery,
    /// Why the attempt before this one failed.
    last: Option<Error>,
    replayed: bool,
    /// Whether the gate waits to hear of an attempt.
    admitted: bool,
}

impl<'a> Run<'a> {
    /// Steps 3 and 4: the gate, the permit, the credentials, and the time that is left.
    async fn prepare(&mut self) -> Result<(AuthHeaders, Duration), Error> {
        let timer = &*self.inner.timer;
        if let Some(gate) = &self.inner.gate {
            let info = self.info(self.attempts.saturating_add(1));
            match within(timer, self.deadline, gate.admit(&info)).await {
                Ok(Ok(())) => {
                    self.admitted = true;
                    self.now = timer.now();
                }
                Ok(Err(refusal)) => {
                    let retryable = match refusal.kind() {
                        ErrorKind::RateLimited => true,
                        ErrorKind::Store => refusal.wait().is_some(),
                        _ => false,
                    };
                    let error = self
                        .error(refusal.kind())
                        .with_retry_after(refusal.wait())
                        .with_retryable(retryable);
                    return Err(match refusal.reason() {
                        Some(reason) => error.with_own_message(reason),
                        None => error,
                    });
                }
                Err(_) => return Err(self.too_late()),
            }
        }

        let lane = self.plan.options.lane;
        if !self.bucket.try_enter(self.now, lane) {
            let patience = Patience {
                deadline: self.deadline,
                max_queue_wait: self.inner.max_queue_wait,
                max_server_wait: self.inner.policy.max_server_wait,
            };
            if let Err(refused) = self.bucket.enter(timer, lane, patience).await {
                return Err(self.too_many(refused));
            }
            self.now = timer.now();
        }

        let auth = if let Some(auth) = self.inner.auth.ready() {
            auth
        } else {
            match within(timer, self.deadline, self.inner.auth.headers()).await {
                Ok(Ok(auth)) => {
                    self.now = timer.now();
                    auth
                }
                Ok(Err(error)) => return Err(self.unauthenticated(error)),
                Err(_) => return Err(self.too_late()),
            }
        };

        let options = &self.plan.options;
        let policy = &self.inner.policy;
        let timeout = options.attempt_timeout.unwrap_or(policy.attempt_timeout);
        let timeout = timeout.min(self.left().unwrap_or(Duration::MAX));
        if timeout.is_zero() {
            return Err(self.too_late());
        }
        Ok((auth, timeout))
    }

    /// Step 5: one request.
    async fn attempt(&mut self, auth: &AuthHeaders, timeout: Duration) -> Result<Raw, Failed> {
        *self.attempts = self.attempts.saturating_add(1);
        let span = spans::attempt(*self.attempts);
        let report = Report::begin(self.plan, *self.attempts, &span);
        let mut sending = self.inner.transport.execute(self.wire(auth, timeout));
        let sent = poll_fn(|cx| span.in_scope(|| sending.as_mut().poll(cx))).await;
        let result = match sent {
            Ok(response) => {
                let mut hints = Hints::from_headers(&response.headers);
                if let Some(vendor) = &self.inner.hints {
                    hints = hints.and(vendor.hints(response.status, &response.headers));
                }
                self.bucket.heed(&hints, &*self.inner.timer);
                classify::answer(self.plan, response, &hints)
            }
            Err(fault) => Err(classify::no_answer(self.plan, fault)),
        };
        let result = result.map_err(|mut failed| {
            failed.error = failed.error.with_attempts(*self.attempts);
            failed
        });
        if let Some(report) = report {
            report.end(&span, result.as_ref().map_err(|failed| &failed.error));
        }
        result
    }

    /// Tells the gate what became of the attempt it admitted.
    async fn settle(&mut self, failed: Option<&Error>) {
        self.admitted = false;
        if let Some(gate) = &self.inner.gate {
            let timer = &*self.inner.timer;
            let info = self.info(*self.attempts);
            // A gate that takes longer than the call may has heard it all the same.
            let _late = within(timer, self.deadline, gate.settle(&info, failed)).await;
        }
    }

    /// Tells the gate that the attempt it admitted was never made.
    async fn withdraw(&mut self) {
        if let Some(gate) = self.inner.gate.as_ref().filter(|_| self.admitted) {
            self.admitted = false;
            let timer = &*self.inner.timer;
            let info = self.info(self.attempts.saturating_add(1));
            let _late = within(timer, self.deadline, gate.withdraw(&info)).await;
        }
    }

    /// Step 6: another attempt, after a wait, or out.
    async fn after(
        &mut self,
        failed: Failed,
        token: Option<TokenId>,
    ) -> Result<Option<Reserved<'a>>, Error> {
        self.worst = self.worst.max(failed.error.delivery());
        let error = failed.error.with_delivery(self.worst);
        let policy = &self.inner.policy;
        let timer = &*self.inner.timer;
        let failures = *self.attempts;
        self.now = timer.now();

        if failed.outcome == Outcome::Throttled(Throttle::Backoff) {
            let pause = failed.asked.unwrap_or_else(|| ceiling(policy, failures));
            self.bucket.cool_down(pause, self.now);
        }
        match decide(self.plan.operation.idempotency, failed.outcome, failed.told) {
            Decision::Stop => Err(error),
            Decision::Reauthenticate => {
                self.reauthenticate(error, token).await?;
                Ok(None)
            }
            Decision::Retry => {
                let error = error.with_retryable(true);
                let made = failures.saturating_sub(u32::from(self.replayed));
                if self.plan.options.no_retry || made >= policy.max_attempts {
                    return Err(error);
                }
                let Some(paid) = self.inner.quota.reserve() else {
                    return Err(error);
                };
                let dice = Dice {
                    spread: fastrand::u32(..),
                    jitter: fastrand::u32(..),
                };
                let Ok(wait) = retry::wait(policy, made, failed.asked, self.left(), dice) else {
                    return Err(error);
                };
                let wait_ms = spans::millis(wait);
                tracing::debug!(target: "connector_http", wait_ms, "trying again after a wait");
                self.last = Some(error);
                timer.sleep(wait).await;
                self.now = timer.now();
                Ok(Some(paid))
            }
        }
    }

    /// After a 401: one more attempt, if invalidating the token gives a different one.
    async fn reauthenticate(&mut self, error: Error, token: Option<TokenId>) -> Result<(), Error> {
        let Some(refused) = token else {
            return Err(error);
        };
        let timer = &*self.inner.timer;
        let told = self.inner.auth.invalidate(refused);
        if within(timer, self.deadline, told).await.is_err() {
            return Err(error);
        }
        if self.replayed || self.plan.options.no_retry {
            return Err(error);
        }
        match within(timer, self.deadline, self.inner.auth.headers()).await {
            Ok(Ok(fresh)) if fresh.token_id().is_some_and(|token| token != refused) => {
                self.replayed = true;
                self.now = timer.now();
                self.last = Some(error);
                Ok(())
            }
            // Why there is no new token matters more than that the old one was refused.
            Ok(Err(cause)) => Err(self.unauthenticated(cause)),
            Ok(Ok(_)) | Err(_) => Err(error),
        }
    }

    fn wire(&self, auth: &AuthHeaders, timeout: Duration) -> WireRequest {
        let plan = self.plan;
        let mut headers = self.inner.no_headers.clone();
        let common = &self.inner.headers;
        for (name, value) in common.iter().chain(&plan.headers).chain(&self.key) {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(content_type) = &plan.content_type {
            headers.insert(http::header::CONTENT_TYPE, content_type.clone());
        }
        for (name, value) in auth.iter() {
            headers.insert(name.clone(), value.clone());
        }
        let url = self.inner.base.join(&plan.path, &plan.query);
        let mut request = WireRequest::new(plan.operation.method.into(), url);
        request.headers = headers;
        request.body.clone_from(&plan.body);
        request.timeout = timeout;
        request.max_body = self.inner.max_body;
        request
    }

    fn info(&self, number: u32) -> AttemptInfo<'a> {
        let operation = &self.plan.operation;
        AttemptInfo {
            vendor: self.inner.vendor,
            operation: operation.name,
            account: self.inner.account.as_deref(),
            method: operation.method,
            rate_class: operation.rate_class,
            lane: self.plan.options.lane,
            number,
        }
    }

    fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(self.now))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        self.plan
            .error(kind, self.worst)
            .with_attempts(*self.attempts)
    }

    /// The deadline passed while nothing was under way: what went wrong before it says more than the time.
    fn too_late(&mut self) -> Error {
        self.last
            .take()
            .unwrap_or_else(|| self.error(ErrorKind::Timeout).with_retryable(true))
    }

    fn too_many(&mut self, refused: Refused) -> Error {
        self.last
            .take()
            .unwrap_or_else(|| self.error(ErrorKind::RateLimited).with_retryable(true))
            .with_retry_after(Some(refused.wait))
    }

    fn unauthenticated(&self, cause: AuthError) -> Error {
        let kind = match cause.kind() {
            AuthErrorKind::ReauthorizationRequired => ErrorKind::ReauthorizationRequired,
            AuthErrorKind::Unavailable | AuthErrorKind::Invalid => ErrorKind::Auth,
        };
        self.error(kind)
            .with_retryable(cause.kind() == AuthErrorKind::Unavailable)
            .with_source(cause)
    }
}

/// Tells observer and span about one attempt, also when the caller drops the call in the middle of it.
pub(crate) struct Report<'a> {
    plan: &'a Plan,
    number: u32,
    started: Instant,
    ended: bool,
}

impl<'a> Report<'a> {
    /// Nothing is measured if nobody listens.
    pub(crate) fn begin(plan: &'a Plan, number: u32, span: &Span) -> Option<Self> {
        let inner = &*plan.client.inner;
        let heard = inner.observer.is_some() || !span.is_disabled();
        heard.then(|| Self {
            plan,
            number,
            started: inner.timer.now(),
            ended: false,
        })
    }

    pub(crate) fn end(mut self, span: &Span, result: Result<&Raw, &Error>) {
        self.ended = true;
        let error = result.err();
        let (status, request_id) = match result {
            Ok(raw) => (Some(raw.status), self.plan.client.request_id(&raw.headers)),
            Err(error) => (error.status(), error.request_id()),
        };
        if !span.is_disabled() {
            let latency = self.plan.client.inner.timer.now() - self.started;
            span.record("status", status);
            span.record("request_id", request_id.filter(|id| is_token(id)));
            let asked = error.and_then(Error::retry_after);
            span.record("retry_after_ms", asked.map(spans::millis));
            span.record("latency_ms", spans::millis(latency));
            spans::outcome(span, error);
        }
        let outcome = error.map_or(AttemptOutcome::Succeeded, AttemptOutcome::Failed);
        self.tell(status, request_id, outcome);
    }

    fn tell(&self, status: Option<u16>, request_id: Option<&str>, outcome: AttemptOutcome<'_>) {
        let inner = &*self.plan.client.inner;
        let Some(observer) = &inner.observer else {
            return;
        };
        observer.on_attempt(&Attempt {
            vendor: inner.vendor,
            operation: self.plan.operation.name,
            account: inner.account.as_deref(),
            number: self.number,
            status,
            request_id,
            duration: inner.timer.now().saturating_duration_since(self.started),
            outcome,
        });
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(None, None, AttemptOutcome::Cancelled);
        }
    }
}

/// Made once per call, so that every attempt carries the same one.
fn idempotency_key(plan: &mut Plan) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
    let chosen = plan.options.idempotency_key.take();
    let refuse = |reason: &str| {
        plan.error(ErrorKind::Config, Delivery::NotSent)
            .with_own_message(reason)
    };
    let Idempotency::WithKey { header } = plan.operation.idempotency else {
        return match chosen {
            None => Ok(None),
            Some(_) => Err(refuse("the vendor documents no idempotency key here")),
        };
    };
    let name = HeaderName::from_bytes(header.as_bytes())
        .map_err(|_| refuse("the idempotency key's header cannot be a header"))?;
    let value = HeaderValue::try_from(chosen.unwrap_or_else(fresh_key))
        .map_err(|_| refuse("the idempotency key contains a control character"))?;
    Ok(Some((name, value)))
}

/// 122 random bits in the form of a version 4 UUID, which every vendor takes.
fn fresh_key() -> String {
    // Each state is keyed by the operating system's randomness, so its hash of nothing is a random number.
    let random = || RandomState::new().build_hasher().finish();
    let (a, b) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0x0fff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff,
    )
}
