//! Canary secrets and canary persons go through every path; none may come out in a log line at any
//! level, a `Debug`, a `Display` or a chain of causes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openphone_client::{
    CallId, Client, ContactChanges, ContactPatch, ContactValue, CustomFieldEntry, Error, ListCalls,
    ListContacts, ListConversations, ListMessages, ListPhoneNumbers, ListTasks, ListUsers,
    ListWebhooks, Method, NewContact, NewMessage, NewTask, NewWebhook, OpenPhoneErrorCode, Rate,
    RateClass, RetryPolicy, ScanFor, SimpleContact, TaskText, WebhookEvent, click_to_call_link,
};
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "c4nary0123456789abcdef0123456789";
const PHONE: &str = "+12025550177";
/// What must not come out, in lower case: every canary contains one of them.
const NEEDLES: [&str; 3] = ["c4nary", "2025550177", "202) 555-0177"];

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

    fn show(&self, value: &impl Debug) {
        let mut text = String::new();
        writeln!(text, "{value:?}\n{value:#?}").unwrap();
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn fail(&self, error: &Error) {
        self.show(error);
        let mut text = format!("{error}\n{:?}\n", error.field_errors());
        writeln!(text, "{:?} {:?}", error.code(), error.request_id()).unwrap();
        writeln!(text, "{:?}", error.body_snippet()).unwrap();
        writeln!(text, "{:?}", OpenPhoneErrorCode::of(error)).unwrap();
        let mut cause = error.source();
        while let Some(error) = cause {
            writeln!(text, "{error} {error:?} {error:#?}").unwrap();
            cause = error.source();
        }
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn result<T: Debug>(&self, result: Result<T, Error>) {
        match result {
            Ok(value) => self.show(&value),
            Err(error) => self.fail(&error),
        }
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

/// A body that answers as contact, message, page and list at once, full of canaries.
const CONTACT: &str = r#"{
    "id": "CT7", "externalId": "c4nary-id", "source": "shop", "sourceUrl": "https://c4nary.example.com/",
    "defaultFields": {
        "firstName": "C4naryfirst", "lastName": "C4narylast", "company": "C4nary Inc", "role": "C4nary role",
        "emails": [{"id": "e1", "name": "c4nary mail", "value": "c4nary@example.com"}],
        "phoneNumbers": [{"id": "p1", "name": "c4nary phone", "value": "+12025550177"}]
    },
    "customFields": [
        {"id": "c1", "key": "k1", "name": "c4nary field", "type": "string", "value": "c4nary value"},
        {"id": "c2", "key": "k2", "name": "x", "type": "multi-select", "value": ["c4nary"]},
        {"id": "c3", "key": "k3", "name": "x", "type": "geo", "value": {"c4nary": "c4nary"}}
    ],
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "createdByUserId": "US1"
}"#;
const MESSAGE: &str = r#"{
    "id": "AC1", "to": ["+12025550177"], "from": "+12025550177", "text": "c4nary text",
    "phoneNumberId": "PN1", "conversationId": "CN1", "direction": "outgoing", "userId": "US1",
    "status": "queued", "media": [{"url": "https://c4nary.example.com/1", "type": "image/png"}],
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"
}"#;
const NUMBER: &str = r#"{
    "id": "PN1", "groupId": "GR1", "name": "c4nary line", "number": "+12025550177",
    "formattedNumber": "(202) 555-0177", "forward": "+12025550177", "symbol": "c4nary",
    "users": [{"id": "US1", "email": "c4nary@example.com", "firstName": "C4nary", "lastName": "C4nary", "role": "owner"}],
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"
}"#;
const USER: &str = r#"{
    "id": "US1", "email": "c4nary@example.com", "firstName": "C4nary", "lastName": "C4nary",
    "pictureUrl": "https://c4nary.example.com/p.jpg", "role": "owner",
    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"
}"#;

const WEBHOOK: &str = r#"{
    "id": "WH1", "userId": "US1", "orgId": "OR1", "label": "c4nary", "status": "enabled",
    "url": "https://c4nary.example.com/hook", "key": "c4naryc4naryc4naryc4nary", "events": ["message.received"],
    "resourceIds": ["PN1"], "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "deletedAt": null
}"#;

