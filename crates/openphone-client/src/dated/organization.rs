//! The workspace that the key belongs to.

use chrono::{DateTime, Utc};
use connector_http::{Call, lenient, masked_debug};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::ids::OrganizationId;
use crate::page::Data;

connector_http::endpoints! {
    /// Reads the workspace. Also the cheapest call that proves a key.
    GET = "dated.organization.get": GET "/organization", Idempotent, DEFAULT, [200],
        "https://www.quo.com/docs/2026-03-30/organization/get-the-organization (read 2026-11-21)";
}

pub(super) fn get(client: &Client) -> Call<Organization> {
    client.request(&GET).fetch_map(Data::into_inner)
}

/// The workspace that the key belongs to.
///
/// `Debug` prints id, state and times; of the name only whether it is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Organization {
    /// The vendor's id.
    pub id: OrganizationId,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is paid for.
    pub subscription_status: SubscriptionStatus,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp_opt")]
    pub updated_at: Option<DateTime<Utc>>,
}

masked_debug!(Organization {
    shown: [id, subscription_status, created_at, updated_at],
    masked: [name],
});

connector_http::open_enum! {
    /// Whether a workspace is paid for.
    pub enum SubscriptionStatus {
        /// It is.
        Active = "active",
        /// It was.
        Expired = "expired",
    }
}
