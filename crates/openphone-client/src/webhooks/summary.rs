//! Summaries of calls in events.

use connector_http::masked_debug;
use serde::Deserialize;

use super::context::{Context, FromWire, Lookup, Participants, contacts, participants};
use super::event::Subject;
use super::lenient;
use crate::ids::{CallId, ContactId, ConversationId, PhoneNumberId, UserId};
use crate::summaries::{
    CallSummary, ProcessingStatus, SummaryJob, SummaryJobField, SummaryJobResult,
};

/// A call whose summary is ready.
///
/// `Debug` prints ids and states; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CallSummaryEvent {
    /// The summary, as [`Summaries::get`](crate::Summaries::get) returns it; its state is an empty unknown one if the
    /// payload has none.
    pub summary: CallSummary,
    /// Who called, where a dated payload says so.
    pub from: Option<String>,
    /// Whether the vendor's voice agent took the call; `v4` payloads do not say.
    pub handled_by_ai_agent: Option<bool>,
    /// Which of your users, or automatic actors, answered it.
    pub answered_by: Option<UserId>,
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

masked_debug!(CallSummaryEvent {
    shown: [
        summary,
        handled_by_ai_agent,
        answered_by,
        participants,
        contacts,
        phone_number_id,
        phone_number_type,
        conversation_id,
        user_id,
        org_id,
    ],
    masked: [from],
});

/// The summary as it stands in a payload of any generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSummary {
    call_id: CallId,
    /// `v4`.
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<ProcessingStatus>,
    /// Dated.
    #[serde(default, deserialize_with = "lenient::text")]
    processing_status: Option<ProcessingStatus>,
    #[serde(default, deserialize_with = "lenient::texts")]
    summary: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    next_steps: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::objects")]
    jobs: Option<Vec<WireJob>>,
    #[serde(default, deserialize_with = "lenient::number")]
    from_phone_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::truth")]
    handled_by_ai_agent: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    answered_by_user_id: Option<UserId>,
}

#[derive(Deserialize)]
struct WireJob {
    #[serde(default, deserialize_with = "lenient::text")]
    icon: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::object")]
    result: Option<WireResult>,
}

#[derive(Deserialize)]
struct WireResult {
    #[serde(default, deserialize_with = "lenient::objects")]
    data: Option<Vec<WireField>>,
}

#[derive(Deserialize)]
struct WireField {
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default)]
    value: serde_json::Value,
}

impl Subject for CallSummaryEvent {
    fn id(&self) -> &str {
        self.summary.call_id.as_str()
    }
}

impl FromWire for CallSummaryEvent {
    type Wire = WireSummary;

    fn from_wire(wire: Self::Wire, context: Context) -> Option<Self> {
        Some(Self {
            summary: CallSummary {
                call_id: wire.call_id,
                status: wire
                    .status
                    .or(wire.processing_status)
                    .unwrap_or_else(|| ProcessingStatus::Unknown(String::new())),
                summary: wire.summary.unwrap_or_default(),
                next_steps: wire.next_steps.unwrap_or_default(),
                jobs: all(wire.jobs),
            },
            from: wire.from_phone_number,
            handled_by_ai_agent: wire.handled_by_ai_agent,
            answered_by: wire.answered_by_user_id,
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

impl From<WireJob> for SummaryJob {
    fn from(job: WireJob) -> Self {
        Self {
            icon: job.icon,
            name: job.name,
            result: SummaryJobResult {
                data: all(job.result.and_then(|result| result.data)),
            },
        }
    }
}

impl From<WireField> for SummaryJobField {
    fn from(WireField { name, value }: WireField) -> Self {
        Self { name, value }
    }
}

fn all<W: Into<T>, T>(wire: Option<Vec<W>>) -> Vec<T> {
    wire.into_iter().flatten().map(Into::into).collect()
}