const CALL: &str = r#"{
    "id": "AC1", "phoneNumberId": "PN1", "userId": "US1", "direction": "incoming", "status": "completed",
    "participants": ["+12025550177"], "createdAt": "2026-01-01T00:00:00Z", "duration": 7,
    "forwardedFrom": "+12025550177", "forwardedTo": "+12025550177"
}"#;
const RECORDING: &str = r#"{
    "id": "CR1", "status": "completed", "url": "https://c4nary.example.com/1.mp3?c4nary=1", "type": "audio/mpeg"
}"#;
const SUMMARY: &str = r#"{
    "callId": "AC1", "status": "completed", "summary": ["c4nary"], "nextSteps": ["c4nary"],
    "jobs": [{"icon": "c4nary", "name": "c4nary", "result": {"data": [{"name": "c4nary", "value": "c4nary"}]}}]
}"#;
const TRANSCRIPT: &str = r#"{
    "callId": "AC1", "status": "completed", "duration": 1.5, "createdAt": "2026-01-01T00:00:00Z",
    "dialogue": [{"content": "c4nary", "start": 0, "end": 1, "identifier": "+12025550177", "userId": "US1"}]
}"#;
const VOICEMAIL: &str = r#"{
    "id": "VM1", "status": "completed", "duration": 1, "transcript": "c4nary",
    "recordingUrl": "https://c4nary.example.com/1.mp3"
}"#;
const CONVERSATION: &str =
    r#"{"id": "CN1", "phoneNumberId": "PN1", "participants": ["+12025550177"], "name": "C4nary"}"#;
const TASK: &str = r#"{
    "taskId": "TK1", "orgId": "OR1", "title": "c4nary", "description": "c4nary", "completed": false,
    "isDeleted": false, "createdBy": "US1", "createdAt": "2026-01-01T00:00:00Z", "revision": "1"
}"#;

async fn server(status: u16, body: String, mime: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, mime);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A client that does not let the test wait: the pace and the back-off are not what is looked at.
fn client(server: &MockServer) -> Client {
    client_at(server.uri())
}

fn client_at(url: String) -> Client {
    let policy = RetryPolicy::new()
        .base(Duration::from_millis(1))
        .max_attempts(2);
    Client::builder()
        .api_key(KEY)
        .base_url(url)
        .retry(policy)
        .rate(RateClass::DEFAULT, Rate::per_second(100_000))
        .build()
        .unwrap()
}

fn contact() -> NewContact {
    NewContact::new("C4naryfirst")
        .last_name("C4narylast")
        .company("C4nary Inc")
        .email("c4nary mail", "c4nary@example.com")
        .phone_number("c4nary phone", PHONE)
        .custom_field("k1", "c4nary value")
        .external_id("c4nary-id")
        .source_url("https://c4nary.example.com/")
}

fn patch() -> ContactPatch {
    ContactPatch::new()
        .first_name("C4naryfirst")
        .emails(vec![ContactValue::new("c4nary", "c4nary@example.com")])
        .custom_fields(vec![CustomFieldEntry::by_key("k1", "c4nary")])
        .external_id("c4nary-id")
}

fn changes() -> ContactChanges {
    ContactChanges::new()
        .last_name("C4nary new")
        .clear_company()
        .add_email("c4nary", "c4nary2@example.com")
        .remove_phone_number(PHONE)
        .replace_emails([ContactValue::new("c4nary", "c4nary@example.com")])
        .set_custom_field("k1", "c4nary new")
}

fn message() -> NewMessage {
    NewMessage::new(PHONE, PHONE, "c4nary text").user_id("US1")
}

fn webhook() -> NewWebhook {
    let events = [WebhookEvent::MessageReceived];
    NewWebhook::new("https://c4nary.example.com/hook", events).label("c4nary")
}

