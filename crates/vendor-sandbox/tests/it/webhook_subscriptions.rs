//! What webhooks hear that were created over the API.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vendor_sandbox::openphone::{CallEnd, WebhookFormat};
use vendor_sandbox::{DeliveryState, Sandbox};

use crate::receiver::{Received, Receiver};
use crate::support::Api;

const THEM: &str = "+12025550143";
const PRIVATE_LINE: &str = "+12025550101";
const CALLS: [&str; 3] = ["call.ringing", "call.completed", "call.recording.completed"];

async fn start() -> Api {
    let builder = Sandbox::openphone()
        .rate_limit(None)
        .webhook_retry_compression(u32::MAX);
    Api::on(builder.start().await.unwrap())
}

/// Creates a webhook, and returns its id and key.
async fn create(api: &Api, family: &str, body: &Value) -> (String, String) {
    let made = api
        .post(&format!("/v1/webhooks/{family}"), body)
        .await
        .expect(201)
        .json();
    let text = |name: &str| made["data"][name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn texts(url: &str) -> Value {
    json!({ "url": url, "events": ["message.received", "message.delivered"] })
}

fn place_text(api: &Api, to: &str) {
    api.control.place_inbound_text(THEM, to, "Hello").unwrap();
}

fn is_signed_with(received: &Received, key: &str) -> bool {
    let signature = received.header("openphone-signature").unwrap();
    let parts: Vec<&str> = signature.split(';').collect();
    let signed = [parts[2].as_bytes(), b".", &received.body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    hmac::verify(&key, &signed, &STANDARD.decode(parts[3]).unwrap()).is_ok()
}

fn kinds(received: &[Received]) -> Vec<String> {
    let mut kinds: Vec<_> = received
        .iter()
        .map(|one| one.json()["type"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn each_webhook_hears_the_event_under_its_own_key() {
    let api = start().await;
    let inboxes = [Receiver::start(&[]).await, Receiver::start(&[]).await];
    let by_hand = Receiver::start(&[]).await;
    let mut made = Vec::new();
    for inbox in &inboxes {
        made.push(create(&api, "messages", &texts(&inbox.url)).await);
    }
    api.control
        .register_webhook(&by_hand.url, WebhookFormat::V4)
        .unwrap();
    place_text(&api, api.sandbox.phone_number());
    api.control.webhooks_settled().await;

    let [first] = inboxes[0].take().try_into().unwrap();
    let [second] = inboxes[1].take().try_into().unwrap();
    let [third] = by_hand.take().try_into().unwrap();
    assert_eq!(first.json()["apiVersion"], "v4");
    assert_eq!(first.body, second.body);
    assert_eq!(first.body, third.body);
    let signed = [&first, &second, &third];
    let keys = [&made[0].1, &made[1].1, &api.sandbox.webhook_key()];
    for (place, received) in signed.iter().enumerate() {
        let fitting: Vec<bool> = keys
            .iter()
            .map(|key| is_signed_with(received, key))
            .collect();
        let expected: Vec<bool> = (0..3).map(|other| other == place).collect();
        assert_eq!(fitting, expected);
        assert_eq!(received.header("webhook-signature"), None);
    }
    let deliveries = api.control.deliveries();
    assert_eq!(deliveries[0].webhook_id, made[0].0);
    assert!(
        deliveries
            .iter()
            .all(|one| one.state == DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn events_numbers_and_status_decide_who_hears() {
    let api = start().await;
    let main = api.sandbox.phone_number_id();
    let numbers = api.get("/v1/phone-numbers").await.json();
    let private = numbers["data"][1]["id"].clone();
    let mut heard = Vec::new();
    for (body, expected) in [
        (json!({ "events": ["message.received"] }), 2),
        (json!({ "events": ["message.delivered"] }), 1),
        (
            json!({ "events": ["message.received", "message.delivered"] }),
            3,
        ),
        (
            json!({ "events": ["message.received"], "resourceIds": ["*"] }),
            2,
        ),
        (
            json!({ "events": ["message.received"], "resourceIds": [main] }),
            1,
        ),
        (
            json!({ "events": ["message.delivered"], "resourceIds": [private] }),
            0,
        ),
        (
            json!({ "events": ["message.received"], "resourceIds": [main, private] }),
            2,
        ),
        (
            json!({ "events": ["message.received"], "resourceIds": [] }),
            0,
        ),
        (json!({ "events": [] }), 0),
        (
            json!({ "events": ["message.received"], "status": "disabled" }),
            0,
        ),
    ] {
        let inbox = Receiver::start(&[]).await;
        let mut body = body;
        body["url"] = json!(inbox.url);
        create(&api, "messages", &body).await;
        heard.push((body, inbox, expected));
    }
    place_text(&api, api.sandbox.phone_number());
    place_text(&api, PRIVATE_LINE);
    let text = json!({ "content": "Hi", "from": main, "to": [THEM] });
    api.post("/v1/messages", &text).await.expect(202);
    let contact = json!({ "defaultFields": { "firstName": "Ada" } });
    api.post("/v1/contacts", &contact).await.expect(201);
    api.control.webhooks_settled().await;
    for (body, inbox, expected) in heard {
        assert_eq!(inbox.take().len(), expected, "{body}");
    }
}

#[tokio::test]
async fn what_leads_away_from_this_machine_is_withheld_and_logged() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let secure = inbox.url.replace("http://", "https://");
    let url = "https://app.example.com/hooks/quo";
    let (id, _) = create(&api, "messages", &texts(url)).await;
    create(&api, "messages", &texts(&secure)).await;
    place_text(&api, api.sandbox.phone_number());
    api.control.webhooks_settled().await;

    let deliveries = api.control.deliveries();
    assert_eq!(deliveries.len(), 2);
    for delivery in &deliveries {
        assert_eq!(delivery.state, DeliveryState::Withheld);
        assert_eq!((delivery.attempts, delivery.last_status), (0, None));
    }
    assert_eq!(
        (&*deliveries[0].webhook_id, &*deliveries[0].url),
        (&*id, url)
    );
    assert_eq!(deliveries[0].event, "message.received");
    let again = api.control.redeliver(1).unwrap();
    api.control.webhooks_settled().await;
    let log = api.get("/_sandbox/deliveries").await.expect(200).json();
    let last = &log["deliveries"][2];
    assert_eq!(
        (&last["number"], &last["state"]),
        (&json!(again), &json!("withheld"))
    );
    assert!(inbox.take().is_empty());
}

#[tokio::test]
async fn a_failed_delivery_follows_the_schedule_and_a_deleted_webhook_hears_nothing_new() {
    let api = start().await;
    let inbox = Receiver::start(&[500, 503]).await;
    let (id, key) = create(&api, "messages", &texts(&inbox.url)).await;
    place_text(&api, api.sandbox.phone_number());
    api.control.webhooks_settled().await;
    let received = inbox.take();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| is_signed_with(one, &key)));
    api.delete(&format!("/v1/webhooks/{id}")).await.expect(204);
    place_text(&api, api.sandbox.phone_number());
    api.control.webhooks_settled().await;
    assert!(inbox.take().is_empty());
}

#[tokio::test]
async fn an_answered_call_is_told_to_the_three_families_of_calls() {
    let api = start().await;
    let (calls, summaries) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let (transcripts, texts_only) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let elsewhere = Receiver::start(&[]).await;
    let hook = |url: &str, events: &[&str]| json!({ "url": url, "events": events });
    create(&api, "calls", &hook(&calls.url, &CALLS)).await;
    let (_, key) = create(
        &api,
        "call-summaries",
        &hook(&summaries.url, &["call.summary.completed"]),
    )
    .await;
    let kind = "call.transcript.completed";
    create(&api, "call-transcripts", &hook(&transcripts.url, &[kind])).await;
    create(&api, "messages", &texts(&texts_only.url)).await;
    let numbers = api.get("/v1/phone-numbers").await.json();
    let mut private = hook(&elsewhere.url, &CALLS);
    private["resourceIds"] = json!([numbers["data"][1]["id"]]);
    create(&api, "calls", &private).await;
    let person = json!({ "defaultFields": { "firstName": "A", "phoneNumbers": [{ "name": "m", "value": THEM }] } });
    let contact = api.control.seed(&person).unwrap();

    let number = api.sandbox.phone_number();
    let id = api
        .control
        .place_inbound_call(THEM, number, CallEnd::Answered)
        .unwrap();
    api.control.webhooks_settled().await;
    let heard = calls.take();
    assert_eq!(
        kinds(&heard),
        ["call.completed", "call.recording.completed", "call.ringing"]
    );
    for event in heard.iter().map(Received::json) {
        let call = &event["data"]["object"];
        assert_eq!((&call["id"], &call["object"]), (&json!(id), &json!("call")));
        assert_eq!(call["participants"], json!([THEM, number]));
        assert_eq!(call["contactIds"], json!([contact]));
        let ringing = event["type"] == "call.ringing";
        assert_eq!(
            call["status"],
            if ringing { "ringing" } else { "completed" }
        );
        for name in ["answeredAt", "answeredBy", "completedAt"] {
            assert_eq!(call[name].is_null(), ringing, "{name} {event}");
        }
        let recorded = event["type"] == "call.recording.completed";
        assert_eq!(call["recordings"].is_array(), recorded);
    }
    let [summary] = summaries.take().try_into().unwrap();
    assert!(is_signed_with(&summary, &key));
    assert_eq!(summary.json()["data"]["object"]["callId"], json!(id));
    let [transcript] = transcripts.take().try_into().unwrap();
    assert_eq!(transcript.json()["type"], kind);
    assert_eq!(
        transcript.json()["data"]["object"]["dialogue"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(texts_only.take().is_empty());
    assert!(elsewhere.take().is_empty());
}

#[tokio::test]
async fn a_missed_call_is_completed_without_an_answer() {
    let api = start().await;
    let (v4, dated) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    api.control
        .register_webhook(&v4.url, WebhookFormat::V4)
        .unwrap();
    api.control
        .register_webhook(&dated.url, WebhookFormat::Dated)
        .unwrap();
    let call = json!({ "from": THEM, "to": api.sandbox.phone_number_id(), "end": "missed" });
    let id = api
        .post("/_sandbox/inbound-calls", &call)
        .await
        .expect(201)
        .json()["id"]
        .clone();
    api.control.webhooks_settled().await;
    let heard = v4.take();
    assert_eq!(kinds(&heard), ["call.completed", "call.ringing"]);
    let completed = heard
        .iter()
        .map(Received::json)
        .find(|one| one["type"] == "call.completed");
    let call = &completed.unwrap()["data"]["object"];
    assert_eq!((&call["id"], &call["status"]), (&id, &json!("no-answer")));
    assert_eq!(
        (&call["answeredAt"], &call["answeredBy"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        kinds(&dated.take()),
        ["call.completed", "call.missed", "call.ringing"],
        "the dated ones have an event of their own for it"
    );

    for wrong in [
        json!({ "from": THEM, "to": "+12025550199", "end": "missed" }),
        json!({ "from": " ", "to": api.sandbox.phone_number(), "end": "missed" }),
        json!({ "from": THEM, "to": api.sandbox.phone_number(), "end": "busy" }),
    ] {
        let answer = api
            .post("/_sandbox/inbound-calls", &wrong)
            .await
            .expect(400);
        assert!(answer.json()["error"].is_string(), "{wrong}");
    }
    let error = api
        .control
        .place_inbound_call(THEM, "PNnone", CallEnd::Missed)
        .unwrap_err();
    assert!(
        error.to_string().starts_with("the call is not possible"),
        "{error}"
    );
}
