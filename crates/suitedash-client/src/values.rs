//! Values that contacts and companies share.

use connector_http::{masked_debug, setters};
use serde::{Deserialize, Serialize};

use crate::tolerant;

connector_http::open_enum! {
    /// What a contact or a company is to the account. Written exactly so, with a capital.
    ///
    /// There is no record called "lead": a lead is a contact with [`Role::Lead`].
    pub enum Role {
        /// Somebody who has shown interest. The only role without an e-mail address.
        Lead = "Lead",
        /// Somebody who may buy.
        Prospect = "Prospect",
        /// A customer.
        Client = "Client",
    }
}

impl Role {
    /// The roles of which the vendor knows which is more; a role it may add later is of none.
    pub(crate) fn rank(&self) -> Option<u8> {
        match self {
            Self::Lead => Some(0),
            Self::Prospect => Some(1),
            Self::Client => Some(2),
            Self::Unknown(_) => None,
        }
    }
}

/// A postal address. `Debug` tells which parts are there.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Address {
    /// The first line.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_line_1: Option<String>,
    /// The second line.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub address_line_2: Option<String>,
    /// The city.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub city: Option<String>,
    /// The state.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub state: Option<String>,
    /// The country.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub country: Option<String>,
    /// The postal code.
    #[serde(
        default,
        deserialize_with = "tolerant::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub zip: Option<String>,
}

masked_debug!(Address {
    shown: [],
    masked: [address_line_1, address_line_2, city, state, country, zip],
});

impl Address {
    /// Starts an empty address.
    pub fn new() -> Self {
        Self::default()
    }

    /// The parts and their names.
    pub(crate) fn parts(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("address_line_1", self.address_line_1.as_deref()),
            ("address_line_2", self.address_line_2.as_deref()),
            ("city", self.city.as_deref()),
            ("state", self.state.as_deref()),
            ("country", self.country.as_deref()),
            ("zip", self.zip.as_deref()),
        ]
    }

    /// The parts in the same order, to be changed.
    pub(crate) fn parts_mut(&mut self) -> [&mut Option<String>; 6] {
        [
            &mut self.address_line_1,
            &mut self.address_line_2,
            &mut self.city,
            &mut self.state,
            &mut self.country,
            &mut self.zip,
        ]
    }

    pub(crate) fn check(&self, check: &mut crate::check::Check) {
        for (name, part) in self.parts() {
            if let Some(part) = part {
                check.line(part, &format!("address.{name}"));
            }
        }
    }
}

setters! { Address {
    /// Sets the first line.
    address_line_1: Option<String>,
    /// Sets the second line.
    address_line_2: Option<String>,
    /// Sets the city.
    city: Option<String>,
    /// Sets the state.
    state: Option<String>,
    /// Sets the country.
    country: Option<String>,
    /// Sets the postal code.
    zip: Option<String>,
} }

/// The company a contact is to be linked to, by its name.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CompanyLink {
    /// The company's exact name.
    pub name: String,
    /// Whether to create it if there is none of that name.
    pub create_company_if_not_exists: bool,
}

masked_debug!(CompanyLink {
    shown: [create_company_if_not_exists],
    masked: [name],
});

impl CompanyLink {
    /// Links to a company that exists.
    pub fn existing(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            create_company_if_not_exists: false,
        }
    }

    /// Links to a company, which is created if there is none of that name.
    pub fn create(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            create_company_if_not_exists: true,
        }
    }
}
