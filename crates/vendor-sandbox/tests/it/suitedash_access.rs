//! Keys, the monthly quota, routes and faults.

use std::io::ErrorKind;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use vendor_sandbox::suitedash::{
    CREATE_CONTACT, DUMMY_PUBLIC_ID, LIST_CONTACTS, OPERATIONS, UPDATE_CONTACT,
};
use vendor_sandbox::{Fault, FaultPlan, Sandbox, SandboxError, When};

use crate::portal::{Portal, lead};
use crate::support::keys;

#[tokio::test]
async fn a_wrong_pair_is_401_and_costs_nothing() {
    let portal = Portal::start().await;
    let (id, key) = (portal.sandbox.public_id(), portal.sandbox.secret_key());
    let (id, key) = (id.to_owned(), key.to_owned());
    let mut portal = portal;
    for (public_id, secret) in [
        (None, None),
        (Some(id.as_str()), None),
        (None, Some(key.as_str())),
        (Some(id.as_str()), Some("wrong")),
        (Some("wrong"), Some(key.as_str())),
        (Some(key.as_str()), Some(id.as_str())),
        (Some(DUMMY_PUBLIC_ID), Some(key.as_str())),
    ] {
        portal = portal.with_pair(public_id, secret);
        let answer = portal.get("/contacts").await.expect(401).json();
        assert_eq!(answer["success"], false);
        portal
            .post("/contact", &lead("A", "a@example.com"))
            .await
            .expect(401);
    }
    assert_eq!(portal.control.calls_used(), 0);
    let portal = portal.with_pair(Some(&id), Some(&key));
    portal.get("/contacts").await.expect(200);
    // An account may have several secret keys, and loses them one by one.
    portal.control.add_api_key("another-key").unwrap();
    assert!(portal.control.revoke_api_key(&key));
    portal.get("/contacts").await.expect(401);
    let portal = portal.with_pair(Some(&id), Some("another-key"));
    portal.get("/contacts").await.expect(200);
}

#[tokio::test]
async fn the_dummy_pair_reads_a_sample_world_and_writes_nothing() {
    let portal = Portal::with(Sandbox::suitedash().monthly_quota(0))
        .await
        .into_dummy();
    portal
        .control
        .seed_contact(&lead("Jane", "jane@example.com"))
        .unwrap();
    let list = portal.get("/contacts").await.expect(200).json();
    assert_eq!(list["meta"]["pagination"]["totalItems"], 12);
    portal
        .get("/contact/sample.client%40example.com")
        .await
        .expect(200);
    portal.get("/contact/jane%40example.com").await.expect(404);
    for path in [
        "/contact/meta",
        "/company/meta",
        "/company/Sample%20Company",
        "/project/most_recent/true",
    ] {
        portal.get(path).await.expect(200);
    }
    portal
        .post("/contact", &lead("A", "a@example.com"))
        .await
        .expect(401);
    let path = "/contact/sample.client%40example.com";
    portal
        .put(path, &json!({ "first_name": "X" }))
        .await
        .expect(401);
    assert_eq!(portal.control.calls_used(), 0);
    assert_eq!(portal.control.contact_count(), 1);
}

#[tokio::test]
async fn a_spent_month_refuses_every_operation() {
    let portal = Portal::with(Sandbox::suitedash().monthly_quota(2)).await;
    portal.lead("Jane", "jane@example.com").await;
    portal
        .get("/contact/nobody%40example.com")
        .await
        .expect(404);
    for operation in OPERATIONS {
        let path = operation.template().strip_prefix("/secure-api").unwrap();
        let body = json!({});
        let body = (operation.method() != "GET").then_some(&body);
        let answer = portal
            .send(operation.method(), path, body)
            .await
            .unwrap()
            .expect(429);
        assert_eq!(answer.header("retry-after"), None);
        let answer = answer.json();
        assert_eq!(keys(&answer), ["message", "success"]);
        assert_eq!(answer["success"], false);
    }
    assert_eq!(portal.control.calls_used(), 2 + 16);
    assert_eq!(portal.control.contact_count(), 1);
    portal.control.next_month();
    portal.get("/contacts").await.expect(200);
    assert_eq!(portal.control.calls_used(), 1);
    portal.get("/contacts").await.expect(200);
    portal.get("/contacts").await.expect(429);
    portal.control.set_monthly_quota(Some(400));
    portal.get("/contacts").await.expect(200);
    // The quota is the account's, not that of a key.
    portal.control.set_monthly_quota(Some(1));
    portal.control.add_api_key("another-key").unwrap();
    let id = portal.sandbox.public_id().to_owned();
    let portal = portal.with_pair(Some(&id), Some("another-key"));
    portal.get("/contacts").await.expect(429);
}

