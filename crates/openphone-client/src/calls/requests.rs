//! What is asked of calls.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};

use crate::check::Check;
use crate::ids::{PhoneNumberId, UserId};

const MAX_RESULTS: u32 = 100;

/// Which calls to list: those between two numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListCalls {
    /// The id of your number.
    pub phone_number_id: PhoneNumberId,
    /// The other number, in E.164 form. The vendor takes exactly one.
    pub participant: String,
    /// The user in whose name the list is read: only calls this user may see. The vendor's default
    /// is the owner of the workspace.
    pub user_id: Option<UserId>,
    /// Only calls after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Only calls before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// How many per page: 1 to 100, the default.
    pub max_results: u32,
}

masked_debug!(ListCalls {
    shown: [
        phone_number_id,
        user_id,
        created_after,
        created_before,
        max_results
    ],
    masked: [participant],
});

impl ListCalls {
    /// Asks for the calls between your number and one other.
    pub fn new(phone_number_id: impl Into<PhoneNumberId>, participant: impl Into<String>) -> Self {
        Self {
            phone_number_id: phone_number_id.into(),
            participant: participant.into(),
            user_id: None,
            created_after: None,
            created_before: None,
            max_results: MAX_RESULTS,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.page_size(self.max_results, MAX_RESULTS);
        check.id(self.phone_number_id.as_str(), "/phoneNumberId");
        check.id(&self.participant, "/participants/0");
        check.span("created", self.created_after, self.created_before);
        check
    }
}

setters! { ListCalls {
    /// Reads the list in the name of this user.
    user_id: Option<UserId>,
    /// Asks for calls after this time.
    created_after: Option<DateTime<Utc>>,
    /// Asks for calls before this time.
    created_before: Option<DateTime<Utc>>,
    /// Sets how many calls a page holds.
    max_results: u32,
} }
