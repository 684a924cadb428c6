//! Connecting, testing and registering, on a scripted transport.

use std::sync::{Arc, Mutex};

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{Attempt, Observer};
use integration_core::instance::{
    ConnectOptions, Health, RegisteredWebhook, Vendor, WebhookRequest,
};
use openphone_client::integration::{Config, OpenPhone, Settings};
use openphone_client::{Client, Error, ErrorKind, PhoneNumberId};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const KEY: &str = "c4nary0123456789abcdef0123456789";
const URL: &str = "https://hooks.example.com/quo/7d1f";

fn options(transport: &FakeTransport) -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.transport = Some(Arc::new(transport.clone()));
    options
}

fn connected(replies: impl IntoIterator<Item = Reply>) -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    for reply in replies {
        transport.push(reply);
    }
    let client = OpenPhone::new().connect(&Config::new(KEY), &options(&transport));
    (client.unwrap(), transport)
}

fn data(data: &Value) -> Reply {
    Reply::status(200).json(&json!({ "data": data }))
}

/// What was sent, a line each.
fn lines(transport: &FakeTransport) -> Vec<String> {
    let line = |request: &connector_http::testing::RecordedRequest| {
        format!("{} {}", request.method, request.path())
    };
    transport.requests().iter().map(line).collect()
}

#[tokio::test]
async fn connects_where_the_host_says_with_the_key_of_the_tenant() {
    let transport = FakeTransport::new();
    transport.push(data(&json!([])));
    let vendor = OpenPhone::new().base_url("https://gateway.example.com/quo");
    let client = vendor
        .connect(&Config::new(KEY), &options(&transport))
        .unwrap();
    vendor.test_connection(&client).await.unwrap();

    let request = transport.last_request().unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://gateway.example.com/quo/v1/phone-numbers"
    );
    assert_eq!(request.header("authorization"), Some(KEY));
    assert_eq!(vendor.health(), Health::Probe);
}

#[rstest]
#[case("", "https://api.quo.com")]
#[case("Bearer c4nary", "https://api.quo.com")]
#[case("c4nary c4nary", "https://api.quo.com")]
#[case(KEY, "http://api.quo.com")]
fn what_cannot_connect_is_said_at_once(#[case] key: &str, #[case] url: &str) {
    let vendor = OpenPhone::new().base_url(url);
    let refused = vendor.connect(&Config::new(key), &ConnectOptions::default());
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error} {error:?}").contains("c4nary"));
}

#[rstest]
#[case(0, "Connected. The workspace has no phone number yet.")]
#[case(1, "Connected. The workspace has 1 phone number.")]
#[case(3, "Connected. The workspace has 3 phone numbers.")]
#[tokio::test]
async fn a_test_counts_the_numbers(#[case] count: usize, #[case] message: &str) {
    let (client, _transport) = connected([data(&json!(vec![json!({"id": "PN1"}); count]))]);
    let report = OpenPhone::new().test_connection(&client).await.unwrap();
    assert_eq!(report.message, message);
    assert_eq!(report.data, Some(json!({ "phone_numbers": count })));
    assert_eq!(report.account_id, None);
}

