//! Dated webhooks: managed over the API, signed with keys of their own, and logged.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vendor_sandbox::openphone::{CallEnd, NewCall, TextFailure};
use vendor_sandbox::{DeliveryState, Sandbox};

use crate::receiver::{Received, Receiver};
use crate::support::{Api, keys};

const THEM: &str = "+12025550143";
const HOOK: &str = "https://app.example.com/hooks/quo";

async fn start() -> Api {
    let builder = Sandbox::openphone()
        .rate_limit(None)
        .webhook_retry_compression(u32::MAX);
    Api::on(builder.start().await.unwrap()).with_version(Some("2026-03-30"))
}

async fn create(api: &Api, url: &str, events: &[&str]) -> Value {
    let body = json!({ "url": url, "events": events });
    api.post("/webhooks", &body).await.expect(201).json()["data"].clone()
}

fn path(webhook: &Value) -> String {
    format!("/webhooks/{}", webhook["id"].as_str().unwrap())
}

fn is_signed_with(received: &Received, key: &Value) -> bool {
    let header = |name: &str| received.header(name).unwrap();
    let signed = [
        header("webhook-id").as_bytes(),
        b".",
        header("webhook-timestamp").as_bytes(),
        b".",
        &received.body,
    ];
    let key = key.as_str().unwrap().strip_prefix("whsec_").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    hmac::verify(&key, &signed.concat(), &STANDARD.decode(signature).unwrap()).is_ok()
}

fn kinds(received: &[Received]) -> Vec<String> {
    let kind = |one: &Received| one.json()["type"].as_str().unwrap().to_owned();
    let mut kinds: Vec<_> = received.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds
}

#[tokio::test]
async fn a_webhook_shows_its_key_once_and_again_when_it_is_rotated() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let made = create(&api, &inbox.url, &["message.received"]).await;
    assert!(
        made["id"]
            .as_str()
            .unwrap()
            .bytes()
            .all(|byte| byte.is_ascii_digit())
    );
    assert_eq!(made["resourceIds"], json!(["*"]));
    let shown = api.get(&path(&made)).await.expect(200).json()["data"].clone();
    assert_eq!(shown.get("key"), None);
    let list = api.get("/webhooks").await.expect(200).json();
    assert_eq!(keys(&list), ["data"], "unpaged");
    assert_eq!(list["data"], json!([shown]));
    // The other surface does not see it, nor this one those of the other.
    let v1 = api.get("/v1/webhooks").await.expect(200).json();
    assert_eq!(v1["data"], json!([]));
    let place = || {
        api.control
            .place_inbound_text(THEM, api.sandbox.phone_number(), "Hi")
            .unwrap()
    };
    place();
    api.control.webhooks_settled().await;
    let [first] = inbox.take().try_into().unwrap();
    assert!(is_signed_with(&first, &made["key"]));
    let rotate = format!("{}/rotate", path(&made));
    let rotated = api
        .send("POST", &rotate, None)
        .await
        .unwrap()
        .expect(200)
        .json();
    place();
    api.control.webhooks_settled().await;
    let [second] = inbox.take().try_into().unwrap();
    assert!(is_signed_with(&second, &rotated["data"]["key"]));
    assert!(!is_signed_with(&second, &made["key"]));
}

#[tokio::test]
async fn a_webhook_is_changed_and_deleted() {
    let api = start().await;
    let (old, new) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let made = create(&api, &old.url, &["message.received"]).await;
    let numbers = api.get("/phone-numbers").await.json();
    let private = numbers["data"][1]["id"].clone();
    let patch = json!({ "url": new.url, "events": ["contact.updated", "message.received"], "resourceIds": [private], "label": "CRM" });
    let changed = api.patch(&path(&made), &patch).await.expect(200).json()["data"].clone();
    for (name, value) in patch.as_object().unwrap() {
        assert_eq!(changed[name], *value, "{name}");
    }
    let number = api.sandbox.phone_number();
    api.control.place_inbound_text(THEM, number, "Hi").unwrap();
    // A contact is at no number, and is heard of at every one.
    api.post("/contacts", &json!({ "firstName": "Ada" }))
        .await
        .expect(201);
    api.control.webhooks_settled().await;
    assert_eq!(kinds(&new.take()), ["contact.updated"]);
    assert!(old.take().is_empty());
    let reset = json!({ "resourceIds": null, "label": null, "status": "disabled" });
    let changed = api.patch(&path(&made), &reset).await.expect(200).json()["data"].clone();
    assert_eq!(
        (&changed["resourceIds"], &changed["label"]),
        (&json!(["*"]), &Value::Null)
    );
    api.control.place_inbound_text(THEM, number, "Hi").unwrap();
    api.control.webhooks_settled().await;
    assert!(new.take().is_empty());
    api.delete(&path(&made)).await.expect(204);
    api.get(&path(&made)).await.expect(404);
}

