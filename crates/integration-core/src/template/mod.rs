//! What kind of integration there can be: its schema, the form to fill in, the words around it.
//!
//! A config type says everything once. Its JSON Schema is derived, the form and the checks follow from that:
//!
//! ```
//! use integration_core::template::{ConfigSchema, Widget, schema_of};
//! use schemars::JsonSchema;
//! use secrecy::SecretString;
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! #[derive(Deserialize, JsonSchema)]
//! # #[expect(dead_code, reason = "an example")]
//! struct Config {
//!     /// Found under Settings, API.
//!     #[schemars(title = "API key", length(min = 8), schema_with = "integration_core::template::sealed")]
//!     api_key: SecretString,
//!     /// How numbers are shown.
//!     #[schemars(title = "Display name", extend("ui" = {"placeholder": "Front desk"}))]
//!     display_name: Option<String>,
//! }
//!
//! let schema = ConfigSchema::parse(&schema_of::<Config>())?;
//! let fields = schema.form_fields();
//! assert_eq!(fields[0].widget, Widget::Password);
//! assert!(fields[0].required && !fields[1].required);
//!
//! let refused = schema.validate(&json!({ "api_key": "hunter2" })).unwrap_err();
//! assert_eq!(refused.to_string(), "the config is not valid: API key must be at least 8 characters long");
//! # Ok::<(), integration_core::template::InvalidSchema>(())
//! ```
//!
//! It must not show a value that somebody filled in: no error of this module repeats one, and neither does its
//! `Debug`. It must not fetch anything: a schema stands alone.

mod accept;
mod check;
mod check_hints;
mod config;
mod expansion;
mod form;
mod model;
mod order;
mod patch;
mod schema;
mod seeds;
mod sentence;
mod ui;
mod validate;
mod walk;

pub use accept::{InvalidTemplate, TemplateProblem};
pub use check::{InvalidSchema, SchemaProblem};
pub use config::ConfigSchema;
pub use form::{FieldOption, FormField, ValueType};
pub use model::{IntegrationTemplate, NewTemplate, TemplateSummary};
pub use patch::TemplatePatch;
pub use schema::{schema_of, sealed, sealed_optional};
pub use seeds::placeholders;
pub use ui::{VisibleWhen, Widget};
pub use validate::{ValidationError, ValidationErrors};
