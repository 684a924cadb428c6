//! The inbox: threads in every order, and what is done with one.

use chrono::TimeDelta;
use openphone_client::dated::{ConversationSort, ListConversations};
use vendor_sandbox::openphone::NewCall;

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let conversations = stage.client.conversations();
    let number = stage.sandbox.phone_number();
    for from in [THEM, OTHER] {
        stage.control.place_inbound_text(from, number, "Hello?")?;
    }
    // Someone who hides the number, and a company that has a short one.
    let hidden = NewCall::incoming("anonymous", number);
    stage.control.place_call(&hidden)?;
    stage
        .control
        .place_inbound_text("72645", number, "Your parcel is on its way.")?;

    let all = conversations
        .list(&ListConversations::new().limit(2u32))
        .all(100)
        .await?;
    check(all.len() >= 4, "conversations are missing from the list")?;
    let one = all.first().ok_or("there is no conversation")?;
    for sort in [
        ConversationSort::OldestFirst,
        ConversationSort::NewestFirst,
        ConversationSort::LeastRecentlyUpdated,
        ConversationSort::MostRecentlyUpdated,
    ] {
        let query = ListConversations::new().sort(sort);
        let sorted = conversations.list(&query).all(100).await?;
        check(sorted.len() == all.len(), "an order leaves some out")?;
    }
    let begun = one.created_at.ok_or("a conversation without a time")?;
    let changed = one.updated_at.ok_or("a conversation without a change")?;
    let query = ListConversations::new()
        .phone_number_ids([stage.number()])
        .created_from(begun - TimeDelta::hours(1))
        .created_until(begun + TimeDelta::hours(1))
        .updated_from(changed - TimeDelta::hours(1))
        .updated_until(changed + TimeDelta::hours(1));
    let found = conversations.list(&query).all(100).await?;
    check(!found.is_empty(), "the filters leave nothing")?;
    let numbers = stage.numbers().await?;
    check(numbers.len() > 1, "there is one number only")?;
    let query = ListConversations::new().phone_number_ids(numbers);
    let found = conversations.list(&query).all(100).await?;
    check(found.len() == all.len(), "all numbers leave some out")?;

    for conversation in &all {
        let id = &conversation.id;
        for marked in [
            conversations.mark_as_read(id).await?,
            conversations.mark_as_done(id).await?,
            conversations.mark_as_open(id).await?,
        ] {
            check(marked.id == *id, "it is another conversation")?;
        }
    }
    let nobody = "CN0".into();
    refused(conversations.mark_as_read(&nobody).await, 404)?;
    refused(conversations.mark_as_done(&nobody).await, 404)?;
    refused(conversations.mark_as_open(&nobody).await, 404)
}
