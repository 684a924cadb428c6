//! Who hears of events: webhooks set up through the control handle, and those made over the API.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::openphone::ids::Ids;
use crate::webhook::{Recipient, Signer};

/// What stands in the place of the numbers of a webhook that hears of every one.
pub(super) const EVERY_NUMBER: &str = "*";

/// Seconds before each attempt of a delivery, counted from the attempt before it: the schedule of
/// the dated webhooks. The older ones have no published schedule and follow the same one.
pub(super) const SCHEDULE: &[u64] = &[0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];

/// Which generation of webhooks a registration gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WebhookFormat {
    /// Payload `v4`, signed with `openphone-signature`. Texts and calls: no sample of another
    /// `v4` event is known.
    #[serde(rename = "v4")]
    V4,
    /// Payload `2026-03-30`, signed by Standard Webhooks. Texts, calls, contacts and
    /// tasks.
    #[serde(rename = "2026-03-30")]
    Dated,
}

/// A registered webhook, as the control handle shows it.
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
    /// Whether it was created over the API, which alone can list and delete it there.
    pub through_api: bool,
    /// Whether its URL is `http` on loopback. Deliveries to another are
    /// [`Withheld`](crate::DeliveryState::Withheld).
    pub loopback: bool,
}

#[derive(Debug)]
pub(super) struct Registration {
    pub(super) webhook: Webhook,
    pub(super) recipient: Recipient,
    key: Arc<[u8]>,
    /// What it hears of; `None` for one that was set up through the control handle, which hears
    /// of everything.
    pub(super) subscription: Option<Subscription>,
}

/// What was asked for when a webhook was created over the API.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) user_id: Arc<str>,
    pub(super) label: Option<String>,
    pub(super) enabled: bool,
    pub(super) events: Vec<&'static str>,
    /// Ids of own numbers, or [`EVERY_NUMBER`].
    pub(super) resource_ids: Vec<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

fn dated_key_text(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

impl Registration {
    /// Registers a webhook of the older generation; its id is drawn here.
    pub(super) fn v4(
        recipient: Recipient,
        key: Arc<[u8]>,
        subscription: Option<Subscription>,
        ids: &mut Ids,
    ) -> Self {
        let text = STANDARD.encode(&key);
        Self::new(
            WebhookFormat::V4,
            ids.long("WH"),
            text,
            recipient,
            key,
            subscription,
        )
    }

    /// Registers a webhook of the dated generation.
    pub(super) fn dated(
        recipient: Recipient,
        key: Arc<[u8]>,
        subscription: Option<Subscription>,
        ids: &mut Ids,
    ) -> Self {
        let text = dated_key_text(&key);
        Self::new(
            WebhookFormat::Dated,
            ids.decimal(),
            text,
            recipient,
            key,
            subscription,
        )
    }

    /// Signs with another key from now on.
    pub(super) fn rotate(&mut self, key: Arc<[u8]>) {
        self.webhook.key = dated_key_text(&key);
        self.key = key;
    }

    pub(super) fn send_to(&mut self, recipient: Recipient) {
        recipient.url().clone_into(&mut self.webhook.url);
        self.webhook.loopback = recipient.is_loopback();
        self.recipient = recipient;
    }

    fn new(
        format: WebhookFormat,
        id: String,
        key_text: String,
        recipient: Recipient,
        key: Arc<[u8]>,
        subscription: Option<Subscription>,
    ) -> Self {
        let webhook = Webhook {
            id,
            url: recipient.url().to_owned(),
            format,
            key: key_text,
            through_api: subscription.is_some(),
            loopback: recipient.is_loopback(),
        };
        Self {
            webhook,
            recipient,
            key,
            subscription,
        }
    }

    /// Says whether it hears of an event at one of the own numbers. What happens at none, such as
    /// the change of a contact, is heard at every one.
    pub(super) fn hears(&self, event: &str, phone_number_id: Option<&str>) -> bool {
        self.subscription
            .as_ref()
            .is_none_or(|subscription| subscription.hears(event, phone_number_id))
    }

    pub(super) fn signer(&self, ids: &mut Ids) -> Signer {
        let key = Arc::clone(&self.key);
        match self.webhook.format {
            WebhookFormat::V4 => Signer::OpenPhoneLegacy { key },
            WebhookFormat::Dated => Signer::StandardWebhooks {
                key,
                message_id: ids.long("msg_"),
            },
        }
    }
}

impl Subscription {
    fn hears(&self, event: &str, phone_number_id: Option<&str>) -> bool {
        let at_its_number = phone_number_id.is_none_or(|number| {
            self.resource_ids
                .iter()
                .any(|id| id == EVERY_NUMBER || id == number)
        });
        self.enabled && self.events.contains(&event) && at_its_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_heard() {
        let at = |enabled, events: &[&'static str], numbers: &[&str]| Subscription {
            user_id: Arc::from("US1"),
            label: None,
            enabled,
            events: events.to_vec(),
            resource_ids: numbers.iter().map(|&id| id.to_owned()).collect(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let (got, sent) = ("message.received", "message.delivered");
        let (one, two) = (Some("PN1"), Some("PN2"));
        for (subscription, event, number, heard) in [
            (at(true, &[got], &["*"]), got, one, true),
            (at(true, &[got], &["*"]), got, two, true),
            (at(true, &[got], &["*"]), sent, one, false),
            (at(true, &[got, sent], &["PN1"]), sent, one, true),
            (at(true, &[got, sent], &["PN1"]), sent, two, false),
            (at(true, &[got], &["PN1", "PN2"]), got, two, true),
            (at(true, &[got], &["PN1"]), got, None, true),
            (at(true, &[], &["*"]), got, one, false),
            (at(true, &[got], &[]), got, one, false),
            (at(false, &[got], &["*"]), got, one, false),
        ] {
            assert_eq!(
                subscription.hears(event, number),
                heard,
                "{subscription:?} {event}"
            );
        }
    }
}
