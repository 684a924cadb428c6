//! The companies of the account.

use chrono::{DateTime, Utc};
use connector_http::{Call, Paginator, Patch, setters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::Check;
use crate::client::Client;
use crate::contacts::{check_custom_fields, check_role, strange_cursor};
use crate::ids::{CompanyUid, ContactUid};
use crate::masked::masked_debug;
use crate::meta::Attributes;
use crate::page::{ListPage, ListQuery, MAX_PAGES, Step};
use crate::reply::Reply;
use crate::tolerant;
use crate::values::{Address, Role};

connector_http::endpoints! {
    /// Describes the attributes of this account's companies.
    META = "companies.meta": GET "/company/meta", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Lists companies.
    LIST = "companies.list": GET "/companies", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Creates a company.
    CREATE = "companies.create": POST "/company", NotIdempotent, DEFAULT, [201],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Reads a company, by uid or exact name.
    GET = "companies.get": GET "/company/{identifier}", Idempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
    /// Changes a company. Not repeated, for the reasons of a contact's update.
    UPDATE = "companies.update": PUT "/company/{identifier}", NotIdempotent, DEFAULT, [200],
        "https://app.suitedash.com/secure-api/swagger (from a public conversion, read 2026-11-21)";
}

/// The companies. From [`Client::companies`].
///
/// ```
/// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
/// use suitedash_client::{NewCompany, Role};
///
/// let company = NewCompany::new("Example GmbH", Role::Lead);
/// let created = client.companies().create(&company).await?;
/// println!("{}", created.uid);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Companies<'a> {
    client: &'a Client,
}

impl<'a> Companies<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a company. One call, never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent or with status 422; else the usual ones of a write.
    pub fn create(&self, company: &NewCompany) -> Call<Company> {
        let request = self.client.http().request(&CREATE).json(company);
        company
            .check()
            .guard(request, CREATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Reads a company by its uid.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; else the usual ones of a read.
    pub fn get(&self, uid: &CompanyUid) -> Call<Company> {
        self.client
            .http()
            .request(&GET)
            .path("identifier", uid)
            .fetch_map(Reply::into_data)
    }

    /// Reads a company by its exact name. Compare the name of the answer: the account may match by likeness.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a name with a slash or backslash, which servers take
    /// apart in a path however it is encoded: use the uid. Else those of [`get`](Self::get).
    pub fn get_by_name(&self, name: &str) -> Call<Company> {
        let mut check = Check::new();
        check.name(name, "name");
        let whole = !name.contains(['/', '\\']);
        check.require(whole, "name", "must not contain a slash here: use the uid");
        let request = self.client.http().request(&GET).path("identifier", name);
        check.guard(request, GET.name).fetch_map(Reply::into_data)
    }

    /// Changes a company. One call; never repeated once its bytes have left.
    ///
    /// # Errors
    ///
    /// As for [a contact](crate::Contacts::update).
    pub fn update(&self, uid: &CompanyUid, patch: &CompanyPatch) -> Call<Company> {
        let request = self
            .client
            .http()
            .request(&UPDATE)
            .path("identifier", uid)
            .json(patch);
        patch
            .check()
            .guard(request, UPDATE.name)
            .fetch_map(Reply::into_data)
    }

    /// Lists companies, one call per ten of them. The vendor leaves out idle ones.
    ///
    /// # Errors
    ///
    /// As for [contacts](crate::Contacts::list).
    pub fn list(&self, query: &ListQuery) -> Paginator<Company> {
        let (client, query) = (self.client.clone(), query.clone());
        Paginator::new(move |token| {
            let Some(step) = Step::read(token) else {
                return Call::failed(strange_cursor(LIST.name));
            };
            client
                .companies()
                .list_page(&query, step.page)
                .map(move |page| step.turn(page, |company: &Company| company.uid.clone()))
        })
        .max_pages(MAX_PAGES)
    }

    /// Reads one page of the list, from 1.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub fn list_page(&self, query: &ListQuery, page: u64) -> Call<ListPage<Company>> {
        let request = query.apply(self.client.http().request(&LIST), page);
        query
            .check()
            .guard(request, LIST.name)
            .fetch_map(|reply: Reply<Vec<Company>>| reply.into())
    }

    /// Reads the attributes of this account's companies. Not remembered: each is a call of the month.
    ///
    /// # Errors
    ///
    /// The usual ones of a read.
    pub fn meta(&self) -> Call<Attributes> {
        self.client
            .http()
            .request(&META)
            .fetch_map(Reply::into_data)
    }
}

/// A company of the account's CRM. `Debug` masks what may be personal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Company {
    /// The vendor's id.
    pub uid: CompanyUid,
    /// What the company is to the account.
    #[serde(default)]
    pub role: Option<Role>,
    /// The name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    /// The phone number.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub phone: Option<String>,
    /// A private phone number.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub home_phone: Option<String>,
    /// A phone number at work.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub work_phone: Option<String>,
    /// A phone number of the shop.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub shop_phone: Option<String>,
    /// The address as one text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub full_address: Option<String>,
    /// The address in its parts.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub address: Option<Address>,
    /// The website.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub website: Option<String>,
    /// Free text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub background_info: Option<String>,
    /// The person in charge.
    #[serde(
        default,
        rename = "primaryContact",
        deserialize_with = "tolerant::optional"
    )]
    pub primary_contact: Option<CompanyContact>,
    /// The category. Contacts have none.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub category: Option<Category>,
    /// The tags' names.
    #[serde(default, deserialize_with = "tolerant::names")]
    pub tags: Vec<String>,
    /// The values of the account's own fields, by the field's uid.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub custom_fields: Map<String, Value>,
    /// When the company was created; `None` if the vendor's form of it is not understood.
    #[serde(default, deserialize_with = "tolerant::time")]
    pub created: Option<DateTime<Utc>>,
}

masked_debug!(Company {
    shown: [uid, role, category, created],
    masked: [
        name,
        phone,
        home_phone,
        work_phone,
        shop_phone,
        full_address,
        address,
        website,
        background_info,
        primary_contact,
        tags,
        custom_fields,
    ],
});

/// The person in charge of a company, as the company's record tells it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompanyContact {
    /// The contact's uid.
    #[serde(default)]
    pub uid: Option<ContactUid>,
    /// The first name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub last_name: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub email: Option<String>,
}

masked_debug!(CompanyContact {
    shown: [uid],
    masked: [first_name, last_name, email],
});

/// The category of a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Category {
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
    /// Its colour.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub color: Option<String>,
    /// Whether companies without another belong to it.
    #[serde(default, rename = "isDefault", deserialize_with = "tolerant::flag")]
    pub is_default: Option<bool>,
}

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

    fn check(&self) -> Check {
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

    fn check(&self) -> Check {
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
