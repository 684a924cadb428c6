//! What the vendor answers about conversations.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::ids::{ActivityId, ConversationId, PhoneNumberId, UserId};
use crate::page::null_as_default;

/// A conversation between one of your numbers and one or more others.
///
/// Whether it is open, done or unread cannot be read, only set. Nor does the vendor tell threads of
/// texts from threads of calls.
///
/// `Debug` prints ids and times; of everything personal only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Conversation {
    /// The vendor's id.
    pub id: ConversationId,
    /// Your number.
    pub phone_number_id: PhoneNumberId,
    /// The other numbers, **without yours**. Usually E.164, but short codes and `anonymous` are
    /// possible.
    #[serde(default, deserialize_with = "null_as_default")]
    pub participants: Vec<String>,
    /// The name somebody gave it in the app.
    pub name: Option<String>,
    /// The user, or automatic actor, it is assigned to.
    pub assigned_to: Option<UserId>,
    /// When something last happened in it.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub last_activity_at: Option<DateTime<Utc>>,
    /// The call or message that was.
    pub last_activity_id: Option<ActivityId>,
    /// Until when it is muted.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub muted_until: Option<DateTime<Utc>>,
    /// Until when it is snoozed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub snoozed_until: Option<DateTime<Utc>>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub deleted_at: Option<DateTime<Utc>>,
}

masked_debug!(Conversation {
    shown: [
        id,
        phone_number_id,
        assigned_to,
        last_activity_at,
        last_activity_id,
        muted_until,
        snoozed_until,
        created_at,
        updated_at,
        deleted_at,
    ],
    masked: [participants, name],
});
