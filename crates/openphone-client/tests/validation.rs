//! What the vendor would refuse, or misread, is refused before it is sent.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::sync::Arc;

use connector_http::testing::{FakeTransport, Reply};
use openphone_client::{
    Client, ContactChanges, ContactPatch, ConversationId, CustomFieldEntry, CustomFieldValue,
    Delivery, Error, ErrorKind, ListCalls, ListContacts, ListConversations, ListMessages,
    ListTasks, ListUsers, NewContact, NewMessage, NewTask, PhoneNumberId, ScanFor,
};
use rstest::rstest;

/// A client, and the transport that would show what it sent.
fn client() -> (Client, FakeTransport) {
    let transport = FakeTransport::new();
    let client = Client::from_transport("k3y", Arc::new(transport.clone())).unwrap();
    (client, transport)
}

fn assert_refused(error: &Error, transport: &FakeTransport, paths: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!((error.attempts(), error.status()), (0, None));
    assert!(!error.is_retryable());
    let found: Vec<_> = error
        .field_errors()
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(found, paths);
    assert!(transport.requests().is_empty(), "something was sent");
}

fn message() -> NewMessage {
    NewMessage::new("PNabc101", "+12025550143", "Your table is ready.")
}

fn recipients(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| format!("+1202555{index:04}"))
        .collect()
}

