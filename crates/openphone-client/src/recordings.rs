//! The recordings of calls.

use chrono::{DateTime, Utc};
use connector_http::{Call, lenient};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::ids::{CallId, RecordingId};
use crate::masked::masked_debug;
use crate::page::Data;

connector_http::endpoints! {
    /// Lists the recordings of one call.
    LIST = "recordings.list": GET "/v1/call-recordings/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-recordings-for-a-call (read 2026-11-21)";
}

/// The recordings of calls.
#[derive(Clone, Debug)]
pub struct Recordings<'a> {
    client: &'a Client,
}

impl<'a> Recordings<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the recordings of a call, the oldest first. The list is not paged.
    ///
    /// A call has several when recording was stopped and started again, and none for some minutes
    /// after its end: the webhook `call.recording.completed` tells when.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn list(&self, call: &CallId) -> Call<Vec<Recording>> {
        self.client
            .http()
            .request(&LIST)
            .path("callId", call)
            .fetch_map(Data::into_inner)
    }
}

/// A recording of a call, or of a part of it.
///
/// `Debug` prints id, state and times; of the address, which opens the recording for anybody who
/// has it, only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Recording {
    /// The vendor's id.
    pub id: RecordingId,
    /// How far it is.
    pub status: Option<RecordingStatus>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub start_time: Option<DateTime<Utc>>,
    /// How long it is, in whole seconds.
    pub duration: Option<u64>,
    /// Its media type, like `audio/mpeg`.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Where it lies. **Signed and short-lived**: download it, do not store the address.
    pub url: Option<String>,
}

masked_debug!(Recording {
    shown: [id, status, start_time, duration, media_type],
    masked: [url],
});

connector_http::open_enum! {
    /// How far a recording is.
    pub enum RecordingStatus {
        /// There is none.
        Absent = "absent",
        /// It can be downloaded.
        Completed = "completed",
        /// It was deleted.
        Deleted = "deleted",
        /// It could not be made.
        Failed = "failed",
        /// The call is being recorded.
        InProgress = "in-progress",
        /// Recording rests.
        Paused = "paused",
        /// The call is over, and the vendor prepares it.
        Processing = "processing",
        /// Recording was stopped.
        Stopped = "stopped",
        /// Recording is being stopped.
        Stopping = "stopping",
    }
}
