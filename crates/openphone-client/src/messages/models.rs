//! What the vendor answers about messages.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::ids::{ConversationId, MessageId, PhoneNumberId, UserId};
use crate::page::null_as_default;

/// A text message.
///
/// `Debug` prints ids, states and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// The vendor's id.
    pub id: MessageId,
    /// Who received it. Usually E.164, but short codes are possible.
    #[serde(default, deserialize_with = "null_as_default")]
    pub to: Vec<String>,
    /// Who sent it. Usually E.164, but short codes and `anonymous` are possible.
    pub from: String,
    /// The text; empty for a message of media alone.
    #[serde(default, deserialize_with = "null_as_default")]
    pub text: String,
    /// Which of your numbers it went through.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The conversation it belongs to.
    pub conversation_id: Option<ConversationId>,
    /// Which way it went.
    pub direction: MessageDirection,
    /// Who of your users sent it; `None` for incoming ones.
    pub user_id: Option<UserId>,
    /// How far it got.
    pub status: MessageStatus,
    /// Pictures and other files. The links are the vendor's and may expire.
    #[serde(default, deserialize_with = "null_as_default")]
    pub media: Vec<MessageMedia>,
    /// When it was sent or received.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When its status last changed.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub updated_at: DateTime<Utc>,
}

masked_debug!(Message {
    shown: [
        id,
        phone_number_id,
        conversation_id,
        direction,
        user_id,
        status,
        created_at,
        updated_at,
    ],
    masked: [to, from, text, media],
});

/// A file sent along with a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MessageMedia {
    /// Where it lies.
    pub url: Option<String>,
    /// Its media type, like `image/jpeg`.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
}

masked_debug!(MessageMedia {
    shown: [media_type],
    masked: [url]
});

connector_http::open_enum! {
    /// Which way a message went.
    pub enum MessageDirection {
        /// To one of your numbers.
        Incoming = "incoming",
        /// From one of your numbers.
        Outgoing = "outgoing",
    }
}

connector_http::open_enum! {
    /// How far a message got.
    pub enum MessageStatus {
        /// The vendor has it and will send it.
        Queued = "queued",
        /// The carrier has it.
        Sent = "sent",
        /// The phone has it.
        Delivered = "delivered",
        /// The carrier could not deliver it.
        Undelivered = "undelivered",
        /// It could not be sent. API v1 does not document it; the dated API does.
        Failed = "failed",
        /// It came in.
        Received = "received",
    }
}
