//! The phone numbers of the workspace, and those it could buy.

mod models;
mod requests;

use connector_http::{Call, Endpoint, Paginator, Request};
use serde::Deserialize;

pub use self::models::{BusinessHours, DayHours, PhoneNumber, WeekHours};
pub use self::requests::{AvailableNumbers, ListPhoneNumbers, PhoneNumberPart};
pub(super) use self::requests::{check_list_parts, part_texts};
use super::client::Client;
use super::page::{ListPage, MAX_LIMIT};
use super::query::include;
use crate::ids::PhoneNumberId;
use crate::page::{Data, null_as_default};
use crate::phone_numbers::PhoneNumberUser;

connector_http::endpoints! {
    /// Lists the numbers.
    LIST = "dated.phone_numbers.list": GET "/phone-numbers", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Looks for numbers that can be bought.
    AVAILABLE = "dated.phone_numbers.available": GET "/phone-numbers/available", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one number.
    GET = "dated.phone_numbers.get": GET "/phone-numbers/{phoneNumberId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Lists who answers a number.
    USERS = "dated.phone_numbers.users": GET "/phone-numbers/{phoneNumberId}/users", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The phone numbers of the workspace.
#[derive(Clone, Debug)]
pub struct PhoneNumbers<'a> {
    client: &'a Client,
}

impl<'a> PhoneNumbers<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the numbers, page after page: all of the workspace, or the one the query names.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50, a number
    /// that is not in E.164 form, or business hours, which lists do not have; else the usual ones of a
    /// read. The stream ends after its first error.
    pub fn list(&self, query: &ListPhoneNumbers) -> Paginator<PhoneNumber> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        query: &ListPhoneNumbers,
        after: Option<&str>,
    ) -> Call<ListPage<PhoneNumber>> {
        page(self.client, query, after)
    }

    /// Reads one number, and along with it what is asked for.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::PhoneNumberPart;
    ///
    /// let parts = [PhoneNumberPart::BusinessHours];
    /// let number = client.phone_numbers().get(&"PNabc101".into(), &parts).await?;
    /// if let Some(hours) = number.business_hours.filter(|hours| hours.enabled) {
    ///     println!("{:?}", hours.schedule);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such number;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &PhoneNumberId, parts: &[PhoneNumberPart]) -> Call<PhoneNumber> {
        include(at(self.client, &GET, id), &part_texts(parts)).fetch_map(Data::into_inner)
    }

    /// Lists the users who answer a number, page after page.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). The stream ends after its first error.
    pub fn users(&self, id: &PhoneNumberId) -> Paginator<PhoneNumberUser> {
        self.client.paginate(id, users)
    }

    /// Reads one page of that list.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn users_page(
        &self,
        id: &PhoneNumberId,
        after: Option<&str>,
    ) -> Call<ListPage<PhoneNumberUser>> {
        users(self.client, id, after)
    }

    /// Looks for numbers that can be bought, in E.164 form. Nothing is bought: no version of the API
    /// does that.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation): refused here (an empty filter) or by the vendor;
    /// else the usual ones of a read.
    pub fn available(&self, query: &AvailableNumbers) -> Call<Vec<String>> {
        let request = self
            .client
            .request(&AVAILABLE)
            .query_opt("countryCode", query.country_code.as_ref())
            .query_opt("areaCode", query.area_code.as_ref())
            .query_opt("inLocality", query.in_locality.as_ref())
            .query_opt("inRegion", query.in_region.as_ref())
            .query_opt("contains", query.contains.as_ref())
            .query_opt("tollFree", query.toll_free);
        query
            .check()
            .guard(request, AVAILABLE.name)
            .fetch_map(|found: Data<Available>| found.into_inner().phone_numbers)
    }
}

fn at(client: &Client, endpoint: &'static Endpoint, id: &PhoneNumberId) -> Request {
    client.request(endpoint).path("phoneNumberId", id)
}

fn page(
    client: &Client,
    query: &ListPhoneNumbers,
    after: Option<&str>,
) -> Call<ListPage<PhoneNumber>> {
    let request = client
        .request(&LIST)
        .query_opt("phoneNumber", query.phone_number.as_ref());
    let request = include(request, &part_texts(&query.include))
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}

fn users(
    client: &Client,
    id: &PhoneNumberId,
    after: Option<&str>,
) -> Call<ListPage<PhoneNumberUser>> {
    at(client, &USERS, id)
        .query("limit", MAX_LIMIT)
        .query_opt("after", after)
        .fetch()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Available {
    #[serde(default, deserialize_with = "null_as_default")]
    phone_numbers: Vec<String>,
}
