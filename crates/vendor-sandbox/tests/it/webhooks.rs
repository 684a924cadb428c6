use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use vendor_sandbox::openphone::WebhookFormat;
use vendor_sandbox::{DeliveryState, Sandbox};

use crate::receiver::{Received, Receiver};
use crate::support::{Api, keys};

const THEM: &str = "+12025550143";

async fn start() -> Api {
    let builder = Sandbox::openphone()
        .rate_limit(None)
        .webhook_retry_compression(u32::MAX);
    Api::on(builder.start().await.unwrap())
}

/// Says whether this is the base64 of the HMAC over these bytes.
fn is_mac(key: &[u8], message: &[u8], base64: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::verify(&key, message, &STANDARD.decode(base64).unwrap()).is_ok()
}

#[tokio::test]
async fn an_inbound_text_reaches_a_v4_webhook_signed() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let hook = api
        .control
        .register_webhook(&inbox.url, WebhookFormat::V4)
        .unwrap();
    assert!(hook.id.starts_with("WH"));
    assert_eq!(hook.key, api.sandbox.webhook_key());
    let person = json!({ "defaultFields": { "firstName": "A", "phoneNumbers": [{ "name": "m", "value": THEM }] } });
    let contact = api.control.seed(&person).unwrap();
    let message = api
        .control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "Grüße 👋")
        .unwrap();
    api.control.webhooks_settled().await;

    let [received] = inbox.take().try_into().unwrap();
    let body = received.json();
    assert_eq!(
        keys(&body),
        ["apiVersion", "createdAt", "data", "id", "object", "type"]
    );
    assert_eq!(
        (&body["apiVersion"], &body["type"]),
        (&json!("v4"), &json!("message.received"))
    );
    assert!(body["id"].as_str().unwrap().starts_with("EV"));
    let object = &body["data"]["object"];
    assert_eq!(object["id"], message["id"]);
    assert_eq!(object["text"], "Grüße 👋");
    assert_eq!(object["to"], api.sandbox.phone_number());
    assert_eq!(object["status"], "received");
    assert_eq!(object["contactIds"], json!([contact]));

    let signature = received.header("openphone-signature").unwrap();
    let parts: Vec<&str> = signature.split(';').collect();
    assert_eq!((parts[0], parts[1], parts.len()), ("hmac", "1", 4));
    assert_eq!(parts[2].len(), 13, "milliseconds");
    let signed = [parts[2].as_bytes(), b".", &received.body].concat();
    let key = STANDARD.decode(api.sandbox.webhook_key()).unwrap();
    assert!(is_mac(&key, &signed, parts[3]));
    assert!(!is_mac(&key, &[&signed[..], b" "].concat(), parts[3]));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("webhook-id"), None);

    let [delivery] = api.control.deliveries().try_into().unwrap();
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!((delivery.attempts, delivery.last_status), (1, Some(200)));
    assert_eq!(
        (delivery.event, &delivery.webhook_id),
        ("message.received", &hook.id)
    );
    assert_eq!(body["id"], delivery.event_id);
}

#[tokio::test]
async fn an_outgoing_text_reaches_a_dated_webhook_signed() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let hook = api
        .control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    assert!(hook.id.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(hook.key, api.sandbox.webhook_secret());
    let text = json!({ "content": "Hi", "from": api.sandbox.phone_number(), "to": [THEM] });
    let message = api.post("/v1/messages", &text).await.expect(202).json();
    api.control.webhooks_settled().await;

    let [received] = inbox.take().try_into().unwrap();
    let body = received.json();
    assert_eq!(
        keys(&body),
        ["apiVersion", "createdAt", "data", "id", "type"]
    );
    assert_eq!(
        (&body["apiVersion"], &body["type"]),
        (&json!("2026-03-30"), &json!("message.delivered"))
    );
    assert_eq!(body["data"]["resource"]["id"], message["data"]["id"]);
    assert_eq!(body["data"]["resource"]["status"], "delivered");
    assert_eq!(
        body["data"]["context"]["recipientIdentifiers"],
        json!([THEM])
    );
    assert_eq!(
        body["data"]["context"]["conversationId"],
        message["data"]["conversationId"]
    );

    let (id, timestamp) = (
        received.header("webhook-id").unwrap(),
        received.header("webhook-timestamp").unwrap(),
    );
    assert!(id.starts_with("msg_"));
    assert_eq!(timestamp.len(), 10, "seconds");
    let signature = received
        .header("webhook-signature")
        .unwrap()
        .strip_prefix("v1,")
        .unwrap();
    let signed = [
        id.as_bytes(),
        b".",
        timestamp.as_bytes(),
        b".",
        &received.body,
    ]
    .concat();
    let secret = api.sandbox.webhook_secret();
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    assert!(is_mac(&key, &signed, signature));
    assert_eq!(received.header("openphone-signature"), None);
}

