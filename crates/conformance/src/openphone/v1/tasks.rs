//! Tasks about each thing that they can be about, and every change to one.

use chrono::TimeDelta;
use openphone_client::{CallId, ListConversations, ListTasks, NewTask, TaskText};
use vendor_sandbox::openphone::CallEnd;

use super::{Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let tasks = stage.client.tasks();
    let number = stage.sandbox.phone_number();
    let call = stage
        .control
        .place_inbound_call(THEM, number, CallEnd::Missed)?;
    let call = CallId::from(call);
    let user = stage.user().await?;
    let conversations = stage
        .client
        .conversations()
        .list(&ListConversations::new())
        .all(100)
        .await?;
    let conversation = &conversations.first().ok_or("there is no conversation")?.id;
    let due = stage.client.calls().get(&call).await?.created_at + TimeDelta::days(7);

    let call_back = NewTask::new(call, "Call back", "They rang at lunch.")
        .due_date(due)
        .assigned_to(user.clone());
    let call_back = tasks.create(&call_back).await?.id;
    let answer = NewTask::new(conversation.clone(), "Answer", "About the invoice");
    let answer = tasks.create(&answer).await?.id;
    let greeting = NewTask::new(stage.number(), "Check the greeting", "Is it up to date?");
    let greeting = tasks.create(&greeting).await?.id;
    for id in [&call_back, &answer, &greeting] {
        tasks.get(id).await?;
    }
    let listed = tasks
        .list(&ListTasks::new().max_results(2u32))
        .all(100)
        .await?;
    check(listed.len() == 3, "tasks are missing from the list")?;

    let text = TaskText::new("Record a new greeting", "With the new opening hours.");
    tasks.update(&greeting, &text).await?;
    tasks.assign(&greeting, &user).await?;
    tasks.unassign(&greeting, &user).await?;
    tasks.link_conversation(&greeting, conversation).await?;
    tasks.get(&greeting).await?;
    tasks.unlink_conversation(&greeting, conversation).await?;
    tasks.change_due_date(&greeting, due).await?;
    tasks.remove_due_date(&greeting).await?;
    tasks.complete(&greeting).await?;
    let done = tasks.get(&greeting).await?;
    check(done.completed, "the task is not completed")?;
    tasks.reopen(&greeting).await?;
    tasks.delete(&greeting).await?;
    refused(tasks.complete(&greeting).await, 404)?;

    stage.control.set_open_task_limit(Some(0));
    let one_too_many = NewTask::new(stage.number(), "One more", "And another");
    refused(tasks.create(&one_too_many).await, 402)?;
    stage.control.set_open_task_limit(None);
    Ok(())
}
