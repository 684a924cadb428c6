//! Downloads through the production transport, against real sockets on loopback.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has to fail"
)]

use std::net::SocketAddr;

use connector_http::{Client, Error, ErrorKind, StaticHeaders};
use http::header::AUTHORIZATION;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers one request with these bytes, closes the connection, and gives the request.
async fn answer(listener: TcpListener, bytes: Vec<u8>) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0);
    }
    // The client may have seen enough before the end.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
    String::from_utf8(request).unwrap()
}

fn client(address: SocketAddr) -> Client {
    let key = StaticHeaders::new(AUTHORIZATION, "canary-key").unwrap();
    Client::builder("acme")
        .base_url(format!("http://{address}"))
        .auth(key)
        .build()
        .unwrap()
}

async fn download(head: &str, body: &[u8], max: u64) -> (Result<u64, Error>, Vec<u8>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bytes = [
        format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(),
        body,
    ]
    .concat();
    let server = tokio::spawn(answer(listener, bytes));
    let (client, mut written) = (client(address), Vec::new());
    let url = format!("http://{address}/CR1.mp3?signature=a%2Bb");
    let call = client.download("media.get", &url, &mut written);
    let result = call.max_bytes(max).await;
    (result, written, server.await.unwrap())
}

fn audio() -> Vec<u8> {
    (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect()
}

#[tokio::test]
async fn a_long_body_arrives_whole_and_the_key_stays_here() {
    let body = audio();
    let head = format!("content-type: audio/mpeg\r\ncontent-length: {}", body.len());
    let (result, written, request) = download(&head, &body, 3_000_000).await;
    assert_eq!(result.unwrap(), 3_000_000);
    assert!(written == body);
    let request = request.to_lowercase();
    assert!(
        request.starts_with("get /cr1.mp3?signature=a%2bb http/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
    assert!(
        !request.contains("authorization") && !request.contains("canary"),
        "{request}"
    );
}

#[tokio::test]
async fn chunks_arrive_whole() {
    let chunks = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let (result, written, _) = download("transfer-encoding: chunked", chunks, 7).await;
    assert_eq!((result.unwrap(), written.as_slice()), (7, &b"abcdefg"[..]));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let (result, written, _) = download("content-length: 10", b"12345", 100).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(written, b"12345");
    let chunks = b"3\r\nabc\r\n4\r\nde";
    let (result, _, _) = download("transfer-encoding: chunked", chunks, 100).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_body_without_an_end_stops_at_the_cap() {
    let body = audio();
    let (result, written, _) = download("connection: close", &body, 1_000_000).await;
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_retryable()),
        (ErrorKind::Decode, false)
    );
    assert!(written.len() <= 1_000_000);
}
