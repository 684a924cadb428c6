//! Canary persons and secrets go through each group; none may come out in a log line at any level, a
//! `Debug`, a `Display` or a chain of causes.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openphone_client::dated::{
    AvailableNumbers, Client, ContactPatch, ListCalls, ListContacts, ListConversations,
    ListDeliveries, ListMessages, ListPhoneNumbers, ListProperties, ListTasks, ListUsers,
    NewContact, NewProperty, NewTask, NewWebhook, PropertyPatch, PropertyType, WebhookEvent,
    WebhookPatch,
};
use openphone_client::{Error, Rate, RateClass, RetryPolicy};
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "c4nary0123456789abcdef0123456789";
const PHONE: &str = "+12025550177";
/// What must not come out, in lower case: every canary contains one of them.
const NEEDLES: [&str; 2] = ["c4nary", "2025550177"];

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
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn write(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn show(&self, value: &impl Debug) {
        self.write(&format!("{value:?}\n{value:#?}\n"));
    }

    fn result<T: Debug>(&self, result: Result<T, Error>) {
        let error = match result {
            Ok(value) => return self.show(&value),
            Err(error) => error,
        };
        self.show(&error);
        let mut text = format!("{error}\n{:?}\n", error.field_errors());
        writeln!(text, "{:?} {:?}", error.code(), error.body_snippet()).unwrap();
        let mut cause = error.source();
        while let Some(error) = cause {
            writeln!(text, "{error} {error:?}").unwrap();
            cause = error.source();
        }
        self.write(&text);
    }

    fn assert_clean(&self, expected: &[&str]) {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        for expected in expected {
            assert!(text.contains(expected), "{expected} did not come out");
        }
        for line in text.lines() {
            let line = line.to_lowercase();
            for needle in NEEDLES {
                assert!(!line.contains(needle), "{needle} in: {line}");
            }
        }
    }
}

/// One record that every model can be read from, full of canaries.
const RECORD: &str = r#"{
    "id": "ID1", "taskId": "TK1", "orgId": "OR1", "status": "open", "subscriptionStatus": "active",
    "name": "c4nary", "label": "c4nary", "url": "https://c4nary.example.com/hook", "key": "whsec_c4nary",
    "events": ["call.missed"], "resourceIds": ["PN1"], "apiVersion": "2026-03-30",
    "eventType": "call.missed", "type": "call.missed", "revision": 1, "createdBy": "US1",
    "requestBody": {"id": "EV1", "type": "call.missed", "data": {"resource": {"text": "c4nary"}}},
    "attempts": [{"id": "A1", "status": "failed", "responseBody": "c4nary", "url": "https://c4nary.example.com"}],
    "phoneNumberId": "PN1", "actorId": "US1", "userId": "US1", "direction": "incoming",
    "participants": PARTICIPANTS, "forwardedFrom": "+12025550177", "forwardedTo": "+12025550177",
    "summary": {
        "status": "completed", "type": "human", "title": "c4nary", "summary": ["c4nary"], "nextSteps": ["c4nary"],
        "jobs": [{"icon": "c4nary", "name": "c4nary", "result": {"data": [{"name": "c4nary", "value": "c4nary"}]}}]
    },
    "voicemail": {"id": "VM1", "status": "completed", "transcript": "c4nary", "recordingUrl": "https://c4nary.example.com"},
    "recordingId": "CR1",
    "dialogue": [{"content": "c4nary", "start": 0, "end": 1, "identifier": "+12025550177", "actorId": "US1"}],
    "to": ["+12025550177"], "from": "+12025550177", "text": "c4nary text",
    "media": [{"url": "https://c4nary.example.com/1", "type": "image/png", "name": "c4nary"}],
    "contactId": "CT1", "sharedWith": "OR1", "value": VALUE,
    "externalId": "c4nary", "source": "shop", "sourceUrl": "https://c4nary.example.com",
    "firstName": "C4nary", "lastName": "C4nary", "company": "C4nary", "role": "ROLE",
    "email": "c4nary@example.com", "pictureUrl": "https://c4nary.example.com",
    "phoneNumber": "+12025550177", "formattedNumber": "2025550177", "forward": "+12025550177", "symbol": "c4nary",
    "title": "c4nary", "description": "c4nary",
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"
}"#;

