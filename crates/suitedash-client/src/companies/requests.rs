//! What is sent about companies.

use connector_http::{Patch, masked_debug, setters};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::check::Check;
use crate::contacts::{check_custom_fields, check_role};
use crate::values::{Address, Role};

/// A company to be created.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NewCompany {
    /// The name.
    pub name: String,
    /// What the company is to the account.
    pub role: Role,
    /// The person in charge.
    #[serde(rename = "primaryContact", skip_serializing_if = "Option::is_none")]
    pub primary_contact: Option<PrimaryContact>,
    /// The phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_info: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The tags' names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Values of the account's own fields, by the field's uid.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub custom_fields: Map<String, Value>,
}

masked_debug!(NewCompany {
    shown: [role],
    masked: [
        name,
        primary_contact,
        phone,
        website,
        background_info,
        address,
        tags,
        custom_fields,
    ],
});

impl NewCompany {
    /// Starts a company with what the vendor wants of every one.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            role,
            primary_contact: None,
            phone: None,
            website: None,
            background_info: None,
            address: None,
            tags: Vec::new(),
            custom_fields: Map::new(),
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.name(&self.name, "name");
        check_role(&mut check, &self.role);
        if let Some(person) = &self.primary_contact {
            person.check(&mut check);
        }
        for (path, line) in [("phone", &self.phone), ("website", &self.website)] {
            if let Some(line) = line {
                check.line(line, path);
            }
        }
        if let Some(text) = &self.background_info {
            check.text(text, "background_info");
        }
        if let Some(address) = &self.address {
            address.check(&mut check);
        }
        check.tags(&self.tags, "tags");
        check_custom_fields(&mut check, &self.custom_fields);
        check
    }
}

setters! { NewCompany {
    /// Sets the person in charge.
    primary_contact: Option<PrimaryContact>,
    /// Sets the phone number.
    phone: Option<String>,
    /// Sets the website.
    website: Option<String>,
    /// Sets the free text.
    background_info: Option<String>,
    /// Sets the address.
    address: Option<Address>,
    /// Sets the tags.
    tags: Vec<String>,
    /// Sets the values of the account's own fields.
    custom_fields: Map<String, Value>,
} }

/// The person in charge of a new company.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrimaryContact {
    /// The first name; wanted when the contact may be created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name; wanted when the contact may be created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// Whether the vendor sends the person an invitation to the portal. Always sent, and `false` unless set.
    pub send_welcome_email: bool,
    /// Whether the contact is created if there is none of that e-mail.
    pub create_primary_contact_if_not_exists: bool,
    /// Keeps the person from switching to "individual mode".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prevent_individual_mode: Option<bool>,
}

masked_debug!(PrimaryContact {
    shown: [
        send_welcome_email,
        create_primary_contact_if_not_exists,
        prevent_individual_mode
    ],
    masked: [first_name, last_name, email],
});

impl PrimaryContact {
    /// Names a contact that exists.
    pub fn existing(email: impl Into<String>) -> Self {
        Self {
            first_name: None,
            last_name: None,
            email: email.into(),
            send_welcome_email: false,
            create_primary_contact_if_not_exists: false,
            prevent_individual_mode: None,
        }
    }

    /// Names a contact that is created if there is none of that e-mail.
    pub fn create(
        first_name: impl Into<String>,
        last_name: impl Into<String>,
        email: impl Into<String>,
    ) -> Self {
        Self {
            first_name: Some(first_name.into()),
            last_name: Some(last_name.into()),
            create_primary_contact_if_not_exists: true,
            ..Self::existing(email)
        }
    }

    fn check(&self, check: &mut Check) {
        check.email(&self.email, "primaryContact.email");
        for (path, name) in [
            ("primaryContact.first_name", &self.first_name),
            ("primaryContact.last_name", &self.last_name),
        ] {
            if let Some(name) = name {
                check.name(name, path);
            } else {
                let unneeded = !self.create_primary_contact_if_not_exists;
                check.require(
                    unneeded,
                    path,
                    "must be given when the contact may be created",
                );
            }
        }
    }
}

setters! { PrimaryContact {
    /// Sets whether the person is invited to the portal.
    send_welcome_email: bool,
    /// Sets whether the person is kept from "individual mode".
    prevent_individual_mode: Option<bool>,
} }

/// Changes of a company: what is not set is not sent. **Tags replace what is stored.**
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CompanyPatch {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The website.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub website: Patch<String>,
    /// The phone number.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// The address as one text. One public client writes this, another the parts.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub full_address: Patch<String>,
    /// The address in its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// All tags the company shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The free text, in place of what is stored.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub background_info: Patch<String>,
}

masked_debug!(CompanyPatch {
    shown: [],
    masked: [
        name,
        website,
        phone,
        full_address,
        address,
        tags,
        background_info
    ],
});

impl CompanyPatch {
    /// Starts with no change.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(*self != Self::default(), "", "must change something");
        if let Some(name) = &self.name {
            check.name(name, "name");
        }
        for (path, line) in [("website", &self.website), ("phone", &self.phone)] {
            if let Some(line) = line.set() {
                check.line(line, path);
            }
        }
        for (path, text) in [
            ("full_address", &self.full_address),
            ("background_info", &self.background_info),
        ] {
            if let Some(text) = text.set() {
                check.text(text, path);
            }
        }
        if let Some(address) = &self.address {
            address.check(&mut check);
        }
        check.tags(self.tags.as_deref().unwrap_or_default(), "tags");
        check
    }
}

setters! { CompanyPatch {
    /// Sets the name.
    name: Option<String>,
    /// Sets the website.
    website: Patch<String> | clear_website,
    /// Sets the phone number.
    phone: Patch<String> | clear_phone,
    /// Sets the address as one text.
    full_address: Patch<String> | clear_full_address,
    /// Sets the address in its parts.
    address: Option<Address>,
    /// Sets all tags.
    tags: Option<Vec<String>>,
    /// Sets the free text.
    background_info: Patch<String> | clear_background_info,
} }
