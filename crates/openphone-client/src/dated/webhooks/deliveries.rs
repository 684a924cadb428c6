//! What was delivered, and how it was received.

use chrono::{DateTime, Utc};
use connector_http::{lenient, masked_debug};
use serde::{Deserialize, Serialize};

use super::models::WebhookEvent;
use crate::dated::ids::{DeliveryId, EventId};
use crate::page::null_as_default;

/// A delivery of a webhook: an event that was to be sent to its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// The vendor's id: what arrives as the header `webhook-id`.
    pub id: DeliveryId,
    /// The event.
    pub event_id: Option<EventId>,
    /// The call, message, contact or task it is about.
    pub resource_id: Option<String>,
    /// What happened.
    pub event_type: WebhookEvent,
    /// How far it is.
    pub status: DeliveryStatus,
    /// When it is tried again.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
}

/// A delivery with what was sent and what was answered.
///
/// `Debug` prints ids, states and times; of what was sent and answered only whether it is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeliveryDetail {
    /// The vendor's id: what arrives as the header `webhook-id`.
    pub id: DeliveryId,
    /// The event.
    pub event_id: Option<EventId>,
    /// The call, message, contact or task it is about.
    pub resource_id: Option<String>,
    /// What happened.
    pub event_type: WebhookEvent,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// What was sent. Not the bytes: a signature cannot be checked with it.
    pub request_body: Option<EventBody>,
    /// How often it was tried, and what came of it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub attempts: Vec<DeliveryAttempt>,
}

/// One attempt to deliver.
///
/// `Debug` prints id, state and times; of address and answer only whether they are there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// The vendor's id.
    pub id: String,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub timestamp: Option<DateTime<Utc>>,
    /// What came of it.
    pub status: DeliveryStatus,
    /// The status your endpoint answered.
    pub response_status_code: Option<u16>,
    /// What your endpoint answered.
    pub response_body: Option<String>,
    /// How long it took, in milliseconds.
    pub response_duration_ms: Option<f64>,
    /// Why it was made.
    pub trigger_type: Option<DeliveryTrigger>,
    /// Where it went.
    pub url: Option<String>,
}

masked_debug!(DeliveryAttempt {
    shown: [
        id,
        timestamp,
        status,
        response_status_code,
        response_duration_ms,
        trigger_type,
    ],
    masked: [response_body, url],
});

/// An event as it is delivered.
///
/// What arrives at a webhook is verified and read by `webhooks` (the feature of that name) into types;
/// this is the copy in the vendor's log.
///
/// `Debug` prints id, kind and times; of the data only whether it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventBody {
    /// The event.
    pub id: EventId,
    /// The version it is written in.
    pub api_version: Option<String>,
    /// When it happened.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: WebhookEvent,
    /// To what, where and by whom: `resource`, `context` and `links`.
    #[serde(default)]
    pub data: serde_json::Value,
}

masked_debug!(EventBody {
    shown: [id, api_version, created_at, kind],
    masked: [data],
});

connector_http::open_enum! {
    /// How far a delivery is.
    pub enum DeliveryStatus {
        /// Your endpoint accepted it.
        Success = "success",
        /// It waits for its next attempt.
        Pending = "pending",
        /// It is under way.
        Sending = "sending",
        /// Your endpoint refused it, and it is not tried again by itself.
        Failed = "failed",
    }
}

connector_http::open_enum! {
    /// Why an attempt was made.
    pub enum DeliveryTrigger {
        /// By the vendor's schedule.
        Scheduled = "scheduled",
        /// Because somebody asked for it.
        Manual = "manual",
    }
}
