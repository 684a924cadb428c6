//! What the vendor answers about calls.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use crate::ids::{CallId, PhoneNumberId, UserId};
use crate::page::null_as_default;

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
    /// The user it belongs to.
    pub user_id: Option<UserId>,
    /// Which way it went.
    pub direction: CallDirection,
    /// How far it got.
    pub status: CallStatus,
    /// Both ends, **your number included**. Usually E.164, but short codes and `anonymous` are
    /// possible, and so is nobody.
    #[serde(default, deserialize_with = "null_as_default")]
    pub participants: Vec<String>,
    /// When it began.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// When its record last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was answered. `None` is how API v1 tells a missed call, whatever the status.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub answered_at: Option<DateTime<Utc>>,
    /// Who of your users answered an incoming call.
    pub answered_by: Option<UserId>,
    /// Who of your users made an outgoing call.
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
        user_id,
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
    ],
    masked: [participants, forwarded_from, forwarded_to],
});

connector_http::open_enum! {
    /// Which way a call went.
    pub enum CallDirection {
        /// To one of your numbers.
        Incoming = "incoming",
        /// From one of your numbers.
        Outgoing = "outgoing",
    }
}

connector_http::open_enum! {
    /// How far a call got.
    ///
    /// The vendor does not say how `completed`, `answered`, `missed` and `no-answer` differ; whether
    /// somebody answered, [`PhoneCall::is_answered`] tells.
    pub enum CallStatus {
        /// It waits to be placed.
        Queued = "queued",
        /// It is being placed.
        Initiated = "initiated",
        /// It rings.
        Ringing = "ringing",
        /// People talk.
        InProgress = "in-progress",
        /// It is over.
        Completed = "completed",
        /// The other end was busy.
        Busy = "busy",
        /// It could not be placed.
        Failed = "failed",
        /// Nobody answered.
        NoAnswer = "no-answer",
        /// The caller hung up before it was answered.
        Canceled = "canceled",
        /// Nobody of yours answered.
        Missed = "missed",
        /// Somebody answered.
        Answered = "answered",
        /// It was passed on.
        Forwarded = "forwarded",
        /// The caller gave up.
        Abandoned = "abandoned",
    }
}

connector_http::open_enum! {
    /// How an incoming call reached its user.
    pub enum CallRoute {
        /// The number was dialled.
        PhoneNumber = "phone-number",
        /// Through a phone menu.
        PhoneMenu = "phone-menu",
    }
}

connector_http::open_enum! {
    /// What answers calls in place of a person.
    pub enum AiHandler {
        /// The vendor's voice agent.
        AiAgent = "ai-agent",
    }
}
