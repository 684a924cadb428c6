//! What is remembered of deliveries.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::webhook::{Delivery, Signer};

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// Under way, or waiting for its next attempt.
    Pending,
    /// The receiver answered with a 2xx.
    Delivered,
    /// Every attempt of the schedule failed.
    Failed,
    /// Never sent, because too many deliveries were waiting or the sandbox had ended.
    Dropped,
    /// Never sent, because the webhook was registered over the API with a URL that is not `http`
    /// on loopback. The vendor would send it.
    Withheld,
}

/// What became of one webhook delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// The number of the delivery, counted from 1.
    pub number: u64,
    /// The registration it belongs to.
    pub webhook_id: String,
    /// The id in the payload.
    pub event_id: String,
    /// The type of the event, for instance `message.received`.
    pub event: &'static str,
    /// Where it goes.
    pub url: String,
    /// When it was handed over for sending; a repeat has a time of its own.
    pub at: DateTime<Utc>,
    /// How often it has been sent.
    pub attempts: u32,
    /// The last status the receiver answered; `None` when it did not answer.
    pub last_status: Option<u16>,
    /// How far it has come.
    pub state: DeliveryState,
}

/// What the log holds of one delivery.
pub(super) struct Entry {
    pub(super) record: DeliveryRecord,
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Attempt>,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    /// Whether somebody asked for it instead of an event.
    pub(super) manual: bool,
}

/// One attempt to deliver.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) at: DateTime<Utc>,
    pub(crate) took: Duration,
    /// What the receiver answered, if it did.
    pub(crate) answer: Option<(u16, String)>,
    pub(crate) manual: bool,
}

/// What is known of one message to one webhook, over all the times it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    /// The number of the last time it was asked for.
    pub(crate) number: u64,
    pub(crate) event_id: String,
    pub(crate) resource_id: String,
    pub(crate) event: &'static str,
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) at: DateTime<Utc>,
    pub(crate) state: DeliveryState,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) attempts: Vec<Attempt>,
}

/// Gathers what was sent to a webhook that signs with message ids, oldest first: one message for
/// all the times it was asked for.
pub(super) fn messages<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    webhook_id: &str,
) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for entry in entries.filter(|entry| entry.record.webhook_id == webhook_id) {
        let Signer::StandardWebhooks { message_id, .. } = &entry.delivery.signer else {
            continue;
        };
        let (record, delivery) = (&entry.record, &entry.delivery);
        let known = messages
            .iter_mut()
            .find(|message| message.id == *message_id);
        if let Some(message) = known {
            message.number = record.number;
            message.state = record.state;
            message.next_attempt_at = entry.next_attempt_at;
            message.attempts.extend_from_slice(&entry.attempts);
        } else {
            messages.push(Message {
                id: message_id.clone(),
                number: record.number,
                event_id: record.event_id.clone(),
                resource_id: delivery.resource_id.clone(),
                event: record.event,
                url: record.url.clone(),
                body: delivery.body.clone(),
                at: record.at,
                state: record.state,
                next_attempt_at: entry.next_attempt_at,
                attempts: entry.attempts.clone(),
            });
        }
    }
    messages
}
