//! Tasks: what somebody of the workspace is to do about a number, a conversation, a call or a text.

mod models;
mod requests;

use chrono::{DateTime, Utc};
use connector_http::{Call, Endpoint, Paginator, Request};

pub use self::models::{CreatedTask, Task, TaskRevision};
use self::requests::{Assignee, DueDate, LinkedConversation};
pub use self::requests::{ListTasks, NewTask, TaskTarget, TaskText};
use crate::check::Check;
use crate::client::Client;
use crate::ids::{ConversationId, TaskId, UserId};
use crate::page::{Data, ListPage};

connector_http::endpoints! {
    /// Lists the tasks.
    LIST = "tasks.list": GET "/v1/tasks", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/list-tasks (read 2026-11-21)";
    /// Creates a task. Twice stands on somebody's list twice.
    CREATE = "tasks.create": POST "/v1/tasks", NotIdempotent, DEFAULT, [201],
        "https://www.quo.com/docs/mdx/api-reference/tasks/create-a-task (read 2026-11-21)";
    /// Reads one task.
    GET = "tasks.get": GET "/v1/tasks/{taskId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/gets-a-task-by-id (read 2026-11-21)";
    /// Deletes a task. The second time it is not found, and gone all the same.
    DELETE = "tasks.delete": DELETE "/v1/tasks/{taskId}", Idempotent, DEFAULT, [204],
        "https://www.quo.com/docs/mdx/api-reference/tasks/delete-a-task-by-id (read 2026-11-21)";
    /// Replaces title and description.
    UPDATE = "tasks.update": PUT "/v1/tasks/{taskId}", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/update-a-task (read 2026-11-21)";
    /// Completes a task. Idempotent although it is a POST, like all below: it sets a state.
    COMPLETE = "tasks.complete": POST "/v1/tasks/{taskId}/complete", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/complete-a-task (read 2026-11-21)";
    /// Opens a completed task again.
    REOPEN = "tasks.reopen": POST "/v1/tasks/{taskId}/reopen", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/reopen-a-task (read 2026-11-21)";
    /// Gives a task to a user.
    ASSIGN = "tasks.assign": POST "/v1/tasks/{taskId}/assign", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/assign-a-user-to-a-task (read 2026-11-21)";
    /// Takes a task from a user.
    UNASSIGN = "tasks.unassign": POST "/v1/tasks/{taskId}/unassign", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/unassign-a-user-from-a-task (read 2026-11-21)";
    /// Links a task to a conversation.
    LINK = "tasks.link_conversation": POST "/v1/tasks/{taskId}/link-conversation", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/link-a-task-to-a-conversation (read 2026-11-21)";
    /// Unlinks a task from a conversation.
    UNLINK = "tasks.unlink_conversation": POST "/v1/tasks/{taskId}/unlink-conversation", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/unlink-a-task-from-a-conversation (read 2026-11-21)";
    /// Sets when a task is due.
    CHANGE_DUE_DATE = "tasks.change_due_date": POST "/v1/tasks/{taskId}/change-due-date", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/change-a-tasks-due-date (read 2026-11-21)";
    /// Lets a task be due at no time.
    REMOVE_DUE_DATE = "tasks.remove_due_date": POST "/v1/tasks/{taskId}/remove-due-date", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/mdx/api-reference/tasks/remove-a-tasks-due-date (read 2026-11-21)";
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
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a task.
    ///
    /// ```
    /// # async fn example(client: openphone_client::Client) -> Result<(), openphone_client::Error> {
    /// use openphone_client::{ConversationId, NewTask};
    ///
    /// let about = ConversationId::from("CNabc301");
    /// let task = NewTask::new(about, "Call back", "About the delivery.").assigned_to("USabc201");
    /// let created = client.tasks().create(&task).await?;
    /// client.tasks().complete(&created.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Validation`](crate::ErrorKind::Validation): refused here (an empty id) or by the vendor.
    ///   Nothing was created.
    /// - [`QuotaSpent`](crate::ErrorKind::QuotaSpent): the workspace has as many open tasks as it may
    ///   ([`OpenTasksLimitReached`](crate::OpenPhoneErrorCode::OpenTasksLimitReached)).
    /// - [`Delivery::Unknown`](crate::Delivery::Unknown): the request left and no answer came. It is
    ///   never sent again by itself; [`list`](Self::list) first.
    pub fn create(&self, task: &NewTask) -> Call<CreatedTask> {
        let request = self.client.http().request(&CREATE).json(task);
        task.check()
            .guard(request, CREATE.name)
            .fetch_map(Data::into_inner)
    }

    /// Lists the tasks, page after page. The vendor offers no filter.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, for a page size outside 1 to 100; else
    /// the usual ones of a read. The stream ends after its first error.
    pub fn list(&self, query: &ListTasks) -> Paginator<Task> {
        let (http, query) = (self.client.http().clone(), query.clone());
        Paginator::new(move |token| page(&http, &query, token).map(Into::into))
    }

    /// Reads one page of the list.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    pub fn list_page(&self, query: &ListTasks, page_token: Option<&str>) -> Call<ListPage<Task>> {
        page(self.client.http(), query, page_token)
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
    /// [`NotFound`](crate::ErrorKind::NotFound) when this workspace has no such task, which is also
    /// what a second attempt sees when the first one deleted it and its answer was lost
    /// ([`attempts`](crate::Error::attempts) is then more than one): it is gone either way.
    pub fn delete(&self, id: &TaskId) -> Call<()> {
        self.at(&DELETE, id).discard()
    }

    /// Completes a task.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub fn complete(&self, id: &TaskId) -> Call<TaskRevision> {
        self.at(&COMPLETE, id).fetch_map(Data::into_inner)
    }

    /// Opens a completed task again.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and [`QuotaSpent`](crate::ErrorKind::QuotaSpent) when the
    /// workspace has as many open tasks as it may.
    pub fn reopen(&self, id: &TaskId) -> Call<TaskRevision> {
        self.at(&REOPEN, id).fetch_map(Data::into_inner)
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
        self.client.http().request(endpoint).path("taskId", id)
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

fn page(
    http: &connector_http::Client,
    query: &ListTasks,
    token: Option<&str>,
) -> Call<ListPage<Task>> {
    let request = http
        .request(&LIST)
        .query("maxResults", query.max_results)
        .query_opt("pageToken", token);
    query.check().guard(request, LIST.name).fetch()
}
