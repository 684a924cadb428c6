//! What a webhook is.

use chrono::{DateTime, Utc};
use connector_http::{Endpoint, lenient, masked_debug};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::address;
use super::{CREATE_CALL_SUMMARIES, CREATE_CALL_TRANSCRIPTS, CREATE_CALLS, CREATE_MESSAGES};
use crate::ids::{PhoneNumberId, UserId, WebhookId};
use crate::page::null_as_default;

/// A webhook that is registered over API v1.
///
/// `Debug` prints ids, states and times; of address, label and key only whether they are there. The address often
/// holds an id that must not be guessed.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Webhook {
    /// The vendor's id, `WH…`.
    pub id: WebhookId,
    /// The user who made it. Lists are per user.
    pub user_id: Option<UserId>,
    /// The workspace.
    pub org_id: Option<String>,
    /// Its name for people.
    pub label: Option<String>,
    /// Whether it delivers.
    pub status: WebhookStatus,
    /// Where it delivers to.
    pub url: String,
    /// What its deliveries are signed with, bare base64: what `Verifier::new` takes. `None` if the answer holds none.
    #[serde(default, deserialize_with = "key_unless_empty")]
    pub key: Option<SecretString>,
    /// What it delivers.
    #[serde(default, deserialize_with = "null_as_default")]
    pub events: Vec<WebhookEvent>,
    /// For which phone numbers.
    #[serde(default, rename = "resourceIds", deserialize_with = "null_as_default")]
    pub resources: WebhookResources,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was deleted, if it was.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub deleted_at: Option<DateTime<Utc>>,
}

masked_debug!(Webhook {
    shown: [
        id, user_id, org_id, status, events, resources, created_at, updated_at, deleted_at
    ],
    masked: [label, url, key],
});

impl Webhook {
    /// Tells whether it delivers: enabled, and not deleted.
    pub fn is_enabled(&self) -> bool {
        self.status == WebhookStatus::Enabled && self.deleted_at.is_none()
    }

    /// Tells whether it delivers to this address. Letter case of the host, a default port and the slash after the host
    /// aside, every character counts.
    pub fn is_at(&self, url: &Url) -> bool {
        address::is_same(&self.url, url)
    }
}

fn key_unless_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let key = Option::<String>::deserialize(deserializer)?.filter(|key| !key.is_empty());
    Ok(key.map(SecretString::from))
}

connector_http::open_enum! {
    /// What a webhook of API v1 may deliver.
    pub enum WebhookEvent {
        /// A text came in.
        MessageReceived = "message.received",
        /// A text reached the phone.
        MessageDelivered = "message.delivered",
        /// A call rings.
        CallRinging = "call.ringing",
        /// A call ended, answered or not.
        CallCompleted = "call.completed",
        /// The recording of a call is ready.
        CallRecordingCompleted = "call.recording.completed",
        /// The summary of a call is ready. Business and Scale plans only.
        CallSummaryCompleted = "call.summary.completed",
        /// The transcript of a call is ready. Business and Scale plans only.
        CallTranscriptCompleted = "call.transcript.completed",
        /// A contact was made or changed. The list may show it; API v1 cannot register it.
        ContactUpdated = "contact.updated",
        /// A contact was deleted. The list may show it; API v1 cannot register it.
        ContactDeleted = "contact.deleted",
        /// Someone was given a task. The list may show it; API v1 cannot register it.
        TaskAssigned = "task.assigned",
    }
}

impl WebhookEvent {
    /// Tells whether API v1 can register a webhook for it. Contacts and tasks it cannot.
    pub fn can_be_registered(&self) -> bool {
        self.family().is_some()
    }

    pub(super) fn family(&self) -> Option<Family> {
        Some(match self {
            Self::MessageReceived | Self::MessageDelivered => Family::Messages,
            Self::CallRinging | Self::CallCompleted | Self::CallRecordingCompleted => Family::Calls,
            Self::CallSummaryCompleted => Family::CallSummaries,
            Self::CallTranscriptCompleted => Family::CallTranscripts,
            Self::ContactUpdated | Self::ContactDeleted | Self::TaskAssigned | Self::Unknown(_) => {
                return None;
            }
        })
    }
}

/// The events that share an endpoint, and so a webhook.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Messages,
    Calls,
    CallSummaries,
    CallTranscripts,
}

impl Family {
    pub(super) const ALL: [Self; 4] = [
        Self::Messages,
        Self::Calls,
        Self::CallSummaries,
        Self::CallTranscripts,
    ];

    pub(super) const fn endpoint(self) -> &'static Endpoint {
        match self {
            Self::Messages => &CREATE_MESSAGES,
            Self::Calls => &CREATE_CALLS,
            Self::CallSummaries => &CREATE_CALL_SUMMARIES,
            Self::CallTranscripts => &CREATE_CALL_TRANSCRIPTS,
        }
    }
}

connector_http::open_enum! {
    /// Whether a webhook delivers.
    pub enum WebhookStatus {
        /// It does.
        Enabled = "enabled",
        /// It does not.
        Disabled = "disabled",
    }
}

/// For which phone numbers a webhook delivers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookResources {
    /// For all of the workspace, also those that come later.
    All,
    /// For these.
    PhoneNumbers(Vec<PhoneNumberId>),
}

/// What the vendor writes for all.
const ALL: &str = "*";

impl WebhookResources {
    /// Tells whether these are the same, in whatever order.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let within = |some: &[PhoneNumberId], others: &[PhoneNumberId]| {
            some.iter().all(|id| others.contains(id))
        };
        match (self, other) {
            (Self::All, Self::All) => true,
            (Self::PhoneNumbers(ours), Self::PhoneNumbers(theirs)) => {
                within(ours, theirs) && within(theirs, ours)
            }
            _ => false,
        }
    }
}

impl Default for WebhookResources {
    /// None: what a list without entries says.
    fn default() -> Self {
        Self::PhoneNumbers(Vec::new())
    }
}

impl From<PhoneNumberId> for WebhookResources {
    fn from(id: PhoneNumberId) -> Self {
        Self::PhoneNumbers(vec![id])
    }
}

impl From<Vec<PhoneNumberId>> for WebhookResources {
    fn from(ids: Vec<PhoneNumberId>) -> Self {
        if ids.iter().any(|id| id.as_str() == ALL) {
            Self::All
        } else {
            Self::PhoneNumbers(ids)
        }
    }
}

impl Serialize for WebhookResources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => [ALL].serialize(serializer),
            Self::PhoneNumbers(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for WebhookResources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<PhoneNumberId>::deserialize(deserializer).map(Self::from)
    }
}
