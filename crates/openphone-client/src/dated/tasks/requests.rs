//! What is sent about tasks.

use chrono::{DateTime, Utc};
use connector_http::{masked_debug, setters};
use serde::Serialize;

use super::models::TaskStatus;
use crate::check::Check;
use crate::dated::query::check_limit;
use crate::ids::{ConversationId, UserId};
use crate::timestamp;

/// Tasks come in larger pages than everything else.
const MAX_LIMIT: u32 = 100;

/// A task to be created, about a conversation. About a number, a call or a text only API v1 makes one.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewTask {
    /// What it is about.
    pub conversation_id: ConversationId,
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
    shown: [conversation_id, due_date, assigned_to],
    masked: [title, description],
});

impl NewTask {
    /// Describes a task about a conversation.
    pub fn new(
        conversation: impl Into<ConversationId>,
        title: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            conversation_id: conversation.into(),
            title: title.into(),
            description: description.into(),
            due_date: None,
            assigned_to: None,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.id(self.conversation_id.as_str(), "/conversationId");
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

/// Which tasks to list: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTasks {
    /// How many per page: 1 to 100, the default.
    pub limit: u32,
}

impl ListTasks {
    /// Asks for all tasks.
    pub fn new() -> Self {
        Self { limit: MAX_LIMIT }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        check
    }
}

setters! { ListTasks {
    /// Sets how many tasks a page holds.
    limit: u32,
} }

impl Default for ListTasks {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Serialize)]
pub(super) struct NewStatus<'a> {
    pub(super) status: &'a TaskStatus,
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
