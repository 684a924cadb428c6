use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde_json::Value;

/// A config in the open, field by field: what a form was filled in with, or what the vault has opened.
///
/// `Debug` shows names and no value; it cannot be serialised.
#[derive(Clone, Default)]
pub struct ConfigValues(BTreeMap<String, ConfigValue>);

/// One field of a config.
#[derive(Clone)]
#[non_exhaustive]
pub enum ConfigValue {
    /// A field that may be read.
    Readable(Value),
    /// A field that is sealed wherever it is kept.
    Secret(SecretString),
}

impl ConfigValues {
    /// Makes an empty config.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field that may be read.
    pub fn readable(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0
            .insert(field.into(), ConfigValue::Readable(value.into()));
        self
    }

    /// Sets a field that may be read, if there is a value for it.
    pub fn readable_opt(self, field: impl Into<String>, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.readable(field, value),
            None => self,
        }
    }

    /// Sets a field that is sealed wherever it is kept.
    pub fn secret(mut self, field: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.0
            .insert(field.into(), ConfigValue::Secret(value.into()));
        self
    }

    /// Sets a field that is sealed wherever it is kept, if there is a value for it.
    pub fn secret_opt(
        self,
        field: impl Into<String>,
        value: Option<impl Into<SecretString>>,
    ) -> Self {
        match value {
            Some(value) => self.secret(field, value),
            None => self,
        }
    }

    /// Returns a field.
    pub fn get(&self, field: &str) -> Option<&ConfigValue> {
        self.0.get(field)
    }

    /// Returns the fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfigValue)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value))
    }
}

impl FromIterator<(String, ConfigValue)> for ConfigValues {
    fn from_iter<I: IntoIterator<Item = (String, ConfigValue)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl IntoIterator for ConfigValues {
    type Item = (String, ConfigValue);
    type IntoIter = std::collections::btree_map::IntoIter<String, ConfigValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for ConfigValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Readable(_) => "readable",
            Self::Secret(_) => "secret",
        })
    }
}
