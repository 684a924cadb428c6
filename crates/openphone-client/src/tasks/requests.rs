//! What is sent about tasks.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};
use serde::Serialize;

use crate::check::Check;
use crate::ids::{ActivityId, CallId, ConversationId, MessageId, PhoneNumberId, UserId};
use crate::timestamp;

const MAX_RESULTS: u32 = 100;

/// A task to be created.
///
/// ```
/// use openphone_client::{CallId, NewTask, PhoneNumberId};
///
/// let call_back = NewTask::new(CallId::from("ACabc401"), "Call back", "About the delivery.");
/// let check = NewTask::new(PhoneNumberId::from("PNabc101"), "Check the greeting", "");
/// # drop((call_back, check));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewTask {
    /// What it is about.
    #[serde(flatten)]
    pub about: TaskTarget,
    /// What is to be done.
    pub title: String,
    /// In more words.
    pub description: String,
    /// When it is due.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "timestamp::serialize_opt"
    )]
    pub due_date: Option<DateTime<Utc>>,
    /// Who is to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
}

masked_debug!(NewTask {
    shown: [about, due_date, assigned_to],
    masked: [title, description],
});

impl NewTask {
    /// Describes a task about a number of yours, a conversation, a call or a text.
    pub fn new(
        about: impl Into<TaskTarget>,
        title: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            about: about.into(),
            title: title.into(),
            description: description.into(),
            due_date: None,
            assigned_to: None,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        match &self.about {
            TaskTarget::PhoneNumber(id) => check.id(id.as_str(), "/phoneNumberId"),
            TaskTarget::Conversation(id) => check.id(id.as_str(), "/conversationId"),
            TaskTarget::Activity(id) => check.id(id.as_str(), "/activityId"),
        }
        if let Some(user) = &self.assigned_to {
            check.id(user.as_str(), "/assignedTo");
        }
        check
    }
}

setters! { NewTask {
    /// Sets when it is due.
    due_date: Option<DateTime<Utc>>,
    /// Sets who is to do it.
    assigned_to: Option<UserId>,
} }

/// What a task is about: exactly one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum TaskTarget {
    /// A number of yours.
    #[serde(rename = "phoneNumberId")]
    PhoneNumber(PhoneNumberId),
    /// A conversation.
    #[serde(rename = "conversationId")]
    Conversation(ConversationId),
    /// A call or a text.
    #[serde(rename = "activityId")]
    Activity(ActivityId),
}

impl From<PhoneNumberId> for TaskTarget {
    fn from(id: PhoneNumberId) -> Self {
        Self::PhoneNumber(id)
    }
}

impl From<ConversationId> for TaskTarget {
    fn from(id: ConversationId) -> Self {
        Self::Conversation(id)
    }
}

impl From<ActivityId> for TaskTarget {
    fn from(id: ActivityId) -> Self {
        Self::Activity(id)
    }
}

impl From<CallId> for TaskTarget {
    fn from(id: CallId) -> Self {
        Self::Activity(id.into())
    }
}

impl From<MessageId> for TaskTarget {
    fn from(id: MessageId) -> Self {
        Self::Activity(id.into())
    }
}

/// The new words of a task.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskText {
    /// What is to be done.
    pub title: String,
    /// In more words.
    pub description: String,
}

masked_debug!(TaskText {
    shown: [],
    masked: [title, description]
});

impl TaskText {
    /// Replaces both.
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
        }
    }
}

/// Which tasks to list: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTasks {
    /// How many per page: 1 to 100, the default.
    pub max_results: u32,
}

impl ListTasks {
    /// Asks for all tasks.
    pub fn new() -> Self {
        Self {
            max_results: MAX_RESULTS,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.page_size(self.max_results, MAX_RESULTS);
        check
    }
}

setters! { ListTasks {
    /// Sets how many tasks a page holds.
    max_results: u32,
} }

impl Default for ListTasks {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assignee<'a> {
    pub(super) user_id: &'a UserId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkedConversation<'a> {
    pub(super) conversation_id: &'a ConversationId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DueDate {
    #[serde(serialize_with = "timestamp::serialize")]
    pub(super) due_date: DateTime<Utc>,
}
