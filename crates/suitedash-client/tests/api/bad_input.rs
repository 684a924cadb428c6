//! What cannot be right is refused here: a clear error, and no call of the month.

use connector_http::testing::FakeTransport;
use rstest::rstest;
use serde_json::{Value, json};
use suitedash_client::{
    Address, CompanyLink, CompanyPatch, ContactInput, ContactPatch, ContactPlan, Delivery, Error,
    ErrorKind, FieldRef, ListQuery, NewCompany, NewContact, PrimaryContact, ProjectKey,
    ProjectPatch, Role,
};

use crate::support::{UID, client};

fn huge() -> String {
    "c4nary".repeat(175_000)
}

fn new() -> NewContact {
    NewContact::new(Role::Lead, "Jane", "Roe")
}

/// Refused before anything is sent or counted, by a rule that names the field and not the value.
async fn assert_refused(fake: &FakeTransport, error: Error, path: &str) {
    assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent);
    let paths: Vec<_> = error.field_errors().iter().map(|it| &*it.path).collect();
    assert!(paths.contains(&path), "{paths:?}");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("c4nary") && !text.contains('\0'), "{text}");
    assert!(text.len() < 2_000);
    assert_eq!(fake.requests().len(), 0);
    assert_eq!(client(fake).quota().await.unwrap().used, 0);
}

#[rstest]
#[case("role", NewContact::new(Role::from(""), "Jane", "Roe"))]
#[case("role", NewContact::new(Role::from("lead"), "Jane", "Roe"))]
#[case("first_name", NewContact::new(Role::Lead, " ", "Roe"))]
#[case("last_name", NewContact::new(Role::Lead, "Jane", ""))]
#[case("last_name", NewContact::new(Role::Lead, "Jane", "c4nary\0"))]
#[case("email", NewContact::new(Role::Client, "Jane", "Roe"))]
#[case("email", new().email("c4nary"))]
#[case("email", new().email("c4nary@example.com\r\nBcc: x@example.com"))]
#[case("home_email", new().home_email("c4nary@"))]
#[case("phone", new().phone("c4nary\n"))]
#[case("title", new().title("\u{1b}[31mc4nary"))]
#[case("website", new().website(huge()))]
#[case("background_info", new().background_info("c4nary\0"))]
#[case("background_info", new().background_info(huge()))]
#[case("tags.1", new().tags(["fine", "c4nary\u{7}"]))]
#[case("tags.0", new().tags([""]))]
#[case("tags", new().tags(vec!["x"; 1_001]))]
#[case("company.name", new().company(CompanyLink::create("")))]
#[case("address.city", new().address(Address::new().city("c4nary\0")))]
#[case("custom_fields.0", new().custom_field(&"u1".into(), huge()))]
#[case("custom_fields.0.1", new().custom_field(&"u1".into(), json!(["fine", "c4nary\0"])))]
#[tokio::test(start_paused = true)]
async fn of_a_new_contact(#[case] path: &str, #[case] contact: NewContact) {
    let fake = FakeTransport::new();
    let error = client(&fake).contacts().create(&contact).await.unwrap_err();
    assert_refused(&fake, error, path).await;
}

#[rstest]
#[case("", ContactPatch::new())]
#[case("last_name", ContactPatch::new().last_name(" "))]
#[case("email", ContactPatch::new().email("c4nary"))]
#[case("phone", ContactPatch::new().phone("c4nary\0"))]
#[case("background_info", ContactPatch::new().background_info(huge()))]
#[case("tags.0", ContactPatch::new().tags(vec!["c4nary\n".to_owned()]))]
#[tokio::test(start_paused = true)]
async fn of_a_change(#[case] path: &str, #[case] patch: ContactPatch) {
    let fake = FakeTransport::new();
    let error = client(&fake)
        .contacts()
        .update(&UID.into(), &patch)
        .await
        .unwrap_err();
    assert_refused(&fake, error, path).await;
}

#[rstest]
#[case("first_name", ContactInput::new().email("jane@example.com"))]
#[case("first_name", ContactInput::new().last_name("Roe"))]
#[case("email", ContactInput::new().full_name("Jane Roe").email("c4nary at example.com"))]
#[case("email", ContactInput::new().full_name("Jane Roe").role(Role::Prospect))]
#[case("role", ContactInput::new().full_name("Jane Roe").role(Role::from("c4nary")))]
#[case("first_name", ContactInput::new().full_name("\0c4nary Roe"))]
#[case("last_name", ContactInput::new().full_name("Jane c4nary\u{1}"))]
#[case("first_name", ContactInput::new().full_name(huge()))]
#[case("notes", ContactInput::new().full_name("Jane Roe").notes(huge()))]
#[case("notes", ContactInput::new().full_name("Jane Roe").notes("c4nary\0"))]
#[case("tags.0", ContactInput::new().full_name("Jane Roe").tags(["c4nary\0"]))]
#[case("tags", ContactInput::new().full_name("Jane Roe").tags((0..=1_000).map(|n| n.to_string()).collect::<Vec<_>>()))]
#[case("tags.0", ContactInput::new().full_name("Jane Roe").source("c4nary\n2"))]
#[case("fields.0", ContactInput::new().full_name("Jane Roe").field(FieldRef::label(""), "x"))]
#[case("fields.0", ContactInput::new().full_name("Jane Roe").field(FieldRef::label("x"), huge()))]
#[tokio::test(start_paused = true)]
async fn of_an_input(#[case] path: &str, #[case] input: ContactInput) {
    let fake = FakeTransport::new();
    let error = client(&fake)
        .create_or_update_contact(&input)
        .await
        .unwrap_err();
    assert_eq!(error.operation(), "contacts.create_or_update");
    assert_refused(&fake, error, path).await;
}

