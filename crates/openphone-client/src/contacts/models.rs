//! What the vendor answers about contacts.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::custom_fields::{CustomFieldType, CustomFieldValue};
use crate::ids::{ContactId, UserId};
use crate::page::null_as_default;

/// A contact of the workspace's address book.
///
/// A contact made over the API appears in the app only once there is a conversation with a matching
/// number, and is read-only there. There is no field for notes in API v1.
///
/// `Debug` prints the ids and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Contact {
    /// The vendor's id.
    pub id: ContactId,
    /// The id under which another system knows this person. Not unique.
    pub external_id: Option<String>,
    /// Where the contact came from: `public-api` unless the creator said otherwise, `None` for
    /// contacts made in the app.
    pub source: Option<String>,
    /// A link to the record in the system it came from.
    pub source_url: Option<String>,
    /// Name, company, role, e-mail addresses and phone numbers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub default_fields: DefaultFields,
    /// The fields this workspace has defined.
    #[serde(default, deserialize_with = "null_as_default")]
    pub custom_fields: Vec<ContactCustomField>,
    /// When the contact was made.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub updated_at: DateTime<Utc>,
    /// Who made it.
    pub created_by_user_id: Option<UserId>,
}

masked_debug!(Contact {
    shown: [
        id,
        source,
        default_fields,
        custom_fields,
        created_at,
        updated_at,
        created_by_user_id
    ],
    masked: [external_id, source_url],
});

/// The fields every contact has.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DefaultFields {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The role at the company.
    pub role: Option<String>,
    /// The e-mail addresses, in the vendor's order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub emails: Vec<ContactEmail>,
    /// The phone numbers, in the vendor's order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub phone_numbers: Vec<ContactPhoneNumber>,
}

masked_debug!(DefaultFields {
    shown: [],
    masked: [first_name, last_name, company, role, emails, phone_numbers],
});

/// An e-mail address of a contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactEmail {
    /// The vendor's id of this entry.
    pub id: Option<String>,
    /// Its label, like `work`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// The address.
    pub value: Option<String>,
}

masked_debug!(ContactEmail {
    shown: [id],
    masked: [name, value]
});

/// A phone number of a contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactPhoneNumber {
    /// The vendor's id of this entry.
    pub id: Option<String>,
    /// Its label, like `mobile`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// The number, as it was entered. The vendor does not promise E.164 here.
    pub value: Option<String>,
}

masked_debug!(ContactPhoneNumber {
    shown: [id],
    masked: [name, value]
});

/// A custom field as it stands on a contact.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactCustomField {
    /// The vendor's id of this entry.
    pub id: Option<String>,
    /// The key to write it by. The vendor does not promise it.
    pub key: Option<String>,
    /// The name shown in the app.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// What kind of value it holds.
    #[serde(rename = "type")]
    pub kind: CustomFieldType,
    /// The value; `None` when the field is empty.
    pub value: Option<CustomFieldValue>,
}

masked_debug!(ContactCustomField {
    shown: [id, key, kind],
    masked: [name, value]
});
