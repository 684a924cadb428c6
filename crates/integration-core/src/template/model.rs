use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ConfigSchema;
use crate::ids::{Actor, TemplateId};

/// A kind of integration that tenants can have instances of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IntegrationTemplate {
    /// Its id.
    pub id: TemplateId,
    /// Its name, which is also that of the vendor: `openphone`. Unique.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// What it is filed under: `phone`, `crm`, `marketing`.
    pub category: String,
    /// The name or address of an icon.
    pub icon: Option<String>,
    /// Whether tenants may make new instances of it.
    pub is_active: bool,
    /// The JSON Schema (draft-07) of an instance's config.
    pub config_schema: Value,
    /// The JSON Schema (draft-07) of an instance's settings, which hold no secrets.
    pub settings_schema: Value,
    /// How to set it up, in Markdown.
    pub setup_instructions: String,
    /// Where the vendor's webhooks go if all instances share one address.
    pub webhook_url: Option<String>,
    /// The version of the vendor's API it was made for.
    pub api_version: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Who made it; none for the vendors' own.
    pub created_by: Option<Actor>,
}

impl IntegrationTemplate {
    /// Makes a template of its words. A schema that was not given allows no field.
    pub fn new(id: TemplateId, words: NewTemplate, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            name: words.name,
            display_name: words.display_name,
            description: words.description,
            category: words.category,
            icon: words.icon,
            is_active: words.is_active,
            config_schema: words.config_schema.unwrap_or_else(ConfigSchema::empty),
            settings_schema: words.settings_schema.unwrap_or_else(ConfigSchema::empty),
            setup_instructions: words.setup_instructions,
            webhook_url: words.webhook_url,
            api_version: words.api_version,
            created_at,
            updated_at: created_at,
            created_by: words.created_by,
        }
    }
}

/// A template with the number of integrations that use it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TemplateSummary {
    /// The template.
    pub template: IntegrationTemplate,
    /// How many integrations use it, of all tenants.
    pub integrations: u64,
}

impl TemplateSummary {
    /// Puts the two together.
    pub fn new(template: IntegrationTemplate, integrations: u64) -> Self {
        Self {
            template,
            integrations,
        }
    }
}

/// The words of a template that is to be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewTemplate {
    /// Its name, which is also that of the vendor: `openphone`. Unique.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// What it is filed under: `phone`, `crm`, `marketing`.
    pub category: String,
    /// The name or address of an icon.
    pub icon: Option<String>,
    /// Whether tenants may make new instances of it.
    pub is_active: bool,
    /// The JSON Schema (draft-07) of an instance's config. For a vendor it is derived from its config type.
    pub config_schema: Option<Value>,
    /// The JSON Schema (draft-07) of an instance's settings. For a vendor it is derived from its settings type.
    pub settings_schema: Option<Value>,
    /// How to set it up, in Markdown.
    pub setup_instructions: String,
    /// Where the vendor's webhooks go if all instances share one address.
    pub webhook_url: Option<String>,
    /// The version of the vendor's API it was made for.
    pub api_version: Option<String>,
    /// Who makes it; none for the vendors' own.
    pub created_by: Option<Actor>,
}

impl NewTemplate {
    /// Makes an active template without a schema.
    pub fn new(
        name: impl Into<String>,
        display_name: impl Into<String>,
        category: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            display_name: display_name.into(),
            description: String::new(),
            category: category.into(),
            icon: None,
            is_active: true,
            config_schema: None,
            settings_schema: None,
            setup_instructions: String::new(),
            webhook_url: None,
            api_version: None,
            created_by: None,
        }
    }

    /// Sets what it does, in a sentence or two.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the name or address of an icon.
    pub fn icon(mut self, icon: impl Into<String>) -> Self {
        self.icon = Some(icon.into());
        self
    }

    /// Sets whether tenants may make new instances of it.
    pub fn active(mut self, active: bool) -> Self {
        self.is_active = active;
        self
    }

    /// Sets the JSON Schema (draft-07) of an instance's config.
    pub fn config_schema(mut self, schema: impl Into<Value>) -> Self {
        self.config_schema = Some(schema.into());
        self
    }

    /// Sets the JSON Schema (draft-07) of an instance's settings.
    pub fn settings_schema(mut self, schema: impl Into<Value>) -> Self {
        self.settings_schema = Some(schema.into());
        self
    }

    /// Sets how to set it up, in Markdown.
    pub fn setup_instructions(mut self, markdown: impl Into<String>) -> Self {
        self.setup_instructions = markdown.into();
        self
    }

    /// Sets where the vendor's webhooks go if all instances share one address.
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.webhook_url = Some(url.into());
        self
    }

    /// Sets the version of the vendor's API it was made for.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    /// Sets who makes it.
    pub fn created_by(mut self, actor: Actor) -> Self {
        self.created_by = Some(actor);
        self
    }
}
