//! The people of the workspace.

use chrono::{DateTime, Utc};
use connector_http::{Call, Paginator, lenient, masked_debug, setters};
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::client::Client;
use crate::ids::UserId;
use crate::page::{Data, ListPage};

connector_http::endpoints! {
    /// Lists the users.
    LIST = "users.list": GET "/v1/users", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/users/list-users (read 2026-11-21)";
    /// Reads one user.
    GET = "users.get": GET "/v1/users/{userId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/users/get-a-user-by-id (read 2026-11-21)";
}

/// The vendor's largest page.
const MAX_RESULTS: u32 = 50;

/// The users of the workspace.
#[derive(Clone, Debug)]
pub struct Users<'a> {
    client: &'a Client,
}

impl<'a> Users<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the users, page after page.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50; else
    /// the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListUsers) -> Paginator<User> {
        let (http, query) = (self.client.http().clone(), query.clone());
        Paginator::new(move |token| page(&http, &query, token).map(Into::into))
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListUsers, page_token: Option<&str>) -> Call<ListPage<User>> {
        page(self.client.http(), query, page_token)
    }

    /// Reads one user.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such user in this workspace;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &UserId) -> Call<User> {
        self.client
            .http()
            .request(&GET)
            .path("userId", id)
            .fetch_map(Data::into_inner)
    }
}

fn page(
    http: &connector_http::Client,
    query: &ListUsers,
    token: Option<&str>,
) -> Call<ListPage<User>> {
    let mut check = Check::new();
    check.page_size(query.max_results, MAX_RESULTS);
    let request = http
        .request(&LIST)
        .query("maxResults", query.max_results)
        .query_opt("pageToken", token);
    check.guard(request, LIST.name).fetch()
}

/// Which users to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListUsers {
    /// How many per page: 1 to 50, the default.
    pub max_results: u32,
}

impl ListUsers {
    /// Asks for all users.
    pub fn new() -> Self {
        Self {
            max_results: MAX_RESULTS,
        }
    }
}

setters! { ListUsers {
    /// Sets how many users a page holds.
    max_results: u32,
} }

impl Default for ListUsers {
    fn default() -> Self {
        Self::new()
    }
}

/// A user of the workspace.
///
/// `Debug` prints id, role and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The vendor's id.
    pub id: UserId,
    /// The e-mail address the user signs in with.
    pub email: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Where the user's picture is.
    pub picture_url: Option<String>,
    /// What the user may do.
    pub role: UserRole,
    /// When the user was added.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When the user was last changed.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub updated_at: DateTime<Utc>,
}

masked_debug!(User {
    shown: [id, role, created_at, updated_at],
    masked: [email, first_name, last_name, picture_url],
});

connector_http::open_enum! {
    /// What a user may do in the workspace.
    pub enum UserRole {
        /// Owns the workspace.
        Owner = "owner",
        /// Manages it, and may make API keys.
        Admin = "admin",
        /// Uses it.
        Member = "member",
    }
}