#[tokio::test]
async fn bodies_of_webhooks_are_checked() {
    let api = start().await;
    let body = |name: &str, value: Value| {
        let mut body = json!({ "url": HOOK, "events": ["message.received"] });
        body[name] = value;
        body
    };
    for (body, paths) in [
        (json!({}), vec!["/body/url", "/body/events"]),
        (body("url", json!("x")), vec!["/body/url"]),
        (body("events", json!([])), vec!["/body/events"]),
        (
            body("events", json!(["message.sent"])),
            vec!["/body/events"],
        ),
        (body("events", json!("x")), vec!["/body/events"]),
        (body("resourceIds", json!([])), vec!["/body/resourceIds"]),
        (body("resourceIds", Value::Null), vec!["/body/resourceIds"]),
        (body("status", json!("on")), vec!["/body/status"]),
        (body("label", json!(1)), vec!["/body/label"]),
    ] {
        let refused = api.post("/webhooks", &body).await.expect(400);
        assert_eq!(refused.error_paths(), paths, "{body}");
    }
    api.post("/webhooks", &body("resourceIds", json!(["PNnone"])))
        .await
        .expect(404);
    for _ in 0..50 {
        create(&api, HOOK, &["message.received"]).await;
    }
    api.post("/webhooks", &body("label", json!("one too many")))
        .await
        .expect(400);
}

#[tokio::test]
async fn the_life_of_a_call_is_told_step_by_step() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    create(
        &api,
        &inbox.url,
        &[
            "call.ringing",
            "call.answered",
            "call.completed",
            "call.missed",
            "call.forwarded",
            "call.recording.completed",
            "call.transcript.completed",
            "call.summary.completed",
            "call.voicemail.completed",
        ],
    )
    .await;
    for (end, expected) in [
        (
            CallEnd::Answered,
            vec![
                "call.answered",
                "call.completed",
                "call.recording.completed",
                "call.ringing",
                "call.summary.completed",
                "call.transcript.completed",
            ],
        ),
        (
            CallEnd::Missed,
            vec!["call.completed", "call.missed", "call.ringing"],
        ),
        (
            CallEnd::Voicemail,
            vec![
                "call.completed",
                "call.missed",
                "call.ringing",
                "call.voicemail.completed",
            ],
        ),
        (
            CallEnd::Forwarded,
            vec![
                "call.completed",
                "call.forwarded",
                "call.recording.completed",
                "call.ringing",
                "call.summary.completed",
                "call.transcript.completed",
            ],
        ),
        (CallEnd::Abandoned, vec!["call.completed", "call.ringing"]),
    ] {
        api.control
            .place_inbound_call(THEM, api.sandbox.phone_number(), end)
            .unwrap();
        api.control.webhooks_settled().await;
        let heard = inbox.take();
        assert_eq!(kinds(&heard), expected, "{end:?}");
        let completed = heard
            .iter()
            .map(Received::json)
            .find(|one| one["type"] == "call.completed")
            .unwrap();
        let status = match end {
            CallEnd::Answered => "answered",
            CallEnd::Forwarded => "forwarded",
            CallEnd::Abandoned => "abandoned",
            _ => "unanswered",
        };
        assert_eq!(completed["data"]["resource"]["status"], status);
        assert_eq!(
            completed["data"]["resource"]["hasVoicemail"],
            end == CallEnd::Voicemail
        );
    }
}

