//! Retry sequences: what is sent again, after how long, and what the last error says.

use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Client, Delivery, Endpoint, ErrorKind, Method, RetryPolicy};
use rstest::rstest;
use tokio::time::Instant;

use crate::support::{CREATE, READ, SECOND, builder, client, create, facts, ok, pay, read, script};

#[rstest]
#[case(Reply::connect_error())]
#[case(Reply::reset_before_sending())]
#[case(Reply::hang_connecting())]
#[case(Reply::status(429))]
#[case(Reply::status(429).header("retry-after", "1"))]
#[tokio::test(start_paused = true)]
async fn what_was_not_done_is_sent_again_whatever_it_is(#[case] first: Reply) {
    for call in [read, pay, create] {
        let fake = script([first.clone(), ok()]);
        assert_eq!(call(&client(&fake)).await.unwrap(), "done");
        assert_eq!(fake.requests().len(), 2);
    }
}

#[rstest]
#[case(Reply::reset_after_sending(), ErrorKind::Connect)]
#[case(Reply::hang(), ErrorKind::Timeout)]
#[case(Reply::status(408), ErrorKind::Timeout)]
#[case(Reply::status(500), ErrorKind::Server)]
#[case(Reply::status(502).body("<html>Bad Gateway</html>"), ErrorKind::Server)]
#[case(Reply::status(503).header("retry-after", "1"), ErrorKind::Server)]
#[case(Reply::status(504), ErrorKind::Server)]
#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_sent_again_only_if_twice_is_once(
    #[case] first: Reply,
    #[case] kind: ErrorKind,
) {
    for call in [read, pay] {
        let fake = script([first.clone(), ok()]);
        assert_eq!(call(&client(&fake)).await.unwrap(), "done");
    }
    let fake = script([first, ok()]);
    let error = create(&client(&fake)).await.unwrap_err();
    assert_eq!(facts(&error), (kind, Delivery::Unknown, false, 1));
    assert_eq!(fake.unused(), 1);
}

#[rstest]
#[case(Reply::truncated(200), ErrorKind::Decode)]
#[case(Reply::slow_body(201), ErrorKind::Timeout)]
#[tokio::test(start_paused = true)]
async fn a_success_that_broke_off_is_never_created_again(
    #[case] first: Reply,
    #[case] kind: ErrorKind,
) {
    let fake = script([first.clone(), ok()]);
    assert_eq!(read(&client(&fake)).await.unwrap(), "done");
    let fake = script([first, ok()]);
    let error = create(&client(&fake)).await.unwrap_err();
    assert_eq!(facts(&error), (kind, Delivery::Succeeded, false, 1));
}

