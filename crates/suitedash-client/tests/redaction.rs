//! Canary secrets and canary persons go through every path; none may come out in a log line at any level, a `Debug`, a
//! `Display` or a chain of causes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use suitedash_client::{
    Address, Client, CompanyLink, CompanyPatch, ContactInput, ContactPatch, Error, FieldRef,
    FileQuota, LeadSubmission, ListQuery, Method, NewCompany, NewContact, PrimaryContact,
    ProjectKey, ProjectPatch, ProjectRef, QuotaLedger, QuotaPlan, RetryPolicy, Role,
};
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What must not come out, in lower case: every canary contains one of them.
const NEEDLES: [&str; 2] = ["c4nary", "5550177"];
const EMAIL: &str = "c4nary@example.com";

/// Everything that came out.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Output {
    /// Listens to this thread at every level.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn say(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn show(&self, value: &impl Debug) {
        self.say(&format!("{value:?}\n{value:#?}\n"));
    }

    fn result<T: Debug>(&self, result: Result<T, Error>) {
        let error = match result {
            Ok(value) => return self.show(&value),
            Err(error) => error,
        };
        self.show(&error);
        let mut text = format!("{error}\n{:?}\n", error.field_errors());
        writeln!(text, "{:?} {:?}", error.code(), error.request_id()).unwrap();
        writeln!(text, "{:?}", error.body_snippet()).unwrap();
        let mut cause = error.source();
        while let Some(error) = cause {
            writeln!(text, "{error} {error:?} {error:#?}").unwrap();
            cause = error.source();
        }
        self.say(&text);
    }

    /// Checks that all that was expected came out, and nothing of a canary.
    fn assert_clean(&self, expected: &[&str]) {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        for expected in expected {
            assert!(
                text.contains(expected),
                "{expected} did not come out: the test is blind"
            );
        }
        for line in text.lines() {
            let line = line.to_lowercase();
            for needle in NEEDLES {
                assert!(!line.contains(needle), "{needle} in: {line}");
            }
        }
    }
}

/// A body that answers as contact, company, project, page and attributes at once, full of canaries.
fn record() -> serde_json::Value {
    json!({
        "uid": "u7", "role": "Lead", "first_name": "C4nary", "last_name": "C4nary", "name": "c4nary", "email": EMAIL,
        "phone": "+15550177", "title": "c4nary", "website": "https://c4nary.example.com", "status": "c4nary",
        "background_info": "c4nary", "tags": ["c4nary"], "circles": [{"name": "c4nary"}],
        "companies": [{"uid": "c1", "name": "c4nary"}], "custom_fields": {"f1": "c4nary"},
        "address": {"city": "c4nary"}, "full_address": "c4nary", "created": "2026-11-20T10:15:00+00:00",
        "primaryContact": {"uid": "u8", "email": EMAIL}, "project_custom_fields": {"f1": "c4nary"},
        "client": {"name": "c4nary"}, "info_description": "c4nary",
    })
}

/// Every operation, with canaries in whatever it takes.
async fn call_everything(client: &Client, output: &Output) {
    let new = NewContact::new(Role::Lead, "C4nary", "C4nary")
        .email(EMAIL)
        .phone("+15550177")
        .tags(["c4nary"])
        .company(CompanyLink::create("c4nary"))
        .address(Address::new().city("c4nary"))
        .custom_field(&"f1".into(), "c4nary")
        .background_info("c4nary");
    let patch = ContactPatch::new().first_name("C4nary").phone("+15550177");
    let input = ContactInput::new()
        .full_name("C4nary C4nary")
        .email(EMAIL)
        .notes("c4nary")
        .tags(["c4nary2"])
        .source("c4nary")
        .status("c4nary")
        .field(FieldRef::uid("f1"), "c4nary");
    let form = LeadSubmission::new(input.clone())
        .message("c4nary")
        .source("c4nary");
    let company = NewCompany::new("c4nary", Role::Lead)
        .primary_contact(PrimaryContact::create("C4nary", "C4nary", EMAIL));
    let company_patch = CompanyPatch::new().website("https://c4nary.example.com");
    let project = ProjectKey::Name("c4nary".to_owned());
    let project_patch = ProjectPatch::new().name("c4nary");
    output.show(&(
        client,
        &new,
        &patch,
        &input,
        &form,
        &company,
        &company_patch,
    ));
    output.show(&(
        &project,
        ProjectRef::Containing("c4nary".to_owned()),
        &project_patch,
    ));

    let uid = "u7".into();
    let query = ListQuery::new();
    let contacts = client.contacts();
    output.result(contacts.create(&new).await);
    output.result(contacts.get(&uid).await);
    output.result(contacts.find_by_email(EMAIL).await);
    output.result(contacts.update(&uid, &patch).await);
    output.result(contacts.list(&query).all(30).await);
    output.result(contacts.list_page(&query, 1).await);
    let upsert = contacts.create_or_update(&input);
    output.show(&upsert);
    output.result(upsert.dry_run());
    output.result(contacts.create_or_update(&input).await);
    output.result(contacts.create_lead_from_submission(&form).await);
    output.result(contacts.attach_tags(&uid, ["c4nary3"]).await);
    output.result(client.companies().create(&company).await);
    output.result(client.companies().get_by_name("c4nary").await);
    output.result(
        client
            .companies()
            .update(&"c1".into(), &company_patch)
            .await,
    );
    output.result(client.companies().list(&query).all(30).await);
    output.result(client.projects().get(project.clone()).await);
    output.result(client.projects().update(&project, &project_patch).await);
    output.result(client.projects().list(&query).all(30).await);
    output.result(
        client
            .marketing()
            .subscribe(&json!({"c4nary": EMAIL}))
            .await,
    );
    output.result(client.worlds().list(Some("c4nary")).all(30).await);
    output.result(client.test_connection().await);
    output.show(&client.quota().await.unwrap());
    let raw = client
        .raw(Method::Put, "/contact/c4nary")
        .query("q", "c4nary")
        .json(&new);
    output.show(&raw);
    output.result(raw.discard().await);
}

