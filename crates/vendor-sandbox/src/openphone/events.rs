//! What webhooks tell, in the payloads of the two generations that are simulated.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::clock;
use crate::openphone::message_store::{Direction, Message};
use crate::openphone::object::insert;
use crate::openphone::registration::{SCHEDULE, WebhookFormat};
use crate::openphone::state::State;
use crate::openphone::task_events::TaskEvent;
use crate::webhook::Delivery;

/// Something that webhooks tell; what it happened to is named by its place.
#[derive(Clone, Debug)]
pub(super) enum Event {
    MessageReceived(u64),
    MessageDelivered(u64),
    MessageFailed(u64),
    MessageUndelivered(u64),
    ContactUpdated(u64),
    ContactDeleted(u64),
    Call(CallEvent, u64),
    Task(TaskEvent, usize),
}

/// What happens during a call and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallEvent {
    Ringing,
    Answered,
    Completed,
    Missed,
    Forwarded,
    MenuSelected,
    Recorded,
    VoicemailLeft,
    Summarised,
    Transcribed,
}

impl CallEvent {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ringing => "call.ringing",
            Self::Answered => "call.answered",
            Self::Completed => "call.completed",
            Self::Missed => "call.missed",
            Self::Forwarded => "call.forwarded",
            Self::MenuSelected => "call.menu.selected",
            Self::Recorded => "call.recording.completed",
            Self::VoicemailLeft => "call.voicemail.completed",
            Self::Summarised => "call.summary.completed",
            Self::Transcribed => "call.transcript.completed",
        }
    }
}

impl Event {
    const fn name(&self) -> &'static str {
        match self {
            Self::MessageReceived(_) => "message.received",
            Self::MessageDelivered(_) => "message.delivered",
            Self::MessageFailed(_) => "message.failed",
            Self::MessageUndelivered(_) => "message.undelivered",
            Self::ContactUpdated(_) => "contact.updated",
            Self::ContactDeleted(_) => "contact.deleted",
            Self::Call(event, _) => event.name(),
            Self::Task(event, _) => event.name(),
        }
    }
}

impl State {
    /// Makes one delivery for every webhook that hears of this event. All carry the same
    /// event id, as the vendor's do; dated ones have an id of their own in a header.
    pub(super) fn notify(&mut self, event: &Event, now: DateTime<Utc>) -> Vec<Delivery> {
        let (name, number) = (event.name(), self.number_of(event));
        let heard = |format: WebhookFormat| {
            self.webhooks.iter().any(|registration| {
                registration.webhook.format == format && registration.hears(name, number.as_deref())
            })
        };
        let (v4, dated) = (heard(WebhookFormat::V4), heard(WebhookFormat::Dated));
        if !v4 && !dated {
            return Vec::new();
        }
        let id = self.ids.long("EV");
        let write = |data: Value, v4: bool| {
            let mut payload = json!({
                "id": id,
                "apiVersion": if v4 { "v4" } else { "2026-03-30" },
                "createdAt": clock::iso(now),
                "type": name,
                "data": data,
            });
            if v4 {
                insert(&mut payload, "object", json!("event"));
            }
            Bytes::from(payload.to_string())
        };
        let v4 = v4.then(|| self.v4_data(event, now)).flatten();
        let v4 = v4.map(|data| write(data, true));
        let dated = dated.then(|| self.dated_data(event, now)).flatten();
        let dated = dated.map(|data| write(data, false));
        let resource_id = self.resource_id(event);
        let mut deliveries = Vec::with_capacity(self.webhooks.len());
        for registration in &self.webhooks {
            let body = match registration.webhook.format {
                WebhookFormat::V4 => &v4,
                WebhookFormat::Dated => &dated,
            };
            let Some(body) = body else { continue };
            if !registration.hears(name, number.as_deref()) {
                continue;
            }
            deliveries.push(Delivery {
                webhook_id: registration.webhook.id.clone(),
                event_id: id.clone(),
                resource_id: resource_id.clone(),
                event: name,
                recipient: registration.recipient.clone(),
                signer: registration.signer(&mut self.ids),
                schedule: SCHEDULE,
                body: body.clone(),
            });
        }
        deliveries
    }

