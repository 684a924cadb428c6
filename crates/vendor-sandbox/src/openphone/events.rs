//! What webhooks tell, in the payloads of the two generations that are simulated.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::calls::{CallEvent, PhoneCall};
use crate::openphone::message_store::{Direction, Message};
use crate::openphone::registration::WebhookFormat;
use crate::openphone::state::State;
use crate::webhook::Delivery;

/// Something that webhooks tell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'a> {
    MessageReceived(&'a str),
    MessageDelivered(&'a str),
    ContactUpdated(u64),
    ContactDeleted(u64),
    Call(CallEvent, &'a PhoneCall),
}

impl Event<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::MessageReceived(_) => "message.received",
            Self::MessageDelivered(_) => "message.delivered",
            Self::ContactUpdated(_) => "contact.updated",
            Self::ContactDeleted(_) => "contact.deleted",
            Self::Call(event, _) => event.name(),
        }
    }
}

impl State {
    /// Makes one delivery for every webhook that hears of this event. All carry the same
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
        let number = self.number_of(event).map(str::to_owned);
        let mut deliveries = Vec::with_capacity(self.webhooks.len());
        for registration in &self.webhooks {
            let body = match registration.webhook.format {
                WebhookFormat::V4 => &v4,
                WebhookFormat::Dated => &dated,
            };
            let Some(body) = body else { continue };
            if !registration.hears(event.name(), number.as_deref()) {
                continue;
            }
            deliveries.push(Delivery {
                webhook_id: registration.webhook.id.clone(),
                event_id: event_id.clone(),
                event: event.name(),
                recipient: registration.recipient.clone(),
                signer: registration.signer(&mut self.ids),
                body: body.clone(),
            });
        }
        deliveries
    }

    /// The id of the workspace's own number at which the event happened.
    fn number_of<'a>(&'a self, event: Event<'a>) -> Option<&'a str> {
        match event {
            Event::MessageReceived(id) | Event::MessageDelivered(id) => {
                Some(&self.messages.get(id)?.phone_number_id)
            }
            Event::Call(_, call) => Some(&call.phone_number_id),
            Event::ContactUpdated(_) | Event::ContactDeleted(_) => None,
        }
    }

    fn v4_data(&self, event: Event<'_>) -> Option<Value> {
        let message = match event {
            Event::MessageReceived(id) | Event::MessageDelivered(id) => self.messages.get(id)?,
            Event::Call(event, call) => return Some(self.call_data(event, call)),
            Event::ContactUpdated(_) | Event::ContactDeleted(_) => return None,
        };
        let link = message_link("https://quo.com", message);
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
            Event::Call(..) => None,
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
                    "links": { "quo": message_link("https://my.quo.com", message) },
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

fn message_link(host: &str, message: &Message) -> String {
    thread_link(host, &message.phone_number_id, &message.conversation_id)
}

pub(super) fn thread_link(host: &str, phone_number_id: &str, conversation_id: &str) -> String {
    format!("{host}/inbox/{phone_number_id}/c/{conversation_id}")
}
