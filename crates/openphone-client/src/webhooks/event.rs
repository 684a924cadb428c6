//! What happened, in one shape for every generation of payloads.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use integration_core::webhook::{Verified, WebhookError};

use super::call::CallEvent;
use super::contact::ContactEvent;
use super::envelope;
use super::message::MessageEvent;
use crate::masked::masked_debug;

connector_http::id_type! {
    /// The id of an event, usually `EV…`. Not of a delivery: every webhook of the workspace gets the same one.
    pub struct EventId;
}

connector_http::open_enum! {
    /// Which of the vendor's payload generations an event came in.
    pub enum Generation {
        /// Webhooks made in the app, older ones.
        V2 = "v2",
        /// Webhooks made in the app.
        V3 = "v3",
        /// Webhooks made over API v1.
        V4 = "v4",
        /// Webhooks made over the dated API, version 2026-03-30.
        Dated = "2026-03-30",
    }
}

/// A verified event.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The vendor's id of the event; every documented payload has one.
    pub id: Option<EventId>,
    /// What to recognise a repeated delivery by, see [`replay_id`](fn@replay_id).
    pub replay_id: String,
    /// Which generation of payloads it came in; an empty unknown one if it does not say.
    pub generation: Generation,
    /// When it happened. Deliveries come in no promised order: compare before overwriting.
    pub created_at: Option<DateTime<Utc>>,
    /// A link to the place in the vendor's app.
    pub link: Option<String>,
    /// What happened, and to what.
    pub kind: EventKind,
}

masked_debug!(Event {
    shown: [id, replay_id, generation, created_at, kind],
    masked: [link]
});

/// What happened.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A text came in (`message.received`).
    MessageReceived(Box<MessageEvent>),
    /// A text reached the phone (`message.delivered`).
    MessageDelivered(Box<MessageEvent>),
    /// A text could not be sent (`message.failed`, dated only).
    MessageFailed(Box<MessageEvent>),
    /// The carrier did not deliver a text (`message.undelivered`, dated only).
    MessageUndelivered(Box<MessageEvent>),
    /// A call rings (`call.ringing`).
    CallRinging(Box<CallEvent>),
    /// A call was answered (`call.answered`, dated only).
    CallAnswered(Box<CallEvent>),
    /// A call ended, answered or not (`call.completed`).
    CallCompleted(Box<CallEvent>),
    /// Nobody answered (`call.missed`, dated only; see [`CallEvent::was_missed`]).
    CallMissed(Box<CallEvent>),
    /// A call went on to another number (`call.forwarded`, dated only).
    CallForwarded(Box<CallEvent>),
    /// The caller chose from the phone menu (`call.menu.selected`, dated only).
    CallMenuSelected(Box<CallEvent>),
    /// The recording of a call is ready, minutes after it ended (`call.recording.completed`).
    CallRecordingCompleted(Box<CallEvent>),
    /// A voicemail is ready (`call.voicemail.completed`, dated only; `v2` has it on the completed call).
    CallVoicemailCompleted(Box<CallEvent>),
    /// A contact was changed, or made (`contact.updated`).
    ContactUpdated(Box<ContactEvent>),
    /// A contact was deleted (`contact.deleted`).
    ContactDeleted(Box<ContactEvent>),
    /// An event without a type of its own here, kept whole.
    Unknown {
        /// The vendor's name of it, such as `task.created`.
        kind: String,
        /// The whole delivery.
        raw: serde_json::Value,
    },
}

impl Event {
    /// Reads a verified delivery.
    ///
    /// ```
    /// # use openphone_client::webhooks::{Event, Verified, WebhookError};
    /// fn read(delivery: &Verified<'_>) -> Result<Event, WebhookError> {
    ///     Event::parse(delivery)
    /// }
    /// ```
    ///
    /// Bytes that nobody verified are not taken, and there is no other way to read an event:
    ///
    /// ```compile_fail,E0308
    /// # use openphone_client::webhooks::{Event, Verified, WebhookError};
    /// fn read(delivery: &[u8]) -> Result<Event, WebhookError> {
    ///     Event::parse(delivery)
    /// }
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use openphone_client::webhooks::Event;
    /// fn read(delivery: &[u8]) -> serde_json::Result<Event> {
    ///     serde_json::from_slice(delivery)
    /// }
    /// ```
    ///
    /// Events that are not known here are kept as [`EventKind::Unknown`], and so are states, kinds and fields that came
    /// later, each in its place.
    ///
    /// # Errors
    ///
    /// [`UnreadableBody`](super::WebhookErrorKind::UnreadableBody) if the body is no JSON object, or a known event lacks what
    /// makes it one, such as the message and its id. The error says where, and nothing of what stood there.
    pub fn parse(verified: &Verified<'_>) -> Result<Self, WebhookError> {
        let envelope = envelope::read(verified.body())?;
        let replay_id = replay_id_of(verified, || envelope.id.clone()).into_owned();
        Ok(Self {
            id: envelope.id,
            replay_id,
            generation: envelope
                .generation
                .unwrap_or_else(|| Generation::Unknown(String::new())),
            created_at: envelope.created_at,
            link: envelope.link,
            kind: envelope.kind,
        })
    }

