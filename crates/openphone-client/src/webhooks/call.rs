//! Calls in events.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::Deserialize;

use super::context::{Context, Direction, FromWire, Lookup, Participants, contacts, participants};
use super::event::Subject;
use super::lenient;
use crate::calls::AiHandler;
use crate::ids::{
    ActivityId, CallId, ContactId, ConversationId, PhoneNumberId, RecordingId, UserId, VoicemailId,
};
use crate::recordings::RecordingStatus;

/// A call that rings, was answered, ended, or got something added: a recording, a voicemail, a choice in the menu.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CallEvent {
    /// The vendor's id of the call.
    pub id: CallId,
    /// Which way it went; some events about a call do not say.
    pub direction: Option<Direction>,
    /// How it stands, or how it ended.
    pub status: Option<CallEventStatus>,
    /// More about the status, in the vendor's word.
    pub status_reason: Option<String>,
    /// Who took part. Live `v4` payloads sometimes leave it empty although there were two parties; that is
    /// [`Lookup::Unavailable`], and fetching the call tells.
    pub participants: Lookup<Participants>,
    /// The contacts of your address book that have the other party's number.
    pub contacts: Lookup<Vec<ContactId>>,
    /// How long it lasted, in seconds.
    pub duration: Option<u64>,
    /// Its recordings; `None` until the vendor has them.
    pub recordings: Option<Vec<Recording>>,
    /// What the caller left on the answering machine.
    pub voicemail: Option<Voicemail>,
    /// Whether there is a voicemail, where a payload says so without having it.
    pub has_voicemail: Option<bool>,
    /// The key that was pressed in the phone menu.
    pub menu_selection: Option<String>,
    /// What that key stands for.
    pub menu_selection_name: Option<String>,
    /// The number or user it was forwarded from.
    pub forwarded_from: Option<String>,
    /// The number or user it was forwarded to.
    pub forwarded_to: Option<String>,
    /// What answered it, if no person did.
    pub ai_handled: Option<AiHandler>,
    /// Which of your users, or automatic actors, answered it.
    pub answered_by: Option<UserId>,
    /// Which of your users placed it.
    pub initiated_by: Option<UserId>,
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
    /// When it began.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was answered; `None` also if it never was.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When the record last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(CallEvent {
    shown: [
        id,
        direction,
        status,
        status_reason,
        participants,
        contacts,
        duration,
        recordings,
        voicemail,
        has_voicemail,
        ai_handled,
        answered_by,
        initiated_by,
        phone_number_id,
        phone_number_type,
        conversation_id,
        user_id,
        org_id,
        created_at,
        answered_at,
        completed_at,
        updated_at,
    ],
    masked: [
        menu_selection,
        menu_selection_name,
        forwarded_from,
        forwarded_to
    ],
});

impl CallEvent {
    /// Says whether an ended incoming call was answered by nobody.
    ///
    /// API v1 has no event for a missed call: it is a `call.completed` that was never answered, with the status
    /// `no-answer` or `missed` or, in `v2`, just `completed`. Dated webhooks have `call.missed` besides. Calls that an
    /// agent or a forwarding took are not missed; one that was forwarded and that the vendor still says nobody answered
    /// is. A host that subscribed to both gets both for one call, with one id.
    pub fn was_missed(&self) -> bool {
        use CallEventStatus as Status;
        self.direction == Some(Direction::Incoming)
            && self.answered_at.is_none()
            && self.ai_handled.is_none()
            && match &self.status {
                Some(
                    Status::NoAnswer | Status::Missed | Status::Unanswered | Status::Abandoned,
                ) => true,
                Some(Status::Completed) | None => {
                    self.completed_at.is_some() && self.forwarded_to.is_none()
                }
                _ => false,
            }
    }
}