#[tokio::test]
async fn a_live_call_is_told_while_it_goes_on() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let events = [
        "call.menu.selected",
        "call.ringing",
        "call.answered",
        "call.completed",
        "call.recording.completed",
    ];
    create(&api, &inbox.url, &events).await;
    let instant = Duration::from_millis(1);
    let call = NewCall::incoming(THEM, api.sandbox.phone_number())
        .menu("1", "Sales")
        .ringing(instant)
        .talking(instant)
        .live(true);
    let id = api.control.place_call(&call).unwrap();
    api.control.webhooks_settled().await;
    let heard = inbox.take();
    let mut expected = events.to_vec();
    expected.sort_unstable();
    assert_eq!(kinds(&heard), expected);
    for event in heard.iter().map(Received::json) {
        let resource = &event["data"]["resource"];
        assert_eq!(resource["id"], json!(id));
        if event["type"] == "call.menu.selected" {
            assert_eq!(resource["phoneMenuSelectionName"], "Sales");
        }
    }
    let call = api.get(&format!("/calls/{id}")).await.expect(200).json();
    assert_eq!(call["data"]["callRoute"], "phone-menu");
    let outgoing = NewCall::outgoing(api.sandbox.phone_number(), THEM).menu("1", "Sales");
    assert!(api.control.place_call(&outgoing).is_err());
}

#[tokio::test]
async fn texts_that_fail_are_told() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    create(&api, &inbox.url, &["message.failed", "message.undelivered"]).await;
    let number = api.sandbox.phone_number();
    for failure in [
        TextFailure::Failed,
        TextFailure::Undelivered("30007".to_owned()),
    ] {
        api.control.fail_next_text(failure);
        let text = json!({ "content": "x", "from": number, "to": [THEM] });
        api.post("/v1/messages", &text).await.expect(202);
    }
    api.control.webhooks_settled().await;
    assert_eq!(
        kinds(&inbox.take()),
        ["message.failed", "message.undelivered"]
    );
}

const TASKS: [&str; 12] = [
    "task.assigned",
    "task.completed",
    "task.created",
    "task.deleted",
    "task.duedate.removed",
    "task.duedate.updated",
    "task.linked",
    "task.overdue",
    "task.reopened",
    "task.unassigned",
    "task.unlinked",
    "task.updated",
];

#[tokio::test]
async fn what_happens_to_tasks_is_told() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    create(&api, &inbox.url, &TASKS).await;
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "Hi")
        .unwrap();
    let conversation = api.get("/conversations").await.json()["data"][0]["id"].clone();
    let user = api.get("/users").await.json()["data"][0]["id"].clone();
    let new = json!({ "title": "T", "description": "D", "conversationId": conversation });
    let made = api.post("/tasks", &new).await.expect(201).json();
    let path = format!("/tasks/{}", made["data"]["taskId"].as_str().unwrap());
    for (method, rest, body) in [
        ("PATCH", "", json!({ "title": "New", "description": "D" })),
        ("PATCH", "/status", json!({ "status": "completed" })),
        ("PATCH", "/status", json!({ "status": "open" })),
        ("POST", "/users", json!({ "userId": user })),
        ("DELETE", "/users", json!({ "userId": user })),
        (
            "DELETE",
            "/conversations",
            json!({ "conversationId": conversation }),
        ),
        (
            "POST",
            "/conversations",
            json!({ "conversationId": conversation }),
        ),
        (
            "PATCH",
            "/due-date",
            json!({ "dueDate": "2020-01-01T00:00:00Z" }),
        ),
    ] {
        api.send(method, &format!("{path}{rest}"), Some(&body))
            .await
            .unwrap()
            .expect(200);
    }
    // It was due before, and becomes overdue by itself.
    while api
        .control
        .deliveries()
        .iter()
        .all(|one| one.event != "task.overdue")
    {
        tokio::task::yield_now().await;
    }
    api.delete(&format!("{path}/due-date")).await.expect(200);
    api.delete(&path).await.expect(204);
    api.control.webhooks_settled().await;
    let heard = inbox.take();
    assert_eq!(kinds(&heard), TASKS);
    let updated = heard
        .iter()
        .map(Received::json)
        .find(|one| one["type"] == "task.updated")
        .unwrap();
    assert_eq!(
        updated["data"]["resource"]["updatedFields"],
        json!({ "title": { "isUpdated": true, "updatedValue": "New" }, "description": { "isUpdated": false } })
    );
}

