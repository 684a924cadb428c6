//! The production transport against real sockets on loopback: what leaves byte for byte, and what a server can do
//! to an answer. Where time matters it is paused while the server holds still.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has to fail"
)]

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{
    Client, ClientBuilder, Delivery, Endpoint, Error, ErrorKind, Method, ReqwestTransport,
    RetryPolicy, StaticHeaders,
};
use http::header::AUTHORIZATION;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const READ: Endpoint = Endpoint::new("things.get", Method::Get, "/v1/things/{id}");
const CREATE: Endpoint = Endpoint::new("things.create", Method::Post, "/v1/things");
const MARK: Endpoint = Endpoint::new("things.mark", Method::Post, "/v1/things/{id}/mark");

fn builder(base: &str) -> ClientBuilder {
    // Retries that wait would wait in earnest here.
    let policy = RetryPolicy::new().base(Duration::from_micros(1));
    let key = StaticHeaders::new(AUTHORIZATION, "key-1").unwrap();
    Client::builder("acme")
        .base_url(base)
        .auth(key)
        .retry(policy)
        .user_agent("acme-client/1.2.3")
}

fn client(base: &str) -> Client {
    builder(base).build().unwrap()
}

fn at(address: SocketAddr) -> Client {
    client(&format!("http://{address}"))
}

async fn create(client: &Client) -> Result<String, Error> {
    client.request(&CREATE).json("a thing").fetch().await
}

async fn read(client: &Client) -> Result<String, Error> {
    client.request(&READ).path("id", "1").fetch().await
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads one whole request.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert!(read > 0, "the client left in the middle of a request");
    }
}

/// Answers one request on a connection of its own with these bytes, and closes it.
async fn answer(listener: &TcpListener, bytes: &[u8]) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let request = request(&mut stream).await;
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    request
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

const DONE: &str = "\"done\"";

#[tokio::test]
async fn a_request_leaves_byte_for_byte_as_described() {
    let (listener, address) = listen().await;
    let client = client(&format!("http://{address}/base/"));
    let call = client
        .request(&MARK)
        .path("id", "a/b c+ü")
        .query("to", "+12025550143")
        .query("to", "x&y")
        .json(&serde_json::json!({ "name": "ü" }));
    let call = tokio::spawn(call.fetch::<String>());
    let request = answer(&listener, &ok(DONE)).await;
    assert_eq!(call.await.unwrap().unwrap(), "done");

    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"name":"ü"}"#);
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(
        lines.remove(0),
        "POST /base/v1/things/a%2Fb%20c%2B%C3%BC/mark?to=%2B12025550143&to=x%26y HTTP/1.1"
    );
    lines.sort_unstable();
    let host = format!("host: {address}");
    assert_eq!(
        lines,
        [
            "accept-encoding: gzip",
            "accept: application/json",
            "authorization: key-1",
            "content-length: 13",
            "content-type: application/json",
            &host,
            "user-agent: acme-client/1.2.3",
        ]
    );
}

#[tokio::test]
async fn a_post_without_a_body_says_so() {
    let (listener, address) = listen().await;
    let call = at(address).request(&MARK).path("id", "1").discard();
    let call = tokio::spawn(call);
    let request = answer(&listener, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    call.await.unwrap().unwrap();
    assert!(request.contains("content-length: 0\r\n"), "{request}");
    assert!(!request.contains("content-type"), "{request}");
}

#[tokio::test]
async fn a_redirect_is_refused_and_takes_no_credential_along() {
    let elsewhere = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200))
        .expect(0)
        .mount(&elsewhere)
        .await;
    for status in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let there = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        Mock::given(header("authorization", "key-1"))
            .respond_with(there)
            .expect(2)
            .mount(&server)
            .await;
        let client = client(&server.uri());
        for result in [read(&client).await, create(&client).await] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Api);
            assert_eq!(error.delivery(), Delivery::Rejected);
            assert_eq!(error.status(), Some(status));
        }
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_html_502_is_a_502() {
    let server = MockServer::start().await;
    let html = ResponseTemplate::new(502).set_body_raw("<html>canary</html>", "text/html");
    Mock::given(path("/v1/things"))
        .respond_with(html)
        .mount(&server)
        .await;
    let error = create(&client(&server.uri())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.body_snippet(), None);
    insta::assert_snapshot!(error, @"acme things.create: server error (status 502, outcome unknown)");
}

