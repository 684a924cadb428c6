//! A webhook from its registration to its end, and what it delivered.

use chrono::TimeDelta;
use openphone_client::dated::{
    ListDeliveries, NewWebhook, WebhookEvent, WebhookPatch, WebhookResources, WebhookStatus,
};

use super::{Stage, Step, check, refused};

pub(super) async fn walk(stage: &Stage) -> Step {
    let webhooks = stage.client.webhooks();
    let events = [WebhookEvent::CallMissed, WebhookEvent::ContactUpdated];
    let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", events)
        .resources(WebhookResources::PhoneNumbers(vec![stage.number()]))
        .status(WebhookStatus::Disabled)
        .label("CRM");
    let made = webhooks.create(&wanted).await?;
    check(made.key.is_some(), "it was made without a key")?;
    let all = [
        WebhookEvent::MessageReceived,
        WebhookEvent::TaskDueDateRemoved,
    ];
    let bare = webhooks
        .create(&NewWebhook::new("https://hooks.example.com/all", all))
        .await?;
    webhooks.get(&made.id).await?;
    check(webhooks.list().await?.len() == 2, "webhooks are missing")?;
    let changed = WebhookPatch::new()
        .url("https://hooks.example.com/quo/7d20")
        .events(vec![WebhookEvent::CallCompleted, WebhookEvent::CallMissed])
        .resources(WebhookResources::All)
        .status(WebhookStatus::Enabled)
        .clear_label();
    webhooks.update(&made.id, &changed).await?;
    let label = WebhookPatch::new().label("Accounts");
    webhooks.update(&bare.id, &label).await?;
    webhooks.rotate_secret(&made.id).await?;

    for event in [WebhookEvent::CallMissed, WebhookEvent::CallCompleted] {
        webhooks.test(&made.id, &event).await?;
    }
    stage.control.webhooks_settled().await;
    let one = ListDeliveries::new().limit(1u32);
    let deliveries = webhooks.deliveries(&made.id, &one).all(100).await?;
    check(deliveries.len() == 2, "deliveries are missing from the log")?;
    let delivery = deliveries.first().ok_or("there is no delivery")?;
    let made_at = delivery.created_at.ok_or("a delivery without a time")?;
    let mut same = ListDeliveries::new()
        .status(delivery.status.clone())
        .events(vec![delivery.event_type.clone()])
        .created_after(made_at - TimeDelta::hours(1))
        .created_before(made_at + TimeDelta::hours(1));
    same.resource_id.clone_from(&delivery.resource_id);
    check(
        webhooks.deliveries(&made.id, &same).all(100).await?.len() == 1,
        "the filters do not find it",
    )?;
    let either =
        ListDeliveries::new().events(vec![WebhookEvent::CallMissed, WebhookEvent::CallCompleted]);
    check(
        webhooks.deliveries(&made.id, &either).all(100).await?.len() == 2,
        "two events find less than one",
    )?;
    webhooks.delivery(&made.id, &delivery.id).await?;
    webhooks.retry_delivery(&made.id, &delivery.id).await?;

    for id in [&made.id, &bare.id] {
        webhooks.delete(id).await?;
        refused(webhooks.get(id).await, 404)?;
    }
    Ok(())
}
