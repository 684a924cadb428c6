//! Sample replies from outside the repository: read where they are, skipped where they are not.
//!
//! `CONNECTORS_SHARED_DIR` names a folder that holds `vendor-fixtures/suitedash`. With
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
use serde_json::Value;
use suitedash_client::{
    Client, CompanyLink, ContactPatch, Error, ErrorKind, ListQuery, NewCompany, NewContact,
    Pagination, PrimaryContact, ProjectKey, Role,
};

const UID: &str = "11111111-1111-4111-8111-111111111111";
const FIELD: &str = "44444444-4444-4444-8444-444444444444";

/// The folder, or `None` after saying that the test is skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|it| it == "1");
    let folder = std::env::var_os("CONNECTORS_SHARED_DIR")
        .map(|root| PathBuf::from(root).join("vendor-fixtures/suitedash"));
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

/// A sample, and a client that gets it as its one answer.
struct Sample {
    file: Value,
    fake: FakeTransport,
    client: Client,
}

impl Sample {
    fn read(folder: &std::path::Path, name: &str) -> Self {
        let path = folder.join(format!("{name}.json"));
        let bytes = std::fs::read(&path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        let status = file["response"]["status"].as_u64().unwrap();
        let reply = Reply::status(status.try_into().unwrap());
        let reply = match &file["response"]["body"] {
            Value::String(text) => reply.body(text.clone()),
            body => reply.json(body),
        };
        let fake = FakeTransport::new();
        // A read that the vendor fails is tried once more.
        fake.push(reply.clone()).push(reply);
        let client = Client::builder()
            .dummy_credentials()
            .transport(Arc::new(fake.clone()))
            .build()
            .unwrap();
        Self { file, fake, client }
    }

    /// What was sent is what the sample's request says.
    fn assert_request(&self) {
        let request = self.fake.last_request().unwrap();
        let expected = &self.file["request"];
        assert_eq!(request.method.as_str(), expected["method"]);
        let path = request.url.to_string();
        let path = path
            .strip_prefix("https://app.suitedash.com/secure-api")
            .unwrap();
        assert_eq!(path, expected["path"]);
        for (name, value) in expected["headers"].as_object().unwrap() {
            let found = request.header(&name.to_lowercase());
            assert_eq!(found, value.as_str(), "{name}");
        }
        if !expected["body"].is_null() {
            let mut expected = expected["body"].clone();
            if request.method.as_str() == "PUT" && path.starts_with("/contact/") {
                // The sample leaves it to the vendor whether the person is mailed; this crate never does.
                let invite = expected.as_object_mut().unwrap();
                invite.entry("send_welcome_email").or_insert(false.into());
            }
            assert_eq!(request.json(), expected);
        }
    }
}

fn jane() -> NewContact {
    NewContact::new(Role::Lead, "Jane", "Roe")
        .email("jane.roe@example.com")
        .phone("+15550100")
        .background_info("Contact form: asked about onboarding.")
        .tags(["website-lead"])
        .company(CompanyLink::create("Example GmbH"))
        .custom_field(&FIELD.into(), "Newsletter")
}

#[tokio::test(start_paused = true)]
async fn shared_samples_of_successes_are_read_and_their_requests_sent() {
    let Some(folder) = folder("shared_samples_of_successes") else {
        return;
    };
    let sample = |name| Sample::read(&folder, name);

    let it = sample("contact_create_201");
    let made = it.client.contacts().create(&jane()).await.unwrap();
    assert_eq!(made.uid.as_str(), UID);
    it.assert_request();

    let it = sample("contact_create_lead_without_email_201");
    let lead = NewContact::new(Role::Lead, "No", "Email");
    assert_eq!(
        it.client.contacts().create(&lead).await.unwrap().email,
        None
    );

    let it = sample("contact_get_200");
    let found = it
        .client
        .contacts()
        .find_by_email("jane.roe@example.com")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.custom_fields[FIELD], "Newsletter");
    assert_eq!(found.companies.len(), 1);
    it.assert_request();

