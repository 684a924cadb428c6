//! Credentials: asked for at each attempt, replaced once after a 401, and never waited for past the deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    AuthError, AuthErrorKind, AuthHeaders, Authenticate, Client, Delivery, ErrorKind,
    StaticHeaders, Timer as _, TokenId, TokioTimer,
};
use http::HeaderValue;
use http::header::AUTHORIZATION;
use tokio::time::Instant;

use crate::support::{SECOND, builder, create, facts, ok, read, script};

/// Gives out numbered tokens; a refused one is replaced by the next as long as there are any.
#[derive(Clone)]
struct Tokens {
    current: Arc<AtomicU64>,
    last: u64,
    asked: Arc<AtomicU64>,
    slow: Duration,
}

impl Tokens {
    fn up_to(last: u64) -> Self {
        Self {
            current: Arc::new(AtomicU64::new(1)),
            last,
            asked: Arc::default(),
            slow: Duration::ZERO,
        }
    }
}

impl Authenticate for Tokens {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if !self.slow.is_zero() {
            TokioTimer.sleep(self.slow).await;
        }
        let number = self.current.load(Ordering::Relaxed);
        let value = HeaderValue::try_from(format!("token-{number}")).unwrap();
        Ok(AuthHeaders::new([(AUTHORIZATION, value)]).token(TokenId::new(number)))
    }

    async fn invalidate(&self, token: TokenId) {
        let current = self.current.load(Ordering::Relaxed);
        if token == TokenId::new(current) && current < self.last {
            self.current.store(current + 1, Ordering::Relaxed);
        }
    }
}

struct Refusing(AuthErrorKind);

impl Authenticate for Refusing {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        Err(AuthError::new(self.0))
    }
}

fn with(auth: impl Authenticate, fake: &FakeTransport) -> Client {
    builder(fake).auth(auth).build().unwrap()
}

fn tokens_sent(fake: &FakeTransport) -> Vec<String> {
    let requests = fake.requests();
    let header = requests
        .iter()
        .map(|request| request.header("authorization"));
    header.map(|text| text.unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_request_sent_once_more() {
    let start = Instant::now();
    for call in [read, create] {
        let fake = script([Reply::status(401), ok()]);
        call(&with(Tokens::up_to(2), &fake)).await.unwrap();
        assert_eq!(tokens_sent(&fake), ["token-1", "token-2"]);
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "it need not wait");
}

#[tokio::test(start_paused = true)]
async fn it_is_replaced_once_per_call() {
    let fake = FakeTransport::handler(|_| Reply::status(401));
    let tokens = Tokens::up_to(9);
    let error = read(&with(tokens.clone(), &fake)).await.unwrap_err();
    let expected = (ErrorKind::Auth, Delivery::Rejected, false, 2);
    assert_eq!(facts(&error), expected);
    assert_eq!(tokens_sent(&fake), ["token-1", "token-2"]);
    // The second refusal is reported too, so that the next call has a third token.
    assert_eq!(tokens.current.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_token_again_is_not_tried_again() {
    let fake = FakeTransport::handler(|_| Reply::status(401));
    let error = read(&with(Tokens::up_to(1), &fake)).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_key_is_not_tried_again() {
    let fake = FakeTransport::handler(|_| Reply::status(401));
    let key = StaticHeaders::new(AUTHORIZATION, "key-1").unwrap();
    let error = read(&with(key, &fake)).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(tokens_sent(&fake), ["key-1"]);
}

#[tokio::test(start_paused = true)]
async fn no_retry_replaces_nothing_but_reports_the_token() {
    let fake = FakeTransport::handler(|_| Reply::status(401));
    let tokens = Tokens::up_to(9);
    let error = read(&with(tokens.clone(), &fake)).no_retry().await;
    assert_eq!(error.unwrap_err().attempts(), 1);
    assert_eq!(tokens.current.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn the_replay_costs_none_of_the_four_attempts() {
    let fake = script([
        Reply::status(500),
        Reply::status(401),
        Reply::status(500),
        Reply::status(500),
        ok(),
    ]);
    read(&with(Tokens::up_to(2), &fake)).await.unwrap();
    assert_eq!(fake.requests().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_asked_for_before_each_attempt() {
    let tokens = Tokens::up_to(1);
    let fake = script([Reply::status(500), Reply::status(503), ok()]);
    read(&with(tokens.clone(), &fake)).await.unwrap();
    assert_eq!(tokens.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_credential_nothing_is_sent() {
    for (kind, expected, retryable) in [
        (
            AuthErrorKind::ReauthorizationRequired,
            ErrorKind::ReauthorizationRequired,
            false,
        ),
        (AuthErrorKind::Unavailable, ErrorKind::Auth, true),
        (AuthErrorKind::Invalid, ErrorKind::Auth, false),
    ] {
        let fake = script([ok()]);
        let error = create(&with(Refusing(kind), &fake)).await.unwrap_err();
        assert_eq!(
            facts(&error),
            (expected, Delivery::NotSent, retryable, 0),
            "{kind:?}"
        );
        assert_eq!(fake.requests().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_hangs_ends_with_the_deadline() {
    let fake = script([ok()]);
    let slow = Tokens {
        slow: SECOND * 3600,
        ..Tokens::up_to(1)
    };
    let start = Instant::now();
    let error = create(&with(slow, &fake)).await.unwrap_err();
    let expected = (ErrorKind::Timeout, Delivery::NotSent, true, 0);
    assert_eq!(facts(&error), expected);
    assert_eq!(start.elapsed(), SECOND * 60);
}

#[tokio::test(start_paused = true)]
async fn a_slow_refresh_shortens_the_attempt() {
    let fake = script([ok()]);
    let slow = Tokens {
        slow: SECOND * 50,
        ..Tokens::up_to(1)
    };
    create(&with(slow, &fake)).await.unwrap();
    assert_eq!(fake.requests()[0].timeout, SECOND * 10);
}
