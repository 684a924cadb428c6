//! What happened, in one shape for every generation of payloads.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use integration_core::webhook::{Verified, WebhookError};

use super::call::CallEvent;
use super::contact::ContactEvent;
use super::envelope::{self, Family, Payload};
use super::message::MessageEvent;
use super::summary::CallSummaryEvent;
use super::task::TaskEvent;
use super::transcript::CallTranscriptEvent;

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

/// What an event is about.
pub(super) trait Subject: fmt::Debug {
    /// Its id; a call's, of what belongs to a call.
    fn id(&self) -> &str;
}

/// Declares the events that have a type: variant, what it is about, the vendor's name.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident: $family:ident($subject:ident) = $name:literal,)+) => {
        connector_http::open_enum! {
            /// The name of an event, in the vendor's words of today.
            pub enum EventName {
                $($(#[$doc])* $variant = $name,)+
            }
        }

        /// What happened.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[$doc])* $variant(Box<$subject>),)+
            /// An event without a type of its own here, kept whole.
            Unknown {
                /// The vendor's name of it, such as `integration.created`.
                kind: String,
                /// The whole delivery.
                raw: serde_json::Value,
            },
        }

        impl EventName {
            /// Tells what `data` of such an event holds.
            pub(super) fn family(&self) -> Option<Family> {
                match self {
                    $(Self::$variant => Some(Family::$family),)+
                    Self::Unknown(_) => None,
                }
            }
        }

        impl EventKind {
            /// Joins what happened and what it happened to; `None` if they do not belong together.
            pub(super) fn of(name: &EventName, payload: Payload) -> Option<Self> {
                match (name, payload) {
                    $((EventName::$variant, Payload::$family(subject)) => Some(Self::$variant(subject)),)+
                    _ => None,
                }
            }

            /// Returns the vendor's name of the event, such as `message.received`.
            ///
            /// Where the vendor has several names for one event, it is that of dated webhooks: `call.summary.completed`
            /// also of what `v4` samples call `callSummary`.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)+
                    Self::Unknown { kind, .. } => kind,
                }
            }

            fn subject(&self) -> Option<&dyn Subject> {
                match self {
                    $(Self::$variant(subject) => Some(&**subject),)+
                    Self::Unknown { .. } => None,
                }
            }
        }
    };
}

events! {
    /// A text came in (`message.received`).
    MessageReceived: Message(MessageEvent) = "message.received",
    /// A text reached the phone (`message.delivered`).
    MessageDelivered: Message(MessageEvent) = "message.delivered",
    /// A text could not be sent (`message.failed`, dated only).
    MessageFailed: Message(MessageEvent) = "message.failed",
    /// The carrier did not deliver a text (`message.undelivered`, dated only).
    MessageUndelivered: Message(MessageEvent) = "message.undelivered",
    /// A call rings (`call.ringing`).
    CallRinging: Call(CallEvent) = "call.ringing",
    /// A call was answered (`call.answered`, dated only).
    CallAnswered: Call(CallEvent) = "call.answered",
    /// A call ended, answered or not (`call.completed`).
    CallCompleted: Call(CallEvent) = "call.completed",
    /// Nobody answered (`call.missed`, dated only; see [`CallEvent::was_missed`]).
    CallMissed: Call(CallEvent) = "call.missed",
    /// A call went on to another number (`call.forwarded`, dated only).
    CallForwarded: Call(CallEvent) = "call.forwarded",
    /// The caller chose from the phone menu (`call.menu.selected`, dated only).
    CallMenuSelected: Call(CallEvent) = "call.menu.selected",
    /// The recording of a call is ready, minutes after it ended (`call.recording.completed`).
    CallRecordingCompleted: Call(CallEvent) = "call.recording.completed",
    /// A voicemail is ready (`call.voicemail.completed`, dated only; `v2` has it on the completed call).
    CallVoicemailCompleted: Call(CallEvent) = "call.voicemail.completed",
    /// The summary of a call is ready (`call.summary.completed`, in the documents of `v4` `callSummary`).
    CallSummaryCompleted: Summary(CallSummaryEvent) = "call.summary.completed",
    /// The transcript of a call is ready (`call.transcript.completed`, in the documents of `v4` `callTranscript`).
    CallTranscriptCompleted: Transcript(CallTranscriptEvent) = "call.transcript.completed",
    /// A contact was changed, or made (`contact.updated`).
    ContactUpdated: Contact(ContactEvent) = "contact.updated",
    /// A contact was deleted (`contact.deleted`).
    ContactDeleted: Contact(ContactEvent) = "contact.deleted",
    /// A task was made (`task.created`).
    TaskCreated: Task(TaskEvent) = "task.created",
    /// The words of a task were changed (`task.updated`).
    TaskUpdated: Task(TaskEvent) = "task.updated",
    /// A task was deleted (`task.deleted`).
    TaskDeleted: Task(TaskEvent) = "task.deleted",
    /// A task was done (`task.completed`).
    TaskCompleted: Task(TaskEvent) = "task.completed",
    /// A task is to be done after all (`task.reopened`).
    TaskReopened: Task(TaskEvent) = "task.reopened",
    /// A task was given to somebody (`task.assigned`).
    TaskAssigned: Task(TaskEvent) = "task.assigned",
    /// A task was taken from somebody (`task.unassigned`).
    TaskUnassigned: Task(TaskEvent) = "task.unassigned",
    /// The time of a task has passed (`task.overdue`).
    TaskOverdue: Task(TaskEvent) = "task.overdue",
    /// A task was linked to a conversation (`task.linked`).
    TaskLinked: Task(TaskEvent) = "task.linked",
    /// A task was parted from a conversation (`task.unlinked`).
    TaskUnlinked: Task(TaskEvent) = "task.unlinked",
    /// A task is due at another time (`task.duedate.updated`, from the app `task.due_date_changed`).
    TaskDueDateUpdated: Task(TaskEvent) = "task.duedate.updated",
    /// A task is due at no time any more (`task.duedate.removed`, from the app `task.due_date_removed`).
    TaskDueDateRemoved: Task(TaskEvent) = "task.duedate.removed",
}

impl EventName {
    /// Reads a name of any generation.
    pub(super) fn read(name: &str) -> Self {
        match name {
            "callSummary" => Self::CallSummaryCompleted,
            "callTranscript" => Self::CallTranscriptCompleted,
            "task.due_date_changed" => Self::TaskDueDateUpdated,
            "task.due_date_removed" => Self::TaskDueDateRemoved,
            name => Self::from(name),
        }
    }
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
    /// makes it one, such as the message and its id. The error says where, and nothing of what stood there. Tasks of
    /// app webhooks, whose payload the vendor does not document, are [kept](EventKind::Unknown) instead.
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

    /// Returns the id of the message, call, contact or task it is about, to process the events of one in order. Of a
    /// recording, a voicemail, a summary or a transcript, it is the id of its call.
    pub fn object_id(&self) -> Option<&str> {
        self.kind.subject().map(Subject::id)
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

impl fmt::Debug for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject() {
            Some(subject) => f.debug_tuple(self.name()).field(&subject).finish(),
            None => f
                .debug_struct("Unknown")
                .field("kind", &self.name())
                .finish_non_exhaustive(),
        }
    }
}