    /// Returns the id of the message, call or contact it is about, to process the events of one in order.
    pub fn object_id(&self) -> Option<&str> {
        use EventKind as Kind;
        match &self.kind {
            Kind::MessageReceived(message)
            | Kind::MessageDelivered(message)
            | Kind::MessageFailed(message)
            | Kind::MessageUndelivered(message) => Some(message.id.as_str()),
            Kind::CallRinging(call)
            | Kind::CallAnswered(call)
            | Kind::CallCompleted(call)
            | Kind::CallMissed(call)
            | Kind::CallForwarded(call)
            | Kind::CallMenuSelected(call)
            | Kind::CallRecordingCompleted(call)
            | Kind::CallVoicemailCompleted(call) => Some(call.id.as_str()),
            Kind::ContactUpdated(contact) | Kind::ContactDeleted(contact) => {
                Some(contact.id.as_str())
            }
            Kind::Unknown { .. } => None,
        }
    }
}

/// Returns what to recognise a repeated delivery by, before or without parsing the event.
///
/// Of a dated webhook that is the signed `webhook-id` header, as the vendor documents (the id in the body is that of the
/// event, the same for every webhook). The legacy signature covers no such header, so it is the event's id in the
/// signed body; a URL that was registered twice, which the vendor allows, then counts once. A body without an id is
/// known by its SHA-256. An id that is a whole number is taken as its digits, and of several the last counts.
///
/// [`Event::replay_id`] is the same.
pub fn replay_id<'v>(verified: &'v Verified<'_>) -> Cow<'v, str> {
    replay_id_of(verified, || envelope::read_id(verified.body()))
}

/// The one rule, whoever reads the id from the body.
fn replay_id_of<'v>(
    verified: &'v Verified<'_>,
    event_id: impl FnOnce() -> Option<EventId>,
) -> Cow<'v, str> {
    match verified.replay_id() {
        Some(id) => Cow::Borrowed(id),
        None => event_id().map_or_else(|| verified.replay_key(), |id| id.into_string().into()),
    }
}

impl EventKind {
    /// Returns the vendor's name of the event, such as `message.received`.
    pub fn name(&self) -> &str {
        match self {
            Self::MessageReceived(_) => "message.received",
            Self::MessageDelivered(_) => "message.delivered",
            Self::MessageFailed(_) => "message.failed",
            Self::MessageUndelivered(_) => "message.undelivered",
            Self::CallRinging(_) => "call.ringing",
            Self::CallAnswered(_) => "call.answered",
            Self::CallCompleted(_) => "call.completed",
            Self::CallMissed(_) => "call.missed",
            Self::CallForwarded(_) => "call.forwarded",
            Self::CallMenuSelected(_) => "call.menu.selected",
            Self::CallRecordingCompleted(_) => "call.recording.completed",
            Self::CallVoicemailCompleted(_) => "call.voicemail.completed",
            Self::ContactUpdated(_) => "contact.updated",
            Self::ContactDeleted(_) => "contact.deleted",
            Self::Unknown { kind, .. } => kind,
        }
    }
}

impl fmt::Debug for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MessageReceived(message)
            | Self::MessageDelivered(message)
            | Self::MessageFailed(message)
            | Self::MessageUndelivered(message) => {
                f.debug_tuple(self.name()).field(message).finish()
            }
            Self::CallRinging(call)
            | Self::CallAnswered(call)
            | Self::CallCompleted(call)
            | Self::CallMissed(call)
            | Self::CallForwarded(call)
            | Self::CallMenuSelected(call)
            | Self::CallRecordingCompleted(call)
            | Self::CallVoicemailCompleted(call) => f.debug_tuple(self.name()).field(call).finish(),
            Self::ContactUpdated(contact) | Self::ContactDeleted(contact) => {
                f.debug_tuple(self.name()).field(contact).finish()
            }
            Self::Unknown { kind, raw: _ } => f
                .debug_struct("Unknown")
                .field("kind", kind)
                .finish_non_exhaustive(),
        }
    }
}
