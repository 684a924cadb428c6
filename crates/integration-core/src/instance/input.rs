//! What a host hands over: a config, typed or from a form, and what stands around it.

use std::fmt;

use connector_http::Patch;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ConfigValues, VendorConfig};
use crate::ids::{Actor, TenantId};

/// A config as a form sends it: named values, among them secrets. `Debug` shows none of them.
///
/// Which fields are secrets is known by the template alone, so every text is kept as one until it is asked.
///
/// ```
/// use integration_core::instance::Form;
/// use serde_json::json;
///
/// let values = json!({ "api_key": "a-key", "retries": 3 });
/// let form = Form::new("openphone", values.as_object().cloned().unwrap_or_default());
/// assert!(!format!("{form:?}").contains("a-key"));
/// ```
#[derive(Clone)]
pub struct Form {
    vendor: String,
    values: ConfigValues,
}

impl Form {
    /// Takes the values of a form for the template of this name.
    pub fn new(vendor: impl Into<String>, values: Map<String, Value>) -> Self {
        let values = values.into_iter().fold(ConfigValues::new(), hide);
        Self {
            vendor: vendor.into(),
            values,
        }
    }
}

fn hide(values: ConfigValues, (field, value): (String, Value)) -> ConfigValues {
    match value {
        Value::String(text) => values.secret(field, text),
        other => values.readable(field, other),
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}

/// A config on its way in.
#[derive(Clone, Debug)]
pub(super) struct GivenConfig {
    pub(super) vendor: String,
    pub(super) values: ConfigValues,
    /// Whether the type of the config has said which of its fields are secrets. A form cannot.
    pub(super) typed: bool,
}

impl GivenConfig {
    fn typed<C: VendorConfig>(config: C) -> Self {
        Self {
            vendor: C::VENDOR.to_owned(),
            values: config.into_values(),
            typed: true,
        }
    }

    fn form(form: Form) -> Self {
        Self {
            vendor: form.vendor,
            values: form.values,
            typed: false,
        }
    }
}

/// An instance that is to be made, or a config that is to be tested first. A config alone is one already, and so is
/// a [`Form`].
///
/// ```
/// use integration_core::instance::{Form, NewIntegration};
/// use serde_json::{Map, json};
///
/// let form = Form::new("openphone", Map::new());
/// let new = NewIntegration::from(form)
///     .name("Sales line")
///     .setting("sync_contacts", true);
/// # drop(new);
/// ```
#[derive(Clone)]
pub struct NewIntegration {
    pub(super) config: GivenConfig,
    pub(super) tenant: Option<TenantId>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) settings: GivenSettings,
    pub(super) created_by: Option<Actor>,
}

impl NewIntegration {
    /// Starts with a config.
    pub fn new<C: VendorConfig>(config: C) -> Self {
        Self::of(GivenConfig::typed(config))
    }

    fn of(config: GivenConfig) -> Self {
        Self {
            config,
            tenant: None,
            name: None,
            description: None,
            settings: GivenSettings::default(),
            created_by: None,
        }
    }

    /// Says whose it is to be. An administrator has to.
    pub fn for_tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets its name for people. Without one it has that of its template.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets what it is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets all settings of a value that becomes a JSON object: the vendor's own type, or a map.
    pub fn settings(mut self, settings: impl Serialize) -> Self {
        self.settings.all(&settings);
        self
    }

    /// Sets one setting.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.values.insert(name.into(), value.into());
        self
    }

    /// Says who makes it, if not [whoever acts](super::Integrations::acting).
    pub fn created_by(mut self, actor: impl Into<Actor>) -> Self {
        self.created_by = Some(actor.into());
        self
    }
}

impl<C: VendorConfig> From<C> for NewIntegration {
    fn from(config: C) -> Self {
        Self::new(config)
    }
}

impl From<Form> for NewIntegration {
    fn from(form: Form) -> Self {
        Self::of(GivenConfig::form(form))
    }
}

impl fmt::Debug for NewIntegration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIntegration")
            .field("tenant", &self.tenant)
            .field("config", &self.config)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Settings on their way in. `Debug` shows their names.
#[derive(Clone, Default)]
pub(super) struct GivenSettings {
    pub(super) values: Map<String, Value>,
    /// Something was given that is no JSON object.
    pub(super) unusable: bool,
}

impl GivenSettings {
    fn all(&mut self, settings: &impl Serialize) {
        match serde_json::to_value(settings) {
            Ok(Value::Object(settings)) => self.values.extend(settings),
            _ => self.unusable = true,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.unusable
    }
}

impl fmt::Debug for GivenSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// What is to change of an instance. Everything that is not named stays as it is.
///
/// Of a form, a sealed field stays as it is when it is absent, empty, or still what the page showed in its place; a
/// readable field stays when it is absent. A field that is null is cleared.
///
/// ```
/// use integration_core::instance::{Form, IntegrationPatch};
/// use serde_json::json;
///
/// let values = json!({ "api_key": "", "base_url": "https://api.example.com" });
/// let patch = IntegrationPatch::new()
///     .name("Front desk")
///     .form(Form::new("openphone", values.as_object().cloned().unwrap_or_default()));
/// # drop(patch);
/// ```
#[derive(Clone, Default)]
pub struct IntegrationPatch {
    pub(super) name: Option<String>,
    pub(super) description: Patch<String>,
    pub(super) config: Option<GivenConfig>,
    pub(super) fields: ConfigValues,
    pub(super) cleared: Vec<String>,
    pub(super) settings: GivenSettings,
}

impl IntegrationPatch {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes its name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Changes what it is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Patch::Set(description.into());
        self
    }

    /// Takes away what it is for.
    pub fn clear_description(mut self) -> Self {
        self.description = Patch::Clear;
        self
    }

    /// Changes those fields of the config that this one has.
    pub fn config<C: VendorConfig>(mut self, config: C) -> Self {
        self.config = Some(GivenConfig::typed(config));
        self
    }

    /// Changes those fields of the config that were filled in.
    pub fn form(mut self, form: Form) -> Self {
        self.config = Some(GivenConfig::form(form));
        self
    }

    /// Changes one secret of the config.
    pub fn secret(mut self, field: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.fields = self.fields.secret(field, value);
        self
    }

    /// Changes one readable field of the config.
    pub fn readable(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields = self.fields.readable(field, value);
        self
    }

    /// Clears one field of the config.
    pub fn clear(mut self, field: impl Into<String>) -> Self {
        self.cleared.push(field.into());
        self
    }

    /// Changes those settings that a value has which becomes a JSON object: the vendor's own type, or a map.
    pub fn settings(mut self, settings: impl Serialize) -> Self {
        self.settings.all(&settings);
        self
    }

    /// Changes one setting. Null puts it back to its default.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.values.insert(name.into(), value.into());
        self
    }
}

impl fmt::Debug for IntegrationPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntegrationPatch")
            .field("config", &self.config)
            .field("fields", &self.fields)
            .field("cleared", &self.cleared)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
