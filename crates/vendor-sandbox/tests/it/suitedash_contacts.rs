use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::{RecordKind, RoleInUpdate};

use crate::portal::{Portal, lead, text};
use crate::support::keys;

const FIELD: &str = "44444444-4444-4444-8444-444444444444";

async fn portal_with_field() -> Portal {
    Portal::with(Sandbox::suitedash().custom_field(RecordKind::Contact, FIELD, "Interest")).await
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[tokio::test]
async fn a_contact_is_created_and_read_by_uid_and_email() {
    let portal = portal_with_field().await;
    let body = json!({
        "role": "Lead",
        "first_name": "Jane",
        "last_name": "Roe",
        "email": "Jane.Roe+form@example.com",
        "phone": "+12025550100",
        "background_info": "Asked about onboarding.",
        "address": { "city": "Bonn", "zip": "53111" },
        "tags": ["website", "website"],
        "circles": { "add": ["Newsletter"] },
        "company": { "name": "Example GmbH", "create_company_if_not_exists": true },
        "custom_fields": { FIELD: "Newsletter" },
        "send_welcome_email": false,
    });
    let created = portal.post("/contact", &body).await.expect(201).json();
    assert_eq!(created["success"], true);
    let contact = &created["data"];
    assert_eq!(contact["role"], "Lead");
    assert_eq!(contact["tags"], json!(["website"]));
    assert_eq!(contact["circles"], json!([{ "name": "Newsletter" }]));
    assert_eq!(contact["custom_fields"], json!({ FIELD: "Newsletter" }));
    assert_eq!(contact["full_address"], "Bonn, 53111");
    assert_eq!(contact["companies"][0]["name"], "Example GmbH");
    assert_eq!(contact.get("id"), None);
    for identifier in [
        contact["uid"].as_str().unwrap(),
        "Jane.Roe%2Bform%40example.com",
        "jane.roe%2bFORM@example.com",
    ] {
        let found = portal
            .get(&format!("/contact/{identifier}"))
            .await
            .expect(200)
            .json();
        assert_eq!(found["data"], *contact, "{identifier}");
    }
    for stranger in ["nobody%40example.com", "1", "Jane", FIELD] {
        portal
            .get(&format!("/contact/{stranger}"))
            .await
            .expect(404);
    }
    assert!(portal.control.welcome_mails().is_empty());
    assert_eq!(portal.control.contact_count(), 1);
    assert_eq!(portal.control.companies().len(), 1);
}

#[tokio::test]
async fn what_is_required_is_refused_by_name() {
    let portal = portal_with_field().await;
    let good = lead("Jane", "jane@example.com");
    let mut without_email = good.clone();
    without_email.as_object_mut().unwrap().remove("email");
    portal.post("/contact", &without_email).await.expect(201);
    let client = with(without_email, "role", json!("Client"));
    let cases = [
        (json!({}), vec!["first_name", "last_name", "role"]),
        (client, vec!["email"]),
        (with(good.clone(), "role", json!("lead")), vec!["role"]),
        (with(good.clone(), "role", Value::Null), vec!["role"]),
        (
            with(good.clone(), "first_name", json!(" ")),
            vec!["first_name"],
        ),
        (
            with(good.clone(), "last_name", json!("")),
            vec!["last_name"],
        ),
        (with(good.clone(), "email", json!("jane")), vec!["email"]),
        (with(good.clone(), "phone", json!(5_550_100)), vec!["phone"]),
        (with(good.clone(), "tags", json!("x")), vec!["tags"]),
        (
            with(good.clone(), "address", json!({ "city": 1 })),
            vec!["address.city"],
        ),
        (
            with(good.clone(), "send_welcome_email", json!("no")),
            vec!["send_welcome_email"],
        ),
        (
            with(good.clone(), "custom_fields", json!({ "Interest": "x" })),
            vec!["custom_fields.Interest"],
        ),
        (
            with(good.clone(), "company", json!({ "name": "None Ltd" })),
            vec!["company.name"],
        ),
    ];
    for (body, expected) in cases {
        let answer = portal.post("/contact", &body).await.expect(422).json();
        assert_eq!(answer["success"], false);
        assert_eq!(keys(&answer["errors"]), expected, "{body}");
    }
    assert_eq!(portal.control.contact_count(), 1);
}

#[tokio::test]
async fn bodies_that_are_no_json_objects_are_refused() {
    let portal = Portal::start().await;
    let json = Some("application/json");
    for body in ["", "[]", "{", "\"x\"", "{\"first_name\":\"\\ud800\"}"] {
        let status = if body.is_empty() { 422 } else { 400 };
        let answer = portal.raw("POST", "/secure-api/contact", json, body.as_bytes());
        let answer = answer.await.unwrap().expect(status).json();
        assert_eq!(answer["success"], false, "{body}");
    }
    // What is not declared as JSON is not read.
    let body = lead("Jane", "jane@example.com").to_string();
    let form = Some("application/x-www-form-urlencoded");
    let answer = portal.raw("POST", "/secure-api/contact", form, body.as_bytes());
    answer.await.unwrap().expect(422);
    assert_eq!(portal.control.contact_count(), 0);
}

#[tokio::test]
async fn a_taken_email_is_422_without_a_list_of_errors() {
    let portal = Portal::start().await;
    let uid = portal.lead("Jane", "jane@example.com").await;
    let other = portal.lead("John", "john@example.com").await;
    for email in ["jane@example.com", "Jane@Example.com"] {
        let answer = portal
            .post("/contact", &lead("Janet", email))
            .await
            .expect(422)
            .json();
        assert_eq!(keys(&answer), ["message", "success"]);
        assert_eq!(answer["message"], "Contact already exists");
    }
    let path = format!("/contact/{other}");
    portal
        .put(&path, &json!({ "email": "jane@example.com" }))
        .await
        .expect(422);
    portal
        .put(&path, &json!({ "email": "John@example.com" }))
        .await
        .expect(200);
    assert_eq!(portal.control.contact_count(), 2);
    assert_eq!(portal.control.contact(&uid).unwrap()["first_name"], "Jane");
    // Leads without an e-mail have no key: each of them is another record.
    let body = json!({ "role": "Lead", "first_name": "No", "last_name": "Email" });
    portal.post("/contact", &body).await.expect(201);
    portal.post("/contact", &body).await.expect(201);
    assert_eq!(portal.control.contact_count(), 4);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_replaces_lists() {
    let portal = portal_with_field().await;
    let body = with(lead("Jane", "jane@example.com"), "tags", json!(["a", "b"]));
    let body = with(body, "phone", json!("+12025550100"));
    let body = with(body, "custom_fields", json!({ FIELD: "x" }));
    let created = portal.post("/contact", &body).await.expect(201).json();
    let path = format!("/contact/{}", text(&created["data"]["uid"]));
    let changed = portal
        .put("/contact/jane%40example.com", &json!({ "tags": ["c"] }))
        .await;
    let mut expected = created["data"].clone();
    expected["tags"] = json!(["c"]);
    assert_eq!(changed.expect(200).json()["data"], expected);
    let body = json!({ "phone": null, "custom_fields": {}, "last_name": "Doe" });
    let changed = portal.put(&path, &body).await.expect(200).json();
    expected["phone"] = Value::Null;
    expected["custom_fields"] = json!({});
    expected["last_name"] = json!("Doe");
    assert_eq!(changed["data"], expected);
    // What people send and no contact has changes nothing, in silence.
    let body = json!({ "notes": "x", "company_name": "x", "status": "x" });
    assert_eq!(
        portal.put(&path, &body).await.expect(200).json()["data"],
        expected
    );
    for body in [json!({ "first_name": null }), json!({ "last_name": "" })] {
        portal.put(&path, &body).await.expect(422);
    }
    portal
        .put("/contact/nobody%40example.com", &json!({}))
        .await
        .expect(404);
    assert_eq!(
        portal.control.contact(&text(&expected["uid"])).unwrap(),
        expected
    );
}

#[tokio::test]
async fn an_update_may_clear_what_it_does_not_name() {
    let portal = Portal::with(Sandbox::suitedash().partial_updates(false)).await;
    let body = with(lead("Jane", "jane@example.com"), "tags", json!(["a"]));
    let body = with(body, "background_info", json!("Asked."));
    portal.post("/contact", &body).await.expect(201);
    let body = json!({ "phone": "+12025550101" });
    let changed = portal.put("/contact/jane%40example.com", &body).await;
    let contact = changed.expect(200).json()["data"].clone();
    assert_eq!(contact["tags"], json!([]));
    assert_eq!(contact["background_info"], Value::Null);
    assert_eq!(contact["phone"], "+12025550101");
    assert_eq!(contact["email"], "jane@example.com");
    assert_eq!(contact["first_name"], "Jane");
}

#[tokio::test]
async fn a_demotion_shows_is_ignored_or_refused() {
    for (mode, status, role) in [
        (RoleInUpdate::Applied, 200, "Lead"),
        (RoleInUpdate::Ignored, 200, "Client"),
        (RoleInUpdate::Refused, 422, "Client"),
    ] {
        let portal = Portal::with(Sandbox::suitedash().role_in_update(mode)).await;
        let body = with(lead("Jane", "jane@example.com"), "role", json!("Client"));
        portal.control.seed_contact(&body).unwrap();
        let path = "/contact/jane%40example.com";
        portal
            .put(path, &json!({ "role": "Lead" }))
            .await
            .expect(status);
        assert_eq!(
            portal.control.contact("jane@example.com").unwrap()["role"],
            role
        );
    }
}

#[tokio::test]
async fn every_welcome_mail_is_on_record() {
    let portal = Portal::start().await;
    let quiet = lead("Jane", "jane@example.com");
    portal.post("/contact", &quiet).await.expect(201);
    assert!(portal.control.welcome_mails().is_empty());
    // Whoever forgets the flag mails a stranger.
    let mut forgotten = lead("John", "john@example.com");
    forgotten
        .as_object_mut()
        .unwrap()
        .remove("send_welcome_email");
    portal.post("/contact", &forgotten).await.expect(201);
    let mails = portal.control.welcome_mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].email, "john@example.com");
    // An update invites those only who were not invited before.
    let invite = json!({ "send_welcome_email": true });
    for email in [
        "john%40example.com",
        "jane%40example.com",
        "jane%40example.com",
    ] {
        portal
            .put(&format!("/contact/{email}"), &invite)
            .await
            .expect(200);
    }
    let mails = portal.control.welcome_mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].email, "jane@example.com");
    assert_eq!(
        mails[1].contact_uid,
        text(&portal.control.contact("jane@example.com").unwrap()["uid"])
    );
    let nowhere = json!({ "role": "Lead", "first_name": "No", "last_name": "Email", "send_welcome_email": true });
    portal.post("/contact", &nowhere).await.expect(201);
    let portal = Portal::with(Sandbox::suitedash().welcome_by_default(false)).await;
    portal.post("/contact", &forgotten).await.expect(201);
    assert!(portal.control.welcome_mails().is_empty());
}

