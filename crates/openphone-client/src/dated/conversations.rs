//! Conversations: what the app shows as one thread of texts and calls.

use chrono::{DateTime, Utc};
use connector_http::{Call, Endpoint, Paginator, setters};

use super::client::Client;
use super::page::{ListPage, MAX_LIMIT};
use super::query::{any_of, check_limit, check_span, check_value, check_values};
use crate::check::Check;
use crate::conversations::Conversation;
use crate::ids::{ConversationId, PhoneNumberId};
use crate::page::Data;
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Lists conversations.
    LIST = "dated.conversations.list": GET "/conversations", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Marks a conversation as read. Idempotent although it is a POST: it sets a state.
    MARK_AS_READ = "dated.conversations.mark_as_read": POST "/conversations/{conversationId}/mark-as-read", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Marks a conversation as done. Idempotent although it is a POST: it sets a state.
    MARK_AS_DONE = "dated.conversations.mark_as_done": POST "/conversations/{conversationId}/mark-as-done", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Marks a conversation as open. Idempotent although it is a POST: it sets a state.
    MARK_AS_OPEN = "dated.conversations.mark_as_open": POST "/conversations/{conversationId}/mark-as-open", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

const MAX_PHONE_NUMBERS: usize = 100;

/// The conversations of the workspace.
#[derive(Clone, Debug)]
pub struct Conversations<'a> {
    client: &'a Client,
}

impl<'a> Conversations<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists conversations, page after page. Whom they are assigned to, only API v1 says.
    ///
    /// Sorted by when they were begun, the list does not move while it is read:
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{ConversationSort, ListConversations};
    ///
    /// let query = ListConversations::new().sort(ConversationSort::OldestFirst);
    /// let mut conversations = client.conversations().list(&query).items();
    /// while let Some(conversation) = conversations.next().await {
    ///     println!("{}", conversation?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for more than 100 numbers, an empty one, a
    /// page size outside 1 to 50, or a time span that ends before it begins; else the usual ones of a
    /// read. The stream ends after its first error.
    pub fn list(&self, query: &ListConversations) -> Paginator<Conversation> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        query: &ListConversations,
        after: Option<&str>,
    ) -> Call<ListPage<Conversation>> {
        page(self.client, query, after)
    }

    /// Marks a conversation as read, without writing to anybody.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such conversation;
    /// [`Permission`](crate::ErrorKind::Permission) when the user of the key is no member of its
    /// number; [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn mark_as_read(&self, id: &ConversationId) -> Call<Conversation> {
        self.mark(&MARK_AS_READ, id)
    }

    /// Marks a conversation as done, which takes it out of the inbox.
    ///
    /// # Errors
    ///
    /// Those of [`mark_as_read`](Self::mark_as_read).
    pub fn mark_as_done(&self, id: &ConversationId) -> Call<Conversation> {
        self.mark(&MARK_AS_DONE, id)
    }

    /// Marks a conversation as open, which brings it back to the inbox.
    ///
    /// # Errors
    ///
    /// Those of [`mark_as_read`](Self::mark_as_read).
    pub fn mark_as_open(&self, id: &ConversationId) -> Call<Conversation> {
        self.mark(&MARK_AS_OPEN, id)
    }

    /// In the envelope, other than in API v1.
    fn mark(&self, endpoint: &'static Endpoint, id: &ConversationId) -> Call<Conversation> {
        self.client
            .request(endpoint)
            .path("conversationId", id)
            .fetch_map(Data::into_inner)
    }
}

fn page(
    client: &Client,
    query: &ListConversations,
    after: Option<&str>,
) -> Call<ListPage<Conversation>> {
    let numbers = &query.phone_number_ids;
    let request = any_of(
        client.request(&LIST),
        "phoneNumberId",
        "phoneNumberId[in]",
        numbers,
    )
    .query_opt("createdAt[gte]", query.created_from.map(instant))
    .query_opt("createdAt[lte]", query.created_until.map(instant))
    .query_opt("updatedAt[gte]", query.updated_from.map(instant))
    .query_opt("updatedAt[lte]", query.updated_until.map(instant))
    .query_opt("sort", query.sort.as_ref())
    .query("limit", query.limit)
    .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}

/// Which conversations to list: all of the workspace, unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListConversations {
    /// Only those of these numbers of yours: 100 at most, all if there are none.
    pub phone_number_ids: Vec<PhoneNumberId>,
    /// Only those begun at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Only those begun at this time or earlier.
    pub created_until: Option<DateTime<Utc>>,
    /// Only those that changed last at this time or later.
    pub updated_from: Option<DateTime<Utc>>,
    /// Only those that changed last at this time or earlier.
    pub updated_until: Option<DateTime<Utc>>,
    /// In which order.
    pub sort: Option<ConversationSort>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

impl ListConversations {
    /// Asks for all conversations.
    pub fn new() -> Self {
        Self {
            phone_number_ids: Vec::new(),
            created_from: None,
            created_until: None,
            updated_from: None,
            updated_until: None,
            sort: None,
            limit: MAX_LIMIT,
        }
    }

    fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        let count = self.phone_number_ids.len() <= MAX_PHONE_NUMBERS;
        check.require(count, "/phoneNumberId", "must name at most 100 numbers");
        check_values(&mut check, &self.phone_number_ids, "/phoneNumberId");
        let sort = self.sort.as_ref().map(ConversationSort::as_str);
        check_value(&mut check, sort.as_ref(), "/sort");
        for (begin, end, path) in [
            (self.created_from, self.created_until, "/createdAt[lte]"),
            (self.updated_from, self.updated_until, "/updatedAt[lte]"),
        ] {
            check_span(&mut check, begin, end, path);
        }
        check
    }
}

setters! { ListConversations {
    /// Asks for those of these numbers of yours.
    phone_number_ids: Vec<PhoneNumberId>,
    /// Asks for those begun at this time or later.
    created_from: Option<DateTime<Utc>>,
    /// Asks for those begun at this time or earlier.
    created_until: Option<DateTime<Utc>>,
    /// Asks for those that changed last at this time or later.
    updated_from: Option<DateTime<Utc>>,
    /// Asks for those that changed last at this time or earlier.
    updated_until: Option<DateTime<Utc>>,
    /// Sets in which order they come.
    sort: Option<ConversationSort>,
    /// Sets how many conversations a page holds.
    limit: u32,
} }

impl Default for ListConversations {
    fn default() -> Self {
        Self::new()
    }
}

connector_http::open_enum! {
    /// In which order conversations come.
    pub enum ConversationSort {
        /// Those begun first come first.
        OldestFirst = "createdAt:asc",
        /// Those begun last come first.
        NewestFirst = "createdAt:desc",
        /// Those that have not changed for longest come first.
        LeastRecentlyUpdated = "updatedAt:asc",
        /// Those that changed last come first.
        MostRecentlyUpdated = "updatedAt:desc",
    }
}
