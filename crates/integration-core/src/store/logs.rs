use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;
use crate::ids::{IntegrationId, LogId, Scope, TenantId};

/// How a logged action went.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogStatus {
    /// It has begun, and nobody has said how it ended.
    Pending,
    /// It was done.
    Success,
    /// It was not done, or nobody knows: the error message says which.
    Failed,
}

/// One entry of the integration log. It is redacted and capped before it is made: no secrets, no personal data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct IntegrationLog {
    /// Its id.
    pub id: LogId,
    /// Whose integration.
    pub tenant: TenantId,
    /// Which integration; none once it is deleted, or before it is saved.
    pub integration: Option<IntegrationId>,
    /// The vendor.
    pub provider: String,
    /// What was done: `contacts.create`, `connection.test`, `status.changed`.
    pub action: String,
    /// The vendor's name for the request.
    pub request_id: Option<String>,
    /// How it went.
    pub status: LogStatus,
    /// What kind of thing of the host's it was about: `contact`.
    pub related_type: Option<String>,
    /// Which one.
    pub related_id: Option<String>,
    /// What was sent, redacted and capped.
    pub payload: Option<Value>,
    /// What came back, redacted and capped.
    pub response: Option<Value>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// How a pending entry ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogResult {
    /// How it went.
    pub status: LogStatus,
    /// The vendor's name for the request.
    pub request_id: Option<String>,
    /// What came back, redacted and capped.
    pub response: Option<Value>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// How long it took.
    pub duration: Option<Duration>,
}

/// Which entries to show. Newest first.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogFilter {
    /// Of this integration only.
    pub integration: Option<IntegrationId>,
    /// Of this vendor only.
    pub provider: Option<String>,
    /// Of this status only.
    pub status: Option<LogStatus>,
    /// Not older than this.
    pub from: Option<DateTime<Utc>>,
    /// Older than this.
    pub until: Option<DateTime<Utc>>,
    /// Those that come after this entry in the order shown: the last one of the page before.
    pub after: Option<LogId>,
    /// At most this many; the store caps it at 1,000 and takes 100 for none.
    pub limit: Option<u32>,
}

/// Keeps the integration log.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Appends entries. One whose id is there already is left alone, so that a repeated write is harmless.
    ///
    /// # Errors
    ///
    /// When the store cannot write; then none of them was written.
    async fn append_logs(&self, entries: &[IntegrationLog]) -> Result<(), StoreError>;

    /// Writes how a pending entry ended. An entry that has ended is left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is no such entry.
    async fn finish_log(&self, id: LogId, result: &LogResult) -> Result<(), StoreError>;

    /// Returns entries within the scope, newest first.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn logs(
        &self,
        scope: &Scope,
        filter: &LogFilter,
    ) -> Result<Vec<IntegrationLog>, StoreError>;

    /// Deletes up to `limit` entries that were made before `before`, oldest first, and returns how many.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn delete_logs(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, StoreError>;
}