/// Also where a look-up would come first.
#[rstest]
#[case("first_name", ContactInput::new().first_name("\u{2003}"))]
#[case("last_name", ContactInput::new().first_name("Jane").last_name("\u{2003}"))]
#[case("company.name", ContactInput::new().full_name("Jane Roe").company("\u{3000}"))]
#[tokio::test(start_paused = true)]
async fn of_an_input_before_it_is_looked_for(#[case] path: &str, #[case] input: ContactInput) {
    let fake = FakeTransport::new();
    let error = client(&fake)
        .create_or_update_contact(&input.email("jane@example.com"))
        .plan(ContactPlan::GetFirst)
        .await
        .unwrap_err();
    assert_refused(&fake, error, path).await;
}

#[tokio::test(start_paused = true)]
async fn of_everything_else() {
    let fake = FakeTransport::new();
    let client = client(&fake);
    let error = client.contacts().find_by_email("c4nary").await.unwrap_err();
    assert_refused(&fake, error, "email").await;

    let nobody = PrimaryContact::create("", "Roe", "c4nary");
    let company = NewCompany::new("c4nary\0", Role::Lead).primary_contact(nobody);
    let error = client.companies().create(&company).await.unwrap_err();
    for path in ["name", "primaryContact.first_name", "primaryContact.email"] {
        assert!(
            error.field_errors().iter().any(|it| it.path == path),
            "{path}"
        );
    }
    assert_refused(&fake, error, "name").await;
    let error = client
        .companies()
        .get_by_name("c4nary/c4nary")
        .await
        .unwrap_err();
    assert_refused(&fake, error, "name").await;
    let patch = CompanyPatch::new().website("c4nary\n");
    let error = client
        .companies()
        .update(&"u".into(), &patch)
        .await
        .unwrap_err();
    assert_refused(&fake, error, "website").await;

    let key = ProjectKey::Name("c4nary/".to_owned());
    let error = client.projects().get(key.clone()).await.unwrap_err();
    assert_refused(&fake, error, "identifier").await;
    let error = client
        .projects()
        .update(&key, &ProjectPatch::new().name("x"))
        .await
        .unwrap_err();
    assert_refused(&fake, error, "identifier").await;
    let key = ProjectKey::Uid("u".into());
    let patch = ProjectPatch::new().due_time("17:15");
    let error = client.projects().update(&key, &patch).await.unwrap_err();
    assert_refused(&fake, error, "due_time").await;

    let error = client
        .marketing()
        .subscribe(&json!(["c4nary"]))
        .await
        .unwrap_err();
    assert_refused(&fake, error, "").await;

    let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let backwards = ListQuery::new()
        .created_min(time("2026-11-02T00:00:00Z"))
        .created_max(time("2026-11-01T00:00:00Z"));
    let mut list = client.contacts().list(&backwards).items();
    let error = list.next().await.unwrap().unwrap_err();
    assert_refused(&fake, error, "createdMax").await;

    let query = ListQuery::new();
    let error = client.contacts().list_page(&query, 0).await.unwrap_err();
    assert_refused(&fake, error, "page").await;
    let error = client.worlds().list_page(None, 0).await.unwrap_err();
    assert_refused(&fake, error, "page").await;
}

/// An id that would lead elsewhere in the path leads nowhere.
#[rstest]
#[case("")]
#[case(".")]
#[case("..")]
#[tokio::test(start_paused = true)]
async fn an_id_is_one_segment_of_the_path(#[case] uid: &str) {
    let fake = FakeTransport::new();
    let error = client(&fake).contacts().get(&uid.into()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Config, Delivery::NotSent)
    );
    assert_eq!(fake.requests().len(), 0);
}

/// Rust's texts cannot hold a lone surrogate, so JSON with one is refused where it is read.
#[test]
fn a_lone_surrogate_does_not_get_as_far_as_an_input() {
    assert!(serde_json::from_str::<Value>(r#""\ud800""#).is_err());
}
