//! Gates and observers: who is asked, who is told, and what.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    AttemptGate, AttemptInfo, Delivery, Error, ErrorKind, Lane, Method, Refusal, Timer as _,
    TokioTimer,
};
use tokio::time::Instant;

use crate::support::{Diary, SECOND, builder, client, create, facts, ok, read, script};

/// Admits so many attempts and then says this.
struct Gate {
    left: AtomicU32,
    then: Refusal,
}

impl Gate {
    fn new(admitted: u32, then: Refusal) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicU32::new(admitted),
            then,
        })
    }
}

#[async_trait::async_trait]
impl AttemptGate for Gate {
    async fn admit(&self, attempt: &AttemptInfo<'_>) -> Result<(), Refusal> {
        assert_eq!((attempt.vendor, attempt.account), ("acme", Some("a7")));
        let take = |left: u32| left.checked_sub(1);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| self.then.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_quota_is_refused_before_anything_is_sent() {
    let fake = FakeTransport::handler(|_| ok());
    let gate = Gate::new(1, Refusal::quota_spent());
    let client = builder(&fake).account("a7").gate(gate).build().unwrap();
    create(&client).await.unwrap();
    let error = create(&client).await.unwrap_err();
    let expected = (ErrorKind::QuotaSpent, Delivery::NotSent, false, 0);
    assert_eq!(facts(&error), expected);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retries_pass_the_gate_too() {
    let fake = script([Reply::status(429), ok()]);
    let gate = Gate::new(1, Refusal::rate_limited(SECOND * 90));
    let client = builder(&fake).account("a7").gate(gate).build().unwrap();
    let error = create(&client).await.unwrap_err();
    // The first attempt was refused by the vendor, the second by the gate.
    let expected = (ErrorKind::RateLimited, Delivery::Rejected, true, 1);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.retry_after(), Some(SECOND * 90));
    assert_eq!(fake.unused(), 1);
}

struct Slow;

#[async_trait::async_trait]
impl AttemptGate for Slow {
    async fn admit(&self, _: &AttemptInfo<'_>) -> Result<(), Refusal> {
        TokioTimer.sleep(SECOND * 50).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_gate_shortens_the_attempt() {
    let fake = script([ok()]);
    let client = builder(&fake).gate(Arc::new(Slow)).build().unwrap();
    create(&client).await.unwrap();
    assert_eq!(fake.requests()[0].timeout, SECOND * 10);
}

struct Stuck;

#[async_trait::async_trait]
impl AttemptGate for Stuck {
    async fn admit(&self, _: &AttemptInfo<'_>) -> Result<(), Refusal> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_hangs_ends_with_the_deadline() {
    let fake = FakeTransport::new();
    let client = builder(&fake).gate(Arc::new(Stuck)).build().unwrap();
    let start = Instant::now();
    let error = create(&client).deadline(SECOND * 5).await.unwrap_err();
    let expected = (ErrorKind::Timeout, Delivery::NotSent, true, 0);
    assert_eq!(facts(&error), expected);
    assert_eq!(start.elapsed(), SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn an_observer_hears_every_attempt_and_the_end() {
    let fake = script([
        Reply::connect_error(),
        Reply::status(503)
            .header("retry-after", "1")
            .header("x-request-id", "r2")
            .delay(SECOND),
        ok().header("x-request-id", "r3").delay(SECOND * 2),
        Reply::status(404),
        Reply::status(200).body("canary"),
    ]);
    let diary = Arc::new(Diary::default());
    let client = builder(&fake).observer(diary.clone()).build().unwrap();
    read(&client).await.unwrap();
    read(&client).await.unwrap_err();
    read(&client).await.unwrap_err();
    client.raw(Method::Get, "x").discard().await.unwrap_err();

    let lines = diary.lines();
    let attempts: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("attempt"))
        .collect();
    assert_eq!(
        attempts,
        [
            "attempt 1 of acme things.get: None None in 0ns: Connect NotSent",
            "attempt 2 of acme things.get: Some(503) Some(\"r2\") in 1s: Server Unknown",
            "attempt 3 of acme things.get: Some(200) Some(\"r3\") in 2s: ok",
            "attempt 1 of acme things.get: Some(404) None in 0ns: NotFound Rejected",
            "attempt 1 of acme things.get: Some(200) None in 0ns: ok",
        ]
    );
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("call"))
        .collect();
    assert!(ends[0].starts_with("call acme things.get: 3 attempts, Some(200) Some(\"r3\"), in "));
    assert!(ends[0].ends_with(": None"));
    assert_eq!(
        ends[1..],
        [
            "call acme things.get: 1 attempts, Some(404) None, in 0ns: Some(NotFound)",
            "call acme things.get: 1 attempts, Some(200) None, in 0ns: Some(Decode)",
            "call acme raw: 0 attempts, None None, in 0ns: Some(Config)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn debug_texts_name_operations_and_keep_values() {
    let fake = script([ok()]);
    let client = client(&fake);
    let request = client
        .request(&crate::support::READ)
        .path("id", "canary")
        .query("q", "canary")
        .json("canary");
    let shown = format!("{request:?}");
    assert!(
        shown.contains("things.get") && !shown.contains("canary"),
        "{shown}"
    );
    let call = request.fetch::<String>();
    let shown = format!("{call:?}");
    assert!(
        shown.contains("things.get") && !shown.contains("canary"),
        "{shown}"
    );
    call.await.unwrap();
    let recorded = fake.last_request().unwrap();
    assert!(recorded.path().contains("canary"));
    let shown = format!("{recorded:?} {fake:?} {client:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

/// Admits everything and writes down what it is told.
#[derive(Default)]
struct Ledger(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl AttemptGate for Ledger {
    async fn admit(&self, attempt: &AttemptInfo<'_>) -> Result<(), Refusal> {
        let line = format!("{} {:?}", attempt.number, attempt.lane);
        self.0.lock().unwrap().push(line);
        Ok(())
    }

    async fn settle(&self, attempt: &AttemptInfo<'_>, failed: Option<&Error>) {
        let status = failed.map(Error::status);
        let line = format!("{} {status:?}", attempt.number);
        self.0.lock().unwrap().push(line);
    }

    async fn withdraw(&self, attempt: &AttemptInfo<'_>) {
        let line = format!("{} never made", attempt.number);
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_hears_of_an_attempt_that_was_admitted_and_never_made() {
    // After the 429, the permit comes too late for the call's deadline.
    let fake = script([Reply::status(429).header("retry-after", "30"), ok()]);
    let gate = Arc::new(Ledger::default());
    let client = builder(&fake).gate(gate.clone()).build().unwrap();
    read(&client).no_retry().await.unwrap_err();
    read(&client).deadline(SECOND).await.unwrap_err();
    let told = gate.0.lock().unwrap().clone();
    let expected = [
        "1 Interactive",
        "1 Some(Some(429))",
        "1 Interactive",
        "1 never made",
    ];
    assert_eq!(told, expected.map(str::to_owned));
    assert_eq!(fake.unused(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_used_is_no_matter_of_pace() {
    let fake = FakeTransport::new();
    for (refusal, retryable) in [
        (Refusal::unrecorded().retry_after(SECOND), true),
        (Refusal::unrecorded(), false),
    ] {
        let gate = Gate::new(0, refusal.because("the count at /x is gone"));
        let client = builder(&fake).account("a7").gate(gate).build().unwrap();
        let error = create(&client).await.unwrap_err();
        let expected = (ErrorKind::Store, Delivery::NotSent, retryable, 0);
        assert_eq!(facts(&error), expected);
        assert_eq!(
            error.to_string(),
            "acme things.create: own records cannot be used: the count at /x is gone (not sent)"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_knows_the_lane_and_what_became_of_each_attempt() {
    let fake = script([Reply::status(503), ok()]);
    let gate = Arc::new(Ledger::default());
    let client = builder(&fake).gate(gate.clone()).build().unwrap();
    let answer = read(&client).lane(Lane::Bulk).with_response();
    assert_eq!(answer.await.unwrap().attempts, 2);
    let told = gate.0.lock().unwrap().clone();
    assert_eq!(
        told,
        ["1 Bulk", "1 Some(Some(503))", "2 Bulk", "2 None"].map(str::to_owned)
    );
}

#[tokio::test(start_paused = true)]
async fn a_gate_says_why() {
    let fake = FakeTransport::new();
    let gate = Gate::new(0, Refusal::misconfigured().because("the record is gone"));
    let client = builder(&fake).account("a7").gate(gate).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the record is gone"), "{error}");
}