#[tokio::test]
async fn failed_and_refused_calls_may_be_free() {
    let builder = Sandbox::suitedash()
        .monthly_quota(1)
        .failed_calls_count(false)
        .refused_calls_count(false);
    let portal = Portal::with(builder).await;
    portal.control.faults(FaultPlan::none().next(
        When::any(),
        1,
        Fault::ServerError {
            status: 503,
            retry_after: None,
        },
    ));
    portal.get("/contacts").await.expect(503);
    portal.post("/contact", &json!({})).await.expect(422);
    assert_eq!(portal.control.calls_used(), 0);
    let (id, key) = (portal.sandbox.public_id(), portal.sandbox.secret_key());
    let (id, key) = (id.to_owned(), key.to_owned());
    let portal = portal.into_dummy();
    portal.get("/contacts").await.expect(200);
    assert_eq!(portal.control.calls_used(), 0);
    let portal = portal.with_pair(Some(&id), Some(&key));
    portal.get("/contacts").await.expect(200);
    portal.get("/contacts").await.expect(429);
    assert_eq!(portal.control.calls_used(), 1);
}

#[tokio::test]
async fn a_limit_by_the_second_can_be_put_before_it() {
    let portal = Portal::with(Sandbox::suitedash().rate_limit(Some(0))).await;
    portal.get("/contacts").await.expect(429);
    assert_eq!(portal.control.calls_used(), 0);
    portal.control.set_rate_limit(None);
    let answer = portal.get("/contacts").await.expect(200);
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("ratelimit"))
    );
}

#[tokio::test]
async fn only_the_documented_paths_and_methods_are_there() {
    let portal = Portal::start().await;
    for path in [
        "/api/v1/contacts",
        "/",
        "/contacts",
        "//secure-api/contacts",
        "/secure-api/contact/a%2Fb",
    ] {
        let answer = portal
            .raw("GET", path, None, b"")
            .await
            .unwrap()
            .expect(404);
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html"),
            "{path}"
        );
    }
    for path in [
        "/secure-api//contact/meta",
        "/secure-api/contacts/",
        "/secure-api/leads",
    ] {
        let answer = portal
            .raw("GET", path, None, b"")
            .await
            .unwrap()
            .expect(404);
        assert_eq!(answer.json()["success"], false, "{path}");
    }
    for (method, path) in [
        ("DELETE", "/contact/jane%40example.com"),
        ("GET", "/contact"),
        ("PATCH", "/contact/jane%40example.com"),
        ("POST", "/contacts"),
        ("POST", "/project/uid/1"),
    ] {
        let answer = portal
            .send(method, path, None)
            .await
            .unwrap()
            .expect(405)
            .json();
        assert_eq!(answer["success"], false, "{method} {path}");
    }
    assert_eq!(portal.control.calls_used(), 0);
}

async fn created_after(fault: Fault) -> (Portal, std::io::Result<crate::support::Answer>) {
    let portal = Portal::start().await;
    let plan = FaultPlan::none()
        .next(CREATE_CONTACT, 1, fault)
        .hang_millis(20);
    portal.control.faults(plan);
    let body = lead("Jane", "jane@example.com");
    let answer = timeout(
        Duration::from_secs(20),
        portal.send("POST", "/contact", Some(&body)),
    );
    let answer = answer.await.unwrap();
    (portal, answer)
}

