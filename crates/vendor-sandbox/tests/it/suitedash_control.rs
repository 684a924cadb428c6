//! What the control handle does, and the webhooks that are set up in the app.

use serde_json::json;
use vendor_sandbox::suitedash::{RecordKind, WebhookEvent};
use vendor_sandbox::{DeliveryState, Sandbox, SandboxError};

use crate::portal::{Portal, lead, text};
use crate::receiver::Receiver;

const FIELD: &str = "44444444-4444-4444-8444-444444444444";

async fn portal() -> Portal {
    let builder = Sandbox::suitedash().custom_field(RecordKind::Project, FIELD, "Avatar");
    Portal::with(builder).await
}

#[tokio::test]
async fn a_webhook_tells_of_a_project_without_a_signature() {
    let (portal, inbox) = (portal().await, Receiver::start(&[]).await);
    let client = portal.lead("Jane", "jane@example.com").await;
    let record = json!({
        "name": "Onboarding",
        "client": { "uid": client },
        "project_custom_fields": { FIELD: "https://example.com/avatar.png" },
    });
    let project = portal.control.seed_project(&record).unwrap();
    // The query of the URL stands for the receiver's own secret.
    let send = |event, about| portal.control.send_webhook(&inbox.url, event, about);
    send(WebhookEvent::ProjectUpdated, &project).unwrap();
    portal.control.webhooks_settled().await;
    send(WebhookEvent::SubscriptionUnpaid, &client).unwrap();
    portal.control.webhooks_settled().await;
    let received = inbox.take();
    let expected = json!({
        "client": { "uid": client },
        "project_custom_fields": { FIELD: "https://example.com/avatar.png" },
    });
    assert_eq!(received[0].json(), expected);
    assert_eq!(received[1].json(), json!({ "client": { "uid": client } }));
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    for name in [
        "x-suitedash-signature",
        "webhook-signature",
        "openphone-signature",
    ] {
        assert_eq!(received[0].header(name), None);
    }
    let records = portal.control.deliveries();
    assert_eq!(
        (records[0].event, records[1].event),
        ("Project Updated", "Subscription Unpaid")
    );
    // Sent once more, it is the same to the byte.
    portal.control.redeliver(records[0].number).unwrap();
    portal.control.webhooks_settled().await;
    assert_eq!(inbox.take()[0].body, received[0].body);
}

#[tokio::test]
async fn a_webhook_that_fails_is_not_sent_again_and_none_leaves_the_machine() {
    let (portal, inbox) = (portal().await, Receiver::start(&[500]).await);
    let payload = json!({ "anything": true });
    let event = WebhookEvent::ProjectDeleted;
    portal
        .control
        .send_webhook_with(&inbox.url, event, &payload)
        .unwrap();
    portal.control.webhooks_settled().await;
    assert_eq!(inbox.take().len(), 1);
    let record = portal.control.deliveries().pop().unwrap();
    assert_eq!((record.attempts, record.state), (1, DeliveryState::Failed));
    let elsewhere = portal
        .control
        .send_webhook_with("https://example.com/hook", event, &payload);
    assert!(matches!(elsewhere, Err(SandboxError::NotLoopback { .. })));
    for (event, about) in [
        (WebhookEvent::ProjectCreated, "none"),
        (WebhookEvent::SubscriptionCreated, "none"),
    ] {
        let unknown = portal.control.send_webhook(&inbox.url, event, about);
        assert!(matches!(unknown, Err(SandboxError::Unknown { .. })));
    }
}

#[tokio::test]
async fn the_handle_is_there_over_http() {
    let (portal, inbox) = (portal().await, Receiver::start(&[]).await);
    let seeds = json!({ "synthetic": 5, "contacts": [lead("Jane", "jane@example.com")] });
    let seeded = portal
        .post("/_sandbox/contacts", &seeds)
        .await
        .expect(201)
        .json();
    assert_eq!(seeded["count"], 6);
    let uid = text(&seeded["uids"][0]);
    let found = portal
        .get(&format!("/_sandbox/contacts/{uid}"))
        .await
        .expect(200)
        .json();
    assert_eq!(found, portal.control.contact("jane@example.com").unwrap());
    let all = portal.get("/_sandbox/contacts").await.expect(200).json();
    assert_eq!(all["contacts"].as_array().unwrap().len(), 6);
    let company = json!({ "companies": [{ "name": "One", "role": "Lead" }] });
    portal
        .post("/_sandbox/companies", &company)
        .await
        .expect(201);
    let idle = json!({ "company": "One", "idle": true });
    portal
        .put("/_sandbox/idle-companies", &idle)
        .await
        .expect(200);
    assert_eq!(portal.get("/companies").await.json()["data"], json!([]));
    assert_eq!(
        portal.get("/_sandbox/companies").await.json()["companies"][0]["name"],
        "One"
    );
    let field = json!({ "of": "project", "uid": "p-1", "name": "Colour" });
    portal
        .post("/_sandbox/custom-fields", &field)
        .await
        .expect(201);
    let project =
        json!({ "projects": [{ "name": "P", "project_custom_fields": { "p-1": "red" } }] });
    let project = portal
        .post("/_sandbox/projects", &project)
        .await
        .expect(201)
        .json();
    let hook = json!({ "url": inbox.url, "event": "project_created", "about": project["uids"][0] });
    portal.post("/_sandbox/webhooks", &hook).await.expect(201);
    portal
        .post("/_sandbox/webhooks/settle", &json!({}))
        .await
        .expect(200);
    assert_eq!(
        inbox.take()[0].json()["project_custom_fields"],
        json!({ "p-1": "red" })
    );
}

