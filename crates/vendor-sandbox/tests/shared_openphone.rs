//! The sandbox against the vendor's own material: its specification and its samples. They are
//! not part of this repository; `CONNECTORS_SHARED_DIR` names the folder that holds them, and
//! without it these tests say that they were skipped.

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

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::{
    ASSIGN_TASK, CHANGE_TASK_DUE_DATE, COMPLETE_TASK, CREATE_CALL_SUMMARY_WEBHOOK,
    CREATE_CALL_TRANSCRIPT_WEBHOOK, CREATE_CALL_WEBHOOK, CREATE_CONTACT, CREATE_MESSAGE_WEBHOOK,
    CREATE_TASK, CallEnd, CustomFieldKind, DELETE_CONTACT, DELETE_TASK, DELETE_WEBHOOK, GET_CALL,
    GET_CALL_SUMMARY, GET_CALL_TRANSCRIPT, GET_CALL_VOICEMAIL, GET_CONTACT, GET_MESSAGE,
    GET_PHONE_NUMBER, GET_TASK, GET_USER, GET_WEBHOOK, LINK_TASK_TO_CONVERSATION,
    LIST_CALL_RECORDINGS, LIST_CALLS, LIST_CONTACTS, LIST_CONVERSATIONS, LIST_CUSTOM_FIELDS,
    LIST_MESSAGES, LIST_PHONE_NUMBERS, LIST_TASKS, LIST_USERS, LIST_WEBHOOKS,
    MARK_CONVERSATION_AS_DONE, MARK_CONVERSATION_AS_OPEN, MARK_CONVERSATION_AS_READ,
    MessagingBlock, OPERATIONS, Plan, REMOVE_TASK_DUE_DATE, REOPEN_TASK, SEND_MESSAGE,
    UNASSIGN_TASK, UNLINK_TASK_FROM_CONVERSATION, UPDATE_CONTACT, UPDATE_TASK, WebhookFormat,
};
use vendor_sandbox::{Fault, FaultPlan, Operation, When};

use crate::material::{assert_same_keys, fixture, paths, read, shared};
use crate::receiver::Receiver;
use crate::schema::Spec;
use crate::support::{Answer, Api, encoded};

const THEM: &str = "+12025550143";

const CREATE_WEBHOOKS: [Operation; 4] = [
    CREATE_MESSAGE_WEBHOOK,
    CREATE_CALL_WEBHOOK,
    CREATE_CALL_SUMMARY_WEBHOOK,
    CREATE_CALL_TRANSCRIPT_WEBHOOK,
];

/// The vendor's sample of a body that creates a webhook, with the ids of this sandbox.
async fn webhook_body(api: &Api, operation: Operation, folder: &std::path::Path) -> Value {
    let mut body = fixture(folder, &format!("v1.{operation}.request"));
    let users = api.get("/v1/users?maxResults=1").await.json();
    body["userId"] = users["data"][0]["id"].clone();
    body["resourceIds"] = json!([api.sandbox.phone_number_id()]);
    body
}

/// A sandbox with one contact, a text each way, a webhook, and a field as in the vendor's samples.
struct Scene {
    api: Api,
    webhook: String,
    contact: String,
    sent: String,
    received: String,
    conversation: String,
    task: String,
    user: String,
    /// A call that a machine answered: it leaves the most behind.
    call: String,
    voicemail: String,
}

