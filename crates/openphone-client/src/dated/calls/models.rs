//! What the vendor answers about calls.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::calls::{AiHandler, CallDirection, CallRoute, CallStatus};
use crate::ids::{CallId, PhoneNumberId, RecordingId, UserId};
use crate::page::null_as_default;
use crate::summaries::{ProcessingStatus, SummaryJob};
use crate::voicemails::Voicemail;

/// A call. (`Call` is what every method of this crate returns.)
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneCall {
    /// The vendor's id.
    pub id: CallId,
    /// Which of your numbers it went through.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The user, or automatic actor, it belongs to.
    pub actor_id: Option<UserId>,
    /// Which way it went.
    pub direction: CallDirection,
    /// How far it got.
    pub status: CallStatus,
    /// Both ends, **your number included**.
    #[serde(default, deserialize_with = "null_as_default")]
    pub participants: Vec<CallParticipant>,
    /// When it began.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When its record last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was answered, if it was.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub answered_at: Option<DateTime<Utc>>,
    /// Who of yours answered an incoming call.
    pub answered_by: Option<UserId>,
    /// Who of yours made an outgoing call.
    pub initiated_by: Option<UserId>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub completed_at: Option<DateTime<Utc>>,
    /// How long it took, in whole seconds.
    pub duration: Option<u64>,
    /// From where it was forwarded: a number, or the id of a user.
    pub forwarded_from: Option<String>,
    /// Where it was forwarded to: a number, or the id of a user.
    pub forwarded_to: Option<String>,
    /// How an incoming call reached its user.
    pub call_route: Option<CallRoute>,
    /// What answered it, if no person did.
    pub ai_handled: Option<AiHandler>,
    /// Its summary, where [`CallPart::Summary`](super::CallPart::Summary) was asked for and there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<CallSummary>,
    /// Its voicemail, where [`CallPart::Voicemail`](super::CallPart::Voicemail) was asked for and there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<Voicemail>,
}

impl PhoneCall {
    /// Tells whether somebody, or something, answered.
    pub fn is_answered(&self) -> bool {
        self.answered_at.is_some()
    }
}

masked_debug!(PhoneCall {
    shown: [
        id,
        phone_number_id,
        actor_id,
        direction,
        status,
        created_at,
        updated_at,
        answered_at,
        answered_by,
        initiated_by,
        completed_at,
        duration,
        call_route,
        ai_handled,
        summary,
        voicemail,
    ],
    masked: [participants, forwarded_from, forwarded_to],
});

/// One end of a call.
///
/// `Debug` prints the actor; of the number only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallParticipant {
    /// The number. Usually E.164, but short codes and `anonymous` are possible.
    pub phone_number: Option<String>,
    /// The user, or automatic actor, at this end; `None` for the other side.
    pub actor_id: Option<UserId>,
}

masked_debug!(CallParticipant {
    shown: [actor_id],
    masked: [phone_number],
});

/// The summary of a call.
///
/// `Debug` prints state and kind; of what was said only how much there is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallSummary {
    /// How far it is.
    pub status: ProcessingStatus,
    /// Who was on your side of the call.
    #[serde(rename = "type")]
    pub kind: Option<SummaryKind>,
    /// What it is about, in a few words.
    pub title: Option<String>,
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
    shown: [status, kind],
    masked: [title, summary, next_steps, jobs],
});

connector_http::open_enum! {
    /// Who was on your side of a call.
    pub enum SummaryKind {
        /// A person.
        Human = "human",
        /// The vendor's voice agent.
        Agent = "agent",
    }
}

/// The transcript of one recording of a call.
///
/// `Debug` prints the recording, the state and times; of what was said only how much there is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Transcript {
    /// The recording. A call has several when recording was stopped and started again.
    pub recording_id: Option<RecordingId>,
    /// How far it is.
    pub status: ProcessingStatus,
    /// When the recording began.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub start_time: Option<DateTime<Utc>>,
    /// When the transcript was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// How long the recording is, in seconds.
    pub duration: Option<f64>,
    /// Who said what, in order.
    #[serde(default, deserialize_with = "null_as_default")]
    pub dialogue: Vec<TranscriptLine>,
}

masked_debug!(Transcript {
    shown: [recording_id, status, start_time, created_at, duration],
    masked: [dialogue],
});

/// What one person said in one go.
///
/// `Debug` prints times and the actor; of words and number only whether they are there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TranscriptLine {
    /// The words.
    #[serde(default, deserialize_with = "null_as_default")]
    pub content: String,
    /// When it began, in seconds from the start of the recording.
    pub start: Option<f64>,
    /// When it ended, in seconds from the start of the recording.
    pub end: Option<f64>,
    /// The number of whoever spoke.
    pub identifier: Option<String>,
    /// The user, or automatic actor, who spoke; `None` for the other side.
    pub actor_id: Option<UserId>,
}

masked_debug!(TranscriptLine {
    shown: [start, end, actor_id],
    masked: [content, identifier],
});