#[tokio::test]
async fn a_connection_refused_sent_nothing() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = create(&at(address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(error.attempts(), 4);
    let error = at(address).request(&MARK).path("id", "1").discard();
    let error = error.no_retry().await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent, "without a body too");
}

#[tokio::test]
async fn a_server_that_closes_without_an_answer_may_have_done_it() {
    let (listener, address) = listen().await;
    let client = at(address);
    let call = tokio::spawn(async move { create(&client).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    drop(stream);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_read_is_repeated_when_its_answer_breaks_off() {
    let (listener, address) = listen().await;
    let client = at(address);
    let call = tokio::spawn(async move { read(&client).await });
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\"do";
    answer(&listener, short).await;
    answer(&listener, &ok(DONE)).await;
    assert_eq!(call.await.unwrap().unwrap(), "done");
}

#[tokio::test]
async fn a_creation_whose_answer_breaks_off_has_happened() {
    for short in [
        &b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n\"canary"[..],
        b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n8\r\n\"can",
        b"HTTP/1.1 201 Created\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 201 Created\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\ncanary",
    ] {
        let (listener, address) = listen().await;
        let client = at(address);
        let call = tokio::spawn(async move { create(&client).await });
        answer(&listener, short).await;
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.delivery(), Delivery::Succeeded);
        assert_eq!(error.status(), Some(201));
        assert!(!format!("{error:?}").contains("can"), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_may_hide_a_success() {
    let (listener, address) = listen().await;
    let client = at(address);
    let call = tokio::spawn(async move { create(&client).await });
    answer(&listener, b"canary canary canary\r\n\r\n").await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_slow_answer_times_out_and_may_have_been_done() {
    let (listener, address) = listen().await;
    let client = at(address);
    let call = tokio::spawn(async move { create(&client).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    // From here on nothing happens but time.
    tokio::time::pause();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_body_that_stands_still_times_out_too() {
    let (listener, address) = listen().await;
    let client = at(address);
    let call = tokio::spawn(async move { create(&client).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    request(&mut stream).await;
    let head = b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n\"do";
    stream.write_all(head).await.unwrap();
    tokio::time::pause();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Succeeded, "the head said so");
    assert_eq!(error.status(), Some(201));
}

#[tokio::test]
async fn a_handshake_that_stands_still_sent_nothing() {
    // The client's own limit for connecting, and then the limit of the attempt, which no connector error tells.
    for connect_timeout in [Duration::from_secs(5), Duration::from_mins(1)] {
        let (listener, address) = listen().await;
        let client = builder(&format!("https://{address}"))
            .connect_timeout(connect_timeout)
            .build()
            .unwrap();
        let call = client.request(&CREATE).json("a thing").fetch::<String>();
        let call = tokio::spawn(call.no_retry());
        let (_stream, _) = listener.accept().await.unwrap();
        tokio::time::pause();
        let error = call.await.unwrap().unwrap_err();
        tokio::time::resume();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_failed_handshake_sent_nothing() {
    let (listener, address) = listen().await;
    let client = client(&format!("https://{address}"));
    let call = client.request(&CREATE).json("a thing").fetch::<String>();
    let call = tokio::spawn(call.no_retry());
    let (mut stream, _) = listener.accept().await.unwrap();
    stream
        .write_all(b"HTTP/1.1 400 No TLS here\r\n\r\n")
        .await
        .unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.delivery(), Delivery::NotSent);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (listener, address) = listen().await;
    let client = at(address);
    let calls = tokio::spawn(async move {
        for _ in 0..3 {
            create(&client).await.unwrap();
        }
    });
    let (mut stream, _) = listener.accept().await.unwrap();
    for _ in 0..3 {
        request(&mut stream).await;
        stream.write_all(&ok(DONE)).await.unwrap();
    }
    calls.await.unwrap();
}

#[tokio::test]
async fn a_connection_closed_meanwhile_loses_no_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (answered, is_answered) = std::sync::mpsc::channel();
    let (closed, is_closed) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut arrived = Vec::new();
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\"a thing\"") {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the client left in the middle of a request");
                bytes.extend_from_slice(&buffer[..read]);
            }
            stream.write_all(&ok(DONE)).unwrap();
            arrived.push(bytes.len());
            // The client keeps the connection for its next request; then it is closed without a word.
            is_answered.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
        arrived.len()
    });
    let client = at(address);
    for _ in 0..20 {
        // Not idempotent, and not sent again by us: only the connection can tell that nothing had left.
        let call = client.request(&CREATE).json("a thing").fetch::<String>();
        assert_eq!(call.no_retry().await.unwrap(), "done");
        answered.send(()).unwrap();
        // This thread stands still meanwhile. Then the runtime hears that the connection was closed, and the next
        // request is handed to it before the connection's own task has had a turn.
        is_closed.recv().unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(server.join().unwrap(), 20);
}

#[test]
fn a_client_outlives_the_runtime_it_was_used_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut kept = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            assert!(stream.read(&mut bytes).unwrap() > 0);
            stream.write_all(&ok(DONE)).unwrap();
            kept.push(stream);
        }
    });
    let client = at(address);
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // The connection that was kept went down with its runtime; it must not be tried.
        assert_eq!(runtime.block_on(create(&client)).unwrap(), "done");
    }
    server.join().unwrap();
}

const GZIPPED: [u8; 36] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x49, 0x2c, 0x49,
    0x54, 0xb2, 0x52, 0x50, 0x4a, 0xc9, 0xcf, 0x4b, 0x55, 0xaa, 0x05, 0x00, 0xac, 0x10, 0x40, 0x7c,
    0x10, 0x00, 0x00, 0x00,
];

const BOMB_HEAD: [u8; 27] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x81, 0x00, 0x00, 0x00,
    0x00, 0x02, 0x20, 0x97, 0xcd, 0xf6, 0x97, 0x18, 0xe4, 0x2a, 0x05,
];
const BOMB_ZEROS: usize = 1937;
const BOMB_TAIL: [u8; 10] = [0xee, 0x64, 0x9e, 0xe6, 0x56, 0x34, 0x82, 0x84, 0x1e, 0x00];

fn gzipped(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn gzip_is_unpacked() {
    let (listener, address) = listen().await;
    let call = at(address).request(&CREATE).fetch::<serde_json::Value>();
    let call = tokio::spawn(call);
    answer(&listener, &gzipped(&GZIPPED)).await;
    assert_eq!(call.await.unwrap().unwrap()["data"], "done");
}

#[tokio::test]
async fn the_cap_counts_unpacked_bytes() {
    // Two million letters in two thousand bytes.
    let bomb = [&BOMB_HEAD[..], &[0; BOMB_ZEROS], &BOMB_TAIL].concat();
    for (cap, fits) in [(2_000_002, true), (2_000_001, false), (10, false)] {
        let (listener, address) = listen().await;
        let client = builder(&format!("http://{address}")).max_body(cap);
        let client = client.build().unwrap();
        let call = tokio::spawn(async move { create(&client).await });
        answer(&listener, &gzipped(&bomb)).await;
        match call.await.unwrap() {
            Ok(text) => assert!(fits && text.len() == 2_000_000),
            Err(error) => too_large(&error, !fits),
        }
    }
}

fn too_large(error: &Error, expected: bool) {
    assert!(expected, "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.delivery(), Delivery::Succeeded);
    let source = std::error::Error::source(error).unwrap().to_string();
    assert_eq!(source, "the answer is longer than the cap for bodies");
}

#[tokio::test]
async fn the_cap_holds_for_a_length_announced_and_for_chunks() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..11 {
        chunked.extend_from_slice(b"64\r\n");
        chunked.extend_from_slice(&[b' '; 100]);
        chunked.extend_from_slice(b"\r\n");
    }
    for answered in [announced, chunked] {
        let (listener, address) = listen().await;
        let client = builder(&format!("http://{address}")).max_body(1000);
        let client = client.build().unwrap();
        let call = tokio::spawn(async move { create(&client).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        stream.write_all(&answered).await.unwrap();
        // The connection stays open: the cap alone ends it.
        too_large(&call.await.unwrap().unwrap_err(), true);
    }
}

#[tokio::test]
async fn a_long_body_in_pieces_arrives_whole() {
    let text = "0123456789".repeat(100_000);
    let body = serde_json::to_string(&text).unwrap();
    for length in [true, false] {
        let (listener, address) = listen().await;
        let client = at(address);
        let call = tokio::spawn(async move { create(&client).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        request(&mut stream).await;
        if length {
            stream.write_all(&ok(&body)).await.unwrap();
        } else {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            for piece in body.as_bytes().chunks(70_000) {
                let size = format!("{:x}\r\n", piece.len());
                let chunk = [size.as_bytes(), piece, b"\r\n"].concat();
                stream.write_all(&chunk).await.unwrap();
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
        assert_eq!(call.await.unwrap().unwrap(), text);
    }
}

const CHILD: &str = "CONNECTOR_HTTP_PROXY_TEST";

/// Runs one test of this file in a process of its own, where these proxies are set.
fn with_proxies(test: &str, proxy: SocketAddr) {
    let proxy = format!("http://{proxy}");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env("HTTP_PROXY", &proxy)
        .env("http_proxy", &proxy)
        .env("HTTPS_PROXY", &proxy)
        .env("ALL_PROXY", &proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn loopback_never_goes_through_a_proxy() {
    if std::env::var_os(CHILD).is_none() {
        // Nobody listens there, so going through it fails.
        let (listener, nowhere) = listen().await;
        drop(listener);
        return with_proxies("loopback_never_goes_through_a_proxy", nowhere);
    }
    // Of its own transport, and of one it shares with clients of remote hosts.
    let shared = ReqwestTransport::builder().build().unwrap();
    for transport in [None, Some(shared)] {
        let (listener, address) = listen().await;
        let mut builder = builder(&format!("http://localhost:{}", address.port()));
        if let Some(transport) = transport {
            builder = builder.transport(Arc::new(transport));
        }
        let client = builder.build().unwrap();
        let call = tokio::spawn(async move { create(&client).await });
        answer(&listener, &ok(DONE)).await;
        assert_eq!(call.await.unwrap().unwrap(), "done");
    }
    println!("went straight to loopback");
}

#[tokio::test]
async fn a_remote_host_is_reached_through_the_proxy_and_stays_private_to_it() {
    if std::env::var_os(CHILD).is_some() {
        let client = client("https://api.example.com");
        let call = client.request(&CREATE).json("canary").fetch::<String>();
        let error = call.no_retry().await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
        return;
    }
    let (listener, proxy) = listen().await;
    let child = tokio::task::spawn_blocking(move || {
        let test = "a_remote_host_is_reached_through_the_proxy_and_stays_private_to_it";
        with_proxies(test, proxy);
    });
    let (mut stream, _) = listener.accept().await.unwrap();
    let request = request(&mut stream).await;
    assert!(
        request.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        !request.contains("key-1") && !request.contains("canary"),
        "{request}"
    );
    stream
        .write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        .await
        .unwrap();
    drop(stream);
    child.await.unwrap();
}
