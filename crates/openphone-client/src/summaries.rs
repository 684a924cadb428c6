//! What was said in a call, in a few sentences.

use connector_http::{Call, masked_debug};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::ids::CallId;
use crate::page::{Data, null_as_default};

connector_http::endpoints! {
    /// Reads the summary of one call.
    GET = "summaries.get": GET "/v1/call-summaries/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-a-summary-for-a-call (read 2026-11-21)";
}

/// The summaries of calls. The vendor makes them on its Business and Scale plans only.
#[derive(Clone, Debug)]
pub struct Summaries<'a> {
    client: &'a Client,
}

impl<'a> Summaries<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Reads the summary of a call, as far as it is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call;
    /// [`Permission`](crate::ErrorKind::Permission) where the plan has no summaries;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, call: &CallId) -> Call<CallSummary> {
        get(self.client.http(), call)
    }
}

/// Reads a summary.
pub(crate) fn get(http: &connector_http::Client, call: &CallId) -> Call<CallSummary> {
    http.request(&GET)
        .path("callId", call)
        .fetch_map(Data::into_inner)
}

/// The summary of a call. It has no id of its own.
///
/// `Debug` prints the call and the state; of what was said only how much there is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallSummary {
    /// The call.
    pub call_id: CallId,
    /// How far it is.
    pub status: ProcessingStatus,
    /// What was talked about, sentence by sentence.
    #[serde(default, deserialize_with = "null_as_default")]
    pub summary: Vec<String>,
    /// What is to be done.
    #[serde(default, deserialize_with = "null_as_default")]
    pub next_steps: Vec<String>,
    /// What the voice agent did, in calls it handled.
    #[serde(default, deserialize_with = "null_as_default")]
    pub jobs: Vec<SummaryJob>,
}

masked_debug!(CallSummary {
    shown: [call_id, status],
    masked: [summary, next_steps, jobs],
});

/// Something the voice agent did in a call.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryJob {
    /// The symbol shown in the app.
    pub icon: Option<String>,
    /// What it was to do.
    pub name: Option<String>,
    /// What came of it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub result: SummaryJobResult,
}

masked_debug!(SummaryJob {
    shown: [result],
    masked: [icon, name]
});

/// What came of a job.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryJobResult {
    /// What the agent found out.
    #[serde(default, deserialize_with = "null_as_default")]
    pub data: Vec<SummaryJobField>,
}

masked_debug!(SummaryJobResult {
    shown: [],
    masked: [data]
});

/// One thing the voice agent found out.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SummaryJobField {
    /// What it is.
    pub name: Option<String>,
    /// A text, a number or a truth value, as the vendor wrote it.
    #[serde(default)]
    pub value: serde_json::Value,
}

masked_debug!(SummaryJobField {
    shown: [],
    masked: [name, value]
});

connector_http::open_enum! {
    /// How far a summary or a transcript is.
    pub enum ProcessingStatus {
        /// There is none.
        Absent = "absent",
        /// The vendor works on it.
        InProgress = "in-progress",
        /// It is there.
        Completed = "completed",
        /// It could not be made.
        Failed = "failed",
    }
}
