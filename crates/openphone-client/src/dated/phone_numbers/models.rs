//! What the vendor answers about phone numbers.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::ids::PhoneNumberId;
use crate::page::null_as_default;
use crate::phone_numbers::Restrictions;

/// A phone number of the workspace. Who answers it is read apart, with
/// [`PhoneNumbers::users`](super::PhoneNumbers::users).
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneNumber {
    /// The vendor's id.
    pub id: PhoneNumberId,
    /// The group the number belongs to.
    pub group_id: Option<String>,
    /// The name shown in the app.
    pub name: Option<String>,
    /// The number in E.164 form. API v1 calls it `number`.
    pub phone_number: String,
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
    /// When it was added.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Where it may call and text, if
    /// [`PhoneNumberPart::Restrictions`](super::PhoneNumberPart::Restrictions) was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<Restrictions>,
    /// When it is answered, if
    /// [`PhoneNumberPart::BusinessHours`](super::PhoneNumberPart::BusinessHours) was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,
}

masked_debug!(PhoneNumber {
    shown: [
        id,
        group_id,
        port_request_id,
        porting_status,
        created_at,
        updated_at,
        restrictions,
        business_hours,
    ],
    masked: [name, phone_number, formatted_number, forward, symbol],
});

/// When a number is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BusinessHours {
    /// Whether the hours below count; if not, it is answered always.
    #[serde(default, deserialize_with = "null_as_default")]
    pub enabled: bool,
    /// The time zone of the hours, like `America/New_York`.
    pub timezone: Option<String>,
    /// The hours of each day of the week.
    pub schedule: Option<WeekHours>,
}

/// The hours of each day of the week; `None` is a day without.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WeekHours {
    /// On Mondays.
    pub monday: Option<DayHours>,
    /// On Tuesdays.
    pub tuesday: Option<DayHours>,
    /// On Wednesdays.
    pub wednesday: Option<DayHours>,
    /// On Thursdays.
    pub thursday: Option<DayHours>,
    /// On Fridays.
    pub friday: Option<DayHours>,
    /// On Saturdays.
    pub saturday: Option<DayHours>,
    /// On Sundays.
    pub sunday: Option<DayHours>,
}

/// From when to when, in the time zone of the hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DayHours {
    /// The beginning as the vendor writes it: hour and minute in four digits, like `0900`.
    pub start: Option<String>,
    /// The end, likewise.
    pub end: Option<String>,
}