impl Scene {
    async fn start(folder: &std::path::Path) -> Self {
        let builder = Sandbox::openphone()
            .rate_limit(None)
            .unique_external_ids(true)
            .webhook_retry_compression(u32::MAX)
            .custom_field("Inbound Lead", "inbound-lead", CustomFieldKind::MultiSelect);
        let api = Api::on(builder.start().await.unwrap());
        let mut body = fixture(folder, "v1.createContact_v1.request");
        body.as_object_mut().unwrap().remove("createdByUserId");
        let contact = api.post("/v1/contacts", &body).await.expect(201).json();
        let text = json!({ "content": "Hi", "from": api.sandbox.phone_number(), "to": [THEM] });
        let sent = api.post("/v1/messages", &text).await.expect(202).json();
        let received = api
            .control
            .place_inbound_text(THEM, api.sandbox.phone_number(), "Hello")
            .unwrap();
        let body = webhook_body(&api, CREATE_MESSAGE_WEBHOOK, folder).await;
        let webhook = api
            .post("/v1/webhooks/messages", &body)
            .await
            .expect(201)
            .json();
        let number = api.sandbox.phone_number();
        let place = |end| api.control.place_inbound_call(THEM, number, end).unwrap();
        let (call, voicemail) = (place(CallEnd::AiHandled), place(CallEnd::Voicemail));
        api.control.finish_calls();
        let task = json!({ "title": "T", "description": "D", "activityId": call });
        let task = api.post("/v1/tasks", &task).await.expect(201).json();
        let users = api.get("/v1/users?maxResults=1").await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        Self {
            webhook: id(&webhook["data"]),
            contact: id(&contact["data"]),
            sent: id(&sent["data"]),
            received: id(&received),
            conversation: text(&received["conversationId"]),
            task: text(&task["data"]["taskId"]),
            user: text(&users["data"][0]["id"]),
            call,
            voicemail,
            api,
        }
    }

    /// Carries an operation out the way it succeeds.
    async fn call(&self, operation: Operation, folder: &std::path::Path) -> Answer {
        let api = &self.api;
        let number = api.sandbox.phone_number_id();
        let contact = format!("/v1/contacts/{}", self.contact);
        match operation {
            CREATE_CONTACT => {
                let mut body = fixture(folder, "v1.createContact_v1.request");
                body["externalId"] = json!("another");
                body.as_object_mut().unwrap().remove("createdByUserId");
                api.post("/v1/contacts", &body).await
            }
            LIST_CONTACTS => api.get("/v1/contacts?maxResults=1").await,
            GET_CONTACT => api.get(&contact).await,
            UPDATE_CONTACT => {
                let mut body = fixture(folder, "v1.updateContactById_v1.request");
                // The ids of the sample are those of the sample's contact.
                for list in [
                    "/defaultFields/emails/0",
                    "/defaultFields/phoneNumbers/0",
                    "/customFields/0",
                ] {
                    body.pointer_mut(list)
                        .unwrap()
                        .as_object_mut()
                        .unwrap()
                        .remove("id");
                }
                api.patch(&contact, &body).await
            }
            DELETE_CONTACT => api.delete(&contact).await,
            LIST_CUSTOM_FIELDS => api.get("/v1/contact-custom-fields").await,
            LIST_PHONE_NUMBERS => api.get("/v1/phone-numbers").await,
            GET_PHONE_NUMBER => api.get(&format!("/v1/phone-numbers/{number}")).await,
            SEND_MESSAGE => {
                let body = json!({ "content": "x", "from": number, "to": [THEM, "+12025550144"] });
                api.post("/v1/messages", &body).await
            }
            LIST_MESSAGES => {
                let them = encoded(THEM);
                let path = format!("/v1/messages?phoneNumberId={number}&participants={them}");
                api.get(&format!("{path}&maxResults=1")).await
            }
            GET_MESSAGE => api.get(&format!("/v1/messages/{}", self.sent)).await,
            LIST_USERS => api.get("/v1/users?maxResults=1").await,
            GET_USER => {
                let users = api.get("/v1/users?maxResults=1").await.json();
                api.get(&format!(
                    "/v1/users/{}",
                    users["data"][0]["id"].as_str().unwrap()
                ))
                .await
            }
            LIST_WEBHOOKS => api.get("/v1/webhooks").await,
            GET_WEBHOOK => api.get(&format!("/v1/webhooks/{}", self.webhook)).await,
            DELETE_WEBHOOK => api.delete(&format!("/v1/webhooks/{}", self.webhook)).await,
            create if CREATE_WEBHOOKS.contains(&create) => {
                let body = webhook_body(api, create, folder).await;
                api.post(create.template(), &body).await
            }
            LIST_CALLS => {
                let them = encoded(THEM);
                let path = format!("/v1/calls?phoneNumberId={number}&participants={them}");
                api.get(&format!("{path}&maxResults=1")).await
            }
            GET_CALL => api.get(&format!("/v1/calls/{}", self.call)).await,
            GET_CALL_VOICEMAIL => {
                api.get(&format!("/v1/call-voicemails/{}", self.voicemail))
                    .await
            }
            LIST_CALL_RECORDINGS | GET_CALL_SUMMARY | GET_CALL_TRANSCRIPT => {
                let (path, _) = operation.template().split_once('{').unwrap();
                api.get(&format!("{path}{}", self.call)).await
            }
            LIST_CONVERSATIONS => api.get("/v1/conversations?maxResults=1").await,
            MARK_CONVERSATION_AS_READ | MARK_CONVERSATION_AS_DONE | MARK_CONVERSATION_AS_OPEN => {
                let path = operation.template();
                let path = path.replace("{conversationId}", &self.conversation);
                api.send("POST", &path, None).await.unwrap()
            }
            LIST_TASKS => api.get("/v1/tasks?maxResults=1").await,
            other => self.task(other, folder).await,
        }
    }
}

