//! What is sent about contacts.

use connector_http::{masked_debug, setters};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use url::Url;

use super::models::{ContactCustomField, ContactEmail, ContactPhoneNumber};
use crate::check::Check;
use crate::custom_fields::CustomFieldValue;
use crate::ids::UserId;

/// The vendor's largest page of contacts.
pub(super) const MAX_RESULTS: u32 = 50;
/// The vendor's limit for an external id.
pub(super) const MAX_EXTERNAL_ID: usize = 75;
const MAX_NEW_SOURCE: usize = 72;
pub(super) const MAX_SOURCE: usize = 75;
const MAX_SOURCE_URL: usize = 200;

/// Sources the vendor keeps for itself, and refuses from anyone else.
const RESERVED_SOURCES: [&str; 6] = [
    "openphone",
    "device",
    "csv",
    "zapier",
    "google-people",
    "other",
];
const RESERVED_SOURCE_PREFIXES: [&str; 2] = ["openphone", "csv"];

/// Tells whether the vendor refuses this source in a request.
pub(super) fn is_reserved_source(source: &str) -> bool {
    let source = source.trim().to_ascii_lowercase();
    RESERVED_SOURCES.contains(&source.as_str())
        || RESERVED_SOURCE_PREFIXES
            .iter()
            .any(|prefix| source.starts_with(prefix))
}

/// A contact to be made.
///
/// Give it an [`external_id`](Self::external_id): it is the only thing a contact can be found by
/// afterwards, and without it a creation that ended in doubt cannot be looked up.
///
/// ```
/// use openphone_client::NewContact;
///
/// let ana = NewContact::new("Ana")
///     .last_name("Example")
///     .company("Example GmbH")
///     .email("work", "ana@example.com")
///     .phone_number("mobile", "+12025550143")
///     .custom_field("inbound-lead", true)
///     .external_id("user-42");
/// assert_eq!(ana.emails.len(), 1);
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct NewContact {
    /// The first name. The vendor wants the key and takes `null`.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The role at the company.
    pub role: Option<String>,
    /// The e-mail addresses.
    pub emails: Vec<ContactValue>,
    /// The phone numbers, best in E.164 form: the app matches conversations by it.
    pub phone_numbers: Vec<ContactValue>,
    /// Values for the fields this workspace has defined.
    pub custom_fields: Vec<CustomFieldEntry>,
    /// Your id of this person, 1 to 75 characters. The vendor does not keep it unique.
    pub external_id: Option<String>,
    /// Where the contact comes from, 1 to 72 characters; the vendor's default is `public-api`.
    /// `openphone…`, `csv…`, `device`, `zapier`, `google-people` and `other` are reserved.
    pub source: Option<String>,
    /// A link to your record of this person, 1 to 200 characters.
    pub source_url: Option<String>,
    /// The user in whose name the contact is made.
    pub created_by_user_id: Option<UserId>,
}

masked_debug!(NewContact {
    shown: [source, created_by_user_id],
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

impl NewContact {
    /// Starts a contact with a first name.
    pub fn new(first_name: impl Into<String>) -> Self {
        Self {
            first_name: Some(first_name.into()),
            ..Self::default()
        }
    }

    /// Starts a contact whose first name is not known, such as a company.
    pub fn unnamed() -> Self {
        Self::default()
    }

    /// Adds an e-mail address under a label.
    pub fn email(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.emails.push(ContactValue::new(name, value));
        self
    }

    /// Adds a phone number under a label.
    pub fn phone_number(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.phone_numbers.push(ContactValue::new(name, value));
        self
    }

    /// Adds the value of a custom field, by the field's key.
    pub fn custom_field(
        mut self,
        key: impl Into<String>,
        value: impl Into<CustomFieldValue>,
    ) -> Self {
        self.custom_fields
            .push(CustomFieldEntry::by_key(key, value));
        self
    }

    /// Tells whether a text can be a [`source`](Self::source).
    pub fn takes_source(text: &str) -> bool {
        let mut check = Check::new();
        check_source(&mut check, text, MAX_NEW_SOURCE);
        check.is_clean()
    }

    /// Tells whether a text can be a [`source_url`](Self::source_url).
    pub fn takes_source_url(text: &str) -> bool {
        let mut check = Check::new();
        check_source_url(&mut check, text);
        check.is_clean()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        if let Some(id) = &self.external_id {
            check.text(id, MAX_EXTERNAL_ID, "/externalId");
        }
        if let Some(source) = &self.source {
            check_source(&mut check, source, MAX_NEW_SOURCE);
        }
        if let Some(url) = &self.source_url {
            check_source_url(&mut check, url);
        }
        check_custom_fields(&mut check, &self.custom_fields);
        check
    }
}

setters! { NewContact {
    /// Sets the last name.
    last_name: Option<String>,
    /// Sets the company's name.
    company: Option<String>,
    /// Sets the role at the company.
    role: Option<String>,
    /// Sets your id of this person.
    external_id: Option<String>,
    /// Sets where the contact comes from.
    source: Option<String>,
    /// Sets the link to your record of this person.
    source_url: Option<String>,
    /// Sets the user in whose name the contact is made.
    created_by_user_id: Option<UserId>,
} }

impl Serialize for NewContact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("defaultFields", &NewDefaultFields(self))?;
        if !self.custom_fields.is_empty() {
            map.serialize_entry("customFields", &self.custom_fields)?;
        }
        let texts = [
            (
                "createdByUserId",
                self.created_by_user_id.as_ref().map(UserId::as_str),
            ),
            ("source", self.source.as_deref()),
            ("sourceUrl", self.source_url.as_deref()),
            ("externalId", self.external_id.as_deref()),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                map.serialize_entry(key, text)?;
            }
        }
        map.end()
    }
}

