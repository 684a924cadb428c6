//! The webhooks of one instance's address.

use connector_http::{CallOptions, Error, ErrorKind};
use integration_core::instance::{RegisteredWebhook, WebhookRequest};

use super::settings::Settings;
use crate::client::Client;
use crate::ids::WebhookId;
use crate::webhook_management::{ListWebhooks, Webhook, WebhookEvent, ensure};

/// Registers what the settings ask for, takes back what they no longer ask for, and returns everything that is there.
/// The address is of this instance alone, so whatever is registered there is its own, and so is what it registered
/// before, if the address has moved.
pub(super) async fn ensure(
    client: &Client,
    settings: &Settings,
    request: &WebhookRequest,
) -> Result<Vec<RegisteredWebhook>, Error> {
    let wanted = settings.webhooks_at(request.url.as_str());
    // The list is that of the owner of the workspace, and owners change.
    let before = request.registered.iter();
    let before: Vec<_> = before
        .map(|it| WebhookId::from(it.vendor_webhook_id.as_str()))
        .collect();
    let options = CallOptions::default();
    let mut kept = Vec::new();
    if !wanted.events.is_empty() {
        let ensured = ensure::ensure(client.clone(), wanted, before.clone(), options);
        kept = ensured.await?;
    }
    for webhook in ensure::look(client, &ListWebhooks::new(), &before, options).await? {
        if webhook.deleted_at.is_some() || kept.iter().any(|kept| kept.id == webhook.id) {
            continue;
        }
        let is_here = webhook.is_at(&request.url);
        // What API v1 cannot register, contacts for one, a person has made: it could not be made again.
        if !webhook.events.iter().all(WebhookEvent::can_be_registered) {
            kept.extend(is_here.then_some(webhook));
        } else if is_here || before.contains(&webhook.id) {
            delete(client, &webhook.id).await?;
        }
    }
    Ok(kept.into_iter().map(registered).collect())
}

/// Takes webhooks back, as many as can be.
pub(super) async fn remove(client: &Client, ids: &[String]) -> Result<(), Error> {
    let mut outcome = Ok(());
    for id in ids {
        outcome = outcome.and(delete(client, &WebhookId::from(id.as_str())).await);
    }
    outcome
}

async fn delete(client: &Client, id: &WebhookId) -> Result<(), Error> {
    match client.webhooks().delete(id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn registered(webhook: Webhook) -> RegisteredWebhook {
    let events = webhook.events.iter().map(WebhookEvent::as_str);
    let record = RegisteredWebhook::new(webhook.id.as_str(), events);
    match webhook.key {
        Some(key) => record.secret(key),
        None => record,
    }
}
