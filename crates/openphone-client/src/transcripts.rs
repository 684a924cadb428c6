//! What was said in a call, word by word.

use chrono::{DateTime, Utc};
use connector_http::{Call, lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::ids::{CallId, UserId};
use crate::page::{Data, null_as_default};
use crate::summaries::ProcessingStatus;

connector_http::endpoints! {
    /// Reads the transcript of one call. The id in the path is the call's.
    GET = "transcripts.get": GET "/v1/call-transcripts/{id}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-a-transcription-for-a-call (read 2026-11-21)";
}

/// The transcripts of calls. The vendor makes them on its Business and Scale plans only.
#[derive(Clone, Debug)]
pub struct Transcripts<'a> {
    client: &'a Client,
}

impl<'a> Transcripts<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Reads the transcript of a call, as far as it is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call;
    /// [`Permission`](crate::ErrorKind::Permission) where the plan has no transcripts;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, call: &CallId) -> Call<Transcript> {
        get(self.client.http(), call)
    }
}

/// Reads a transcript.
pub(crate) fn get(http: &connector_http::Client, call: &CallId) -> Call<Transcript> {
    http.request(&GET)
        .path("id", call)
        .fetch_map(Data::into_inner)
}

/// The transcript of a call. It has no id of its own.
///
/// `Debug` prints the call, the state and times; of what was said only how much there is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transcript {
    /// The call.
    pub call_id: CallId,
    /// How far it is.
    pub status: ProcessingStatus,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// How long the call was, in seconds.
    pub duration: Option<f64>,
    /// Who said what, in order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dialogue: Vec<TranscriptLine>,
}

masked_debug!(Transcript {
    shown: [call_id, status, created_at, duration],
    masked: [dialogue],
});

/// What one person said in one go.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TranscriptLine {
    /// The words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub content: String,
    /// When it began, in seconds from the start of the call.
    pub start: Option<f64>,
    /// When it ended, in seconds from the start of the call.
    pub end: Option<f64>,
    /// The number of whoever spoke.
    pub identifier: Option<String>,
    /// The user who spoke; `None` for the other side, and where the vendor does not know.
    pub user_id: Option<UserId>,
}

masked_debug!(TranscriptLine {
    shown: [start, end, user_id],
    masked: [content, identifier],
});
