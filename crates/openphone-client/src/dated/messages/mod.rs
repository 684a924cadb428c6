//! Text messages of the whole workspace. Sending them is only in API v1.

mod requests;

use connector_http::{Call, Paginator};

pub use self::requests::ListMessages;
use super::client::Client;
use super::export::{Export, Source};
use super::page::ListPage;
use super::query::list;
use crate::export::{ExportRange, Kind};
use crate::ids::MessageId;
use crate::messages::Message;
use crate::page::Data;
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Lists messages.
    LIST = "dated.messages.list": GET "/messages", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one message.
    GET = "dated.messages.get": GET "/messages/{messageId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Sends a failed message once more. Twice may send two.
    RETRY = "dated.messages.retry": POST "/messages/{messageId}/retry", NotIdempotent, DEFAULT, [202],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

const EXPORT: &str = "dated.messages.export";

/// The text messages of the workspace. To send one, use
/// [`messages()`](crate::Client::messages) of [`Client::v1`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    client: &'a Client,
}

impl<'a> Messages<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists messages, page after page: all of the workspace, or those the query names. In which order, the
    /// vendor does not say.
    ///
    /// The way to find out whether a text was sent whose answer was lost:
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use chrono::{DateTime, Utc};
    /// use openphone_client::dated::ListMessages;
    ///
    /// # let before_sending: DateTime<Utc> = DateTime::UNIX_EPOCH;
    /// let recent = ListMessages::new().to("+12025550143").created_after(before_sending);
    /// let mut messages = client.messages().list(&recent).items();
    /// while let Some(message) = messages.next().await {
    ///     println!("{}", message?.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50, an empty
    /// filter, one that contains a comma, `to` beside `to_all`, or a time span that ends before it
    /// begins; else the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListMessages) -> Paginator<Message> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListMessages, after: Option<&str>) -> Call<ListPage<Message>> {
        page(self.client, query, after)
    }

    /// Exports all messages of the workspace, or those of a time, as a stream that can stop and go on,
    /// as [`Calls::export`](super::Calls::export) does.
    ///
    /// # Errors
    ///
    /// Those of [`Calls::export`](super::Calls::export).
    pub fn export(&self, range: impl Into<ExportRange>) -> Export<Message> {
        let source = Source {
            kind: Kind::DatedMessages,
            operation: EXPORT,
            list: |client, range| {
                let (from, until) = range.filters();
                let mut query = ListMessages::new();
                (query.created_after, query.created_before) = (from, until);
                client.messages().list(&query)
            },
            time: |message| message.created_at,
        };
        Export::new(self.client, source, range.into())
    }

    /// Reads one message.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such message;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &MessageId) -> Call<Message> {
        self.client
            .request(&GET)
            .path("messageId", id)
            .fetch_map(Data::into_inner)
    }

    /// Sends a message that failed once more. The vendor does that only for those with the status
    /// [`Failed`](crate::MessageStatus::Failed) and no error code of a carrier.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation) (status 422) for a
    /// message that cannot be sent again. After [`Delivery::Unknown`](crate::Delivery::Unknown) it may
    /// have been sent: look at its status before you try again.
    pub fn retry(&self, id: &MessageId) -> Call<()> {
        self.client.request(&RETRY).path("messageId", id).discard()
    }
}

fn page(client: &Client, query: &ListMessages, after: Option<&str>) -> Call<ListPage<Message>> {
    let all = (!query.to_all.is_empty()).then(|| list(&query.to_all));
    let request = client
        .request(&LIST)
        .query_opt("from", query.from.as_ref())
        .query_opt("to", query.to.as_ref())
        .query_opt("to[all]", all)
        .query_opt("status", query.status.as_ref())
        .query_opt("direction", query.direction.as_ref())
        .query_opt("phoneNumberId", query.phone_number_id.as_ref())
        .query_opt("userId", query.user_id.as_ref())
        .query_opt("createdAt[gt]", query.created_after.map(instant))
        .query_opt("createdAt[lt]", query.created_before.map(instant))
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}
