//! No canary sings: whatever goes right or wrong, at every level, in our own lines and those of the crates below,
//! neither a secret nor a person shows in a log line, a `Debug`, a `Display` or an error's chain.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has to fail"
)]

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use connector_http::{
    Attempt, AttemptOutcome, CallOutcome, Client, ClientBuilder, Delivery, Endpoint, Error,
    ErrorDecoder, ErrorKind, FieldError, Idempotency, Method, Observer, Page, Paginator,
    RetryPolicy, StaticHeaders, VendorError,
};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

/// In every value that must not show, and in nothing else.
const CANARY: &str = "c4nary";

const UPDATE: Endpoint =
    Endpoint::new("people.update", Method::Put, "/people/{id}").idempotency(Idempotency::WithKey {
        header: "idempotency-key",
    });

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What goes through the `log` crate, as reqwest's lines do.
impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!(
            "{} {}: {}\n",
            record.level(),
            record.target(),
            record.args()
        );
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Reads the vendor's words, which name people.
struct Words;

impl ErrorDecoder for Words {
    fn decode(&self, _: u16, _: &HeaderMap, body: &[u8]) -> Option<VendorError> {
        #[derive(Deserialize)]
        struct Body {
            error: String,
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        let field = FieldError::new("email", body.error.clone());
        let error = VendorError::new().code("E7").message(body.error);
        Some(error.field_errors(vec![field]))
    }
}

#[derive(Debug, Default)]
struct Overheard(Mutex<String>);

impl Observer for Overheard {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let mut heard = self.0.lock().unwrap();
        write!(heard, "{attempt:?} {attempt:#?}").unwrap();
        if let AttemptOutcome::Failed(error) = attempt.outcome {
            heard.push_str(&everything_said_by(error));
        }
    }

    fn on_call(&self, outcome: &CallOutcome<'_>) {
        write!(self.0.lock().unwrap(), "{outcome:?}").unwrap();
    }
}

fn everything_said_by(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?} {:?}", error.body_snippet());
    let mut source = error.source();
    while let Some(cause) = source {
        write!(text, " {cause} {cause:?} {cause:#?}").unwrap();
        source = cause.source();
    }
    text
}

/// Gives each connection one of these answers and closes it; an empty one closes it without a word.
fn serve(answers: Vec<String>) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            // Every request of this file ends with the same body, or has none.
            while !bytes.ends_with(b"}\n") && !bytes.ends_with(b"\r\n\r\n") {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(buffer.get(..read).unwrap());
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, server)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

fn builder(address: SocketAddr, overheard: &Arc<Overheard>) -> ClientBuilder {
    let key = StaticHeaders::new(AUTHORIZATION, format!("{CANARY}-key")).unwrap();
    Client::builder("acme")
        .base_url(format!("http://{address}"))
        .auth(key)
        .default_header("x-tenant".parse().unwrap(), format!("{CANARY}-tenant"))
        .error_decoder(Words)
        .observer(overheard.clone())
        .retry(RetryPolicy::new().base(std::time::Duration::from_micros(1)))
}

#[derive(Debug, Deserialize)]
struct Person {
    #[serde(rename = "id")]
    _id: u32,
}

async fn update(client: &Client) -> Result<Person, Error> {
    let mut body = serde_json::json!({ "name": format!("{CANARY} Person") }).to_string();
    body.push('\n');
    let request = client
        .request(&UPDATE)
        .path("id", format!("{CANARY}@example.com"))
        .query("q", format!("{CANARY} query"))
        .header("x-note".parse().unwrap(), &format!("{CANARY}-note"))
        .body("application/json".parse().unwrap(), body);
    no_canary("request", &request);
    let call = request
        .fetch()
        .idempotency_key(format!("{CANARY}-idempotency"));
    no_canary("call", &call);
    call.await
}

#[track_caller]
fn no_canary(place: &str, shown: &impl Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.contains(CANARY), "{place}: {text}");
}

#[track_caller]
fn quiet(place: &str, text: &str) {
    let line = text.lines().find(|line| line.contains(CANARY));
    assert!(line.is_none(), "{place}: {line:?}");
}

