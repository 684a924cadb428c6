//! What the vendor answers about contacts.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{CompanyUid, ContactUid};
use crate::tolerant;
use crate::values::{Address, Role};

/// A contact of the account's CRM.
///
/// Fields the vendor left out and fields it left empty look alike here; empty texts are `None`. Whoever writes a list
/// back (tags and custom fields are replaced, not merged) should use
/// [`create_or_update`](crate::Contacts::create_or_update) or [`attach_tags`](crate::Contacts::attach_tags), which
/// tell the two apart.
///
/// `Debug` prints uid, role, state and time; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contact {
    /// The vendor's id.
    pub uid: ContactUid,
    /// What the contact is to the account.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether it is active.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub active: Option<bool>,
    /// A title before the name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name_prefix: Option<String>,
    /// The first name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub last_name: Option<String>,
    /// The primary e-mail address, by which a contact can be read.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub email: Option<String>,
    /// The private e-mail address.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub home_email: Option<String>,
    /// The e-mail address at work.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub work_email: Option<String>,
    /// The phone number, as it was entered.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub phone: Option<String>,
    /// The private phone number.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub home_phone: Option<String>,
    /// The phone number at work.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub work_phone: Option<String>,
    /// The phone number of the shop.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub shop_phone: Option<String>,
    /// The job title.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub title: Option<String>,
    /// The address as one text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub full_address: Option<String>,
    /// The address in its parts.
    #[serde(default, deserialize_with = "tolerant::optional")]
    pub address: Option<Address>,
    /// The website.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub website: Option<String>,
    /// Free text: the only field for notes there is.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub background_info: Option<String>,
    /// The tags' names.
    #[serde(default, deserialize_with = "tolerant::names")]
    pub tags: Vec<String>,
    /// The circles the contact belongs to.
    #[serde(default, deserialize_with = "tolerant::items")]
    pub circles: Vec<Circle>,
    /// The companies the contact belongs to.
    #[serde(default, deserialize_with = "tolerant::items")]
    pub companies: Vec<ContactCompany>,
    /// The values of the account's own fields, by the field's uid.
    #[serde(default, deserialize_with = "tolerant::object")]
    pub custom_fields: Map<String, Value>,
    /// When the contact was created; `None` if the vendor's form of it is not understood.
    #[serde(default, deserialize_with = "tolerant::time")]
    pub created: Option<DateTime<Utc>>,
}

masked_debug!(Contact {
    shown: [uid, role, active, created],
    masked: [
        name_prefix,
        first_name,
        last_name,
        email,
        home_email,
        work_email,
        phone,
        home_phone,
        work_phone,
        shop_phone,
        title,
        full_address,
        address,
        website,
        background_info,
        tags,
        circles,
        companies,
        custom_fields,
    ],
});

/// A circle a contact belongs to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Circle {
    /// Its name.
    pub name: String,
}

masked_debug!(Circle {
    shown: [],
    masked: [name]
});

/// A company a contact belongs to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContactCompany {
    /// Its uid.
    #[serde(default)]
    pub uid: Option<CompanyUid>,
    /// Its name.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: Option<String>,
}

masked_debug!(ContactCompany {
    shown: [uid],
    masked: [name]
});