#[tokio::test]
async fn options_turn_what_is_not_known_the_other_way() {
    let builder = Sandbox::suitedash()
        .empty_last_name(true)
        .errors_by_attribute(false)
        .refuse_unknown_attributes(true)
        .duplicate_message("Bereits vorhanden");
    let portal = Portal::with(builder).await;
    let body = with(lead("Jane", "jane@example.com"), "last_name", json!(""));
    portal.post("/contact", &body).await.expect(201);
    let answer = portal.post("/contact", &body).await.expect(422).json();
    assert_eq!(answer["message"], "Bereits vorhanden");
    let body = with(lead("John", "john@example.com"), "notes", json!("x"));
    let answer = portal.post("/contact", &body).await.expect(422).json();
    assert_eq!(keys(&answer), ["message", "success"]);
}

#[tokio::test]
async fn the_attributes_stand_at_the_top_or_in_the_envelope() {
    let portal = portal_with_field().await;
    let meta = portal.get("/contact/meta").await.expect(200).json();
    assert_eq!(meta.get("success"), None);
    assert_eq!(meta["last_name"]["required"], true);
    assert_eq!(meta["email"]["required"], false);
    assert_eq!(meta["address"]["properties"]["zip"]["field_name"], "Zip");
    assert_eq!(
        meta["custom_fields"]["properties"][FIELD]["field_name"],
        "Interest"
    );
    portal
        .control
        .define_custom_field(RecordKind::Company, "c-1", "Branch");
    let company = portal.get("/company/meta").await.expect(200).json();
    assert_eq!(keys(&company["custom_fields"]["properties"]), ["c-1"]);
    let project = portal.get("/project/meta").await.expect(200).json();
    assert_eq!(project["project_custom_fields"]["properties"], json!({}));
    let enveloped = Portal::with(Sandbox::suitedash().enveloped_meta(true)).await;
    let meta = enveloped.get("/contact/meta").await.expect(200).json();
    assert_eq!(keys(&meta), ["data", "message", "success"]);
    assert_eq!(meta["data"]["role"]["required"], true);
}