#[tokio::test]
async fn contacts_are_told_to_dated_webhooks_only() {
    let api = start().await;
    let (dated, v4) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    api.control
        .register_webhook(&dated.url, WebhookFormat::Dated)
        .unwrap();
    api.control
        .register_webhook(&v4.url, WebhookFormat::V4)
        .unwrap();
    let body = json!({
        "defaultFields": { "firstName": "Ada", "emails": [{ "name": "w", "value": "a@example.com" }] },
        "customFields": [{ "key": "seats", "value": 3 }],
        "externalId": "crm-1",
    });
    let contact = api.post("/v1/contacts", &body).await.expect(201).json()["data"].clone();
    let path = format!("/v1/contacts/{}", contact["id"].as_str().unwrap());
    api.control.webhooks_settled().await;
    api.patch(&path, &json!({ "defaultFields": { "firstName": "Eve" } }))
        .await
        .expect(200);
    api.control.webhooks_settled().await;
    api.delete(&path).await.expect(204);
    api.delete(&path).await.expect(404);
    api.control.webhooks_settled().await;

    assert!(v4.take().is_empty());
    let events: Vec<Value> = dated.take().iter().map(Received::json).collect();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["contact.updated", "contact.updated", "contact.deleted"]
    );
    let resource = &events[0]["data"]["resource"];
    assert_eq!(resource["id"], contact["id"]);
    assert_eq!(
        (&resource["firstName"], &resource["externalId"]),
        (&json!("Ada"), &json!("crm-1"))
    );
    assert_eq!(
        resource["emails"],
        json!([{ "value": "a@example.com", "type": "email" }])
    );
    assert_eq!(resource["customFields"][0]["value"], 3);
    assert_eq!(events[1]["data"]["resource"]["firstName"], "Eve");
    assert_eq!(events[2]["data"]["resource"]["firstName"], "Eve");
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_under_the_same_id() {
    let api = start().await;
    let inbox = Receiver::start(&[500, 404, 302]).await;
    api.control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "x")
        .unwrap();
    api.control.webhooks_settled().await;
    let received = inbox.take();
    assert_eq!(received.len(), 4);
    // The id names the delivery, so a receiver can tell that it has seen it.
    let ids: std::collections::BTreeSet<_> = received
        .iter()
        .map(|one| one.header("webhook-id"))
        .collect();
    assert_eq!(ids.len(), 1);
    assert!(received.iter().all(|one| one.body == received[0].body));
    let [delivery] = api.control.deliveries().try_into().unwrap();
    assert_eq!(
        (delivery.attempts, delivery.state),
        (4, DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn a_receiver_that_never_takes_it_is_given_up_after_eight_attempts() {
    let api = start().await;
    let inbox = Receiver::start(&[503; 20]).await;
    api.control
        .register_webhook(&inbox.url, WebhookFormat::V4)
        .unwrap();
    // The port is taken, so that no other test gets it, and nobody listens on it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = socket.local_addr().unwrap();
    api.control
        .register_webhook(&format!("http://{closed}/"), WebhookFormat::V4)
        .unwrap();
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "x")
        .unwrap();
    api.control.webhooks_settled().await;
    let deliveries = api.control.deliveries();
    let outcome = |index: usize| {
        let delivery = &deliveries[index];
        (delivery.attempts, delivery.last_status, delivery.state)
    };
    assert_eq!(outcome(0), (8, Some(503), DeliveryState::Failed));
    assert_eq!(outcome(1), (8, None, DeliveryState::Failed));
    assert_eq!(deliveries[0].event_id, deliveries[1].event_id);
}

#[tokio::test]
async fn deliveries_repeat_on_demand_and_per_registration() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    api.control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    let second = api
        .control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    assert_eq!(api.control.webhooks().len(), 2);
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "x")
        .unwrap();
    api.control.webhooks_settled().await;
    let twice = inbox.take();
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0].header("webhook-id"), twice[1].header("webhook-id"));
    assert_eq!(twice[0].json()["id"], twice[1].json()["id"]);

    let number = api.control.deliveries()[0].number;
    assert_eq!(api.control.redeliver(number).unwrap(), 3);
    api.control.webhooks_settled().await;
    let [again] = inbox.take().try_into().unwrap();
    let known = twice
        .iter()
        .any(|one| one.header("webhook-id") == again.header("webhook-id"));
    assert!(known);
    assert!(api.control.redeliver(99).is_err());

    api.control.remove_webhook(&second.id).unwrap();
    assert!(api.control.remove_webhook(&second.id).is_err());
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "y")
        .unwrap();
    api.control.webhooks_settled().await;
    assert_eq!(inbox.take().len(), 1);
}

#[tokio::test]
async fn webhooks_never_leave_the_machine() {
    let api = start().await;
    for url in [
        "https://127.0.0.1/",
        "http://example.com/",
        "http://192.0.2.1/",
        "nonsense",
    ] {
        let error = api
            .control
            .register_webhook(url, WebhookFormat::V4)
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("webhooks go to http on loopback only"),
            "{url}"
        );
        let body = json!({ "url": url, "format": "v4" });
        api.post("/_sandbox/webhooks", &body).await.expect(400);
    }
    assert!(api.control.webhooks().is_empty());
}

#[tokio::test]
async fn waiting_ends_with_the_sandbox() {
    let builder = Sandbox::openphone().webhook_retry_compression(1);
    let api = Api::on(builder.start().await.unwrap());
    let inbox = Receiver::start(&[500]).await;
    api.control
        .register_webhook(&inbox.url, WebhookFormat::V4)
        .unwrap();
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "x")
        .unwrap();
    let control = api.control.clone();
    drop(api);
    control.webhooks_settled().await;
    control
        .place_inbound_text(THEM, "+12025550100", "y")
        .unwrap();
    control.webhooks_settled().await;
}
