//! Transcripts of calls in events.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::Deserialize;

use super::context::{Context, FromWire, Lookup, Participants, contacts, participants};
use super::event::Subject;
use super::lenient;
use crate::ids::{CallId, ContactId, ConversationId, PhoneNumberId, UserId};
use crate::summaries::ProcessingStatus;
use crate::transcripts::{Transcript, TranscriptLine};

/// A call whose transcript is ready.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CallTranscriptEvent {
    /// The transcript, as [`Transcripts::get`](crate::Transcripts::get) returns it; its state is an empty unknown one
    /// if the payload has none.
    pub transcript: Transcript,
    /// Who took part. `v4` payloads do not say: fetching the call tells.
    pub participants: Lookup<Participants>,
    /// The contacts of your address book that have the other party's number.
    pub contacts: Lookup<Vec<ContactId>>,
    /// Which of your numbers it went through.
    pub phone_number_id: Option<PhoneNumberId>,
    /// Whether that number is shared or one user's, in the vendor's word.
    pub phone_number_type: Option<String>,
    /// The conversation it belongs to. `v4` payloads leave it out.
    pub conversation_id: Option<ConversationId>,
    /// Which of your users it concerns.
    pub user_id: Option<UserId>,
    /// The organisation.
    pub org_id: Option<String>,
}

masked_debug!(CallTranscriptEvent {
    shown: [
        transcript,
        participants,
        contacts,
        phone_number_id,
        phone_number_type,
        conversation_id,
        user_id,
        org_id,
    ],
    masked: [],
});

/// The transcript as it stands in a payload of any generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTranscript {
    call_id: CallId,
    /// `v4`.
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<ProcessingStatus>,
    /// Dated.
    #[serde(default, deserialize_with = "lenient::text")]
    processing_status: Option<ProcessingStatus>,
    #[serde(default, deserialize_with = "lenient::time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::fraction")]
    duration: Option<f64>,
    #[serde(default, deserialize_with = "lenient::objects")]
    dialogue: Option<Vec<WireLine>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLine {
    #[serde(default, deserialize_with = "lenient::text")]
    content: Option<String>,
    #[serde(default, deserialize_with = "lenient::fraction")]
    start: Option<f64>,
    #[serde(default, deserialize_with = "lenient::fraction")]
    end: Option<f64>,
    #[serde(default, deserialize_with = "lenient::number")]
    identifier: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    user_id: Option<UserId>,
}

impl Subject for CallTranscriptEvent {
    fn id(&self) -> &str {
        self.transcript.call_id.as_str()
    }
}

impl FromWire for CallTranscriptEvent {
    type Wire = WireTranscript;

    fn from_wire(wire: Self::Wire, context: Context) -> Option<Self> {
        Some(Self {
            transcript: Transcript {
                call_id: wire.call_id,
                status: wire
                    .status
                    .or(wire.processing_status)
                    .unwrap_or_else(|| ProcessingStatus::Unknown(String::new())),
                created_at: wire.created_at,
                duration: wire.duration,
                dialogue: wire
                    .dialogue
                    .into_iter()
                    .flatten()
                    .map(TranscriptLine::from)
                    .collect(),
            },
            participants: participants(context.participants, || Lookup::NotReported),
            contacts: contacts(context.contacts, None, None),
            phone_number_id: context.phone_number_id,
            phone_number_type: context.phone_number_type,
            conversation_id: context.conversation_id,
            user_id: context.user_id,
            org_id: context.org_id,
        })
    }
}

impl From<WireLine> for TranscriptLine {
    fn from(line: WireLine) -> Self {
        Self {
            content: line.content.unwrap_or_default(),
            start: line.start,
            end: line.end,
            identifier: line.identifier,
            user_id: line.user_id,
        }
    }
}