#[tokio::test(start_paused = true)]
async fn a_documented_refusal_with_503_is_sent_again() {
    const REFUSING: Endpoint =
        Endpoint::new("things.create", Method::Post, "/v1/things").refuses_with_503();
    let create = |client: &Client| client.request(&REFUSING).json(&1).fetch::<String>();

    let fake = script([Reply::status(503).header("retry-after", "2"), ok()]);
    assert_eq!(create(&client(&fake)).await.unwrap(), "done");
    // Without the header it is like any other 503.
    let fake = script([Reply::status(503), ok()]);
    let error = create(&client(&fake)).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    // And refused to the end, it was refused.
    let fake = FakeTransport::handler(|_| Reply::status(503).header("retry-after", "2"));
    let error = create(&client(&fake)).await.unwrap_err();
    let expected = (ErrorKind::Server, Delivery::Rejected, true, 4);
    assert_eq!(facts(&error), expected);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_after_four_attempts_with_the_last_error() {
    let fake = FakeTransport::handler(|_| Reply::status(500));
    let error = read(&client(&fake)).await.unwrap_err();
    let expected = (ErrorKind::Server, Delivery::Unknown, true, 4);
    assert_eq!(facts(&error), expected);
    assert_eq!(fake.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_back_off_stays_below_its_doubling_ceiling() {
    let policy = RetryPolicy::new().max_attempts(8);
    for _ in 0..50 {
        let fake = FakeTransport::handler(|_| Reply::status(500));
        let client = builder(&fake).retry(policy).build().unwrap();
        read(&client).await.unwrap_err();
        let times: Vec<Instant> = fake.requests().iter().map(|request| request.at).collect();
        assert_eq!(times.len(), 8);
        for (failure, pair) in times.windows(2).enumerate() {
            let ceiling = Duration::from_millis(250 << failure).min(SECOND * 20);
            // The timer of the runtime counts whole milliseconds.
            let wait = pair[1] - pair[0];
            assert!(
                wait <= ceiling + Duration::from_millis(1),
                "{failure}: {wait:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_vendors_wait_is_kept_with_up_to_a_tenth_more() {
    let mut waits = Vec::new();
    for _ in 0..20 {
        let fake = script([Reply::status(429).header("retry-after", "10"), ok()]);
        create(&client(&fake)).await.unwrap();
        let requests = fake.requests();
        waits.push(requests[1].at - requests[0].at);
    }
    assert!(waits.iter().all(|wait| *wait >= SECOND * 10), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= SECOND * 11), "{waits:?}");
    waits.dedup();
    assert!(waits.len() > 1, "no jitter: {waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_date_to_wait_for_counts_from_the_answers_own_date() {
    let fake = script([
        Reply::status(429)
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT"),
        ok(),
    ]);
    create(&client(&fake)).await.unwrap();
    let requests = fake.requests();
    let wait = requests[1].at - requests[0].at;
    assert!(wait >= SECOND * 20 && wait <= SECOND * 22, "{wait:?}");
}

#[rstest]
#[case("61", 61)]
#[case("99999999999999999999", 31 * 86_400)]
#[tokio::test(start_paused = true)]
async fn a_wait_too_long_ends_the_call_at_once(#[case] asked: &str, #[case] seconds: u64) {
    let fake = script([Reply::status(429).header("retry-after", asked), ok()]);
    let start = Instant::now();
    let error = create(&client(&fake)).await.unwrap_err();
    let expected = (ErrorKind::RateLimited, Delivery::Rejected, true, 1);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_past_the_deadline_ends_the_call_at_once() {
    let fake = script([Reply::status(503).header("retry-after", "30"), ok()]);
    let start = Instant::now();
    let call = read(&client(&fake)).deadline(SECOND * 30);
    let error = call.await.unwrap_err();
    assert_eq!(error.retry_after(), Some(SECOND * 30));
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_folded_into_the_last_attempt() {
    let fake = FakeTransport::handler(|_| Reply::hang());
    let start = Instant::now();
    let call = read(&client(&fake)).deadline(SECOND * 20);
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Unknown);
    let requests = fake.requests();
    assert_eq!(requests[0].timeout, SECOND * 15);
    assert!(requests[1].timeout < SECOND * 5 + Duration::from_millis(1));
    assert!(start.elapsed() <= SECOND * 20 + Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_have_its_own_timeout() {
    let fake = FakeTransport::handler(|_| Reply::hang());
    let start = Instant::now();
    let call = create(&client(&fake)).timeout(SECOND * 2);
    let error = call.await.unwrap_err();
    let expected = (ErrorKind::Timeout, Delivery::Unknown, false, 1);
    assert_eq!(facts(&error), expected);
    assert_eq!(start.elapsed(), SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_counts_from_the_first_poll() {
    let fake = script([ok().delay(SECOND * 2)]);
    let call = read(&client(&fake)).deadline(SECOND * 3);
    tokio::time::advance(SECOND * 100).await;
    assert_eq!(call.await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_nothing_sends_nothing() {
    let fake = script([ok()]);
    let call = read(&client(&fake)).deadline(Duration::ZERO);
    let error = call.await.unwrap_err();
    let expected = (ErrorKind::Timeout, Delivery::NotSent, true, 0);
    assert_eq!(facts(&error), expected);
}

#[tokio::test(start_paused = true)]
async fn no_retry_means_one_request() {
    for reply in [
        Reply::status(500),
        Reply::status(429),
        Reply::connect_error(),
    ] {
        let fake = script([reply, ok()]);
        let call = read(&client(&fake)).no_retry();
        let error = call.await.unwrap_err();
        assert!(error.is_retryable(), "the caller may: {error}");
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_worst_of_all_attempts_is_what_the_error_says() {
    // Sent and lost, then nothing sent: it may have been done.
    let fake = script([
        Reply::hang(),
        Reply::connect_error(),
        Reply::connect_error(),
        Reply::connect_error(),
    ]);
    let error = read(&client(&fake)).await.unwrap_err();
    let expected = (ErrorKind::Connect, Delivery::Unknown, true, 4);
    assert_eq!(facts(&error), expected);
    // Lost, then refused.
    let fake = script([Reply::status(502), Reply::status(404)]);
    let error = read(&client(&fake)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.delivery(), Delivery::Unknown);
    // Refused, then nothing sent.
    let fake = script([Reply::status(429), Reply::connect_error()]);
    let policy = RetryPolicy::new().max_attempts(2);
    let client = builder(&fake).retry(policy).build().unwrap();
    let error = create(&client).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Rejected);
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_the_quota_ends_the_retries() {
    let fake = FakeTransport::handler(|_| Reply::status(500));
    let client = client(&fake);
    // 100 in the purse at 5 a retry are 20 retries: 6 calls of 3, one of 2, and then none.
    let mut attempts = Vec::new();
    for _ in 0..9 {
        attempts.push(read(&client).await.unwrap_err().attempts());
    }
    assert_eq!(attempts, [4, 4, 4, 4, 4, 4, 3, 1, 1]);
    // A clone is the same client, another client is not.
    assert_eq!(read(&client.clone()).await.unwrap_err().attempts(), 1);
    let other = builder(&fake).build().unwrap();
    assert_eq!(read(&other).await.unwrap_err().attempts(), 4);
}

#[tokio::test(start_paused = true)]
async fn successes_fill_the_purse_again() {
    let fake = FakeTransport::handler(|request| {
        if request.path().ends_with("/1") {
            Reply::status(500)
        } else {
            ok()
        }
    });
    let client = client(&fake);
    while read(&client).await.unwrap_err().attempts() > 1 {}
    for _ in 0..5 {
        let fine = client.request(&READ).path("id", "2").fetch::<String>();
        fine.await.unwrap();
    }
    assert_eq!(read(&client).await.unwrap_err().attempts(), 2);
    assert_eq!(read(&client).await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_idempotency_key_is_made_once_per_call() {
    let fake = script([Reply::status(500), Reply::hang(), ok(), ok()]);
    let client = client(&fake);
    pay(&client).await.unwrap();
    pay(&client).await.unwrap();
    let keys: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert!(keys[0] == keys[1] && keys[1] == keys[2], "{keys:?}");
    assert_ne!(keys[2], keys[3]);
    let form: Vec<_> = keys[0].split('-').map(str::len).collect();
    assert_eq!(form, [8, 4, 4, 4, 12]);
    assert!(keys[0].split('-').nth(2).unwrap().starts_with('4'));
}

#[tokio::test(start_paused = true)]
async fn a_chosen_key_is_used_and_asked_for_elsewhere_it_is_refused() {
    let fake = script([ok()]);
    let client = client(&fake);
    pay(&client).idempotency_key("order-7").await.unwrap();
    let request = fake.last_request().unwrap();
    assert_eq!(request.header("idempotency-key"), Some("order-7"));

    for call in [create, read] {
        let error = call(&client).idempotency_key("order-7").await.unwrap_err();
        let expected = (ErrorKind::Config, Delivery::NotSent, false, 0);
        assert_eq!(facts(&error), expected);
    }
    let error = pay(&client).idempotency_key("a\nb").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_are_sent_each_time() {
    let fake = script([Reply::status(429), Reply::status(429), ok()]);
    let client = client(&fake);
    let call = client.request(&CREATE).query("a", 1).json(&[1, 2]);
    call.fetch::<String>().await.unwrap();
    let requests = fake.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.body, "[1,2]");
        assert_eq!(
            request.url.as_str(),
            "https://api.example.com/v1/things?a=1"
        );
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}
