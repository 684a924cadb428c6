//! Tasks in events.

use chrono::{DateTime, Utc};
use connector_http::masked_debug;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess};

use super::context::{Context, FromWire};
use super::event::Subject;
use super::lenient::{self, Lenient, Reading};
use crate::ids::{ActivityId, ConversationId, PhoneNumberId, TaskId, UserId};

/// A task that was made, changed, done or deleted.
///
/// An event says what changed and not how the task stands: [`Tasks::get`](crate::Tasks::get) tells.
///
/// `Debug` prints ids and times; of title and description only whether they are there.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskEvent {
    /// The vendor's id.
    pub id: TaskId,
    /// What is to be done, where the event says so: of a new task, and of one whose title was changed.
    pub title: Option<String>,
    /// In more words, likewise. `None` also if it was taken away, see [`updated_fields`](Self::updated_fields).
    pub description: Option<String>,
    /// Which fields were changed, in the vendor's words, like `title`. Only `task.updated` says so.
    pub updated_fields: Option<Vec<String>>,
    /// When it is due, where the event says so.
    pub due_date: Option<DateTime<Utc>>,
    /// Who is to do it, where the event says so.
    pub assigned_to: Option<UserId>,
    /// Who is no longer to do it.
    pub unassigned_from: Option<UserId>,
    /// Who changed it.
    pub actor_id: Option<UserId>,
    /// The number of yours it is about.
    pub phone_number_id: Option<PhoneNumberId>,
    /// The group of that number.
    pub phone_number_group_id: Option<String>,
    /// The conversation it is about.
    pub conversation_id: Option<ConversationId>,
    /// The call or text it is about.
    pub activity_id: Option<ActivityId>,
    /// The organisation.
    pub org_id: Option<String>,
}

masked_debug!(TaskEvent {
    shown: [
        id,
        updated_fields,
        due_date,
        assigned_to,
        unassigned_from,
        actor_id,
        phone_number_id,
        phone_number_group_id,
        conversation_id,
        activity_id,
        org_id,
    ],
    masked: [title, description],
});

/// The task as it stands in a payload of any generation. That of app webhooks is not documented: it is read as far as it
/// is like that of dated ones, or like a task of API v1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTask {
    id: Option<TaskId>,
    task_id: Option<TaskId>,
    #[serde(default, deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "changes")]
    updated_fields: Option<Vec<Change>>,
    #[serde(default, deserialize_with = "lenient::time")]
    due_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::time")]
    updated_due_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient::text")]
    assigned_to: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    unassigned_from: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    phone_number_id: Option<PhoneNumberId>,
    #[serde(default, deserialize_with = "lenient::text")]
    phone_number_group_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    conversation_id: Option<ConversationId>,
    #[serde(default, deserialize_with = "lenient::text")]
    activity_id: Option<ActivityId>,
    #[serde(default, deserialize_with = "lenient::text")]
    org_id: Option<String>,
}

/// A field that was changed, and what to if the payload says so.
struct Change {
    field: String,
    value: Option<String>,
}

/// `{"isUpdated":true,"updatedValue":"…"}`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireChange {
    #[serde(default, deserialize_with = "lenient::truth")]
    is_updated: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    updated_value: Option<String>,
}

impl Subject for TaskEvent {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl FromWire for TaskEvent {
    type Wire = WireTask;

    fn from_wire(task: Self::Wire, context: Context) -> Option<Self> {
        let changed = |field: &str| {
            let changes = task.updated_fields.iter().flatten();
            changes
                .filter(|change| change.field == field)
                .find_map(|change| change.value.clone())
        };
        Some(Self {
            id: task.id.or(task.task_id)?,
            title: changed("title").or(task.title),
            description: changed("description").or(task.description),
            updated_fields: task
                .updated_fields
                .map(|changes| changes.into_iter().map(|change| change.field).collect()),
            due_date: task.updated_due_date.or(task.due_date),
            assigned_to: task.assigned_to,
            unassigned_from: task.unassigned_from,
            actor_id: context.actor_id,
            phone_number_id: context.phone_number_id.or(task.phone_number_id),
            phone_number_group_id: context.phone_number_group_id.or(task.phone_number_group_id),
            conversation_id: context.conversation_id.or(task.conversation_id),
            activity_id: context.activity_id.or(task.activity_id),
            org_id: context.org_id.or(task.org_id),
        })
    }
}

fn changes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Change>>, D::Error> {
    Lenient(ChangesReading).deserialize(deserializer)
}

/// Reads what was changed out of every field that could have been.
struct ChangesReading;

impl<'de> Reading<'de> for ChangesReading {
    type Value = Vec<Change>;

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Vec<Change>>, A::Error> {
        let mut changes = Vec::new();
        while let Some(field) = map.next_key::<String>()? {
            let change: Option<WireChange> = map.next_value_seed(lenient::object_seed())?;
            if let Some(change) = change
                && change.is_updated.unwrap_or(change.updated_value.is_some())
            {
                changes.push(Change {
                    field,
                    value: change.updated_value,
                });
            }
        }
        Ok(Some(changes))
    }
}
