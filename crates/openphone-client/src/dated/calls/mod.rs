//! Calls of the whole workspace, with what belongs to them.

mod models;
mod requests;

use connector_http::{Call, Download, Paginator};
use tokio::io::AsyncWrite;

pub use self::models::{
    CallParticipant, CallSummary, PhoneCall, SummaryKind, Transcript, TranscriptLine,
};
use self::requests::texts;
pub use self::requests::{CallPart, ListCalls};
use super::client::Client;
use super::export::{Export, Source};
use super::page::{ListPage, MAX_LIMIT};
use super::query::{any_of, include};
use crate::calls::CallStatus;
use crate::export::{ExportRange, Kind};
use crate::ids::CallId;
use crate::page::Data;
use crate::recordings::{Recording, RecordingSource};
use crate::timestamp::instant;

connector_http::endpoints! {
    /// Lists calls.
    LIST = "dated.calls.list": GET "/calls", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one call.
    GET = "dated.calls.get": GET "/calls/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Lists the recordings of one call.
    RECORDINGS = "dated.calls.recordings": GET "/calls/{callId}/recordings", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Lists the transcripts of one call.
    TRANSCRIPTS = "dated.calls.transcripts": GET "/calls/{callId}/transcripts", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

const EXPORT: &str = "dated.calls.export";

/// The calls of the workspace.
#[derive(Clone, Debug)]
pub struct Calls<'a> {
    client: &'a Client,
}

impl<'a> Calls<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists calls, page after page: all of the workspace, or those the query names.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{CallPart, CallStatus, ListCalls};
    ///
    /// let missed = ListCalls::new()
    ///     .statuses([CallStatus::Missed, CallStatus::Abandoned])
    ///     .include([CallPart::Voicemail]);
    /// let mut calls = client.calls().list(&missed).items();
    /// while let Some(call) = calls.next().await {
    ///     let call = call?;
    ///     println!("{} {}", call.id, call.voicemail.is_some());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 50, an empty
    /// filter, one that contains a comma, or a time span that ends before it begins; else the usual
    /// ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListCalls) -> Paginator<PhoneCall> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListCalls, after: Option<&str>) -> Call<ListPage<PhoneCall>> {
        page(self.client, query, after)
    }

    /// Exports all calls of the workspace, or those of a time, as a stream that can stop and go on.
    ///
    /// It is [`list`](Self::list) with a checkpoint and progress: one request per 50 calls, at least
    /// once each. See [`Export`].
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # fn save(_: &str) {}
    /// use chrono::{DateTime, Utc};
    ///
    /// let march: DateTime<Utc> = "2026-03-01T00:00:00Z".parse()?;
    /// let april: DateTime<Utc> = "2026-04-01T00:00:00Z".parse()?;
    /// let mut pages = client.calls().export(march..april).pages();
    /// while let Some(page) = pages.next().await {
    ///     let page = page?;
    ///     println!("{} so far", page.progress.items);
    ///     save(&serde_json::to_string(&page.checkpoint)?); // for `.resume(checkpoint)`
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
    pub fn export(&self, range: impl Into<ExportRange>) -> Export<PhoneCall> {
        let source = Source {
            kind: Kind::DatedCalls,
            operation: EXPORT,
            list: |client, range| {
                let (from, until) = range.filters();
                let mut query = ListCalls::new();
                (query.created_from, query.created_until) = (from, until);
                client.calls().list(&query)
            },
            time: |call| call.created_at,
        };
        Export::new(self.client, source, range.into())
    }

    /// Reads one call, and along with it what is asked for.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &CallId, parts: &[CallPart]) -> Call<PhoneCall> {
        let request = self.client.request(&GET).path("callId", id);
        include(request, &texts(parts, CallPart::as_str)).fetch_map(Data::into_inner)
    }

    /// Lists the recordings of a call, page after page.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). The stream ends after its first error.
    pub fn recordings(&self, id: &CallId) -> Paginator<Recording> {
        self.client.paginate(id, recordings)
    }

    /// Reads one page of the recordings.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn recordings_page(&self, id: &CallId, after: Option<&str>) -> Call<ListPage<Recording>> {
        recordings(self.client, id, after)
    }

    /// Lists the transcripts of a call, one per recording, page after page. **Look at their status**:
    /// one that is not completed yet has no dialogue.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Permission`](crate::ErrorKind::Permission) where the plan has
    /// no transcripts. The stream ends after its first error.
    pub fn transcripts(&self, id: &CallId) -> Paginator<Transcript> {
        self.client.paginate(id, transcripts)
    }

    /// Reads one page of the transcripts.
    ///
    /// # Errors
    ///
    /// Those of [`transcripts`](Self::transcripts).
    pub fn transcripts_page(&self, id: &CallId, after: Option<&str>) -> Call<ListPage<Transcript>> {
        transcripts(self.client, id, after)
    }

    /// Downloads a recording or a voicemail, as
    /// [`Recordings::download`](crate::Recordings::download) of API v1 does, with all it says there.
    ///
    /// # Errors
    ///
    /// When awaited, those of that method.
    pub fn download<'s, 'w, W>(
        &self,
        from: impl Into<RecordingSource<'s>>,
        writer: &'w mut W,
    ) -> Download<'w, W>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        self.client.v1().recordings().download(from, writer)
    }
}

fn page(client: &Client, query: &ListCalls, after: Option<&str>) -> Call<ListPage<PhoneCall>> {
    let request = client
        .request(&LIST)
        .query_opt("phoneNumberId", query.phone_number_id.as_ref())
        .query_opt("actorId", query.actor_id.as_ref());
    let request = any_of(
        request,
        "participant",
        "participant[in]",
        &query.participants,
    )
    .query_opt("direction", query.direction.as_ref());
    let statuses = texts(&query.statuses, CallStatus::as_str);
    let request = any_of(request, "status", "status[in]", &statuses)
        .query_opt("createdAt[gte]", query.created_from.map(instant))
        .query_opt("createdAt[lte]", query.created_until.map(instant));
    let request = include(request, &texts(&query.include, CallPart::as_str))
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}

fn recordings(client: &Client, id: &CallId, after: Option<&str>) -> Call<ListPage<Recording>> {
    client
        .request(&RECORDINGS)
        .path("callId", id)
        .query("limit", MAX_LIMIT)
        .query_opt("after", after)
        .fetch()
}

fn transcripts(client: &Client, id: &CallId, after: Option<&str>) -> Call<ListPage<Transcript>> {
    client
        .request(&TRANSCRIPTS)
        .path("callId", id)
        .query("limit", MAX_LIMIT)
        .query_opt("after", after)
        .fetch()
}
