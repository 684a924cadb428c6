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

impl IntegrationLog {
    /// Makes an entry of an action of which no more is known than how it went.
    pub fn new(
        id: LogId,
        tenant: TenantId,
        provider: impl Into<String>,
        action: impl Into<String>,
        status: LogStatus,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            tenant,
            integration: None,
            provider: provider.into(),
            action: action.into(),
            request_id: None,
            status,
            related_type: None,
            related_id: None,
            payload: None,
            response: None,
            error_message: None,
            http_status: None,
            duration: None,
            created_at,
        }
    }
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

impl LogResult {
    /// Makes a result of which no more is known than how it went.
    pub fn new(status: LogStatus) -> Self {
        Self {
            status,
            request_id: None,
            response: None,
            error_message: None,
            http_status: None,
            duration: None,
        }
    }
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

impl LogFilter {
    /// Shows all entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows those of this integration only.
    pub fn integration(mut self, id: IntegrationId) -> Self {
        self.integration = Some(id);
        self
    }

    /// Shows those of this vendor only.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Shows those of this status only.
    pub fn status(mut self, status: LogStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Shows those not older than this.
    pub fn from(mut self, from: DateTime<Utc>) -> Self {
        self.from = Some(from);
        self
    }

    /// Shows those older than this.
    pub fn until(mut self, until: DateTime<Utc>) -> Self {
        self.until = Some(until);
        self
    }

    /// Shows those that come after the last one of the page before.
    pub fn after(mut self, last: LogId) -> Self {
        self.after = Some(last);
        self
    }

    /// Shows at most this many.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// Keeps the integration log.
#[async_trait]
pub trait LogStore: Send + Sync {
    /// Appends entries. One whose id is there already is left alone, so that a repeated write is harmless. One of an
    /// integration that has been deleted meanwhile is written without it.
    ///
    /// # Errors
    ///
    /// When the store cannot write; then none of them was written.
    async fn append_logs(&self, entries: &[IntegrationLog]) -> Result<(), StoreError>;

    /// Writes how a pending entry ended. What the result does not say stays as it was, and an entry that has ended is
    /// left as it is.
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
