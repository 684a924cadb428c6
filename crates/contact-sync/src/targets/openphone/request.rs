//! What OpenPhone is asked to write.

use openphone_client::{ContactChanges, NewContact};

use super::record::Filled;

/// The labels that the vendor wants for each address and number.
const EMAIL_LABEL: &str = "email";
const PHONE_LABEL: &str = "phone";

/// A new record: everything we know, under our key.
pub(super) fn new_contact(external_id: String, source: &str, record: Filled) -> NewContact {
    let mut new = NewContact::unnamed().external_id(external_id);
    new.source = Some(record.source.unwrap_or_else(|| source.to_owned()));
    new.source_url = record.source_url;
    new.first_name = record.first_name;
    new.last_name = record.last_name;
    new.company = record.company;
    new.role = record.role;
    for email in record.emails {
        new = new.email(EMAIL_LABEL, email);
    }
    for number in record.numbers {
        new = new.phone_number(PHONE_LABEL, number);
    }
    for (key, value) in record.custom_fields {
        new = new.custom_field(key, value);
    }
    new
}

/// What a record shall say: what we know. What we do not know, and what others have added, stays.
pub(super) fn changes(record: Filled) -> ContactChanges {
    let mut changes = ContactChanges::new();
    if let Some(first) = record.first_name {
        changes = changes.first_name(first);
    }
    if let Some(last) = record.last_name {
        changes = changes.last_name(last);
    }
    if let Some(company) = record.company {
        changes = changes.company(company);
    }
    if let Some(role) = record.role {
        changes = changes.role(role);
    }
    if let Some(url) = record.source_url {
        changes = changes.source_url(url);
    }
    for email in record.emails {
        changes = changes.add_email(EMAIL_LABEL, email);
    }
    for number in record.numbers {
        changes = changes.add_phone_number(PHONE_LABEL, number);
    }
    for (key, value) in record.custom_fields {
        changes = changes.set_custom_field(key, value);
    }
    changes
}
