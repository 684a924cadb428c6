//! The dated surface of the sandbox against what is known of the vendor's own: a specification that
//! was put together from its documentation, and its samples.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

#[path = "shared/material.rs"]
mod material;
#[path = "it/receiver.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod receiver;
#[path = "shared/schema.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod schema;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::dated::{self, OPERATIONS};
use vendor_sandbox::openphone::{CallEnd, NewCall, Plan, TextFailure, WebhookFormat};

use crate::material::{assert_same_keys, fixture, read, shared};
use crate::receiver::Receiver;
use crate::schema::Spec;
use crate::support::{Answer, Api};

const THEM: &str = "+12025550143";
const SPEC: &str = "vendor-specs/openphone-2026-03-30.reconstructed.json";

/// A workspace in which everything has happened once, and the ids of what is there.
struct Scene {
    api: Api,
    ids: BTreeMap<&'static str, String>,
    /// Keeps the port of the webhook open.
    _inbox: Receiver,
}

impl Scene {
    async fn start(folder: &Path) -> Self {
        let builder = Sandbox::openphone()
            .rate_limit(None)
            .webhook_retry_compression(u32::MAX);
        let api = Api::on(builder.start().await.unwrap()).with_version(Some("2026-03-30"));
        let inbox = Receiver::start(&[]).await;
        let number = api.sandbox.phone_number();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut ids = BTreeMap::new();
        let body = json!({ "url": inbox.url, "events": ["message.received"], "label": "CRM" });
        let webhook = api.post("/webhooks", &body).await.expect(201).json();
        ids.insert("webhookId", text(&webhook["data"]["id"]));
        let body = fixture(folder, "2026-03-30.createContact.request");
        let contact = api.post("/contacts", &body).await.expect(201).json();
        ids.insert("contactId", text(&contact["data"]["id"]));
        let path = format!("/contacts/{}", ids["contactId"]);
        let body = fixture(folder, "2026-03-30.createContactProperty.request");
        let property = api
            .post(&format!("{path}/properties"), &body)
            .await
            .expect(200);
        ids.insert("propertyId", text(&property.json()["data"]["id"]));
        let note = api
            .post(&format!("{path}/notes"), &json!({ "text": "x" }))
            .await
            .expect(200);
        ids.insert("noteId", text(&note.json()["data"]["id"]));
        let received = api
            .control
            .place_inbound_text(THEM, number, "Hello")
            .unwrap();
        ids.insert("conversationId", text(&received["conversationId"]));
        api.control.fail_next_text(TextFailure::Failed);
        let body = json!({ "content": "x", "from": number, "to": [THEM] });
        let sent = api.post("/v1/messages", &body).await.expect(202).json();
        ids.insert("messageId", text(&sent["data"]["id"]));
        let call = NewCall::incoming(THEM, number).end(CallEnd::AiHandled);
        ids.insert("callId", api.control.place_call(&call).unwrap());
        api.control.finish_calls();
        let task =
            json!({ "title": "T", "description": "D", "conversationId": ids["conversationId"] });
        let task = api.post("/tasks", &task).await.expect(201).json();
        ids.insert("taskId", text(&task["data"]["taskId"]));
        ids.insert("phoneNumberId", api.sandbox.phone_number_id());
        let users = api.get("/users").await.json();
        ids.insert("userId", text(&users["data"][0]["id"]));
        api.control.webhooks_settled().await;
        let log = api
            .get(&format!("/webhooks/{}/events", ids["webhookId"]))
            .await
            .json();
        ids.insert("deliveryId", text(&log["data"][0]["id"]));
        Self {
            api,
            ids,
            _inbox: inbox,
        }
    }