/// A recording of a call. The link is signed and expires: download it, do not store the link.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Recording {
    /// The vendor's id; `v2` has none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<RecordingId>,
    /// Where it lies.
    #[serde(default, deserialize_with = "lenient::text")]
    pub url: Option<String>,
    /// Its media type, like `audio/mpeg`.
    #[serde(rename = "type")]
    #[serde(default, deserialize_with = "lenient::text")]
    pub media_type: Option<String>,
    /// How long it is, in seconds.
    #[serde(default, deserialize_with = "lenient::seconds")]
    pub duration: Option<u64>,
    /// When it begins.
    #[serde(default, deserialize_with = "lenient::time")]
    pub start_time: Option<DateTime<Utc>>,
    /// How far it is.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: Option<RecordingStatus>,
}

masked_debug!(Recording {
    shown: [id, media_type, duration, start_time, status],
    masked: [url],
});

/// What a caller left on the answering machine.
#[derive(Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Voicemail {
    /// The vendor's id; `v2` has none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Option<VoicemailId>,
    /// The id under which dated payloads list it beside calls and messages.
    #[serde(skip)]
    pub activity_id: Option<ActivityId>,
    /// Where it lies.
    #[serde(default, deserialize_with = "lenient::text")]
    pub url: Option<String>,
    /// Its media type, like `audio/mpeg`.
    #[serde(rename = "type")]
    #[serde(default, deserialize_with = "lenient::text")]
    pub media_type: Option<String>,
    /// How long it is, in seconds.
    #[serde(default, deserialize_with = "lenient::seconds")]
    pub duration: Option<u64>,
    /// What was said, as far as the vendor understood it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub transcript: Option<String>,
}

masked_debug!(Voicemail {
    shown: [id, activity_id, media_type, duration],
    masked: [url, transcript]
});

connector_http::open_enum! {
    /// How a call stands. API v1 and dated payloads have words of their own.
    pub enum CallEventStatus {
        /// It waits to be placed.
        Queued = "queued",
        /// It is being placed.
        Initiated = "initiated",
        /// It rings.
        Ringing = "ringing",
        /// People talk.
        InProgress = "in-progress",
        /// It ended. In `v2` also when nobody answered.
        Completed = "completed",
        /// The other side was busy.
        Busy = "busy",
        /// It could not be placed.
        Failed = "failed",
        /// Nobody answered.
        NoAnswer = "no-answer",
        /// The caller gave up.
        Canceled = "canceled",
        /// Nobody answered.
        Missed = "missed",
        /// It was answered, and ended (dated).
        Answered = "answered",
        /// Nobody answered (dated).
        Unanswered = "unanswered",
        /// It went on to another number.
        Forwarded = "forwarded",
        /// The caller gave up while waiting.
        Abandoned = "abandoned",
        /// An agent that is no human took it (dated).
        AiHandled = "ai-handled",
        /// The vendor itself does not know: its word is `unknown`.
        Undetermined = "unknown",
    }
}

