//! Tasks: what somebody of the workspace is to do about a conversation.

mod models;
mod requests;

use chrono::{DateTime, Utc};
use connector_http::{Call, Endpoint, Paginator, Request};

pub use self::models::{Task, TaskRevision, TaskStatus};
use self::requests::{Assignee, DueDate, LinkedConversation, NewStatus};
pub use self::requests::{ListTasks, NewTask};
use super::client::Client;
use super::page::ListPage;
use crate::check::Check;
use crate::ids::{ConversationId, TaskId, UserId};
use crate::page::Data;
use crate::tasks::TaskText;

connector_http::endpoints! {
    /// Lists the tasks.
    LIST = "dated.tasks.list": GET "/tasks", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Creates a task. Twice stands on somebody's list twice.
    CREATE = "dated.tasks.create": POST "/tasks", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Reads one task.
    GET = "dated.tasks.get": GET "/tasks/{taskId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Replaces title and description. Idempotent although it is a PATCH, like all changes below: it sets values.
    UPDATE = "dated.tasks.update": PATCH "/tasks/{taskId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Deletes a task. The second time it is not found, and gone all the same.
    DELETE = "dated.tasks.delete": DELETE "/tasks/{taskId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Completes a task, or opens it again.
    SET_STATUS = "dated.tasks.set_status": PATCH "/tasks/{taskId}/status", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Links a task to a conversation.
    LINK = "dated.tasks.link_conversation": POST "/tasks/{taskId}/conversations", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Unlinks a task from the conversation that the body names.
    UNLINK = "dated.tasks.unlink_conversation": DELETE "/tasks/{taskId}/conversations", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Gives a task to a user.
    ASSIGN = "dated.tasks.assign": POST "/tasks/{taskId}/users", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Takes a task from the user that the body names.
    UNASSIGN = "dated.tasks.unassign": DELETE "/tasks/{taskId}/users", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Sets when a task is due.
    CHANGE_DUE_DATE = "dated.tasks.change_due_date": PATCH "/tasks/{taskId}/due-date", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
    /// Lets a task be due at no time.
    REMOVE_DUE_DATE = "dated.tasks.remove_due_date": DELETE "/tasks/{taskId}/due-date", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/changelog (read 2026-11-21)";
}