    /// Carries an operation out the way it succeeds.
    async fn call(&self, operation: vendor_sandbox::Operation, folder: &Path) -> Answer {
        let mut path = operation.template().to_owned();
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let text = json!({ "text": "Another note" });
        let conversation = json!({ "conversationId": self.ids["conversationId"] });
        let user = json!({ "userId": self.ids["userId"] });
        let body = match operation {
            dated::CREATE_CONTACT => Some(fixture(folder, "2026-03-30.createContact.request")),
            dated::UPDATE_CONTACT => Some(json!({ "lastName": null, "role": "CTO" })),
            dated::CREATE_CONTACT_NOTE | dated::UPDATE_CONTACT_NOTE => Some(text),
            dated::CREATE_CONTACT_PROPERTY => {
                Some(fixture(folder, "2026-03-30.createContactProperty.request"))
            }
            dated::UPDATE_CONTACT_PROPERTY => Some(json!({ "value": THEM })),
            dated::CREATE_TASK => {
                let mut body = conversation;
                body["title"] = json!("T");
                body["description"] = json!("D");
                Some(body)
            }
            dated::UPDATE_TASK => Some(json!({ "title": "N", "description": "D" })),
            dated::UPDATE_TASK_STATUS => Some(json!({ "status": "completed" })),
            dated::LINK_TASK_CONVERSATION | dated::UNLINK_TASK_CONVERSATION => Some(conversation),
            dated::ASSIGN_TASK_USER | dated::UNASSIGN_TASK_USER => Some(user),
            dated::UPDATE_TASK_DUE_DATE => Some(json!({ "dueDate": "2100-01-01T00:00:00Z" })),
            dated::CREATE_WEBHOOK => Some(json!({
                "url": "https://example.com/hooks",
                "events": ["call.completed"],
                "resourceIds": [self.ids["phoneNumberId"]],
                "status": "disabled",
                "label": "x",
            })),
            dated::UPDATE_WEBHOOK => Some(json!({ "label": null })),
            dated::SEND_WEBHOOK_TEST_EVENT => Some(json!({ "eventType": "call.completed" })),
            dated::GET_PHONE_NUMBER => {
                path.push_str("?include=restrictions,businessHours");
                None
            }
            dated::LIST_CALLS | dated::GET_CALL => {
                path.push_str("?include=summary,voicemail");
                None
            }
            _ => None,
        };
        let answer = self.api.send(operation.method(), &path, body.as_ref());
        answer.await.unwrap()
    }
}

/// Those that take away what the others look at, the parts before the whole.
const DELETIONS: [vendor_sandbox::Operation; 5] = [
    dated::DELETE_CONTACT_NOTE,
    dated::DELETE_CONTACT_PROPERTY,
    dated::DELETE_CONTACT,
    dated::DELETE_TASK,
    dated::DELETE_WEBHOOK,
];

#[tokio::test]
async fn shared_dated_answers_keep_the_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, SPEC));
    let scene = Scene::start(&folder).await;
    let kept = OPERATIONS.iter().filter(|one| !DELETIONS.contains(one));
    for operation in kept.chain(&DELETIONS) {
        let answer = scene.call(*operation, &folder).await;
        assert!(answer.status < 300, "{operation}: {}", answer.text());
        let problems = spec.check(operation.id(), answer.status, &answer.body);
        assert_eq!(
            problems,
            Vec::<String>::new(),
            "{operation}: {}",
            answer.text()
        );
    }
    let counts = scene.api.control.operations();
    let untouched: Vec<_> = counts
        .iter()
        .filter(|count| OPERATIONS.contains(&count.operation) && count.succeeded == 0)
        .collect();
    assert!(untouched.is_empty(), "{untouched:?}");
}

#[tokio::test]
async fn shared_dated_answers_have_the_keys_of_the_samples() {
    let Some(folder) = shared() else { return };
    let scene = Scene::start(&folder).await;
    for (operation, sample) in [
        (dated::GET_CONTACT, "getContact.200"),
        (dated::LIST_CONTACT_PROPERTIES, "listContactProperties.200"),
        (dated::LIST_CONTACT_SHARES, "listContactShares.200"),
        (dated::LIST_CALL_RECORDINGS, "getCallRecordings.200"),
        (dated::LIST_CALL_TRANSCRIPTS, "getCallTranscripts.200"),
        (dated::LIST_CONVERSATIONS, "listConversations.200"),
        (dated::GET_PHONE_NUMBER, "getPhoneNumber.200"),
        (
            dated::LIST_AVAILABLE_PHONE_NUMBERS,
            "getAvailablePhoneNumbers.200",
        ),
        (dated::GET_ORGANIZATION, "getOrganization.200"),
        (dated::GET_TASK, "getTask.200"),
        (dated::CREATE_TASK, "createTask.201"),
        (dated::LIST_WEBHOOKS, "listWebhooks.200"),
        (dated::CREATE_WEBHOOK, "createWebhook.201"),
        (dated::LIST_WEBHOOK_DELIVERIES, "listWebhookDeliveries.200"),
        (dated::GET_WEBHOOK_DELIVERY, "getWebhookDelivery.200"),
        (dated::ROTATE_WEBHOOK_SECRET, "rotateWebhookSecret.200"),
    ] {
        let answer = scene.call(operation, &folder).await;
        let sample = fixture(&folder, &format!("2026-03-30.{sample}"));
        assert_same_keys(&answer.json(), &sample, operation.id());
    }
    // The jobs of an agent are in none of the samples.
    let mut calls = scene.call(dated::LIST_CALLS, &folder).await.json();
    assert!(calls["data"][0]["summary"]["jobs"].take().is_array());
    assert_same_keys(
        &calls,
        &fixture(&folder, "2026-03-30.listCalls.200"),
        "calls",
    );
}