    /// The id of the workspace's own number at which the event happened.
    fn number_of(&self, event: &Event) -> Option<String> {
        match event {
            Event::MessageReceived(place)
            | Event::MessageDelivered(place)
            | Event::MessageFailed(place)
            | Event::MessageUndelivered(place) => {
                Some(self.message(*place)?.phone_number_id.to_string())
            }
            Event::Call(_, place) => Some(self.call(*place)?.phone_number_id.to_string()),
            Event::Task(_, place) => Some(self.tasks.get(*place)?.phone_number_id.to_string()),
            Event::ContactUpdated(_) | Event::ContactDeleted(_) => None,
        }
    }

    /// The id of what the event happened to.
    fn resource_id(&self, event: &Event) -> String {
        match event {
            Event::MessageReceived(place)
            | Event::MessageDelivered(place)
            | Event::MessageFailed(place)
            | Event::MessageUndelivered(place) => self.messages.ledger.id(*place),
            Event::Call(_, place) => self.calls.ledger.id(*place),
            Event::Task(_, place) => {
                let task = self.tasks.get(*place);
                task.map(|task| task.id.clone()).unwrap_or_default()
            }
            Event::ContactUpdated(place) | Event::ContactDeleted(place) => self.contacts.id(*place),
        }
    }

    fn v4_data(&self, event: &Event, now: DateTime<Utc>) -> Option<Value> {
        let message = match event {
            Event::MessageReceived(place) | Event::MessageDelivered(place) => {
                self.message(*place)?
            }
            Event::Call(event, place) => {
                return self.call_v4(*event, &*self.call(*place)?, now);
            }
            Event::MessageFailed(_)
            | Event::MessageUndelivered(_)
            | Event::Task(..)
            | Event::ContactUpdated(_)
            | Event::ContactDeleted(_) => return None,
        };
        let link = message_link("https://quo.com", &message);
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
                "phoneNumberId": &*message.phone_number_id,
                "userId": self.user_of(&message),
                "contactIds": self.contact_ids(&message),
                "createdAt": clock::iso(message.created_at),
            },
        }))
    }

    fn dated_data(&self, event: &Event, now: DateTime<Utc>) -> Option<Value> {
        match event {
            Event::Call(event, place) => {
                let call = self.call(*place)?;
                Some(self.call_dated(*event, &call, now))
            }
            Event::Task(event, place) => Some(self.task_dated(event, self.tasks.get(*place)?)),
            Event::MessageReceived(place)
            | Event::MessageDelivered(place)
            | Event::MessageFailed(place)
            | Event::MessageUndelivered(place) => {
                let message = self.message(*place)?;
                let mut resource = json!({
                    "id": message.id,
                    "direction": message.direction,
                    "text": message.text,
                    "status": message.status,
                    "createdAt": clock::iso(message.created_at),
                });
                if matches!(
                    event,
                    Event::MessageFailed(_) | Event::MessageUndelivered(_)
                ) {
                    insert(&mut resource, "errorCode", json!(message.error_code));
                }
                if !matches!(event, Event::MessageFailed(_)) {
                    insert(&mut resource, "media", json!([]));
                }
                Some(json!({
                    "resource": resource,
                    "context": {
                        "orgId": self.workspace.org_id,
                        "phoneNumberId": &*message.phone_number_id,
                        "conversationId": &*message.conversation_id,
                        "userId": self.user_of(&message),
                        // No sample shows what is said when nobody matches.
                        "contacts": {
                            "ids": self.contact_ids(&message),
                            "lookupStatus": "matched",
                        },
                        "senderIdentifier": message.from,
                        "recipientIdentifiers": message.to,
                    },
                    "links": { "quo": message_link("https://my.quo.com", &message) },
                }))
            }
            Event::ContactUpdated(place) | Event::ContactDeleted(place) => {
                let contact = self.contacts.get(*place)?;
                let id = self.contacts.id(*place);
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

fn message_link(host: &str, message: &Message) -> String {
    thread_link(host, &message.phone_number_id, &message.conversation_id)
}

pub(super) fn thread_link(host: &str, phone_number_id: &str, conversation_id: &str) -> String {
    format!("{host}/inbox/{phone_number_id}/c/{conversation_id}")
}
