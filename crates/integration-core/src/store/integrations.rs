use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::ids::{EndpointId, IntegrationId, Scope, TemplateId, TenantId};
use crate::instance::StoredIntegration;
use crate::status::{HistoryEntry, Status};
use crate::template::{IntegrationTemplate, TemplateSummary};

/// Keeps templates. Who may write them is the façade's to say.
#[async_trait]
pub trait TemplateStore: Send + Sync {
    /// Writes a new template.
    ///
    /// # Errors
    ///
    /// [`StoreError::AlreadyExists`] when there is one of that id or name.
    async fn insert_template(&self, template: &IntegrationTemplate) -> Result<(), StoreError>;

    /// Writes those templates whose name is not there yet, and leaves the others alone. Returns how many were
    /// written. Safe when several processes start at once.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    async fn seed_templates(&self, templates: &[IntegrationTemplate]) -> Result<u64, StoreError>;

    /// Reads a template.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn template(&self, id: TemplateId) -> Result<Option<IntegrationTemplate>, StoreError>;

    /// Reads the template of a name.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn template_named(&self, name: &str) -> Result<Option<IntegrationTemplate>, StoreError>;

    /// Reads all templates, by name, each with the number of integrations within the scope that use it.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn templates(&self, scope: &Scope) -> Result<Vec<TemplateSummary>, StoreError>;

    /// Writes a changed template over the one whose `updated_at` is `expected`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`], or [`StoreError::AlreadyExists`] when the new name
    /// is taken.
    async fn update_template(
        &self,
        template: &IntegrationTemplate,
        expected: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Deletes a template.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] while integrations use it, [`StoreError::NotFound`].
    async fn delete_template(&self, id: TemplateId) -> Result<(), StoreError>;
}

/// Which integrations to list. By tenant, then by id, which is by age.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IntegrationFilter {
    /// Of this vendor only.
    pub vendor: Option<String>,
    /// In this state only.
    pub status: Option<Status>,
}

impl IntegrationFilter {
    /// Lists all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists those of this vendor only.
    pub fn vendor(mut self, vendor: impl Into<String>) -> Self {
        self.vendor = Some(vendor.into());
        self
    }

    /// Lists those in this state only.
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }
}

/// Instances whose next check is due.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DueRows {
    /// Those that could be read, the longest due first.
    pub rows: Vec<StoredIntegration>,
    /// Those that could not.
    pub unreadable: Vec<UnreadableRow>,
}

/// An instance whose row holds what this version cannot read.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadableRow {
    /// Its id.
    pub id: IntegrationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its vendor.
    pub vendor: String,
    /// What cannot be read.
    pub error: StoreError,
}

impl UnreadableRow {
    /// Says which row, and why.
    pub fn new(
        id: IntegrationId,
        tenant: TenantId,
        vendor: impl Into<String>,
        error: StoreError,
    ) -> Self {
        Self {
            id,
            tenant,
            vendor: vendor.into(),
            error,
        }
    }
}

/// Keeps instances, with their endpoints and their history.
#[async_trait]
pub trait IntegrationStore: Send + Sync {
    /// Writes a new instance and the first lines of its history.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when its template is gone, [`StoreError::AlreadyExists`] when there is one of that
    /// id, or one of its endpoints belongs to another.
    async fn insert_integration(
        &self,
        row: &StoredIntegration,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError>;

    /// Reads an instance.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn integration(
        &self,
        scope: &Scope,
        id: IntegrationId,
    ) -> Result<Option<StoredIntegration>, StoreError>;

    /// Lists instances, all or none: one left out would look like one that is not there.
    ///
    /// # Errors
    ///
    /// When the store cannot read, or [`StoreError::Corrupt`], which names the instance, when one of them cannot be.
    async fn integrations(
        &self,
        scope: &Scope,
        filter: &IntegrationFilter,
    ) -> Result<Vec<StoredIntegration>, StoreError>;

    /// Finds the instances of a vendor that a source id belongs to. There can be several, of different tenants.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn integrations_by_source(
        &self,
        scope: &Scope,
        vendor: &str,
        source_id: &str,
    ) -> Result<Vec<StoredIntegration>, StoreError>;

    /// Finds the instance that an endpoint belongs to.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn integration_by_endpoint(
        &self,
        scope: &Scope,
        endpoint: EndpointId,
    ) -> Result<Option<StoredIntegration>, StoreError>;

    /// Writes a changed instance over version `expected` of it, and appends to its history, together. Tenant,
    /// template, vendor, creation and creator do not change.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], [`StoreError::VersionConflict`], or [`StoreError::AlreadyExists`] when one of its
    /// endpoints belongs to another.
    async fn update_integration(
        &self,
        scope: &Scope,
        row: &StoredIntegration,
        expected: u64,
        history: &[HistoryEntry],
    ) -> Result<(), StoreError>;

    /// Deletes an instance, with its endpoints, tokens and history. Its log entries stay, without it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`].
    async fn delete_integration(&self, scope: &Scope, id: IntegrationId) -> Result<(), StoreError>;

    /// Reads the history of an instance, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`].
    async fn history(
        &self,
        scope: &Scope,
        id: IntegrationId,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Lists instances whose next check is due, the longest due first, at most `limit` of them. Those whose rows cannot
    /// be read are named, so that the one of one tenant does not stop the checks of all.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    async fn due_for_check(&self, now: DateTime<Utc>, limit: u32) -> Result<DueRows, StoreError>;

    /// Writes when the next check of an instance is due, and nothing else, without reading its row: for one that cannot
    /// be read. It counts as a change of the row.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`].
    async fn postpone_check(
        &self,
        id: IntegrationId,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;
}
