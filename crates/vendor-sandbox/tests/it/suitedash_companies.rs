use serde_json::{Value, json};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::RecordKind;

use crate::portal::{Portal, lead, text};
use crate::support::keys;

fn company(name: &str) -> Value {
    json!({ "name": name, "role": "Lead" })
}

fn with_primary(email: &str, create: bool) -> Value {
    let mut body = company("Example GmbH");
    body["primaryContact"] = json!({
        "first_name": "Jane",
        "last_name": "Roe",
        "email": email,
        "send_welcome_email": false,
        "create_primary_contact_if_not_exists": create,
        "prevent_individual_mode": true,
    });
    body
}

#[tokio::test]
async fn a_company_is_created_with_its_contact_and_read_by_uid_and_name() {
    let portal = Portal::start().await;
    let body = with_primary("jane@example.com", true);
    let created = portal.post("/company", &body).await.expect(201).json();
    let company = &created["data"];
    let contact = portal.control.contact("jane@example.com").unwrap();
    assert_eq!(company["primaryContact"]["uid"], contact["uid"]);
    assert_eq!(
        contact["companies"],
        json!([{ "uid": company["uid"], "name": "Example GmbH" }])
    );
    assert_eq!(contact["role"], "Lead");
    assert_eq!(company["category"]["name"], "Default");
    for identifier in [company["uid"].as_str().unwrap(), "Example%20GmbH"] {
        let found = portal
            .get(&format!("/company/{identifier}"))
            .await
            .expect(200);
        assert_eq!(found.json()["data"], *company);
    }
    // A blank written the way forms do is a plus.
    portal.get("/company/Example+GmbH").await.expect(404);
    portal.get("/company/example%20gmbh").await.expect(404);
    assert!(portal.control.welcome_mails().is_empty());
}

#[tokio::test]
async fn a_contact_that_is_there_becomes_the_primary_one() {
    let portal = Portal::start().await;
    let uid = portal.lead("Jane", "jane@example.com").await;
    let body = with_primary("Jane@example.com", false);
    let created = portal.post("/company", &body).await.expect(201).json();
    assert_eq!(created["data"]["primaryContact"]["uid"], uid);
    let answer = portal
        .post("/company", &with_primary("john@example.com", false))
        .await;
    assert_eq!(
        keys(&answer.expect(422).json()["errors"]),
        ["primaryContact.email"]
    );
    let mut body = with_primary("john", true);
    body["primaryContact"]
        .as_object_mut()
        .unwrap()
        .remove("last_name");
    body["name"] = json!("");
    let answer = portal.post("/company", &body).await.expect(422).json();
    let expected = ["name", "primaryContact.email", "primaryContact.last_name"];
    assert_eq!(keys(&answer["errors"]), expected);
    assert_eq!(portal.control.contact_count(), 1);
}

#[tokio::test]
async fn a_taken_name_is_refused_and_a_forgotten_flag_mails() {
    let portal = Portal::start().await;
    portal.post("/company", &company("One")).await.expect(201);
    portal.post("/company", &company("One")).await.expect(422);
    portal.post("/company", &company("Two")).await.expect(201);
    portal
        .put("/company/Two", &company("One"))
        .await
        .expect(422);
    let mut body = with_primary("jane@example.com", true);
    body["primaryContact"]
        .as_object_mut()
        .unwrap()
        .remove("send_welcome_email");
    portal.post("/company", &body).await.expect(201);
    assert_eq!(portal.control.welcome_mails()[0].email, "jane@example.com");
}

#[tokio::test]
async fn an_update_changes_what_it_names_but_not_the_primary_contact() {
    let builder = Sandbox::suitedash().custom_field(RecordKind::Company, "c-1", "Branch");
    let portal = Portal::with(builder).await;
    let created = portal
        .post("/company", &with_primary("jane@example.com", true))
        .await;
    let mut expected = created.expect(201).json()["data"].clone();
    let body = json!({
        "website": "https://www.example.com",
        "full_address": "1 Main St",
        "tags": ["x"],
        "category": { "name": "Partners" },
        "custom_fields": { "c-1": ["a", 2] },
        "primaryContact": { "email": "john@example.com" },
    });
    let changed = portal
        .put("/company/Example%20GmbH", &body)
        .await
        .expect(200)
        .json();
    for name in ["website", "full_address", "tags", "custom_fields"] {
        expected[name] = body[name].clone();
    }
    expected["category"] = json!({ "name": "Partners", "color": "#cccccc", "isDefault": false });
    assert_eq!(changed["data"], expected);
    portal.put("/company/Nobody", &body).await.expect(404);
    portal
        .put("/company/Example%20GmbH", &json!({ "name": null }))
        .await
        .expect(422);
    assert_eq!(portal.control.companies(), [expected]);
    let portal = Portal::with(Sandbox::suitedash().partial_updates(false)).await;
    let mut body = company("One");
    body["phone"] = json!("+12025550100");
    portal.post("/company", &body).await.expect(201);
    let changed = portal
        .put("/company/One", &json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["data"]["phone"], &changed["data"]["name"]),
        (&Value::Null, &json!("One"))
    );
}

#[tokio::test]
async fn lists_leave_idle_companies_out() {
    let portal = Portal::start().await;
    let uid = portal.control.seed_company(&company("One")).unwrap();
    portal.control.seed_companies(11);
    portal.control.set_company_idle("One", true).unwrap();
    let list = portal.get("/companies").await.expect(200).json();
    assert_eq!(list["meta"]["pagination"]["totalItems"], 11);
    assert_eq!(list["data"][0]["name"], "Synthetic 2 Ltd");
    portal.get(&format!("/company/{uid}")).await.expect(200);
    portal
        .get("/company/Synthetic%2012%20Ltd")
        .await
        .expect(200);
    portal.control.set_company_idle(&uid, false).unwrap();
    let list = portal.get("/companies?page=2").await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert!(portal.control.set_company_idle("None", true).is_err());
}

#[tokio::test]
async fn a_name_with_a_slash_is_reached_by_uid_alone_unless_the_server_lets_it_through() {
    for (lets_through, status) in [(false, 404), (true, 200)] {
        let portal = Portal::with(Sandbox::suitedash().encoded_slashes(lets_through)).await;
        let uid = portal.control.seed_company(&company("A/B Ltd")).unwrap();
        portal.get("/company/A%2FB%20Ltd").await.expect(status);
        portal.get("/company/A/B%20Ltd").await.expect(404);
        portal.get(&format!("/company/{uid}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_contact_joins_a_company_that_is_there() {
    let portal = Portal::start().await;
    let uid = portal.control.seed_company(&company("One")).unwrap();
    let mut body = lead("Jane", "jane@example.com");
    body["company"] = json!({ "name": "One" });
    let created = portal.post("/contact", &body).await.expect(201).json();
    assert_eq!(text(&created["data"]["companies"][0]["uid"]), uid);
    let body = json!({ "company": { "name": "Two", "create_company_if_not_exists": true } });
    let path = "/contact/jane%40example.com";
    let changed = portal.put(path, &body).await.expect(200).json();
    assert_eq!(changed["data"]["companies"].as_array().unwrap().len(), 2);
    portal.put(path, &body).await.expect(200);
    assert_eq!(portal.control.companies().len(), 2);
}