#[tokio::test]
async fn shared_dated_errors_keep_the_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, SPEC));
    let scene = Scene::start(&folder).await;
    let api = &scene.api;
    let call = format!("/calls/{}/transcripts", scene.ids["callId"]);
    let retry = format!("/messages/{}/retry", scene.ids["messageId"]);
    api.send("POST", &retry, None).await.unwrap().expect(202);
    api.control.set_plan(Plan::Starter);
    let sample = fixture(&folder, "2026-03-30.error.400.validation");
    let invalid = api.get("/users?limit=200").await.expect(400);
    assert_same_keys(&invalid.json(), &sample, "validation");
    assert_eq!(invalid.json()["errors"], sample["errors"]);
    let pattern = api.get("/calls/abc123").await.expect(400);
    let sample = fixture(&folder, "2026-03-30.error.400.pattern");
    assert_eq!(pattern.json()["errors"], sample["errors"]);
    assert_eq!(pattern.json()["message"], sample["message"]);
    let seen = [
        (dated::LIST_USERS, invalid),
        (dated::GET_CALL, pattern),
        (
            dated::LIST_CALL_TRANSCRIPTS,
            api.get(&call).await.expect(403),
        ),
        (
            dated::GET_CONTACT,
            api.get("/contacts/none").await.expect(404),
        ),
        (
            dated::CREATE_CONTACT,
            api.post("/contacts", &json!({})).await.expect(400),
        ),
        (
            dated::RETRY_MESSAGE,
            api.send("POST", &retry, None).await.unwrap().expect(422),
        ),
    ];
    for (operation, answer) in &seen {
        let problems = spec.check(operation.id(), answer.status, &answer.body);
        assert_eq!(problems, Vec::<String>::new(), "{operation}");
    }
    let api = scene.api.with_key(Some("wrong"));
    let answer = api.get("/users").await.expect(401);
    assert!(
        spec.check(dated::LIST_USERS.id(), 401, &answer.body)
            .is_empty()
    );
    let api = api.with_version(None);
    let answer = api.get("/users").await.expect(400);
    assert!(
        spec.check(dated::LIST_USERS.id(), 400, &answer.body)
            .is_empty()
    );
}

#[tokio::test]
async fn shared_dated_events_have_the_keys_of_the_samples() {
    let Some(folder) = shared() else { return };
    let scene = Scene::start(&folder).await;
    let (api, inbox) = (&scene.api, Receiver::start(&[]).await);
    api.control
        .register_webhook(&inbox.url, WebhookFormat::Dated)
        .unwrap();
    let number = api.sandbox.phone_number();
    for end in [CallEnd::Answered, CallEnd::Voicemail, CallEnd::Forwarded] {
        api.control.place_inbound_call(THEM, number, end).unwrap();
    }
    let chosen = NewCall::incoming(THEM, number).menu("1", "Sales");
    api.control.place_call(&chosen).unwrap();
    for code in ["30006", "30007"] {
        let code = code.to_owned();
        api.control.fail_next_text(match &*code {
            "30006" => TextFailure::FailedWith(code),
            _ => TextFailure::Undelivered(code),
        });
        let body = json!({ "content": "x", "from": number, "to": [THEM] });
        api.post("/v1/messages", &body).await.expect(202);
    }
    let task = json!({ "title": "T", "description": "D", "activityId": scene.ids["callId"] });
    let task = api.post("/v1/tasks", &task).await.expect(201).json();
    let path = format!("/tasks/{}", task["data"]["taskId"].as_str().unwrap());
    let conversation = json!({ "conversationId": scene.ids["conversationId"] });
    let user = json!({ "userId": scene.ids["userId"] });
    for (method, rest, body) in [
        ("PATCH", "", json!({ "title": "N", "description": "D" })),
        ("PATCH", "/status", json!({ "status": "completed" })),
        ("PATCH", "/status", json!({ "status": "open" })),
        ("POST", "/users", user.clone()),
        ("DELETE", "/users", user),
        ("POST", "/conversations", conversation.clone()),
        (
            "PATCH",
            "/due-date",
            json!({ "dueDate": "2100-01-01T00:00:00Z" }),
        ),
        ("DELETE", "/due-date", json!({})),
        ("DELETE", "/conversations", conversation),
        ("DELETE", "", json!({})),
    ] {
        let answer = api
            .send(method, &format!("{path}{rest}"), Some(&body))
            .await
            .unwrap();
        assert!(answer.status < 300, "{method} {rest} {}", answer.text());
    }
    api.control.webhooks_settled().await;
    let mut compared = 0;
    for event in inbox.take().iter().map(receiver::Received::json) {
        let kind = event["type"].as_str().unwrap();
        // No sample of these is known.
        if ["call.missed", "task.completed"].contains(&kind) {
            continue;
        }
        let sample = fixture(&folder, &format!("webhook.2026-03-30.{kind}"));
        assert_same_keys(&event, &sample, kind);
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
}