struct NewDefaultFields<'a>(&'a NewContact);

impl Serialize for NewDefaultFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let contact = self.0;
        let mut map = serializer.serialize_map(None)?;
        // Required by the vendor, also as null.
        map.serialize_entry("firstName", &contact.first_name)?;
        let texts = [
            ("lastName", &contact.last_name),
            ("company", &contact.company),
            ("role", &contact.role),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                map.serialize_entry(key, text)?;
            }
        }
        for (key, list) in [
            ("emails", &contact.emails),
            ("phoneNumbers", &contact.phone_numbers),
        ] {
            if !list.is_empty() {
                map.serialize_entry(key, list)?;
            }
        }
        map.end()
    }
}

/// An e-mail address or a phone number with its label, as it is sent.
///
/// It carries no id on purpose: sending an entry's id back is answered by some workspaces with
/// "Item with ID … does not match", and an entry without one is simply written.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContactValue {
    /// The label, like `work`.
    pub name: String,
    /// The address or number.
    pub value: String,
}

masked_debug!(ContactValue {
    shown: [],
    masked: [name, value]
});

impl ContactValue {
    /// Pairs a label and a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }

    /// An entry without a value is no entry: sent back as `null` it would be removed just the same.
    pub(super) fn from_email(email: &ContactEmail) -> Option<Self> {
        let value = email.value.as_ref().filter(|value| !value.is_empty())?;
        Some(Self::new(&email.name, value))
    }

    /// See [`from_email`](Self::from_email).
    pub(super) fn from_phone_number(number: &ContactPhoneNumber) -> Option<Self> {
        let value = number.value.as_ref().filter(|value| !value.is_empty())?;
        Some(Self::new(&number.name, value))
    }
}

/// The value of a custom field, as it is sent.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomFieldEntry {
    /// Which field.
    pub field: CustomFieldRef,
    /// The value; `None` empties the field.
    pub value: Option<CustomFieldValue>,
}

masked_debug!(CustomFieldEntry {
    shown: [field],
    masked: [value]
});

impl CustomFieldEntry {
    /// Sets a field, named by its key.
    pub fn by_key(key: impl Into<String>, value: impl Into<CustomFieldValue>) -> Self {
        Self {
            field: CustomFieldRef::Key(key.into()),
            value: Some(value.into()),
        }
    }

    /// What a contact holds, ready to be sent back. Empty fields need not be sent, and a field that
    /// has neither key nor id cannot be.
    pub(super) fn from_field(field: &ContactCustomField) -> Option<Self> {
        let reference = match (&field.key, &field.id) {
            (Some(key), _) => CustomFieldRef::Key(key.clone()),
            (None, Some(id)) => CustomFieldRef::Id(id.clone()),
            (None, None) => return None,
        };
        Some(Self {
            field: reference,
            value: Some(field.value.clone()?),
        })
    }
}

/// How a custom field is named in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CustomFieldRef {
    /// By the key of its definition: the usual way.
    Key(String),
    /// By the id of the entry on this contact, for entries the vendor answers without a key.
    Id(String),
}

impl Serialize for CustomFieldEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("CustomFieldEntry", 2)?;
        match &self.field {
            CustomFieldRef::Key(key) => entry.serialize_field("key", key)?,
            CustomFieldRef::Id(id) => entry.serialize_field("id", id)?,
        }
        entry.serialize_field("value", &self.value)?;
        entry.end()
    }
}

pub(super) fn check_source(check: &mut Check, source: &str, max: usize) {
    check.text(source, max, "/source");
    check.require(
        !is_reserved_source(source),
        "/source",
        "is reserved by the vendor",
    );
}

pub(super) fn check_source_url(check: &mut Check, url: &str) {
    check.text(url, MAX_SOURCE_URL, "/sourceUrl");
    check.require(
        Url::parse(url).is_ok(),
        "/sourceUrl",
        "must be an absolute URL",
    );
}

pub(super) fn check_custom_fields(check: &mut Check, entries: &[CustomFieldEntry]) {
    for (index, entry) in entries.iter().enumerate() {
        let (name, text) = match &entry.field {
            CustomFieldRef::Key(key) => ("key", key),
            CustomFieldRef::Id(id) => ("id", id),
        };
        let path = format!("/customFields/{index}/{name}");
        check.require(!text.trim().is_empty(), path, "must not be empty");
    }
}

/// Which contacts to list.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListContacts {
    /// Only contacts with one of these external ids, compared exactly. Empty means any.
    pub external_ids: Vec<String>,
    /// Only contacts from one of these sources, compared exactly. Empty means any.
    pub sources: Vec<String>,
    /// How many per page: 1 to 50, the default.
    pub max_results: u32,
}

masked_debug!(ListContacts {
    shown: [sources, max_results],
    masked: [external_ids]
});

impl ListContacts {
    /// Asks for every contact of the workspace.
    pub fn new() -> Self {
        Self {
            external_ids: Vec::new(),
            sources: Vec::new(),
            max_results: MAX_RESULTS,
        }
    }

    /// Adds an external id to look for.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_ids.push(id.into());
        self
    }

    /// Adds a source to look for.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.sources.push(source.into());
        self
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.page_size(self.max_results, MAX_RESULTS);
        for (index, id) in self.external_ids.iter().enumerate() {
            check.text(id, MAX_EXTERNAL_ID, format!("/externalIds/{index}"));
        }
        for (index, source) in self.sources.iter().enumerate() {
            check.text(source, MAX_SOURCE, format!("/sources/{index}"));
        }
        check
    }
}

setters! { ListContacts {
    /// Sets how many contacts a page holds.
    max_results: u32,
} }

impl Default for ListContacts {
    fn default() -> Self {
        Self::new()
    }
}
