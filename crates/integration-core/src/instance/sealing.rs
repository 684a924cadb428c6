//! From what was filled in to what is stored, and back: checked by the schema, merged field by field, sealed.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::erased::AnyVendor;
use super::read::{Transient, Unreadable};
use super::{ConfigValue, ConfigValues, IntegrationError, StoredConfig};
use crate::ids::{IntegrationId, TenantId};
use crate::status::CredentialsVersion;
use crate::template::{ConfigSchema, ValidationErrors};
#[cfg(feature = "vault-legacy")]
use crate::vault::Legacy;
use crate::vault::{SealContext, Vault};

/// What is to become of each field that was given. A field that was not given stays as it is.
pub(super) type FieldChanges = BTreeMap<String, Option<ConfigValue>>;

/// Sorts what was given into secrets and readable values, by the schema.
///
/// A type that says of a field that it is a secret is believed, whatever the schema says; a form cannot say so.
pub(super) fn changes_of(
    given: ConfigValues,
    typed: bool,
    schema: &ConfigSchema,
    hints: &BTreeMap<String, String>,
) -> FieldChanges {
    given
        .into_iter()
        .filter_map(|(field, value)| {
            let sealed = schema.is_sealed(&field);
            let change = match value {
                ConfigValue::Readable(Value::Null) => None,
                ConfigValue::Secret(secret) if sealed => {
                    if is_untouched(secret.expose_secret(), hints.get(&field)) {
                        return None;
                    }
                    Some(ConfigValue::Secret(secret))
                }
                ConfigValue::Secret(secret) if typed => Some(ConfigValue::Secret(secret)),
                ConfigValue::Secret(secret) => {
                    let text = secret.expose_secret().to_owned();
                    Some(ConfigValue::Readable(Value::String(text)))
                }
                ConfigValue::Readable(Value::String(text)) if sealed => {
                    if is_untouched(&text, hints.get(&field)) {
                        return None;
                    }
                    Some(ConfigValue::Secret(SecretString::from(text)))
                }
                // The view of a secret, sent back as it was shown.
                ConfigValue::Readable(Value::Object(shown))
                    if sealed && shown.contains_key("set") =>
                {
                    return None;
                }
                readable @ ConfigValue::Readable(_) => Some(readable),
            };
            Some((field, change))
        })
        .collect()
}

/// Whether the text of a sealed field is what a page shows in its place: nothing, or dots and the last four
/// characters.
fn is_untouched(text: &str, hint: Option<&String>) -> bool {
    const DOTS: [char; 3] = ['•', '●', '*'];
    let rest = text.trim_start_matches(DOTS);
    let dotted = text.chars().count() - rest.chars().count() >= 3;
    text.is_empty() || (dotted && (rest.is_empty() || hint.is_some_and(|hint| hint == rest)))
}

/// Checks a whole config against its schema and, where there is one, the vendor's type.
pub(super) fn check(
    config: &ConfigValues,
    schema: &ConfigSchema,
    vendor: Option<&dyn AnyVendor>,
) -> Result<(), IntegrationError> {
    let transient = Transient::of(config);
    schema
        .validate(transient.value())
        .and_then(|()| storable(transient.value()))
        .map_err(IntegrationError::InvalidConfig)?;
    vendor.map_or(Ok(()), |vendor| {
        vendor
            .check_config(config)
            .map_err(|unreadable| IntegrationError::InvalidConfig(errors_of(&unreadable)))
    })
}

