//! The address book: contacts, whom they are shared with, and what hangs on them one by one.

use openphone_client::dated::{
    ContactId, ContactPatch, ListContacts, ListProperties, NewContact, NewProperty, PropertyPatch,
    PropertyType,
};
use openphone_client::{ContactPatch as V1Patch, NewContact as V1Contact};
use serde_json::json;

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let contacts = stage.client.contacts();
    stage.control.seed_contacts(60);
    // As the app makes them: with a source that the API refuses, and values that were emptied.
    let from_the_app = json!({
        "source": "csv",
        "defaultFields": {
            "firstName": "Noor",
            "emails": [{ "name": "work", "value": null }],
            "phoneNumbers": [{ "name": "", "value": THEM }],
        },
        "customFields": [{ "key": "seats", "value": null }],
    });
    let from_the_app = stage.control.seed(&from_the_app)?.into();

    let ana = NewContact::new("Ana")
        .last_name("Müller")
        .company("Example GmbH")
        .role("Head of Sales")
        .external_id("user-42")
        .source("shop")
        .source_url("https://shop.example.com/users/42")
        .actor_id(stage.user().await?);
    let ana = contacts.create(&ana).await?.id;
    let bare = contacts.create(&NewContact::new("Ben")).await?.id;
    for id in [&ana, &bare, &from_the_app] {
        contacts.get(id).await?;
        let shares = contacts.shares(id).all(10).await?;
        check(!shares.is_empty(), "a contact is shared with nobody")?;
        stage.client.contact_notes().list(id).all(10).await?;
        let all = ListProperties::new();
        let properties = stage.client.contact_properties().list(id, &all);
        properties.all(10).await?;
    }

    for (query, count) in [
        (ListContacts::new(), 63),
        (ListContacts::new().external_ids(["user-42"]), 1),
        (
            ListContacts::new().external_ids(["user-42", "synthetic-1", "nobody"]),
            2,
        ),
        (ListContacts::new().sources(["shop"]), 1),
        (ListContacts::new().sources(["shop", "csv"]).limit(1u32), 2),
    ] {
        let found = contacts.list(&query).all(100).await?;
        check(found.len() == count, "contacts are missing from the list")?;
    }

    let changed = ContactPatch::new()
        .first_name("Anna")
        .role("Board")
        .external_id("user-43")
        .source("crm")
        .source_url("https://crm.example.com/users/43");
    contacts.update(&ana, &changed).await?;
    let emptied = ContactPatch::new()
        .clear_first_name()
        .clear_last_name()
        .clear_company()
        .clear_role()
        .clear_external_id()
        .clear_source()
        .clear_source_url();
    contacts.update(&bare, &emptied).await?;

    notes(stage, &ana).await?;
    properties(stage, &ana).await?;
    made_over_v1(stage).await?;

    let reserved = NewContact::new("Eve").source("csv");
    refused(contacts.create(&reserved).await, 400)?;
    contacts.delete(&bare).await?;
    refused(contacts.get(&bare).await, 404)?;
    refused(contacts.update(&bare, &changed).await, 404)?;
    refused(contacts.shares(&bare).all(10).await, 404)?;
    refused(contacts.delete(&bare).await, 404)
}

async fn notes(stage: &Stage, contact: &ContactId) -> Step {
    let notes = stage.client.contact_notes();
    let mut ids = Vec::new();
    for text in ["Prefers mornings.", "Spricht auch Französisch 🇫🇷"] {
        ids.push(notes.create(contact, text).await?.id);
    }
    // As long as a note may be.
    ids.push(notes.create(contact, &"ü".repeat(2000)).await?.id);
    let listed = notes.list(contact).all(10).await?;
    check(listed.len() == ids.len(), "notes are missing from the list")?;
    for id in &ids {
        notes.get(contact, id).await?;
        let changed = notes.update(contact, id, "Prefers afternoons.").await?;
        check(changed.text == "Prefers afternoons.", "a note is as it was")?;
        notes.delete(contact, id).await?;
        refused(notes.get(contact, id).await, 404)?;
        refused(notes.update(contact, id, "Too late.").await, 404)?;
        refused(notes.delete(contact, id).await, 404)?;
    }
    refused(notes.create(&"CT0".into(), "Nobody's.").await, 404)
}

