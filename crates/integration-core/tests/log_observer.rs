//! Integration logs of the calls of a real client on a scripted transport, on paused time.

#![cfg(feature = "http")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    AuthError, AuthErrorKind, AuthHeaders, Authenticate, Call, Client, Endpoint, ErrorDecoder,
    Method, Timer, TokioTimer, VendorError,
};
use http::HeaderMap;
use integration_core::http::{
    CallResult, LogObserver, LogWriter, LogWriterOptions, log_context, status_signal, sweep_logs,
};
use integration_core::store::{
    IntegrationLog, LogFilter, LogResult, LogStatus, LogStore, StoreError,
};
use integration_core::{IntegrationId, LogId, Scope, TenantId};
use rstest::rstest;
use tokio::time::Instant;

const READ: Endpoint = Endpoint::new("things.get", Method::Get, "/v1/things/{id}");
const CREATE: Endpoint = Endpoint::new("things.create", Method::Post, "/v1/things");

/// A wall clock that goes with the paused one.
#[derive(Debug)]
struct Clock(Instant);

impl Clock {
    fn start() -> Arc<Self> {
        Arc::new(Self(TokioTimer.now()))
    }

    fn epoch() -> DateTime<Utc> {
        DateTime::from_timestamp(1_780_000_000, 0).unwrap()
    }
}

#[async_trait]
impl Timer for Clock {
    fn now(&self) -> Instant {
        TokioTimer.now()
    }

    fn utc_now(&self) -> DateTime<Utc> {
        Self::epoch() + (self.now() - self.0)
    }

    async fn sleep(&self, duration: Duration) {
        TokioTimer.sleep(duration).await;
    }
}

/// What becomes of one write.
#[derive(Debug)]
enum Fate {
    Fails,
    Hangs,
}

#[derive(Debug, Default)]
struct Logs {
    fates: Mutex<VecDeque<Fate>>,
    always_down: bool,
    writes: Mutex<Vec<usize>>,
    tried_at: Mutex<Vec<Instant>>,
    entries: Mutex<Vec<IntegrationLog>>,
    left_to_delete: Mutex<u64>,
    deletions: Mutex<Vec<(DateTime<Utc>, u32)>>,
}

impl Logs {
    fn entries(&self) -> Vec<IntegrationLog> {
        self.entries.lock().unwrap().clone()
    }

    fn meeting(fates: impl IntoIterator<Item = Fate>) -> Self {
        Self {
            fates: Mutex::new(fates.into_iter().collect()),
            ..Self::default()
        }
    }

    fn tries(&self) -> usize {
        self.writes.lock().unwrap().len()
    }
}

#[async_trait]
impl LogStore for Logs {
    async fn append_logs(&self, entries: &[IntegrationLog]) -> Result<(), StoreError> {
        self.writes.lock().unwrap().push(entries.len());
        self.tried_at.lock().unwrap().push(TokioTimer.now());
        let fate = self.fates.lock().unwrap().pop_front();
        match fate {
            Some(Fate::Hangs) => std::future::pending().await,
            Some(Fate::Fails) => return Err(StoreError::Unavailable("down".into())),
            None if self.always_down => return Err(StoreError::Unavailable("down".into())),
            None => {}
        }
        self.entries.lock().unwrap().extend_from_slice(entries);
        Ok(())
    }

    async fn finish_log(&self, _: LogId, _: &LogResult) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }

    async fn logs(&self, _: &Scope, _: &LogFilter) -> Result<Vec<IntegrationLog>, StoreError> {
        Ok(self.entries())
    }

    async fn delete_logs(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError> {
        self.deletions.lock().unwrap().push((before, limit));
        let mut left = self.left_to_delete.lock().unwrap();
        let now = u64::from(limit).min(*left);
        *left -= now;
        Ok(now)
    }
}

struct Setup {
    logs: Arc<Logs>,
    writer: LogWriter,
}

fn setup(logs: Logs, options: LogWriterOptions) -> Setup {
    let logs = Arc::new(logs);
    let store: Arc<dyn LogStore> = logs.clone();
    let writer = LogWriter::start(store, Clock::start(), options);
    Setup { logs, writer }
}

