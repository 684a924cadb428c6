//! Conversations: what the app shows as one thread of texts and calls.

mod models;
mod requests;

use connector_http::{Call, Endpoint, Paginator};

pub use self::models::Conversation;
pub use self::requests::ListConversations;
use crate::client::Client;
use crate::ids::ConversationId;
use crate::page::ListPage;
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Lists conversations.
    LIST = "conversations.list": GET "/v1/conversations", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/conversations/list-conversations (read 2026-11-21)";
    /// Marks a conversation as read. Idempotent although it is a POST: it sets a state.
    MARK_AS_READ = "conversations.mark_as_read": POST "/v1/conversations/{conversationId}/mark-as-read", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/conversations/mark-conversation-as-read (read 2026-11-21)";
    /// Marks a conversation as done. Idempotent although it is a POST: it sets a state.
    MARK_AS_DONE = "conversations.mark_as_done": POST "/v1/conversations/{conversationId}/mark-as-done", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/conversations/mark-conversation-as-done (read 2026-11-21)";
    /// Marks a conversation as open. Idempotent although it is a POST: it sets a state.
    MARK_AS_OPEN = "conversations.mark_as_open": POST "/v1/conversations/{conversationId}/mark-as-open", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/conversations/mark-conversation-as-open (read 2026-11-21)";
}

/// The conversations of the workspace.
#[derive(Clone, Debug)]
pub struct Conversations<'a> {
    client: &'a Client,
}

impl<'a> Conversations<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists conversations, the most recent first, page after page.
    ///
    /// The list moves while it is read: a conversation in which something happens comes to its top.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::ListConversations;
    ///
    /// let active = ListConversations::new().phone_number("PNabc101").exclude_inactive(true);
    /// let mut conversations = client.conversations().list(&active).items();
    /// while let Some(conversation) = conversations.next().await {
    ///     let conversation = conversation?;
    ///     println!("{} with {} others", conversation.id, conversation.participants.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for more than 100 numbers, one that is
    /// neither an id nor in E.164 form, a page size outside 1 to 100, or a time span that ends before
    /// it begins; else the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListConversations) -> Paginator<Conversation> {
        let (http, query) = (self.client.http().clone(), query.clone());
        Paginator::new(move |token| page(&http, &query, token).map(Into::into))
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(
        &self,
        query: &ListConversations,
        page_token: Option<&str>,
    ) -> Call<ListPage<Conversation>> {
        page(self.client.http(), query, page_token)
    }

    /// Marks a conversation as read, without writing to anybody.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such conversation;
    /// [`Permission`](crate::ErrorKind::Permission) when the user of the key is no member of its
    /// number; [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    /// After [`Delivery::Unknown`](crate::Delivery::Unknown) it may be marked again: that is the same.
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

    /// The three answer the conversation as it is, without the envelope of every other answer.
    fn mark(&self, endpoint: &'static Endpoint, id: &ConversationId) -> Call<Conversation> {
        self.client
            .http()
            .request(endpoint)
            .path("conversationId", id)
            .fetch()
    }
}

/// Reads one page.
pub(crate) fn page(
    http: &connector_http::Client,
    query: &ListConversations,
    token: Option<&str>,
) -> Call<ListPage<Conversation>> {
    let mut request = http.request(&LIST);
    // The vendor takes arrays as repeated keys.
    for number in &query.phone_numbers {
        request = request.query("phoneNumbers", number);
    }
    let request = request
        .query_opt("userId", query.user_id.as_ref())
        .query_opt("createdAfter", query.created_after.map(instant))
        .query_opt("createdBefore", query.created_before.map(instant))
        .query_opt("updatedAfter", query.updated_after.map(instant))
        .query_opt("updatedBefore", query.updated_before.map(instant))
        .query_opt("excludeInactive", query.exclude_inactive)
        .query("maxResults", query.max_results)
        .query_opt("pageToken", token);
    query.check().guard(request, LIST.name).fetch()
}