#[rstest]
#[case::no_text(NewMessage::new("PNabc101", "+12025550143", ""), &["/content"])]
#[case::blank_text(NewMessage::new("PNabc101", "+12025550143", " \n\t "), &["/content"])]
#[case::long_text(NewMessage::new("PNabc101", "+12025550143", "ä".repeat(1601)), &["/content"])]
#[case::nobody(NewMessage::group("PNabc101", Vec::<String>::new(), "hi"), &["/to"])]
#[case::eleven(NewMessage::group("PNabc101", recipients(11), "hi"), &["/to"])]
#[case::a_blank_recipient(NewMessage::group("PNabc101", ["+12025550143", " "], "hi"), &["/to/1"])]
#[case::a_long_recipient(NewMessage::new("PNabc101", "+1 (202) 555-0143", "hi"), &["/to/0"])]
// The vendor takes any text of up to 15 characters; these are no one's number.
#[case::a_national_recipient(NewMessage::new("PNabc101", "(202) 555-0143", "hi"), &["/to/0"])]
#[case::a_word(NewMessage::new("PNabc101", "SALE", "hi"), &["/to/0"])]
#[case::letters_in_a_short_code(NewMessage::new("PNabc101", "7264a", "hi"), &["/to/0"])]
#[case::a_name_as_sender(NewMessage::new("Front desk", "+12025550143", "hi"), &["/from"])]
#[case::a_national_sender(NewMessage::new("2025550100", "+12025550143", "hi"), &["/from"])]
#[case::a_bare_prefix(NewMessage::new("PN", "+12025550143", "hi"), &["/from"])]
#[case::all_at_once(NewMessage::group("", Vec::<String>::new(), ""), &["/content", "/from", "/to"])]
#[tokio::test]
async fn messages(#[case] message: NewMessage, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client.messages().send(&message).await.unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[rstest]
#[case(NewMessage::new("PNabc101", "+12025550143", "ä".repeat(1600)))]
#[case(NewMessage::new("+12025550100", "72645", "x"))]
#[case(NewMessage::group("PNabc101", recipients(10), "x"))]
#[case(NewMessage::new("PNabc101", "+123456789012345", "x"))]
#[tokio::test]
async fn messages_within_the_limits_are_sent(#[case] message: NewMessage) {
    let (client, transport) = client();
    transport.push(Reply::status(202).body(include_str!("fixtures/message_sent.json")));
    client.messages().send(&message).await.unwrap();
    assert_eq!(transport.requests().len(), 1);
}

#[rstest]
#[case::reserved(NewContact::new("Ana").source("openphone"), &["/source"])]
#[case::reserved_prefix(NewContact::new("Ana").source("csv-2026"), &["/source"])]
#[case::reserved_in_capitals(NewContact::new("Ana").source("Zapier"), &["/source"])]
#[case::empty_source(NewContact::new("Ana").source(""), &["/source"])]
#[case::long_source(NewContact::new("Ana").source("x".repeat(73)), &["/source"])]
#[case::empty_id(NewContact::new("Ana").external_id(""), &["/externalId"])]
#[case::long_id(NewContact::new("Ana").external_id("x".repeat(76)), &["/externalId"])]
#[case::no_url(NewContact::new("Ana").source_url("shop.example.com/42"), &["/sourceUrl"])]
#[case::long_url(NewContact::new("Ana").source_url(format!("https://example.com/{}", "x".repeat(200))), &["/sourceUrl"])]
#[case::no_key(NewContact::new("Ana").custom_field("", true), &["/customFields/0/key"])]
#[tokio::test]
async fn contacts(#[case] contact: NewContact, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client.contacts().create(&contact).await.unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[tokio::test]
async fn contact_limits_are_the_vendors() {
    let (client, transport) = client();
    transport.push(Reply::status(201).body(include_str!("fixtures/contact.json")));
    let contact = NewContact::new("Ana")
        .source("ö".repeat(72))
        .external_id("ö".repeat(75))
        .source_url(format!("https://example.com/{}", "x".repeat(180)));
    client.contacts().create(&contact).await.unwrap();
}

#[tokio::test]
async fn patches_and_changes() {
    let (client, transport) = client();
    let id = "CT7".into();
    let patch = ContactPatch::new()
        .role("")
        .source("x".repeat(76))
        .external_id("x".repeat(76))
        .source_url("nowhere")
        .custom_fields(vec![CustomFieldEntry::by_key(
            " ",
            CustomFieldValue::Boolean(true),
        )]);
    let error = client.contacts().update(&id, &patch).await.unwrap_err();
    let paths = [
        "/defaultFields/role",
        "/externalId",
        "/source",
        "/sourceUrl",
        "/customFields/0/key",
    ];
    assert_refused(&error, &transport, &paths);

    let changes = ContactChanges::new()
        .external_id("x".repeat(76))
        .source("openphone")
        .source_url("nowhere")
        .clear_custom_field("");
    let error = client
        .contacts()
        .update_merged(&id, &changes)
        .await
        .unwrap_err();
    // A blank role among changes clears, so that only the others are refused.
    assert_refused(&error, &transport, &paths[1..]);
}

#[rstest]
#[case(0)]
#[case(51)]
#[case(u32::MAX)]
#[tokio::test]
async fn page_sizes_of_fifty(#[case] size: u32) {
    let (client, transport) = client();
    let contacts = ListContacts::new().max_results(size);
    let users = ListUsers::new().max_results(size);
    for error in [
        client.contacts().list(&contacts).all(1).await.unwrap_err(),
        client
            .contacts()
            .list_page(&contacts, None)
            .await
            .unwrap_err(),
        client.users().list(&users).all(1).await.unwrap_err(),
    ] {
        assert_refused(&error, &transport, &["/maxResults"]);
    }
}

#[rstest]
#[case(ListMessages::new("PN1", ["+12025550143"]).max_results(0u32), &["/maxResults"])]
#[case(ListMessages::new("PN1", ["+12025550143"]).max_results(101u32), &["/maxResults"])]
#[case(ListMessages::new("PN1", Vec::<String>::new()), &["/participants"])]
#[case(ListMessages::new("PN1", recipients(11)), &["/participants"])]
#[case(ListMessages::new("PN1", [""]), &["/participants/0"])]
#[case(ListMessages::new("", ["+12025550143"]), &["/phoneNumberId"])]
#[tokio::test]
async fn message_lists(#[case] query: ListMessages, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client.messages().list(&query).all(1).await.unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[tokio::test]
async fn a_time_span_must_not_end_before_it_begins() {
    let (client, transport) = client();
    let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let query = ListMessages::new("PN1", ["+12025550143"])
        .created_after(time("2026-03-02T00:00:00Z"))
        .created_before(time("2026-03-01T00:00:00Z"));
    let error = client.messages().list_page(&query, None).await.unwrap_err();
    assert_refused(&error, &transport, &["/createdBefore"]);
}

#[rstest]
#[case(ListCalls::new("PN1", "+12025550143").max_results(0u32), &["/maxResults"])]
#[case(ListCalls::new("PN1", "+12025550143").max_results(101u32), &["/maxResults"])]
#[case(ListCalls::new("", ""), &["/phoneNumberId", "/participants/0"])]
#[case(
    ListCalls::new("PN1", "+12025550143")
        .created_after(chrono::DateTime::UNIX_EPOCH)
        .created_before(chrono::DateTime::UNIX_EPOCH),
    &["/createdBefore"]
)]
#[tokio::test]
async fn call_lists(#[case] query: ListCalls, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client.calls().list(&query).all(1).await.unwrap_err();
    assert_refused(&error, &transport, paths);
    let error = client.calls().list_page(&query, None).await.unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[rstest]
#[case(ListConversations::new().max_results(101u32), &["/maxResults"])]
#[case(ListConversations::new().phone_number("").phone_number("front desk"), &["/phoneNumbers/0", "/phoneNumbers/1"])]
#[case(
    (0..101).fold(ListConversations::new(), |query, _| query.phone_number("PN1")),
    &["/phoneNumbers"]
)]
#[case(
    ListConversations::new()
        .created_after(chrono::DateTime::UNIX_EPOCH)
        .created_before(chrono::DateTime::UNIX_EPOCH)
        .updated_after(chrono::DateTime::UNIX_EPOCH)
        .updated_before(chrono::DateTime::UNIX_EPOCH),
    &["/createdBefore", "/updatedBefore"]
)]
#[tokio::test]
async fn conversation_lists(#[case] query: ListConversations, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client
        .conversations()
        .list(&query)
        .all(1)
        .await
        .unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[tokio::test]
async fn tasks() {
    let (client, transport) = client();
    let tasks = client.tasks();
    let about_nothing = NewTask::new(PhoneNumberId::from(" "), "Call back", "").assigned_to("");
    let error = tasks.create(&about_nothing).await.unwrap_err();
    assert_refused(&error, &transport, &["/phoneNumberId", "/assignedTo"]);
    let query = ListTasks::new().max_results(101u32);
    let error = tasks.list(&query).all(1).await.unwrap_err();
    assert_refused(&error, &transport, &["/maxResults"]);
    let id = "TK1".into();
    for error in [
        tasks.assign(&id, &"".into()).await.unwrap_err(),
        tasks.unassign(&id, &"".into()).await.unwrap_err(),
    ] {
        assert_refused(&error, &transport, &["/userId"]);
    }
    let nowhere = ConversationId::from("");
    for error in [
        tasks.link_conversation(&id, &nowhere).await.unwrap_err(),
        tasks.unlink_conversation(&id, &nowhere).await.unwrap_err(),
    ] {
        assert_refused(&error, &transport, &["/conversationId"]);
    }
}

#[tokio::test]
async fn a_filter_that_would_list_everybody() {
    let (client, transport) = client();
    let contacts = client.contacts();
    let none = Vec::<String>::new();
    for (error, path) in [
        (
            contacts.find_by_external_id("").await.unwrap_err(),
            "/externalIds/0",
        ),
        (
            contacts.find_by_external_id(" ").await.unwrap_err(),
            "/externalIds/0",
        ),
        (
            contacts
                .find_by_external_id(&"x".repeat(76))
                .await
                .unwrap_err(),
            "/externalIds/0",
        ),
        (
            contacts
                .find_by_external_ids(none)
                .all(1)
                .await
                .unwrap_err(),
            "/externalIds",
        ),
        (
            contacts
                .find_by_external_ids(recipients(31))
                .all(1)
                .await
                .unwrap_err(),
            "/externalIds",
        ),
        (
            contacts
                .find_by_external_ids(["a", ""])
                .all(1)
                .await
                .unwrap_err(),
            "/externalIds/1",
        ),
    ] {
        assert_refused(&error, &transport, &[path]);
    }
}

#[rstest]
#[case(ScanFor::new(), &["/"])]
#[case(ScanFor::new().email(" ").email("ana@example.com"), &["/emails/0"])]
#[case(ScanFor::new().phone("+12025550143").phone("call me"), &["/phones/1"])]
#[tokio::test]
async fn a_scan_for_nobody(#[case] wanted: ScanFor, #[case] paths: &[&str]) {
    let (client, transport) = client();
    let error = client
        .contacts()
        .scan(wanted.clone())
        .first()
        .await
        .unwrap_err();
    assert_refused(&error, &transport, paths);
    let error = client
        .contacts()
        .scan(wanted)
        .pages()
        .next()
        .await
        .unwrap()
        .unwrap_err();
    assert_refused(&error, &transport, paths);
}

#[tokio::test]
async fn nothing_of_the_request_stands_in_the_error() {
    let (client, _) = client();
    let mut message = message();
    message.content = "canary text ".repeat(200);
    message.to = vec!["canary recipient text".to_owned()];
    message.from = "canary sender".to_owned();
    let error = client.messages().send(&message).await.unwrap_err();
    let text = format!("{error} {error:?} {:?} {message:?}", error.field_errors());
    assert!(!text.contains("canary"), "{text}");
    for field in error.field_errors() {
        assert!(!field.message.contains("canary"));
    }
}
