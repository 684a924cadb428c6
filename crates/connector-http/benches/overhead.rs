//! What a call costs above bare reqwest: `cargo bench -p connector-http`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints figures, and stops where it cannot go on"
)]

mod harness;

use std::time::Duration;

use connector_http::{Client, Rate, RateClass, StaticHeaders, endpoints};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::header;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TIMEOUT: Duration = Duration::from_secs(15);
const CONCURRENCY: usize = 64;
const CALLS: usize = 2_000;
const KEY: &str = "0123456789abcdef0123456789abcdef";

endpoints! {
    /// Creates a person.
    CREATE = "people.create": POST "/v1/people", NotIdempotent, DEFAULT, [201], "benchmark";
}

#[derive(Serialize)]
struct NewPerson {
    first_name: &'static str,
    last_name: &'static str,
    emails: [&'static str; 2],
    external_id: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded for its cost")]
struct Person {
    id: String,
    first_name: String,
    last_name: Option<String>,
    emails: Vec<String>,
    created_at: String,
}

const ANSWER: &str = r#"{"id":"664d0db69fcac7cf2e6ec","first_name":"Ana","last_name":"Example","emails":["ana@example.com","a@example.com"],"created_at":"2026-01-01T00:00:00.000Z","source":"public-api","note":null}"#;

fn new_person(index: usize) -> NewPerson {
    NewPerson {
        first_name: "Ana",
        last_name: "Example",
        emails: ["ana@example.com", "a@example.com"],
        external_id: format!("user-{index}"),
    }
}

/// Bare reqwest, used as its documentation shows.
#[derive(Clone)]
struct Raw {
    http: reqwest::Client,
    url: String,
}

impl Raw {
    fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            http,
            url: format!("{base}/v1/people"),
        }
    }

    async fn create(&self, index: usize) -> Person {
        let body = serde_json::to_vec(&new_person(index)).expect("serialises");
        let response = self
            .http
            .post(&self.url)
            .header(header::AUTHORIZATION, KEY)
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(TIMEOUT)
            .body(body)
            .send()
            .await
            .expect("answers");
        assert!(response.status().is_success());
        serde_json::from_slice(&response.bytes().await.expect("a body")).expect("decodes")
    }
}

/// The same call with retry, limiter and authentication on.
fn ours(base: &str) -> Client {
    Client::builder("bench")
        .base_url(base)
        .auth(StaticHeaders::new(header::AUTHORIZATION, KEY).expect("a key"))
        .rate(RateClass::DEFAULT, Rate::per_second(1_000_000).burst(64))
        .build()
        .expect("a client")
}

async fn ours_create(client: &Client, index: usize) -> Person {
    client
        .request(&CREATE)
        .json(&new_person(index))
        .fetch()
        .await
        .expect("answers")
}

/// Runs `CALLS` calls, `CONCURRENCY` at a time.
async fn concurrently<F: Future<Output = Person>>(call: impl Fn(usize) -> F) {
    let mut running = FuturesUnordered::new();
    for index in 0..CALLS {
        if running.len() == CONCURRENCY {
            running.next().await;
        }
        running.push(call(index));
    }
    while running.next().await.is_some() {}
}

async fn p50<F: Future<Output = Person>>(call: impl Fn(usize) -> F) -> f64 {
    let mut times = Vec::with_capacity(CALLS / 4);
    for index in 0..CALLS / 4 {
        let before = now();
        call(index).await;
        times.push(before.elapsed().as_secs_f64());
    }
    harness::median(times)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn main() {
    if harness::word_after("--server").is_some() {
        harness::runtime().block_on(serve());
        return;
    }
    let with_spans = std::env::args().any(|argument| argument == "--with-spans");
    let only = harness::word_after("--only");
    let server = harness::ServerProcess::start("people");
    let (raw, ours) = (Raw::new(&server.url), ours(&server.url));
    let runtime = harness::runtime();
    let (raw, ours, runtime) = (&raw, &ours, &runtime);
    let raw_batch = || runtime.block_on(concurrently(|index| raw.create(index)));
    let our_batch = || runtime.block_on(concurrently(|index| ours_create(ours, index)));

    // One side alone, for a profiler: `cargo bench -p connector-http -- --only ours`.
    match only.as_deref() {
        Some("raw") => return raw_batch(),
        Some("ours") => return our_batch(),
        _ => {}
    }
    if with_spans {
        // A subscriber that takes DEBUG spans and writes them nowhere: the cost of the spans, not of a terminal.
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(std::io::sink)
            .init();
        let spans = harness::ratio(|| harness::cpu_of(raw_batch), || harness::cpu_of(our_batch));
        harness::print("cpu_per_call_spans_ratio", spans, "no bar");
        return;
    }

    harness::subscribe_at_info();
    let cpu = harness::ratio(|| harness::cpu_of(raw_batch), || harness::cpu_of(our_batch));
    harness::print("cpu_per_call_ratio", cpu, "at most 1.05");
    let inverse = harness::ratio(
        || harness::time_of(our_batch),
        || harness::time_of(raw_batch),
    );
    harness::print("throughput_ratio", inverse, "at least 0.95");
    let p50 = harness::ratio(
        || runtime.block_on(p50(|index| raw.create(index))),
        || runtime.block_on(p50(|index| ours_create(ours, index))),
    );
    harness::print("p50_ratio", p50, "at most 1.10");

    // A global subscriber is set once per process, so the figure with spans comes from another one.
    let program = std::env::current_exe().expect("the path of this program");
    let status = std::process::Command::new(program)
        .arg("--with-spans")
        .status()
        .expect("starts again");
    assert!(status.success());
}

/// Answers every request with the same person.
async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("http://{}", listener.local_addr().expect("bound"));
    loop {
        let (connection, _) = listener.accept().await.expect("accepts");
        connection.set_nodelay(true).expect("a TCP socket");
        tokio::spawn(answer(connection));
    }
}

async fn answer(mut connection: TcpStream) {
    let answer = format!(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nratelimit: \"per-second\"; r=900000; t=1\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let mut received = Vec::with_capacity(4096);
    loop {
        while let Some(end) = end_of_request(&received) {
            received.drain(..end);
            if connection.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        if !matches!(connection.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
    }
}

/// Where the first whole request in `received` ends.
fn end_of_request(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&received[..head]).ok()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Some(0), |(_, value)| value.trim().parse::<usize>().ok())?;
    (received.len() >= head + length).then_some(head + length)
}
