//! The address book, from a bare name to a record with everything.

use openphone_client::{
    ContactChanges, ContactPatch, ContactValue, ListContacts, NewContact, ScanFor,
};
use serde_json::json;

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let contacts = stage.client.contacts();
    stage.control.seed_contacts(60);
    // As the app makes them: a source that the API refuses, and hardly anything else.
    let from_the_app = json!({ "source": "csv", "defaultFields": { "firstName": "Noor" } });
    let from_the_app = stage.control.seed(&from_the_app)?.into();

    let ana = NewContact::new("Ana")
        .last_name("Müller")
        .company("Example GmbH")
        .role("Head of Sales")
        .email("work", "ana@example.com")
        .email("private", "ana@example.org")
        .phone_number("mobile", THEM)
        .external_id("user-42")
        .source("shop")
        .source_url("https://shop.example.com/users/42")
        .custom_field("branch", "1 Main Street, Springfield")
        .custom_field("inbound-lead", true)
        .custom_field("customer-since", "2026-01-15T00:00:00.000Z")
        .custom_field("plans", ["basic", "family"])
        .custom_field("seats", 12)
        .custom_field("nickname", "Annie")
        .custom_field("website", "https://example.com");
    let made = contacts.create(&ana).await?;
    let bare = contacts.create(&NewContact::unnamed()).await?;
    contacts.get(&made.id).await?;
    contacts.get(&bare.id).await?;
    contacts.get(&from_the_app).await?;

    check(
        contacts.find_by_external_id("user-42").await?.len() == 1,
        "the external id is not found",
    )?;
    let ids = ["user-42", "synthetic-1", "synthetic-60", "nobody"];
    check(
        contacts.find_by_external_ids(ids).all(10).await?.len() == 3,
        "external ids are not found",
    )?;
    let shop = ListContacts::new().source("shop").source("web");
    check(
        contacts.list(&shop).all(10).await?.len() == 1,
        "the source is not found",
    )?;
    let all = contacts.list(&ListContacts::new()).all(1_000).await?;
    check(all.len() == 63, "contacts are missing from the list")?;
    let found = contacts
        .scan(ScanFor::new().email("Ana@example.org"))
        .first()
        .await?;
    check(found.is_some(), "the address is not found")?;

    let changes = ContactChanges::new()
        .role("Board")
        .remove_email("ana@example.org")
        .add_phone_number("home", OTHER)
        .set_custom_field("seats", 13);
    contacts.update_merged(&made.id, &changes).await?;
    let now = contacts.get(&made.id).await?;
    contacts
        .update(&made.id, &ContactPatch::keeping(&now))
        .await?;
    let less = ContactPatch::new()
        .first_name("Ana")
        .clear_last_name()
        .emails(vec![ContactValue::new("work", "ana@example.com")]);
    contacts.update(&made.id, &less).await?;

    refused(
        contacts
            .create(&NewContact::new("Ben").custom_field("unheard-of", true))
            .await,
        400,
    )?;
    let again = NewContact::new("Ana").external_id("synthetic-1");
    refused(contacts.create(&again).await, 409)?;
    contacts.delete(&bare.id).await?;
    refused(contacts.get(&bare.id).await, 404)?;
    refused(contacts.update(&bare.id, &less).await, 404)?;
    refused(contacts.delete(&bare.id).await, 404)
}
