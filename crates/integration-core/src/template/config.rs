//! A schema that has been checked, and what it is used for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::check::{Checked, InvalidSchema, Purpose, check};
use super::form::{FormField, form_fields};
use super::schema::{DRAFT_07, schema_of};
use super::validate::{ValidationErrors, validate};

/// The schema of a config or of settings: checked, and ready to validate. Cheap to clone.
///
/// # Details
///
/// It is JSON Schema draft-07 and describes an object, whose fields are those of the form. What it may not do:
///
/// - refer to anything but its own `definitions`, or to itself in circles: nothing is ever fetched, and nothing
///   grows without bound;
/// - let unknown fields through: what nobody described nobody has marked as secret, so it would be kept readable;
/// - mark a field as sealed (`x-sealed`) that is not directly in the config, is no text, or carries values, or carry
///   values of a config that has one (`const`, `default`, `enum`, `examples` beside its fields);
/// - use patterns with look-around or back-references: patterns are matched by the `regex` crate, whose time is
///   linear in the text, so that none can be made to hang;
/// - be larger than anybody needs: 64 KiB of text, 100 fields, 32 levels, 64 patterns of 512 characters.
///
/// `format` is checked for `date`, `date-time`, `email`, `hostname`, `ipv4`, `ipv6`, `iri`, `json-pointer`, `regex`,
/// `time`, `uri`, `uri-template`, `uuid` and the relative forms of these; others are hints.
#[derive(Clone)]
pub struct ConfigSchema(Arc<Inner>);

struct Inner {
    schema: Value,
    validator: Validator,
    known_names: BTreeSet<String>,
    fields: Vec<FormField>,
}

impl ConfigSchema {
    /// Checks the schema of a config.
    ///
    /// `$schema` and `additionalProperties: false` are added where they are missing; [`as_value`](Self::as_value)
    /// returns what is in force.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`] with everything that is wrong with it.
    pub fn parse(schema: &Value) -> Result<Self, InvalidSchema> {
        Self::checked(schema, Purpose::Config)
    }

    /// Checks the schema of settings, which are kept readable: like [`parse`](Self::parse), and no field of it may
    /// be sealed.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`] with everything that is wrong with it.
    pub fn parse_settings(schema: &Value) -> Result<Self, InvalidSchema> {
        Self::checked(schema, Purpose::Settings)
    }

    /// Derives the schema of a config type and checks it.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`] when the type is no struct of named fields, or says what a schema may not say.
    pub fn of<T: JsonSchema + DeserializeOwned>() -> Result<Self, InvalidSchema> {
        Self::parse(&schema_of::<T>())
    }

    /// Derives the schema of a settings type and checks it.
    ///
    /// # Errors
    ///
    /// [`InvalidSchema`] when the type is no struct of named fields, or says what a schema may not say.
    pub fn of_settings<T: JsonSchema + DeserializeOwned>() -> Result<Self, InvalidSchema> {
        Self::parse_settings(&schema_of::<T>())
    }

    /// Returns the schema.
    pub fn as_value(&self) -> &Value {
        &self.0.schema
    }

    /// Checks a config, in the open, against the schema.
    ///
    /// # Errors
    ///
    /// [`ValidationErrors`] with everything that is wrong with it, and without any of its values.
    pub fn validate(&self, config: &Value) -> Result<(), ValidationErrors> {
        let order: Vec<&str> = self.0.fields.iter().map(|field| &*field.name).collect();
        let inner = &*self.0;
        validate(
            &inner.schema,
            &inner.validator,
            &inner.known_names,
            &order,
            config,
        )
    }

    /// Returns the names of the sealed fields, in the order of the form.
    pub fn sealed_fields(&self) -> impl Iterator<Item = &str> {
        let sealed = self.0.fields.iter().filter(|field| field.sealed);
        sealed.map(|field| field.name.as_str())
    }

    /// Returns whether a field is sealed.
    pub fn is_sealed(&self, field: &str) -> bool {
        self.sealed_fields().any(|sealed| sealed == field)
    }

    /// Returns whether a config may have a field of this name.
    #[cfg(feature = "integrations")]
    pub(crate) fn has_field(&self, field: &str) -> bool {
        let fields = self.0.schema.get("properties");
        fields.is_some_and(|fields| fields.get(field).is_some())
    }

    /// Returns the fields of the form, in order.
    pub fn form_fields(&self) -> Vec<FormField> {
        self.0.fields.clone()
    }

    /// Returns the defaults, by field. A sealed field has none.
    pub fn defaults(&self) -> Map<String, Value> {
        let default = |field: &FormField| Some((field.name.clone(), field.default.clone()?));
        self.0.fields.iter().filter_map(default).collect()
    }

    /// Fills in the defaults of fields that are missing.
    pub fn fill_defaults(&self, config: &mut Map<String, Value>) {
        for (name, default) in self.defaults() {
            config.entry(name).or_insert(default);
        }
    }

    /// Returns the schema of a config without fields.
    pub(super) fn empty() -> Value {
        json!({
            "$schema": DRAFT_07,
            "type": "object",
            "properties": {},
            "additionalProperties": false,
        })
    }

    fn checked(schema: &Value, purpose: Purpose) -> Result<Self, InvalidSchema> {
        let Checked {
            schema,
            validator,
            known_names,
        } = check(schema, purpose)?;
        let fields = form_fields(&schema);
        Ok(Self(Arc::new(Inner {
            schema,
            validator,
            known_names,
            fields,
        })))
    }
}

impl fmt::Debug for ConfigSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.fields.iter().map(|field| &*field.name).collect();
        let sealed: Vec<&str> = self.sealed_fields().collect();
        f.debug_struct("ConfigSchema")
            .field("fields", &names)
            .field("sealed", &sealed)
            .finish_non_exhaustive()
    }
}
