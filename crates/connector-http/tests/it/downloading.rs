//! Bodies written as they arrive, from a host that is not the vendor's.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    BodyErrorKind, BoxFuture, Client, Delivery, Error, ErrorKind, StaticHeaders, Transport,
    TransportError, WireRequest, WireResponse, WireStream,
};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rstest::rstest;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use crate::support::{Diary, SECOND, builder, facts, script};

const URL: &str = "https://media.example.com/CR1.mp3?signature=canary";

fn client(fake: &FakeTransport) -> Client {
    let key = StaticHeaders::new(AUTHORIZATION, "canary-key").unwrap();
    let version = http::HeaderName::from_static("x-api-version");
    let client = builder(fake).auth(key).default_header(version, "7");
    client.user_agent("acme-client/1").build().unwrap()
}

async fn download(fake: &FakeTransport) -> (Result<u64, Error>, Vec<u8>) {
    let mut written = Vec::new();
    let client = client(fake);
    let result = client.download("media.get", URL, &mut written).await;
    (result, written)
}

fn audio(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

fn with_length(body: &[u8], length: usize) -> Reply {
    let reply = Reply::status(200).body(body.to_vec());
    reply.header("content-length", &length.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_body_is_written_whole_and_nothing_of_the_client_goes_along() {
    let body = audio(25_001);
    for reply in [
        with_length(&body, body.len()),
        Reply::status(200).body(body.clone()),
    ] {
        let fake = script([reply]);
        let (result, written) = download(&fake).await;
        assert_eq!((result.unwrap(), written), (25_001, body.clone()));
        let request = fake.last_request().unwrap();
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("GET", URL)
        );
        let mut names: Vec<_> = request
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "user-agent"]);
        assert_eq!(request.header("user-agent"), Some("acme-client/1"));
    }
}

#[rstest]
#[case::shorter_than_announced(with_length(b"12345", 6), ErrorKind::Decode)]
#[case::longer_than_announced(with_length(b"12345", 4), ErrorKind::Decode)]
#[case::broken_off(Reply::status(200).body("12345").cut(BodyErrorKind::Broken), ErrorKind::Decode)]
#[case::late(Reply::status(200).body("12345").cut(BodyErrorKind::Timeout), ErrorKind::Timeout)]
#[tokio::test(start_paused = true)]
async fn a_part_is_an_error_and_is_not_tried_again(#[case] reply: Reply, #[case] kind: ErrorKind) {
    let fake = script([reply]);
    let (result, written) = download(&fake).await;
    let error = result.unwrap_err();
    assert_eq!(facts(&error), (kind, Delivery::Succeeded, true, 1));
    assert_eq!(error.status(), Some(200));
    assert_eq!((written.len(), fake.requests().len()), (5, 1));
}

#[rstest]
#[case::announced(true, 0)]
#[case::found_out(false, 2000)]
#[tokio::test(start_paused = true)]
async fn the_cap_holds(#[case] announced: bool, #[case] written_before: usize) {
    let body = audio(3000);
    let reply = if announced {
        with_length(&body, 3000)
    } else {
        Reply::status(200).body(body)
    };
    let fake = script([reply.clone(), reply]);
    let mut written = Vec::new();
    let client = client(&fake);
    let call = client
        .download("media.get", URL, &mut written)
        .max_bytes(2999);
    let error = call.await.unwrap_err();
    assert_eq!(
        facts(&error),
        (ErrorKind::Decode, Delivery::Succeeded, false, 1)
    );
    assert_eq!(written.len(), written_before);
    let bytes = client
        .download("media.get", URL, &mut written)
        .max_bytes(3000);
    assert_eq!(bytes.await.unwrap(), 3000);
}

#[tokio::test(start_paused = true)]
async fn until_the_head_is_there_it_is_tried_again() {
    let fake = script([
        Reply::connect_error(),
        Reply::status(503),
        Reply::hang(),
        Reply::status(200).body("12345"),
    ]);
    let (result, written) = download(&fake).await;
    assert_eq!((result.unwrap(), written.len()), (5, 5));
    assert_eq!(fake.requests().len(), 4);

    let fake = script([Reply::status(503)]);
    let mut written = Vec::new();
    let client = client(&fake);
    let call = client.download("media.get", URL, &mut written).no_retry();
    let error = call.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Server, true)
    );
}

