//! What the vendor answers about companies.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{CompanyUid, ContactUid};
use crate::tolerant;
use crate::values::{Address, Role};

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
