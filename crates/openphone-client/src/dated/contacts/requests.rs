//! What is asked of contacts.

use connector_http::{Patch, masked_debug, setters};
use serde::Serialize;
use url::Url;

use super::models::PropertyType;
use crate::check::Check;
use crate::custom_fields::CustomFieldValue;
use crate::dated::page::MAX_LIMIT;
use crate::dated::query::{check_limit, check_values};
use crate::ids::UserId;

/// How many values a filter takes.
const MAX_VALUES: usize = 50;
const MAX_SOURCE_URL: usize = 200;
const MAX_NOTE: usize = 2000;

/// A contact to be made. Phone numbers and e-mail addresses are added to it as
/// [properties](super::ContactProperties::create).
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewContact {
    /// The first name. The vendor wants it.
    pub first_name: String,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The company's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The role at the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Your id of this person. The vendor does not keep it unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Where the contact comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A link to your record of this person, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// The user in whose name the contact is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
}

masked_debug!(NewContact {
    shown: [source, actor_id],
    masked: [
        first_name,
        last_name,
        company,
        role,
        external_id,
        source_url
    ],
});

impl NewContact {
    /// Starts a contact with a first name.
    pub fn new(first_name: impl Into<String>) -> Self {
        Self {
            first_name: first_name.into(),
            last_name: None,
            company: None,
            role: None,
            external_id: None,
            source: None,
            source_url: None,
            actor_id: None,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_texts(
            &mut check,
            self.external_id.as_deref(),
            self.source.as_deref(),
            self.source_url.as_deref(),
        );
        if let Some(user) = &self.actor_id {
            check.id(user.as_str(), "/actorId");
        }
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
    actor_id: Option<UserId>,
} }

/// What to change of a contact. What is not set stays as it is, other than in API v1.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactPatch {
    /// The first name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub first_name: Patch<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub last_name: Patch<String>,
    /// The company's name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// The role at the company.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub role: Patch<String>,
    /// Your id of this person.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub external_id: Patch<String>,
    /// Where the contact comes from.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub source: Patch<String>,
    /// A link to your record of this person, 1 to 200 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub source_url: Patch<String>,
}

masked_debug!(ContactPatch {
    shown: [source],
    masked: [
        first_name,
        last_name,
        company,
        role,
        external_id,
        source_url
    ],
});

impl ContactPatch {
    /// Changes nothing yet, which is refused.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(*self != Self::default(), "", "must change something");
        let text = |patch: &'_ Patch<String>| patch.set().cloned();
        check_texts(
            &mut check,
            text(&self.external_id).as_deref(),
            text(&self.source).as_deref(),
            text(&self.source_url).as_deref(),
        );
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
    /// Sets your id of this person.
    external_id: Patch<String> | clear_external_id,
    /// Sets where the contact comes from.
    source: Patch<String> | clear_source,
    /// Sets the link to your record of this person.
    source_url: Patch<String> | clear_source_url,
} }

/// Which contacts to list: all, unless told otherwise. Neither API can search by name, number or address.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListContacts {
    /// Only those with one of these ids of yours: 50 at most.
    pub external_ids: Vec<String>,
    /// Only those from one of these sources: 50 at most.
    pub sources: Vec<String>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

masked_debug!(ListContacts {
    shown: [sources, limit],
    masked: [external_ids],
});

impl ListContacts {
    /// Asks for all contacts.
    pub fn new() -> Self {
        Self {
            external_ids: Vec::new(),
            sources: Vec::new(),
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        for (values, path) in [
            (&self.external_ids, "/externalId"),
            (&self.sources, "/source"),
        ] {
            let count = values.len() <= MAX_VALUES;
            check.require(count, path, "must have at most 50 values");
            check_values(&mut check, values, path);
        }
        check
    }
}

setters! { ListContacts {
    /// Asks for those with one of these ids of yours.
    external_ids: Vec<String>,
    /// Asks for those from one of these sources.
    sources: Vec<String>,
    /// Sets how many contacts a page holds.
    limit: u32,
} }

impl Default for ListContacts {
    fn default() -> Self {
        Self::new()
    }
}

/// A property to be added to a contact.
///
/// ```
/// use openphone_client::dated::{NewProperty, PropertyType};
///
/// let mobile = NewProperty::new(PropertyType::PhoneNumber, "+12025550143").name("Mobile");
/// # drop(mobile);
/// ```
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NewProperty {
    /// What kind of value it holds.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// Its label, or the name of the custom field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value.
    pub value: CustomFieldValue,
}

masked_debug!(NewProperty {
    shown: [kind, value],
    masked: [name]
});

impl NewProperty {
    /// Describes a property without a label.
    pub fn new(kind: PropertyType, value: impl Into<CustomFieldValue>) -> Self {
        Self {
            kind,
            name: None,
            value: value.into(),
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.id(self.kind.as_str(), "/type");
        check
    }
}

setters! { NewProperty {
    /// Sets its label.
    name: Option<String>,
} }

/// What to change of a property. What is not set stays as it is.
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PropertyPatch {
    /// Its label.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<CustomFieldValue>,
}

masked_debug!(PropertyPatch {
    shown: [value],
    masked: [name]
});

impl PropertyPatch {
    /// Changes nothing yet, which is refused.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(*self != Self::default(), "", "must change something");
        check
    }
}

setters! { PropertyPatch {
    /// Sets its label.
    name: Patch<String> | clear_name,
    /// Sets the value.
    value: Option<CustomFieldValue>,
} }

/// Which properties of a contact to list: all, unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProperties {
    /// Only those of this kind.
    pub kind: Option<PropertyType>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

impl ListProperties {
    /// Asks for all properties.
    pub fn new() -> Self {
        Self {
            kind: None,
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        if let Some(kind) = &self.kind {
            check.id(kind.as_str(), "/type");
        }
        check
    }
}

setters! { ListProperties {
    /// Asks for those of this kind.
    kind: Option<PropertyType>,
    /// Sets how many properties a page holds.
    limit: u32,
} }

impl Default for ListProperties {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a note.
pub(super) fn check_note(text: &str) -> Check {
    let mut check = Check::new();
    check.text(text, MAX_NOTE, "/text");
    check
}

fn check_texts(
    check: &mut Check,
    external_id: Option<&str>,
    source: Option<&str>,
    source_url: Option<&str>,
) {
    for (text, path) in [(external_id, "/externalId"), (source, "/source")] {
        if let Some(text) = text {
            check.id(text, path);
        }
    }
    if let Some(url) = source_url {
        let holds = url.chars().count() <= MAX_SOURCE_URL && Url::parse(url).is_ok();
        let message = "must be an address of at most 200 characters";
        check.require(holds, "/sourceUrl", message);
    }
}