async fn properties(stage: &Stage, contact: &ContactId) -> Step {
    let properties = stage.client.contact_properties();
    let other = PropertyType::from;
    let all = [
        NewProperty::new(PropertyType::PhoneNumber, THEM).name("Mobile"),
        NewProperty::new(PropertyType::PhoneNumber, OTHER),
        NewProperty::new(PropertyType::Email, "ana@example.com").name("Work"),
        NewProperty::new(PropertyType::String, "Annie").name("Nickname"),
        NewProperty::new(PropertyType::Date, "2026-01-15T00:00:00.000Z").name("Customer Since"),
        NewProperty::new(PropertyType::Boolean, true).name("Inbound Lead"),
        NewProperty::new(PropertyType::Number, 12).name("Seats"),
        NewProperty::new(other("address"), "1 Main Street, Springfield").name("Branch"),
        NewProperty::new(other("multi-select"), ["basic", "family"]).name("Plans"),
        NewProperty::new(other("url"), "https://example.com").name("Website"),
    ];
    let mut made = Vec::new();
    for property in &all {
        made.push(properties.create(contact, property).await?);
    }
    let query = ListProperties::new().limit(4u32);
    let listed = properties.list(contact, &query).all(100).await?;
    check(listed.len() == all.len(), "properties are missing")?;
    for kind in [
        PropertyType::PhoneNumber,
        PropertyType::Boolean,
        other("url"),
    ] {
        let query = ListProperties::new().kind(kind);
        let found = properties.list(contact, &query).all(100).await?;
        check(!found.is_empty(), "a kind of property is missing")?;
    }

    for one in &made {
        properties.get(contact, &one.id).await?;
        let value = one.value.clone().ok_or("a property without a value")?;
        let same = PropertyPatch::new().value(value);
        properties.update(contact, &one.id, &same).await?;
    }
    let [mobile, bare, ..] = made.as_slice() else {
        return Err("there are no properties".into());
    };
    let unnamed = PropertyPatch::new().clear_name();
    let unnamed = properties.update(contact, &mobile.id, &unnamed).await?;
    check(unnamed.name.is_none(), "a label is still there")?;
    let home = PropertyPatch::new().name("Home").value("+12025550145");
    let home = properties.update(contact, &bare.id, &home).await?;
    check(home.name.as_deref() == Some("Home"), "a label is missing")?;

    let unheard_of = NewProperty::new(other("unheard-of"), true);
    refused(properties.create(contact, &unheard_of).await, 400)?;
    let seats = PropertyPatch::new().value("twelve");
    let number = made
        .iter()
        .find(|one| one.kind == PropertyType::Number)
        .ok_or("there is no number")?;
    refused(properties.update(contact, &number.id, &seats).await, 400)?;
    for one in &made {
        properties.delete(contact, &one.id).await?;
    }
    let gone = &mobile.id;
    refused(properties.get(contact, gone).await, 404)?;
    refused(properties.update(contact, gone, &seats).await, 404)?;
    refused(properties.delete(contact, gone).await, 404)
}

/// One that API v1 made whole, and in which it emptied a field.
async fn made_over_v1(stage: &Stage) -> Step {
    let whole = V1Contact::new("Lee")
        .email("work", "lee@example.com")
        .phone_number("mobile", OTHER)
        .custom_field("plans", ["basic"])
        .custom_field("seats", 3);
    let made = stage.v1.contacts().create(&whole).await?;
    let query = ListProperties::new();
    let of = |id: &ContactId| stage.client.contact_properties().list(id, &query);
    let properties = of(&made.id).all(10).await?;
    check(properties.len() == 4, "properties of API v1 are missing")?;
    let less = V1Patch::new().first_name("Lee");
    stage.v1.contacts().update(&made.id, &less).await?;
    let properties = of(&made.id).all(10).await?;
    check(properties.is_empty(), "properties are still there")
}
