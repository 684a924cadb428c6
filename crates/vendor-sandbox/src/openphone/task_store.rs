//! Tasks, and what can be done to them. Both surfaces of the API act on the same ones.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::events::Event;
use crate::openphone::state::{State, Step};
use crate::openphone::task_events::TaskEvent;
use crate::webhook::Delivery;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TaskStatus {
    Open,
    Completed,
    Deleted,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) due: Option<DateTime<Utc>>,
    pub(super) status: TaskStatus,
    pub(super) assigned_to: Option<Arc<str>>,
    pub(super) assigned_by: Option<Arc<str>>,
    pub(super) created_by: Arc<str>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) phone_number_id: Arc<str>,
    pub(super) conversation_id: Option<Arc<str>>,
    pub(super) activity_id: Option<String>,
    pub(super) revision: u64,
}

/// What is asked of a task.
#[derive(Clone, Debug)]
pub(super) enum TaskAction {
    Update { title: String, description: String },
    Complete,
    Reopen,
    Delete,
    Assign(String),
    Unassign(String),
    Link(String),
    Unlink(String),
    ChangeDueDate(DateTime<Utc>),
    RemoveDueDate,
}

/// What a task is made with, checked but for what it names.
#[derive(Debug, Default)]
pub(super) struct NewTask {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) due: Option<DateTime<Utc>>,
    pub(super) assigned_to: Option<String>,
    pub(super) link: Option<TaskLink>,
}

/// What a task is about.
#[derive(Debug)]
pub(super) enum TaskLink {
    PhoneNumber(String),
    Conversation(String),
    Activity(String),
}

#[derive(Debug, Default)]
pub(super) struct TaskStore(Vec<Task>);

impl TaskStore {
    pub(super) fn get(&self, place: usize) -> Option<&Task> {
        self.0.get(place)
    }

    /// Finds a task. A deleted one is still there to be looked at.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.0.iter().position(|task| task.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.0.iter()
    }

    fn open(&self) -> usize {
        let open = |task: &&Task| task.status == TaskStatus::Open;
        self.0.iter().filter(open).count()
    }
}

impl State {
    pub(super) fn create_task(
        &mut self,
        new: NewTask,
        now: DateTime<Utc>,
    ) -> Result<(usize, Vec<Delivery>), ApiError> {
        self.room_for_one_more_task()?;
        let (phone_number_id, conversation_id, activity_id) = self.subject_of(new.link)?;
        let assigned_to = new.assigned_to.map(|id| self.assignee(&id)).transpose()?;
        let owner = self.workspace.owner_id();
        let place = self.tasks.0.len();
        self.tasks.0.push(Task {
            id: self.ids.long("TK"),
            title: new.title,
            description: new.description,
            due: new.due,
            status: TaskStatus::Open,
            assigned_by: assigned_to.as_ref().map(|_| Arc::clone(&owner)),
            assigned_to,
            created_by: owner,
            created_at: now,
            phone_number_id,
            conversation_id,
            activity_id,
            revision: 1,
        });
        self.plan_overdue(place, now);
        let deliveries = self.notify(&Event::Task(TaskEvent::Created, place), now);
        Ok((place, deliveries))
    }