impl Scene {
    /// Carries an operation on a task out.
    async fn task(&self, operation: Operation, folder: &std::path::Path) -> Answer {
        let api = &self.api;
        let path = operation.template().replace("{taskId}", &self.task);
        let sample = || fixture(folder, &format!("v1.{operation}.request"));
        let body = match operation {
            CREATE_TASK => {
                Some(json!({ "title": "T", "description": "D", "activityId": self.call }))
            }
            UPDATE_TASK | CHANGE_TASK_DUE_DATE => Some(sample()),
            ASSIGN_TASK | UNASSIGN_TASK => {
                let mut body = sample();
                body["userId"] = json!(self.user);
                Some(body)
            }
            LINK_TASK_TO_CONVERSATION | UNLINK_TASK_FROM_CONVERSATION => {
                let mut body = sample();
                body["conversationId"] = json!(self.conversation);
                Some(body)
            }
            GET_TASK | DELETE_TASK | COMPLETE_TASK | REOPEN_TASK | REMOVE_TASK_DUE_DATE => None,
            other => panic!("{other} is not covered"),
        };
        api.send(operation.method(), &path, body.as_ref())
            .await
            .unwrap()
    }
}

/// Those that take away what the others look at.
const DELETIONS: [Operation; 3] = [DELETE_CONTACT, DELETE_TASK, DELETE_WEBHOOK];
/// Those of which no sample is known.
const WITHOUT_SAMPLE: [Operation; 4] = [LIST_CALL_RECORDINGS, GET_TASK, UPDATE_TASK, REOPEN_TASK];

#[tokio::test]
async fn shared_answers_have_the_keys_of_the_vendors_samples() {
    let Some(folder) = shared() else { return };
    let scene = Scene::start(&folder).await;
    for operation in OPERATIONS {
        if DELETIONS.contains(operation) || WITHOUT_SAMPLE.contains(operation) {
            continue;
        }
        let answer = scene.call(*operation, &folder).await;
        let (ours, name) = if *operation == LIST_MESSAGES {
            // There is a sample of one text and none of a list of them.
            (
                json!({ "data": answer.json()["data"] }),
                format!("v1.{GET_MESSAGE}.200"),
            )
        } else {
            (answer.json(), format!("v1.{operation}.{}", answer.status))
        };
        assert_same_keys(&ours, &fixture(&folder, &name), operation.id());
    }
    for operation in DELETIONS {
        scene.call(operation, &folder).await.expect(204);
    }
}