/// The record for models whose participants are objects.
fn record() -> String {
    RECORD
        .replace(
            "PARTICIPANTS",
            r#"[{"phoneNumber": "+12025550177", "actorId": "US1"}]"#,
        )
        .replace("VALUE", r#""c4nary""#)
        .replace("ROLE", "owner")
}

fn data(record: &str) -> String {
    format!(r#"{{"data": {record}, "id": "EV1", "type": "call.missed"}}"#)
}

fn page(record: &str) -> String {
    format!(r#"{{"data": [{record}], "nextCursor": null}}"#)
}

async fn server(status: u16, body: String) -> (MockServer, Client) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let policy = RetryPolicy::new()
        .base(Duration::from_millis(1))
        .max_attempts(2);
    let client = Client::builder()
        .api_key(KEY)
        .base_url(server.uri())
        .retry(policy)
        .rate(RateClass::DEFAULT, Rate::per_second(100_000))
        .build()
        .unwrap();
    (server, client)
}

/// One call of each group, as far as the answer is one record.
async fn of_one(client: &Client, output: &Output) {
    output.show(client);
    output.result(client.organization().await);
    output.result(client.calls().get(&"AC1".into(), &[]).await);
    output.result(client.messages().get(&"AC1".into()).await);
    output.result(client.messages().retry(&"AC1".into()).await);
    let new = NewContact::new("C4nary")
        .external_id("c4nary")
        .source_url("https://c4nary.example.com");
    output.show(&new);
    output.result(client.contacts().create(&new).await);
    let patch = ContactPatch::new()
        .first_name("C4nary")
        .source_url("https://c4nary.example.com");
    output.show(&patch);
    output.result(client.contacts().update(&"CT1".into(), &patch).await);
    let notes = client.contact_notes();
    output.result(notes.create(&"CT1".into(), "c4nary").await);
    let properties = client.contact_properties();
    let new = NewProperty::new(PropertyType::PhoneNumber, PHONE).name("c4nary");
    output.show(&new);
    output.result(properties.create(&"CT1".into(), &new).await);
    let patch = PropertyPatch::new().value("c4nary").name("c4nary");
    output.show(&patch);
    output.result(properties.update(&"CT1".into(), &"P1".into(), &patch).await);
    let new = NewTask::new("CN1", "c4nary", "c4nary");
    output.show(&new);
    output.result(client.tasks().create(&new).await);
    output.result(client.tasks().get(&"TK1".into()).await);
    output.result(client.phone_numbers().get(&"PN1".into(), &[]).await);
    let available = AvailableNumbers::new();
    output.result(client.phone_numbers().available(&available).await.map(drop));
    output.result(client.users().get(&"US1".into()).await);
    let webhooks = client.webhooks();
    let new = NewWebhook::new("https://c4nary.example.com", [WebhookEvent::CallMissed]);
    let new = new.label("c4nary");
    output.show(&new);
    output.result(webhooks.create(&new).await);
    let patch = WebhookPatch::new()
        .url("https://c4nary.example.com")
        .label("c4nary");
    output.show(&patch);
    output.result(webhooks.update(&"1".into(), &patch).await);
    output.result(webhooks.rotate_secret(&"1".into()).await);
    output.result(webhooks.delivery(&"1".into(), &"msg_1".into()).await);
    output.result(webhooks.test(&"1".into(), &WebhookEvent::CallMissed).await);
}

/// One list of each group.
async fn of_many(client: &Client, output: &Output) {
    let calls = ListCalls::new().participants([PHONE]);
    output.show(&calls);
    output.result(client.calls().list_page(&calls, None).await);
    output.result(client.calls().recordings_page(&"AC1".into(), None).await);
    output.result(client.calls().transcripts_page(&"AC1".into(), None).await);
    let messages = ListMessages::new().from(PHONE).to_all([PHONE]);
    output.show(&messages);
    output.result(client.messages().list_page(&messages, None).await);
    let export = client.calls().export(..);
    output.show(&export);
    let mut pages = export.pages();
    output.result(pages.next().await.unwrap());
    output.show(&pages);
    let contacts = ListContacts::new().external_ids(["c4nary"]);
    output.show(&contacts);
    output.result(client.contacts().list_page(&contacts, None).await);
    output.result(client.contacts().shares_page(&"CT1".into(), None).await);
    let notes = client.contact_notes();
    output.result(notes.list_page(&"CT1".into(), None).await);
    let all = ListProperties::new();
    let properties = client.contact_properties();
    output.result(properties.list_page(&"CT1".into(), &all, None).await);
    let numbers = ListPhoneNumbers::new().phone_number(PHONE);
    output.show(&numbers);
    output.result(client.phone_numbers().list_page(&numbers, None).await);
    output.result(client.phone_numbers().users_page(&"PN1".into(), None).await);
    output.result(client.tasks().list_page(&ListTasks::new(), None).await);
    output.result(client.users().list_page(&ListUsers::new(), None).await);
    output.result(client.webhooks().list().await);
    let deliveries = ListDeliveries::new();
    let call = client
        .webhooks()
        .deliveries_page(&"1".into(), &deliveries, None);
    output.result(call.await);
}

#[tokio::test]
async fn successes() {
    let output = Output::default();
    let _listening = output.listen();
    let record = record();
    let (_server, client) = server(200, data(&record)).await;
    of_one(&client, &output).await;
    let (_server, client) = server(200, page(&record)).await;
    of_many(&client, &output).await;
    // A conversation has its participants as texts.
    let record = record.replace(
        r#"[{"phoneNumber": "+12025550177", "actorId": "US1"}]"#,
        r#"["+12025550177"]"#,
    );
    let (_server, client) = server(200, page(&record)).await;
    let query = ListConversations::new();
    output.result(client.conversations().list_page(&query, None).await);
    let (_server, client) = server(200, data(&record)).await;
    output.result(client.conversations().mark_as_read(&"CN1".into()).await);
    output.assert_clean(&[
        "dated.organization.get",
        "Contact {",
        "ContactNote {",
        "ContactProperty {",
        "ContactShare {",
        "Conversation {",
        "PhoneNumber {",
        "PhoneNumberUser {",
        "Task {",
        "TaskRevision {",
        "User {",
        "PhoneCall {",
        "Message {",
        "Webhook {",
        "DeliveryDetail {",
        "EventBody {",
        "Transcript {",
        "ExportPage {",
        "SecretBox",
    ]);
}

#[tokio::test]
async fn failures() {
    let output = Output::default();
    let _listening = output.listen();
    let body = r#"{"title": "c4nary", "message": "c4nary +12025550177", "docs": "c4nary", "c4nary": "c4nary",
        "errors": [{"path": "/value", "message": "bad", "value": "c4nary"}]}"#;
    for status in [400, 401, 404, 422, 500] {
        let body = body.replace("\"c4nary\": \"c4nary\",", "");
        let (_server, client) = server(status, body).await;
        of_one(&client, &output).await;
        of_many(&client, &output).await;
    }
    // Bodies that cannot be read.
    let body = r#"{"data": {"id": ["c4nary"], "status": "c4nary"}}"#;
    let (_server, client) = server(200, body.into()).await;
    of_one(&client, &output).await;
    of_many(&client, &output).await;
    output.assert_clean(&["Validation", "Auth", "NotFound", "Server", "Decode"]);
}

/// What is refused before it is sent is refused without repeating it.
#[tokio::test]
async fn refusals() {
    let output = Output::default();
    let _listening = output.listen();
    let (_server, client) = server(200, "{}".into()).await;
    let calls = ListCalls::new().participants(["c4nary,c4nary"]);
    output.result(client.calls().list_page(&calls, None).await);
    let new = NewWebhook::new("ftp://c4nary.example.com", [WebhookEvent::from("c4nary")]);
    output.result(client.webhooks().create(&new).await.inspect_err(|error| {
        assert_eq!(error.kind(), openphone_client::ErrorKind::Validation);
    }));
    output.assert_clean(&["Validation"]);
}