fn client(url: &str) -> Client {
    let policy = RetryPolicy::new()
        .base(Duration::from_millis(1))
        .max_attempts(2);
    Client::builder()
        .public_id("c4nary-public-id")
        .secret_key("c4nary-secret")
        .base_url(url)
        .retry(policy)
        .remember_contacts(3)
        // Each answer is to be seen, also those after a 429.
        .without_quota()
        .build()
        .unwrap()
}

fn list() -> String {
    json!({"success": true, "data": [record()]}).to_string()
}

fn one() -> String {
    json!({"success": true, "message": "c4nary", "data": record()}).to_string()
}

fn fault() -> String {
    json!({"success": false, "message": "c4nary", "errors": {"email": ["c4nary is taken"], "c4nary@example.com": "x"}})
        .to_string()
}

#[rstest]
#[case(200, one(), "application/json", &["contacts.get", "uid: ContactUid(\"u7\")", "Created"])]
#[case(200, list(), "application/json", &["contacts.list", "ListPage", "unreadable answer"])]
#[case(200, fault(), "application/json", &["refused", "status 200"])]
#[case(422, fault(), "application/json", &["invalid request", "status 422"])]
#[case(404, fault(), "application/json", &["not found", "None"])]
#[case(401, fault(), "application/json", &["not authenticated"])]
#[case(429, fault(), "application/json", &["quota spent"])]
#[case(502, "<html>c4nary</html>".to_owned(), "text/html", &["server error", "attempts=2"])]
#[case(200, "<html>c4nary</html>".to_owned(), "text/html", &["unreadable answer"])]
#[case(200, r#"{"success":true,"data":{"uid":7,"tags":"c4nary"}}"#.to_owned(), "application/json", &["unreadable answer"])]
#[tokio::test]
async fn nothing_personal_comes_out(
    #[case] status: u16,
    #[case] body: String,
    #[case] mime: &str,
    #[case] expected: &[&str],
) {
    let output = Output::default();
    let _listening = output.listen();
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, mime);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    call_everything(&client(&server.uri()), &output).await;
    output.assert_clean(expected);
}

#[tokio::test]
async fn nothing_comes_out_of_a_vendor_that_is_not_there() {
    let output = Output::default();
    let _listening = output.listen();
    call_everything(&client("http://127.0.0.1:1"), &output).await;
    output.assert_clean(&["no connection", "not sent"]);
}

#[tokio::test]
async fn nothing_comes_out_of_what_is_refused_before_it_is_sent() {
    let output = Output::default();
    let _listening = output.listen();
    for builder in [
        Client::builder().public_id("c4nary\n").secret_key("c4nary"),
        Client::builder()
            .public_id("c4nary")
            .secret_key("$2y$c4nary"),
        Client::builder()
            .dummy_credentials()
            .base_url("https://c4nary:c4nary@example.com/api/v1"),
        Client::builder()
            .dummy_credentials()
            .base_url("https://c4nary:c4nary@example.com/x"),
    ] {
        output.show(&builder);
        output.result(builder.build());
    }
    let client = client("http://127.0.0.1:1");
    let bad = NewContact::new(Role::from("c4nary"), "c4nary\0", "C4nary").email("c4nary");
    output.result(client.contacts().create(&bad).await);
    let bad = ContactInput::new()
        .full_name("c4nary\0")
        .email("c4nary")
        .tags(["c4nary\0"]);
    output.result(client.create_or_update_contact(&bad).await);
    output.result(client.companies().get_by_name("c4nary/").await);
    output.assert_clean(&[
        "wrong configuration",
        "invalid request",
        "must be an e-mail address",
    ]);
}

#[tokio::test]
async fn nothing_comes_out_of_a_quota() {
    let output = Output::default();
    let _listening = output.listen();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("quota.json");
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(429).set_body_raw(fault(), "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let ledger = QuotaLedger::new(QuotaPlan::Custom(2)).store(FileQuota::new(&path));
    output.show(&ledger);
    let client = Client::builder()
        .public_id("c4nary-public-id")
        .secret_key("c4nary-secret")
        .base_url(server.uri())
        .quota(ledger)
        .build()
        .unwrap();
    for _ in 0..3 {
        output.result(client.contacts().get(&"u7".into()).await);
    }
    output.show(&client.quota().await.unwrap());
    output.say(&std::fs::read_to_string(&path).unwrap());
    output.assert_clean(&[
        "the month is spent",
        "spent_by_vendor",
        "the month's calls are spent",
    ]);
}
