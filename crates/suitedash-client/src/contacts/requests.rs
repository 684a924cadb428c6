//! What is sent about contacts.

use connector_http::{Patch, masked_debug, setters};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::check::Check;
use crate::ids::CustomFieldUid;
use crate::values::{Address, CompanyLink, Role};

/// A contact to be created.
///
/// The vendor wants a role and both names, and an e-mail address unless the role is [`Role::Lead`]. **A lead without
/// an e-mail address has no key**: each creation makes another record, and a creation that ended in doubt cannot be
/// looked up.
///
/// ```
/// use suitedash_client::{NewContact, Role};
///
/// let jane = NewContact::new(Role::Lead, "Jane", "Roe")
///     .email("jane@example.com")
///     .tags(["website"]);
/// assert!(!jane.send_welcome_email, "nobody is invited to a portal unasked");
/// ```
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NewContact {
    /// What the contact is to the account.
    pub role: Role,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The primary e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A title before the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_prefix: Option<String>,
    /// The private e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_email: Option<String>,
    /// The e-mail address at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_email: Option<String>,
    /// The phone number. The vendor documents no form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The private phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_phone: Option<String>,
    /// The phone number at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_phone: Option<String>,
    /// The phone number of the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shop_phone: Option<String>,
    /// The job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Free text: the only field for notes there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_info: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The tags' names. Whether unknown ones are created is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The company to link to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyLink>,
    /// Values of the account's own fields, by the field's uid.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub custom_fields: Map<String, Value>,
    /// Whether the vendor sends the person an invitation to the portal. Always sent, and `false` unless set: strangers
    /// who filled in a form did not ask for it.
    pub send_welcome_email: bool,
}

masked_debug!(NewContact {
    shown: [role, send_welcome_email],
    masked: [
        first_name,
        last_name,
        email,
        name_prefix,
        home_email,
        work_email,
        phone,
        home_phone,
        work_phone,
        shop_phone,
        title,
        website,
        background_info,
        address,
        tags,
        company,
        custom_fields,
    ],
});

impl NewContact {
    /// Starts a contact with what the vendor wants of every one.
    pub fn new(role: Role, first_name: impl Into<String>, last_name: impl Into<String>) -> Self {
        Self {
            role,
            first_name: first_name.into(),
            last_name: last_name.into(),
            email: None,
            name_prefix: None,
            home_email: None,
            work_email: None,
            phone: None,
            home_phone: None,
            work_phone: None,
            shop_phone: None,
            title: None,
            website: None,
            background_info: None,
            address: None,
            tags: Vec::new(),
            company: None,
            custom_fields: Map::new(),
            send_welcome_email: false,
        }
    }

    /// Adds the value of a custom field, by the field's uid. [`Attributes::custom_field`](crate::Attributes) has it by
    /// the field's name.
    #[must_use]
    pub fn custom_field(mut self, uid: &CustomFieldUid, value: impl Into<Value>) -> Self {
        let _before = self
            .custom_fields
            .insert(uid.as_str().to_owned(), value.into());
        self
    }

    /// The texts of one line and their names on the wire, those of [`ContactPatch`] alike.
    fn lines(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("name_prefix", self.name_prefix.as_deref()),
            ("phone", self.phone.as_deref()),
            ("home_phone", self.home_phone.as_deref()),
            ("work_phone", self.work_phone.as_deref()),
            ("shop_phone", self.shop_phone.as_deref()),
            ("title", self.title.as_deref()),
            ("website", self.website.as_deref()),
        ]
    }

    pub(crate) fn check(&self) -> Check {
        let mut check = Check::new();
        check_role(&mut check, &self.role);
        check.name(&self.first_name, "first_name");
        check.name(&self.last_name, "last_name");
        let emails = [
            ("email", &self.email),
            ("home_email", &self.home_email),
            ("work_email", &self.work_email),
        ];
        for (path, email) in emails {
            if let Some(email) = email {
                check.email(email, path);
            }
        }
        let without = self.email.is_some() || self.role == Role::Lead;
        check.require(without, "email", "must be given unless the role is Lead");
        for (path, line) in self.lines() {
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
        if let Some(company) = &self.company {
            check.name(&company.name, "company.name");
        }
        check.tags(&self.tags, "tags");
        check_custom_fields(&mut check, &self.custom_fields);
        check
    }
}

setters! { NewContact {
    /// Sets the primary e-mail address.
    email: Option<String>,
    /// Sets the title before the name.
    name_prefix: Option<String>,
    /// Sets the private e-mail address.
    home_email: Option<String>,
    /// Sets the e-mail address at work.
    work_email: Option<String>,
    /// Sets the phone number.
    phone: Option<String>,
    /// Sets the private phone number.
    home_phone: Option<String>,
    /// Sets the phone number at work.
    work_phone: Option<String>,
    /// Sets the phone number of the shop.
    shop_phone: Option<String>,
    /// Sets the job title.
    title: Option<String>,
    /// Sets the website.
    website: Option<String>,
    /// Sets the free text.
    background_info: Option<String>,
    /// Sets the address.
    address: Option<Address>,
    /// Sets the tags.
    tags: Vec<String>,
    /// Sets the company to link to.
    company: Option<CompanyLink>,
    /// Sets whether the person is invited to the portal.
    send_welcome_email: bool,
} }