/// The call as it stands in a payload of any generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireCall {
    id: Option<CallId>,
    /// Of dated voicemails, whose own id is that of another activity: strict, so that it does not stand in.
    call_id: Option<CallId>,
    #[serde(default, deserialize_with = "lenient::text")]
    direction: Option<Direction>,
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<CallEventStatus>,
    #[serde(default, deserialize_with = "lenient::text")]
    status_reason: Option<String>,
    /// `v2` and `v3`.
    #[serde(default, deserialize_with = "lenient::number")]
    from: Option<String>,
    #[serde(default, deserialize_with = "lenient::numbers")]
    to: Option<Vec<String>>,
    /// `v4`.
    #[serde(default, deserialize_with = "lenient::numbers")]
    participants: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    contact_ids: Option<Vec<ContactId>>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    duration: Option<u64>,
    #[serde(default, deserialize_with = "lenient::objects")]
    recordings: Option<Vec<Recording>>,
    /// `v2` and `v3` recordings.
    #[serde(default, deserialize_with = "lenient::objects")]
    media: Option<Vec<Recording>>,
    #[serde(default, deserialize_with = "lenient::object")]
    voicemail: Option<Voicemail>,
    /// Of dated voicemails, beside the call's fields.
    #[serde(default, deserialize_with = "lenient::text")]
    voicemail_id: Option<VoicemailId>,
    #[serde(default, deserialize_with = "lenient::text")]
    recording_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    transcript: Option<String>,
    #[serde(default, deserialize_with = "lenient::truth")]
    has_voicemail: Option<bool>,
    #[serde(default, deserialize_with = "lenient::code")]
    phone_menu_selection: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    phone_menu_selection_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    forwarded_from: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    forwarded_to: Option<String>,
    #[serde(default, deserialize_with = "lenient::code")]
    ai_handled: Option<AiHandler>,
    #[serde(default, deserialize_with = "lenient::text")]
    answered_by: Option<UserId>,
    /// Dated.
    #[serde(default, deserialize_with = "lenient::text")]
    answered_by_user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    initiated_by: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    phone_number_id: Option<PhoneNumberId>,
    #[serde(default, deserialize_with = "lenient::text")]
    conversation_id: Option<ConversationId>,
    #[serde(default, deserialize_with = "lenient::text")]
    user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    answered_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    completed_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    updated_at: Option<DateTime<Utc>>,
}

impl Subject for CallEvent {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl FromWire for CallEvent {
    type Wire = WireCall;

    fn from_wire(mut call: Self::Wire, context: Context) -> Option<Self> {
        let voicemail = call.take_voicemail();
        let participants = participants(context.participants, || call.take_participants());
        Some(Self {
            id: call.call_id.or(call.id)?,
            direction: call.direction,
            status: call.status,
            status_reason: call.status_reason,
            participants,
            contacts: contacts(context.contacts, call.contact_ids, None),
            duration: call.duration,
            recordings: call
                .recordings
                .or(call.media.filter(|media| !media.is_empty())),
            voicemail,
            has_voicemail: call.has_voicemail,
            menu_selection: call.phone_menu_selection,
            menu_selection_name: call.phone_menu_selection_name,
            forwarded_from: call.forwarded_from,
            forwarded_to: call.forwarded_to,
            ai_handled: call.ai_handled,
            answered_by: call.answered_by.or(call.answered_by_user_id),
            initiated_by: call.initiated_by,
            phone_number_id: context.phone_number_id.or(call.phone_number_id),
            phone_number_type: context.phone_number_type,
            conversation_id: context.conversation_id.or(call.conversation_id),
            user_id: context.user_id.or(call.user_id),
            org_id: context.org_id,
            created_at: call.created_at,
            answered_at: call.answered_at,
            completed_at: call.completed_at,
            updated_at: call.updated_at,
        })
    }
}

impl WireCall {
    /// A dated voicemail is spread over the resource, whose `duration` is then the voicemail's.
    fn take_voicemail(&mut self) -> Option<Voicemail> {
        let Some(id) = self.voicemail_id.take() else {
            return self.voicemail.take();
        };
        Some(Voicemail {
            id: Some(id),
            activity_id: match (&self.call_id, &self.id) {
                (Some(_), Some(id)) => Some(id.as_str().into()),
                _ => None,
            },
            url: self.recording_url.take(),
            media_type: None,
            duration: self.duration.take(),
            transcript: self.transcript.take(),
        })
    }

    fn take_participants(&mut self) -> Lookup<Participants> {
        match self.participants.take() {
            Some(numbers) if numbers.is_empty() => Lookup::Unavailable,
            Some(unsorted) => Lookup::Known(Participants {
                unsorted,
                ..Participants::default()
            }),
            None => {
                let (from, to) = (self.from.take(), self.to.take());
                Participants::from_ends(self.direction.as_ref(), from, to)
                    .map_or(Lookup::NotReported, Lookup::Known)
            }
        }
    }
}