    let it = sample("contact_update_200");
    let patch = ContactPatch::new().tags(vec![
        "website-lead".to_owned(),
        "business-consultancy".to_owned(),
    ]);
    let changed = it
        .client
        .contacts()
        .update(&UID.into(), &patch)
        .await
        .unwrap();
    assert_eq!(changed.tags.len(), 2);
    it.assert_request();

    let it = sample("contacts_list_page1_200");
    let page = it
        .client
        .contacts()
        .list_page(&ListQuery::new(), 1)
        .await
        .unwrap();
    assert!(!page.items.is_empty());
    assert!(page.pagination.unwrap().has_next);
    it.assert_request();
    let it = sample("contacts_list_last_page_200");
    let page = it
        .client
        .contacts()
        .list_page(&ListQuery::new(), 2)
        .await
        .unwrap();
    assert!(!page.pagination.unwrap().has_next);
    it.assert_request();
    let it = sample("contacts_list_empty_200");
    assert_eq!(
        it.client
            .contacts()
            .list(&ListQuery::new())
            .all(1)
            .await
            .unwrap(),
        []
    );

    let it = sample("contact_meta_200");
    let info = it.client.test_connection().await.unwrap();
    assert_eq!(info.custom_fields, 1);
    let meta = it.client.meta().await.unwrap();
    assert_eq!(meta.custom_field("Interest"), Some(FIELD.into()));
    it.assert_request();

    let it = sample("companies_list_200");
    let page = it
        .client
        .companies()
        .list_page(&ListQuery::new(), 1)
        .await
        .unwrap();
    assert!(!page.items.is_empty());
    let it = sample("company_create_201");
    let mut person = PrimaryContact::create("Jane", "Roe", "jane.roe@example.com");
    person.prevent_individual_mode = Some(true);
    let company = NewCompany::new("Example GmbH", Role::Lead).primary_contact(person);
    let made = it.client.companies().create(&company).await.unwrap();
    assert_eq!(made.category.unwrap().is_default, Some(true));
    it.assert_request();

    let it = sample("project_get_200");
    let key = ProjectKey::Uid("55555555-5555-4555-8555-555555555555".into());
    let project = it.client.projects().get(key).await.unwrap();
    assert_eq!(project.due_time.as_deref(), Some("17:00"));
    it.assert_request();
}

#[tokio::test(start_paused = true)]
async fn shared_samples_of_errors_mean_what_they_should() {
    let Some(folder) = folder("shared_samples_of_errors") else {
        return;
    };
    for (name, status, kind) in [
        ("error_400", 400, ErrorKind::Validation),
        ("error_401", 401, ErrorKind::Auth),
        ("contact_get_404", 404, ErrorKind::NotFound),
        ("error_405", 405, ErrorKind::Api),
        ("contact_create_duplicate_422", 422, ErrorKind::Validation),
        ("contact_create_validation_422", 422, ErrorKind::Validation),
        ("error_429_quota", 429, ErrorKind::QuotaSpent),
        ("error_html_502", 502, ErrorKind::Server),
    ] {
        let it = Sample::read(&folder, name);
        let error: Error = it.client.contacts().get(&UID.into()).await.unwrap_err();
        assert_eq!(
            (error.status(), error.kind()),
            (Some(status), kind),
            "{name}"
        );
    }
}

#[test]
fn shared_sample_of_pages_is_read() {
    let Some(folder) = folder("shared_sample_of_pages") else {
        return;
    };
    let bytes = std::fs::read(folder.join("pagination_published.json")).unwrap();
    let sample: Value = serde_json::from_slice(&bytes).unwrap();
    let pages = sample["body"]["meta"]["pagination"].clone();
    let pages: Pagination = serde_json::from_value(pages).unwrap();
    assert_eq!(
        (pages.page_size, pages.total_pages, pages.total_items),
        (Some(10), Some(2), Some(15))
    );
    assert!(pages.has_next);
}