#[tokio::test]
async fn shared_answers_keep_the_vendors_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, "vendor-specs/openphone.json"));
    let scene = Scene::start(&folder).await;
    let kept = OPERATIONS.iter().filter(|one| !DELETIONS.contains(one));
    for operation in kept.chain(&DELETIONS) {
        let answer = scene.call(*operation, &folder).await;
        assert!(answer.status < 300, "{operation}: {}", answer.text());
        let problems = spec.check(operation.id(), answer.status, &answer.body);
        assert_eq!(problems, Vec::<String>::new(), "{operation}");
    }
    // Nobody is the user of an incoming text, by the words of the specification and by the type
    // of newer ones; the type of this one forgot it.
    let answer = scene
        .api
        .get(&format!("/v1/messages/{}", scene.received))
        .await;
    let problems = spec.check(GET_MESSAGE.id(), answer.status, &answer.body);
    assert_eq!(problems, [r#"/data/userId: null breaks type "string""#]);
}

#[tokio::test]
async fn shared_errors_keep_the_vendors_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, "vendor-specs/openphone.json"));
    let scene = Scene::start(&folder).await;
    let api = &scene.api;
    let name = json!({ "firstName": "A" });
    let text = json!({ "content": "x", "from": api.sandbox.phone_number(), "to": [THEM] });
    let contacts = "/v1/contacts";
    let mut seen = Vec::new();
    for body in [
        json!({ "defaultFields": name, "customFields": [{ "key": "none", "value": 1 }] }),
        json!({ "defaultFields": name, "createdByUserId": "USnobody" }),
        json!({ "defaultFields": name, "externalId": "664d0db69fcac7cf2e6ec" }),
    ] {
        seen.push((CREATE_CONTACT, api.post(contacts, &body).await));
    }
    seen.push((GET_CONTACT, api.get("/v1/contacts/nobody").await));
    seen.push((
        UPDATE_CONTACT,
        api.patch("/v1/contacts/nobody", &json!({})).await,
    ));
    seen.push((DELETE_CONTACT, api.delete("/v1/contacts/nobody").await));
    seen.push((GET_MESSAGE, api.get("/v1/messages/ACnone").await));
    seen.push((GET_PHONE_NUMBER, api.get("/v1/phone-numbers/PNnone").await));
    seen.push((GET_PHONE_NUMBER, api.get("/v1/phone-numbers/none").await));
    seen.push((
        LIST_PHONE_NUMBERS,
        api.get("/v1/phone-numbers?userId=none").await,
    ));
    seen.push((GET_USER, api.get("/v1/users/USnone").await));
    seen.push((GET_USER, api.get("/v1/users/none").await));
    seen.push((LIST_USERS, api.get("/v1/users").await));
    let numbers = api.get("/v1/phone-numbers").await.json();
    let mut stranger = text.clone();
    stranger["from"] = numbers["data"][1]["id"].clone();
    stranger["userId"] = numbers["data"][0]["users"][2]["id"].clone();
    seen.push((SEND_MESSAGE, api.post("/v1/messages", &stranger).await));
    for block in [
        MessagingBlock::A2pNotApproved,
        MessagingBlock::SubscriptionExpired,
    ] {
        api.control.set_messaging_block(Some(block));
        seen.push((SEND_MESSAGE, api.post("/v1/messages", &text).await));
    }
    let mut webhook = webhook_body(api, CREATE_MESSAGE_WEBHOOK, &folder).await;
    webhook["userId"] = json!("USnobody");
    seen.push((
        CREATE_MESSAGE_WEBHOOK,
        api.post("/v1/webhooks/messages", &webhook).await,
    ));
    webhook.as_object_mut().unwrap().remove("userId");
    webhook["resourceIds"] = json!(["PNnone"]);
    seen.push((
        CREATE_MESSAGE_WEBHOOK,
        api.post("/v1/webhooks/messages", &webhook).await,
    ));
    seen.push((GET_WEBHOOK, api.get("/v1/webhooks/WHnone").await));
    seen.push((DELETE_WEBHOOK, api.delete("/v1/webhooks/WHnone").await));
    assert_kept(&spec, &seen, &[400, 402, 403, 404, 409]);
}

