//! Deliveries that the simulated vendor signed and sent: written and signed by other hands from the same facts.

use connector_http::{Timer, TokioTimer};
use openphone_client::webhooks::{Event, EventKind, Generation, Verifier, WebhookErrorKind};
use openphone_client::{Client, NewContact};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::WebhookFormat;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const THEM: &str = "+12025550117";

async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    server
}

/// What arrived, read with these secrets.
async fn received(server: &MockServer, secrets: &[String]) -> Vec<Event> {
    let verifier = Verifier::new(secrets.iter().map(|secret| secret.as_str().into())).unwrap();
    let now = TokioTimer.utc_now();
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .map(|request| {
            Event::parse(
                &verifier
                    .verify(&request.headers, &request.body, now)
                    .unwrap(),
            )
            .unwrap()
        })
        .collect()
}

#[tokio::test]
async fn texts_and_contacts_arrive_in_both_generations() {
    let (sandbox, server) = (
        Sandbox::openphone().start().await.unwrap(),
        receiver().await,
    );
    let control = sandbox.control();
    let url = format!("{}/hook", server.uri());
    control.register_webhook(&url, WebhookFormat::V4).unwrap();
    control
        .register_webhook(&url, WebhookFormat::Dated)
        .unwrap();

    let us = sandbox.phone_number();
    let text = control
        .place_inbound_text(THEM, us, "Grüße 👋 STOP")
        .unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .build()
        .unwrap();
    let contact = client
        .contacts()
        .create(&NewContact::new("Ada"))
        .await
        .unwrap();
    client.contacts().delete(&contact.id).await.unwrap();
    control.webhooks_settled().await;

    let secrets = [sandbox.webhook_key(), sandbox.webhook_secret()];
    let mut events = received(&server, &secrets).await;
    // No order is promised.
    events.sort_by_key(|event| (event.generation.to_string(), event.kind.name().to_owned()));
    let seen: Vec<_> = events
        .iter()
        .map(|event| (&event.generation, event.kind.name()))
        .collect();
    let expected = [
        (&Generation::Dated, "contact.deleted"),
        (&Generation::Dated, "contact.updated"),
        (&Generation::Dated, "message.received"),
        (&Generation::V4, "message.received"),
    ];
    assert_eq!(seen, expected);

    for event in &events {
        match &event.kind {
            EventKind::MessageReceived(message) => {
                assert_eq!(message.id.as_str(), text["id"].as_str().unwrap());
                assert_eq!(message.text.as_deref(), Some("Grüße 👋 STOP"));
                assert_eq!(message.from.as_deref(), Some(THEM));
                assert_eq!(message.to, [us]);
                assert_eq!(
                    message.phone_number_id.as_ref().unwrap().as_str(),
                    sandbox.phone_number_id()
                );
            }
            EventKind::ContactUpdated(seen) | EventKind::ContactDeleted(seen) => {
                assert_eq!(seen.id, contact.id);
                assert_eq!(seen.first_name.as_deref(), Some("Ada"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_delivery_sent_again_is_recognised() {
    let (sandbox, server) = (
        Sandbox::openphone().start().await.unwrap(),
        receiver().await,
    );
    let control = sandbox.control();
    for format in [WebhookFormat::V4, WebhookFormat::Dated] {
        control.register_webhook(&server.uri(), format).unwrap();
    }
    control
        .place_inbound_text(THEM, sandbox.phone_number(), "hello")
        .unwrap();
    control.webhooks_settled().await;
    for delivery in control.deliveries() {
        control.redeliver(delivery.number).unwrap();
    }
    control.webhooks_settled().await;

    let secrets = [sandbox.webhook_key(), sandbox.webhook_secret()];
    let events = received(&server, &secrets).await;
    assert_eq!(events.len(), 4);
    let mut replay_ids: Vec<_> = events.into_iter().map(|event| event.replay_id).collect();
    replay_ids.sort();
    replay_ids.dedup();
    assert_eq!(replay_ids.len(), 2, "{replay_ids:?}");
}

#[tokio::test]
async fn another_secret_is_refused() {
    let (sandbox, server) = (
        Sandbox::openphone().start().await.unwrap(),
        receiver().await,
    );
    let control = sandbox.control();
    control
        .register_webhook(&server.uri(), WebhookFormat::Dated)
        .unwrap();
    control
        .place_inbound_text(THEM, sandbox.phone_number(), "hello")
        .unwrap();
    control.webhooks_settled().await;

    let other = Verifier::new(["whsec_b3RoZXI=".into()]).unwrap();
    let requests = server.received_requests().await.unwrap();
    let request = requests.first().unwrap();
    let refused = other
        .verify(&request.headers, &request.body, TokioTimer.utc_now())
        .unwrap_err();
    assert_eq!(refused.kind(), WebhookErrorKind::WrongSignature);
}

/// Recorded where it arrives, replayed with other keys an hour later: the same event, about a person of no name.
#[cfg(feature = "webhook-replay")]
#[tokio::test]
async fn deliveries_are_recorded_and_replayed() {
    use openphone_client::webhooks::replay::{Recorder, TestKeys, read};

    let (sandbox, server) = (
        Sandbox::openphone().start().await.unwrap(),
        receiver().await,
    );
    let control = sandbox.control();
    let url = format!("{}/hook", server.uri());
    let keys = [WebhookFormat::V4, WebhookFormat::Dated]
        .map(|format| control.register_webhook(&url, format).unwrap().key);
    let us = sandbox.phone_number();
    control.place_inbound_text(THEM, us, "Grüße").unwrap();
    control.webhooks_settled().await;

    let arrived = received(&server, &keys).await;
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file);
    for request in server.received_requests().await.unwrap() {
        recorder.record(&request.headers, &request.body).unwrap();
    }
    assert!(!String::from_utf8_lossy(&file).contains(THEM));

    let later = TokioTimer.utc_now() + chrono::TimeDelta::hours(1);
    let verifier = TestKeys::default().verifier();
    let replayed: Vec<_> = read(file.as_slice())
        .unwrap()
        .iter()
        .map(|delivery| {
            let signed = delivery.sign(&TestKeys::default(), later).unwrap();
            let delivery = verifier.verify(&signed.headers, &signed.body, later);
            Event::parse(&delivery.unwrap()).unwrap()
        })
        .collect();
    assert_eq!(replayed.len(), 2);
    for (before, after) in arrived.iter().zip(&replayed) {
        assert_eq!(after.kind.name(), before.kind.name());
        assert_eq!(after.object_id(), before.object_id());
        assert_eq!(after.replay_id, before.replay_id);
        assert_eq!(after.generation, before.generation);
    }
}
