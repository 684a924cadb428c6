//! What the vendor answers about contacts.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::custom_fields::CustomFieldValue;
use crate::dated::ids::{ContactNoteId, ContactPropertyId};
use crate::ids::{ContactId, UserId};
use crate::page::null_as_default;

/// A contact of the workspace's address book. Its phone numbers, e-mail addresses and custom values are
/// [properties](ContactProperty), which are read apart.
///
/// `Debug` prints ids, source and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// The vendor's id. It is the same in API v1.
    pub id: ContactId,
    /// The id under which another system knows this person. Not unique.
    pub external_id: Option<String>,
    /// Where the contact came from.
    pub source: Option<String>,
    /// A link to the record in the system it came from.
    pub source_url: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The role at the company.
    pub role: Option<String>,
    /// When the contact was made.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub updated_at: DateTime<Utc>,
    /// The user, or automatic actor, who made it.
    pub actor_id: Option<UserId>,
}

masked_debug!(Contact {
    shown: [id, source, created_at, updated_at, actor_id],
    masked: [
        external_id,
        source_url,
        first_name,
        last_name,
        company,
        role
    ],
});

/// With whom a contact is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactShare {
    /// The contact.
    pub contact_id: ContactId,
    /// The id of a user (`US…`), a group (`GR…`) or the whole workspace (`OR…`).
    pub shared_with: String,
    /// Since when.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
}

/// A note on a contact.
///
/// `Debug` prints ids and times; of text and files only whether they are there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactNote {
    /// The vendor's id.
    pub id: ContactNoteId,
    /// What it says.
    #[serde(default, deserialize_with = "null_as_default")]
    pub text: String,
    /// Pictures and other files. They can be added in the app only.
    #[serde(default, deserialize_with = "null_as_default")]
    pub media: Vec<NoteMedia>,
    /// When it was written.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Who wrote it.
    pub actor_id: Option<UserId>,
}

masked_debug!(ContactNote {
    shown: [id, created_at, updated_at, actor_id],
    masked: [text, media],
});

/// A file of a note.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoteMedia {
    /// Where it lies.
    pub url: Option<String>,
    /// Its media type, like `image/jpeg`.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

masked_debug!(NoteMedia {
    shown: [media_type],
    masked: [url, name]
});

/// A property of a contact: a phone number, an e-mail address, the value of a custom field.
///
/// `Debug` prints id, type and times; of name and value only whether they are there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactProperty {
    /// The vendor's id.
    pub id: ContactPropertyId,
    /// What kind of value it holds.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// Its label, like `Mobile`, or the name of the custom field.
    pub name: Option<String>,
    /// The value.
    pub value: Option<CustomFieldValue>,
    /// When it was added.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(ContactProperty {
    shown: [id, kind, created_at, updated_at],
    masked: [name, value],
});

connector_http::open_enum! {
    /// What kind of value a property holds. The vendor gives examples and no list.
    pub enum PropertyType {
        /// A phone number.
        PhoneNumber = "phone-number",
        /// An e-mail address.
        Email = "email",
        /// A text.
        String = "string",
        /// A point in time.
        Date = "date",
        /// Yes or no.
        Boolean = "boolean",
        /// A number.
        Number = "number",
    }
}
