//! What is asked of webhooks.

use chrono::{DateTime, Utc};
use connector_http::{Patch, masked_debug, setters};
use serde::{Serialize, Serializer};

use super::deliveries::DeliveryStatus;
use super::models::WebhookEvent;
use crate::check::Check;
use crate::dated::page::MAX_LIMIT;
use crate::dated::query::{check_limit, check_span, check_value, check_values};
use crate::webhook_management::{WebhookResources, WebhookStatus, is_deliverable};

/// The events that are wanted at an address.
///
/// ```
/// use openphone_client::dated::{NewWebhook, WebhookEvent};
///
/// let tasks = [WebhookEvent::TaskCreated, WebhookEvent::TaskCompleted];
/// let wanted = NewWebhook::new("https://hooks.example.com/quo/7d1f", tasks).label("CRM");
/// # drop(wanted);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewWebhook {
    /// Where they are to be delivered: `https`, or `http` on loopback.
    pub url: String,
    /// Which events.
    pub events: Vec<WebhookEvent>,
    /// For which phone numbers; for all, which is not sent, by default.
    #[serde(rename = "resourceIds", skip_serializing_if = "is_all")]
    pub resources: WebhookResources,
    /// Whether it delivers at once; the vendor's default is that it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

masked_debug!(NewWebhook {
    shown: [events, resources, status],
    masked: [url, label]
});

impl NewWebhook {
    /// Asks for these events at this address, for all phone numbers.
    pub fn new(url: impl Into<String>, events: impl IntoIterator<Item = WebhookEvent>) -> Self {
        Self {
            url: url.into(),
            events: events.into_iter().collect(),
            resources: WebhookResources::All,
            status: None,
            label: None,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_url(&mut check, &self.url);
        check_events(&mut check, &self.events);
        check_resources(&mut check, &self.resources);
        check
    }
}

setters! { NewWebhook {
    /// Asks for some phone numbers' events only.
    resources: WebhookResources,
    /// Sets whether it delivers at once.
    status: Option<WebhookStatus>,
    /// Sets a name for people.
    label: Option<String>,
} }

/// What to change of a webhook. What is not set stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookPatch {
    /// Where it shall deliver to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// All events it shall deliver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
    /// All phone numbers it shall deliver for.
    #[serde(
        rename = "resourceIds",
        skip_serializing_if = "Option::is_none",
        serialize_with = "all_as_null"
    )]
    pub resources: Option<WebhookResources>,
    /// Whether it shall deliver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<WebhookStatus>,
    /// Its name for people.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub label: Patch<String>,
}

masked_debug!(WebhookPatch {
    shown: [events, resources, status],
    masked: [url, label]
});

impl WebhookPatch {
    /// Changes nothing yet, which is refused.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check.require(*self != Self::default(), "", "must change something");
        if let Some(url) = &self.url {
            check_url(&mut check, url);
        }
        check_values(&mut check, &names(&self.events), "/events");
        if let Some(resources) = &self.resources {
            check_resources(&mut check, resources);
        }
        check
    }
}

setters! { WebhookPatch {
    /// Sets where it shall deliver to.
    url: Option<String>,
    /// Sets all events it shall deliver.
    events: Vec<WebhookEvent>,
    /// Sets all phone numbers it shall deliver for.
    resources: Option<WebhookResources>,
    /// Sets whether it shall deliver.
    status: Option<WebhookStatus>,
    /// Sets its name for people.
    label: Patch<String> | clear_label,
} }

/// Which deliveries of a webhook to list: all that the vendor keeps, unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListDeliveries {
    /// Only those that are this far.
    pub status: Option<DeliveryStatus>,
    /// Only those of these events; of all if there are none.
    pub events: Vec<WebhookEvent>,
    /// Only those about this call, message, contact or task.
    pub resource_id: Option<String>,
    /// Only those made after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Only those made before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// How many per page: 1 to 50, the default.
    pub limit: u32,
}

impl ListDeliveries {
    /// Asks for all deliveries.
    pub fn new() -> Self {
        Self {
            status: None,
            events: Vec::new(),
            resource_id: None,
            created_after: None,
            created_before: None,
            limit: MAX_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Check {
        let mut check = Check::new();
        check_limit(&mut check, self.limit, MAX_LIMIT);
        check_values(&mut check, &names(&self.events), "/eventType");
        check_value(&mut check, self.resource_id.as_ref(), "/resourceId");
        check_span(
            &mut check,
            self.created_after,
            self.created_before,
            "/createdAt[lt]",
        );
        check
    }
}

setters! { ListDeliveries {
    /// Asks for those that are this far.
    status: Option<DeliveryStatus>,
    /// Asks for those of these events.
    events: Vec<WebhookEvent>,
    /// Asks for those about this call, message, contact or task.
    resource_id: Option<String>,
    /// Asks for those made after this time.
    created_after: Option<DateTime<Utc>>,
    /// Asks for those made before this time.
    created_before: Option<DateTime<Utc>>,
    /// Sets how many deliveries a page holds.
    limit: u32,
} }

impl Default for ListDeliveries {
    fn default() -> Self {
        Self::new()
    }
}

/// The vendor's words.
pub(super) fn names(events: &[WebhookEvent]) -> Vec<&str> {
    events.iter().map(WebhookEvent::as_str).collect()
}

fn check_url(check: &mut Check, url: &str) {
    check.require(
        is_deliverable(url),
        "/url",
        "must be an https address (or http on loopback) without credentials and fragment",
    );
}

fn check_events(check: &mut Check, events: &[WebhookEvent]) {
    check.require(!events.is_empty(), "/events", "must name an event");
    check_values(check, &names(events), "/events");
}

fn check_resources(check: &mut Check, resources: &WebhookResources) {
    if let WebhookResources::PhoneNumbers(ids) = resources {
        check.require(!ids.is_empty(), "/resourceIds", "must name a phone number");
        check_values(check, ids, "/resourceIds");
    }
}

fn is_all(resources: &WebhookResources) -> bool {
    *resources == WebhookResources::All
}

/// How all numbers are written, nobody says; `null` takes the limit away.
#[expect(clippy::ref_option, reason = "serde hands over the field")]
fn all_as_null<S: Serializer>(
    resources: &Option<WebhookResources>,
    to: S,
) -> Result<S::Ok, S::Error> {
    resources.as_ref().filter(|it| !is_all(it)).serialize(to)
}
