//! Tasks, with what API v1 alone can make them about, and every change to one.

use chrono::TimeDelta;
use openphone_client::NewTask as V1Task;
use openphone_client::dated::{
    CallId, ListConversations, ListTasks, NewTask, TaskStatus, TaskText,
};
use vendor_sandbox::openphone::CallEnd;

use super::{Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let tasks = stage.client.tasks();
    let number = stage.sandbox.phone_number();
    let call = stage
        .control
        .place_inbound_call(THEM, number, CallEnd::Missed)?;
    let call = CallId::from(call);
    let due = stage.client.calls().get(&call, &[]).await?.created_at + TimeDelta::days(7);
    let user = stage.user().await?;
    let conversations = stage
        .client
        .conversations()
        .list(&ListConversations::new())
        .all(100)
        .await?;
    let conversation = &conversations.first().ok_or("there is no conversation")?.id;

    let of_v1 = stage.v1.tasks();
    let about_a_call = V1Task::new(call, "Call back", "They rang at lunch.").due_date(due);
    let call_back = of_v1.create(&about_a_call).await?.id;
    let about_a_number = V1Task::new(stage.number(), "Check the greeting", "Is it up to date?");
    let greeting = of_v1.create(&about_a_number).await?.id;
    let answer = NewTask::new(conversation.clone(), "Answer", "About the invoice")
        .due_date(due)
        .assigned_to(user.clone());
    let answer = tasks.create(&answer).await?.id;
    let file = NewTask::new(conversation.clone(), "File", "");
    let file = tasks.create(&file).await?.id;
    let all = [&call_back, &greeting, &answer, &file];
    for id in all {
        tasks.get(id).await?;
    }
    let query = ListTasks::new().limit(2u32);
    let listed = tasks.list(&query).all(100).await?;
    check(listed.len() == all.len(), "tasks are missing from the list")?;

    let text = TaskText::new("Record a new greeting", "With the new opening hours.");
    tasks.update(&greeting, &text).await?;
    tasks.assign(&greeting, &user).await?;
    tasks.unassign(&greeting, &user).await?;
    tasks.link_conversation(&greeting, conversation).await?;
    tasks.get(&greeting).await?;
    tasks.unlink_conversation(&greeting, conversation).await?;
    tasks.get(&greeting).await?;
    tasks.change_due_date(&greeting, due).await?;
    tasks.remove_due_date(&greeting).await?;
    let before = tasks.get(&greeting).await?;
    let done = tasks.set_status(&greeting, &TaskStatus::Completed).await?;
    check(done.revision > before.revision, "it is no new revision")?;
    let after = tasks.get(&greeting).await?;
    check(after.status == TaskStatus::Completed, "it is not completed")?;
    tasks.set_status(&greeting, &TaskStatus::Open).await?;
    tasks.delete(&greeting).await?;
    tasks.set_status(&file, &TaskStatus::Deleted).await?;
    for id in [&greeting, &file] {
        refused(tasks.set_status(id, &TaskStatus::Open).await, 404)?;
    }

    refused(tasks.get(&"TK0".into()).await, 404)?;
    refused(tasks.update(&"TK0".into(), &text).await, 404)?;
    refused(tasks.unassign(&file, &user).await, 404)
}
