//! What is asked of phone numbers.

use connector_http::{masked_debug, setters};

use crate::check::{Check, is_e164};
use crate::dated::page::MAX_LIMIT;
use crate::dated::query::{check_limit, check_value, check_values};

connector_http::open_enum! {
    /// What can be answered along with a phone number.
    pub enum PhoneNumberPart {
        /// Where it may call and text.
        Restrictions = "restrictions",
        /// When it is answered. Only [`get`](super::PhoneNumbers::get) has it; lists do not.
        BusinessHours = "businessHours",
    }
}

/// Which phone numbers to list: all of the workspace, unless told otherwise.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListPhoneNumbers {
    /// Only this number, in E.164 form.
    pub phone_number: Option<String>,
    /// What to answer along with each number.
    pub include: Vec<PhoneNumberPart>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

masked_debug!(ListPhoneNumbers {
    shown: [include, limit],
    masked: [phone_number],
});

impl ListPhoneNumbers {
    /// Asks for all numbers.
    pub fn new() -> Self {
        Self {
            phone_number: None,
            include: Vec::new(),
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        check.require(
            self.phone_number.as_deref().is_none_or(is_e164),
            "/phoneNumber",
            "must be a number in E.164 form: a plus and 2 to 15 digits",
        );
        check_list_parts(&mut check, &self.include);
        check
    }
}

setters! { ListPhoneNumbers {
    /// Asks for this number only, in E.164 form.
    phone_number: Option<String>,
    /// Sets what to answer along with each number.
    include: Vec<PhoneNumberPart>,
    /// Sets how many numbers a page holds.
    limit: u32,
} }

impl Default for ListPhoneNumbers {
    fn default() -> Self {
        Self::new()
    }
}

/// Which numbers to look for among those that can be bought: any, unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AvailableNumbers {
    /// Of this country, by its two letters, like `US`.
    pub country_code: Option<String>,
    /// With this area code.
    pub area_code: Option<String>,
    /// Of this city.
    pub in_locality: Option<String>,
    /// Of this region, like `CA`.
    pub in_region: Option<String>,
    /// With these digits in it.
    pub contains: Option<String>,
    /// Whether the caller does not pay.
    pub toll_free: Option<bool>,
}

impl AvailableNumbers {
    /// Asks for any number.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        for (value, path) in [
            (&self.country_code, "/countryCode"),
            (&self.area_code, "/areaCode"),
            (&self.in_locality, "/inLocality"),
            (&self.in_region, "/inRegion"),
            (&self.contains, "/contains"),
        ] {
            check_value(&mut check, value.as_ref(), path);
        }
        check
    }
}

setters! { AvailableNumbers {
    /// Asks for those of this country.
    country_code: Option<String>,
    /// Asks for those with this area code.
    area_code: Option<String>,
    /// Asks for those of this city.
    in_locality: Option<String>,
    /// Asks for those of this region.
    in_region: Option<String>,
    /// Asks for those with these digits in them.
    contains: Option<String>,
    /// Asks for those whose callers do not pay, or the others.
    toll_free: Option<bool>,
} }

/// The vendor's words.
pub(in crate::dated) fn part_texts(parts: &[PhoneNumberPart]) -> Vec<&str> {
    parts.iter().map(PhoneNumberPart::as_str).collect()
}

/// What a list can answer along.
pub(in crate::dated) fn check_list_parts(check: &mut Check, parts: &[PhoneNumberPart]) {
    check_values(check, &part_texts(parts), "/include");
    let hours = parts.contains(&PhoneNumberPart::BusinessHours);
    check.require(
        !hours,
        "/include",
        "must not be the business hours in a list",
    );
}