/// Checks, of values that have passed their schema and so are not nested without bound, that every database can keep
/// them.
pub(super) fn storable(values: &Value) -> Result<(), ValidationErrors> {
    let mut fields = values.as_object().into_iter().flatten();
    match fields.find(|(_, value)| holds_nul(value)) {
        Some((field, _)) => Err(ValidationErrors::of_one(
            Some(field),
            "holds a NUL character",
        )),
        None => Ok(()),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

pub(super) fn errors_of(unreadable: &Unreadable) -> ValidationErrors {
    ValidationErrors::of_one(unreadable.field.as_deref(), unreadable.problem)
}

/// Seals and opens the fields of one instance.
pub(super) struct Sealing<'a> {
    vault: &'a Vault,
    #[cfg(feature = "vault-legacy")]
    legacy: Option<&'a Legacy>,
    tenant: &'a TenantId,
    instance: String,
}

/// What comes of a merge.
pub(super) struct Merged {
    /// What is to be stored, under a new version; none if no field changed.
    pub(super) stored: Option<StoredConfig>,
    /// The whole config in the open.
    pub(super) open: ConfigValues,
}

impl<'a> Sealing<'a> {
    pub(super) fn new(
        vault: &'a Vault,
        #[cfg(feature = "vault-legacy")] legacy: Option<&'a Legacy>,
        tenant: &'a TenantId,
        instance: IntegrationId,
    ) -> Self {
        Self {
            vault,
            #[cfg(feature = "vault-legacy")]
            legacy,
            tenant,
            instance: instance.to_string(),
        }
    }

    pub(super) fn seal(
        &self,
        field: &str,
        secret: &SecretString,
    ) -> Result<String, IntegrationError> {
        self.vault
            .seal(&self.context(field), secret)
            .map_err(|source| refused(field, source))
    }

    pub(super) fn open(&self, field: &str, sealed: &str) -> Result<SecretString, IntegrationError> {
        let context = self.context(field);
        #[cfg(feature = "vault-legacy")]
        if let Some(legacy) = self.legacy {
            let opened = legacy.open_and_renew(self.vault, &context, sealed);
            let opened = opened.map_err(|source| refused(field, source))?;
            return Ok(opened.secret);
        }
        self.vault
            .open(&context, sealed)
            .map_err(|source| refused(field, source))
    }

    /// Opens a whole config.
    pub(super) fn open_all(&self, config: &StoredConfig) -> Result<ConfigValues, IntegrationError> {
        let mut open = ConfigValues::new();
        for (field, value) in &config.readable {
            open = open.readable(field.clone(), value.clone());
        }
        for (field, sealed) in &config.sealed {
            open = open.secret(field.clone(), self.open(field, sealed)?);
        }
        Ok(open)
    }

    /// Merges changes into a config. What does not change keeps its stored text to the letter; what is replaced need
    /// not open any more.
    pub(super) fn merge(
        &self,
        old: &StoredConfig,
        changes: FieldChanges,
        version: CredentialsVersion,
    ) -> Result<Merged, IntegrationError> {
        let mut stored = StoredConfig::new(version);
        let mut open = ConfigValues::new();
        let mut differs = false;
        for (field, value) in &old.readable {
            if !changes.contains_key(field) {
                stored.readable.insert(field.clone(), value.clone());
                open = open.readable(field.clone(), value.clone());
            }
        }
        for (field, sealed) in &old.sealed {
            if !changes.contains_key(field) {
                keep(&mut stored, old, field, sealed);
                open = open.secret(field.clone(), self.open(field, sealed)?);
            }
        }
        for (field, change) in changes {
            let (was_readable, was_sealed) = (old.readable.get(&field), old.sealed.get(&field));
            match change {
                None => differs |= was_readable.is_some() || was_sealed.is_some(),
                Some(ConfigValue::Readable(value)) => {
                    differs |= was_readable != Some(&value);
                    stored.readable.insert(field.clone(), value.clone());
                    open = open.readable(field, value);
                }
                Some(ConfigValue::Secret(secret)) => {
                    let known = was_sealed.filter(|sealed| self.holds(&field, sealed, &secret));
                    if let Some(sealed) = known {
                        keep(&mut stored, old, &field, sealed);
                    } else {
                        differs = true;
                        let sealed = self.seal(&field, &secret)?;
                        stored.sealed.insert(field.clone(), sealed);
                        if let Some(hint) = hint(secret.expose_secret()) {
                            stored.hints.insert(field.clone(), hint);
                        }
                    }
                    open = open.secret(field, secret);
                }
            }
        }
        Ok(Merged {
            stored: differs.then_some(stored),
            open,
        })
    }

    /// Seals a secret, unless `known` holds it already: then that text stays.
    pub(super) fn seal_if_new(
        &self,
        field: &str,
        secret: &SecretString,
        known: Option<String>,
    ) -> Result<String, IntegrationError> {
        match known.filter(|sealed| self.holds(field, sealed, secret)) {
            Some(sealed) => Ok(sealed),
            None => self.seal(field, secret),
        }
    }

    fn holds(&self, field: &str, sealed: &str, secret: &SecretString) -> bool {
        self.open(field, sealed)
            .is_ok_and(|old| old.expose_secret() == secret.expose_secret())
    }

    fn context(&self, field: &str) -> SealContext {
        SealContext::new(self.tenant.as_str(), &self.instance, field)
    }
}

fn refused(field: &str, source: crate::vault::VaultError) -> IntegrationError {
    IntegrationError::Vault {
        field: field.to_owned(),
        source,
    }
}

fn keep(stored: &mut StoredConfig, old: &StoredConfig, field: &str, sealed: &str) {
    stored.sealed.insert(field.to_owned(), sealed.to_owned());
    if let Some(hint) = old.hints.get(field) {
        stored.hints.insert(field.to_owned(), hint.clone());
    }
}

/// The last four characters of a secret that is longer than twelve.
fn hint(secret: &str) -> Option<String> {
    let characters = secret.chars().count();
    (characters > 12).then(|| secret.chars().skip(characters - 4).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", None)]
    #[case("123456789012", None)]
    #[case("1234567890123", Some("0123"))]
    #[case("äöüäöüäöüäöü", None)]
    #[case("äöüäöüäöüäöüß", Some("äöüß"))]
    fn only_a_long_secret_has_a_hint(#[case] secret: &str, #[case] expected: Option<&str>) {
        assert_eq!(hint(secret).as_deref(), expected);
    }

    #[rstest]
    #[case("", None, true)]
    #[case("••••••••", None, true)]
    #[case("***", None, true)]
    #[case("••••••••9f3c", Some("9f3c"), true)]
    #[case("••••••••9f3d", Some("9f3c"), false)]
    #[case("••••••••9f3c", None, false)]
    #[case("**", None, false)]
    #[case("9f3c", Some("9f3c"), false)]
    #[case(" ", None, false)]
    fn a_placeholder_is_no_secret(
        #[case] text: &str,
        #[case] hint: Option<&str>,
        #[case] expected: bool,
    ) {
        let hint = hint.map(str::to_owned);
        assert_eq!(is_untouched(text, hint.as_ref()), expected);
    }
}