/// Every operation, with canaries in whatever it takes.
async fn call_everything(client: &Client, output: &Output) {
    output.show(client);
    output.show(&(contact(), patch(), changes(), message()));
    let contacts = client.contacts();
    output.result(contacts.create(&contact()).await);
    output.result(contacts.get(&"CT7".into()).await);
    output.result(contacts.update(&"CT7".into(), &patch()).await);
    output.result(contacts.update_merged(&"CT7".into(), &changes()).await);
    output.result(contacts.delete(&"CT7".into()).await);
    output.result(
        contacts
            .list(&ListContacts::new().external_id("c4nary-id"))
            .all(3)
            .await,
    );
    output.result(contacts.list_page(&ListContacts::new(), None).await);
    output.result(contacts.find_by_external_id("c4nary-id").await);
    output.result(contacts.find_by_external_ids(["c4nary-id"]).all(3).await);
    let wanted = ScanFor::new().email("c4nary@example.com").phone(PHONE);
    output.show(&wanted);
    let scan = contacts.scan(wanted.clone());
    output.show(&scan);
    output.result(scan.first().await);
    let mut matches = contacts.scan(wanted.clone()).matches();
    output.result(matches.next().await.transpose());
    output.show(&matches);
    let mut pages = contacts.scan(wanted).pages();
    output.result(pages.next().await.transpose());
    output.show(&pages);
    output.result(client.custom_fields().list().await);
    output.result(client.messages().send(&message()).await);
    output.result(client.messages().get(&"AC1".into()).await);
    let thread = ListMessages::new("PN1", [PHONE]);
    output.show(&thread);
    output.result(client.messages().list(&thread).all(3).await);
    output.result(client.phone_numbers().list(&ListPhoneNumbers::new()).await);
    output.result(client.phone_numbers().get(&"PN1".into()).await);
    output.result(client.users().list(&ListUsers::new()).all(3).await);
    output.result(client.users().get(&"US1".into()).await);
    output.result(client.webhooks().list(&ListWebhooks::new()).await);
    output.result(client.webhooks().get(&"WH1".into()).await);
    output.result(client.webhooks().delete(&"WH1".into()).await);
    output.show(&webhook());
    output.result(client.webhooks().create(&webhook()).await);
    output.result(client.webhooks().ensure(&webhook()).await);
    call_calls_and_tasks(client, output).await;
    output.result(client.test_connection().await);
    let raw = client
        .raw(Method::Post, "/v1/tasks")
        .query("q", "c4nary")
        .json(&contact());
    output.show(&raw);
    output.result(raw.discard().await);
}

async fn call_calls_and_tasks(client: &Client, output: &Output) {
    let calls = ListCalls::new("PN1", PHONE);
    let conversations = ListConversations::new().phone_number(PHONE);
    let task = NewTask::new(CallId::from("AC1"), "c4nary", "c4nary");
    let text = TaskText::new("c4nary", "c4nary");
    output.show(&(&calls, &conversations, &task, &text));
    let call = "AC1".into();
    output.result(client.calls().list(&calls).all(3).await);
    output.result(client.calls().list_page(&calls, None).await);
    output.result(client.calls().get(&call).await);
    let export = client.calls().export(..).phone_number("PN1");
    output.show(&export);
    let mut pages = export.pages();
    while let Some(page) = pages.next().await {
        output.result(page);
        output.show(&pages);
    }
    let mut items = client.messages().export(..).items();
    while let Some(item) = items.next().await {
        output.result(item);
        output.show(&items);
    }
    output.result(client.recordings().list(&call).await);
    let address = "https://c4nary.example.com/1.mp3?signature=c4nary";
    let mut audio = Vec::new();
    output.show(&client.recordings().download(address, &mut audio));
    output.show(&openphone_client::RecordingSource::from(address));
    let nowhere = "http://c4nary.example.com/1.mp3";
    output.result(client.recordings().download(nowhere, &mut audio).await);
    let media = format!("{}c4nary/1.mp3?signature=c4nary", client.base_url());
    output.result(client.recordings().download(&media, &mut audio).await);
    let soon = Duration::from_millis(50);
    output.result(client.calls().wait_for_transcript(&call, soon).await);
    output.result(client.calls().wait_for_summary(&call, soon).await);
    output.result(client.summaries().get(&call).await);
    output.result(client.transcripts().get(&call).await);
    output.result(client.voicemails().get(&call).await);
    output.result(client.conversations().list(&conversations).all(3).await);
    output.result(client.conversations().mark_as_done(&"CN1".into()).await);
    let tasks = client.tasks();
    output.result(tasks.create(&task).await);
    output.result(tasks.list(&ListTasks::new()).all(3).await);
    output.result(tasks.get(&"TK1".into()).await);
    output.result(tasks.update(&"TK1".into(), &text).await);
    output.result(tasks.complete(&"TK1".into()).await);
    output.result(tasks.delete(&"TK1".into()).await);
}

