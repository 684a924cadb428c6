//! Whole flows against the simulated vendor, written by other hands from the same facts.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use openphone_client::{
    Client, ContactChanges, ContactField, ContactPatch, CustomFieldType, CustomFieldValue,
    Delivery, ErrorKind, ListContacts, ListMessages, ListPhoneNumbers, ListUsers, MessageDirection,
    NewContact, NewMessage, OpenPhoneErrorCode, Rate, RateClass, ScanFor,
};
use vendor_sandbox::openphone::{CREATE_CONTACT, CustomFieldKind, SEND_MESSAGE};
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .rate(RateClass::DEFAULT, Rate::per_second(10_000))
        .build()
        .unwrap();
    (sandbox, client)
}

fn ana() -> NewContact {
    NewContact::new("Ana")
        .last_name("Müller")
        .email("work", "ana@example.com")
        .email("private", "ana@example.org")
        .phone_number("mobile", "+12025550143")
        .external_id("user-42")
        .source("shop")
}

#[tokio::test]
async fn a_contact_from_beginning_to_end() {
    let (_sandbox, client) = sandbox().await;
    let contacts = client.contacts();

    let made = contacts.create(&ana()).await.unwrap();
    let read = contacts.get(&made.id).await.unwrap();
    assert_eq!(read.external_id.as_deref(), Some("user-42"));
    assert_eq!(read.default_fields.last_name.as_deref(), Some("Müller"));
    assert_eq!(read.default_fields.emails.len(), 2);

    let found = contacts.find_by_external_id("user-42").await.unwrap();
    assert_eq!(
        found.iter().map(|it| &it.id).collect::<Vec<_>>(),
        [&made.id]
    );
    assert!(
        contacts
            .find_by_external_id("user-43")
            .await
            .unwrap()
            .is_empty()
    );

    contacts.delete(&made.id).await.unwrap();
    let error = contacts.get(&made.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::NotFound)
    );
}

#[tokio::test]
async fn a_merge_keeps_what_a_patch_would_delete() {
    let (sandbox, client) = sandbox().await;
    sandbox
        .control()
        .add_custom_field("Lead", "lead", CustomFieldKind::Boolean);
    sandbox
        .control()
        .add_custom_field("Plan", "plan", CustomFieldKind::MultiSelect);
    let contacts = client.contacts();
    let new = ana()
        .custom_field("lead", true)
        .custom_field("plan", ["basic", "family"]);
    let made = contacts.create(&new).await.unwrap();

    let changes = ContactChanges::new()
        .role("Sales")
        .remove_email("ANA@example.org")
        .add_phone_number("home", "+12025550144")
        .set_custom_field("lead", false);
    let merged = contacts.update_merged(&made.id, &changes).await.unwrap();
    assert_eq!(merged.changed.len(), 4);
    assert_eq!(merged.not_applied, []);
    assert!(!merged.source_left_out);

    let now = contacts.get(&made.id).await.unwrap();
    let fields = &now.default_fields;
    assert_eq!(now.external_id.as_deref(), Some("user-42"));
    assert_eq!(now.source.as_deref(), Some("shop"));
    assert_eq!(fields.role.as_deref(), Some("Sales"));
    assert_eq!(
        fields
            .emails
            .iter()
            .map(|it| it.value.as_deref().unwrap())
            .collect::<Vec<_>>(),
        ["ana@example.com"]
    );
    assert_eq!(fields.phone_numbers.len(), 2);
    let value = |key: &str| {
        let field = now
            .custom_fields
            .iter()
            .find(|it| it.key.as_deref() == Some(key))
            .unwrap();
        field.value.clone().unwrap()
    };
    assert_eq!(value("lead"), CustomFieldValue::Boolean(false));
    assert_eq!(value("plan"), ["basic", "family"].into());

    // The second time nothing is new, and nothing is written.
    let writes = sandbox.control().request_count();
    let merged = contacts.update_merged(&made.id, &changes).await.unwrap();
    assert_eq!(merged.changed, []);
    assert_eq!(sandbox.control().request_count(), writes + 1);

    // What the plain patch does, for comparison.
    let replaced = contacts
        .update(&made.id, &ContactPatch::new().role("CEO"))
        .await
        .unwrap();
    assert!(replaced.default_fields.emails.is_empty() && replaced.custom_fields.is_empty());
}

#[tokio::test]
async fn clearing_a_role_works_or_is_reported() {
    let (_sandbox, client) = sandbox().await;
    let contacts = client.contacts();
    let made = contacts.create(&ana().role("Sales")).await.unwrap();
    let merged = contacts
        .update_merged(&made.id, &ContactChanges::new().role(" "))
        .await
        .unwrap();
    assert_eq!(merged.changed, [ContactField::Role]);
    let cleared = merged.contact.default_fields.role.is_none();
    assert_eq!(merged.not_applied.is_empty(), cleared);
}

