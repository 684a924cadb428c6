//! What a tenant chooses once it is connected.

use connector_http::setters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::PhoneNumberId;
use crate::webhook_management::{NewWebhook, WebhookEvent, WebhookResources};

/// What one instance is to do. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(description = "What the integration is to do.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box to tick in a form"
)]
#[non_exhaustive]
pub struct Settings {
    /// The phone number this integration is for. Left empty, it is for all of the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "Phone number id",
        with = "Option<String>",
        extend("ui" = {
            "placeholder": "PN…",
            "help": "The id of the number, which begins with PN, not the number itself."
        })
    )]
    pub phone_number_id: Option<PhoneNumberId>,
    /// How the number is called here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Display name", extend("ui" = {"placeholder": "Front desk"}))]
    pub display_name: Option<String>,
    /// Be told of completed calls and of recordings that are ready.
    #[schemars(title = "Log calls")]
    pub auto_log_calls: bool,
    /// Be told of summaries and transcripts of calls. They come with the vendor's Business and Scale plans only.
    #[schemars(
        title = "Log call summaries and transcripts",
        extend("ui" = {"visible_when": {"field": "auto_log_calls", "equals": true}})
    )]
    pub auto_log_call_summaries: bool,
    /// Be told of texts that came in or were delivered.
    #[schemars(title = "Log messages")]
    pub auto_log_messages: bool,
    /// Keep the contacts of the workspace in step. The vendor's API v1 reports no change of a contact: changes made
    /// there are seen when the contacts are read.
    #[schemars(title = "Sync contacts")]
    pub sync_contacts: bool,
    /// Use this integration where none is named.
    #[schemars(title = "Default for OpenPhone")]
    pub is_default: bool,
    /// Which field of a contact goes where, in the JSON of whoever sends contacts. Left out, that one's own way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        title = "Field map of contacts",
        with = "Option<Map<String, Value>>",
        extend("ui" = {"help": "Which field of a contact goes where, as JSON."})
    )]
    pub contact_fields: Option<Map<String, Value>>,
}

impl Settings {
    /// Logs calls and messages of all phone numbers, and nothing else.
    pub fn new() -> Self {
        Self {
            phone_number_id: None,
            display_name: None,
            auto_log_calls: true,
            auto_log_call_summaries: false,
            auto_log_messages: true,
            sync_contacts: false,
            is_default: false,
            contact_fields: None,
        }
    }

    /// The events that these settings ask the vendor for. [`sync_contacts`](Self::sync_contacts) asks for none,
    /// because API v1 cannot register those of contacts.
    pub fn events(&self) -> Vec<WebhookEvent> {
        let mut events = Vec::new();
        if self.auto_log_messages {
            events.extend([
                WebhookEvent::MessageReceived,
                WebhookEvent::MessageDelivered,
            ]);
        }
        if self.auto_log_calls {
            events.extend([
                WebhookEvent::CallCompleted,
                WebhookEvent::CallRecordingCompleted,
            ]);
        }
        if self.auto_log_calls && self.auto_log_call_summaries {
            events.extend([
                WebhookEvent::CallSummaryCompleted,
                WebhookEvent::CallTranscriptCompleted,
            ]);
        }
        events
    }

    /// The phone number, unless it was left blank.
    pub(super) fn phone_number(&self) -> Option<PhoneNumberId> {
        let id = self.phone_number_id.as_ref()?.as_str().trim();
        (!id.is_empty()).then(|| id.into())
    }

    /// What is to be registered at this address.
    pub(super) fn webhooks_at(&self, url: &str) -> NewWebhook {
        let resources = self
            .phone_number()
            .map_or(WebhookResources::All, WebhookResources::from);
        NewWebhook::new(url, self.events()).resources(resources)
    }
}

setters! { Settings {
    /// Sets the phone number it is for.
    phone_number_id: Option<PhoneNumberId>,
    /// Sets how the number is called here.
    display_name: Option<String>,
    /// Sets whether to be told of calls and recordings.
    auto_log_calls: bool,
    /// Sets whether to be told of summaries and transcripts of calls, where calls are logged.
    auto_log_call_summaries: bool,
    /// Sets whether to be told of texts.
    auto_log_messages: bool,
    /// Sets whether contacts are kept in step.
    sync_contacts: bool,
    /// Sets whether it is used where none is named.
    is_default: bool,
    /// Sets which field of a contact goes where.
    contact_fields: Option<Map<String, Value>>,
} }

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
