//! The voicemails left by callers.

use connector_http::{Call, masked_debug};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::ids::{CallId, VoicemailId};
use crate::page::Data;

connector_http::endpoints! {
    /// Reads the voicemail of one call.
    GET = "voicemails.get": GET "/v1/call-voicemails/{callId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/calls/get-a-voicemail-for-a-call (read 2026-11-21)";
}

/// The voicemails left by callers.
#[derive(Clone, Debug)]
pub struct Voicemails<'a> {
    client: &'a Client,
}

impl<'a> Voicemails<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Reads the voicemail of a call. A call has one at most.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such call, or the call no
    /// voicemail; [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, call: &CallId) -> Call<Voicemail> {
        self.client
            .http()
            .request(&GET)
            .path("callId", call)
            .fetch_map(Data::into_inner)
    }
}

/// A voicemail.
///
/// `Debug` prints id, state and length; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Voicemail {
    /// The vendor's id.
    pub id: VoicemailId,
    /// How far it is.
    pub status: VoicemailStatus,
    /// How long it is, in whole seconds.
    pub duration: Option<u64>,
    /// What was said.
    pub transcript: Option<String>,
    /// Where it can be listened to. [`Recordings::download`](crate::Recordings::download) takes it.
    pub recording_url: Option<String>,
}

masked_debug!(Voicemail {
    shown: [id, status, duration],
    masked: [transcript, recording_url],
});

connector_http::open_enum! {
    /// How far a voicemail is.
    pub enum VoicemailStatus {
        /// It can be listened to.
        Completed = "completed",
        /// It is being recorded or prepared.
        InProgress = "in-progress",
    }
}
