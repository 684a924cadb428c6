//! Texts of the whole workspace, and one that is sent once more.

use chrono::TimeDelta;
use openphone_client::NewMessage;
use openphone_client::dated::{ListMessages, MessageDirection};
use vendor_sandbox::openphone::TextFailure;

use super::{OTHER, Stage, Step, THEM, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let messages = stage.client.messages();
    let (number, control) = (stage.sandbox.phone_number(), &stage.control);
    let send = |text: NewMessage| stage.v1.messages().send(&text);
    let ready = send(NewMessage::new(number, THEM, "Your table is ready.")).await?;
    send(NewMessage::group(
        number,
        [THEM, OTHER],
        "The kitchen is open.",
    ))
    .await?;
    control.fail_next_text(TextFailure::Failed);
    let failed = send(NewMessage::new(number, OTHER, "Hello?")).await?;
    control.fail_next_text(TextFailure::FailedWith("30006".to_owned()));
    let refused_by_carrier = send(NewMessage::new(number, OTHER, "Hello?")).await?;
    control.fail_next_text(TextFailure::Undelivered("30007".to_owned()));
    send(NewMessage::new(number, OTHER, "Hello?")).await?;
    control.place_inbound_text(THEM, number, "STOP")?;
    control.webhooks_settled().await;

    let all = messages
        .list(&ListMessages::new().limit(2u32))
        .all(100)
        .await?;
    check(all.len() == 6, "texts are missing from the list")?;
    for message in &all {
        messages.get(&message.id).await?;
    }
    let query = ListMessages::new()
        .from(number)
        .to(THEM)
        .direction(MessageDirection::Outgoing)
        .phone_number_id(stage.number())
        .created_after(ready.created_at - TimeDelta::hours(1))
        .created_before(ready.created_at + TimeDelta::hours(1));
    check(
        !messages.list(&query).all(100).await?.is_empty(),
        "the filters leave nothing",
    )?;
    let group = vec![THEM.to_owned(), OTHER.to_owned()];
    let query = ListMessages::new().to_all(group);
    check(
        messages.list(&query).all(100).await?.len() == 1,
        "the text to the group is not found",
    )?;
    for message in &all {
        let mut query = ListMessages::new().status(message.status.clone());
        query.user_id = message.user_id.clone();
        check(
            !messages.list(&query).all(100).await?.is_empty(),
            "a status leaves nothing",
        )?;
    }

    messages.retry(&failed.id).await?;
    refused(messages.retry(&refused_by_carrier.id).await, 422)?;
    refused(messages.get(&"AC0".into()).await, 404)
}