/// Changes of a contact: what is not set is not sent.
///
/// One source says that only the fields sent are changed and that `null` clears one; another relies on neither. **Tags
/// and custom fields replace what is stored**: send all of them, or use
/// [`attach_tags`](crate::Contacts::attach_tags). There is no role here: no source shows a role changed this way.
/// `send_welcome_email` alone is always sent, and `false` unless set.
///
/// ```
/// use suitedash_client::ContactPatch;
///
/// let patch = ContactPatch::new().phone("+15550100").clear_website();
/// assert_eq!(
///     serde_json::to_value(&patch)?,
///     serde_json::json!({"phone": "+15550100", "website": null, "send_welcome_email": false}),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ContactPatch {
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The new primary e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The title before the name.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub name_prefix: Patch<String>,
    /// The private e-mail address.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub home_email: Patch<String>,
    /// The e-mail address at work.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub work_email: Patch<String>,
    /// The phone number.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// The private phone number.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub home_phone: Patch<String>,
    /// The phone number at work.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub work_phone: Patch<String>,
    /// The phone number of the shop.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub shop_phone: Patch<String>,
    /// The job title.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub title: Patch<String>,
    /// The website.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub website: Patch<String>,
    /// The free text, in place of what is stored.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub background_info: Patch<String>,
    /// The address, in place of what is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// All tags the contact shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The company to link to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyLink>,
    /// All custom values the contact shall have, by the field's uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<Map<String, Value>>,
    /// Whether the vendor sends the invitation to the portal, if it never did. Its own default is not known.
    pub send_welcome_email: bool,
}

masked_debug!(ContactPatch {
    shown: [send_welcome_email],
    masked: [
        first_name,
        last_name,
        email,
        name_prefix,
        home_email,
        work_email,
        phone,
        home_phone,
        work_phone,
        shop_phone,
        title,
        website,
        background_info,
        address,
        tags,
        company,
        custom_fields,
    ],
});

impl ContactPatch {
    /// Starts with no change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells whether nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(!self.is_empty(), "", "must change something");
        for (path, name) in [
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
        ] {
            if let Some(name) = name {
                check.name(name, path);
            }
        }
        let emails = [
            ("email", self.email.as_ref()),
            ("home_email", self.home_email.set()),
            ("work_email", self.work_email.set()),
        ];
        for (path, email) in emails {
            if let Some(email) = email {
                check.email(email, path);
            }
        }
        let lines = [
            ("name_prefix", &self.name_prefix),
            ("phone", &self.phone),
            ("home_phone", &self.home_phone),
            ("work_phone", &self.work_phone),
            ("shop_phone", &self.shop_phone),
            ("title", &self.title),
            ("website", &self.website),
        ];
        for (path, line) in lines {
            if let Some(line) = line.set() {
                check.line(line, path);
            }
        }
        if let Some(text) = self.background_info.set() {
            check.text(text, "background_info");
        }
        if let Some(address) = &self.address {
            address.check(&mut check);
        }
        if let Some(company) = &self.company {
            check.name(&company.name, "company.name");
        }
        check.tags(self.tags.as_deref().unwrap_or_default(), "tags");
        if let Some(fields) = &self.custom_fields {
            check_custom_fields(&mut check, fields);
        }
        check
    }
}

setters! { ContactPatch {
    /// Sets the first name.
    first_name: Option<String>,
    /// Sets the last name.
    last_name: Option<String>,
    /// Sets the new primary e-mail address.
    email: Option<String>,
    /// Sets the title before the name.
    name_prefix: Patch<String> | clear_name_prefix,
    /// Sets the private e-mail address.
    home_email: Patch<String> | clear_home_email,
    /// Sets the e-mail address at work.
    work_email: Patch<String> | clear_work_email,
    /// Sets the phone number.
    phone: Patch<String> | clear_phone,
    /// Sets the private phone number.
    home_phone: Patch<String> | clear_home_phone,
    /// Sets the phone number at work.
    work_phone: Patch<String> | clear_work_phone,
    /// Sets the phone number of the shop.
    shop_phone: Patch<String> | clear_shop_phone,
    /// Sets the job title.
    title: Patch<String> | clear_title,
    /// Sets the website.
    website: Patch<String> | clear_website,
    /// Sets the free text.
    background_info: Patch<String> | clear_background_info,
    /// Sets the address.
    address: Option<Address>,
    /// Sets all tags.
    tags: Option<Vec<String>>,
    /// Sets the company to link to.
    company: Option<CompanyLink>,
    /// Sets all custom values.
    custom_fields: Option<Map<String, Value>>,
    /// Sets whether the person is invited to the portal.
    send_welcome_email: bool,
} }

pub(crate) fn check_role(check: &mut Check, role: &Role) {
    let known = role.rank().is_some();
    check.require(known, "role", "must be Lead, Prospect or Client");
}

pub(crate) fn check_custom_fields(check: &mut Check, fields: &Map<String, Value>) {
    for (n, (uid, value)) in fields.iter().enumerate() {
        let path = format!("custom_fields.{n}");
        check.name(uid, &path);
        check.value(value, &path);
    }
}
