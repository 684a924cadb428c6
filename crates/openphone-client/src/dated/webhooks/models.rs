//! What a webhook of the dated API is.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::dated::ids::{OrganizationId, WebhookId};
use crate::page::null_as_default;
use crate::webhook_management::{WebhookResources, WebhookStatus};

/// A webhook that is registered over the dated API.
///
/// `Debug` prints ids, states and times; of address, label and key only whether they are there. The address often
/// holds an id that must not be guessed.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Webhook {
    /// The vendor's id, digits.
    pub id: WebhookId,
    /// The workspace.
    pub org_id: Option<OrganizationId>,
    /// Its name for people.
    pub label: Option<String>,
    /// Whether it delivers.
    pub status: WebhookStatus,
    /// Where it delivers to.
    pub url: String,
    /// The version its deliveries are written in. It is the one it was created with.
    pub api_version: Option<String>,
    /// What it delivers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub events: Vec<WebhookEvent>,
    /// For which phone numbers, as the vendor writes it. Whether an empty list means all of them is not documented.
    #[serde(default, rename = "resourceIds", deserialize_with = "null_as_default")]
    pub resources: WebhookResources,
    /// What its deliveries are signed with, `whsec_…`: what `Verifier::new` takes. **Only the answer to
    /// [`create`](super::Webhooks::create) holds it**; a lost key is replaced with
    /// [`rotate_secret`](super::Webhooks::rotate_secret).
    #[serde(default, deserialize_with = "key_unless_empty")]
    pub key: Option<SecretString>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(Webhook {
    shown: [
        id,
        org_id,
        status,
        api_version,
        events,
        resources,
        created_at,
        updated_at
    ],
    masked: [label, url, key],
});

fn key_unless_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let key = Option::<String>::deserialize(deserializer)?.filter(|key| !key.is_empty());
    Ok(key.map(SecretString::from))
}

connector_http::open_enum! {
    /// What a webhook of the dated API may deliver.
    pub enum WebhookEvent {
        /// A text came in.
        MessageReceived = "message.received",
        /// A text reached the phone.
        MessageDelivered = "message.delivered",
        /// A text could not be sent.
        MessageFailed = "message.failed",
        /// A text did not reach the phone.
        MessageUndelivered = "message.undelivered",
        /// A call rings.
        CallRinging = "call.ringing",
        /// A call was answered.
        CallAnswered = "call.answered",
        /// A call ended, answered or not.
        CallCompleted = "call.completed",
        /// Nobody answered a call.
        CallMissed = "call.missed",
        /// A call was passed on.
        CallForwarded = "call.forwarded",
        /// A caller chose in a phone menu.
        CallMenuSelected = "call.menu.selected",
        /// The recording of a call is ready.
        CallRecordingCompleted = "call.recording.completed",
        /// The transcript of a call is ready.
        CallTranscriptCompleted = "call.transcript.completed",
        /// The summary of a call is ready.
        CallSummaryCompleted = "call.summary.completed",
        /// A voicemail is ready.
        CallVoicemailCompleted = "call.voicemail.completed",
        /// A contact was made or changed.
        ContactUpdated = "contact.updated",
        /// A contact was deleted.
        ContactDeleted = "contact.deleted",
        /// A task was made.
        TaskCreated = "task.created",
        /// A task's words were changed.
        TaskUpdated = "task.updated",
        /// A task was deleted.
        TaskDeleted = "task.deleted",
        /// A task was done.
        TaskCompleted = "task.completed",
        /// A task was opened again.
        TaskReopened = "task.reopened",
        /// Someone was given a task.
        TaskAssigned = "task.assigned",
        /// A task was taken from someone.
        TaskUnassigned = "task.unassigned",
        /// A task is late.
        TaskOverdue = "task.overdue",
        /// A task was linked to a conversation.
        TaskLinked = "task.linked",
        /// A task was unlinked from a conversation.
        TaskUnlinked = "task.unlinked",
        /// The day a task is due was set.
        TaskDueDateUpdated = "task.duedate.updated",
        /// The day a task is due was removed.
        TaskDueDateRemoved = "task.duedate.removed",
        /// An integration was made. The vendor takes it and documents no payload.
        IntegrationCreated = "integration.created",
        /// An integration was changed. The vendor takes it and documents no payload.
        IntegrationUpdated = "integration.updated",
        /// An integration was deleted. The vendor takes it and documents no payload.
        IntegrationDeleted = "integration.deleted",
    }
}
