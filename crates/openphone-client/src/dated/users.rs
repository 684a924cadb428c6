//! The people of the workspace.

use connector_http::{Call, Paginator, setters};

use super::client::Client;
use super::page::{ListPage, MAX_LIMIT};
use super::phone_numbers::{PhoneNumber, PhoneNumberPart, check_list_parts, part_texts};
use super::query::{check_limit, include};
use crate::check::Check;
use crate::ids::UserId;
use crate::page::Data;
use crate::users::User;

connector_http::endpoints! {
    /// Lists the users.
    LIST = "dated.users.list": GET "/users", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/introduction (read 2026-11-21)";
    /// Reads one user.
    GET = "dated.users.get": GET "/users/{userId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/quickstart (read 2026-11-21)";
    /// Lists the numbers of one user.
    PHONE_NUMBERS = "dated.users.phone_numbers": GET "/users/{userId}/phone-numbers", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The users of the workspace.
#[derive(Clone, Debug)]
pub struct Users<'a> {
    client: &'a Client,
}

impl<'a> Users<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the users, page after page.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50; else
    /// the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListUsers) -> Paginator<User> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListUsers, after: Option<&str>) -> Call<ListPage<User>> {
        page(self.client, query, after)
    }

    /// Reads one user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user in this workspace;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &UserId) -> Call<User> {
        self.client
            .request(&GET)
            .path("userId", id)
            .fetch_map(Data::into_inner)
    }

    /// Lists the numbers a user answers, page after page, and along with each what is asked for: nothing,
    /// or [`PhoneNumberPart::Restrictions`].
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// let mut numbers = client.users().phone_numbers(&"USabc201".into(), &[]).items();
    /// while let Some(number) = numbers.next().await {
    ///     println!("{}", number?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation), unsent, for parts a
    /// list does not have. The stream ends after its first error.
    pub fn phone_numbers(&self, id: &UserId, parts: &[PhoneNumberPart]) -> Paginator<PhoneNumber> {
        let of = (id.clone(), parts.to_vec());
        self.client.paginate(&of, |client, (id, parts), after| {
            numbers(client, id, parts, after)
        })
    }

    /// Reads one page of that list.
    ///
    /// # Errors
    ///
    /// Those of [`phone_numbers`](Self::phone_numbers).
    pub fn phone_numbers_page(
        &self,
        id: &UserId,
        parts: &[PhoneNumberPart],
        after: Option<&str>,
    ) -> Call<ListPage<PhoneNumber>> {
        numbers(self.client, id, parts, after)
    }
}

fn page(client: &Client, query: &ListUsers, after: Option<&str>) -> Call<ListPage<User>> {
    let mut check = Check::new();
    check_limit(&mut check, query.limit, MAX_LIMIT);
    let request = client
        .request(&LIST)
        .query("limit", query.limit)
        .query_opt("after", after);
    check.guard(request, LIST.name).fetch()
}

fn numbers(
    client: &Client,
    id: &UserId,
    parts: &[PhoneNumberPart],
    after: Option<&str>,
) -> Call<ListPage<PhoneNumber>> {
    let mut check = Check::new();
    check_list_parts(&mut check, parts);
    let request = client.request(&PHONE_NUMBERS).path("userId", id);
    let request = include(request, &part_texts(parts))
        .query("limit", MAX_LIMIT)
        .query_opt("after", after);
    check.guard(request, PHONE_NUMBERS.name).fetch()
}

/// Which users to list: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListUsers {
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

impl ListUsers {
    /// Asks for all users.
    pub fn new() -> Self {
        Self { limit: MAX_LIMIT }
    }
}

setters! { ListUsers {
    /// Sets how many users a page holds.
    limit: u32,
} }

impl Default for ListUsers {
    fn default() -> Self {
        Self::new()
    }
}
