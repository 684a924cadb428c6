use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{MemoryStore, Tables};
use crate::ids::{Scope, TemplateId};
use crate::store::{StoreError, TemplateStore};
use crate::template::{IntegrationTemplate, TemplateSummary};

#[async_trait]
impl TemplateStore for MemoryStore {
    async fn insert_template(&self, template: &IntegrationTemplate) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let same_id = tables.templates.contains_key(&template.id);
        if same_id || tables.template_named(&template.name).is_some() {
            return Err(StoreError::AlreadyExists);
        }
        tables.templates.insert(template.id, template.clone());
        Ok(())
    }

    async fn seed_templates(&self, templates: &[IntegrationTemplate]) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let mut written = 0;
        for template in templates {
            let same_id = tables.templates.contains_key(&template.id);
            if !same_id && tables.template_named(&template.name).is_none() {
                tables.templates.insert(template.id, template.clone());
                written += 1;
            }
        }
        Ok(written)
    }

    async fn template(&self, id: TemplateId) -> Result<Option<IntegrationTemplate>, StoreError> {
        Ok(self.tables().templates.get(&id).cloned())
    }

    async fn template_named(&self, name: &str) -> Result<Option<IntegrationTemplate>, StoreError> {
        Ok(self.tables().template_named(name).cloned())
    }

    async fn templates(&self, scope: &Scope) -> Result<Vec<TemplateSummary>, StoreError> {
        let tables = self.tables();
        let mut all: Vec<_> = tables
            .templates
            .values()
            .map(|template| {
                TemplateSummary::new(template.clone(), tables.count(scope, template.id))
            })
            .collect();
        all.sort_by(|one, other| one.template.name.cmp(&other.template.name));
        Ok(all)
    }

    async fn update_template(
        &self,
        template: &IntegrationTemplate,
        expected: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let taken = tables
            .template_named(&template.name)
            .is_some_and(|other| other.id != template.id);
        let there = tables
            .templates
            .get_mut(&template.id)
            .ok_or(StoreError::NotFound)?;
        if there.updated_at != expected {
            return Err(StoreError::VersionConflict);
        }
        if taken {
            return Err(StoreError::AlreadyExists);
        }
        *there = template.clone();
        Ok(())
    }

    async fn delete_template(&self, id: TemplateId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.templates.contains_key(&id) {
            return Err(StoreError::NotFound);
        }
        match tables.count(&Scope::Administrator, id) {
            0 => {
                tables.templates.remove(&id);
                Ok(())
            }
            count => Err(StoreError::InUse { count }),
        }
    }
}

impl Tables {
    fn template_named(&self, name: &str) -> Option<&IntegrationTemplate> {
        self.templates
            .values()
            .find(|template| template.name == name)
    }

    fn count(&self, scope: &Scope, template: TemplateId) -> u64 {
        let using = self
            .integrations
            .values()
            .filter(|it| it.row.template == template && scope.covers(&it.row.tenant));
        using.count() as u64
    }
}