fn observer(writer: &LogWriter) -> LogObserver {
    LogObserver::new(writer.clone(), TenantId::from("umbrella"), "acme")
}

fn client(fake: &FakeTransport, observer: LogObserver) -> Client {
    Client::builder("acme")
        .base_url("https://api.example.com")
        .transport(Arc::new(fake.clone()))
        .observer(Arc::new(observer))
        .build()
        .unwrap()
}

fn read(client: &Client) -> Call<String> {
    client.request(&READ).path("id", "1").fetch()
}

fn create(client: &Client) -> Call<String> {
    client.request(&CREATE).json(&["canary"]).fetch()
}

fn entry(number: usize) -> IntegrationLog {
    IntegrationLog::new(
        LogId::generate(),
        TenantId::default(),
        "acme",
        format!("entry {number}"),
        LogStatus::Success,
        Clock::epoch(),
    )
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_leaves_one_entry_whatever_it_took() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::new();
    fake.push(Reply::status(503).header("retry-after", "2"))
        .push(
            Reply::status(200)
                .json("done")
                .header("x-request-id", "r2")
                .delay(Duration::from_secs(3)),
        );
    let id = IntegrationId::generate();
    let client = client(&fake, observer(&writer).integration(id));
    log_context::related("contact", "c-17", read(&client))
        .await
        .unwrap();
    writer.close().await;

    let entries = logs.entries();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(entry.tenant, TenantId::from("umbrella"));
    assert_eq!(entry.integration, Some(id));
    assert_eq!(
        (&*entry.provider, &*entry.action, entry.status),
        ("acme", "things.get", LogStatus::Success)
    );
    assert_eq!(entry.http_status, Some(200));
    assert_eq!(entry.request_id.as_deref(), Some("r2"));
    assert_eq!(entry.related_type.as_deref(), Some("contact"));
    assert_eq!(entry.related_id.as_deref(), Some("c-17"));
    assert_eq!(entry.payload, None);
    assert_eq!(
        entry.response,
        Some(serde_json::json!({ "attempts": 2, "body": "<text of 4>" }))
    );
    assert_eq!(entry.error_message, None);
    assert_eq!(entry.created_at, Clock::epoch());
    let took = entry.duration.unwrap();
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_what_came_back_is_kept_without_its_values() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::new();
    let person =
        serde_json::json!({ "id": "CT1", "firstName": "canary", "emails": ["canary@example.com"] });
    fake.push(Reply::status(201).json(&person))
        .push(Reply::status(200).json(&"canary ".repeat(4_000)));
    let client = client(&fake, observer(&writer));
    let create = client.request(&CREATE).json(&person);
    create.fetch::<serde_json::Value>().await.unwrap();
    read(&client).await.unwrap();
    writer.close().await;

    let entries = logs.entries();
    let shown =
        serde_json::json!({ "id": "CT1", "firstName": "<text of 6>", "emails": ["<text of 18>"] });
    assert_eq!(entries[0].payload.as_ref(), Some(&shown));
    assert_eq!(
        entries[0].response,
        Some(serde_json::json!({ "attempts": 1, "body": shown }))
    );
    assert_eq!(
        entries[1].response,
        Some(serde_json::json!({ "attempts": 1, "body": "<28002 bytes>" }))
    );
    assert!(!format!("{entries:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_what_went_wrong_and_whether_it_happened() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::new();
    fake.push(Reply::status(502).header("x-request-id", "r1"))
        .push(
            Reply::status(429)
                .json(&serde_json::json!({ "message": "canary" }))
                .header("retry-after", "3600"),
        );
    let client = client(&fake, observer(&writer));
    create(&client).await.unwrap_err();
    read(&client).await.unwrap_err();
    writer.close().await;

    let entries = logs.entries();
    let told = |index: usize| entries[index].error_message.as_deref().unwrap();
    assert_eq!(
        told(0),
        "acme things.create: server error (status 502, request id r1, outcome unknown)"
    );
    assert_eq!(told(1), "acme things.get: rate limited (status 429)");
    assert_eq!(
        entries[1].response,
        Some(serde_json::json!({
            "attempts": 1,
            "delivery": "rejected",
            "retry_after_ms": 3_600_000,
            "body": "{\"message\":<string>}",
        }))
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry.status == LogStatus::Failed)
    );
    assert!(entries.iter().all(|entry| entry.related_id.is_none()));
}

struct Loud;

impl ErrorDecoder for Loud {
    fn decode(&self, status: u16, _: &HeaderMap, _: &[u8]) -> Option<VendorError> {
        (status >= 400).then(|| {
            VendorError::new()
                .code("canary canary")
                .message("canary@example.com is taken")
        })
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_vendors_words_or_of_the_values_is_written() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let body = serde_json::json!({ "email": "canary@example.com", "canary@example.com": ["+12025550143"] });
    let fake = FakeTransport::handler(move |_| {
        Reply::status(422)
            .json(&body)
            .header("x-request-id", "canary canary")
            .header("x-canary", "canary")
    });
    let client = Client::builder("acme")
        .base_url("https://api.example.com")
        .transport(Arc::new(fake))
        .error_decoder(Loud)
        .observer(Arc::new(observer(&writer).attempts_too()))
        .build()
        .unwrap();
    let call = client
        .request(&READ)
        .path("id", "canary")
        .query("q", "canary");
    call.fetch::<String>().await.unwrap_err();
    create(&client).await.unwrap_err();
    writer.close().await;

    let entries = logs.entries();
    assert_eq!(entries.len(), 4);
    let text = format!("{entries:?} {}", serde_json::to_string(&entries).unwrap());
    assert!(!text.contains("canary") && !text.contains("0143"), "{text}");
    assert!(
        text.contains(r#"\"email\":<string>"#),
        "the shape stays: {text}"
    );
}

#[tokio::test(start_paused = true)]
async fn attempts_are_written_too_if_that_is_wanted() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::new();
    fake.push(Reply::connect_error())
        .push(Reply::status(200).json("done"));
    let client = client(&fake, observer(&writer).attempts_too());
    read(&client).await.unwrap();
    writer.close().await;

    let lines: Vec<_> = logs
        .entries()
        .into_iter()
        .map(|entry| (entry.action, entry.status, entry.http_status))
        .collect();
    assert_eq!(
        lines,
        [
            ("things.get.attempt".to_owned(), LogStatus::Failed, None),
            (
                "things.get.attempt".to_owned(),
                LogStatus::Success,
                Some(200)
            ),
            ("things.get".to_owned(), LogStatus::Success, Some(200)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_is_written_as_nobody_knows() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::new();
    fake.push(Reply::hang());
    let client = client(&fake, observer(&writer));
    let call = create(&client);
    let gave_up = tokio::time::timeout(Duration::from_secs(1), call).await;
    assert!(gave_up.is_err());
    writer.close().await;

    let entries = logs.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].action, "things.create");
    assert_eq!(
        entries[0].error_message.as_deref(),
        Some("acme things.create: given up by the caller (outcome unknown)")
    );
    assert_eq!(entries[0].status, LogStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn entries_are_written_in_order_and_in_batches() {
    let mut options = LogWriterOptions::default();
    options.batch = 3;
    let Setup { logs, writer } = setup(Logs::default(), options);
    for number in 0..8 {
        writer.write(entry(number));
    }
    TokioTimer.sleep(Duration::from_secs(1)).await;
    assert_eq!(logs.writes.lock().unwrap().as_slice(), [3, 3, 2]);
    for (number, entry) in logs.entries().iter().enumerate() {
        assert_eq!(entry.action, format!("entry {number}"));
    }
    writer.write(entry(8));
    TokioTimer.sleep(Duration::from_secs(1)).await;
    assert_eq!(logs.tries(), 4);
    writer.close().await;
    assert_eq!((logs.tries(), writer.dropped()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_comes_back_loses_nothing() {
    let logs = Logs::meeting([Fate::Fails, Fate::Hangs, Fate::Fails]);
    let Setup { logs, writer } = setup(logs, LogWriterOptions::default());
    writer.write(entry(0));
    TokioTimer.sleep(Duration::from_secs(20)).await;
    assert_eq!((logs.entries().len(), logs.tries()), (1, 4));
    assert_eq!(writer.dropped(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_down_costs_entries_and_they_are_counted() {
    let logs = Logs::meeting((0..5).map(|_| Fate::Fails));
    let Setup { logs, writer } = setup(logs, LogWriterOptions::default());
    writer.write(entry(0));
    writer.write(entry(1));
    TokioTimer.sleep(Duration::from_secs(30)).await;
    assert_eq!((writer.dropped(), logs.tries()), (2, 5));
    let tried_at = logs.tried_at.lock().unwrap().clone();
    let waits: Vec<_> = tried_at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(waits, [250, 500, 1000, 2000].map(Duration::from_millis));
    writer.write(entry(2));
    writer.close().await;
    assert_eq!((writer.dropped(), logs.entries().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn taking_an_entry_never_waits_and_memory_has_an_end() {
    let logs = Logs::meeting([Fate::Hangs]);
    let mut options = LogWriterOptions::default();
    (options.capacity, options.batch) = (10, 1);
    let Setup { logs, writer } = setup(logs, options);
    writer.write(entry(0));
    settle().await;
    assert_eq!(logs.tries(), 1, "the first is under way");
    let before = TokioTimer.now();
    for number in 1..=25 {
        writer.write(entry(number));
    }
    assert_eq!(TokioTimer.now(), before);
    assert_eq!(writer.dropped(), 15);
    writer.close().await;
    assert_eq!(logs.entries().len(), 11);
}

#[tokio::test(start_paused = true)]
async fn closing_writes_what_waits_and_later_entries_are_dropped() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    for number in 0..1000 {
        writer.write(entry(number));
    }
    let before = TokioTimer.now();
    let twin = writer.clone();
    tokio::join!(writer.close(), twin.close());
    assert!(TokioTimer.now() - before < Duration::from_millis(200));
    assert_eq!((logs.entries().len(), writer.dropped()), (1000, 0));
    writer.write(entry(1000));
    writer.close().await;
    assert_eq!((logs.entries().len(), writer.dropped()), (1000, 1));
}

/// Real threads, because the moment between taking a place in the queue and filling it is not an await.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_that_arrives_while_it_closes_goes_unaccounted_for() {
    for round in 0..300 {
        let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let writer = writer.clone();
                std::thread::spawn(move || {
                    let mut written = 0;
                    while writer.dropped() == 0 {
                        writer.write(entry(written));
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        writer.close().await;
        let written: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
        let dropped = usize::try_from(writer.dropped()).unwrap();
        assert_eq!(logs.entries().len() + dropped, written, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn closing_comes_to_an_end_with_the_store_down() {
    let logs = Logs {
        always_down: true,
        ..Logs::default()
    };
    let Setup { logs, writer } = setup(logs, LogWriterOptions::default());
    for number in 0..1000 {
        writer.write(entry(number));
    }
    let before = TokioTimer.now();
    writer.close().await;
    assert!(TokioTimer.now() - before < Duration::from_secs(5));
    assert_eq!((logs.tries(), writer.dropped()), (5, 1000));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_when_nobody_can_write_any_more() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    writer.write(entry(0));
    drop(writer);
    TokioTimer.sleep(Duration::from_secs(1)).await;
    assert_eq!(logs.entries().len(), 1);
    assert_eq!(
        Arc::strong_count(&logs),
        1,
        "the task holds the store no more"
    );
}

mod warnings {
    use std::io;

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_one_in_a_while_and_not_one_per_entry() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(lines.clone())
            .with_ansi(false)
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let warnings = || {
            let bytes = lines.0.lock().unwrap().clone();
            String::from_utf8(bytes)
                .unwrap()
                .matches("entries are lost")
                .count()
        };
        let Setup { writer, .. } = setup(Logs::default(), LogWriterOptions::default());
        writer.close().await;
        for second in 0..150 {
            // Other tests of this process come by the same warning, with nobody who listens.
            tracing::callsite::rebuild_interest_cache();
            writer.write(entry(second));
            TokioTimer.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!((writer.dropped(), warnings()), (150, 3));
    }
}

/// Credentials that cannot be had.
struct NoToken(AuthErrorKind);

impl Authenticate for NoToken {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        Err(AuthError::new(self.0))
    }
}

/// The name of a result, and whether a wait came with it.
fn name(result: &CallResult) -> (&'static str, Option<u64>) {
    match result {
        CallResult::Works => ("works", None),
        CallResult::AuthRefused { .. } => ("refused", None),
        CallResult::Failed { retry_after, .. } => {
            ("failed", retry_after.map(|wait| wait.as_secs()))
        }
        CallResult::RateLimited { retry_after } => {
            ("limited", retry_after.map(|wait| wait.as_secs()))
        }
        CallResult::SaysNothing => ("nothing", None),
        _ => ("?", None),
    }
}

#[rstest]
#[case(Reply::status(200).json("done"), ("works", None))]
#[case(Reply::status(400), ("works", None))]
#[case(Reply::status(401), ("refused", None))]
#[case(Reply::status(402), ("works", None))]
#[case(Reply::status(403), ("works", None))]
#[case(Reply::status(404), ("works", None))]
#[case(Reply::status(409), ("works", None))]
#[case(Reply::status(422), ("works", None))]
#[case(Reply::status(408), ("failed", None))]
#[case(Reply::status(429), ("limited", None))]
#[case(Reply::status(429).header("retry-after", "600"), ("limited", Some(600)))]
#[case(Reply::status(500), ("failed", None))]
#[case(Reply::status(503).header("retry-after", "600"), ("failed", Some(600)))]
#[case(Reply::status(302), ("nothing", None))]
#[case(Reply::status(200).body("<html>"), ("nothing", None))]
#[case(Reply::truncated(200), ("nothing", None))]
#[case(Reply::connect_error(), ("failed", None))]
#[case(Reply::reset_after_sending(), ("failed", None))]
#[case(Reply::hang(), ("failed", None))]
#[tokio::test(start_paused = true)]
async fn what_a_call_says_about_the_connection(
    #[case] reply: Reply,
    #[case] expected: (&str, Option<u64>),
) {
    let Setup { writer, .. } = setup(Logs::default(), LogWriterOptions::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&heard);
    let observer = observer(&writer).on_result(move |result| notes.lock().unwrap().push(result));
    let fake = FakeTransport::handler(move |_| reply.clone());
    let client = client(&fake, observer);
    let result = create(&client).await;
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 1);
    assert_eq!(name(&heard[0]), expected);
    if let Err(error) = result {
        assert_eq!(status_signal(&error), heard[0]);
        if let CallResult::AuthRefused { message } | CallResult::Failed { message, .. } = &heard[0]
        {
            assert_eq!(*message, error.to_string());
        }
    }
}

#[rstest]
#[case(AuthErrorKind::ReauthorizationRequired, "refused")]
#[case(AuthErrorKind::Invalid, "refused")]
#[case(AuthErrorKind::Unavailable, "failed")]
#[tokio::test(start_paused = true)]
async fn what_a_missing_token_says(#[case] kind: AuthErrorKind, #[case] expected: &str) {
    let client = Client::builder("acme")
        .base_url("https://api.example.com")
        .transport(Arc::new(FakeTransport::new()))
        .auth(NoToken(kind))
        .build()
        .unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(name(&status_signal(&error)).0, expected);
}

/// A storage that an answer led to is neither the vendor's API nor the account, whether it gives or not.
#[rstest]
#[case(Reply::status(200).body("audio"))]
#[case(Reply::status(401))]
#[case(Reply::status(403))]
#[case(Reply::status(429).header("retry-after", "600"))]
#[case(Reply::status(503))]
#[case(Reply::connect_error())]
#[case(Reply::hang())]
#[tokio::test(start_paused = true)]
async fn a_download_says_nothing_about_the_connection(#[case] reply: Reply) {
    let Setup { writer, logs } = setup(Logs::default(), LogWriterOptions::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&heard);
    let observer = observer(&writer).on_result(move |result| notes.lock().unwrap().push(result));
    let fake = FakeTransport::handler(move |_| reply.clone());
    let client = client(&fake, observer);
    let mut audio = Vec::new();
    let url = "https://media.example.com/1.mp3";
    let result = client.download("media.get", url, &mut audio).await;
    if let Err(error) = result {
        assert_eq!(status_signal(&error), CallResult::SaysNothing);
    }
    assert_eq!(*heard.lock().unwrap(), [CallResult::SaysNothing]);
    settle().await;
    writer.close().await;
    assert_eq!(logs.entries().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_never_sent_says_nothing() {
    let Setup { writer, .. } = setup(Logs::default(), LogWriterOptions::default());
    let client = client(&FakeTransport::new(), observer(&writer));
    let error = client.request(&READ).fetch::<String>().await.unwrap_err();
    assert_eq!(status_signal(&error), CallResult::SaysNothing);
}

#[cfg(feature = "status")]
#[test]
fn a_result_becomes_an_event() {
    use integration_core::status::{CredentialsVersion, Event};

    let used = CredentialsVersion(2);
    let now = Clock::epoch();
    let event = |result: CallResult| result.into_event(used, now);
    assert_eq!(
        event(CallResult::Works),
        Some(Event::CallSucceeded { used })
    );
    assert_eq!(event(CallResult::SaysNothing), None);
    let limited = |retry_after| event(CallResult::RateLimited { retry_after });
    assert_eq!(
        limited(Some(Duration::from_mins(1))),
        Some(Event::RateLimited {
            used,
            paused_until: Some(now + Duration::from_mins(1))
        })
    );
    assert_eq!(
        limited(Some(Duration::MAX)),
        Some(Event::RateLimited {
            used,
            paused_until: Some(DateTime::<Utc>::MAX_UTC)
        })
    );
    let message = "No answer.".to_owned();
    assert_eq!(
        event(CallResult::Failed {
            message: message.clone(),
            retry_after: None
        }),
        Some(Event::CallFailed {
            used,
            message: message.clone(),
            paused_until: None
        })
    );
    assert_eq!(
        event(CallResult::AuthRefused {
            message: message.clone()
        }),
        Some(Event::AuthRefused { used, message })
    );
}

#[tokio::test]
async fn related_reaches_calls_side_by_side_and_the_innermost_holds() {
    let Setup { logs, writer } = setup(Logs::default(), LogWriterOptions::default());
    let fake = FakeTransport::handler(|_| Reply::status(200).json("done"));
    let client = client(&fake, observer(&writer));
    let long = "x".repeat(500);
    log_context::related("contact", long, async {
        let inner = log_context::related("message", "m-1", read(&client));
        let (one, two) = tokio::join!(inner, create(&client));
        one.and(two).unwrap();
        tokio::spawn(read(&client)).await.unwrap().unwrap();
    })
    .await;
    writer.close().await;
    let ids: Vec<_> = logs
        .entries()
        .into_iter()
        .map(|entry| entry.related_id)
        .collect();
    assert_eq!(ids, [Some("m-1".to_owned()), Some("x".repeat(128)), None]);
}

#[tokio::test]
async fn a_sweep_deletes_a_thousand_at_a_time() {
    let logs = Logs::default();
    *logs.left_to_delete.lock().unwrap() = 2500;
    let month = Duration::from_hours(30 * 24);
    assert_eq!(
        sweep_logs(&logs, month, Clock::epoch()).await.unwrap(),
        2500
    );
    let expected = (Clock::epoch() - month, 1000);
    assert_eq!(*logs.deletions.lock().unwrap(), [expected; 3]);
    assert_eq!(
        sweep_logs(&logs, Duration::MAX, Clock::epoch())
            .await
            .unwrap(),
        0
    );
}