/// A storage that refuses says nothing about the account's credentials, and its pace is not the account's.
#[rstest]
#[case(401, ErrorKind::Permission)]
#[case(403, ErrorKind::Permission)]
#[case(404, ErrorKind::NotFound)]
#[case(302, ErrorKind::Api)]
#[case(202, ErrorKind::Api)]
#[case(204, ErrorKind::Api)]
#[case(206, ErrorKind::Api)]
#[tokio::test(start_paused = true)]
async fn refusals_are_not_the_vendors(#[case] status: u16, #[case] kind: ErrorKind) {
    let reply = Reply::status(status).header("location", "https://elsewhere.example.com/");
    let fake = script([reply.body("<Error>canary</Error>")]);
    let (result, written) = download(&fake).await;
    let error = result.unwrap_err();
    assert_eq!(facts(&error), (kind, Delivery::Rejected, false, 1));
    assert!(written.is_empty() && error.body_snippet().is_none() && error.is_elsewhere());
    let text = format!("{error} {error:?}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_is_busy_does_not_slow_the_api_down() {
    let busy = Reply::status(429).header("retry-after", "50");
    let fake = script([busy, Reply::status(200).json("done")]);
    let mut written = Vec::new();
    let client = client(&fake);
    let call = client.download("media.get", URL, &mut written).no_retry();
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::RateLimited);
    let start = Instant::now();
    crate::support::read(&client).await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[rstest]
#[case("http://media.example.com/canary")]
#[case("http://127.0.0.1/canary")]
#[case("file:///etc/canary")]
#[case("canary")]
#[case("https://user:canary@media.example.com/")]
#[tokio::test]
async fn an_address_that_leads_astray_is_not_followed(#[case] url: &str) {
    let fake = script([Reply::status(200).body("12345")]);
    let mut written = Vec::new();
    let client = client(&fake);
    let call = client.download("media.get", url, &mut written);
    let mut text = format!("{call:?}");
    let error = call.await.unwrap_err();
    assert_eq!(
        facts(&error),
        (ErrorKind::Config, Delivery::NotSent, false, 0)
    );
    write!(text, "{error} {error:?}").unwrap();
    assert!(
        fake.requests().is_empty() && !text.contains("canary"),
        "{text}"
    );
}

/// Takes a byte at a time, and in the end fails or stops.
struct Reluctant {
    room: usize,
    end: Poll<io::Result<usize>>,
    flushed: bool,
}

impl AsyncWrite for Reluctant {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        assert!(!bytes.is_empty());
        if self.room == 0 {
            return std::mem::replace(&mut self.end, Poll::Pending);
        }
        self.room -= 1;
        Poll::Ready(Ok(1))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[rstest]
#[case::full(
    Poll::Ready(Err(io::Error::new(io::ErrorKind::StorageFull, "canary"))),
    ErrorKind::Write
)]
#[case::closed(Poll::Ready(Ok(0)), ErrorKind::Write)]
#[case::stuck(Poll::Pending, ErrorKind::Timeout)]
#[tokio::test(start_paused = true)]
async fn a_writer_that_fails_is_no_failure_of_the_vendor(
    #[case] end: Poll<io::Result<usize>>,
    #[case] kind: ErrorKind,
) {
    let fake = script([Reply::status(200).body("12345")]);
    let mut writer = Reluctant {
        room: 3,
        end,
        flushed: false,
    };
    let client = client(&fake);
    let start = Instant::now();
    let call = client
        .download("media.get", URL, &mut writer)
        .deadline(20 * SECOND);
    let error = call.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (kind, Delivery::Succeeded)
    );
    assert!(start.elapsed() <= 20 * SECOND && !writer.flushed);
    let cause = std::error::Error::source(&error).unwrap();
    assert!(!format!("{error} {error:?} {cause} {cause:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_slowly_is_written_whole_and_flushed() {
    let fake = script([Reply::status(200).body("12345")]);
    let mut writer = Reluctant {
        room: 5,
        end: Poll::Pending,
        flushed: false,
    };
    let client = client(&fake);
    let call = client.download("media.get", URL, &mut writer);
    assert_eq!(call.await.unwrap(), 5);
    assert!(writer.flushed && writer.room == 0);
}

/// Gives a head, and then nothing more. Does not keep to the timeout either.
struct Silent;

impl Transport for Silent {
    fn execute(&self, _: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        panic!("a download asks for pieces")
    }

    fn execute_stream(&self, _: WireRequest) -> BoxFuture<'_, Result<WireStream, TransportError>> {
        let never = Box::pin(futures_util::stream::pending());
        Box::pin(async { Ok(WireStream::new(200, HeaderMap::new(), never)) })
    }
}

/// Only gives whole bodies.
struct WholeOnly;

impl Transport for WholeOnly {
    fn execute(&self, _: WireRequest) -> BoxFuture<'_, Result<WireResponse, TransportError>> {
        panic!("a download asks for pieces")
    }
}

async fn through(transport: impl Transport, deadline: Duration) -> (Error, Duration) {
    let client = Client::builder("acme")
        .base_url("https://api.example.com")
        .transport(Arc::new(transport))
        .build()
        .unwrap();
    let mut written = Vec::new();
    let start = Instant::now();
    let call = client
        .download("media.get", URL, &mut written)
        .deadline(deadline);
    (call.await.unwrap_err(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn silence_and_the_deadline_end_it() {
    // One attempt may take 15 seconds, and so may silence.
    let (error, took) = through(Silent, 100 * SECOND).await;
    assert_eq!((error.kind(), took), (ErrorKind::Timeout, 15 * SECOND));
    let (error, took) = through(Silent, 5 * SECOND).await;
    assert_eq!((error.kind(), took), (ErrorKind::Timeout, 5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_transport_without_pieces_refuses() {
    let (error, _) = through(WholeOnly, 100 * SECOND).await;
    assert_eq!(
        facts(&error),
        (ErrorKind::Config, Delivery::NotSent, false, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_observer_hears_of_it() {
    let diary = Arc::new(Diary::default());
    let fake = script([
        Reply::status(503),
        Reply::status(200).body("12345").delay(SECOND),
    ]);
    let policy = connector_http::RetryPolicy::new().base(Duration::ZERO);
    let client = builder(&fake)
        .observer(Arc::clone(&diary) as _)
        .retry(policy)
        .build()
        .unwrap();
    let mut written = Vec::new();
    client
        .download("media.get", URL, &mut written)
        .await
        .unwrap();
    assert_eq!(
        diary.lines(),
        [
            "attempt 1 of acme media.get: Some(503) None in 0ns: Server Unknown",
            "attempt 2 of acme media.get: Some(200) None in 1s: ok",
            "call acme media.get: 2 attempts, Some(200) None, in 1s: None",
        ]
    );
}
