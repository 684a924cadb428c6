//! What is to become different about a template.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::accept::{InvalidTemplate, accept, refuse, stored_time};
use super::walk::join;
use super::{ConfigSchema, IntegrationTemplate};

/// Changes to a template: what is not mentioned stays. The name cannot be changed, because instances and vendors
/// are found by it.
///
/// ```
/// use integration_core::template::TemplatePatch;
///
/// let patch = TemplatePatch::new().display_name("Front desk").no_icon().active(false);
/// assert_ne!(patch, TemplatePatch::new());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplatePatch {
    display_name: Option<String>,
    description: Option<String>,
    category: Option<String>,
    icon: Edit,
    is_active: Option<bool>,
    config_schema: Option<Value>,
    settings_schema: Option<Value>,
    setup_instructions: Option<String>,
    webhook_url: Edit,
    api_version: Edit,
}

/// A change to a text that may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
enum Edit {
    #[default]
    Keep,
    Clear,
    Set(String),
}

impl TemplatePatch {
    /// Makes a patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes its name for people.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Changes what it does, in a sentence or two.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Changes what it is filed under.
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Changes the name or address of its icon.
    pub fn icon(mut self, icon: impl Into<String>) -> Self {
        self.icon = Edit::Set(icon.into());
        self
    }

    /// Takes its icon away.
    pub fn no_icon(mut self) -> Self {
        self.icon = Edit::Clear;
        self
    }

    /// Changes whether tenants may make new instances of it. Those that exist go on.
    pub fn active(mut self, active: bool) -> Self {
        self.is_active = Some(active);
        self
    }

    /// Changes the JSON Schema (draft-07) of an instance's config.
    pub fn config_schema(mut self, schema: impl Into<Value>) -> Self {
        self.config_schema = Some(schema.into());
        self
    }

    /// Changes the JSON Schema (draft-07) of an instance's settings.
    pub fn settings_schema(mut self, schema: impl Into<Value>) -> Self {
        self.settings_schema = Some(schema.into());
        self
    }

    /// Changes how to set it up, in Markdown.
    pub fn setup_instructions(mut self, markdown: impl Into<String>) -> Self {
        self.setup_instructions = Some(markdown.into());
        self
    }

    /// Changes where the vendor's webhooks go if all instances share one address.
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.webhook_url = Edit::Set(url.into());
        self
    }

    /// Takes the shared address of webhooks away.
    pub fn no_webhook_url(mut self) -> Self {
        self.webhook_url = Edit::Clear;
        self
    }

    /// Changes the version of the vendor's API it was made for.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Edit::Set(version.into());
        self
    }

    /// Takes the version of the vendor's API away.
    pub fn no_api_version(mut self) -> Self {
        self.api_version = Edit::Clear;
        self
    }

    /// Returns the template with the changes made. Its `updated_at` is `now`, or just after the last change if the
    /// clock has gone back: a store tells versions apart by it.
    ///
    /// # Errors
    ///
    /// [`InvalidTemplate`] with everything that is wrong, as in
    /// [`NewTemplate::into_template`](super::NewTemplate::into_template); and when a sealed field would become a
    /// readable one, because the instances keep it sealed.
    pub fn apply(
        self,
        template: &IntegrationTemplate,
        now: DateTime<Utc>,
    ) -> Result<IntegrationTemplate, InvalidTemplate> {
        let mut changed = template.clone();
        set(&mut changed.display_name, self.display_name);
        set(&mut changed.description, self.description);
        set(&mut changed.category, self.category);
        self.icon.apply(&mut changed.icon);
        set(&mut changed.is_active, self.is_active);
        set(&mut changed.config_schema, self.config_schema);
        set(&mut changed.settings_schema, self.settings_schema);
        set(&mut changed.setup_instructions, self.setup_instructions);
        self.webhook_url.apply(&mut changed.webhook_url);
        self.api_version.apply(&mut changed.api_version);
        let after_last = template
            .updated_at
            .checked_add_signed(TimeDelta::microseconds(1))
            .unwrap_or(template.updated_at);
        changed.updated_at = stored_time(now).max(after_last);
        let changed = accept(changed)?;
        refuse_to_unseal(&template.config_schema, &changed.config_schema)?;
        Ok(changed)
    }
}

impl Edit {
    fn apply(self, to: &mut Option<String>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(text) => *to = Some(text),
        }
    }
}

fn set<T>(to: &mut T, change: Option<T>) {
    if let Some(change) = change {
        *to = change;
    }
}

fn refuse_to_unseal(before: &Value, after: &Value) -> Result<(), InvalidTemplate> {
    // One that could no longer be read sealed nothing that could be read now.
    let (Ok(before), Ok(after)) = (ConfigSchema::parse(before), ConfigSchema::parse(after)) else {
        return Ok(());
    };
    let unsealed: Vec<(String, &str)> = after
        .form_fields()
        .into_iter()
        .filter(|field| before.is_sealed(&field.name) && !field.sealed)
        .map(|field| join("/config_schema/properties", &field.name))
        .map(|pointer| (pointer, "must stay sealed: instances have secrets in it"))
        .collect();
    if unsealed.is_empty() {
        return Ok(());
    }
    Err(refuse(unsealed))
}
