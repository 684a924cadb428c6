//! The sandbox's SuiteDash against what is known of the vendor's own: a specification that was put
//! together from public sources, and messages that were put together likewise.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

#[path = "shared/material.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod material;
#[path = "it/portal.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod portal;
#[path = "it/receiver.rs"]
mod receiver;
#[path = "shared/schema.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod schema;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use vendor_sandbox::suitedash::{
    CREATE_COMPANY, CREATE_CONTACT, GET_COMPANY, GET_COMPANY_META, GET_CONTACT, GET_CONTACT_META,
    GET_PROJECT, GET_PROJECT_META, LIST_COMPANIES, LIST_CONTACTS, LIST_PROJECTS, LIST_WORLDS,
    OPERATIONS, RecordKind, SUBSCRIBE, UPDATE_COMPANY, UPDATE_CONTACT, UPDATE_PROJECT,
    WebhookEvent,
};
use vendor_sandbox::{Fault, FaultPlan, Operation, Sandbox, When};

use crate::material::{assert_same_keys, fixture_of, paths, read, shared};
use crate::portal::{Portal, lead, text};
use crate::receiver::Receiver;
use crate::schema::Spec;
use crate::support::Answer;

/// The custom field that the messages use.
const FIELD: &str = "44444444-4444-4444-8444-444444444444";

fn fixture(folder: &Path, name: &str) -> Value {
    fixture_of(folder, "suitedash", name)
}

fn spec(folder: &Path) -> Spec {
    Spec::new(read(folder, "vendor-specs/suitedash.json"))
}

/// An account in which there is one of everything.
async fn portal() -> Portal {
    let builder = Sandbox::suitedash()
        .custom_field(RecordKind::Contact, FIELD, "Interest")
        .custom_field(RecordKind::Project, FIELD, "Avatar")
        .audience(7)
        .world("One");
    let portal = Portal::with(builder).await;
    let control = &portal.control;
    control
        .seed_contact(&lead("Ada", "ada@example.com"))
        .unwrap();
    control
        .seed_company(&json!({ "name": "One", "role": "Client" }))
        .unwrap();
    control
        .seed_project(&json!({ "name": "Onboarding", "due_time": "17:00" }))
        .unwrap();
    portal
}

/// Carries an operation out the way it succeeds.
async fn succeed(portal: &Portal, operation: Operation) -> Answer {
    let (path, body) = match operation {
        GET_CONTACT_META => ("/contact/meta", None),
        LIST_CONTACTS => ("/contacts", None),
        CREATE_CONTACT => ("/contact", Some(lead("Jane", "jane@example.com"))),
        GET_CONTACT => ("/contact/ada%40example.com", None),
        UPDATE_CONTACT => ("/contact/ada%40example.com", Some(json!({ "tags": ["x"] }))),
        GET_COMPANY_META => ("/company/meta", None),
        LIST_COMPANIES => ("/companies", None),
        CREATE_COMPANY => ("/company", Some(json!({ "name": "Two", "role": "Lead" }))),
        GET_COMPANY => ("/company/One", None),
        UPDATE_COMPANY => ("/company/One", Some(json!({ "tags": ["x"] }))),
        GET_PROJECT_META => ("/project/meta", None),
        LIST_PROJECTS => ("/projects", None),
        GET_PROJECT => ("/project/name/Onboarding", None),
        UPDATE_PROJECT => (
            "/project/name/Onboarding",
            Some(json!({ "status": "On Hold" })),
        ),
        SUBSCRIBE => {
            let body = json!({ "contacts": ["ada@example.com"], "audience": "7" });
            ("/marketing/subscribe", Some(body))
        }
        LIST_WORLDS => ("/worlds", None),
        other => panic!("{other} is not known here"),
    };
    portal
        .send(operation.method(), path, body.as_ref())
        .await
        .unwrap()
}

#[test]
fn every_path_and_method_of_the_specification_has_an_operation() {
    let Some(folder) = shared() else { return };
    let theirs: BTreeSet<_> = spec(&folder).operations().into_iter().collect();
    let ours = OPERATIONS.iter().map(|operation| {
        let path = operation.template().strip_prefix("/secure-api").unwrap();
        let (id, method) = (operation.id(), operation.method());
        (id.to_owned(), method.to_owned(), path.to_owned())
    });
    assert_eq!(ours.collect::<BTreeSet<_>>(), theirs);
}

