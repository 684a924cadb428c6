//! Text messages.

mod models;
mod requests;
mod segments;

use connector_http::{Call, Page, Paginator};

pub use self::models::{Message, MessageDirection, MessageMedia, MessageStatus};
pub(crate) use self::requests::MAX_PARTICIPANTS;
pub use self::requests::{InboxStatus, ListMessages, NewMessage};
pub use self::segments::{Encoding, Segments};
use crate::client::Client;
use crate::export::{Export, ExportRange, Source, Thread};
use crate::ids::MessageId;
use crate::page::{Data, ListPage};
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Sends a text message. Twice reaches a person's phone twice, and costs twice.
    SEND = "messages.send": POST "/v1/messages", NotIdempotent, DEFAULT, [202],
        "https://www.quo.com/docs/mdx/api-reference/messages/send-a-text-message (read 2026-11-21)";
    /// Lists the messages of one conversation.
    LIST = "messages.list": GET "/v1/messages", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/messages/list-messages (read 2026-11-21)";
    /// Reads one message.
    GET = "messages.get": GET "/v1/messages/{id}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/messages/get-a-message-by-id (read 2026-11-21)";
}

/// The text messages of the workspace.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    client: &'a Client,
}

impl<'a> Messages<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Sends a text message, once.
    ///
    /// The answer says that the vendor took the message ([`Queued`](MessageStatus::Queued) or
    /// [`Sent`](MessageStatus::Sent)), not that it arrived: [`get`](Self::get) it later, or listen
    /// to the webhook `message.delivered`.
    ///
    /// # Did it go out?
    ///
    /// The vendor knows no idempotency key, so a message whose bytes have left is never sent again
    /// by this client: not after a timeout, a reset connection, or any 5xx. It is sent again where
    /// it cannot have been taken: after a refused connection, and after a 429. What an error means
    /// for the person at the other end, [`delivery`](crate::Error::delivery) says:
    ///
    /// | `delivery()` | Did the message go out? | What to do |
    /// |---|---|---|
    /// | `NotSent` | no | send again when the cause is gone |
    /// | `Rejected` | no, the vendor refused it | read `kind()` and [`OpenPhoneErrorCode`](crate::OpenPhoneErrorCode) |
    /// | `Unknown` | nobody knows | [`list`](Self::list) the conversation before sending again |
    /// | `Succeeded` | yes, only the answer cannot be read | do not send again |
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{Delivery, NewMessage};
    ///
    /// let message = NewMessage::new("+12025550100", "+12025550143", "Your table is ready.");
    /// match client.messages().send(&message).await {
    ///     Ok(sent) => println!("{} is {}", sent.id, sent.status.as_str()),
    ///     Err(error) if error.delivery() == Delivery::Unknown => println!("look before you send"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here, unsent (no text, more than
    ///   1,600 characters, no recipient or more than 10, a recipient that is neither
    ///   E.164 nor a short code, a sender that is neither a number id nor
    ///   E.164) or by the vendor.
    /// - [`Permission`](crate::ErrorKind::Permission): no A2P registration, no paid subscription, or
    ///   the user may not use this number; the code tells which.
    /// - [`QuotaSpent`](crate::ErrorKind::QuotaSpent): the carriers' daily cap is reached.
    pub fn send(&self, message: &NewMessage) -> Call<Message> {
        let request = self.client.http().request(&SEND).json(message);
        message
            .check()
            .guard(request, SEND.name)
            .fetch_map(Data::into_inner)
    }

    /// Lists the messages between one of your numbers and some others, page after page.
    ///
    /// API v1 has no list over the whole workspace.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for no participant or more than 10, a
    /// page size outside 1 to 100, or a time span that ends before it begins; else the usual ones of
    /// a read. The stream ends after its first error.
    pub fn list(&self, query: &ListMessages) -> Paginator<Message> {
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
        query: &ListMessages,
        page_token: Option<&str>,
    ) -> Call<ListPage<Message>> {
        page(self.client.http(), query, page_token)
    }

    /// Exports all messages of the workspace, or those of a time, as a stream that can stop and go on.
    ///
    /// API v1 lists the messages of one conversation only, so this walks your numbers and their
    /// conversations. What that costs, what comes twice and what cannot be listed: [`Export`].
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// let mut messages = client.messages().export(..).phone_number("PNabc101").items();
    /// while let Some(message) = messages.next().await {
    ///     println!("{}", message?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The stream ends after its first error; [`Export::resume`] goes on.
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a range that ends before it begins or a
    /// checkpoint of another export; else the usual ones of a read.
    pub fn export(&self, range: impl Into<ExportRange>) -> Export<Message> {
        Export::new(self.client, Source::messages(), range.into())
    }

    /// Reads one message, such as to see whether it was delivered.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such message;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &MessageId) -> Call<Message> {
        self.client
            .http()
            .request(&GET)
            .path("id", id)
            .fetch_map(Data::into_inner)
    }
}

fn page(
    http: &connector_http::Client,
    query: &ListMessages,
    token: Option<&str>,
) -> Call<ListPage<Message>> {
    let mut request = http
        .request(&LIST)
        .query("phoneNumberId", &query.phone_number_id);
    // The vendor takes arrays as repeated keys, and refuses `participants[]`.
    for participant in &query.participants {
        request = request.query("participants", participant);
    }
    let request = request
        .query_opt("userId", query.user_id.as_ref())
        .query_opt("createdAfter", query.created_after.map(instant))
        .query_opt("createdBefore", query.created_before.map(instant))
        .query("maxResults", query.max_results)
        .query_opt("pageToken", token);
    query.check().guard(request, LIST.name).fetch()
}

/// Reads one page of one conversation, for an export.
pub(crate) fn thread(
    http: &connector_http::Client,
    thread: &Thread,
    token: Option<&str>,
) -> Call<Page<Message>> {
    let mut query = ListMessages::new(&thread.number, &thread.participants);
    query.created_after = thread.created_after;
    query.created_before = thread.created_before;
    page(http, &query, token).map(Into::into)
}
