//! Texts, and the conversations that they are in.

use chrono::TimeDelta;
use openphone_client::{InboxStatus, ListConversations, ListMessages, MessageId, NewMessage};
use serde_json::Value;
use vendor_sandbox::openphone::{MessagingBlock, TextFailure};

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    texts(stage).await?;
    blocked(stage).await?;
    conversations(stage).await
}

async fn texts(stage: &Stage) -> Step {
    let messages = stage.client.messages();
    let number = stage.number();
    let user = stage.user().await?;

    let one = NewMessage::new(&number, THEM, "Your table is ready. 🍽");
    let one = messages.send(&one).await?;
    messages.get(&one.id).await?;
    let group = [THEM, OTHER, "+12025550145"];
    let to_all = NewMessage::group(stage.sandbox.phone_number(), group, "The kitchen is open.")
        .user_id(user.clone())
        .set_inbox_status(InboxStatus::Done);
    messages.send(&to_all).await?;
    stage
        .control
        .fail_next_text(TextFailure::Undelivered("30007".to_owned()));
    let lost = NewMessage::new(&number, OTHER, "x".repeat(1_600));
    let lost = messages.send(&lost).await?;
    stage.control.webhooks_settled().await;
    messages.get(&lost.id).await?;

    let thread = ListMessages::new(number.clone(), [THEM]).user_id(user.clone());
    let span = thread
        .created_after(one.created_at - TimeDelta::hours(1))
        .created_before(one.created_at + TimeDelta::hours(1));
    check(
        messages.list(&span).all(10).await?.len() == 1,
        "the text is not listed",
    )?;
    let thread = ListMessages::new(number.clone(), group);
    check(
        messages.list(&thread).all(10).await?.len() == 1,
        "the text to the group is not listed",
    )?;

    let control = &stage.control;
    let received = control.place_inbound_text(THEM, stage.sandbox.phone_number(), "STOP")?;
    let id = received
        .get("id")
        .and_then(Value::as_str)
        .ok_or("a text without an id")?;
    messages.get(&MessageId::from(id)).await?;
    control.place_inbound_text(THEM, stage.sandbox.phone_number(), "Sorry, START")?;
    let thread = ListMessages::new(number, [THEM]).max_results(2u32);
    check(
        messages.list(&thread).all(10).await?.len() == 3,
        "texts are missing from the thread",
    )?;
    refused(messages.get(&MessageId::from("AC0")).await, 404)
}

/// What keeps a workspace from sending.
async fn blocked(stage: &Stage) -> Step {
    let text = NewMessage::new(stage.number(), THEM, "Hello?");
    for (block, status) in [
        (MessagingBlock::A2pNotApproved, 400),
        (MessagingBlock::SubscriptionExpired, 402),
        (MessagingBlock::DailyCapReached, 403),
    ] {
        stage.control.set_messaging_block(Some(block));
        refused(stage.client.messages().send(&text).await, status)?;
    }
    stage.control.set_messaging_block(None);
    Ok(())
}

async fn conversations(stage: &Stage) -> Step {
    let conversations = stage.client.conversations();
    let all = conversations
        .list(&ListConversations::new().max_results(1u32))
        .all(100)
        .await?;
    let first = all.first().ok_or("there is no conversation")?;
    let began = first
        .created_at
        .ok_or("a conversation without a beginning")?;
    let (before, after) = (began - TimeDelta::hours(1), began + TimeDelta::hours(1));
    let some = ListConversations::new()
        .phone_number(stage.number())
        .phone_number(stage.sandbox.phone_number())
        .created_after(before)
        .created_before(after)
        .updated_after(before)
        .updated_before(after)
        .exclude_inactive(true);
    check(
        !conversations.list(&some).all(100).await?.is_empty(),
        "the filters leave nothing",
    )?;
    let user = stage.user().await?;
    let theirs = ListConversations::new().user_id(user.clone());
    conversations.list(&theirs).all(100).await?;

    conversations.mark_as_read(&first.id).await?;
    conversations.mark_as_done(&first.id).await?;
    conversations.mark_as_open(&first.id).await?;
    refused(conversations.mark_as_done(&"CN0".into()).await, 404)
}
