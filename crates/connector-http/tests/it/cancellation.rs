//! Dropping a call at any of its awaits leaves limits, lanes, quota and observers right.

use std::sync::Arc;
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    AttemptGate, AttemptInfo, AuthError, AuthHeaders, Authenticate, Rate, RateClass, Refusal,
    RetryPolicy, Timer as _, TokioTimer,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::support::{Diary, SECOND, builder, create, ok, read, script, settle};

#[tokio::test(start_paused = true)]
async fn in_the_queue_it_leaves_its_place_to_the_next() {
    let fake = FakeTransport::handler(|_| ok());
    let rate = Rate::per_second(1).burst(1);
    let client = builder(&fake)
        .rate(RateClass::DEFAULT, rate)
        .build()
        .unwrap();
    read(&client).await.unwrap();
    let start = Instant::now();
    let mut queue = Vec::new();
    for _ in 0..5 {
        queue.push(tokio::spawn(read(&client)));
        settle().await;
    }
    // The head, one in the middle, and the last one give up.
    for place in [4, 2, 0] {
        queue.remove(place).abort();
    }
    for call in queue {
        call.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), SECOND * 2);
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn while_waiting_for_a_retry_it_gives_the_price_back() {
    let fake = FakeTransport::handler(|_| Reply::status(503).header("retry-after", "10"));
    let client = builder(&fake).build().unwrap();
    for _ in 0..100 {
        // Dropped in the wait after the first failure: 100 retries were decided and none was made.
        let dropped = timeout(SECOND, read(&client)).await;
        assert!(dropped.is_err());
    }
    let policy_attempts = RetryPolicy::new().max_attempts;
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.attempts(), policy_attempts, "the purse is full");
}

#[tokio::test(start_paused = true)]
async fn in_the_queue_before_a_retry_it_gives_the_price_back() {
    let fake = FakeTransport::handler(|_| Reply::status(500));
    let rate = Rate::per(1, SECOND * 10).burst(1);
    let client = builder(&fake)
        .rate(RateClass::DEFAULT, rate)
        .build()
        .unwrap();
    for _ in 0..50 {
        let dropped = timeout(SECOND * 9, read(&client)).await;
        assert!(dropped.is_err());
        tokio::time::advance(SECOND * 10).await;
    }
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.attempts(), 4, "the purse is full");
}

#[tokio::test(start_paused = true)]
async fn in_the_middle_of_a_request_the_observer_hears_of_it() {
    let fake = script([Reply::hang(), ok()]);
    let diary = Arc::new(Diary::default());
    let client = builder(&fake).observer(diary.clone()).build().unwrap();
    assert!(timeout(SECOND, create(&client)).await.is_err());
    assert_eq!(
        diary.lines(),
        ["attempt 1 of acme things.create: None None in 1s: Cancelled"]
    );
    create(&client).await.unwrap();
}

struct Slow;

#[async_trait::async_trait]
impl AttemptGate for Slow {
    async fn admit(&self, _: &AttemptInfo<'_>) -> Result<(), Refusal> {
        TokioTimer.sleep(SECOND * 5).await;
        Ok(())
    }
}

impl Authenticate for Slow {
    async fn headers(&self) -> Result<AuthHeaders, AuthError> {
        TokioTimer.sleep(SECOND * 5).await;
        Ok(AuthHeaders::default())
    }
}

#[tokio::test(start_paused = true)]
async fn wherever_it_is_dropped_the_next_call_goes_through() {
    // Gate, credentials, first request, back-off, gate, credentials, second request: 5 + 5 + 3 + 2 + 5 + 5 + 3 s.
    let replies = || {
        let slow_failure = Reply::status(503)
            .header("retry-after", "2")
            .delay(SECOND * 3);
        script([slow_failure, ok().delay(SECOND * 3)])
    };
    for second in 0..28 {
        let fake = replies();
        let limits = connector_http::SharedLimits::new();
        let client = builder(&fake)
            .limits(limits.clone())
            .rate(RateClass::DEFAULT, Rate::per_second(100).burst(1))
            .gate(Arc::new(Slow))
            .auth(Slow)
            .build()
            .unwrap();
        let dropped = timeout(Duration::from_millis(second * 1000 + 500), read(&client)).await;
        assert!(dropped.is_err(), "second {second}");
        drop(client);
        // Another client of the same account finds the line empty.
        let fake = FakeTransport::handler(|_| ok());
        let next = builder(&fake)
            .limits(limits)
            .rate(RateClass::DEFAULT, Rate::per_second(100).burst(1))
            .build()
            .unwrap();
        let mut calls = JoinSet::new();
        let start = Instant::now();
        for _ in 0..3 {
            calls.spawn(read(&next));
        }
        for result in calls.join_all().await {
            result.unwrap();
        }
        assert!(start.elapsed() <= Duration::from_millis(40));
    }
}