    /// Does something to a task; one that is deleted is not found.
    pub(super) fn act_on_task(
        &mut self,
        place: usize,
        action: TaskAction,
        now: DateTime<Utc>,
    ) -> Result<Vec<Delivery>, ApiError> {
        let missing = || ApiError::not_found(Area::Tasks);
        let before = self.tasks.get(place).ok_or_else(missing)?.clone();
        if before.status == TaskStatus::Deleted {
            return Err(missing());
        }
        let mut after = before.clone();
        let event = match action {
            TaskAction::Update { title, description } => {
                let event = TaskEvent::Updated {
                    title: (title != before.title).then(|| title.clone()),
                    description: (description != before.description).then(|| description.clone()),
                };
                (after.title, after.description) = (title, description);
                event
            }
            TaskAction::Complete => {
                after.status = TaskStatus::Completed;
                TaskEvent::Completed
            }
            TaskAction::Reopen => {
                if before.status != TaskStatus::Open {
                    self.room_for_one_more_task()?;
                }
                after.status = TaskStatus::Open;
                TaskEvent::Reopened
            }
            TaskAction::Delete => {
                after.status = TaskStatus::Deleted;
                TaskEvent::Deleted
            }
            TaskAction::Assign(id) => {
                let assignee = self.assignee(&id)?;
                after.assigned_to = Some(Arc::clone(&assignee));
                after.assigned_by = Some(self.workspace.owner_id());
                TaskEvent::Assigned(assignee)
            }
            TaskAction::Unassign(id) => {
                let assignee = after.assigned_to.take_if(|assignee| **assignee == *id);
                after.assigned_by = None;
                TaskEvent::Unassigned(assignee.ok_or_else(missing)?)
            }
            TaskAction::Link(id) => {
                let link = TaskLink::Conversation(id);
                let (number, conversation, _) = self.subject_of(Some(link))?;
                (after.phone_number_id, after.conversation_id) = (number, conversation);
                after.activity_id = None;
                TaskEvent::Linked
            }
            TaskAction::Unlink(id) => {
                let linked = after.conversation_id.take_if(|linked| **linked == *id);
                linked.ok_or_else(missing)?;
                after.activity_id = None;
                TaskEvent::Unlinked
            }
            TaskAction::ChangeDueDate(due) => {
                after.due = Some(due);
                TaskEvent::DueDateUpdated(due)
            }
            TaskAction::RemoveDueDate => {
                after.due = None;
                TaskEvent::DueDateRemoved
            }
        };
        after.revision += 1;
        if let Some(task) = self.tasks.0.get_mut(place) {
            *task = after;
        }
        if matches!(event, TaskEvent::DueDateUpdated(_) | TaskEvent::Reopened) {
            self.plan_overdue(place, now);
        }
        Ok(self.notify(&Event::Task(event, place), now))
    }

    /// Says that a task was due at this time and is still open.
    pub(super) fn overdue(
        &mut self,
        place: usize,
        due: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<Delivery> {
        let task = self.tasks.get(place);
        let still =
            task.is_some_and(|task| task.status == TaskStatus::Open && task.due == Some(due));
        if still {
            self.notify(&Event::Task(TaskEvent::Overdue(due), place), now)
        } else {
            Vec::new()
        }
    }

    /// Plans the moment at which a task is overdue; one that was due before now is so at once.
    fn plan_overdue(&mut self, place: usize, now: DateTime<Utc>) {
        let Some(due) = self.tasks.get(place).and_then(|task| task.due) else {
            return;
        };
        let moment = (due - now)
            .to_std()
            .map_or(Some(clock::monotonic()), |wait| {
                clock::monotonic().checked_add(wait)
            });
        if let Some(moment) = moment {
            self.timeline.plan(moment, Step::TaskOverdue(place, due));
        }
    }

    fn room_for_one_more_task(&self) -> Result<(), ApiError> {
        let full = |limit| self.tasks.open() >= limit;
        if self.open_task_limit.is_some_and(full) {
            Err(ApiError::open_tasks_limit_reached())
        } else {
            Ok(())
        }
    }

    fn assignee(&self, id: &str) -> Result<Arc<str>, ApiError> {
        let user = self.workspace.user(id);
        user.map(|user| Arc::clone(&user.id))
            .ok_or_else(|| ApiError::not_found(Area::Tasks))
    }

    #[expect(clippy::type_complexity, reason = "number, conversation and activity")]
    fn subject_of(
        &self,
        link: Option<TaskLink>,
    ) -> Result<(Arc<str>, Option<Arc<str>>, Option<String>), ApiError> {
        let missing = || ApiError::not_found(Area::Tasks);
        let (thread, activity) = match link.ok_or_else(missing)? {
            TaskLink::PhoneNumber(id) => {
                let phone = self.workspace.phone_numbers.iter();
                let phone = phone.into_iter().find(|phone| phone.id == id);
                return Ok((phone.ok_or_else(missing)?.id.as_str().into(), None, None));
            }
            TaskLink::Conversation(id) => (self.threads.place(&id), None),
            TaskLink::Activity(id) => (self.thread_of_activity(&id), Some(id)),
        };
        let thread = thread.and_then(|thread| self.threads.get(thread));
        let thread = thread.ok_or_else(missing)?;
        let conversation = Arc::clone(&thread.id);
        Ok((
            Arc::clone(&thread.phone_number_id),
            Some(conversation),
            activity,
        ))
    }
}
