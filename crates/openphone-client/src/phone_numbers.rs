//! The phone numbers of the workspace.

use chrono::{DateTime, Utc};
use connector_http::{Call, lenient, masked_debug, setters};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::ids::{PhoneNumberId, UserId};
use crate::page::{Data, null_as_default};
use crate::users::UserRole;

connector_http::endpoints! {
    /// Lists the numbers. Also the cheapest call that proves a key.
    LIST = "phone_numbers.list": GET "/v1/phone-numbers", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/phone-numbers/list-phone-numbers (read 2026-11-21)";
    /// Reads one number.
    GET = "phone_numbers.get": GET "/v1/phone-numbers/{phoneNumberId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/phone-numbers/get-a-phone-number-by-id (read 2026-11-21)";
}

/// The phone numbers of the workspace.
#[derive(Clone, Debug)]
pub struct PhoneNumbers<'a> {
    client: &'a Client,
}

impl<'a> PhoneNumbers<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the numbers. The list is not paged.
    ///
    /// # Errors
    ///
    /// The usual ones of a read: [`Auth`](crate::ErrorKind::Auth),
    /// [`RateLimited`](crate::ErrorKind::RateLimited), [`Server`](crate::ErrorKind::Server) and the
    /// kinds of a broken connection. Nothing can have changed at the vendor.
    pub fn list(&self, query: &ListPhoneNumbers) -> Call<Vec<PhoneNumber>> {
        self.client
            .http()
            .request(&LIST)
            .query_opt("userId", query.user_id.as_ref())
            .fetch_map(Data::into_inner)
    }

    /// Reads one number.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such number;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &PhoneNumberId) -> Call<PhoneNumber> {
        self.client
            .http()
            .request(&GET)
            .path("phoneNumberId", id)
            .fetch_map(Data::into_inner)
    }
}

/// Which phone numbers to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListPhoneNumbers {
    /// Only the numbers of this user.
    pub user_id: Option<UserId>,
}

impl ListPhoneNumbers {
    /// Asks for every number.
    pub fn new() -> Self {
        Self::default()
    }
}

setters! { ListPhoneNumbers {
    /// Asks for the numbers of one user.
    user_id: Option<UserId>,
} }

/// A phone number of the workspace.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneNumber {
    /// The vendor's id; [`NewMessage`](crate::NewMessage) takes it as the sender.
    pub id: PhoneNumberId,
    /// The group the number belongs to.
    pub group_id: Option<String>,
    /// The name shown in the app.
    pub name: Option<String>,
    /// The number in E.164 form.
    pub number: String,
    /// The number as people write it.
    pub formatted_number: Option<String>,
    /// Where calls are forwarded to.
    pub forward: Option<String>,
    /// The request that brings the number from another carrier.
    pub port_request_id: Option<String>,
    /// How far that is.
    pub porting_status: Option<String>,
    /// The emoji shown in the app.
    pub symbol: Option<String>,
    /// Who answers this number.
    #[serde(default, deserialize_with = "null_as_default")]
    pub users: Vec<PhoneNumberUser>,
    /// When it was added. The vendor promises no format here, and its own sample is malformed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Where it may call and text.
    pub restrictions: Option<Restrictions>,
}

masked_debug!(PhoneNumber {
    shown: [
        id,
        group_id,
        port_request_id,
        porting_status,
        users,
        created_at,
        updated_at,
        restrictions
    ],
    masked: [name, number, formatted_number, forward, symbol],
});

/// A user who answers a number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneNumberUser {
    /// The vendor's id.
    pub id: UserId,
    /// The e-mail address the user signs in with.
    pub email: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// What the user may do.
    pub role: UserRole,
    /// The group through which the user has this number.
    pub group_id: Option<String>,
}

masked_debug!(PhoneNumberUser {
    shown: [id, role, group_id],
    masked: [email, first_name, last_name],
});

/// Where a number may call and text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Restrictions {
    /// For calls.
    pub calling: RegionRestrictions,
    /// For text messages.
    pub messaging: RegionRestrictions,
}

/// The restriction per region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegionRestrictions {
    /// Within the United States.
    #[serde(rename = "US")]
    pub us: Restriction,
    /// Within Canada.
    #[serde(rename = "CA")]
    pub ca: Restriction,
    /// Everywhere else.
    #[serde(rename = "Intl")]
    pub international: Restriction,
}

connector_http::open_enum! {
    /// Whether a number may be used towards a region.
    pub enum Restriction {
        /// It may not.
        Restricted = "restricted",
        /// It may.
        Unrestricted = "unrestricted",
    }
}
