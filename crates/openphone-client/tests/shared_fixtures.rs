//! Sample bodies from outside the repository: checked where they are, skipped where they are not.
//!
//! `CONNECTORS_SHARED_DIR` names a folder that holds `vendor-fixtures/openphone`. With
//! `CONNECTORS_REQUIRE_SHARED=1` a missing folder or file fails.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from, or say why it is skipped"
)]

use std::path::PathBuf;
use std::sync::Arc;

use connector_http::testing::{FakeTransport, Reply};
use openphone_client::{
    CallSummary, Client, Contact, Conversation, CreatedTask, CustomField, Error, ErrorKind,
    ListPage, ListPhoneNumbers, Message, NewWebhook, OpenPhoneErrorCode, PhoneCall, PhoneNumber,
    PhoneNumberId, Task, TaskRevision, TaskText, Transcript, User, Voicemail, Webhook,
    WebhookEvent, WebhookResources,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// The folder, or `None` after saying that the test is skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|it| it == "1");
    let folder = std::env::var_os("CONNECTORS_SHARED_DIR")
        .map(|root| PathBuf::from(root).join("vendor-fixtures/openphone"));
    match folder {
        Some(folder) if folder.is_dir() => Some(folder),
        Some(folder) if required => panic!("{} is not a folder", folder.display()),
        None if required => panic!("CONNECTORS_SHARED_DIR is not set"),
        _ => {
            println!("{test}: skipped, CONNECTORS_SHARED_DIR names no folder with the samples");
            None
        }
    }
}