#[tokio::test]
async fn quota_mails_and_a_new_start_are_there_over_http() {
    let portal = portal().await;
    let seeds = json!({ "contacts": [lead("Jane", "jane@example.com")] });
    let seeded = portal.post("/_sandbox/contacts", &seeds).await;
    let uid = text(&seeded.expect(201).json()["uids"][0]);
    portal
        .put("/_sandbox/quota", &json!({ "per_month": 1 }))
        .await
        .expect(200);
    portal.get("/contacts").await.expect(200);
    portal.get("/contacts").await.expect(429);
    let next = portal
        .post("/_sandbox/quota/next-month", &json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(next, json!({ "per_month": 1, "used": 0 }));
    let mut forgotten = lead("John", "john@example.com");
    forgotten
        .as_object_mut()
        .unwrap()
        .remove("send_welcome_email");
    portal.post("/contact", &forgotten).await.expect(201);
    let mails = portal
        .get("/_sandbox/welcome-mails")
        .await
        .expect(200)
        .json();
    assert_eq!(mails["welcome_mails"][0]["email"], "john@example.com");
    let about = portal.get("/_sandbox/").await.expect(200).json();
    assert_eq!(about["vendor"], "suitedash");
    assert_eq!(about["public_id"], portal.sandbox.public_id());
    assert_eq!(about["contacts"], 2);
    portal
        .get("/_sandbox/contacts/jane%40example.com")
        .await
        .expect(200);
    let path = format!("/_sandbox/contacts/{uid}");
    portal
        .send("DELETE", &path, None)
        .await
        .unwrap()
        .expect(200);
    portal
        .send("DELETE", &path, None)
        .await
        .unwrap()
        .expect(404);
    let wrong = json!({ "contacts": [{ "role": "Boss" }] });
    portal.post("/_sandbox/contacts", &wrong).await.expect(400);
    portal.post("/_sandbox/reset", &json!({})).await.expect(200);
    assert_eq!(portal.control.contact_count(), 0);
    assert!(portal.control.welcome_mails().is_empty());
    assert_eq!(
        portal.control.calls_used(),
        1,
        "a reset gives no calls back"
    );
}

#[tokio::test]
async fn seeds_keep_the_rules_and_mail_nobody() {
    let portal = portal().await;
    let mut seed = lead("Jane", "jane@example.com");
    seed["send_welcome_email"] = json!(true);
    seed["created"] = json!("2026-01-02T03:04:05+01:00");
    portal.control.seed_contact(&seed).unwrap();
    let contact = portal.control.contact("jane@example.com").unwrap();
    assert_eq!(contact["created"], "2026-01-02T02:04:05+00:00");
    // Who was invited before is not invited again.
    let invite = json!({ "send_welcome_email": true });
    portal
        .put("/contact/jane%40example.com", &invite)
        .await
        .expect(200);
    assert!(portal.control.welcome_mails().is_empty());
    for (record, expected) in [
        (seed.clone(), "Contact already exists"),
        (json!([]), "The body is not an object"),
        (
            json!({ "created": "yesterday" }),
            "created: is not a date-time",
        ),
    ] {
        match portal.control.seed_contact(&record) {
            Err(SandboxError::InvalidSeed { reason }) => assert_eq!(reason, expected),
            other => panic!("{other:?}"),
        }
    }
    let client = json!({ "name": "P", "client": { "uid": "none" } });
    assert!(portal.control.seed_project(&client).is_err());
}

#[tokio::test]
async fn somebody_edits_in_the_app_meanwhile() {
    let builder = Sandbox::suitedash().partial_updates(false);
    let portal = Portal::with(builder).await;
    let uid = portal.lead("Jane", "jane@example.com").await;
    let before = portal.control.calls_used();
    portal
        .control
        .edit_contact(&uid, &json!({ "role": "Client", "tags": ["vip"] }))
        .unwrap();
    portal
        .control
        .edit_contact("jane@example.com", &json!({ "phone": "+12025550100" }))
        .unwrap();
    let contact = portal
        .get(&format!("/contact/{uid}"))
        .await
        .expect(200)
        .json();
    let contact = &contact["data"];
    assert_eq!(
        (&contact["role"], &contact["tags"]),
        (&json!("Client"), &json!(["vip"]))
    );
    assert_eq!(contact["phone"], "+12025550100");
    assert_eq!(portal.control.calls_used(), before + 1);
    let unknown = portal.control.edit_contact("none", &json!({}));
    assert!(matches!(unknown, Err(SandboxError::Unknown { .. })));
    let wrong = portal
        .control
        .edit_contact(&uid, &json!({ "first_name": "" }));
    assert!(matches!(wrong, Err(SandboxError::InvalidSeed { .. })));
    let path = format!("/_sandbox/contacts/{uid}");
    portal
        .put(&path, &json!({ "first_name": "Janet" }))
        .await
        .expect(200);
    portal
        .put(&path, &json!({ "first_name": "" }))
        .await
        .expect(400);
    assert_eq!(portal.control.contact(&uid).unwrap()["first_name"], "Janet");
}
