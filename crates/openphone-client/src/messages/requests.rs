//! What is sent about messages.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};
use serde::Serialize;

use super::segments::Segments;
use crate::check::{Check, is_e164, is_number_or_id, is_short_code};
use crate::ids::{PhoneNumberId, UserId};

const MAX_CONTENT: usize = 1600;
pub(crate) const MAX_PARTICIPANTS: usize = 10;
const MAX_RESULTS: u32 = 100;

/// A text message to be sent.
///
/// Text only: API v1 can send neither pictures nor later, and knows no sender name.
///
/// ```
/// use openphone_client::NewMessage;
///
/// let message = NewMessage::new("+12025550100", "+12025550143", "Your table is ready.");
/// assert_eq!(message.to, ["+12025550143"]);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewMessage {
    /// Your number: its id (`PN…`) or the number itself in E.164 form.
    pub from: String,
    /// Who gets it. **More than one recipient makes one group text**, in which everyone sees
    /// everyone's number and answers; it does not make several messages.
    pub to: Vec<String>,
    /// The text: 1 to 1,600 characters, one of them no blank.
    pub content: String,
    /// The user in whose name it is sent, who must be a member of the number. The vendor's default
    /// is the number's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Where the conversation goes in the inbox. By default it is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_inbox_status: Option<InboxStatus>,
}

masked_debug!(NewMessage {
    shown: [user_id, set_inbox_status],
    masked: [from, to, content]
});

impl NewMessage {
    /// Writes to one person.
    ///
    /// `from` is the id of one of your numbers or the number in E.164 form, `to` the recipient's
    /// number in E.164 form or a short code of 3 to 8 digits. The vendor would take any 15 characters here, also a name
    /// or a number without its country, and send the text who knows where.
    pub fn new(from: impl AsRef<str>, to: impl Into<String>, content: impl Into<String>) -> Self {
        Self::group(from, [to], content)
    }

    /// Writes to several people **in one group conversation**: everyone sees everyone's number and
    /// answers.
    ///
    /// To write to each alone, send one [`new`](Self::new) message per person.
    pub fn group(
        from: impl AsRef<str>,
        to: impl IntoIterator<Item: Into<String>>,
        content: impl Into<String>,
    ) -> Self {
        Self {
            from: from.as_ref().to_owned(),
            to: to.into_iter().map(Into::into).collect(),
            content: content.into(),
            user_id: None,
            set_inbox_status: None,
        }
    }

    /// Counts the SMS segments the text takes, per recipient. The vendor charges by segment.
    pub fn segments(&self) -> Segments {
        Segments::of(&self.content)
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.text(&self.content, MAX_CONTENT, "/content");
        check.require(
            is_number_or_id(&self.from),
            "/from",
            "must be the id (PN…) or E.164 form of one of your numbers",
        );
        let count = (1..=MAX_PARTICIPANTS).contains(&self.to.len());
        check.require(count, "/to", "must name 1 to 10 recipients");
        for (index, recipient) in self.to.iter().enumerate() {
            check.require(
                is_e164(recipient) || is_short_code(recipient),
                format!("/to/{index}"),
                "must be a number in E.164 form or a short code of 3 to 8 digits",
            );
        }
        check
    }
}

setters! { NewMessage {
    /// Sets the user in whose name the message is sent.
    user_id: Option<UserId>,
    /// Sets where the conversation goes in the inbox.
    set_inbox_status: Option<InboxStatus>,
} }

connector_http::open_enum! {
    /// Where a conversation goes in the inbox once the message is sent.
    pub enum InboxStatus {
        /// Among those that are done.
        Done = "done",
    }
}

/// Which messages to list: those of one conversation.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListMessages {
    /// The id of your number.
    pub phone_number_id: PhoneNumberId,
    /// The other numbers, 1 to 10 in E.164 form. Several mean the group conversation of exactly
    /// these, not the conversations with each.
    pub participants: Vec<String>,
    /// Only messages this user sent.
    pub user_id: Option<UserId>,
    /// Only messages after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Only messages before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// How many per page: 1 to 100, the default.
    pub max_results: u32,
}

masked_debug!(ListMessages {
    shown: [
        phone_number_id,
        user_id,
        created_after,
        created_before,
        max_results
    ],
    masked: [participants],
});

impl ListMessages {
    /// Asks for the conversation between your number and one other, or the group of several.
    pub fn new(
        phone_number_id: impl Into<PhoneNumberId>,
        participants: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        Self {
            phone_number_id: phone_number_id.into(),
            participants: participants.into_iter().map(Into::into).collect(),
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
        let count = (1..=MAX_PARTICIPANTS).contains(&self.participants.len());
        check.require(count, "/participants", "must name 1 to 10 numbers");
        for (index, participant) in self.participants.iter().enumerate() {
            check.id(participant, format!("/participants/{index}"));
        }
        check.span("created", self.created_after, self.created_before);
        check
    }
}

setters! { ListMessages {
    /// Asks for messages this user sent.
    user_id: Option<UserId>,
    /// Asks for messages after this time.
    created_after: Option<DateTime<Utc>>,
    /// Asks for messages before this time.
    created_before: Option<DateTime<Utc>>,
    /// Sets how many messages a page holds.
    max_results: u32,
} }
