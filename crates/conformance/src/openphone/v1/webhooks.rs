//! Webhooks of all four families.

use openphone_client::{ListWebhooks, NewWebhook, WebhookEvent, WebhookResources};

use super::{Stage, Step, check, refused};

const EVENTS: [WebhookEvent; 7] = [
    WebhookEvent::MessageReceived,
    WebhookEvent::MessageDelivered,
    WebhookEvent::CallRinging,
    WebhookEvent::CallCompleted,
    WebhookEvent::CallRecordingCompleted,
    WebhookEvent::CallSummaryCompleted,
    WebhookEvent::CallTranscriptCompleted,
];

pub(super) async fn walk(stage: &Stage) -> Step {
    let webhooks = stage.client.webhooks();
    let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", EVENTS);
    let made = webhooks.ensure(&wanted).await?;
    check(made.len() == 4, "families are missing")?;
    let again = webhooks.ensure(&wanted).await?;
    let unchanged = made.iter().zip(&again).all(|(one, two)| one.id == two.id);
    check(unchanged && again.len() == 4, "they were registered twice")?;

    let user = stage.user().await?;
    let some = NewWebhook::new("https://hooks.example.com/texts", EVENTS)
        .resources(WebhookResources::PhoneNumbers(vec![stage.number()]))
        .label("CRM")
        .user_id(user.clone());
    webhooks.create(&some).await?;
    let theirs = ListWebhooks::new().user_id(user.clone());
    let listed = webhooks.list(&theirs).await?;
    check(listed.len() >= 4, "webhooks are missing from the list")?;
    webhooks.list(&ListWebhooks::new()).await?;
    for webhook in &made {
        webhooks.get(&webhook.id).await?;
        webhooks.delete(&webhook.id).await?;
        refused(webhooks.get(&webhook.id).await, 404)?;
    }
    Ok(())
}