#[tokio::test]
async fn every_operation_answers_as_the_specification_says() {
    let Some(folder) = shared() else { return };
    let (spec, portal) = (spec(&folder), portal().await);
    for operation in OPERATIONS {
        let answer = succeed(&portal, *operation).await;
        assert!(
            (200..300).contains(&answer.status),
            "{operation}: {}",
            answer.text()
        );
        let problems = spec.check(operation.id(), answer.status, &answer.body);
        assert_eq!(problems, [""; 0], "{operation}");
    }
}

#[tokio::test]
async fn every_refusal_is_one_that_the_specification_has() {
    let Some(folder) = shared() else { return };
    let (spec, portal) = (spec(&folder), portal().await);
    let check = |operation: Operation, status: u16, answer: Answer| {
        let answer = answer.expect(status);
        let problems = spec.check(operation.id(), status, &answer.body);
        assert_eq!(problems, [""; 0], "{operation} {status}");
    };
    for (operation, path) in [
        (GET_CONTACT, "/contact/none"),
        (GET_COMPANY, "/company/none"),
        (GET_PROJECT, "/project/name/none"),
    ] {
        check(operation, 404, portal.get(path).await);
    }
    for (operation, path) in [
        (UPDATE_CONTACT, "/contact/ada%40example.com"),
        (UPDATE_COMPANY, "/company/One"),
        (UPDATE_PROJECT, "/project/most_recent/true"),
    ] {
        check(
            operation,
            422,
            portal
                .put(path, &json!({ "name": "", "first_name": "" }))
                .await,
        );
        check(operation, 400, portal.put(path, &json!([])).await);
    }
    for (operation, path) in [
        (CREATE_CONTACT, "/contact"),
        (CREATE_COMPANY, "/company"),
        (SUBSCRIBE, "/marketing/subscribe"),
    ] {
        check(operation, 422, portal.post(path, &json!({})).await);
        check(operation, 405, portal.get(path).await);
    }
    portal.control.set_monthly_quota(Some(0));
    for operation in OPERATIONS {
        check(*operation, 429, succeed(&portal, *operation).await);
    }
    let portal = portal.with_pair(Some("wrong"), Some("wrong"));
    for operation in OPERATIONS {
        check(*operation, 401, succeed(&portal, *operation).await);
    }
}

/// Sends what a message asks, to the record that stands for the one it names.
async fn replay(portal: &Portal, message: &Value, path: &str) -> Answer {
    let request = &message["request"];
    let body = request.get("body");
    let method = request["method"].as_str().unwrap();
    portal.send(method, path, body).await.unwrap()
}

#[tokio::test]
async fn requests_are_taken_and_answered_with_the_same_keys() {
    let Some(folder) = shared() else { return };
    let portal = portal().await;
    for name in [
        "contact_create_201",
        "contact_create_lead_without_email_201",
        "contact_create_validation_422",
        "contact_create_duplicate_422",
        "contact_get_200",
        "contact_get_404",
        "contact_update_200",
        "contact_meta_200",
        "contacts_list_page1_200",
        "company_create_201",
        "companies_list_200",
        "project_get_200",
    ] {
        let message = fixture(&folder, name);
        let path = text(&message["request"]["path"]);
        let jane = portal.control.contact("jane.roe@example.com");
        let jane = jane
            .map(|contact| text(&contact["uid"]))
            .unwrap_or_default();
        let project = text(&portal.control.projects()[0]["uid"]);
        let path = path
            .replace("11111111-1111-4111-8111-111111111111", &jane)
            .replace("55555555-5555-4555-8555-555555555555", &project);
        if name == "company_create_201" {
            // The contact's own message has made the company already.
            let mut message = message.clone();
            message["request"]["body"]["name"] = json!("Another GmbH");
            let answer = replay(&portal, &message, &path).await.expect(201).json();
            assert_same_keys(&answer, &message["response"]["body"], name);
            continue;
        }
        let theirs = &message["response"];
        let status = u16::try_from(theirs["status"].as_u64().unwrap()).unwrap();
        let answer = replay(&portal, &message, &path).await.expect(status).json();
        if name == "contact_meta_200" {
            // The message shows a part of the attributes, and nothing of what they allow.
            let (mut ours, mut known) = (BTreeSet::new(), BTreeSet::new());
            paths(&answer, "", &mut ours);
            paths(&theirs["body"], "", &mut known);
            assert_eq!(known.difference(&ours).collect::<Vec<_>>(), [""; 0]);
            continue;
        }
        assert_same_keys(&known_keys(&answer), &known_keys(&theirs["body"]), name);
    }
}

