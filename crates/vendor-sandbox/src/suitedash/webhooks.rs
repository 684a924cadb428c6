//! What the webhooks tell that people set up in the app.
//!
//! Unsigned: no signature is evidenced. Of the payload only `client.uid` and
//! `project_custom_fields` are, on an updated project. Whether an attempt that failed is made again
//! is not known; here it is not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::SandboxError;
use crate::suitedash::state::State;
use crate::suitedash::world::World;
use crate::webhook::{Delivery, Recipient, Signer, Target};

/// What a webhook can be set up for, as it was seen in one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Project Created.
    ProjectCreated,
    /// Project Updated.
    ProjectUpdated,
    /// Project Deleted.
    ProjectDeleted,
    /// Subscription Created, of the billing family.
    SubscriptionCreated,
    /// Subscription Canceled.
    SubscriptionCanceled,
    /// Subscription Expired.
    SubscriptionExpired,
    /// Subscription Unpaid.
    SubscriptionUnpaid,
}

impl WebhookEvent {
    /// Returns the name that the app shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProjectCreated => "Project Created",
            Self::ProjectUpdated => "Project Updated",
            Self::ProjectDeleted => "Project Deleted",
            Self::SubscriptionCreated => "Subscription Created",
            Self::SubscriptionCanceled => "Subscription Canceled",
            Self::SubscriptionExpired => "Subscription Expired",
            Self::SubscriptionUnpaid => "Subscription Unpaid",
        }
    }

    const fn is_of_projects(self) -> bool {
        matches!(
            self,
            Self::ProjectCreated | Self::ProjectUpdated | Self::ProjectDeleted
        )
    }
}

/// Makes the payload of an event about a project, or about a contact where it is billing.
pub(super) fn payload(
    world: &World,
    event: WebhookEvent,
    about: &str,
) -> Result<Value, SandboxError> {
    if !event.is_of_projects() {
        let unknown = SandboxError::Unknown { what: "contact" };
        world.contacts.place(about).ok_or(unknown)?;
        return Ok(json!({ "client": { "uid": about } }));
    }
    let place = world.projects.place(about);
    let project = place.and_then(|place| world.projects.get(place));
    let project = project.ok_or(SandboxError::Unknown { what: "project" })?;
    Ok(json!({
        "client": { "uid": project.client },
        "project_custom_fields": project.custom_fields,
    }))
}

/// Prepares a delivery to a URL on this machine.
pub(super) fn delivery(
    state: &mut State,
    url: &str,
    event: WebhookEvent,
    about: &str,
    payload: &Value,
) -> Result<Delivery, SandboxError> {
    let recipient = Recipient::Loopback(Arc::new(Target::parse(url)?));
    state.sent += 1;
    Ok(Delivery {
        webhook_id: "app".to_owned(),
        event_id: state.sent.to_string(),
        resource_id: about.to_owned(),
        event: event.name(),
        recipient,
        signer: Signer::Unsigned,
        schedule: &[0],
        body: payload.to_string().into(),
    })
}