/// Says whether these answers are errors as the specification has them, of these statuses.
fn assert_kept(spec: &Spec, seen: &[(Operation, Answer)], expected: &[u16]) {
    let mut statuses = BTreeSet::new();
    for (operation, answer) in seen {
        assert!(answer.status >= 400, "{operation} was meant to fail");
        statuses.insert(answer.status);
        let problems = spec.check(operation.id(), answer.status, &answer.body);
        assert_eq!(
            problems,
            Vec::<String>::new(),
            "{operation} {}",
            answer.text()
        );
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn shared_errors_of_calls_and_tasks_keep_the_vendors_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, "vendor-specs/openphone.json"));
    let scene = Scene::start(&folder).await;
    let api = &scene.api;
    let numbers = api.get("/v1/phone-numbers").await.json();
    let mut seen = Vec::new();
    let path = |operation: Operation, id: &str| {
        let (path, _) = operation.template().split_once('{').unwrap();
        format!("{path}{id}")
    };
    let private = numbers["data"][1]["id"].as_str().unwrap();
    let member = numbers["data"][0]["users"][2]["id"].as_str().unwrap();
    let calls = format!("/v1/calls?phoneNumberId={private}&participants=x&maxResults=1");
    let conversations =
        format!("/v1/conversations?maxResults=1&phoneNumbers={private}&userId={member}");
    for (operation, path) in [
        (LIST_CALLS, format!("{calls}&participants=y")),
        (LIST_CALLS, format!("{calls}&userId={member}")),
        (LIST_CALLS, calls.replace(private, "PNnone")),
        (GET_CALL, path(GET_CALL, "ACnone")),
        (LIST_CALL_RECORDINGS, path(LIST_CALL_RECORDINGS, "none")),
        (GET_CALL_SUMMARY, path(GET_CALL_SUMMARY, "ACnone")),
        (GET_CALL_TRANSCRIPT, path(GET_CALL_TRANSCRIPT, "none")),
        (GET_CALL_VOICEMAIL, path(GET_CALL_VOICEMAIL, &scene.call)),
        (LIST_CONVERSATIONS, conversations),
        (LIST_TASKS, "/v1/tasks".to_owned()),
        (GET_TASK, path(GET_TASK, "TKnone")),
    ] {
        seen.push((operation, api.get(&path).await));
    }
    api.control.set_plan(Plan::Starter);
    for operation in [GET_CALL_SUMMARY, GET_CALL_TRANSCRIPT] {
        let answer = api.get(&path(operation, &scene.call)).await;
        seen.push((operation, answer));
    }
    api.control.set_open_task_limit(Some(0));
    let task = json!({ "title": "T", "description": "D", "activityId": scene.call });
    seen.push((CREATE_TASK, api.post("/v1/tasks", &task).await));
    let broken = Fault::ServerError {
        status: 500,
        retry_after: None,
    };
    api.control
        .faults(FaultPlan::none().next(When::any(), 6, broken));
    seen.push((GET_CONTACT, api.get("/v1/contacts/x").await));
    seen.push((GET_MESSAGE, api.get("/v1/messages/ACx").await));
    seen.push((GET_PHONE_NUMBER, api.get("/v1/phone-numbers/PNx").await));
    seen.push((GET_USER, api.get("/v1/users/USx").await));
    seen.push((LIST_WEBHOOKS, api.get("/v1/webhooks").await));
    seen.push((
        LIST_CUSTOM_FIELDS,
        api.get("/v1/contact-custom-fields").await,
    ));
    assert_kept(&spec, &seen, &[400, 402, 403, 404, 500]);
}

#[tokio::test]
async fn shared_observed_errors_and_headers_are_answered_as_observed() {
    let Some(folder) = shared() else { return };
    let api = Api::on(Sandbox::openphone().start().await.unwrap());
    let right = api.sandbox.api_key().to_owned();
    let headers = fixture(&folder, "rate-limit-headers");
    let answer = api.get("/v1/users?maxResults=1").await.expect(200);
    for name in ["ratelimit", "ratelimit-policy"] {
        assert_eq!(answer.header(name), headers["normal"][name].as_str());
    }
    let invalid = api
        .get("/v1/phone-numbers?userId=x")
        .await
        .expect(400)
        .json();
    let sample = fixture(&folder, "v1.error.400.validation");
    assert_same_keys(&invalid, &sample, "validation");
    assert_eq!(invalid["message"], sample["message"]);
    let list = format!(
        "/v1/messages?phoneNumberId={}",
        api.sandbox.phone_number_id()
    );
    let list = api
        .get(&format!(
            "{list}&maxResults=1&participants[]=%2B15555555555"
        ))
        .await;
    let issue = list.expect(400).json()["errors"][0].clone();
    assert_eq!(issue, sample["errors"][0]);
    let mut api = api;
    for (key, name) in [(None, "missing-header"), (Some("wrong"), "wrong-key")] {
        api = api.with_key(key);
        let mut error = api.get("/v1/users?maxResults=1").await.expect(401).json();
        let sample = fixture(&folder, &format!("v1.error.401.live-{name}"));
        error["error"]["trace"] = sample["error"]["trace"].clone();
        assert_eq!(error, sample, "{name}");
    }
    api.with_key(Some(&right))
        .get("/v1/users?maxResults=1")
        .await
        .expect(200);
}

