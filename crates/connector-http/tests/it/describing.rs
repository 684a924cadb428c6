//! How a request is described: paths, queries, headers, bodies, and what is refused before anything is sent.

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Client, Delivery, Error, ErrorKind, FieldError, Method, Rate, RateClass};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST};
use http::{HeaderName, HeaderValue};
use rstest::rstest;
use serde::{Deserialize, Serialize, Serializer};

use crate::support::{CREATE, READ, builder, client, facts, ok, script};

const X_TRACE: HeaderName = HeaderName::from_static("x-trace");

#[rstest]
#[case("https://api.example.com", "https://api.example.com/v1/things/a%2Fb")]
#[case("https://api.example.com/", "https://api.example.com/v1/things/a%2Fb")]
#[case(
    "https://api.example.com/base",
    "https://api.example.com/base/v1/things/a%2Fb"
)]
#[case("http://127.0.0.1:4010/p/", "http://127.0.0.1:4010/p/v1/things/a%2Fb")]
#[tokio::test(start_paused = true)]
async fn a_path_is_put_behind_the_base_url(#[case] base: &str, #[case] expected: &str) {
    let fake = script([ok()]);
    let client = builder(&fake).base_url(base).build().unwrap();
    let call = client.request(&READ).path("id", "a/b");
    call.fetch::<String>().await.unwrap();
    assert_eq!(fake.last_request().unwrap().url.as_str(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_query_keeps_its_order_and_repeats_keys() {
    let fake = script([ok()]);
    let request = client(&fake)
        .request(&CREATE)
        .query("to", "+12025550143")
        .query("to", "a&b=c d")
        .query("max", 50)
        .query_opt("after", Some("ü"))
        .query_opt("before", None::<&str>);
    request.fetch::<String>().await.unwrap();
    let url = fake.last_request().unwrap().url;
    assert_eq!(
        url.query(),
        Some("to=%2B12025550143&to=a%26b%3Dc%20d&max=50&after=%C3%BC")
    );
}

#[tokio::test(start_paused = true)]
async fn headers_are_the_clients_the_requests_and_the_credentials() {
    let fake = script([ok(), ok()]);
    let client = builder(&fake)
        .user_agent("acme-client/1.2.3")
        .default_header(X_TRACE, "default")
        .default_header(HeaderName::from_static("x-version"), "2")
        .build()
        .unwrap();
    let call = client.request(&CREATE).header(X_TRACE, "mine").json(&1);
    call.fetch::<String>().await.unwrap();
    let request = fake.last_request().unwrap();
    let header = |name| request.header(name);
    assert_eq!(header("user-agent"), Some("acme-client/1.2.3"));
    assert_eq!(header("accept"), Some("application/json"));
    assert_eq!(header("x-trace"), Some("mine"));
    assert_eq!(header("x-version"), Some("2"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("authorization"), None);

    let plain = client.raw(Method::Post, "/form");
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let call = plain.body(form, "a=1").discard();
    call.await.unwrap();
    let request = fake.last_request().unwrap();
    assert_eq!(request.body, "a=1");
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
}

#[tokio::test(start_paused = true)]
async fn by_default_the_user_agent_names_this_crate() {
    let fake = script([ok()]);
    client(&fake).raw(Method::Get, "/").discard().await.unwrap();
    let request = fake.last_request().unwrap();
    let agent = request.header("user-agent").unwrap();
    assert_eq!(agent, concat!("connector-http/", env!("CARGO_PKG_VERSION")));
}

fn refused(error: &Error, reason: &str) {
    let expected = (ErrorKind::Config, Delivery::NotSent, false, 0);
    assert_eq!(facts(error), expected);
    assert_eq!(error.message(), Some(reason));
}

#[rstest]
#[case("", "a path parameter is empty")]
#[case(".", "a path parameter is a dot segment")]
#[case("..", "a path parameter is a dot segment")]
#[tokio::test(start_paused = true)]
async fn a_parameter_that_would_name_something_else_is_refused(
    #[case] id: &str,
    #[case] reason: &str,
) {
    let fake = script([ok()]);
    let call = client(&fake).request(&READ).path("id", id).discard();
    refused(&call.await.unwrap_err(), reason);
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_has_a_place_and_every_place_a_parameter() {
    let fake = FakeTransport::new();
    let client = client(&fake);
    let call = client.request(&READ).path("name", "1").discard();
    let reason = "a path parameter has no place in the path";
    refused(&call.await.unwrap_err(), reason);
    let call = client.request(&READ).discard();
    let reason = "a path parameter was not filled in";
    refused(&call.await.unwrap_err(), reason);
}

#[rstest]
#[case(AUTHORIZATION)]
#[case(HOST)]
#[case(CONTENT_LENGTH)]
#[case(CONTENT_TYPE)]
#[case(COOKIE)]
#[tokio::test(start_paused = true)]
async fn a_header_that_is_the_clients_own_is_refused(#[case] name: HeaderName) {
    let fake = FakeTransport::new();
    let call = client(&fake).request(&CREATE).header(name, "canary");
    let error = call.discard().await.unwrap_err();
    refused(&error, "a header that only the client may set");
}

#[tokio::test(start_paused = true)]
async fn a_header_cannot_smuggle_another() {
    let fake = FakeTransport::new();
    let call = client(&fake).request(&CREATE).header(X_TRACE, "a\r\nb: c");
    let error = call.discard().await.unwrap_err();
    refused(&error, "a header value contains a control character");
}

#[tokio::test(start_paused = true)]
async fn the_first_mistake_is_the_one_that_is_told() {
    let fake = FakeTransport::new();
    let own = Error::validation("acme", "things.get", vec![FieldError::new("id", "bad")]);
    let request = client(&fake).request(&READ).invalid(own).path("id", "");
    let error = request.discard().await.unwrap_err();
    let expected = (ErrorKind::Validation, Delivery::NotSent, false, 0);
    assert_eq!(facts(&error), expected);
    assert_eq!(error.field_errors(), [FieldError::new("id", "bad")]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_written_is_an_error_without_its_values() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("canary"))
        }
    }
    let fake = FakeTransport::new();
    let call = client(&fake).request(&CREATE).json(&Broken).discard();
    let error = call.await.unwrap_err();
    let expected = (ErrorKind::Encode, Delivery::NotSent, false, 0);
    assert_eq!(facts(&error), expected);
    assert!(!format!("{error} {error:?}").contains("canary"));
    insta::assert_snapshot!(error, @"acme things.create: request cannot be encoded: the body cannot be written as json");
}

#[rstest]
#[case("https://evil.example.com/x")]
#[case("//evil.example.com/x")]
#[case("/a/../b")]
#[case("/a?b=c")]
#[case("x")]
#[tokio::test(start_paused = true)]
async fn a_raw_request_goes_nowhere_else(#[case] path: &str) {
    let fake = FakeTransport::new();
    let call = client(&fake).raw(Method::Get, path).discard();
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_raw_get_is_repeated_and_a_raw_put_is_not() {
    for (method, attempts) in [
        (Method::Get, 2),
        (Method::Head, 2),
        (Method::Put, 1),
        (Method::Post, 1),
        (Method::Patch, 1),
        (Method::Delete, 1),
    ] {
        let fake = script([Reply::status(500), ok()]);
        let call = client(&fake).raw(method, "/v1/x/{id}").path("id", "7");
        let result = call.discard().await;
        assert_eq!(fake.requests().len(), attempts, "{method:?}");
        assert_eq!(result.is_ok(), attempts == 2, "{method:?}");
        assert_eq!(fake.requests()[0].method.as_str(), method.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_had_in_several_forms() {
    #[derive(Deserialize)]
    struct Envelope {
        data: Vec<u8>,
    }
    let body = || {
        Reply::status(200)
            .body(r#"{"data":[1,2]}"#)
            .header("x-request-id", "r1")
    };
    let fake = FakeTransport::handler(move |_| body());
    let client = client(&fake);
    let request = || client.raw(Method::Get, "/x");

    let all: serde_json::Value = request().fetch().await.unwrap();
    assert_eq!(all["data"][1], 2);
    let data = request().fetch_map(|all: Envelope| all.data);
    assert_eq!(data.await.unwrap(), [1, 2]);
    let length = request()
        .fetch_map(|all: Envelope| all.data)
        .map(|data| data.len());
    assert_eq!(length.await.unwrap(), 2);
    assert_eq!(request().bytes().await.unwrap(), r#"{"data":[1,2]}"#);
    request().discard().await.unwrap();

    let response = request().discard().map(|()| 7).with_response();
    let response = response.await.unwrap();
    assert_eq!((response.value, response.status), (7, 200));
    assert_eq!(response.request_id.as_deref(), Some("r1"));
    assert_eq!(response.headers["x-request-id"], "r1");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_needed_of_a_204() {
    let fake = script([Reply::status(204), Reply::status(204)]);
    let client = client(&fake);
    client.request(&CREATE).discard().await.unwrap();
    let error = client.request(&CREATE).fetch::<String>().await;
    let expected = (ErrorKind::Decode, Delivery::Succeeded, false, 1);
    assert_eq!(facts(&error.unwrap_err()), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_running_can_still_be_changed_into_another() {
    let fake = script([ok().delay(std::time::Duration::from_secs(1))]);
    let mut call = client(&fake).raw(Method::Get, "/x").fetch::<String>();
    let first =
        std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut call).poll(cx)));
    assert!(first.await.is_pending());
    let response = call.map(|text| text.len()).with_response().await.unwrap();
    assert_eq!((response.value, response.status), (4, 200));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn polled_after_its_end_a_call_says_so() {
    let fake = script([ok()]);
    let mut call = client(&fake).raw(Method::Get, "/x").fetch::<String>();
    (&mut call).await.unwrap();
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn nothing_happens_before_the_first_poll() {
    let fake = script([ok()]);
    let call = client(&fake).raw(Method::Get, "/x").fetch::<String>();
    crate::support::settle().await;
    drop(call);
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn a_call_can_be_sent_and_polled_from_anywhere() {
    fn check<T: Send + Unpin>(_: &T) {}
    let fake = FakeTransport::new();
    let client = client(&fake);
    check(&client.raw(Method::Get, "/x").fetch::<String>());
    check(&client.raw(Method::Get, "/x").discard().with_response());
}

#[rstest]
#[case("", "the base url is not a url")]
#[case(
    "http://api.example.com",
    "the base url is plain http to a host that is not loopback"
)]
#[case(
    "https://canary:canary@example.com",
    "the base url contains credentials"
)]
#[case("https://example.com/?canary=1", "the base url contains a query")]
fn a_base_url_that_breaks_the_rules_builds_no_client(#[case] url: &str, #[case] reason: &str) {
    let builder = Client::builder("acme").base_url(url);
    assert!(!format!("{builder:?}").contains("canary"));
    let error = builder.build().unwrap_err();
    refused(&error, reason);
    assert_eq!(
        error.to_string(),
        format!("acme client: wrong configuration: {reason}")
    );
}

#[test]
fn settings_that_cannot_work_build_no_client() {
    let class = RateClass::DEFAULT;
    for builder in [
        builder(&FakeTransport::new()).rate(class, Rate::per_second(0)),
        builder(&FakeTransport::new()).user_agent("a\nb"),
        builder(&FakeTransport::new()).default_header(X_TRACE, "a\nb"),
        builder(&FakeTransport::new()).request_id_headers(&["not a name"]),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Config);
    }
}