#[tokio::test]
async fn a_wrong_key_fails_the_test() {
    let body = json!({"error": {"message": "Unauthorized", "key": "Unauthorized", "trace": "648"}});
    let (client, _transport) = connected([Reply::status(401).json(&body)]);
    let error = OpenPhone::new().test_connection(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
}

/// Operations an observer heard of.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let line = format!("{} for {:?}", attempt.operation, attempt.account);
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn the_options_of_the_host_reach_the_client() {
    let (transport, heard) = (FakeTransport::new(), Arc::new(Heard::default()));
    transport.push(data(&json!([])));
    let mut options = options(&transport);
    options.observer = Some(heard.clone());
    options.account = Some("acme".to_owned());
    let vendor = OpenPhone::new();
    let client = vendor.connect(&Config::new(KEY), &options).unwrap();
    vendor.test_connection(&client).await.unwrap();
    assert_eq!(
        *heard.0.lock().unwrap(),
        [r#"phone_numbers.list for Some("acme")"#]
    );
}

#[rstest]
#[case(None, &[])]
#[case(Some("PNabc101"), &["PNabc101"])]
#[case(Some(" PNabc101\n"), &["PNabc101"])]
#[case(Some("  "), &[])]
fn the_phone_number_tells_instances_apart(#[case] id: Option<&str>, #[case] ids: &[&str]) {
    let mut settings = Settings::new();
    settings.phone_number_id = id.map(PhoneNumberId::from);
    assert_eq!(
        OpenPhone::new().source_ids(&Config::new(KEY), &settings),
        ids
    );
}

fn webhook(id: &str, url: &str, events: &[&str], numbers: &[&str]) -> Value {
    json!({
        "id": id, "userId": "US1", "orgId": "OR1", "label": null, "status": "enabled", "url": url,
        "key": format!("a2V5{id}"), "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
        "deletedAt": null, "events": events, "resourceIds": numbers
    })
}

async fn ensure(client: &Client, settings: &Settings) -> Result<Vec<RegisteredWebhook>, Error> {
    let request = WebhookRequest::new(URL.parse().unwrap());
    OpenPhone::new()
        .ensure_webhooks(client, settings, &request)
        .await
}

fn told(registered: &[RegisteredWebhook]) -> Vec<(String, String, String)> {
    let secret = |it: &RegisteredWebhook| it.secret.clone().unwrap().expose_secret().to_owned();
    let line = |it: &RegisteredWebhook| {
        (
            it.vendor_webhook_id.clone(),
            it.events.join(" "),
            secret(it),
        )
    };
    registered.iter().map(line).collect()
}

fn line(id: &str, events: &str) -> (String, String, String) {
    (id.to_owned(), events.to_owned(), format!("a2V5{id}"))
}

const CALLS: [&str; 2] = ["call.completed", "call.recording.completed"];
const TEXTS: [&str; 2] = ["message.received", "message.delivered"];

#[tokio::test]
async fn registers_what_the_settings_ask_for_and_returns_the_keys() {
    let texts = webhook("WH1", URL, &TEXTS, &["PNabc101"]);
    let calls = webhook("WH2", URL, &CALLS, &["PNabc101"]);
    let made = |row: &Value| Reply::status(201).json(&json!({ "data": row }));
    let (client, transport) = connected([
        data(&json!([])),
        made(&texts),
        made(&calls),
        data(&json!([texts, calls])),
    ]);
    let settings = Settings::new().phone_number_id("PNabc101");
    let registered = ensure(&client, &settings).await.unwrap();

    let expected = [line("WH1", &TEXTS.join(" ")), line("WH2", &CALLS.join(" "))];
    assert_eq!(told(&registered), expected);
    let sent = [
        "GET /v1/webhooks",
        "POST /v1/webhooks/messages",
        "POST /v1/webhooks/calls",
        "GET /v1/webhooks",
    ];
    assert_eq!(lines(&transport), sent);
    let body = transport.requests()[1].json();
    assert_eq!(
        (&body["url"], &body["resourceIds"]),
        (&json!(URL), &json!(["PNabc101"]))
    );
}

/// The list is that of one user, by default the owner of the workspace. One that the owner before had registered is
/// read by its id, and not registered again.
#[tokio::test]
async fn what_was_stored_is_found_though_no_list_shows_it() {
    let texts = webhook("WH1", URL, &TEXTS, &["*"]);
    let gone = Reply::status(404).json(&json!({"code": "0300404", "message": "Not Found"}));
    let look = [data(&json!([])), data(&texts), gone];
    let (client, transport) = connected(look.clone().into_iter().chain(look));
    let mut request = WebhookRequest::new(URL.parse().unwrap());
    request.registered = ["WH1", "WH2"]
        .map(|id| RegisteredWebhook::new(id, TEXTS))
        .to_vec();
    let settings = Settings::new().auto_log_calls(false);
    let vendor = OpenPhone::new();
    let registered = vendor.ensure_webhooks(&client, &settings, &request).await;

    assert_eq!(told(&registered.unwrap()), [line("WH1", &TEXTS.join(" "))]);
    let look = [
        "GET /v1/webhooks",
        "GET /v1/webhooks/WH1",
        "GET /v1/webhooks/WH2",
    ];
    assert_eq!(lines(&transport), [look, look].concat());
}

#[tokio::test]
async fn takes_back_what_is_no_longer_asked_for_and_nothing_else() {
    let elsewhere = "https://hooks.example.com/quo/ffff";
    let there = json!([
        webhook("WH1", URL, &TEXTS, &["*"]),
        webhook("WH2", URL, &CALLS, &["*"]),
        webhook("WH3", URL, &["contact.updated"], &["*"]),
        webhook("WH4", elsewhere, &CALLS, &["*"]),
    ]);
    let replies = [
        data(&there),
        data(&there),
        Reply::status(404).json(&json!({"code": "0300404"})),
    ];
    let (client, transport) = connected(replies);
    let settings = Settings::new().auto_log_calls(false);
    let registered = ensure(&client, &settings).await.unwrap();

    // One that a person made for contacts is returned too, so that its deliveries can be verified.
    let expected = [
        line("WH1", &TEXTS.join(" ")),
        line("WH3", "contact.updated"),
    ];
    assert_eq!(told(&registered), expected);
    let sent = [
        "GET /v1/webhooks",
        "GET /v1/webhooks",
        "DELETE /v1/webhooks/WH2",
    ];
    assert_eq!(lines(&transport), sent);
}

#[tokio::test]
async fn settings_that_ask_for_nothing_leave_nothing() {
    let there = json!([webhook("WH1", URL, &TEXTS, &["*"])]);
    let (client, transport) = connected([data(&there), Reply::status(204)]);
    let settings = Settings::new()
        .auto_log_calls(false)
        .auto_log_messages(false);
    assert!(ensure(&client, &settings).await.unwrap().is_empty());
    assert_eq!(
        lines(&transport),
        ["GET /v1/webhooks", "DELETE /v1/webhooks/WH1"]
    );
}

#[tokio::test]
async fn taking_back_goes_on_after_a_failure_and_what_is_gone_is_gone() {
    let gone = Reply::status(404).json(&json!({"code": "0300404", "message": "Not Found"}));
    let refused = Reply::status(403).json(&json!({"code": "0300403", "message": "Forbidden"}));
    let ids = ["WH1", "WH2", "WH3"].map(str::to_owned);

    let (client, transport) = connected([gone.clone(), Reply::status(204), gone.clone()]);
    OpenPhone::new()
        .remove_webhooks(&client, &ids)
        .await
        .unwrap();
    assert_eq!(transport.unused(), 0);

    let (client, transport) = connected([refused, Reply::status(204), gone]);
    let error = OpenPhone::new()
        .remove_webhooks(&client, &ids)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert_eq!(transport.unused(), 0);
}
