use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration_core::store::{StoreError, TemplateStore};
use integration_core::template::{IntegrationTemplate, NewTemplate, TemplateSummary};
use integration_core::{Actor, Scope, TemplateId, TenantId};
use sqlx::types::Json;

use super::{Query, Row, Store, failed, get};
use crate::rows::{Id, Time};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select t.id, t.name, t.display_name, t.description, t.category, t.icon, t.is_active, t.config_schema,
                t.settings_schema, t.setup_instructions, t.webhook_url, t.api_version, t.created_at, t.updated_at,
                t.created_by ",
            $rest
        )
    };
}

const SELECT_BY_ID: &str = select!("from main.integration_templates t where t.id = $1");

const SELECT_BY_NAME: &str = select!("from main.integration_templates t where t.name = $1");

const SELECT_ALL: &str = select!(
    ", (select count(*) from main.integrations i
        where i.template_id = t.id and i.tenant_id = coalesce($1, i.tenant_id)) as users
     from main.integration_templates t order by t.name"
);

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "insert into main.integration_templates
                (id, name, display_name, description, category, icon, is_active, config_schema, settings_schema,
                 setup_instructions, webhook_url, api_version, created_at, updated_at, created_by)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ",
            $rest
        )
    };
}

const INSERT: &str = insert!("");

const INSERT_IF_NEW: &str = insert!("on conflict (name) do nothing");

const UPDATE: &str = "
    update main.integration_templates
    set name = $2, display_name = $3, description = $4, category = $5, icon = $6, is_active = $7,
        config_schema = $8, settings_schema = $9, setup_instructions = $10, webhook_url = $11, api_version = $12,
        created_at = $13, updated_at = $14, created_by = $15
    where id = $1 and updated_at = $16";

const DELETE: &str = "delete from main.integration_templates where id = $1";

const EXISTS: &str = "select count(*) as found from main.integration_templates where id = $1";

const COUNT_USERS: &str = "select count(*) as users from main.integrations where template_id = $1";

/// Binds a template to `$1` to `$15`.
fn bind(query: Query, template: &IntegrationTemplate) -> Query {
    query
        .bind(Id::from(template.id.as_uuid()))
        .bind(&template.name)
        .bind(&template.display_name)
        .bind(&template.description)
        .bind(&template.category)
        .bind(&template.icon)
        .bind(template.is_active)
        .bind(Json(&template.config_schema))
        .bind(Json(&template.settings_schema))
        .bind(&template.setup_instructions)
        .bind(&template.webhook_url)
        .bind(&template.api_version)
        .bind(Time::from(template.created_at))
        .bind(Time::from(template.updated_at))
        .bind(template.created_by.as_ref().map(Actor::as_str))
}

fn read(row: &Row) -> Result<IntegrationTemplate, StoreError> {
    let mut words = NewTemplate::new(
        get::<String>(row, "name")?,
        get::<String>(row, "display_name")?,
        get::<String>(row, "category")?,
    );
    words.description = get(row, "description")?;
    words.icon = get(row, "icon")?;
    words.is_active = get(row, "is_active")?;
    words.config_schema = Some(get::<Json<_>>(row, "config_schema")?.0);
    words.settings_schema = Some(get::<Json<_>>(row, "settings_schema")?.0);
    words.setup_instructions = get(row, "setup_instructions")?;
    words.webhook_url = get(row, "webhook_url")?;
    words.api_version = get(row, "api_version")?;
    words.created_by = get::<Option<String>>(row, "created_by")?.map(Actor::from);
    let id = TemplateId::from(get::<Id>(row, "id")?.0);
    let mut template = IntegrationTemplate::new(id, words, get::<Time>(row, "created_at")?.0);
    template.updated_at = get::<Time>(row, "updated_at")?.0;
    Ok(template)
}

fn taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => StoreError::AlreadyExists,
        _ => failed(error),
    }
}

#[async_trait]
impl TemplateStore for Store {
    async fn insert_template(&self, template: &IntegrationTemplate) -> Result<(), StoreError> {
        let query = bind(self.query(INSERT), template);
        query.execute(self.writer()).await.map_err(taken)?;
        Ok(())
    }

    async fn seed_templates(&self, templates: &[IntegrationTemplate]) -> Result<u64, StoreError> {
        // All processes that start at once lock the names in one order, so that none waits for another in a circle.
        let mut templates: Vec<_> = templates.iter().collect();
        templates.sort_by(|a, b| a.name.cmp(&b.name));
        let mut tx = self.begin().await?;
        let mut written = 0;
        for template in templates {
            let query = bind(self.query(INSERT_IF_NEW), template);
            let done = query.execute(&mut *tx).await.map_err(taken)?;
            written += done.rows_affected();
        }
        tx.commit().await.map_err(failed)?;
        Ok(written)
    }

    async fn template(&self, id: TemplateId) -> Result<Option<IntegrationTemplate>, StoreError> {
        let query = self.query(SELECT_BY_ID).bind(Id::from(id.as_uuid()));
        let row = query.fetch_optional(self.reader()).await.map_err(failed)?;
        row.as_ref().map(read).transpose()
    }

    async fn template_named(&self, name: &str) -> Result<Option<IntegrationTemplate>, StoreError> {
        let query = self.query(SELECT_BY_NAME).bind(name);
        let row = query.fetch_optional(self.reader()).await.map_err(failed)?;
        row.as_ref().map(read).transpose()
    }

    async fn templates(&self, scope: &Scope) -> Result<Vec<TemplateSummary>, StoreError> {
        let tenant = scope.tenant().map(TenantId::as_str);
        let query = self.query(SELECT_ALL).bind(tenant);
        let rows = query.fetch_all(self.reader()).await.map_err(failed)?;
        rows.iter()
            .map(|row| {
                let users = get::<i64>(row, "users")?.cast_unsigned();
                Ok(TemplateSummary::new(read(row)?, users))
            })
            .collect()
    }

    async fn update_template(
        &self,
        template: &IntegrationTemplate,
        expected: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let query = bind(self.query(UPDATE), template).bind(Time::from(expected));
        let done = query.execute(&mut *tx).await.map_err(taken)?;
        if done.rows_affected() == 0 {
            let query = self.query(EXISTS).bind(Id::from(template.id.as_uuid()));
            let row = query.fetch_one(&mut *tx).await.map_err(failed)?;
            return Err(match get::<i64>(&row, "found")? {
                0 => StoreError::NotFound,
                _ => StoreError::VersionConflict,
            });
        }
        tx.commit().await.map_err(failed)
    }

    async fn delete_template(&self, id: TemplateId) -> Result<(), StoreError> {
        let query = self.query(DELETE).bind(Id::from(id.as_uuid()));
        match query.execute(self.writer()).await {
            Ok(done) if done.rows_affected() == 0 => Err(StoreError::NotFound),
            Ok(_) => Ok(()),
            Err(error) => match error.as_database_error() {
                Some(database) if database.is_foreign_key_violation() => {
                    let query = self.query(COUNT_USERS).bind(Id::from(id.as_uuid()));
                    let row = query.fetch_one(self.reader()).await.map_err(failed)?;
                    // Whoever used it may have gone since it was refused.
                    let count = get::<i64>(&row, "users")?.cast_unsigned().max(1);
                    Err(StoreError::InUse { count })
                }
                _ => Err(failed(error)),
            },
        }
    }
}
