//! What stands on the wire when webhooks are registered, and what is refused before.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;

use connector_http::testing::{FakeTransport, Reply};
use openphone_client::{
    Client, Delivery, ErrorKind, ListWebhooks, NewWebhook, OpenPhoneErrorCode, PhoneNumberId,
    WebhookEvent, WebhookResources,
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const WEBHOOK: &str = include_str!("fixtures/webhook.json");
const WEBHOOKS: &str = include_str!("fixtures/webhooks.json");
const URL: &str = "https://hooks.example.com/quo/7d1f";

async fn answers(status: u16, body: &'static str) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let client = Client::builder().api_key("k3y").base_url(server.uri());
    let client = client.build().unwrap();
    (server, client)
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

fn line(request: &Request) -> (&str, &str, Option<&str>) {
    let url = &request.url;
    (request.method.as_str(), url.path(), url.query())
}

#[tokio::test]
async fn lists_those_of_a_user() {
    let (server, client) = answers(200, WEBHOOKS).await;
    let all = client.webhooks().list(&ListWebhooks::new()).await.unwrap();
    let query = ListWebhooks::new().user_id("USabc101");
    client.webhooks().list(&query).await.unwrap();

    assert_eq!(all.len(), 2);
    let requests = requests(&server).await;
    let lines: Vec<_> = requests.iter().map(line).collect();
    let expected = [
        ("GET", "/v1/webhooks", None),
        ("GET", "/v1/webhooks", Some("userId=USabc101")),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn reads_and_deletes_one() {
    let (server, client) = answers(200, WEBHOOK).await;
    let webhook = client.webhooks().get(&"WHabc101".into()).await.unwrap();
    client.webhooks().delete(&webhook.id).await.unwrap();

    let requests = requests(&server).await;
    let lines: Vec<_> = requests.iter().map(line).collect();
    let expected = [
        ("GET", "/v1/webhooks/WHabc101", None),
        ("DELETE", "/v1/webhooks/WHabc101", None),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn one_that_is_gone_is_not_found() {
    let body = r#"{"message":"Not Found","code":"0300404","status":404,"docs":"https://quo.com/docs","title":"Not Found"}"#;
    let (_server, client) = answers(404, body).await;
    let error = client.webhooks().delete(&"WHabc109".into()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::NotFound)
    );
}

/// Each event, and where it is registered.
#[rstest]
#[case(WebhookEvent::MessageReceived, "messages")]
#[case(WebhookEvent::MessageDelivered, "messages")]
#[case(WebhookEvent::CallRinging, "calls")]
#[case(WebhookEvent::CallCompleted, "calls")]
#[case(WebhookEvent::CallRecordingCompleted, "calls")]
#[case(WebhookEvent::CallSummaryCompleted, "call-summaries")]
#[case(WebhookEvent::CallTranscriptCompleted, "call-transcripts")]
#[tokio::test]
async fn an_event_goes_to_the_endpoint_of_its_family(
    #[case] event: WebhookEvent,
    #[case] family: &str,
) {
    let (server, client) = answers(201, WEBHOOK).await;
    let new = NewWebhook::new(URL, [event.clone()]);
    client.webhooks().create(&new).await.unwrap();

    let requests = requests(&server).await;
    let path = format!("/v1/webhooks/{family}");
    let lines: Vec<_> = requests.iter().map(line).collect();
    assert_eq!(lines, [("POST", path.as_str(), None)]);
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(
        body,
        json!({"url": URL, "events": [event.as_str()], "resourceIds": ["*"], "status": "enabled"})
    );
}

#[tokio::test]
async fn several_families_make_several_webhooks() {
    let (server, client) = answers(201, WEBHOOK).await;
    let new = NewWebhook::new(
        URL,
        [
            WebhookEvent::CallTranscriptCompleted,
            WebhookEvent::MessageDelivered,
            WebhookEvent::CallRinging,
            WebhookEvent::MessageReceived,
            WebhookEvent::MessageDelivered,
        ],
    )
    .resources(PhoneNumberId::from("PNabc101"))
    .label("CRM")
    .user_id("USabc101");
    let made = client.webhooks().create(&new).await.unwrap();

    assert_eq!(made.len(), 3);
    assert!(made.iter().all(|webhook| webhook.key.is_some()));
    let requests = requests(&server).await;
    let sent: Vec<(&str, Value)> = requests
        .iter()
        .map(|request| (request.url.path(), request.body_json().unwrap()))
        .collect();
    let body = |events: &[&str]| {
        json!({
            "url": URL, "events": events, "resourceIds": ["PNabc101"], "status": "enabled", "label": "CRM",
            "userId": "USabc101"
        })
    };
    let expected = [
        (
            "/v1/webhooks/messages",
            body(&["message.delivered", "message.received"]),
        ),
        ("/v1/webhooks/calls", body(&["call.ringing"])),
        (
            "/v1/webhooks/call-transcripts",
            body(&["call.transcript.completed"]),
        ),
    ];
    assert_eq!(sent, expected);
}

fn received(url: &str) -> NewWebhook {
    NewWebhook::new(url, [WebhookEvent::MessageReceived])
}

fn numbers(ids: &[&str]) -> WebhookResources {
    WebhookResources::PhoneNumbers(ids.iter().map(|id| PhoneNumberId::from(*id)).collect())
}

#[rstest]
#[case::not_private(received("http://hooks.example.com"), &["/url"])]
#[case::no_address(received(""), &["/url"])]
#[case::credentials(received("https://user:word@hooks.example.com"), &["/url"])]
#[case::nothing(NewWebhook::new(URL, []), &["/events"])]
#[case::contacts(NewWebhook::new(URL, [WebhookEvent::MessageReceived, WebhookEvent::ContactUpdated]), &["/events/1"])]
#[case::unknown(NewWebhook::new(URL, ["call.missed".into()]), &["/events/0"])]
#[case::no_number(received(URL).resources(numbers(&[])), &["/resourceIds"])]
#[case::blank_number(received(URL).resources(numbers(&["PNabc101", " "])), &["/resourceIds/1"])]
#[case::star(received(URL).resources(numbers(&["*"])), &["/resourceIds/0"])]
#[case::all_at_once(NewWebhook::new("", []).resources(numbers(&[])), &["/url", "/events", "/resourceIds"])]
#[tokio::test]
async fn what_cannot_be_registered_is_refused_unsent(
    #[case] new: NewWebhook,
    #[case] paths: &[&str],
) {
    let transport = FakeTransport::new();
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    for refused in [
        client.webhooks().create(&new).await,
        client.webhooks().ensure(&new).await,
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert_eq!(error.delivery(), Delivery::NotSent);
        let found = error.field_errors().iter().map(|field| field.path.as_str());
        assert_eq!(found.collect::<Vec<_>>(), paths);
    }
    assert!(transport.requests().is_empty());
}

#[rstest]
#[case(Reply::status(500))]
#[case(Reply::hang())]
#[case(Reply::reset_after_sending())]
#[tokio::test(start_paused = true)]
async fn a_webhook_that_may_exist_is_not_created_again(#[case] reply: Reply) {
    let transport = FakeTransport::new();
    transport.push(reply).push(Reply::status(201).body(WEBHOOK));
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    let error = client.webhooks().create(&received(URL)).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(transport.requests().len(), 1);
}
