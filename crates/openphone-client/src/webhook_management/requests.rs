//! What is asked of webhooks.

use connector_http::{masked_debug, setters};
use serde::Serialize;
use url::Url;

use super::address;
use super::models::{Family, WebhookEvent, WebhookResources, WebhookStatus};
use crate::check::Check;
use crate::ids::UserId;

/// The events that are wanted at an address.
///
/// What is registered is always enabled: the vendor could not enable it later.
///
/// ```
/// use openphone_client::{NewWebhook, PhoneNumberId, WebhookEvent, WebhookResources};
///
/// let texts = NewWebhook::new("https://hooks.example.com/quo", [WebhookEvent::MessageReceived])
///     .resources(PhoneNumberId::from("PNabc101"))
///     .label("CRM");
/// assert_ne!(texts.resources, WebhookResources::All);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewWebhook {
    /// Where they are to be delivered: `https`, or `http` on loopback.
    pub url: String,
    /// Which events.
    pub events: Vec<WebhookEvent>,
    /// For which phone numbers; for all by default.
    pub resources: WebhookResources,
    /// A name for people, shown in the vendor's app.
    pub label: Option<String>,
    /// The user it is made for. The vendor's default is the owner of the workspace.
    pub user_id: Option<UserId>,
}

masked_debug!(NewWebhook {
    shown: [events, resources, user_id],
    masked: [url, label]
});

impl NewWebhook {
    /// Asks for these events at this address, for all phone numbers.
    pub fn new(url: impl Into<String>, events: impl IntoIterator<Item = WebhookEvent>) -> Self {
        Self {
            url: url.into(),
            events: events.into_iter().collect(),
            resources: WebhookResources::All,
            label: None,
            user_id: None,
        }
    }

    /// Checks everything at once; the address is given back as the parser has read it.
    pub(super) fn check(&self) -> Result<Url, Check> {
        let mut check = Check::new();
        let url = address::deliverable(&self.url);
        check.require(
            url.is_some(),
            "/url",
            "must be an https address (or http on loopback) without credentials and fragment",
        );
        check.require(!self.events.is_empty(), "/events", "must name an event");
        for (index, event) in self.events.iter().enumerate() {
            check.require(
                event.can_be_registered(),
                format!("/events/{index}"),
                "must be an event that API v1 can register: of messages, calls, call summaries or call transcripts",
            );
        }
        if let WebhookResources::PhoneNumbers(ids) = &self.resources {
            check.require(!ids.is_empty(), "/resourceIds", "must name a phone number");
            for (index, id) in ids.iter().enumerate() {
                let id = id.as_str().trim();
                check.require(
                    !id.is_empty() && id != "*",
                    format!("/resourceIds/{index}"),
                    "must be the id of a phone number; all of them are `WebhookResources::All`",
                );
            }
        }
        match url {
            Some(url) if check.is_clean() => Ok(url),
            _ => Err(check),
        }
    }

    /// The events of one family, each once.
    pub(super) fn events_of(&self, family: Family) -> Vec<&WebhookEvent> {
        let mut events: Vec<&WebhookEvent> = Vec::new();
        for event in &self.events {
            if event.family() == Some(family) && !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }

    /// The families that the events are of.
    pub(super) fn families(&self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(|family| !self.events_of(*family).is_empty())
    }

    /// What is sent for one family.
    pub(super) fn body(&self, family: Family) -> impl Serialize {
        Body {
            url: &self.url,
            events: self.events_of(family),
            resource_ids: &self.resources,
            status: WebhookStatus::Enabled,
            label: self.label.as_deref(),
            user_id: self.user_id.as_ref(),
        }
    }
}

setters! { NewWebhook {
    /// Asks for some phone numbers' events only.
    resources: WebhookResources,
    /// Sets a name for people.
    label: Option<String>,
    /// Sets the user it is made for.
    user_id: Option<UserId>,
} }

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    url: &'a str,
    events: Vec<&'a WebhookEvent>,
    resource_ids: &'a WebhookResources,
    status: WebhookStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
}

/// Whose webhooks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListWebhooks {
    /// The user's; those of the owner of the workspace by default.
    pub user_id: Option<UserId>,
}

impl ListWebhooks {
    /// Asks for the webhooks of the owner of the workspace.
    pub fn new() -> Self {
        Self::default()
    }
}

setters! { ListWebhooks {
    /// Asks for the webhooks of one user.
    user_id: Option<UserId>,
} }