fn body(folder: &std::path::Path, name: &str) -> String {
    let path = folder.join(format!("v1.{name}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Decodes, and checks that nothing the sample says was lost.
fn keeps<T: DeserializeOwned + Serialize>(folder: &std::path::Path, name: &str) -> T {
    let body = body(folder, name);
    let read: Data<T> =
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
    let sample: Value = serde_json::from_str(&body).unwrap();
    let written = serde_json::to_value(&read.data).unwrap();
    assert_contains(&written, &sample["data"], name);
    read.data
}

fn assert_contains(written: &Value, sample: &Value, path: &str) {
    match sample {
        Value::Object(map) => {
            for (key, value) in map {
                let found = written
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}/{key} was lost"));
                assert_contains(found, value, &format!("{path}/{key}"));
            }
        }
        Value::Array(items) => {
            let found = written.as_array().unwrap();
            assert_eq!(found.len(), items.len(), "{path}");
            for (index, (found, item)) in found.iter().zip(items).enumerate() {
                assert_contains(found, item, &format!("{path}/{index}"));
            }
        }
        // Seconds with a fraction are written with one, also where there is none.
        Value::Number(number) => assert_eq!(written.as_f64(), number.as_f64(), "{path}"),
        // A whole second is written without its milliseconds.
        Value::String(text) => {
            let text = text
                .strip_suffix(".000Z")
                .map(|time| format!("{time}Z"))
                .unwrap_or(text.clone());
            assert_eq!(written, &Value::String(text), "{path}");
        }
        _ => assert_eq!(written, sample, "{path}"),
    }
}

#[test]
fn shared_samples_of_answers() {
    let Some(folder) = folder("shared_samples_of_answers") else {
        return;
    };
    for name in [
        "createContact_v1.201",
        "getContactById_v1.200",
        "updateContactById_v1.200",
    ] {
        let contact: Contact = keeps(&folder, name);
        assert_eq!(contact.default_fields.first_name.as_deref(), Some("John"));
    }
    let fields: Vec<CustomField> = keeps(&folder, "getContactCustomFields_v1.200");
    assert_eq!(fields.len(), 1);
    for name in ["getMessageById_v1.200", "sendMessage_v1.202"] {
        let message: Message = keeps(&folder, name);
        assert_eq!(message.to.len(), 1);
    }
    let number: PhoneNumber = keeps(&folder, "getPhoneNumberById_v1.200");
    assert!(number.created_at.is_some() && number.restrictions.is_some());
    let numbers: Vec<PhoneNumber> = keeps(&folder, "listPhoneNumbers_v1.200");
    assert_eq!(numbers.len(), 1);
    let user: User = keeps(&folder, "getUserById_v1.200");
    assert!(user.first_name.is_some());
}

#[test]
fn shared_samples_of_calls_and_tasks() {
    let Some(folder) = folder("shared_samples_of_calls_and_tasks") else {
        return;
    };
    let call: PhoneCall = keeps(&folder, "getCallById_v1.200");
    assert!(call.is_answered());
    keeps::<CallSummary>(&folder, "getCallSummary_v1.200");
    keeps::<Transcript>(&folder, "getCallTranscript_v1.200");
    keeps::<Voicemail>(&folder, "getCallVoicemails_v1.200");
    keeps::<CreatedTask>(&folder, "createTask_v1.201");
    for operation in [
        "assignTask",
        "changeTaskDueDate",
        "completeTask",
        "linkTaskToConversation",
        "removeTaskDueDate",
        "unassignTask",
        "unlinkTaskFromConversation",
    ] {
        keeps::<TaskRevision>(&folder, &format!("{operation}_v1.200"));
    }
    for mark in ["Done", "Open", "Read"] {
        let name = format!("markConversationAs{mark}_v1.200");
        let body = body(&folder, &name);
        // Without the envelope.
        let read: Conversation = serde_json::from_str(&body).unwrap();
        let sample: Value = serde_json::from_str(&body).unwrap();
        assert_contains(&serde_json::to_value(&read).unwrap(), &sample, &name);
    }
}

/// What is sent about tasks is the vendor's sample, to the letter.
#[tokio::test]
async fn shared_samples_of_task_requests() {
    let Some(folder) = folder("shared_samples_of_task_requests") else {
        return;
    };
    let transport = FakeTransport::handler(|_| {
        Reply::status(200).json(&serde_json::json!({"data": {"taskId": "TK1", "revision": "1"}}))
    });
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    let (tasks, id) = (client.tasks(), "TK123abc".into());
    let (user, conversation) = ("US123abc".into(), "CN123abc".into());
    let due = "2026-06-18T12:00:00.000Z";
    let due = due.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let text = TaskText::new(
        "Follow up with customer",
        "Discuss pricing and onboarding next steps.",
    );
    for (operation, call) in [
        ("assignTask", tasks.assign(&id, &user)),
        ("unassignTask", tasks.unassign(&id, &user)),
        ("changeTaskDueDate", tasks.change_due_date(&id, due)),
        (
            "linkTaskToConversation",
            tasks.link_conversation(&id, &conversation),
        ),
        (
            "unlinkTaskFromConversation",
            tasks.unlink_conversation(&id, &conversation),
        ),
        ("updateTask", tasks.update(&id, &text)),
    ] {
        call.await.unwrap();
        let sample = body(&folder, &format!("{operation}_v1.request"));
        let sample: Value = serde_json::from_str(&sample).unwrap();
        let sent = transport.last_request().unwrap().json();
        assert_eq!(sent, sample, "{operation}");
    }
}

/// A webhook is not written back, because of its key: its fields are looked at one by one.
#[test]
fn shared_samples_of_webhooks() {
    let Some(folder) = folder("shared_samples_of_webhooks") else {
        return;
    };
    let listed = body(&folder, "listWebhooks_v1.200");
    let listed: Data<Vec<Webhook>> = serde_json::from_str(&listed).unwrap();
    let singles = [
        "createCallSummaryWebhook_v1.201",
        "createCallTranscriptWebhook_v1.201",
        "createCallWebhook_v1.201",
        "createMessageWebhook_v1.201",
        "getWebhookById_v1.200",
    ];
    let singles = singles.map(|name| {
        let single: Data<Webhook> = serde_json::from_str(&body(&folder, name)).unwrap();
        single.data
    });
    for webhook in listed.data.into_iter().chain(singles) {
        assert_eq!(webhook.id.as_str(), "WHabcd1234");
        assert_eq!(webhook.url, "https://example.com/");
        assert_eq!(webhook.label.as_deref(), Some("my webhook label"));
        assert_eq!(
            webhook.resources,
            WebhookResources::PhoneNumbers(vec!["PN1234".into()])
        );
        assert!(webhook.events.len() == 1 && webhook.events[0].can_be_registered());
        assert!(webhook.key.is_some() && webhook.user_id.is_some() && webhook.org_id.is_some());
        assert!(webhook.created_at.is_some() && webhook.deleted_at.is_some());
    }
}

#[tokio::test]
async fn shared_samples_of_registrations() {
    let Some(folder) = folder("shared_samples_of_registrations") else {
        return;
    };
    for (operation, path) in [
        ("createMessageWebhook_v1", "/v1/webhooks/messages"),
        ("createCallWebhook_v1", "/v1/webhooks/calls"),
        ("createCallSummaryWebhook_v1", "/v1/webhooks/call-summaries"),
        (
            "createCallTranscriptWebhook_v1",
            "/v1/webhooks/call-transcripts",
        ),
    ] {
        let sample = body(&folder, &format!("{operation}.request"));
        let sample: Value = serde_json::from_str(&sample).unwrap();
        let event = WebhookEvent::from(sample["events"][0].as_str().unwrap());
        let new = NewWebhook::new(sample["url"].as_str().unwrap(), [event])
            .resources(vec![PhoneNumberId::from(
                sample["resourceIds"][0].as_str().unwrap(),
            )])
            .label(sample["label"].as_str().unwrap())
            .user_id(sample["userId"].as_str().unwrap());
        let transport = FakeTransport::new();
        transport.push(Reply::status(201).body(body(&folder, &format!("{operation}.201"))));
        let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
        client.webhooks().create(&new).await.unwrap();
        let request = transport.last_request().unwrap();
        assert_eq!((request.path(), request.json()), (path, sample));
    }
}

/// The same for a first and a last page.
fn keeps_pages<T: DeserializeOwned + Serialize>(folder: &std::path::Path, operation: &str) {
    keeps::<Vec<T>>(folder, &format!("{operation}.200"));
    let page: ListPage<T> =
        serde_json::from_str(&body(folder, &format!("{operation}.200"))).unwrap();
    assert!(page.data.len() == 1 && page.next_page_token.is_some());
    let last = body(folder, &format!("{operation}.200.last-page"));
    let page: ListPage<T> = serde_json::from_str(&last).unwrap();
    assert!(page.data.is_empty() && page.next_page_token.is_none());
}

#[test]
fn shared_samples_of_pages() {
    let Some(folder) = folder("shared_samples_of_pages") else {
        return;
    };
    keeps_pages::<Contact>(&folder, "listContacts_v1");
    keeps_pages::<User>(&folder, "listUsers_v1");
    keeps_pages::<PhoneCall>(&folder, "listCalls_v1");
    keeps_pages::<Conversation>(&folder, "listConversations_v1");
    keeps_pages::<Task>(&folder, "listTasks_v1");
}

async fn answered(status: u16, body: String) -> Error {
    let transport = FakeTransport::new();
    transport.push(Reply::status(status).body(body));
    let client = Client::from_transport("k3y", Arc::new(transport)).unwrap();
    client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .no_retry()
        .await
        .unwrap_err()
}

#[derive(Deserialize)]
struct Documented {
    body: Value,
    operations: Vec<String>,
}

#[tokio::test]
async fn shared_samples_of_errors() {
    let Some(folder) = folder("shared_samples_of_errors") else {
        return;
    };
    let documented: Vec<Documented> = serde_json::from_str(&body(&folder, "errors.spec")).unwrap();
    assert!(documented.len() > 50);
    for Documented { body, operations } in documented {
        let status = u16::try_from(body["status"].as_u64().unwrap()).unwrap();
        let error = answered(status, body.to_string()).await;
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.code(), body["code"].as_str());
        assert_eq!(error.request_id(), body["trace"].as_str());
        let meaning = OpenPhoneErrorCode::of(&error).unwrap();
        assert!(
            !matches!(meaning, OpenPhoneErrorCode::Unknown(_)),
            "{meaning:?} of {operations:?}"
        );
        let kind = match status {
            401 => ErrorKind::Auth,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            500 => ErrorKind::Server,
            _ => continue,
        };
        assert_eq!(error.kind(), kind, "{body}");
    }
}

#[tokio::test]
async fn shared_samples_of_observed_errors() {
    let Some(folder) = folder("shared_samples_of_observed_errors") else {
        return;
    };
    for name in ["error.401.live-missing-header", "error.401.live-wrong-key"] {
        let error = answered(401, body(&folder, name)).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(
            OpenPhoneErrorCode::of(&error),
            Some(OpenPhoneErrorCode::Unauthorized)
        );
        assert!(error.request_id().is_some() && error.message().is_some());
    }
    let error = answered(400, body(&folder, "error.400.validation")).await;
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(error.field_errors()[0].path, "/participants");
}