// One test, because the log lines of the whole process belong to it.
#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of everything that can happen"
)]
async fn no_canary_sings() {
    let lines = Lines::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(lines.clone())
        .init();
    log::set_boxed_logger(Box::new(lines.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let overheard = Arc::new(Overheard::default());
    let person = |id: &str| format!(r#"{{"id":{id},"name":"{CANARY} Person"}}"#);
    let cookie = format!("set-cookie: {CANARY}\r\nx-request-id: r-1\r\n");
    let html = format!("<html>{CANARY}</html>");
    let said = format!(r#"{{"error":"{CANARY}@example.com is taken"}}"#);
    let elsewhere = format!("location: https://{CANARY}.example.com/{CANARY}\r\n");
    let wait = "retry-after: 3600\r\n";
    let cut = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{}",
        person("7")
    );
    let keyed = format!(r#"{{"id":7,"{CANARY}@example.com":1"#);

    let fine = answer("200 OK", &cookie, &person("7"));
    let cases = [
        ("success", vec![fine.clone()], None),
        (
            "401",
            vec![answer("401 No", &cookie, &said)],
            Some(ErrorKind::Auth),
        ),
        (
            "404",
            vec![answer("404 No", &cookie, &said)],
            Some(ErrorKind::NotFound),
        ),
        (
            "429",
            vec![answer("429 No", wait, &said)],
            Some(ErrorKind::RateLimited),
        ),
        (
            "200 that failed",
            vec![answer("200 OK", "", &said)],
            Some(ErrorKind::Api),
        ),
        (
            "302",
            vec![answer("302 There", &elsewhere, &html)],
            Some(ErrorKind::Api),
        ),
        (
            "502, then success",
            vec![answer("502 Bad", &cookie, &html), fine],
            None,
        ),
        (
            "500",
            vec![answer("500 Bad", &cookie, &said); 4],
            Some(ErrorKind::Server),
        ),
        ("reset", vec![String::new(); 4], Some(ErrorKind::Connect)),
        (
            "no http",
            vec![format!("{CANARY}\r\n\r\n"); 4],
            Some(ErrorKind::Connect),
        ),
        ("cut short", vec![cut; 4], Some(ErrorKind::Decode)),
        (
            "html",
            vec![answer("200 OK", &cookie, &html)],
            Some(ErrorKind::Decode),
        ),
        (
            "empty",
            vec![answer("200 OK", &cookie, "")],
            Some(ErrorKind::Decode),
        ),
        (
            "of another type",
            vec![answer("200 OK", &cookie, &person(&format!("\"{CANARY}\"")))],
            Some(ErrorKind::Decode),
        ),
        (
            "a key is a person",
            vec![answer("200 OK", "", &keyed)],
            Some(ErrorKind::Decode),
        ),
    ];
    for (name, answers, expected) in cases {
        let (address, server) = serve(answers);
        let client = builder(address, &overheard).build().unwrap();
        no_canary(name, &client);
        let result = update(&client).await;
        server.join().unwrap();
        assert_eq!(result.as_ref().err().map(Error::kind), expected, "{name}");
        if let Err(error) = &result {
            quiet(name, &everything_said_by(error));
            assert_ne!(error.delivery(), Delivery::NotSent, "{name}");
        }
        let logged = lines.take();
        quiet(name, &logged);
        // The lines were really taken: our spans are among them, with their fields.
        for expected in [
            "api.call{vendor=\"acme\" operation=\"people.update\" path=\"/people/{id}\"",
            "api.attempt{number=1",
        ] {
            assert!(logged.contains(expected), "{name}: {logged}");
        }
    }

    // Nobody there.
    let (address, server) = serve(Vec::new());
    server.join().unwrap();
    let client = builder(address, &overheard).build().unwrap();
    let error = update(&client).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    quiet("refused", &everything_said_by(&error));

    // Wrong before anything is sent.
    let secret = format!("{CANARY}\n");
    let invalid = StaticHeaders::new(AUTHORIZATION, secret).unwrap_err();
    no_canary("credential", &invalid);
    quiet("credential", &invalid.to_string());
    let url = format!("https://user:{CANARY}@example.com/?{CANARY}#{CANARY}");
    let unbuilt = Client::builder("acme").base_url(url);
    no_canary("builder", &unbuilt);
    quiet("url", &everything_said_by(&unbuilt.build().unwrap_err()));
    for request in [
        client.raw(Method::Get, &format!("/{CANARY}?{CANARY}")),
        client.raw(Method::Get, "/").path("id", CANARY),
        client
            .raw(Method::Get, "/")
            .header("x-a".parse().unwrap(), &format!("{CANARY}\n")),
        client.raw(Method::Get, "/").header(AUTHORIZATION, CANARY),
    ] {
        let error = request.discard().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        quiet("request", &everything_said_by(&error));
    }

    // A raw path holds values where a template would not, and a page token may be anything.
    let page = format!(r#"{{"data":["{CANARY}"],"next":"{CANARY}"}}"#);
    let (address, server) = serve(vec![answer("200 OK", "", &page); 2]);
    let client = builder(address, &overheard).build().unwrap();
    let pages = Paginator::new({
        move |token| {
            #[derive(Deserialize)]
            struct List {
                data: Vec<String>,
                next: Option<String>,
            }
            let request = client.raw(Method::Get, &format!("/{CANARY}"));
            let request = request.query_opt("page", token);
            request.fetch_map(|list: List| Page::new(list.data, list.next))
        }
    });
    no_canary("paginator", &pages);
    let mut items = pages.items();
    for _ in 0..2 {
        assert_eq!(items.next().await.unwrap().unwrap(), CANARY);
        no_canary("items", &items);
        no_canary("cursor", &items.cursor());
    }
    let circle = items.next().await.unwrap().unwrap_err();
    quiet("circle", &everything_said_by(&circle));
    server.join().unwrap();

    quiet("the rest of the lines", &lines.take());
    quiet("observer", &overheard.0.lock().unwrap());
}