#[tokio::test]
async fn shared_limits_are_those_of_the_specification() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, "vendor-specs/openphone.json"));
    let scene = Scene::start(&folder).await;
    let api = &scene.api;
    let number = api.sandbox.phone_number_id();
    let messages = format!("/v1/messages?phoneNumberId={number}&participants=%2B12025550143&");
    for (operation, path) in [
        (LIST_CONTACTS, "/v1/contacts?"),
        (LIST_MESSAGES, &messages),
        (LIST_USERS, "/v1/users?"),
    ] {
        let max = spec.query(operation.id(), "maxResults")["maximum"]
            .as_u64()
            .unwrap();
        api.get(&format!("{path}maxResults={max}"))
            .await
            .expect(200);
        api.get(&format!("{path}maxResults={}", max + 1))
            .await
            .expect(400);
        api.get(path).await.expect(400);
    }
    let length = |operation: Operation, pointer: &str, name: &str| {
        let limit = spec.body(operation.id()).pointer(pointer).unwrap()[name]
            .as_u64()
            .unwrap();
        usize::try_from(limit).unwrap()
    };
    let texts = [
        (
            CREATE_CONTACT,
            "/properties/externalId/anyOf/0",
            "externalId",
        ),
        (CREATE_CONTACT, "/properties/source", "source"),
        (
            UPDATE_CONTACT,
            "/properties/externalId/anyOf/0",
            "externalId",
        ),
        (UPDATE_CONTACT, "/properties/source/anyOf/0", "source"),
        (SEND_MESSAGE, "/properties/content", "content"),
    ];
    for (operation, pointer, name) in texts {
        let max = length(operation, pointer, "maxLength");
        assert_eq!(length(operation, pointer, "minLength"), 1);
        for (size, fits) in [(max, true), (max + 1, false), (0, false)] {
            let value = Value::from("x".repeat(size));
            let status = match operation {
                CREATE_CONTACT => {
                    let mut body = json!({ "defaultFields": { "firstName": "A" } });
                    body[name] = value;
                    api.post("/v1/contacts", &body).await.status
                }
                UPDATE_CONTACT => {
                    let mut body = json!({});
                    body[name] = value;
                    api.patch(&format!("/v1/contacts/{}", scene.contact), &body)
                        .await
                        .status
                }
                _ => {
                    let body = json!({ "content": value, "from": number, "to": [THEM] });
                    api.post("/v1/messages", &body).await.status
                }
            };
            // The same external id twice is a conflict here, and not a matter of its length.
            assert_eq!(status != 400, fits, "{operation} {name} {size}: {status}");
        }
    }
    let most = length(SEND_MESSAGE, "/properties/to", "maxItems");
    assert_eq!(length(SEND_MESSAGE, "/properties/to", "minItems"), 1);
    for (count, status) in [(most, 202), (most + 1, 400), (0, 400)] {
        let to = vec![THEM; count];
        let body = json!({ "content": "x", "from": number, "to": to });
        api.post("/v1/messages", &body).await.expect(status);
    }
}

