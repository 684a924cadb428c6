//! Registered, told, verified, taken back: whole flows against the simulated vendor, written by other hands from the
//! same facts.

#![cfg(feature = "webhooks")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::time::Duration;

use connector_http::{Timer as _, TokioTimer};
use openphone_client::webhooks::{Event, Generation, Verifier};
use openphone_client::{
    Client, Delivery, ErrorKind, ListWebhooks, NewWebhook, OpenPhoneErrorCode, PhoneNumberId, Rate,
    RateClass, Webhook, WebhookEvent, WebhookResources,
};
use rstest::rstest;
use vendor_sandbox::openphone::{
    CREATE_CALL_WEBHOOK, CREATE_MESSAGE_WEBHOOK, CallEnd, DELETE_WEBHOOK,
};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const THEM: &str = "+12025550117";

const EVERYTHING: [WebhookEvent; 7] = [
    WebhookEvent::MessageReceived,
    WebhookEvent::MessageDelivered,
    WebhookEvent::CallRinging,
    WebhookEvent::CallCompleted,
    WebhookEvent::CallRecordingCompleted,
    WebhookEvent::CallSummaryCompleted,
    WebhookEvent::CallTranscriptCompleted,
];

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .rate(RateClass::DEFAULT, Rate::per_second(10_000))
        .build()
        .unwrap();
    (sandbox, client)
}

async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// The names of the events that arrived, each verified with the keys that the registration gave.
async fn received(server: &MockServer, webhooks: &[Webhook]) -> Vec<String> {
    let keys = webhooks.iter().map(|webhook| webhook.key.clone().unwrap());
    let verifier = Verifier::new(keys).unwrap();
    let now = TokioTimer.utc_now();
    let mut names = Vec::new();
    for request in server.received_requests().await.unwrap() {
        let genuine = verifier.verify(&request.headers, &request.body, now);
        let event = Event::parse(&genuine.unwrap()).unwrap();
        assert_eq!(event.generation, Generation::V4);
        names.push(event.kind.name().to_owned());
    }
    names.sort();
    names
}

async fn all(client: &Client) -> Vec<Webhook> {
    client.webhooks().list(&ListWebhooks::new()).await.unwrap()
}

fn ids(webhooks: &[Webhook]) -> Vec<&str> {
    webhooks.iter().map(|webhook| webhook.id.as_str()).collect()
}

#[tokio::test]
async fn every_event_arrives_once_signed_with_its_webhooks_key() {
    let ((sandbox, client), server) = (sandbox().await, receiver().await);
    let wanted = NewWebhook::new(format!("{}/hook", server.uri()), EVERYTHING);
    let first = client.webhooks().ensure(&wanted).await.unwrap();
    let webhooks = client.webhooks().ensure(&wanted).await.unwrap();
    assert_eq!(ids(&first), ids(&webhooks));
    assert_eq!(webhooks.len(), 4);
    assert_eq!(all(&client).await.len(), 4);

    let control = sandbox.control();
    let us = sandbox.phone_number();
    control.place_inbound_text(THEM, us, "hello").unwrap();
    control
        .place_inbound_call(THEM, us, CallEnd::Answered)
        .unwrap();
    control.webhooks_settled().await;
    let expected = [
        "call.completed",
        "call.recording.completed",
        "call.ringing",
        "call.summary.completed",
        "call.transcript.completed",
        "message.received",
    ];
    assert_eq!(received(&server, &webhooks).await, expected);
}

