//! The new state of a contact, since API v1 replaces what it is told to change.

use connector_http::{Patch, masked_debug, setters};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::models::Contact;
use super::requests::{
    ContactValue, CustomFieldEntry, MAX_EXTERNAL_ID, MAX_SOURCE, check_custom_fields, check_source,
    check_source_url, is_reserved_source,
};
use crate::check::Check;

/// The new state of a contact: **the vendor deletes what this leaves out**.
///
/// API v1 calls the operation PATCH and replaces the contact. Lists are therefore always sent: an
/// empty [`emails`](Self::emails) deletes every address. Names and texts left at
/// [`Patch::Keep`] are not sent; an omitted `externalId` or `source` has been reported wiped.
///
/// To change one thing, use [`Contacts::update_merged`](crate::Contacts::update_merged), which reads
/// first. To build the state by hand, start from what is there:
///
/// ```
/// use openphone_client::{Contact, ContactPatch};
///
/// fn promote(contact: &Contact) -> ContactPatch {
///     ContactPatch::keeping(contact).role("Head of Sales")
/// }
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ContactPatch {
    /// The first name.
    pub first_name: Patch<String>,
    /// The last name.
    pub last_name: Patch<String>,
    /// The company's name.
    pub company: Patch<String>,
    /// The role. An empty text, which the vendor would ignore, is refused; [`Patch::Clear`] clears it.
    pub role: Patch<String>,
    /// All e-mail addresses the contact shall have.
    pub emails: Vec<ContactValue>,
    /// All phone numbers the contact shall have.
    pub phone_numbers: Vec<ContactValue>,
    /// All custom values the contact shall have.
    pub custom_fields: Vec<CustomFieldEntry>,
    /// Your id of this person, 1 to 75 characters.
    pub external_id: Patch<String>,
    /// Where the contact comes from, 1 to 75 characters. A reserved source is refused.
    pub source: Patch<String>,
    /// A link to your record of this person, 1 to 200 characters.
    pub source_url: Patch<String>,
}

masked_debug!(ContactPatch {
    shown: [source],
    masked: [
        first_name,
        last_name,
        company,
        role,
        emails,
        phone_numbers,
        custom_fields,
        external_id,
        source_url,
    ],
});

impl ContactPatch {
    /// Starts with nothing: as it stands, it would delete every address, number and custom value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with all a contact holds, so that sending it back changes nothing.
    ///
    /// Four things cannot be sent back: the ids of entries (refused), entries without a value (as
    /// good as absent), custom values that came without key and id (there is nothing to send them
    /// by), and a reserved [`source`](Contact::source) (refused). Whether the vendor wipes a reserved
    /// source that is left out is not known.
    pub fn keeping(contact: &Contact) -> Self {
        let fields = &contact.default_fields;
        Self {
            first_name: keep(fields.first_name.as_deref()),
            last_name: keep(fields.last_name.as_deref()),
            company: keep(fields.company.as_deref()),
            role: keep(fields.role.as_deref()),
            emails: fields
                .emails
                .iter()
                .filter_map(ContactValue::from_email)
                .collect(),
            phone_numbers: fields
                .phone_numbers
                .iter()
                .filter_map(ContactValue::from_phone_number)
                .collect(),
            custom_fields: contact
                .custom_fields
                .iter()
                .filter_map(CustomFieldEntry::from_field)
                .collect(),
            external_id: keep(contact.external_id.as_deref()),
            source: keep(
                contact
                    .source
                    .as_deref()
                    .filter(|source| !is_reserved_source(source)),
            ),
            source_url: keep(contact.source_url.as_deref()),
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        if let Patch::Set(role) = &self.role {
            let message = "is ignored by the vendor when it is empty: clear it";
            check.require(!role.is_empty(), "/defaultFields/role", message);
        }
        if let Patch::Set(id) = &self.external_id {
            check.text(id, MAX_EXTERNAL_ID, "/externalId");
        }
        if let Patch::Set(source) = &self.source {
            check_source(&mut check, source, MAX_SOURCE);
        }
        if let Patch::Set(url) = &self.source_url {
            check_source_url(&mut check, url);
        }
        check_custom_fields(&mut check, &self.custom_fields);
        check
    }
}

setters! { ContactPatch {
    /// Sets the first name.
    first_name: Patch<String> | clear_first_name,
    /// Sets the last name.
    last_name: Patch<String> | clear_last_name,
    /// Sets the company's name.
    company: Patch<String> | clear_company,
    /// Sets the role at the company.
    role: Patch<String> | clear_role,
    /// Sets all e-mail addresses.
    emails: Vec<ContactValue>,
    /// Sets all phone numbers.
    phone_numbers: Vec<ContactValue>,
    /// Sets all custom values.
    custom_fields: Vec<CustomFieldEntry>,
    /// Sets your id of this person.
    external_id: Patch<String> | clear_external_id,
    /// Sets where the contact comes from.
    source: Patch<String> | clear_source,
    /// Sets the link to your record of this person.
    source_url: Patch<String> | clear_source_url,
} }

impl Serialize for ContactPatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("defaultFields", &PatchDefaultFields(self))?;
        map.serialize_entry("customFields", &self.custom_fields)?;
        entry(&mut map, "source", &self.source)?;
        entry(&mut map, "sourceUrl", &self.source_url)?;
        entry(&mut map, "externalId", &self.external_id)?;
        map.end()
    }
}

struct PatchDefaultFields<'a>(&'a ContactPatch);

impl Serialize for PatchDefaultFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let patch = self.0;
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "firstName", &patch.first_name)?;
        entry(&mut map, "lastName", &patch.last_name)?;
        entry(&mut map, "company", &patch.company)?;
        entry(&mut map, "role", &patch.role)?;
        map.serialize_entry("emails", &patch.emails)?;
        map.serialize_entry("phoneNumbers", &patch.phone_numbers)?;
        map.end()
    }
}

/// Absent, null or the text.
fn entry<M: SerializeMap>(map: &mut M, key: &str, patch: &Patch<String>) -> Result<(), M::Error> {
    match patch {
        Patch::Set(text) => map.serialize_entry(key, text),
        Patch::Clear => map.serialize_entry(key, &()),
        Patch::Keep => Ok(()),
    }
}

/// What is there is sent again; what is not there need not be sent.
fn keep(text: Option<&str>) -> Patch<String> {
    match text {
        Some(text) if !text.is_empty() => Patch::Set(text.to_owned()),
        _ => Patch::Keep,
    }
}