#[tokio::test]
async fn lists_and_scans_read_every_page() {
    let (sandbox, client) = sandbox().await;
    sandbox.control().seed_contacts(120);
    let contacts = client.contacts();
    contacts.create(&ana()).await.unwrap();

    let all = contacts
        .list(&ListContacts::new())
        .all(1_000)
        .await
        .unwrap();
    assert_eq!(all.len(), 121);
    let small = contacts
        .list(&ListContacts::new().max_results(7u32))
        .all(1_000)
        .await
        .unwrap();
    assert_eq!(small.len(), 121);

    let found = contacts
        .scan(ScanFor::new().email("Ana@Example.org"))
        .first()
        .await
        .unwrap();
    assert_eq!(
        found.unwrap().contact.external_id.as_deref(),
        Some("user-42")
    );

    let some = ["synthetic-1", "synthetic-120", "user-42"];
    let found = contacts.find_by_external_ids(some).all(10).await.unwrap();
    assert_eq!(found.len(), 3);
}

#[tokio::test]
async fn a_create_that_ended_in_doubt_is_found_by_its_external_id() {
    let (sandbox, client) = sandbox().await;
    sandbox
        .control()
        .faults(FaultPlan::none().next(CREATE_CONTACT, 1, Fault::ResetAfterEffect));
    let contacts = client.contacts();

    let error = contacts.create(&ana()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::Connect, Delivery::Unknown)
    );
    assert_eq!(error.attempts(), 1);

    let found = contacts.find_by_external_id("user-42").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(sandbox.control().contact_count(), 1);
}

#[tokio::test]
async fn a_message_arrives_once_whatever_breaks() {
    let (sandbox, client) = sandbox().await;
    let message = NewMessage::new(
        sandbox.phone_number_id(),
        "+12025550143",
        "Your table is ready.",
    );

    let sent = client.messages().send(&message).await.unwrap();
    assert_eq!(sent.direction, MessageDirection::Outgoing);
    assert_eq!(client.messages().get(&sent.id).await.unwrap().id, sent.id);

    sandbox
        .control()
        .faults(FaultPlan::none().next(SEND_MESSAGE, 1, Fault::ResetAfterEffect));
    let error = client.messages().send(&message).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);

    // Look before sending again: it is there.
    let thread = ListMessages::new(sandbox.phone_number_id(), ["+12025550143"]);
    let messages = client.messages().list(&thread).all(10).await.unwrap();
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|it| it.text == "Your table is ready."));
}

#[tokio::test]
async fn an_incoming_text_is_read() {
    let (sandbox, client) = sandbox().await;
    let own = sandbox.phone_number().to_owned();
    sandbox
        .control()
        .place_inbound_text("+12025550143", &own, "Hello 🏡")
        .unwrap();
    let thread = ListMessages::new(sandbox.phone_number_id(), ["+12025550143"]);
    let messages = client.messages().list(&thread).all(10).await.unwrap();
    assert_eq!(messages[0].text, "Hello 🏡");
    assert_eq!(messages[0].direction, MessageDirection::Incoming);
    assert_eq!(messages[0].user_id, None);
}

#[tokio::test]
async fn the_rest_of_the_workspace_is_read() {
    let (sandbox, client) = sandbox().await;
    let info = client.test_connection().await.unwrap();
    let numbers = client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await
        .unwrap();
    assert_eq!(info.phone_numbers, numbers.len());
    let number = client.phone_numbers().get(&numbers[0].id).await.unwrap();
    assert_eq!(number.number, sandbox.phone_number());

    let users = client
        .users()
        .list(&ListUsers::new())
        .all(100)
        .await
        .unwrap();
    assert_eq!(client.users().get(&users[0].id).await.unwrap(), users[0]);

    sandbox
        .control()
        .add_custom_field("Lead", "lead", CustomFieldKind::Boolean);
    let fields = client.custom_fields().list().await.unwrap();
    let lead = fields.iter().find(|field| field.key == "lead").unwrap();
    assert_eq!(lead.kind, CustomFieldType::Boolean);

    let error = client
        .contacts()
        .create(&ana().custom_field("unheard-of", true))
        .await
        .unwrap_err();
    assert_eq!(
        OpenPhoneErrorCode::of(&error),
        Some(OpenPhoneErrorCode::InvalidCustomFieldItem)
    );
    assert_eq!(error.kind(), ErrorKind::Validation);
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_address_are_told_apart() {
    let (sandbox, _) = sandbox().await;
    let client = |key: &str, url: String| {
        Client::builder()
            .api_key(key)
            .base_url(url)
            .build()
            .unwrap()
    };

    let wrong_key = client("another-key", sandbox.base_url().to_owned());
    let error = wrong_key.test_connection().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.request_id().is_some());

    let wrong_address = client(
        sandbox.api_key(),
        format!("{}/somewhere", sandbox.base_url()),
    );
    let error = wrong_address
        .contacts()
        .get(&"CT7".into())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(404)));
}

#[tokio::test]
async fn the_default_pace_stays_below_the_vendors_limit() {
    let sandbox = Sandbox::openphone().start().await.unwrap();
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .build()
        .unwrap();
    let query = ListPhoneNumbers::new();
    let calls = (0..12).map(|_| tokio::spawn(client.phone_numbers().list(&query).no_retry()));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert!(
        sandbox
            .control()
            .requests()
            .iter()
            .all(|request| request.status == Some(200))
    );
}