#[tokio::test]
async fn only_the_events_and_numbers_asked_for_arrive() {
    let ((sandbox, client), server) = (sandbox().await, receiver().await);
    let other = NewWebhook::new(format!("{}/other", server.uri()), EVERYTHING)
        .resources(PhoneNumberId::from("PNnotours"));
    let refused = client.webhooks().ensure(&other).await.unwrap_err();
    assert_eq!(refused.delivery(), Delivery::Rejected);

    let ours = PhoneNumberId::from(sandbox.phone_number_id());
    let wanted = NewWebhook::new(server.uri(), [WebhookEvent::CallCompleted])
        .resources(ours.clone())
        .label("CRM");
    let webhooks = client.webhooks().create(&wanted).await.unwrap();
    let read = client.webhooks().get(&webhooks.first().unwrap().id).await;
    let read = read.unwrap();
    assert_eq!(read.resources, WebhookResources::from(ours));
    assert_eq!(read.events, [WebhookEvent::CallCompleted]);
    assert_eq!(read.label.as_deref(), Some("CRM"));
    assert!(read.is_enabled() && read.is_at(&server.uri().parse().unwrap()));

    let control = sandbox.control();
    let us = sandbox.phone_number();
    control.place_inbound_text(THEM, us, "hello").unwrap();
    control
        .place_inbound_call(THEM, us, CallEnd::Missed)
        .unwrap();
    control.webhooks_settled().await;
    assert_eq!(received(&server, &webhooks).await, ["call.completed"]);
}

/// Whatever is lost on the way, there is one webhook per family in the end.
#[rstest]
#[case::reset_before(Fault::ResetBeforeEffect)]
#[case::reset_after(Fault::ResetAfterEffect)]
#[case::error_before(Fault::ServerError { status: 503, retry_after: None })]
#[case::error_after(Fault::ServerErrorAfterEffect { status: 502 })]
#[case::truncated(Fault::TruncatedBody)]
#[case::proxy(Fault::HtmlErrorPage)]
#[case::rate_limited(Fault::RateLimited { retry_after: None })]
#[case::hang_before(Fault::Hang)]
#[case::hang_after(Fault::HangAfterEffect)]
#[tokio::test]
async fn a_lost_answer_makes_no_second_webhook(#[case] fault: Fault) {
    let (sandbox, client) = sandbox().await;
    let plan = FaultPlan::none()
        .next(CREATE_MESSAGE_WEBHOOK, 1, fault)
        .next(CREATE_CALL_WEBHOOK, 1, fault);
    sandbox.control().faults(plan);
    let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", EVERYTHING);
    let soon = Duration::from_millis(500);
    let ensured = client.webhooks().ensure(&wanted).timeout(soon).await;

    let ensured = ensured.unwrap();
    assert_eq!(ensured.len(), 4);
    assert!(ensured.iter().all(|webhook| webhook.key.is_some()));
    let mut there = all(&client).await;
    there.sort_by_key(|webhook| {
        ids(&ensured)
            .iter()
            .position(|id| *id == webhook.id.as_str())
    });
    assert_eq!(ids(&there), ids(&ensured));
}

#[tokio::test]
async fn what_cannot_be_changed_is_replaced() {
    let (sandbox, client) = sandbox().await;
    let url = "https://hooks.example.com";
    let few = NewWebhook::new(url, [WebhookEvent::MessageReceived]);
    let old = client.webhooks().ensure(&few).await.unwrap();
    // A second one, as a crash between two calls would leave it.
    client.webhooks().create(&few).await.unwrap();
    let elsewhere = NewWebhook::new("https://hooks.example.com/other", EVERYTHING);
    let others = client.webhooks().create(&elsewhere).await.unwrap();

    sandbox
        .control()
        .faults(FaultPlan::none().next(DELETE_WEBHOOK, 1, Fault::ResetAfterEffect));
    let more = [
        WebhookEvent::MessageReceived,
        WebhookEvent::MessageDelivered,
    ];
    let more = NewWebhook::new(url, more).resources(PhoneNumberId::from(sandbox.phone_number_id()));
    let new = client.webhooks().ensure(&more).await.unwrap();
    assert_ne!(ids(&new), ids(&old));
    let mut left = all(&client).await;
    left.retain(|webhook| !ids(&others).contains(&webhook.id.as_str()));
    assert_eq!(ids(&left), ids(&new));

    let id = &old.first().unwrap().id;
    let error = client.webhooks().delete(id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::NotFound)
    );
}
