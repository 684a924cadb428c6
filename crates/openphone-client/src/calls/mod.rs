//! Calls that were made or received.

mod models;
mod requests;
mod wait;

use std::time::Duration;

use connector_http::{Call, CallSequence, Page, Paginator};

pub use self::models::{AiHandler, CallDirection, CallRoute, CallStatus, PhoneCall};
pub use self::requests::ListCalls;
use crate::client::Client;
use crate::export::{Export, ExportRange, Source, Thread};
use crate::ids::CallId;
use crate::page::{Data, ListPage};
use crate::summaries::CallSummary;
use crate::timestamp::instant;
use crate::transcripts::Transcript;

connector_http::endpoints! {
    /// Lists the calls between one of your numbers and one other.
    LIST = "calls.list": GET "/v1/calls", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/list-calls (read 2026-11-21)";
    /// Reads one call.
    GET = "calls.get": GET "/v1/calls/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-a-call-by-id (read 2026-11-21)";
}

/// The calls of the workspace. They can be read; the API can neither place, end nor move one.
///
/// What belongs to a call comes separately, and minutes later: [`Recordings`](crate::Recordings),
/// [`Summaries`](crate::Summaries), [`Transcripts`](crate::Transcripts) and
/// [`Voicemails`](crate::Voicemails).
#[derive(Clone, Debug)]
pub struct Calls<'a> {
    client: &'a Client,
}

impl<'a> Calls<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the calls between one of your numbers and one other, page after page.
    ///
    /// API v1 has no list over the whole workspace, nor over one of your numbers.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::ListCalls;
    ///
    /// let mut calls = client.calls().list(&ListCalls::new("PNabc101", "+12025550143")).items();
    /// while let Some(call) = calls.next().await {
    ///     let call = call?;
    ///     println!("{} {} took {:?} s", call.id, call.status, call.duration);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation), unsent, for an empty number or participant, a
    ///   page size outside 1 to 100, or a time span that ends before it begins.
    /// - [`Permission`](crate::ErrorKind::Permission), code
    ///   [`NotPhoneNumberUser`](crate::OpenPhoneErrorCode::NotPhoneNumberUser): the user in whose name
    ///   the list is read, by default the owner of the workspace, is no member of that number. Name
    ///   another one with [`ListCalls::user_id`].
    /// - Else the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListCalls) -> Paginator<PhoneCall> {
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
        query: &ListCalls,
        page_token: Option<&str>,
    ) -> Call<ListPage<PhoneCall>> {
        page(self.client.http(), query, page_token)
    }

    /// Exports all calls of the workspace, or those of a time, as a stream that can stop and go on.
    ///
    /// API v1 lists the calls between two numbers only, so this walks your numbers, their conversations
    /// and the other end of each. What that costs, what comes twice and what cannot be listed:
    /// [`Export`].
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # fn save(_: &str) {}
    /// use chrono::{DateTime, Utc};
    ///
    /// let march: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
    /// let april: DateTime<Utc> = "2026-04-01T00:00:00Z".parse()?;
    /// let mut pages = client.calls().export(march..april).pages();
    /// while let Some(page) = pages.next().await {
    ///     let page = page?;
    ///     for call in &page.items {
    ///         println!("{} {}", call.id, call.status);
    ///     }
    ///     println!("{} of {} numbers", page.progress.numbers_done, page.progress.numbers);
    ///     save(&serde_json::to_string(&page.checkpoint)?); // for `.resume(checkpoint)`
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The stream ends after its first error; [`Export::resume`] goes on.
    ///
    /// - [`Validation`](crate::ErrorKind::Validation), unsent: a range that ends before it begins, or a
    ///   checkpoint of another export.
    /// - [`Permission`](crate::ErrorKind::Permission), code
    ///   [`NotPhoneNumberUser`](crate::OpenPhoneErrorCode::NotPhoneNumberUser): the owner of the
    ///   workspace is no member of a number. Export that one apart, with [`Export::phone_number`] and
    ///   [`Export::user_id`].
    /// - Else the usual ones of a read.
    pub fn export(&self, range: impl Into<ExportRange>) -> Export<PhoneCall> {
        Export::new(self.client, Source::calls(), range.into())
    }

    /// Reads one call.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &CallId) -> Call<PhoneCall> {
        self.client
            .http()
            .request(&GET)
            .path("callId", id)
            .fetch_map(Data::into_inner)
    }

    /// Waits for the transcript of a call, but not past `deadline` from the first poll.
    ///
    /// It is asked for again and again, after two seconds and then twice as long each time, up to half
    /// a minute. Only [`InProgress`](crate::ProcessingStatus::InProgress) is waited for: a transcript
    /// that is [`Failed`](crate::ProcessingStatus::Failed) or
    /// [`Absent`](crate::ProcessingStatus::Absent) is a result, as is a state of tomorrow, so **look at
    /// its status**. The webhook `call.transcript.completed` costs no requests.
    ///
    /// The options of [`CallSequence`] hold for each request.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::ProcessingStatus;
    /// use std::time::Duration;
    ///
    /// let within = Duration::from_secs(300);
    /// let transcript = client.calls().wait_for_transcript(&"ACabc401".into(), within).await?;
    /// match transcript.status {
    ///     ProcessingStatus::Completed => println!("{} lines", transcript.dialogue.len()),
    ///     other => println!("there will be none: {other}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Timeout`](crate::ErrorKind::Timeout) at the deadline; its text says what was seen last. If
    ///   the last request failed, its error.
    /// - [`NotFound`](crate::ErrorKind::NotFound), [`Permission`](crate::ErrorKind::Permission) and
    ///   whatever else asking again does not help, at once. A failure that passes is waited out.
    pub fn wait_for_transcript(&self, id: &CallId, deadline: Duration) -> CallSequence<Transcript> {
        wait::for_transcript(self.client, id, deadline)
    }

    /// Waits for the summary of a call, as [`wait_for_transcript`](Self::wait_for_transcript) does for
    /// the transcript.
    ///
    /// # Errors
    ///
    /// Those of [`wait_for_transcript`](Self::wait_for_transcript).
    pub fn wait_for_summary(&self, id: &CallId, deadline: Duration) -> CallSequence<CallSummary> {
        wait::for_summary(self.client, id, deadline)
    }
}

/// Reads one page.
pub(crate) fn page(
    http: &connector_http::Client,
    query: &ListCalls,
    token: Option<&str>,
) -> Call<ListPage<PhoneCall>> {
    let request = http
        .request(&LIST)
        .query("phoneNumberId", &query.phone_number_id)
        // An array of at most one. `since`, which means the opposite of its name, is never sent.
        .query("participants", &query.participant)
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
) -> Call<Page<PhoneCall>> {
    // A conversation with several others is left out before.
    let participant = thread.participants.first().cloned().unwrap_or_default();
    let mut query = ListCalls::new(&thread.number, participant);
    query.user_id.clone_from(&thread.user_id);
    query.created_after = thread.created_after;
    query.created_before = thread.created_before;
    page(http, &query, token).map(Into::into)
}
