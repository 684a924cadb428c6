//! The vendor's records, as they are and as they may become.

use connector_http::testing::Reply;
use rstest::rstest;
use serde_json::{Value, json};
use suitedash_client::{Company, Contact, Project, Role};

use crate::support::{client, fixture, script};

fn data(name: &str) -> Value {
    fixture(name)["data"].take()
}

#[test]
fn a_contact_is_read() {
    let contact: Contact = serde_json::from_value(data("contact.json")).unwrap();
    assert_eq!(contact.role, Some(Role::Lead));
    assert_eq!(contact.tags, ["fair"]);
    assert_eq!(contact.circles[0].name, "Newsletter");
    assert_eq!(contact.companies[0].name.as_deref(), Some("Example GmbH"));
    assert_eq!(
        contact.address.as_ref().unwrap().city.as_deref(),
        Some("Springfield")
    );
    assert_eq!(
        contact.created.unwrap().to_string(),
        "2026-11-20 10:15:00 UTC"
    );
    assert_eq!(
        format!("{contact:?}"),
        "Contact { uid: ContactUid(\"11111111-1111-4111-8111-111111111111\"), role: Some(Lead), active: Some(true), \
         created: Some(2026-11-20T10:15:00Z), name_prefix: absent, first_name: present, last_name: present, \
         email: present, home_email: absent, work_email: absent, phone: present, home_phone: absent, \
         work_phone: absent, shop_phone: absent, title: absent, full_address: absent, address: present, \
         website: absent, background_info: present, tags: [1], circles: [1], companies: [1], custom_fields: [1] }"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_of_contacts_is_read() {
    let fake = script([Reply::status(200).json(&fixture("contacts_page.json"))]);
    let list = client(&fake)
        .contacts()
        .list(&suitedash_client::ListQuery::new());
    let contacts = list.all(10).await.unwrap();
    assert_eq!(
        contacts[0].created.unwrap().to_string(),
        "2026-11-20 10:15:00 UTC"
    );
    assert_eq!(contacts[1].tags, ["fair"]);
    assert_eq!(contacts[1].email, None);
}

#[test]
fn a_company_and_a_project_are_read() {
    let company: Company = serde_json::from_value(data("company.json")).unwrap();
    assert_eq!(
        company.primary_contact.unwrap().email.as_deref(),
        Some("jane.roe@example.com")
    );
    assert_eq!(company.category.unwrap().is_default, Some(true));
    let project: Project = serde_json::from_value(data("project.json")).unwrap();
    assert_eq!(project.status.as_deref(), Some("In Progress"));
    assert!(project.project_custom_fields.is_empty());
}

/// Without any field but the uid, with a new one, and with each of another kind: still the same contact.
#[test]
fn a_contact_survives_what_nobody_promised() {
    let whole = data("contact.json");
    let fields: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
    for field in fields.iter().filter(|it| *it != "uid") {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(field);
        serde_json::from_value::<Contact>(without).unwrap();
        let mut null = whole.clone();
        null[field] = Value::Null;
        serde_json::from_value::<Contact>(null).unwrap();
    }
    let optional = |it: &&String| !["uid", "role", "tags", "custom_fields"].contains(&it.as_str());
    for field in fields.iter().filter(optional) {
        for odd in [json!(7), json!(["x"]), json!({"x": 1}), json!(true)] {
            let mut changed = whole.clone();
            changed[field] = odd;
            serde_json::from_value::<Contact>(changed).unwrap();
        }
    }
    let mut new = whole.clone();
    new["invented"] = json!({"later": []});
    new["role"] = json!("Partner");
    let contact: Contact = serde_json::from_value(new).unwrap();
    assert_eq!(contact.role, Some(Role::Unknown("Partner".to_owned())));
}

/// What is written back as a whole must not be read as empty.
#[rstest]
#[case("uid", json!(null))]
#[case("tags", json!("a,b"))]
#[case("tags", json!([7]))]
#[case("custom_fields", json!(["x"]))]
#[case("custom_fields", json!("x"))]
fn what_would_be_lost_is_an_error(#[case] field: &str, #[case] odd: Value) {
    let mut contact = data("contact.json");
    contact[field] = odd;
    assert!(serde_json::from_value::<Contact>(contact).is_err());
}