#[tokio::test]
async fn success() {
    let output = Output::default();
    let _listening = output.listen();
    for one in [
        CONTACT,
        MESSAGE,
        NUMBER,
        USER,
        WEBHOOK,
        CALL,
        RECORDING,
        SUMMARY,
        TRANSCRIPT,
        VOICEMAIL,
        CONVERSATION,
        TASK,
    ] {
        let single = server(200, format!(r#"{{"data": {one}}}"#), "application/json").await;
        call_everything(&client(&single), &output).await;
        let page = format!(r#"{{"data": [{one}], "totalItems": 1, "nextPageToken": null}}"#);
        let list = server(200, page, "application/json").await;
        call_everything(&client(&list), &output).await;
    }
    let bare = server(200, CONVERSATION.to_owned(), "application/json").await;
    call_calls_and_tasks(&client(&bare), &output).await;
    let mapped = SimpleContact::new("C4nary")
        .notes("c4nary notes")
        .email("c4nary@example.com");
    output.show(&(mapped.to_new_contact(), mapped));
    output.assert_clean(&[
        "api.call",
        "contacts.create",
        "Contact {",
        "Message {",
        "PhoneNumber {",
        "User {",
        "Webhook {",
        "ScanMatch {",
        "PhoneCall {",
        "Recording {",
        "CallSummary {",
        "Transcript {",
        "Voicemail {",
        "Conversation {",
        "Task {",
        "CreatedTask {",
        "ExportPage {",
        "ExportItems {",
    ]);
}

#[tokio::test]
async fn refusals() {
    let output = Output::default();
    let _listening = output.listen();
    let body = r#"{
        "message": "c4nary@example.com is not valid", "code": "0801400", "status": 400,
        "title": "C4nary title", "description": "c4nary", "trace": "689",
        "errors": [{
            "path": "/defaultFields/emails/0/value", "message": "c4nary@example.com is no e-mail",
            "value": "c4nary@example.com", "schema": {"type": "c4nary"}
        }]
    }"#;
    for status in [400, 401, 402, 403, 404, 409, 422] {
        let api = server(status, body.to_owned(), "application/json").await;
        call_everything(&client(&api), &output).await;
    }
    let gateway = r#"{"error": {"message": "c4nary", "key": "No route for c4nary", "trace": "c 4nary c4nary"}}"#;
    let gateway = server(401, gateway.to_owned(), "application/json").await;
    call_everything(&client(&gateway), &output).await;
    output.assert_clean(&[
        "api.call",
        "contacts.create",
        "Validation",
        "0801400",
        "status: Some(409)",
    ]);
}

#[tokio::test]
async fn failures_of_the_vendor() {
    let output = Output::default();
    let _listening = output.listen();
    let bodies = [
        (
            r#"{"message": "c4nary", "code": "0801500", "status": 500}"#,
            "application/json",
        ),
        ("<html><body>c4nary +12025550177</body></html>", "text/html"),
        ("upstream said c4nary", "text/plain"),
        (
            r#"{"c4nary@example.com": 1, "+12025550177": 2}"#,
            "application/json",
        ),
    ];
    for (body, mime) in bodies {
        let broken = server(500, body.to_owned(), mime).await;
        call_everything(&client(&broken), &output).await;
    }
    output.assert_clean(&["api.call", "contacts.create", "Server", "status: Some(500)"]);
}

#[tokio::test]
async fn answers_that_cannot_be_read() {
    let output = Output::default();
    let _listening = output.listen();
    for body in [
        // serde's own words would repeat each of these.
        r#"{"data": "c4nary"}"#.to_owned(),
        r#"{"data": {"id": "CT7", "createdAt": "c4nary"}}"#.to_owned(),
        CONTACT.replace("2026-01-01T00:00:00Z", "c4nary time"),
        format!(
            r#"{{"data": {}}}"#,
            CONTACT.replace("2026-01-01T00:00:00Z", "c4nary time")
        ),
        format!(
            r#"{{"data": [{}]}}"#,
            MESSAGE.replace(r#""outgoing""#, "12025550177")
        ),
        format!(r#"{{"data": {MESSAGE}"#),
        "<html>c4nary</html>".to_owned(),
    ] {
        let odd = server(200, body, "application/json").await;
        call_everything(&client(&odd), &output).await;
    }
    output.assert_clean(&["api.call", "contacts.create", "Decode", "Succeeded"]);
}

#[tokio::test]
async fn connections_that_break() {
    let output = Output::default();
    let _listening = output.listen();
    // Nobody listens here: the port was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = client_at(format!("http://{free}"));
    output.result(client.messages().send(&message()).no_retry().await);
    output.result(
        client
            .contacts()
            .find_by_external_id("c4nary-id")
            .no_retry()
            .await,
    );

    let slow = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(any()).respond_with(answer).mount(&slow).await;
    let client = self::client(&slow);
    let soon = Duration::from_millis(50);
    output.result(client.messages().send(&message()).timeout(soon).await);
    let find = client.contacts().find_by_external_id("c4nary-id");
    output.result(find.timeout(soon).no_retry().await);
    output.assert_clean(&["api.call", "messages.send", "Connect", "Timeout", "Unknown"]);
}

#[tokio::test]
async fn requests_refused_here() {
    let output = Output::default();
    let _listening = output.listen();
    let client = Client::builder().api_key(KEY).build().unwrap();
    let contact = contact()
        .source("csv-c4nary")
        .external_id("c4nary".repeat(20))
        .source_url("c4nary");
    output.result(client.contacts().create(&contact).await);
    output.result(
        client
            .contacts()
            .find_by_external_id(&"c4nary".repeat(20))
            .await,
    );
    output.result(
        client
            .contacts()
            .scan(ScanFor::new().phone("c4nary"))
            .first()
            .await,
    );
    let message = NewMessage::group("c4nary", ["c4nary c4nary c4nary"], "c4nary ".repeat(400));
    output.result(client.messages().send(&message).await);
    let webhook = NewWebhook::new("http://c4nary.example.com", [WebhookEvent::from("c4nary")]);
    output.result(client.webhooks().ensure(&webhook).await);
    output.result(click_to_call_link("c4nary +12025550177"));
    output.assert_clean(&[
        "Validation",
        "/externalId",
        "/to/0",
        "/phones/0",
        "/events/0",
    ]);
}

#[test]
fn configurations_that_cannot_work() {
    let output = Output::default();
    let _listening = output.listen();
    for key in [
        "c4nary\n",
        "c4nary key",
        "Bearer c4nary",
        "c4naryÿ",
        "c4nary\0",
    ] {
        let builder = Client::builder().api_key(key);
        output.show(&builder);
        output.result(builder.build());
    }
    for url in [
        "https://c4nary:c4nary@api.quo.com",
        "https://c4nary@api.quo.com",
        "https://api.quo.com/?key=c4nary",
        "https://api.quo.com/#c4nary",
        "not a url c4nary",
        "ftp://api.quo.com",
        "http://api.quo.com",
    ] {
        let builder = Client::builder().api_key(KEY).base_url(url);
        output.show(&builder);
        output.result(builder.build());
    }
    output.assert_clean(&["openphone", "Config", "Bearer"]);
}