#[tokio::test(start_paused = true)]
async fn every_fault_has_the_effect_that_it_says() {
    let server = |status| Fault::ServerError {
        status,
        retry_after: None,
    };
    for (fault, status, effect) in [
        (Fault::Latency { millis: 5_000 }, Some(201), 1),
        (
            Fault::RateLimited {
                retry_after: Some(7),
            },
            Some(429),
            0,
        ),
        (server(500), Some(500), 0),
        (server(503), Some(503), 0),
        (Fault::ServerErrorAfterEffect { status: 502 }, Some(502), 1),
        (Fault::ResetBeforeEffect, None, 0),
        (Fault::ResetAfterEffect, None, 1),
        (Fault::TruncatedBody, None, 1),
        (Fault::MalformedJson, Some(201), 1),
        (Fault::Unsuccessful, Some(200), 0),
        (Fault::HtmlErrorPage, Some(502), 0),
        (Fault::Hang, None, 0),
        (Fault::HangAfterEffect, None, 1),
    ] {
        let (portal, answer) = created_after(fault).await;
        assert_eq!(
            answer.as_ref().ok().map(|answer| answer.status),
            status,
            "{fault:?}"
        );
        assert_eq!(portal.control.contact_count(), effect, "{fault:?}");
        assert_eq!(portal.control.calls_used(), 1, "{fault:?}");
        assert_eq!(portal.control.requests()[0].fault, Some(fault));
    }
}

#[tokio::test]
async fn spoilt_answers_look_as_they_should() {
    let (_portal, answer) = created_after(Fault::MalformedJson).await;
    let answer = answer.unwrap();
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("application/json")
    );
    let (_portal, answer) = created_after(Fault::Unsuccessful).await;
    let answer = answer.unwrap().json();
    assert_eq!(
        (keys(&answer), &answer["success"]),
        (vec!["message", "success"], &json!(false))
    );
    let (_portal, answer) = created_after(Fault::HtmlErrorPage).await;
    let answer = answer.unwrap();
    assert!(answer.text().starts_with("<html>"));
    let (_portal, answer) = created_after(Fault::TruncatedBody).await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn the_log_knows_operations_by_the_names_of_the_specification() {
    let portal = Portal::start().await;
    portal.lead("Jane", "jane@example.com").await;
    portal.get("/contacts").await.expect(200);
    let operations: Vec<_> = portal
        .control
        .requests()
        .iter()
        .map(|record| record.operation)
        .collect();
    assert_eq!(operations, [Some(CREATE_CONTACT), Some(LIST_CONTACTS)]);
    let counts = portal.control.operations();
    assert_eq!(counts.len(), 16);
    let update = counts
        .iter()
        .find(|count| count.operation == UPDATE_CONTACT)
        .unwrap();
    assert_eq!(
        (update.requests, update.template),
        (0, "/secure-api/contact/{identifier}")
    );
}

#[tokio::test]
async fn the_pair_comes_from_the_seed_or_is_chosen() {
    let one = Portal::with(Sandbox::suitedash().seed(7)).await;
    let two = Portal::with(Sandbox::suitedash().seed(7)).await;
    assert_eq!(one.sandbox.public_id(), two.sandbox.public_id());
    assert_eq!(one.sandbox.public_id().len(), 36);
    assert_eq!(one.sandbox.secret_key(), two.sandbox.secret_key());
    let other = Sandbox::openphone().seed(7).start().await.unwrap();
    assert_ne!(one.sandbox.secret_key(), other.api_key());
    let a = one.lead("A", "a@example.com").await;
    assert_eq!(a, two.lead("A", "a@example.com").await);
    let chosen = Sandbox::suitedash().public_id("me").api_key("secret");
    let chosen = Portal::with(chosen).await;
    assert_eq!(
        (chosen.sandbox.public_id(), chosen.sandbox.secret_key()),
        ("me", "secret")
    );
    chosen.get("/contacts").await.expect(200);
    let broken = Sandbox::suitedash().public_id("a b").start().await;
    assert!(matches!(broken, Err(SandboxError::UnusableApiKey)));
}
