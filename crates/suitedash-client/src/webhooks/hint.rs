//! What a delivery hints at.

use std::collections::BTreeMap;
use std::fmt;

use integration_core::webhook::{UnsignedDelivery, WebhookError, WebhookErrorKind};
use serde_json::{Map, Value};

connector_http::open_enum! {
    /// The events seen in SuiteDash's user interface, as a part of an address names them.
    ///
    /// The vendor's labels are "Project Created" and so on. What it writes into the payload, if anything, is not known;
    /// so the name comes from the address that the host gave to that endpoint.
    pub enum EventName {
        /// "Project Created".
        ProjectCreated = "project-created",
        /// "Project Updated".
        ProjectUpdated = "project-updated",
        /// "Project Deleted".
        ProjectDeleted = "project-deleted",
        /// "Subscription Created", of the family Billing.
        SubscriptionCreated = "subscription-created",
        /// "Subscription Canceled", of the family Billing.
        SubscriptionCanceled = "subscription-canceled",
        /// "Subscription Expired", of the family Billing.
        SubscriptionExpired = "subscription-expired",
        /// "Subscription Unpaid", of the family Billing.
        SubscriptionUnpaid = "subscription-unpaid",
        /// The action "Webhook Notification" of an automation, whatever set it off.
        Automation = "automation",
    }
}

/// What an unsigned delivery says happened. Nobody vouches for it: read the record through the API before acting.
///
/// `Debug` prints the name, the ids and how many keys the payload has, none of its values.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct EventHint {
    /// The event, as the address says.
    pub event: EventName,
    /// What to recognise a repeated delivery by: `sha256:` and the hex digest of the body.
    pub dedup_key: String,
    /// `client.uid` of the payload. Whether it names a contact or a company is not documented.
    pub client_uid: Option<String>,
    /// What the event is about.
    pub kind: HintKind,
    /// The whole payload.
    pub raw: Map<String, Value>,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HintKind {
    /// A project was made, changed or deleted.
    Project(ProjectHint),
    /// A subscription changed; no key of the payload is known.
    Billing,
    /// An automation sent it; no key of the payload is known.
    Automation,
    /// Something else, or an address that names no event.
    Unknown,
}

/// What a delivery says about a project.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ProjectHint {
    /// `project_custom_fields`: values by the uid of the custom field. Seen on "Project Updated".
    pub custom_fields: BTreeMap<String, Value>,
}

impl EventHint {
    /// Reads a delivery as the event that its address names.
    ///
    /// Only [`UnsignedDelivery`] is taken, so a body that no [`Receiver`](super::Receiver) has let in is not read by
    /// mistake. Keys that are not known are left in [`raw`](Self::raw), and known keys of an unexpected type, too. Where
    /// the name is [`Unknown`](EventName::Unknown), `project_custom_fields` makes it a project.
    ///
    /// # Errors
    ///
    /// [`UnreadableBody`](WebhookErrorKind::UnreadableBody) if the body is no JSON object; it says where reading
    /// stopped, and nothing of what stood there.
    pub fn read(delivery: &UnsignedDelivery<'_>, event: EventName) -> Result<Self, WebhookError> {
        let raw: Map<String, Value> = serde_json::from_slice(delivery.body()).map_err(|error| {
            WebhookError::new(WebhookErrorKind::UnreadableBody)
                .with_position(error.line(), error.column())
        })?;
        let client_uid = raw
            .get("client")
            .and_then(|client| client.get("uid"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(Self {
            kind: HintKind::of(&event, &raw),
            event,
            dedup_key: delivery.dedup_key(),
            client_uid,
            raw,
        })
    }
}

impl HintKind {
    fn of(event: &EventName, raw: &Map<String, Value>) -> Self {
        let custom_fields = raw.get("project_custom_fields").and_then(Value::as_object);
        match event {
            EventName::ProjectCreated | EventName::ProjectUpdated | EventName::ProjectDeleted => {
                Self::Project(ProjectHint::of(custom_fields))
            }
            EventName::SubscriptionCreated
            | EventName::SubscriptionCanceled
            | EventName::SubscriptionExpired
            | EventName::SubscriptionUnpaid => Self::Billing,
            EventName::Automation => Self::Automation,
            EventName::Unknown(_) if custom_fields.is_some() => {
                Self::Project(ProjectHint::of(custom_fields))
            }
            EventName::Unknown(_) => Self::Unknown,
        }
    }
}

impl ProjectHint {
    fn of(custom_fields: Option<&Map<String, Value>>) -> Self {
        let fields = custom_fields.into_iter().flatten();
        Self {
            custom_fields: fields
                .map(|(uid, value)| (uid.clone(), value.clone()))
                .collect(),
        }
    }
}

impl fmt::Debug for EventHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventHint")
            .field("event", &self.event)
            .field("dedup_key", &self.dedup_key)
            .field("client_uid", &self.client_uid)
            .field("kind", &self.kind)
            .field("keys", &self.raw.len())
            .finish()
    }
}

impl fmt::Debug for ProjectHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uids: Vec<_> = self.custom_fields.keys().collect();
        f.debug_struct("ProjectHint")
            .field("custom_fields", &uids)
            .finish()
    }
}
