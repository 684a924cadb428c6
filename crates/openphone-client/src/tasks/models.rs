//! What the vendor answers about tasks.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{ActivityId, ConversationId, PhoneNumberId, TaskId, UserId};
use crate::page::null_as_default;

/// A task.
///
/// `Debug` prints ids, states and times; of title and description only whether they are there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Task {
    /// The vendor's id.
    #[serde(rename = "taskId")]
    pub id: TaskId,
    /// The workspace.
    pub org_id: Option<String>,
    /// What is to be done.
    pub title: Option<String>,
    /// In more words.
    pub description: Option<String>,
    /// When it is due.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub due_date: Option<DateTime<Utc>>,
    /// Whether it is done.
    pub completed: bool,
    /// Whether it was deleted.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_deleted: bool,
    /// Who is to do it.
    pub assigned_to: Option<UserId>,
    /// Who said so.
    pub assigned_by: Option<UserId>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub created_at: DateTime<Utc>,
    /// The number of yours it is about.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The conversation it is about.
    pub conversation_id: Option<ConversationId>,
    /// The call or text it is about.
    pub activity_id: Option<ActivityId>,
    /// The group of that number.
    pub phone_number_group_id: Option<String>,
    /// Which version of the task this is.
    #[serde(deserialize_with = "text_of_number_or_text")]
    pub revision: String,
}

masked_debug!(Task {
    shown: [
        id,
        org_id,
        due_date,
        completed,
        is_deleted,
        assigned_to,
        assigned_by,
        created_by,
        created_at,
        phone_number_id,
        conversation_id,
        activity_id,
        phone_number_group_id,
        revision,
    ],
    masked: [title, description],
});

/// What came of a change: a new version of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskRevision {
    /// The task.
    #[serde(rename = "taskId")]
    pub id: TaskId,
    /// Which version of it there is now.
    #[serde(deserialize_with = "text_of_number_or_text")]
    pub revision: String,
}

/// What came of creating a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreatedTask {
    /// The vendor's id.
    #[serde(rename = "taskId")]
    pub id: TaskId,
    /// Its first version.
    #[serde(deserialize_with = "text_of_number_or_text")]
    pub revision: String,
    /// The number of yours it ended up with, also when it is about something else.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The conversation it is about.
    pub conversation_id: Option<ConversationId>,
    /// The call or text it is about.
    pub activity_id: Option<ActivityId>,
}

/// Reads a revision, which is a text here and an integer in the dated API.
fn text_of_number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u64),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}