/// The tasks of the workspace.
///
/// Every change answers the task's new [revision](TaskRevision), not the task. What sets a state
/// (all but [`create`](Self::create)) is repeated after a lost answer: twice is the same as once.
#[derive(Clone, Debug)]
pub struct Tasks<'a> {
    client: &'a Client,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Lists the tasks, page after page. The vendor offers no filter.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 100; else
    /// the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListTasks) -> Paginator<Task> {
        self.client.paginate(query, page)
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListTasks, after: Option<&str>) -> Call<ListPage<Task>> {
        page(self.client, query, after)
    }

    /// Creates a task.
    ///
    /// ```
    /// # async fn example(client: openphone_client::dated::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::dated::{NewTask, TaskStatus};
    ///
    /// let task = NewTask::new("CNabc301", "Call back", "About the delivery.");
    /// let created = client.tasks().create(&task).await?;
    /// client.tasks().set_status(&created.id, &TaskStatus::Completed).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here (an empty id) or by the vendor.
    ///   Nothing was created.
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): the request left and no answer came. It is
    ///   never sent again by itself; [`list`](Self::list) first.
    pub fn create(&self, task: &NewTask) -> Call<TaskRevision> {
        let request = self.client.request(&CREATE).json(task);
        task.check()
            .guard(request, CREATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Reads one task.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such task;
    /// [`Config`](crate::ErrorKind::Config), unsent, for an id that is empty, `.` or `..`.
    pub fn get(&self, id: &TaskId) -> Call<Task> {
        self.at(&GET, id).fetch_map(Data::into_inner)
    }

    /// Replaces title and description: the vendor wants both.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation) by the vendor.
    pub fn update(&self, id: &TaskId, text: &TaskText) -> Call<TaskRevision> {
        self.at(&UPDATE, id).json(text).fetch_map(Data::into_inner)
    }

    /// Deletes a task.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). [`NotFound`](crate::ErrorKind::NotFound) is also what a second
    /// attempt sees when the first one deleted it and its answer was lost: it is gone either way.
    pub fn delete(&self, id: &TaskId) -> Call<()> {
        self.at(&DELETE, id).discard()
    }

    /// Completes a task, opens it again, or deletes it.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation): refused here (an
    /// empty state) or by the vendor.
    pub fn set_status(&self, id: &TaskId, status: &TaskStatus) -> Call<TaskRevision> {
        let mut check = Check::new();
        check.id(status.as_str(), "/status");
        let request = self.at(&SET_STATUS, id).json(&NewStatus { status });
        check
            .guard(request, SET_STATUS.name)
            .fetch_map(Data::into_inner)
    }

    /// Gives a task to a user.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation), unsent, for an
    /// empty user.
    pub fn assign(&self, id: &TaskId, user: &UserId) -> Call<TaskRevision> {
        self.assignee(&ASSIGN, id, user)
    }

    /// Takes a task from a user.
    ///
    /// # Errors
    ///
    /// Those of [`assign`](Self::assign).
    pub fn unassign(&self, id: &TaskId, user: &UserId) -> Call<TaskRevision> {
        self.assignee(&UNASSIGN, id, user)
    }

    /// Links a task to a conversation.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`Validation`](crate::ErrorKind::Validation), unsent, for an
    /// empty conversation.
    pub fn link_conversation(
        &self,
        id: &TaskId,
        conversation: &ConversationId,
    ) -> Call<TaskRevision> {
        self.linked(&LINK, id, conversation)
    }

    /// Unlinks a task from a conversation.
    ///
    /// # Errors
    ///
    /// Those of [`link_conversation`](Self::link_conversation).
    pub fn unlink_conversation(
        &self,
        id: &TaskId,
        conversation: &ConversationId,
    ) -> Call<TaskRevision> {
        self.linked(&UNLINK, id, conversation)
    }

    /// Sets when a task is due, to the millisecond.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn change_due_date(&self, id: &TaskId, due_date: DateTime<Utc>) -> Call<TaskRevision> {
        self.at(&CHANGE_DUE_DATE, id)
            .json(&DueDate { due_date })
            .fetch_map(Data::into_inner)
    }

    /// Lets a task be due at no time.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn remove_due_date(&self, id: &TaskId) -> Call<TaskRevision> {
        self.at(&REMOVE_DUE_DATE, id).fetch_map(Data::into_inner)
    }

    fn at(&self, endpoint: &'static Endpoint, id: &TaskId) -> Request {
        self.client.request(endpoint).path("taskId", id)
    }

    fn assignee(
        &self,
        endpoint: &'static Endpoint,
        id: &TaskId,
        user_id: &UserId,
    ) -> Call<TaskRevision> {
        let mut check = Check::new();
        check.id(user_id.as_str(), "/userId");
        let request = self.at(endpoint, id).json(&Assignee { user_id });
        check
            .guard(request, endpoint.name)
            .fetch_map(Data::into_inner)
    }

    fn linked(
        &self,
        endpoint: &'static Endpoint,
        id: &TaskId,
        conversation_id: &ConversationId,
    ) -> Call<TaskRevision> {
        let mut check = Check::new();
        check.id(conversation_id.as_str(), "/conversationId");
        let request = self
            .at(endpoint, id)
            .json(&LinkedConversation { conversation_id });
        check
            .guard(request, endpoint.name)
            .fetch_map(Data::into_inner)
    }
}

fn page(client: &Client, query: &ListTasks, after: Option<&str>) -> Call<ListPage<Task>> {
    let request = client
        .request(&LIST)
        .query("limit", query.limit)
        .query_opt("after", after);
    query.check().guard(request, LIST.name).fetch()
}