/// A body without what is in parts that may be empty for one record and not for another.
fn known_keys(body: &Value) -> Value {
    let mut body = body.clone();
    let items = match body.get_mut("data") {
        None => &mut [],
        Some(Value::Array(items)) => items.as_mut_slice(),
        Some(one) => std::slice::from_mut(one),
    };
    for item in items {
        for name in ["companies", "custom_fields", "primaryContact"] {
            if let Some(part) = item.get_mut(name) {
                *part = Value::Null;
            }
        }
    }
    body
}

#[tokio::test]
async fn errors_have_the_known_shape() {
    let Some(folder) = shared() else { return };
    let portal = portal().await;
    let status = |message: &Value| u16::try_from(message["response"]["status"].as_u64().unwrap());
    let message = fixture(&folder, "error_400");
    let answer = portal.post("/contact", &json!([])).await;
    let answer = answer.expect(status(&message).unwrap()).json();
    assert_same_keys(&answer, &message["response"]["body"], "400");
    let message = fixture(&folder, "error_405");
    let answer = portal
        .get("/contact")
        .await
        .expect(status(&message).unwrap())
        .json();
    assert_same_keys(&answer, &message["response"]["body"], "405");
    let plan = FaultPlan::none().next(When::any(), 1, Fault::HtmlErrorPage);
    portal.control.faults(plan);
    let message = fixture(&folder, "error_html_502");
    let answer = portal
        .get("/contacts")
        .await
        .expect(status(&message).unwrap());
    assert_eq!(answer.text().trim_end(), text(&message["response"]["body"]));
    portal.control.set_monthly_quota(Some(0));
    let message = fixture(&folder, "error_429_quota");
    let answer = portal
        .get("/contacts")
        .await
        .expect(status(&message).unwrap());
    assert_same_keys(&answer.json(), &message["response"]["body"], "429");
    let portal = portal.with_pair(None, None);
    let message = fixture(&folder, "error_401");
    let answer = portal
        .get("/contacts")
        .await
        .expect(status(&message).unwrap())
        .json();
    assert_same_keys(&answer, &message["response"]["body"], "401");
}

#[tokio::test]
async fn pages_have_the_published_form() {
    let Some(folder) = shared() else { return };
    let portal = portal().await;
    portal.control.seed_companies(14);
    let answer = portal.get("/companies").await.expect(200).json();
    let mut theirs = fixture(&folder, "pagination_published")["body"]["meta"].clone();
    let next = format!("{}/companies?page=2", portal.sandbox.api_url());
    theirs["pagination"]["nextPage"] = json!(next);
    assert_eq!(answer["meta"], theirs);
    let empty = fixture(&folder, "contacts_list_empty_200");
    let portal = Portal::start().await;
    let answer = portal.get("/contacts").await.expect(200).json();
    assert_eq!(answer, empty["response"]["body"]);
}

#[tokio::test]
async fn a_webhook_has_the_evidenced_keys_and_no_others() {
    let Some(folder) = shared() else { return };
    let (portal, inbox) = (portal().await, Receiver::start(&[]).await);
    let theirs = fixture(&folder, "webhook_project_updated")["body"].clone();
    let client = text(&portal.control.contacts()[0]["uid"]);
    let record = json!({
        "name": "P",
        "client": { "uid": client },
        "project_custom_fields": theirs["project_custom_fields"],
    });
    let project = portal.control.seed_project(&record).unwrap();
    let event = WebhookEvent::ProjectUpdated;
    portal
        .control
        .send_webhook(&inbox.url, event, &project)
        .unwrap();
    portal.control.webhooks_settled().await;
    let received = inbox.take().remove(0);
    assert_same_keys(&received.json(), &theirs, "webhook");
    assert_eq!(received.header("content-type"), Some("application/json"));
}