#[tokio::test]
async fn shared_webhooks_have_the_keys_of_the_vendors_samples() {
    let Some(folder) = shared() else { return };
    let scene = Scene::start(&folder).await;
    let (api, contact) = (&scene.api, format!("/v1/contacts/{}", scene.contact));
    let (v4, dated) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    api.control
        .register_webhook(&v4.url, WebhookFormat::V4)
        .unwrap();
    api.control
        .register_webhook(&dated.url, WebhookFormat::Dated)
        .unwrap();
    api.control
        .place_inbound_text(THEM, api.sandbox.phone_number(), "Hello")
        .unwrap();
    api.control.webhooks_settled().await;
    let ours = v4.take().remove(0).json();
    assert_same_keys(
        &ours,
        &fixture(&folder, "webhook.v4.message.received"),
        "v4 message.received",
    );
    // The vendor's test event leaves out what real deliveries have.
    let ours = dated.take().remove(0).json();
    let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
    paths(&ours, "", &mut left);
    paths(
        &fixture(&folder, "webhook.2026-03-30.message.received.test-event"),
        "",
        &mut right,
    );
    assert!(right.is_subset(&left), "{right:?}");

    scene.call(SEND_MESSAGE, &folder).await.expect(202);
    api.control.webhooks_settled().await;
    let body = fixture(&folder, "v1.createContact_v1.request");
    let update =
        json!({ "defaultFields": body["defaultFields"], "customFields": body["customFields"] });
    api.patch(&contact, &update).await.expect(200);
    api.control.webhooks_settled().await;
    api.delete(&contact).await.expect(204);
    api.control.webhooks_settled().await;
    let events: Vec<Value> = dated.take().iter().map(receiver::Received::json).collect();
    assert_eq!(events.len(), 3);
    for event in events {
        let kind = event["type"].as_str().unwrap();
        let sample = fixture(&folder, &format!("webhook.2026-03-30.{kind}"));
        assert_same_keys(&event, &sample, kind);
    }
}

#[tokio::test]
async fn shared_webhook_bodies_are_taken_as_the_specification_has_them() {
    let Some(folder) = shared() else { return };
    let spec = Spec::new(read(&folder, "vendor-specs/openphone.json"));
    let scene = Scene::start(&folder).await;
    let api = &scene.api;
    for operation in CREATE_WEBHOOKS {
        let schema = spec.body(operation.id());
        let path = operation.template();
        let body = webhook_body(api, operation, &folder).await;
        let created = async |body: &Value| api.post(path, body).await.status == 201;
        for name in body.as_object().unwrap().keys() {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(name);
            let required = schema["required"]
                .as_array()
                .unwrap()
                .contains(&json!(name));
            assert_eq!(
                created(&without).await,
                !required,
                "{operation} without {name}"
            );
            let mut wrong = body.clone();
            wrong[name] = json!(7);
            assert!(!created(&wrong).await, "{operation} with a wrong {name}");
        }
        let events = &schema["properties"]["events"];
        let mut all = body.clone();
        all["events"] = events["items"]["enum"].clone();
        assert!(created(&all).await, "{operation} with all events");
        all["events"] = json!([]);
        let may_be_empty = events["minItems"].is_null();
        assert_eq!(
            created(&all).await,
            may_be_empty,
            "{operation} without an event"
        );
        for status in schema["properties"]["status"]["enum"].as_array().unwrap() {
            let mut body = body.clone();
            body["status"] = status.clone();
            assert!(created(&body).await, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn shared_calls_in_webhooks_have_the_keys_of_the_vendors_samples() {
    let Some(folder) = shared() else { return };
    let scene = Scene::start(&folder).await;
    let (api, inbox) = (&scene.api, Receiver::start(&[]).await);
    api.control
        .register_webhook(&inbox.url, WebhookFormat::V4)
        .unwrap();
    let number = api.sandbox.phone_number();
    api.control
        .place_inbound_call(THEM, number, CallEnd::Answered)
        .unwrap();
    api.control.webhooks_settled().await;
    let events: Vec<Value> = inbox.take().iter().map(receiver::Received::json).collect();
    assert_eq!(events.len(), 5);
    for event in events {
        let kind = event["type"].as_str().unwrap();
        match kind {
            "call.completed" | "call.recording.completed" => {
                let sample = fixture(&folder, &format!("webhook.v4.{kind}"));
                assert_same_keys(&event, &sample, kind);
            }
            "call.ringing" => {
                // Known from the documentation alone, which leaves out what live calls have.
                let mut ours = event.clone();
                ours["data"].as_object_mut().unwrap().remove("deepLink");
                let call = ours["data"]["object"].as_object_mut().unwrap();
                call.remove("contactIds").unwrap();
                call.remove("recordings").unwrap();
                assert_same_keys(&ours, &fixture(&folder, "webhook.v4.call.ringing"), kind);
            }
            _ => {
                let mut ours = event.clone();
                ours["data"].as_object_mut().unwrap().remove("deepLink");
                let sample = fixture(&folder, &format!("webhook.v4.{kind}.docs"));
                assert_same_keys(&ours, &sample, kind);
            }
        }
    }
}
