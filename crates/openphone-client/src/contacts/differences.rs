//! In which fields two states of a contact differ.

use chrono::DateTime;
use connector_http::Patch;

use super::matching::{email_key, line_key};
use super::patch::ContactPatch;
use super::requests::{ContactValue, CustomFieldEntry, CustomFieldRef};
use crate::custom_fields::CustomFieldValue;

/// A field of a contact, for reports about changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContactField {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The company's name.
    Company,
    /// The role at the company.
    Role,
    /// The e-mail addresses.
    Emails,
    /// The phone numbers.
    PhoneNumbers,
    /// The custom field with this key, or with this id where there is no key.
    Custom(CustomFieldRef),
    /// Your id of this person.
    ExternalId,
    /// Where the contact comes from.
    Source,
    /// The link to your record of this person.
    SourceUrl,
}

/// Brings a value into its common form.
pub(super) type Key = fn(&str) -> Option<String>;

/// How exactly two values must agree to be the same.
#[derive(Copy, Clone)]
pub(super) enum Spelling {
    /// Letter by letter: a number rewritten in E.164 form is a change, and worth a write.
    Exact,
    /// In the common form: the vendor may answer a number or a date in a form of its own, and a list
    /// in an order of its own.
    Any,
}

/// The fields in which two states differ.
pub(super) fn differences(
    before: &ContactPatch,
    after: &ContactPatch,
    spelling: Spelling,
) -> Vec<ContactField> {
    let texts = [
        (
            &before.first_name,
            &after.first_name,
            ContactField::FirstName,
        ),
        (&before.last_name, &after.last_name, ContactField::LastName),
        (&before.company, &after.company, ContactField::Company),
        (&before.role, &after.role, ContactField::Role),
        (
            &before.external_id,
            &after.external_id,
            ContactField::ExternalId,
        ),
        (&before.source, &after.source, ContactField::Source),
        (
            &before.source_url,
            &after.source_url,
            ContactField::SourceUrl,
        ),
    ];
    let mut fields: Vec<_> = texts
        .into_iter()
        .filter(|(before, after, _)| set(before, spelling) != set(after, spelling))
        .map(|(_, _, field)| field)
        .collect();
    if !same_list(&before.emails, &after.emails, email_key, spelling) {
        fields.push(ContactField::Emails);
    }
    if !same_list(
        &before.phone_numbers,
        &after.phone_numbers,
        line_key,
        spelling,
    ) {
        fields.push(ContactField::PhoneNumbers);
    }
    for entry in before.custom_fields.iter().chain(&after.custom_fields) {
        let field = ContactField::Custom(entry.field.clone());
        let before = value_of(&before.custom_fields, &entry.field);
        let after = value_of(&after.custom_fields, &entry.field);
        if !same_value(before, after, spelling) && !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

fn set(patch: &Patch<String>, spelling: Spelling) -> Option<&str> {
    let text = patch.set().map(String::as_str);
    match spelling {
        Spelling::Exact => text,
        Spelling::Any => text.map(str::trim).filter(|text| !text.is_empty()),
    }
}

fn value_of<'a>(
    entries: &'a [CustomFieldEntry],
    field: &CustomFieldRef,
) -> Option<&'a CustomFieldValue> {
    entries
        .iter()
        .find(|entry| entry.field == *field)
        .and_then(|entry| entry.value.as_ref())
}

/// The same labels and values.
fn same_list(a: &[ContactValue], b: &[ContactValue], key: Key, spelling: Spelling) -> bool {
    match spelling {
        Spelling::Exact => a == b,
        Spelling::Any => {
            let mut rest: Vec<_> = b.iter().collect();
            a.len() == b.len()
                && a.iter().all(|a| {
                    let is_a = |b: &&ContactValue| {
                        a.name.trim() == b.name.trim() && same(&a.value, &b.value, key)
                    };
                    let place = rest.iter().position(is_a);
                    place.map(|place| rest.swap_remove(place)).is_some()
                })
        }
    }
}

fn same_value(
    a: Option<&CustomFieldValue>,
    b: Option<&CustomFieldValue>,
    spelling: Spelling,
) -> bool {
    let instant = |value: Option<&CustomFieldValue>| match value {
        Some(CustomFieldValue::Text(text)) => DateTime::parse_from_rfc3339(text).ok(),
        _ => None,
    };
    if a == b || matches!(spelling, Spelling::Exact) {
        return a == b;
    }
    match (a, b, instant(a), instant(b)) {
        (.., Some(a), Some(b)) => a == b,
        (Some(CustomFieldValue::Number(a)), Some(CustomFieldValue::Number(b)), ..) => {
            a.as_f64() == b.as_f64()
        }
        (Some(CustomFieldValue::Text(a)), Some(CustomFieldValue::Text(b)), ..) => {
            a.trim() == b.trim()
        }
        _ => false,
    }
}

/// Same in the common form, or letter by letter where there is none.
pub(super) fn same(a: &str, b: &str, key: Key) -> bool {
    match (key(a), key(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.trim() == b.trim(),
    }
}
