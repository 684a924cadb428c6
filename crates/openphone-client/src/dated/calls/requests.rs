//! What is asked of calls.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};

use crate::calls::{CallDirection, CallStatus};
use crate::check::Check;
use crate::dated::page::MAX_LIMIT;
use crate::dated::query::{check_limit, check_span, check_value, check_values};
use crate::ids::{PhoneNumberId, UserId};

connector_http::open_enum! {
    /// What can be answered along with a call.
    pub enum CallPart {
        /// Its summary.
        Summary = "summary",
        /// Its voicemail.
        Voicemail = "voicemail",
    }
}

/// Which calls to list: all of the workspace, unless told otherwise.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListCalls {
    /// Only those of this number of yours.
    pub phone_number_id: Option<PhoneNumberId>,
    /// Only those of this user or automatic actor.
    pub actor_id: Option<UserId>,
    /// Only those with one of these numbers, in E.164 form.
    pub participants: Vec<String>,
    /// Only those that went this way.
    pub direction: Option<CallDirection>,
    /// Only those that got this far: one of these.
    pub statuses: Vec<CallStatus>,
    /// Only those begun at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Only those begun at this time or earlier.
    pub created_until: Option<DateTime<Utc>>,
    /// What to answer along with each call.
    pub include: Vec<CallPart>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

masked_debug!(ListCalls {
    shown: [
        phone_number_id,
        actor_id,
        direction,
        statuses,
        created_from,
        created_until,
        include,
        limit,
    ],
    masked: [participants],
});

impl ListCalls {
    /// Asks for all calls.
    pub fn new() -> Self {
        Self {
            phone_number_id: None,
            actor_id: None,
            participants: Vec::new(),
            direction: None,
            statuses: Vec::new(),
            created_from: None,
            created_until: None,
            include: Vec::new(),
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        check_value(&mut check, self.phone_number_id.as_ref(), "/phoneNumberId");
        check_value(&mut check, self.actor_id.as_ref(), "/actorId");
        check_values(&mut check, &self.participants, "/participant");
        check_values(
            &mut check,
            &texts(&self.statuses, CallStatus::as_str),
            "/status",
        );
        check_span(
            &mut check,
            self.created_from,
            self.created_until,
            "/createdAt[lte]",
        );
        check
    }
}

/// The vendor's words.
pub(super) fn texts<T>(values: &[T], text: fn(&T) -> &str) -> Vec<&str> {
    values.iter().map(text).collect()
}

setters! { ListCalls {
    /// Asks for those of this number of yours.
    phone_number_id: Option<PhoneNumberId>,
    /// Asks for those of this user or automatic actor.
    actor_id: Option<UserId>,
    /// Asks for those with one of these numbers.
    participants: Vec<String>,
    /// Asks for those that went this way.
    direction: Option<CallDirection>,
    /// Asks for those that got this far: one of these.
    statuses: Vec<CallStatus>,
    /// Asks for those begun at this time or later.
    created_from: Option<DateTime<Utc>>,
    /// Asks for those begun at this time or earlier.
    created_until: Option<DateTime<Utc>>,
    /// Sets what to answer along with each call.
    include: Vec<CallPart>,
    /// Sets how many calls a page holds.
    limit: u32,
} }

impl Default for ListCalls {
    fn default() -> Self {
        Self::new()
    }
}
