//! The dated API as described outside the repository, compared with what this crate calls and reads.
//!
//! `CONNECTORS_SHARED_DIR` names a folder that holds `vendor-specs` and `vendor-fixtures/openphone`. With
//! `CONNECTORS_REQUIRE_SHARED=1` a missing folder or file fails.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from, or say why it is skipped"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use openphone_client::dated::{
    self, Contact, ContactProperty, ContactShare, Conversation, DeliveryDetail, NewContact,
    NewProperty, Organization, PhoneCall, PhoneNumber, PropertyType, Recording, Task, TaskRevision,
    Transcript, Webhook, WebhookDelivery, WebhookEvent,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The folder, or `None` after saying that the test is skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|it| it == "1");
    match std::env::var_os("CONNECTORS_SHARED_DIR").map(PathBuf::from) {
        Some(folder) if folder.join("vendor-specs").is_dir() => Some(folder),
        Some(folder) if required => panic!("{} holds no descriptions", folder.display()),
        None if required => panic!("CONNECTORS_SHARED_DIR is not set"),
        _ => {
            println!("{test}: skipped, CONNECTORS_SHARED_DIR names no folder with the description");
            None
        }
    }
}

fn specification(folder: &std::path::Path) -> Value {
    let file = folder.join("vendor-specs/openphone-2026-03-30.reconstructed.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Method and path to the statuses of success.
type Operations = BTreeMap<(String, String), Vec<u16>>;

fn described(specification: &Value) -> Operations {
    let mut operations = Operations::new();
    for (path, methods) in specification["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["operationId"].is_null() {
                continue;
            }
            let statuses = operation["responses"].as_object().unwrap().keys();
            let successes = statuses.filter_map(|status| status.parse().ok());
            let successes = successes.filter(|status| (200..300).contains(status));
            operations.insert((method.to_uppercase(), path.clone()), successes.collect());
        }
    }
    operations
}

#[test]
fn shared_specification_has_what_this_crate_calls() {
    let Some(folder) = folder("shared_specification_has_what_this_crate_calls") else {
        return;
    };
    let described = described(&specification(&folder));
    assert_eq!(described.len(), 57);
    let mut called = Operations::new();
    for endpoint in dated::endpoints() {
        let method = endpoint.method.as_str().to_owned();
        let name = (method, endpoint.path.to_owned());
        let twice = called.insert(name, endpoint.success.to_vec());
        assert!(twice.is_none(), "{} is there twice", endpoint.name);
    }
    assert_eq!(called, described);
}

/// The largest pages, which lists ask for unless told otherwise.
#[test]
fn shared_specification_of_pages_is_what_the_lists_ask_for() {
    let Some(folder) = folder("shared_specification_of_pages") else {
        return;
    };
    let specification = specification(&folder);
    for (path, limit) in [
        ("/calls", dated::ListCalls::new().limit),
        ("/contacts", dated::ListContacts::new().limit),
        (
            "/contacts/{contactId}/properties",
            dated::ListProperties::new().limit,
        ),
        ("/conversations", dated::ListConversations::new().limit),
        ("/messages", dated::ListMessages::new().limit),
        ("/phone-numbers", dated::ListPhoneNumbers::new().limit),
        ("/tasks", dated::ListTasks::new().limit),
        ("/users", dated::ListUsers::new().limit),
        (
            "/webhooks/{webhookId}/events",
            dated::ListDeliveries::new().limit,
        ),
    ] {
        let parameters = specification["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let page = parameters.iter().find(|it| it["name"] == "limit").unwrap();
        assert_eq!(page["schema"]["maximum"], limit, "{path}");
    }
}

#[test]
fn shared_specification_names_the_events() {
    let Some(folder) = folder("shared_specification_names_the_events") else {
        return;
    };
    let specification = specification(&folder);
    let events = &specification["components"]["schemas"]["Event"]["enum"];
    let events: Vec<String> = serde_json::from_value(events.clone()).unwrap();
    assert_eq!(events, WebhookEvent::KNOWN);
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

fn body(folder: &std::path::Path, name: &str) -> String {
    let path = folder.join(format!("vendor-fixtures/openphone/2026-03-30.{name}.json"));
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
                // A list that is null is read as empty.
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
        Value::Number(number) => assert_eq!(written.as_f64(), number.as_f64(), "{path}"),
        // A whole second is written without its milliseconds.
        Value::String(text) => {
            let short = text.strip_suffix(".000Z").map(|time| format!("{time}Z"));
            let same = written == text || short.is_some_and(|short| *written == short);
            assert!(same, "{path}");
        }
        Value::Null if written.as_array().is_some_and(Vec::is_empty) => {}
        _ => assert_eq!(written, sample, "{path}"),
    }
}

#[test]
fn shared_samples_of_the_dated_api() {
    let Some(folder) = folder("shared_samples_of_the_dated_api") else {
        return;
    };
    let folder = folder.as_path();
    keeps::<Organization>(folder, "getOrganization.200");
    let calls: Vec<PhoneCall> = keeps(folder, "listCalls.200");
    assert!(calls[0].is_answered() && calls[0].summary.is_some());
    keeps::<Vec<Recording>>(folder, "getCallRecordings.200");
    keeps::<Vec<Transcript>>(folder, "getCallTranscripts.200");
    keeps::<Contact>(folder, "getContact.200");
    let properties: Vec<ContactProperty> = keeps(folder, "listContactProperties.200");
    assert_eq!(properties[1].kind, PropertyType::Email);
    keeps::<Vec<ContactShare>>(folder, "listContactShares.200");
    keeps::<Vec<Conversation>>(folder, "listConversations.200");
    let number: PhoneNumber = keeps(folder, "getPhoneNumber.200");
    assert!(number.business_hours.unwrap().enabled);
    let task: Task = keeps(folder, "getTask.200");
    assert_eq!(task.revision, 3);
    keeps::<TaskRevision>(folder, "createTask.201");
    keeps::<DeliveryDetail>(folder, "getWebhookDelivery.200");
    keeps::<Vec<WebhookDelivery>>(folder, "listWebhookDeliveries.200");
    let created: Data<Webhook> = serde_json::from_str(&body(folder, "createWebhook.201")).unwrap();
    assert!(created.data.key.is_some() && created.data.events.len() == 3);
    let listed: Data<Vec<Webhook>> =
        serde_json::from_str(&body(folder, "listWebhooks.200")).unwrap();
    assert!(listed.data[0].key.is_none() && listed.data[0].label.is_some());
}

#[test]
fn shared_samples_of_requests() {
    let Some(folder) = folder("shared_samples_of_requests") else {
        return;
    };
    let sample = |name| serde_json::from_str::<Value>(&body(&folder, name)).unwrap();
    let contact = sample("createContact.request");
    let text = |key: &str| contact[key].as_str().unwrap().to_owned();
    let new = NewContact::new(text("firstName"))
        .last_name(text("lastName"))
        .company(text("company"))
        .role(text("role"))
        .external_id(text("externalId"))
        .source(text("source"))
        .source_url(text("sourceUrl"));
    assert_eq!(serde_json::to_value(&new).unwrap(), contact);

    let property = sample("createContactProperty.request");
    let text = |key: &str| property[key].as_str().unwrap();
    let new = NewProperty::new(PropertyType::from(text("type")), text("value")).name(text("name"));
    assert_eq!(serde_json::to_value(&new).unwrap(), property);
}
