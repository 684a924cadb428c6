//! Pace: buckets, cool-downs, lanes, as callers of a client meet them.

use std::time::Duration;

use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use connector_http::{
    Client, Delivery, Endpoint, ErrorKind, Hints, Lane, Method, Rate, RateClass, RateHints,
    RetryPolicy, SharedLimits,
};
use http::HeaderMap;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{SECOND, builder, client, create, facts, ok, read, script, settle};

const DEFAULT: RateClass = RateClass::DEFAULT;

fn one_a_second(fake: &FakeTransport) -> connector_http::ClientBuilder {
    builder(fake).rate(DEFAULT, Rate::per_second(1).burst(1))
}

fn seconds_of(fake: &FakeTransport) -> Vec<f64> {
    let requests = fake.requests();
    let first = requests[0].at;
    let times = requests.iter().map(|request| request.at - first);
    times.map(|time| time.as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_are_paced() {
    let fake = FakeTransport::handler(|_| ok());
    let client = one_a_second(&fake).build().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        calls.spawn(read(&client));
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
    assert_eq!(seconds_of(&fake), [0.0, 1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn a_class_has_its_own_pace() {
    const HEAVY: Endpoint =
        Endpoint::new("things.heavy", Method::Get, "/heavy").rate_class(RateClass::new("heavy"));
    let fake = FakeTransport::handler(|_| ok());
    let client = one_a_second(&fake).build().unwrap();
    for _ in 0..3 {
        client.request(&HEAVY).discard().await.unwrap();
    }
    read(&client).await.unwrap();
    assert_eq!(seconds_of(&fake), [0.0; 4]);
}

#[tokio::test(start_paused = true)]
async fn two_clients_of_one_account_share_its_pace() {
    let limits = SharedLimits::new();
    let fake = FakeTransport::handler(|_| ok());
    let on = |account: Option<&str>| -> Client {
        let builder = one_a_second(&fake).limits(limits.clone());
        match account {
            Some(account) => builder.account(account).build().unwrap(),
            None => builder.build().unwrap(),
        }
    };
    for client in [on(Some("a")), on(Some("a")), on(Some("b"))] {
        read(&client).await.unwrap();
    }
    assert_eq!(seconds_of(&fake), [0.0, 1.0, 1.0]);
    // Without a name all of one vendor on these limits are one account.
    let start = Instant::now();
    for client in [on(None), on(None)] {
        read(&client).await.unwrap();
    }
    assert_eq!(start.elapsed(), SECOND);
    // Without shared limits a client is its own account.
    let start = Instant::now();
    for _ in 0..3 {
        read(&one_a_second(&fake).build().unwrap()).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn one_429_makes_every_caller_wait() {
    let fake = script([Reply::status(429).header("retry-after", "5")]);
    for _ in 0..9 {
        fake.push(ok());
    }
    let client = client(&fake);
    let unlucky = tokio::spawn(create(&client));
    settle().await;
    let mut others = JoinSet::new();
    for _ in 0..5 {
        others.spawn(read(&client));
    }
    for result in others.join_all().await {
        result.unwrap();
    }
    unlucky.await.unwrap().unwrap();
    let times = seconds_of(&fake);
    assert!(times[1..].iter().all(|time| *time >= 5.0), "{times:?}");
    assert!(times[1..].iter().all(|time| *time <= 5.6), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_without_a_time_pauses_everybody_for_the_back_off() {
    let fake = script([Reply::status(429), ok(), ok()]);
    let client = client(&fake);
    let unlucky = tokio::spawn(create(&client));
    settle().await;
    read(&client).await.unwrap();
    unlucky.await.unwrap().unwrap();
    let times = seconds_of(&fake);
    assert!(times[1..].iter().all(|time| *time >= 0.25), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_window_pauses_the_next_caller() {
    let last = ok()
        .header("ratelimit", r#""per-second"; r=0; t=3"#)
        .header("ratelimit-policy", r#""per-second"; q=10; w=1"#);
    let fake = script([last, ok()]);
    let client = client(&fake);
    read(&client).await.unwrap();
    read(&client).await.unwrap();
    assert_eq!(seconds_of(&fake), [0.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_hours_fails_every_caller_at_once() {
    let fake = script([Reply::status(429).header("retry-after", "7200"), ok()]);
    let client = client(&fake);
    let start = Instant::now();
    create(&client).await.unwrap_err();
    let error = create(&client).await.unwrap_err();
    let expected = (ErrorKind::RateLimited, Delivery::NotSent, true, 0);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.retry_after(), Some(SECOND * 7200));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_too_long_fails_at_once() {
    let fake = FakeTransport::handler(|_| ok());
    let client = one_a_second(&fake)
        .max_queue_wait(SECOND * 3)
        .build()
        .unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..6 {
        calls.spawn(read(&client));
    }
    let results = calls.join_all().await;
    let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    // The first goes at once, two more within three seconds.
    assert_eq!(refused.len(), 3);
    for error in &refused {
        let expected = (ErrorKind::RateLimited, Delivery::NotSent, true, 0);
        assert_eq!(facts(error), expected);
        assert!(error.retry_after() >= Some(SECOND * 3));
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_in_the_queue_shortens_the_attempt() {
    let fake = FakeTransport::handler(|_| ok());
    let rate = Rate::per(1, SECOND * 50).burst(1);
    let client = builder(&fake).rate(DEFAULT, rate).build().unwrap();
    read(&client).await.unwrap();
    read(&client).await.unwrap();
    let timeouts: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.timeout)
        .collect();
    // Fifteen seconds each, but the second has only ten of its sixty left.
    assert_eq!(timeouts, [SECOND * 15, SECOND * 10]);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_only_tells_its_window_is_understood() {
    let window = r#""per-minute"; r=0; t=90"#;
    let fake = script([Reply::status(429).header("ratelimit", window), ok()]);
    let error = create(&client(&fake)).await.unwrap_err();
    let expected = (ErrorKind::RateLimited, Delivery::Rejected, true, 1);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.retry_after(), Some(SECOND * 90));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_finds_the_queue_too_long_gives_the_failure_before_it() {
    let fake = script([
        Reply::status(503),
        Reply::status(429).header("retry-after", "600"),
    ]);
    let policy = RetryPolicy::new().base(SECOND);
    let client = builder(&fake).retry(policy).build().unwrap();
    let failing = tokio::spawn(read(&client));
    settle().await;
    create(&client).await.unwrap_err();
    let error = failing.await.unwrap().unwrap_err();
    let expected = (ErrorKind::Server, Delivery::Unknown, true, 1);
    assert_eq!(facts(&error), expected);
    assert!(error.retry_after() > Some(SECOND * 590), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn interactive_calls_overtake_bulk_ones() {
    let fake = FakeTransport::handler(|_| ok());
    let client = one_a_second(&fake).build().unwrap();
    read(&client).await.unwrap();
    let mut calls = JoinSet::new();
    for id in ["bulk-1", "bulk-2"] {
        let call = client.raw(Method::Get, "/{id}").path("id", id);
        calls.spawn(call.discard().lane(Lane::Bulk));
        settle().await;
    }
    for id in ["now-1", "now-2"] {
        calls.spawn(client.raw(Method::Get, "/{id}").path("id", id).discard());
        settle().await;
    }
    calls.join_all().await;
    let requests = fake.requests();
    let paths: Vec<_> = requests.iter().map(RecordedRequest::path).collect();
    assert_eq!(paths[1..], ["/now-1", "/now-2", "/bulk-1", "/bulk-2"]);
}

/// A vendor with headers of its own.
struct Groups;

impl RateHints for Groups {
    fn hints(&self, _: u16, headers: &HeaderMap) -> Hints {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        match (number("x-limit-left"), number("x-limit-window")) {
            (Some(left), Some(window)) => Hints::new().remaining(left, SECOND * 1).quota(
                number("x-limit").unwrap_or_default(),
                Duration::from_secs(window),
            ),
            _ => Hints::new(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendors_own_headers_count_too() {
    let told = |left: &str| {
        ok().header("x-limit", "2")
            .header("x-limit-left", left)
            .header("x-limit-window", "10")
    };
    let fake = script([told("1"), told("1"), told("1")]);
    let client = builder(&fake)
        .rate(DEFAULT, Rate::per_second(10))
        .rate_hints(Groups)
        .build()
        .unwrap();
    for _ in 0..3 {
        read(&client).await.unwrap();
    }
    assert_eq!(seconds_of(&fake), [0.0, 5.0, 10.0]);
}

#[tokio::test(start_paused = true)]
async fn the_credentials_are_as_fresh_as_the_permit() {
    // The wait for a permit comes before the token is asked for: what is sent was valid when it was sent.
    use std::sync::Arc;
    use std::sync::Mutex;
    #[derive(Clone, Default)]
    struct Asked(Arc<Mutex<Vec<Instant>>>);
    impl connector_http::Authenticate for Asked {
        async fn headers(&self) -> Result<connector_http::AuthHeaders, connector_http::AuthError> {
            self.0.lock().unwrap().push(Instant::now());
            Ok(connector_http::AuthHeaders::default())
        }
    }
    let fake = FakeTransport::handler(|_| ok());
    let asked = Asked::default();
    let client = one_a_second(&fake).auth(asked.clone()).build().unwrap();
    read(&client).await.unwrap();
    read(&client).await.unwrap();
    let sent: Vec<_> = fake.requests().iter().map(|request| request.at).collect();
    assert_eq!(*asked.0.lock().unwrap(), sent);
}
