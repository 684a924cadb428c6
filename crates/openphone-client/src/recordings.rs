//! The recordings of calls.

use std::fmt;

use chrono::{DateTime, Utc};
use connector_http::{Call, Download, Error, FieldError, Maskable as _, lenient, masked_debug};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWrite;

use crate::client::{Client, VENDOR};
use crate::ids::{CallId, RecordingId};
use crate::page::Data;
use crate::voicemails::Voicemail;

connector_http::endpoints! {
    /// Lists the recordings of one call.
    LIST = "recordings.list": GET "/v1/call-recordings/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-recordings-for-a-call (read 2026-11-21)";
}

const DOWNLOAD: &str = "recordings.download";

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

    /// Downloads a recording or a voicemail into a file, a socket, a `Vec<u8>`: whatever implements Tokio's
    /// `AsyncWrite`. Gives the number of bytes.
    ///
    /// It is written as it arrives, so that the memory taken does not depend on its length. The media
    /// lie in a storage that is not the vendor's API, under signed addresses: **the API key never goes
    /// along**, whatever host an address names, redirects are not followed, and the API's pace is not
    /// used up. Ten minutes and 512 MiB at most, unless told otherwise.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// # use std::time::Duration;
    /// let recordings = client.recordings();
    /// for recording in recordings.list(&"ACabc401".into()).await? {
    ///     let mut audio = Vec::new(); // or a `tokio::fs::File`
    ///     let bytes = recordings
    ///         .download(&recording, &mut audio)
    ///         .deadline(Duration::from_secs(120))
    ///         .max_bytes(50_000_000)
    ///         .await?;
    ///     println!("{}: {bytes} bytes", recording.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited. What was written before an error is a part, and to be thrown away; it is not gone
    /// on from there.
    ///
    /// - [`Validation`](crate::ErrorKind::Validation), unsent: the recording has no address, because it
    ///   is not ready or gone.
    /// - [`Config`](crate::ErrorKind::Config), unsent: an address that is not `https`.
    /// - [`Permission`](crate::ErrorKind::Permission) or [`NotFound`](crate::ErrorKind::NotFound): mostly
    ///   an address that has expired. [`list`](Self::list) gives a fresh one.
    /// - [`Api`](crate::ErrorKind::Api): an answer without the audio, such as a redirect or a part of it.
    /// - [`Decode`](crate::ErrorKind::Decode): the body broke off, or is larger than allowed.
    /// - [`Timeout`](crate::ErrorKind::Timeout): the time was up, or nothing more came.
    /// - [`Write`](crate::ErrorKind::Write): the writer failed.
    pub fn download<'s, 'w, W>(
        &self,
        from: impl Into<RecordingSource<'s>>,
        writer: &'w mut W,
    ) -> Download<'w, W>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        let address = from.into().address;
        let download = self
            .client
            .http()
            .download(DOWNLOAD, address.unwrap_or_default(), writer);
        if address.is_some() {
            return download;
        }
        let missing = FieldError::new("/url", "must be there: it is not ready, or gone");
        download.invalid(Error::validation(VENDOR, DOWNLOAD, vec![missing]))
    }
}

/// What to download: a [`Recording`], a [`Voicemail`], or an address one of them had.
#[derive(Clone, Copy)]
pub struct RecordingSource<'s> {
    address: Option<&'s str>,
}

/// Prints whether there is an address, which opens what is there for anybody who has it.
impl fmt::Debug for RecordingSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingSource")
            .field("address", &self.address.mask())
            .finish()
    }
}

impl<'s> From<&'s Recording> for RecordingSource<'s> {
    fn from(recording: &'s Recording) -> Self {
        let address = recording.url.as_deref();
        Self { address }
    }
}

impl<'s> From<&'s Voicemail> for RecordingSource<'s> {
    fn from(voicemail: &'s Voicemail) -> Self {
        let address = voicemail.recording_url.as_deref();
        Self { address }
    }
}

impl<'s> From<&'s str> for RecordingSource<'s> {
    fn from(address: &'s str) -> Self {
        let address = Some(address);
        Self { address }
    }
}

impl<'s> From<&'s String> for RecordingSource<'s> {
    fn from(address: &'s String) -> Self {
        Self::from(address.as_str())
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