#[tokio::test]
async fn the_log_tells_of_attempts_and_sends_once_more() {
    let api = start().await;
    let inbox = Receiver::start(&[500]).await;
    let made = create(&api, &inbox.url, &["message.received"]).await;
    let text = api
        .control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "Hi")
        .unwrap();
    api.control.webhooks_settled().await;
    let log = format!("{}/events", path(&made));
    let list = api.get(&log).await.expect(200).json();
    assert_eq!(keys(&list), ["data", "nextCursor"]);
    let entry = &list["data"][0];
    assert_eq!(
        (&entry["status"], &entry["eventType"]),
        (&json!("success"), &json!("message.received"))
    );
    assert_eq!(
        (&entry["resourceId"], &entry["nextAttemptAt"]),
        (&text["id"], &Value::Null)
    );
    let received = inbox.take();
    assert_eq!(
        json!(received[0].header("webhook-id").unwrap()),
        entry["id"]
    );
    for (query, expected) in [
        ("status=success".to_owned(), 1),
        ("status=failed".to_owned(), 0),
        ("eventType=message.received".to_owned(), 1),
        ("eventType[in]=call.ringing,call.missed".to_owned(), 0),
        (format!("resourceId={}", text["id"].as_str().unwrap()), 1),
        ("createdAt[gt]=2100-01-01T00:00:00Z".to_owned(), 0),
    ] {
        let list = api.get(&format!("{log}?{query}")).await.expect(200).json();
        assert_eq!(list["data"].as_array().unwrap().len(), expected, "{query}");
    }
    let one = format!("{log}/{}", entry["id"].as_str().unwrap());
    api.send("POST", &format!("{one}/retry"), None)
        .await
        .unwrap()
        .expect(202);
    api.control.webhooks_settled().await;
    let again = inbox.take();
    assert_eq!(
        again[0].header("webhook-id"),
        received[0].header("webhook-id")
    );
    let detail = api.get(&one).await.expect(200).json()["data"].clone();
    assert_eq!(detail["requestBody"], received[0].json());
    let attempts = detail["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|one| {
            (
                &one["status"],
                &one["responseStatusCode"],
                &one["triggerType"],
            )
        })
        .collect();
    let (failed, success) = (json!("failed"), json!("success"));
    let (scheduled, manual) = (json!("scheduled"), json!("manual"));
    assert_eq!(
        told,
        [
            (&failed, &json!(500), &scheduled),
            (&success, &json!(200), &scheduled),
            (&success, &json!(200), &manual),
        ]
    );
    assert_eq!(attempts[0]["responseBody"], "ok");
    api.get(&format!("{log}/msg_none")).await.expect(404);
    api.get("/webhooks/1/events").await.expect(404);
}

#[tokio::test]
async fn a_test_event_is_signed_as_any_other() {
    let api = start().await;
    let inbox = Receiver::start(&[]).await;
    let made = create(&api, &inbox.url, &["contact.updated"]).await;
    let test = format!("{}/events/test", path(&made));
    for event in [
        "message.received",
        "call.menu.selected",
        "call.summary.completed",
        "task.overdue",
        "contact.deleted",
        "integration.created",
    ] {
        let body = json!({ "eventType": event });
        let answer = api.post(&test, &body).await.expect(200).json();
        assert_eq!(answer["type"], event, "bare");
        api.control.webhooks_settled().await;
        let [received] = inbox.take().try_into().unwrap();
        assert!(is_signed_with(&received, &made["key"]));
        assert_eq!(received.json(), answer);
    }
    api.post(&test, &json!({ "eventType": "message.sent" }))
        .await
        .expect(400);
    let away = create(&api, HOOK, &["contact.updated"]).await;
    let test = format!("{}/events/test", path(&away));
    api.post(&test, &json!({ "eventType": "task.created" }))
        .await
        .expect(200);
    assert_eq!(
        api.control.deliveries().last().unwrap().state,
        DeliveryState::Withheld
    );
}
