//! Templates: everybody reads them, an administrator writes them.

use chrono::{DateTime, TimeDelta, Utc};

use super::integrations::{ATTEMPTS, Integrations};
use super::{IntegrationError, Missing};
use crate::ids::{Scope, TemplateId};
use crate::store::StoreError;
use crate::template::{IntegrationTemplate, NewTemplate, TemplatePatch, TemplateSummary};

impl Integrations {
    /// Makes a template. Nobody has to have written code for its vendor: instances of it can be kept, though not
    /// tested or enabled.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Forbidden`] for anybody but an administrator, [`IntegrationError::InvalidTemplate`],
    /// [`IntegrationError::TemplateExists`], [`IntegrationError::Store`].
    pub async fn create_template(
        &self,
        scope: impl Into<Scope>,
        new: NewTemplate,
    ) -> Result<IntegrationTemplate, IntegrationError> {
        administrator(&scope.into())?;
        let by = new.created_by.clone().or_else(|| self.actor.clone());
        let template = new
            .into_template(TemplateId::generate(), self.now(), by)
            .map_err(IntegrationError::InvalidTemplate)?;
        match self.store().insert_template(&template).await {
            Ok(()) => Ok(template),
            Err(StoreError::AlreadyExists) => Err(IntegrationError::TemplateExists {
                name: template.name,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists all templates by name, each with the number of integrations within the scope that use it.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Store`].
    pub async fn templates(
        &self,
        scope: impl Into<Scope>,
    ) -> Result<Vec<TemplateSummary>, IntegrationError> {
        Ok(self.store().templates(&scope.into()).await?)
    }

    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn template(
        &self,
        scope: impl Into<Scope>,
        id: TemplateId,
    ) -> Result<IntegrationTemplate, IntegrationError> {
        let _open_to_all: Scope = scope.into();
        let template = self.store().template(id).await?;
        Ok(template.ok_or(Missing::Template)?)
    }

    /// Reads the template of a name, which is also that of the vendor.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::UnknownVendor`], [`IntegrationError::Store`].
    pub async fn template_named(
        &self,
        scope: impl Into<Scope>,
        name: &str,
    ) -> Result<IntegrationTemplate, IntegrationError> {
        let _open_to_all: Scope = scope.into();
        let template = self.store().template_named(name).await?;
        template.ok_or_else(|| IntegrationError::UnknownVendor {
            vendor: name.to_owned(),
        })
    }

    /// Changes a template. Its name stays, since instances go by it; the schemas of a registered vendor follow its
    /// types and cannot be changed here.
    ///
    /// Instances that are there already are not looked at: a schema that they break is noticed when they are changed.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Forbidden`] for anybody but an administrator, [`IntegrationError::NotFound`],
    /// [`IntegrationError::InvalidTemplate`], [`IntegrationError::DerivedSchema`], [`IntegrationError::Store`].
    pub async fn update_template(
        &self,
        scope: impl Into<Scope>,
        id: TemplateId,
        patch: TemplatePatch,
    ) -> Result<IntegrationTemplate, IntegrationError> {
        administrator(&scope.into())?;
        for _ in 0..ATTEMPTS {
            let template = self.store().template(id).await?;
            let template = template.ok_or(Missing::Template)?;
            let changed = patch
                .clone()
                .apply(&template, self.now())
                .map_err(IntegrationError::InvalidTemplate)?;
            let schemas_changed = changed.config_schema != template.config_schema
                || changed.settings_schema != template.settings_schema;
            if schemas_changed && self.vendor(&template.name).is_ok() {
                return Err(IntegrationError::DerivedSchema {
                    vendor: template.name,
                });
            }
            let read = template.updated_at;
            match self.store().update_template(&changed, read).await {
                Ok(()) => return Ok(changed),
                Err(StoreError::VersionConflict) => {}
                Err(error) => return Err(of_template(error)),
            }
        }
        Err(StoreError::VersionConflict.into())
    }

    /// Deletes a template that no integration uses.
    ///
    /// That of a registered vendor is seeded again at the next start; to take it from the tenants, make it inactive.
    ///
    /// # Errors
    ///
    /// [`IntegrationError::Forbidden`] for anybody but an administrator, [`IntegrationError::TemplateInUse`],
    /// [`IntegrationError::NotFound`], [`IntegrationError::Store`].
    pub async fn delete_template(
        &self,
        scope: impl Into<Scope>,
        id: TemplateId,
    ) -> Result<(), IntegrationError> {
        administrator(&scope.into())?;
        let deleted = self.store().delete_template(id).await;
        deleted.map_err(of_template)
    }
}

fn of_template(error: StoreError) -> IntegrationError {
    match error {
        StoreError::NotFound => Missing::Template.into(),
        error => error.into(),
    }
}

pub(super) fn administrator(scope: &Scope) -> Result<(), IntegrationError> {
    match scope {
        Scope::Administrator => Ok(()),
        Scope::Tenant(_) => Err(IntegrationError::Forbidden),
    }
}

/// The time of a change, which tells it from the one before even if the clock stands or was set back: a microsecond
/// later at least, which is as fine as a database keeps it.
pub(super) fn later(read: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let next = read.checked_add_signed(TimeDelta::microseconds(1));
    next.map_or(now, |next| next.max(now))
}
