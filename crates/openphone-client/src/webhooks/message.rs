//! Text messages in events.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::Deserialize;

use super::context::{Context, Direction, FromWire, Lookup, contacts};
use super::event::Subject;
use super::lenient;
use crate::ids::{ContactId, ConversationId, MessageId, PhoneNumberId, UserId};
use crate::messages::MessageMedia;

/// A message that came in, was delivered, or was not.
///
/// Words like STOP, by which people opt out, arrive as ordinary messages.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct MessageEvent {
    /// The vendor's id.
    pub id: MessageId,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// How far it got.
    pub status: Option<MessageEventStatus>,
    /// Why it was not delivered: the carrier's code.
    pub error_code: Option<String>,
    /// The text; empty for media alone, `None` if the payload has none.
    pub text: Option<String>,
    /// Who sent it. Usually E.164, but short codes and `anonymous` are possible.
    pub from: Option<String>,
    /// Who it went to. Several in a group text; empty if the payload does not say.
    pub to: Vec<String>,
    /// Pictures and other files; `None` if the payload does not say. The links may expire.
    pub media: Option<Vec<MessageMedia>>,
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
    /// When it was sent or received.
    pub created_at: Option<DateTime<Utc>>,
    /// When its status last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(MessageEvent {
    shown: [
        id,
        direction,
        status,
        error_code,
        contacts,
        phone_number_id,
        phone_number_type,
        conversation_id,
        user_id,
        org_id,
        created_at,
        updated_at,
    ],
    masked: [text, from, to, media],
});

connector_http::open_enum! {
    /// How far a message got. Dated payloads know more states than API v1.
    pub enum MessageEventStatus {
        /// The vendor has it and will send it.
        Queued = "queued",
        /// It waits for its time.
        Scheduled = "scheduled",
        /// The carrier took it.
        Accepted = "accepted",
        /// It is on its way out.
        Sending = "sending",
        /// The carrier has it.
        Sent = "sent",
        /// The phone has it.
        Delivered = "delivered",
        /// Some phones of a group have it.
        PartiallyDelivered = "partially_delivered",
        /// It was read.
        Read = "read",
        /// The carrier could not deliver it.
        Undelivered = "undelivered",
        /// It could not be sent.
        Failed = "failed",
        /// It was called back before it was sent.
        Canceled = "canceled",
        /// It is on its way in.
        Receiving = "receiving",
        /// It came in.
        Received = "received",
    }
}

/// The message as it stands in a payload of any generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireMessage {
    id: MessageId,
    #[serde(default, deserialize_with = "lenient::text")]
    direction: Option<Direction>,
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<MessageEventStatus>,
    #[serde(default, deserialize_with = "lenient::code")]
    error_code: Option<String>,
    /// `v4` and dated.
    text: Option<String>,
    /// `v2` and `v3`.
    body: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    from: Option<String>,
    /// A text in `v2` and live `v4`, a list in `v4` documents, one text with commas in `v3` group messages.
    #[serde(default, deserialize_with = "lenient::numbers")]
    to: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::readable")]
    media: Option<Vec<MessageMedia>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    contact_ids: Option<Vec<ContactId>>,
    #[serde(default, deserialize_with = "lenient::text")]
    contact_id: Option<ContactId>,
    #[serde(default, deserialize_with = "lenient::text")]
    phone_number_id: Option<PhoneNumberId>,
    #[serde(default, deserialize_with = "lenient::text")]
    conversation_id: Option<ConversationId>,
    #[serde(default, deserialize_with = "lenient::text")]
    user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::time")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    updated_at: Option<DateTime<Utc>>,
}

impl Subject for MessageEvent {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl FromWire for MessageEvent {
    type Wire = WireMessage;

    fn from_wire(message: Self::Wire, context: Context) -> Option<Self> {
        Some(Self {
            id: message.id,
            direction: message.direction,
            status: message.status,
            error_code: message.error_code,
            text: message.text.or(message.body),
            from: context.sender_identifier.or(message.from),
            to: context
                .recipient_identifiers
                .or(message.to)
                .unwrap_or_default(),
            media: message.media,
            contacts: contacts(context.contacts, message.contact_ids, message.contact_id),
            phone_number_id: context.phone_number_id.or(message.phone_number_id),
            phone_number_type: context.phone_number_type,
            conversation_id: context.conversation_id.or(message.conversation_id),
            user_id: context.user_id.or(message.user_id),
            org_id: context.org_id,
            created_at: message.created_at,
            updated_at: message.updated_at,
        })
    }
}
