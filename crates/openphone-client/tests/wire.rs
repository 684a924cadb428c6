//! What stands on the wire: header bytes, encodings, bodies, and answers as servers really give them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::time::Duration;

use openphone_client::{
    Client, ContactChanges, ContactId, ContactPatch, CustomFieldValue, Delivery, ErrorKind,
    InboxStatus, ListContacts, ListMessages, ListPhoneNumbers, ListUsers, Method, NewContact,
    NewMessage, OpenPhoneErrorCode,
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const KEY: &str = "0123456789abcdef0123456789abcdef";

const CONTACT: &str = include_str!("fixtures/contact.json");
const CONTACTS_PAGE: &str = include_str!("fixtures/contacts_page.json");
const CONTACTS_LAST_PAGE: &str = include_str!("fixtures/contacts_last_page.json");
const MESSAGE_SENT: &str = include_str!("fixtures/message_sent.json");
const MESSAGES_PAGE: &str = include_str!("fixtures/messages_page.json");
const PHONE_NUMBERS: &str = include_str!("fixtures/phone_numbers.json");
const USERS_PAGE: &str = include_str!("fixtures/users_page.json");
const HTML: &str = include_str!("fixtures/error_page.html");

fn client(server: &MockServer) -> Client {
    Client::builder()
        .api_key(KEY)
        .base_url(server.uri())
        .build()
        .unwrap()
}

async fn answers(status: u16, body: &'static str) -> MockServer {
    let server = MockServer::start().await;
    let answer =
        ResponseTemplate::new(status).set_body_raw(body, "application/json; charset=utf-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

async fn the_request(server: &MockServer) -> Request {
    let mut requests = requests(server).await;
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn the_key_is_sent_as_it_is() {
    let server = answers(200, PHONE_NUMBERS).await;
    client(&server)
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await
        .unwrap();

    let request = the_request(&server).await;
    assert_eq!(
        request.headers.get("authorization").unwrap().as_bytes(),
        KEY.as_bytes()
    );
    let agent = request.headers.get("user-agent").unwrap().to_str().unwrap();
    assert!(agent.contains(env!("CARGO_PKG_VERSION")), "{agent}");
    assert_eq!(request.url.path(), "/v1/phone-numbers");
    assert_eq!(request.url.query(), None);
}

#[tokio::test]
async fn creates_a_contact() {
    let server = answers(201, CONTACT).await;
    let new = NewContact::new("Ana")
        .last_name("Müller")
        .company("Example GmbH")
        .role("Sales")
        .email("work", "ana@example.com")
        .phone_number("mobile", "+12025550143")
        .custom_field("inbound-lead", true)
        .custom_field("plans", ["basic", "family"])
        .custom_field("seats", 12)
        .source("shop")
        .source_url("https://shop.example.com/people/42")
        .created_by_user_id("USabc123")
        .external_id("user-42");
    let contact = client(&server).contacts().create(&new).await.unwrap();

    assert_eq!(contact.id.as_str(), "66d0d87e8dc1211467372303");
    let request = the_request(&server).await;
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("POST", "/v1/contacts")
    );
    assert_eq!(
        request.headers.get("content-type").unwrap(),
        "application/json"
    );
    assert_eq!(
        body(&request),
        json!({
            "defaultFields": {
                "firstName": "Ana", "lastName": "Müller", "company": "Example GmbH", "role": "Sales",
                "emails": [{"name": "work", "value": "ana@example.com"}],
                "phoneNumbers": [{"name": "mobile", "value": "+12025550143"}]
            },
            "customFields": [
                {"key": "inbound-lead", "value": true},
                {"key": "plans", "value": ["basic", "family"]},
                {"key": "seats", "value": 12}
            ],
            "createdByUserId": "USabc123", "source": "shop",
            "sourceUrl": "https://shop.example.com/people/42", "externalId": "user-42"
        })
    );
}

#[tokio::test]
async fn a_contact_without_a_name_says_null() {
    let server = answers(201, CONTACT).await;
    client(&server)
        .contacts()
        .create(&NewContact::unnamed())
        .await
        .unwrap();
    let request = the_request(&server).await;
    assert_eq!(request.body, br#"{"defaultFields":{"firstName":null}}"#);
}

#[tokio::test]
async fn replaces_a_contact_with_every_list() {
    let server = answers(200, CONTACT).await;
    let patch = ContactPatch::new().clear_role().company("Example GmbH");
    client(&server)
        .contacts()
        .update(&"CT7".into(), &patch)
        .await
        .unwrap();

    let request = the_request(&server).await;
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("PATCH", "/v1/contacts/CT7")
    );
    assert_eq!(
        body(&request),
        json!({
            "defaultFields": {
                "company": "Example GmbH", "role": null, "emails": [], "phoneNumbers": []
            },
            "customFields": []
        })
    );
}

#[tokio::test]
async fn merges_before_it_writes() {
    let server = answers(200, CONTACT).await;
    let changes = ContactChanges::new().add_email("private", "ana@example.org");
    let merged = client(&server)
        .contacts()
        .update_merged(&"CT7".into(), &changes)
        .await
        .unwrap();

    let requests = requests(&server).await;
    let methods: Vec<_> = requests
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(methods, ["GET", "PATCH"]);
    assert_eq!(
        body(&requests[1]),
        json!({
            "externalId": "user-42", "source": "public-api",
            "sourceUrl": "https://shop.example.com/people/42",
            "defaultFields": {
                "firstName": "Ana", "lastName": "Müller", "company": "Example GmbH", "role": "Sales",
                "emails": [
                    {"name": "work", "value": "ana@example.com"},
                    {"name": "private", "value": "ana@example.org"}
                ],
                "phoneNumbers": [{"name": "mobile", "value": "+12025550143"}]
            },
            "customFields": [
                {"key": "inbound-lead", "value": true},
                {"key": "plans", "value": ["basic", "family"]},
                {"key": "customer-since", "value": "2024-09-11T04:00:00.000Z"},
                {"key": "seats", "value": 12.5}
            ]
        })
    );
    // The server answered the old state, as one does that ignores a field.
    assert_eq!(merged.changed, merged.not_applied);
    assert_eq!(merged.changed.len(), 1);
}

#[tokio::test]
async fn writes_nothing_when_nothing_is_new() {
    let server = answers(200, CONTACT).await;
    let changes = ContactChanges::new()
        .first_name("Ana")
        .add_phone_number("other", "(202) 555-0143")
        .set_custom_field("inbound-lead", CustomFieldValue::Boolean(true));
    let merged = client(&server)
        .contacts()
        .update_merged(&"CT7".into(), &changes)
        .await
        .unwrap();

    assert_eq!(merged.changed, []);
    assert_eq!(merged.contact, merged.before);
    assert_eq!(the_request(&server).await.method.as_str(), "GET");
}

#[tokio::test]
async fn deletes_with_an_empty_answer() {
    let server = answers(204, "").await;
    client(&server)
        .contacts()
        .delete(&"CT7".into())
        .await
        .unwrap();
    let request = the_request(&server).await;
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("DELETE", "/v1/contacts/CT7")
    );
}

#[rstest]
#[case("a/b", "/v1/contacts/a%2Fb")]
#[case("a b+c?d#e%2F", "/v1/contacts/a%20b%2Bc%3Fd%23e%252F")]
#[case("../users", "/v1/contacts/..%2Fusers")]
#[case("ü", "/v1/contacts/%C3%BC")]
#[tokio::test]
async fn an_id_is_one_segment_of_the_path(#[case] id: &str, #[case] expected: &str) {
    let server = answers(200, CONTACT).await;
    client(&server)
        .contacts()
        .get(&ContactId::from(id))
        .await
        .unwrap();
    let sent = the_request(&server).await.url.path().to_owned();
    // Which of the harmless characters are encoded is the encoder's choice.
    let decode = |path: &str| path.replace("%2B", "+");
    assert_eq!(decode(&sent), decode(expected));
}

#[rstest]
#[case("")]
#[case(".")]
#[case("..")]
#[tokio::test]
async fn an_id_that_would_change_the_path_is_refused(#[case] id: &str) {
    let server = answers(200, CONTACT).await;
    let client = client(&server);
    let id = ContactId::from(id);
    for error in [
        client.contacts().get(&id).await.unwrap_err(),
        client.contacts().delete(&id).await.unwrap_err(),
        client
            .contacts()
            .update(&id, &ContactPatch::new())
            .await
            .unwrap_err(),
        client
            .messages()
            .get(&id.as_str().into())
            .await
            .unwrap_err(),
        client
            .phone_numbers()
            .get(&id.as_str().into())
            .await
            .unwrap_err(),
        client.users().get(&id.as_str().into()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn lists_repeat_the_key_and_always_send_the_page_size() {
    let server = MockServer::start().await;
    let page = |body| ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any())
        .respond_with(page(CONTACTS_PAGE))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(page(CONTACTS_LAST_PAGE))
        .mount(&server)
        .await;

    let query = ListContacts::new()
        .external_id("+12025550143")
        .external_id("a&b")
        .source("shop");
    let contacts = client(&server)
        .contacts()
        .list(&query)
        .all(100)
        .await
        .unwrap();

    assert_eq!(contacts.len(), 1);
    let requests = requests(&server).await;
    let queries: Vec<_> = requests.iter().map(|it| it.url.query().unwrap()).collect();
    let filter = "externalIds=%2B12025550143&externalIds=a%26b&sources=shop&maxResults=50";
    assert_eq!(queries[0], filter);
    assert_eq!(
        queries[1],
        format!("{filter}&pageToken=eyJsYXN0SWQiOiI2NmQwIn0%3D")
    );
    assert_eq!(queries.len(), 2);
}

#[tokio::test]
async fn lists_messages_of_a_group() {
    let server = answers(200, MESSAGES_PAGE).await;
    let query = ListMessages::new("PNabc101", ["+12025550143", "+12025550144"])
        .user_id("USabc123")
        .created_after(
            "2026-03-01T00:00:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
        );
    let page = client(&server)
        .messages()
        .list_page(&query, None)
        .await
        .unwrap();

    // Wrong on purpose in the fixture, as it is in real life.
    assert_eq!((page.total_items, page.data.len()), (Some(0), 1));
    assert_eq!(
        the_request(&server).await.url.query(),
        Some(
            "phoneNumberId=PNabc101&participants=%2B12025550143&participants=%2B12025550144\
             &userId=USabc123&createdAfter=2026-03-01T00%3A00%3A00.000Z&maxResults=100"
        )
    );
}

#[tokio::test]
async fn lists_users_and_filters_numbers() {
    let server = answers(200, USERS_PAGE).await;
    let users = client(&server)
        .users()
        .list(&ListUsers::new().max_results(7u32));
    assert_eq!(users.all(10).await.unwrap().len(), 1);
    assert_eq!(the_request(&server).await.url.query(), Some("maxResults=7"));

    let server = answers(200, PHONE_NUMBERS).await;
    let query = ListPhoneNumbers::new().user_id("USabc123");
    client(&server).phone_numbers().list(&query).await.unwrap();
    assert_eq!(
        the_request(&server).await.url.query(),
        Some("userId=USabc123")
    );
}

#[tokio::test]
async fn sends_a_message() {
    let server = answers(202, MESSAGE_SENT).await;
    let message = NewMessage::new("PNabc101", "+12025550143", "Your table is ready.");
    client(&server).messages().send(&message).await.unwrap();
    let full = NewMessage::group("+12025550100", ["+12025550143", "72645"], "Hi 🏡\nall")
        .user_id("USabc123")
        .set_inbox_status(InboxStatus::Done);
    client(&server).messages().send(&full).await.unwrap();

    let requests = requests(&server).await;
    assert_eq!(
        body(&requests[0]),
        json!({"from": "PNabc101", "to": ["+12025550143"], "content": "Your table is ready."})
    );
    assert_eq!(
        body(&requests[1]),
        json!({
            "from": "+12025550100", "to": ["+12025550143", "72645"], "content": "Hi 🏡\nall",
            "userId": "USabc123", "setInboxStatus": "done"
        })
    );
}

#[tokio::test]
async fn tests_the_connection() {
    let server = answers(200, PHONE_NUMBERS).await;
    assert_eq!(
        client(&server)
            .test_connection()
            .await
            .unwrap()
            .phone_numbers,
        1
    );

    // A number this crate could not read must not fail the test of a key.
    let server = answers(200, r#"{"data":[{"id":7},null]}"#).await;
    assert_eq!(
        client(&server)
            .test_connection()
            .await
            .unwrap()
            .phone_numbers,
        2
    );
}

#[tokio::test]
async fn the_escape_hatch_signs_and_keeps_the_prefix() {
    let server = answers(200, r#"{"data":[]}"#).await;
    let client = Client::builder()
        .api_key(KEY)
        .base_url(format!("{}/quo/v1", server.uri()))
        .build()
        .unwrap();
    let answer: Value = client
        .raw(Method::Get, "/v1/conversations")
        .query("maxResults", 10)
        .fetch()
        .await
        .unwrap();

    assert_eq!(answer, json!({"data": []}));
    let request = the_request(&server).await;
    assert_eq!(request.url.path(), "/quo/v1/conversations");
    assert_eq!(request.headers.get("authorization").unwrap(), KEY);
}

#[rstest]
#[case(400, include_str!("fixtures/error_validation.json"), ErrorKind::Validation, Some("0100400"), OpenPhoneErrorCode::BadRequest, Some("6897907457496870895"))]
#[case(400, include_str!("fixtures/error_a2p.json"), ErrorKind::Permission, Some("0206400"), OpenPhoneErrorCode::A2pNotApproved, Some("6897907457496870896"))]
#[case(402, include_str!("fixtures/error_subscription.json"), ErrorKind::Permission, Some("0201402"), OpenPhoneErrorCode::SubscriptionExpired, Some("6897907457496870897"))]
#[case(404, include_str!("fixtures/error_not_found.json"), ErrorKind::NotFound, Some("0800404"), OpenPhoneErrorCode::NotFound, Some("6897907457496870898"))]
#[case(409, include_str!("fixtures/error_conflict.json"), ErrorKind::Conflict, Some("0800409"), OpenPhoneErrorCode::Conflict, None)]
#[case(401, include_str!("fixtures/error_gateway.json"), ErrorKind::Auth, Some("Unauthorized"), OpenPhoneErrorCode::Unauthorized, Some("6480612490142498014"))]
#[tokio::test]
async fn both_shapes_of_errors_are_read(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] kind: ErrorKind,
    #[case] code: Option<&str>,
    #[case] meaning: OpenPhoneErrorCode,
    #[case] trace: Option<&str>,
) {
    let server = answers(status, body).await;
    let message = NewMessage::new("PNabc101", "+12025550143", "Your table is ready.");
    let error = client(&server).messages().send(&message).await.unwrap_err();

    assert_eq!(error.kind(), kind);
    assert_eq!(error.status(), Some(status));
    assert_eq!(error.code(), code);
    assert_eq!(OpenPhoneErrorCode::of(&error), Some(meaning));
    assert_eq!(error.request_id(), trace);
    assert_eq!(error.delivery(), Delivery::Rejected);
    assert_eq!((error.operation(), error.attempts()), ("messages.send", 1));
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[case(404, ErrorKind::Api, Delivery::Rejected)]
#[case(403, ErrorKind::Permission, Delivery::Rejected)]
#[case(502, ErrorKind::Server, Delivery::Unknown)]
#[tokio::test]
async fn an_html_page_keeps_its_status(
    #[case] status: u16,
    #[case] kind: ErrorKind,
    #[case] delivery: Delivery,
) {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(status).set_body_raw(HTML, "text/html; charset=utf-8");
    Mock::given(any()).respond_with(page).mount(&server).await;
    let error = client(&server)
        .contacts()
        .create(&NewContact::new("Ana"))
        .await
        .unwrap_err();

    assert_eq!((error.kind(), error.status()), (kind, Some(status)));
    assert_eq!(error.delivery(), delivery);
    assert_eq!(OpenPhoneErrorCode::of(&error), None);
    assert!(error.message().is_none() && error.body_snippet().is_none());
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[case("")]
#[case("<html></html>")]
#[case(r#"{"data":{"id":"CT7"#)]
#[case(r#"{"data":[]}"#)]
#[case(r#"{"data":{"id":7}}"#)]
#[case("null")]
#[tokio::test]
async fn a_success_nobody_can_read_has_happened_all_the_same(#[case] body: &'static str) {
    let server = answers(201, body).await;
    let error = client(&server)
        .contacts()
        .create(&NewContact::new("Ana"))
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.status(), Some(201));
    assert_eq!(error.delivery(), Delivery::Succeeded);
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let server = answers(200, CONTACT).await;
    let client = Client::builder()
        .api_key(KEY)
        .base_url(server.uri())
        .max_body(100)
        .build()
        .unwrap();
    let error = client.contacts().get(&"CT7".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_slow_answer_times_out_and_the_message_is_not_sent_again() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(202)
        .set_body_raw(MESSAGE_SENT, "application/json")
        .set_delay(Duration::from_secs(30));
    Mock::given(method("POST"))
        .and(path("/v1/messages"))
        .respond_with(slow)
        .mount(&server)
        .await;

    let message = NewMessage::new("PNabc101", "+12025550143", "Your table is ready.");
    let call = client(&server)
        .messages()
        .send(&message)
        .timeout(Duration::from_millis(200));
    let error = call.await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = answers(200, PHONE_NUMBERS).await;
    let server = MockServer::start().await;
    let redirect = ResponseTemplate::new(302).insert_header("location", other.uri());
    Mock::given(any())
        .respond_with(redirect)
        .mount(&server)
        .await;

    let error = client(&server).test_connection().await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert!(requests(&other).await.is_empty());
}

/// What the builder takes can be named without a second dependency.
#[test]
fn a_transport_of_ones_own_can_be_named() {
    use std::sync::Arc;

    use openphone_client::connector_http::{ReqwestTransport, Transport};

    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::builder().build().unwrap());
    assert!(Client::from_transport("k3y", transport).is_ok());
}
