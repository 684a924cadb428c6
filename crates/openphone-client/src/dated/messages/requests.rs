//! What is asked of messages.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};

use crate::check::Check;
use crate::dated::page::MAX_LIMIT;
use crate::dated::query::{check_limit, check_span, check_value, check_values};
use crate::ids::{PhoneNumberId, UserId};
use crate::messages::{MessageDirection, MessageStatus};

/// Which messages to list: all of the workspace, unless told otherwise.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListMessages {
    /// Only those from this number, in E.164 form.
    pub from: Option<String>,
    /// Only those to this number, in E.164 form, whoever else received them.
    pub to: Option<String>,
    /// Only those to exactly these numbers, in E.164 form: a group text to all of them and nobody else.
    pub to_all: Vec<String>,
    /// Only those that got this far.
    pub status: Option<MessageStatus>,
    /// Only those that went this way.
    pub direction: Option<MessageDirection>,
    /// Only those of this number of yours.
    pub phone_number_id: Option<PhoneNumberId>,
    /// Only those this user sent.
    pub user_id: Option<UserId>,
    /// Only those after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Only those before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

masked_debug!(ListMessages {
    shown: [
        status,
        direction,
        phone_number_id,
        user_id,
        created_after,
        created_before,
        limit,
    ],
    masked: [from, to, to_all],
});

impl ListMessages {
    /// Asks for all messages.
    pub fn new() -> Self {
        Self {
            from: None,
            to: None,
            to_all: Vec::new(),
            status: None,
            direction: None,
            phone_number_id: None,
            user_id: None,
            created_after: None,
            created_before: None,
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        check_value(&mut check, self.from.as_ref(), "/from");
        check_value(&mut check, self.to.as_ref(), "/to");
        check_values(&mut check, &self.to_all, "/to[all]");
        let either = self.to.is_none() || self.to_all.is_empty();
        check.require(either, "/to", "must not stand beside /to[all]");
        check_value(&mut check, self.phone_number_id.as_ref(), "/phoneNumberId");
        check_value(&mut check, self.user_id.as_ref(), "/userId");
        check_span(
            &mut check,
            self.created_after,
            self.created_before,
            "/createdAt[lt]",
        );
        check
    }
}

setters! { ListMessages {
    /// Asks for those from this number.
    from: Option<String>,
    /// Asks for those to this number.
    to: Option<String>,
    /// Asks for those to exactly these numbers.
    to_all: Vec<String>,
    /// Asks for those that got this far.
    status: Option<MessageStatus>,
    /// Asks for those that went this way.
    direction: Option<MessageDirection>,
    /// Asks for those of this number of yours.
    phone_number_id: Option<PhoneNumberId>,
    /// Asks for those this user sent.
    user_id: Option<UserId>,
    /// Asks for those after this time.
    created_after: Option<DateTime<Utc>>,
    /// Asks for those before this time.
    created_before: Option<DateTime<Utc>>,
    /// Sets how many messages a page holds.
    limit: u32,
} }

impl Default for ListMessages {
    fn default() -> Self {
        Self::new()
    }
}
