//! What dated webhooks tell of tasks. No sample of an older one is known.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::events::thread_link;
use crate::openphone::object::insert;
use crate::openphone::state::State;
use crate::openphone::task_store::Task;

/// What happens to a task.
#[derive(Clone, Debug)]
pub(super) enum TaskEvent {
    Created,
    /// What has changed has its new text.
    Updated {
        title: Option<String>,
        description: Option<String>,
    },
    Deleted,
    Completed,
    Reopened,
    Assigned(Arc<str>),
    Unassigned(Arc<str>),
    Overdue(DateTime<Utc>),
    Linked,
    Unlinked,
    DueDateUpdated(DateTime<Utc>),
    DueDateRemoved,
}

impl TaskEvent {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Created => "task.created",
            Self::Updated { .. } => "task.updated",
            Self::Deleted => "task.deleted",
            Self::Completed => "task.completed",
            Self::Reopened => "task.reopened",
            Self::Assigned(_) => "task.assigned",
            Self::Unassigned(_) => "task.unassigned",
            Self::Overdue(_) => "task.overdue",
            Self::Linked => "task.linked",
            Self::Unlinked => "task.unlinked",
            Self::DueDateUpdated(_) => "task.duedate.updated",
            Self::DueDateRemoved => "task.duedate.removed",
        }
    }
}

impl State {
    pub(super) fn task_dated(&self, event: &TaskEvent, task: &Task) -> Value {
        let mut resource = json!({ "id": task.id });
        match event {
            TaskEvent::Created => {
                insert(&mut resource, "title", json!(task.title));
                insert(&mut resource, "description", json!(task.description));
                insert(&mut resource, "dueDate", json!(task.due.map(clock::iso)));
            }
            TaskEvent::Updated { title, description } => {
                insert(
                    &mut resource,
                    "updatedFields",
                    json!({
                        "title": updated(title.as_deref()),
                        "description": updated(description.as_deref()),
                    }),
                );
            }
            TaskEvent::Assigned(user) => insert(&mut resource, "assignedTo", json!(&**user)),
            TaskEvent::Unassigned(user) => insert(&mut resource, "unassignedFrom", json!(&**user)),
            TaskEvent::Overdue(due) => insert(&mut resource, "dueDate", json!(clock::iso(*due))),
            TaskEvent::DueDateUpdated(due) => {
                insert(&mut resource, "updatedDueDate", json!(clock::iso(*due)));
            }
            // No sample of a completed task is known; it is taken to be like a reopened one.
            TaskEvent::Completed
            | TaskEvent::Deleted
            | TaskEvent::Reopened
            | TaskEvent::Linked
            | TaskEvent::Unlinked
            | TaskEvent::DueDateRemoved => {}
        }
        let link = task.conversation_id.as_deref().map(|conversation| {
            let link = thread_link("https://my.quo.com", &task.phone_number_id, conversation);
            format!("{link}?taskId={}", task.id)
        });
        // The sample of an assignment has no link, and all others have one.
        let link = link.filter(|_| !matches!(event, TaskEvent::Assigned(_)));
        json!({
            "resource": resource,
            "context": {
                "orgId": self.workspace.org_id,
                "actorId": &*self.workspace.owner_id(),
                "phoneNumberId": &*task.phone_number_id,
                "conversationId": task.conversation_id.as_deref(),
                "activityId": task.activity_id,
                "phoneNumberGroupId": null,
            },
            "links": { "quo": link },
        })
    }
}

fn updated(value: Option<&str>) -> Value {
    match value {
        Some(value) => json!({ "isUpdated": true, "updatedValue": value }),
        None => json!({ "isUpdated": false }),
    }
}
