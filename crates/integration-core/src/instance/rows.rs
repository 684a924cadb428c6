//! Reading: instances, their history, the log.

use chrono::{DateTime, Utc};

use super::IntegrationError;
use super::integrations::Integrations;
use super::templates::administrator;
use super::view::Integration;
use crate::ids::{IntegrationId, Scope};
use crate::status::HistoryEntry;
use crate::store::{IntegrationFilter, IntegrationLog, LogFilter};

/// How many log entries a sweep deletes in one transaction.
const SWEEP: u32 = 1_000;

impl Integrations {
    /// Reads an instance. No secret is opened.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn get(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
    ) -> Result<Integration, IntegrationError> {
        let row = self.row(&scope.into(), id).await?;
        self.view(row).await
    }

    /// Lists instances by tenant and age. No secret is opened.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Store`].
    pub async fn list(
        &self,
        scope: impl Into<Scope>,
        filter: IntegrationFilter,
    ) -> Result<Vec<Integration>, IntegrationError> {
        let rows = self.store().integrations(&scope.into(), &filter).await?;
        self.views(rows).await
    }

    /// Finds the instances of a vendor that a source id belongs to: a location or a phone number in a payload that
    /// all instances receive. There can be several, of different tenants.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Store`].
    pub async fn find_by_source(
        &self,
        scope: impl Into<Scope>,
        vendor: &str,
        source_id: &str,
    ) -> Result<Vec<Integration>, IntegrationError> {
        let scope = scope.into();
        let store = self.store();
        let rows = store
            .integrations_by_source(&scope, vendor, source_id)
            .await?;
        self.views(rows).await
    }

    /// Reads the history of an instance, newest first.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn history(
        &self,
        scope: impl Into<Scope>,
        id: IntegrationId,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, IntegrationError> {
        Ok(self.store().history(&scope.into(), id, limit).await?)
    }

    /// Reads log entries, newest first, a page at a time.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Store`].
    pub async fn logs(
        &self,
        scope: impl Into<Scope>,
        filter: LogFilter,
    ) -> Result<Vec<IntegrationLog>, IntegrationError> {
        Ok(self.store().logs(&scope.into(), &filter).await?)
    }

    /// Deletes all log entries that were made before this time, and returns how many there were. A sweep that is cut
    /// off has deleted the oldest; the next one goes on.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Forbidden`] for anybody but an administrator, [`IntegrationError::Store`].
    pub async fn sweep_logs(
        &self,
        scope: impl Into<Scope>,
        before: DateTime<Utc>,
    ) -> Result<u64, IntegrationError> {
        administrator(&scope.into())?;
        let mut deleted = 0;
        loop {
            let batch = self.store().delete_logs(before, SWEEP).await?;
            deleted += batch;
            if batch < u64::from(SWEEP) {
                return Ok(deleted);
            }
        }
    }
}