#[tokio::test]
async fn a_loose_look_up_finds_a_stranger() {
    for (loose, status) in [(false, 404), (true, 200)] {
        let portal = Portal::with(Sandbox::suitedash().loose_lookup(loose)).await;
        let jane = portal.lead("Jane", "jane@example.com").await;
        portal.lead("John", "john@example.com").await;
        let answer = portal
            .get("/contact/ann%40example.com")
            .await
            .expect(status);
        if loose {
            assert_eq!(answer.json()["data"]["uid"], jane);
        }
        let tags = json!({ "tags": ["x"] });
        portal
            .put("/contact/ann%40example.com", &tags)
            .await
            .expect(status);
        portal.get("/contact/none").await.expect(404);
        portal.get("/contact/john%40example.com").await.expect(200);
    }
}

#[tokio::test]
async fn an_email_that_was_given_up_is_free_and_finds_nobody() {
    let portal = Portal::start().await;
    let uid = portal.lead("Jane", "jane@example.com").await;
    let path = format!("/contact/{uid}");
    let moved = json!({ "email": "jane.roe@example.com" });
    portal.put(&path, &moved).await.expect(200);
    portal.get("/contact/jane%40example.com").await.expect(404);
    let second = portal.lead("Jane", "jane@example.com").await;
    assert_ne!(second, uid);
    portal
        .put(&path, &json!({ "email": null }))
        .await
        .expect(200);
    portal
        .get("/contact/jane.roe%40example.com")
        .await
        .expect(404);
    assert!(portal.control.delete_contact("jane@example.com"));
    assert!(!portal.control.delete_contact("jane@example.com"));
    portal.lead("Jane", "jane@example.com").await;
}
