//! Webhook registrations, and the payloads of the two generations that are simulated.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::message_store::{Direction, Message};
use crate::openphone::state::State;
use crate::webhook::{Delivery, Signer, Target};

/// Which generation of webhooks a registration gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WebhookFormat {
    /// Payload `v4`, made with `/v1/webhooks/*`, signed with `openphone-signature`. Texts only:
    /// no sample of another `v4` event that these resources cause is known.
    #[serde(rename = "v4")]
    V4,
    /// Payload `2026-03-30`, signed by Standard Webhooks. Texts and contacts.
    #[serde(rename = "2026-03-30")]
    Dated,
}

/// A registered webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id: `WH…` for the older generation, decimal digits for the dated one.
    pub id: String,
    /// Where its deliveries go.
    pub url: String,
    /// Its generation.
    pub format: WebhookFormat,
    /// What its deliveries are signed with: bare base64, or `whsec_…`.
    pub key: String,
}

#[derive(Debug)]
pub(super) struct Registration {
    pub(super) webhook: Webhook,
    pub(super) target: Arc<Target>,
}

/// Something that webhooks tell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'a> {
    MessageReceived(&'a str),
    MessageDelivered(&'a str),
    ContactUpdated(u64),
    ContactDeleted(u64),
}

impl Event<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::MessageReceived(_) => "message.received",
            Self::MessageDelivered(_) => "message.delivered",
            Self::ContactUpdated(_) => "contact.updated",
            Self::ContactDeleted(_) => "contact.deleted",
        }
    }
}

impl State {
    /// Makes one delivery for every registration that hears of this event. All carry the same
    /// event id, as the vendor's do; dated ones have an id of their own in a header.
    pub(super) fn notify(&mut self, event: Event<'_>, now: DateTime<Utc>) -> Vec<Delivery> {
        if self.webhooks.is_empty() {
            return Vec::new();
        }
        let event_id = self.ids.long("EV");
        let v4 = self
            .v4_data(event)
            .map(|data| v4_payload(&event_id, event, now, &data));
        let dated = self
            .dated_data(event)
            .map(|data| dated_payload(&event_id, event, now, &data));
        let mut deliveries = Vec::with_capacity(self.webhooks.len());
        for registration in &self.webhooks {
            let (body, signer) = match registration.webhook.format {
                WebhookFormat::V4 => (
                    &v4,
                    Signer::OpenPhoneLegacy {
                        key: Arc::clone(&self.legacy_key),
                    },
                ),
                WebhookFormat::Dated => {
                    let (key, message_id) = (Arc::clone(&self.dated_key), self.ids.long("msg_"));
                    (&dated, Signer::StandardWebhooks { key, message_id })
                }
            };
            let Some(body) = body else { continue };
            deliveries.push(Delivery {
                webhook_id: registration.webhook.id.clone(),
                event_id: event_id.clone(),
                event: event.name(),
                target: Arc::clone(&registration.target),
                signer,
                body: body.clone(),
            });
        }
        deliveries
    }

    fn v4_data(&self, event: Event<'_>) -> Option<Value> {
        let message = match event {
            Event::MessageReceived(id) | Event::MessageDelivered(id) => self.messages.get(id)?,
            Event::ContactUpdated(_) | Event::ContactDeleted(_) => return None,
        };
        let link = thread_link("https://quo.com", message);
        Some(json!({
            "deepLink": format!("{link}?at={}", message.id),
            "object": {
                "id": message.id,
                "object": "message",
                "direction": message.direction,
                "from": message.from,
                // A text in live payloads, though the samples of the documentation have a list.
                "to": message.to.join(","),
                "text": message.text,
                "status": message.status,
                "phoneNumberId": message.phone_number_id,
                "userId": self.user_of(message),
                "contactIds": self.contact_ids(message),
                "createdAt": clock::iso(message.created_at),
            },
        }))
    }

    fn dated_data(&self, event: Event<'_>) -> Option<Value> {
        match event {
            Event::MessageReceived(id) | Event::MessageDelivered(id) => {
                let message = self.messages.get(id)?;
                Some(json!({
                    "resource": {
                        "id": message.id,
                        "direction": message.direction,
                        "text": message.text,
                        "media": [],
                        "status": message.status,
                        "createdAt": clock::iso(message.created_at),
                    },
                    "context": {
                        "orgId": self.workspace.org_id,
                        "phoneNumberId": message.phone_number_id,
                        "conversationId": &*message.conversation_id,
                        "userId": self.user_of(message),
                        // No sample shows what is said when nobody matches.
                        "contacts": {
                            "ids": self.contact_ids(message),
                            "lookupStatus": "matched",
                        },
                        "senderIdentifier": message.from,
                        "recipientIdentifiers": message.to,
                    },
                    "links": { "quo": thread_link("https://my.quo.com", message) },
                }))
            }
            Event::ContactUpdated(place) | Event::ContactDeleted(place) => {
                let contact = self.contacts.get(place)?;
                let id = self.contacts.id(place);
                Some(json!({
                    "resource": contact.flat(&id, &self.workspace.custom_fields),
                    "context": {
                        "orgId": self.workspace.org_id,
                        "userId": &*contact.created_by,
                        "sharedWithIds": [self.workspace.org_id],
                    },
                    "links": { "quo": null },
                }))
            }
        }
    }

    /// Webhooks name a user for incoming texts too: the owner of the number.
    fn user_of<'a>(&'a self, message: &'a Message) -> Option<&'a str> {
        message.user_id.as_deref().or_else(|| {
            let phone = self.workspace.phone_number(&message.phone_number_id)?;
            self.workspace.users_of(phone).next().map(|user| &*user.id)
        })
    }

    fn contact_ids(&self, message: &Message) -> Vec<String> {
        match message.direction {
            Direction::Incoming => self.contacts.ids_with_number(&message.from),
            Direction::Outgoing => message
                .to
                .iter()
                .flat_map(|to| self.contacts.ids_with_number(to))
                .collect(),
        }
    }
}

fn v4_payload(id: &str, event: Event<'_>, now: DateTime<Utc>, data: &Value) -> Bytes {
    let payload = json!({
        "id": id,
        "object": "event",
        "apiVersion": "v4",
        "createdAt": clock::iso(now),
        "type": event.name(),
        "data": data,
    });
    payload.to_string().into()
}

fn dated_payload(id: &str, event: Event<'_>, now: DateTime<Utc>, data: &Value) -> Bytes {
    let payload = json!({
        "id": id,
        "apiVersion": "2026-03-30",
        "createdAt": clock::iso(now),
        "type": event.name(),
        "data": data,
    });
    payload.to_string().into()
}

fn thread_link(host: &str, message: &Message) -> String {
    format!(
        "{host}/inbox/{}/c/{}",
        message.phone_number_id, message.conversation_id
    )
}
