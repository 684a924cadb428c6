//! What an error says: kind, delivery, code, shape of the body, and what a vendor's decoder adds.

use std::error::Error as _;
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    Delivery, ErrorDecoder, ErrorKind, FieldError, RetryPolicy, Throttle, VendorError,
};
use http::HeaderMap;
use rstest::rstest;
use serde_json::json;

use crate::support::{SECOND, builder, client, create, facts, ok, read, script};

#[rstest]
#[case(301, ErrorKind::Api, Delivery::Rejected)]
#[case(307, ErrorKind::Api, Delivery::Rejected)]
#[case(400, ErrorKind::Validation, Delivery::Rejected)]
#[case(401, ErrorKind::Auth, Delivery::Rejected)]
#[case(402, ErrorKind::Api, Delivery::Rejected)]
#[case(403, ErrorKind::Permission, Delivery::Rejected)]
#[case(404, ErrorKind::NotFound, Delivery::Rejected)]
#[case(405, ErrorKind::Api, Delivery::Rejected)]
#[case(408, ErrorKind::Timeout, Delivery::Unknown)]
#[case(409, ErrorKind::Conflict, Delivery::Rejected)]
#[case(410, ErrorKind::NotFound, Delivery::Rejected)]
#[case(412, ErrorKind::Conflict, Delivery::Rejected)]
#[case(413, ErrorKind::Api, Delivery::Rejected)]
#[case(422, ErrorKind::Validation, Delivery::Rejected)]
#[case(429, ErrorKind::RateLimited, Delivery::Rejected)]
#[case(500, ErrorKind::Server, Delivery::Unknown)]
#[case(501, ErrorKind::Server, Delivery::Unknown)]
#[case(503, ErrorKind::Server, Delivery::Unknown)]
#[case(522, ErrorKind::Server, Delivery::Unknown)]
#[tokio::test(start_paused = true)]
async fn a_status_is_judged_before_its_body(
    #[case] status: u16,
    #[case] kind: ErrorKind,
    #[case] delivery: Delivery,
) {
    for reply in [
        Reply::status(status),
        Reply::status(status).json(&json!({ "data": [] })),
        Reply::status(status).body("<html>canary</html>"),
        Reply::status(status).body(vec![0xff, 0x00]),
        Reply::truncated(status),
    ] {
        let fake = script([reply.header("x-request-id", "req-1")]);
        let error = create(&client(&fake)).no_retry().await.unwrap_err();
        let said = (error.kind(), error.delivery(), error.status());
        assert_eq!(said, (kind, delivery, Some(status)));
        assert_eq!(error.request_id(), Some("req-1"));
        assert_eq!(error.headers().unwrap()["x-request-id"], "req-1");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_one_line_and_its_body_a_shape() {
    let body = json!({ "message": "canary", "errors": [{ "path": "/canary" }] });
    let fake = script([Reply::status(404).json(&body).header("request-id", "r9")]);
    let error = read(&client(&fake)).await.unwrap_err();
    insta::assert_snapshot!(error, @"acme things.get: not found (status 404, request id r9)");
    assert_eq!(
        error.body_snippet(),
        Some(r#"{"errors":[{"path":<string>}],"message":<string>}"#)
    );
    insta::assert_snapshot!(format!("{error:?}"), @r#"Error { kind: NotFound, vendor: "acme", operation: "things.get", status: Some(404), code: None, request_id: Some("r9"), delivery: Rejected, retryable: false, retry_after: None, attempts: 1, source: None, .. }"#);
}

#[tokio::test(start_paused = true)]
async fn a_transport_failure_says_how_far_it_came() {
    let chain = async |reply| {
        let fake = script([reply]);
        let error = create(&client(&fake)).no_retry().await.unwrap_err();
        format!("{error}: {}", error.source().unwrap())
    };
    insta::assert_snapshot!(chain(Reply::connect_error()).await, @"acme things.create: no connection (not sent): no connection could be made");
    insta::assert_snapshot!(chain(Reply::hang()).await, @"acme things.create: timed out (outcome unknown): the time was up before the answer arrived");
    insta::assert_snapshot!(chain(Reply::hang_connecting()).await, @"acme things.create: timed out (not sent): the time was up before anything was sent");
    insta::assert_snapshot!(chain(Reply::reset_after_sending()).await, @"acme things.create: connection lost (outcome unknown): the connection broke before the answer arrived");
    insta::assert_snapshot!(chain(Reply::truncated(200)).await, @"acme things.create: unreadable answer (status 200, carried out): the answer broke off");
}

#[rstest]
#[case("", "the json ends too early, line 1 column 0")]
#[case("<html>canary</html>", "not valid json, line 1 column 1")]
#[case(
    r#"{"canary":1}"#,
    "the json has another shape than expected, line 1 column 0"
)]
#[case(r#""canary"#, "the json ends too early, line 1 column 7")]
#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_happened_all_the_same(
    #[case] body: &'static str,
    #[case] fault: &str,
) {
    for call in [create, read] {
        let fake = script([Reply::status(201).body(body), ok()]);
        let error = call(&client(&fake)).await.unwrap_err();
        let expected = (ErrorKind::Decode, Delivery::Succeeded, false, 1);
        assert_eq!(facts(&error), expected);
        assert_eq!(error.status(), Some(201));
        assert_eq!(error.source().unwrap().to_string(), fault);
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_cap_is_not_read_and_not_asked_for_again() {
    let fake = script([Reply::status(200).body(vec![b' '; 1025])]);
    let client = builder(&fake).max_body(1024).build().unwrap();
    let error = read(&client).await.unwrap_err();
    let expected = (ErrorKind::Decode, Delivery::Succeeded, false, 1);
    assert_eq!(facts(&error), expected);
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the answer is longer than the cap for bodies");
    // An error's body over the cap leaves its status.
    let fake = script([Reply::status(404).body(vec![b' '; 1025])]);
    let client = builder(&fake).max_body(1024).build().unwrap();
    assert_eq!(read(&client).await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// A vendor that says in its body what it means.
struct Acme;

impl ErrorDecoder for Acme {
    fn decode(&self, status: u16, _: &HeaderMap, body: &[u8]) -> Option<VendorError> {
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        let said = body.get("error")?;
        let error = VendorError::new()
            .code(said["code"].as_str().unwrap_or_default())
            .message(said["message"].as_str().unwrap_or_default())
            .request_id("from-the-body")
            .field_errors(vec![FieldError::new("email", "canary is taken")]);
        let error = match said["code"].as_str() {
            Some("month_spent") => error.throttle(Throttle::Stop),
            Some("slow_down") => error.throttle(Throttle::Backoff).retry_after(SECOND * 3),
            Some("created_anyway") => error.delivery(Delivery::Succeeded),
            Some("maybe") => error
                .throttle(Throttle::Backoff)
                .delivery(Delivery::Unknown),
            Some("duplicate") => error.kind(ErrorKind::Conflict),
            _ => error,
        };
        (status >= 200).then_some(error)
    }
}

fn says(status: u16, code: &str) -> Reply {
    Reply::status(status).json(&json!({ "error": { "code": code, "message": "canary" } }))
}

#[rstest]
#[case(says(400, "plain"), ErrorKind::Validation, Delivery::Rejected, false)]
#[case(says(400, "duplicate"), ErrorKind::Conflict, Delivery::Rejected, false)]
#[case(
    says(429, "month_spent"),
    ErrorKind::QuotaSpent,
    Delivery::Rejected,
    false
)]
#[case(
    says(422, "created_anyway"),
    ErrorKind::Validation,
    Delivery::Succeeded,
    false
)]
#[case(says(429, "maybe"), ErrorKind::RateLimited, Delivery::Unknown, false)]
#[case(
    says(429, "created_anyway"),
    ErrorKind::RateLimited,
    Delivery::Succeeded,
    false
)]
// A success that says it failed.
#[case(says(200, "plain"), ErrorKind::Api, Delivery::Rejected, false)]
#[case(says(200, "duplicate"), ErrorKind::Conflict, Delivery::Rejected, false)]
#[tokio::test(start_paused = true)]
async fn a_decoder_adds_what_the_vendor_means(
    #[case] reply: Reply,
    #[case] kind: ErrorKind,
    #[case] delivery: Delivery,
    #[case] retryable: bool,
) {
    let fake = script([reply, ok()]);
    let client = builder(&fake).error_decoder(Acme).build().unwrap();
    let error = create(&client).await.unwrap_err();
    assert_eq!(facts(&error), (kind, delivery, retryable, 1));
    assert_eq!(error.message(), Some("canary"));
    assert_eq!(error.request_id(), Some("from-the-body"));
    assert_eq!(error.field_errors()[0].path, "email");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[rstest]
#[case(403)]
#[case(200)]
#[tokio::test(start_paused = true)]
async fn a_refusal_for_pace_is_one_whatever_its_status(#[case] status: u16) {
    let fake = script([says(status, "slow_down"), ok()]);
    let client = builder(&fake).error_decoder(Acme).build().unwrap();
    create(&client).await.unwrap();
    let requests = fake.requests();
    let wait = requests[1].at - requests[0].at;
    assert!(wait >= SECOND * 3 && wait <= SECOND * 4, "{wait:?}");

    let fake = FakeTransport::handler(move |_| says(status, "slow_down"));
    let policy = RetryPolicy::new().max_attempts(1);
    let client = builder(&fake).error_decoder(Acme).retry(policy);
    let error = create(&client.build().unwrap()).await.unwrap_err();
    let expected = (ErrorKind::RateLimited, Delivery::Rejected, true, 1);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
}

#[tokio::test(start_paused = true)]
async fn a_request_id_comes_from_the_headers_the_vendor_uses() {
    let reply = Reply::status(404)
        .header("x-acme-trace", "t2")
        .header("x-request-id", "other");
    let fake = script([reply]);
    let client = builder(&fake).request_id_headers(&["x-acme-id", "x-acme-trace"]);
    let error = read(&client.build().unwrap()).await.unwrap_err();
    assert_eq!(error.request_id(), Some("t2"));
}
