//! What the vendor answers about tasks.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::dated::ids::OrganizationId;
use crate::ids::{ActivityId, ConversationId, PhoneNumberId, TaskId, UserId};

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
    pub org_id: Option<OrganizationId>,
    /// What is to be done.
    pub title: Option<String>,
    /// In more words.
    pub description: Option<String>,
    /// When it is due.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub due_date: Option<DateTime<Utc>>,
    /// How far it is.
    pub status: TaskStatus,
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
    #[serde(deserialize_with = "number_or_its_text")]
    pub revision: u64,
}

masked_debug!(Task {
    shown: [
        id,
        org_id,
        due_date,
        status,
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
    #[serde(deserialize_with = "number_or_its_text")]
    pub revision: u64,
}

connector_http::open_enum! {
    /// How far a task is.
    pub enum TaskStatus {
        /// It is to be done.
        Open = "open",
        /// It is done.
        Completed = "completed",
        /// It was deleted.
        Deleted = "deleted",
    }
}

/// Reads a revision, which is an integer here and a text in API v1.
fn number_or_its_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text
            .parse()
            .map_err(|_| de::Error::custom("a revision that is no number")),
    }
}
