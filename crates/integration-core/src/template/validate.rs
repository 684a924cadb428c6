//! What is wrong with a config: all of it at once, and none of its values.

use std::collections::BTreeSet;
use std::fmt;

use jsonschema::error::ValidationErrorKind;
use serde::Serialize;
use serde_json::Value;

use super::form::{humanised, is_sealed, title_of};
use super::sentence::{UNKNOWN, sentence};
use super::walk::{Limits, join, resolve};

/// What a config may be at most. It is filled in by hand; this is far more than anybody types.
const LIMITS: Limits = Limits {
    depth: 32,
    values: 2_000,
    bytes: 256 * 1024,
};
/// After this many errors, more of them tell nobody anything.
const MAX_ERRORS: usize = 200;
/// How many of the engine's errors are read for that: a hostile schema makes millions of one slip.
const MAX_LOOKED_AT: usize = 20_000;
/// A name that the schema does not have is repeated only up to this length, and only if it looks like a name.
const MAX_UNKNOWN_NAME: usize = 24;
/// A name with more digits than that may well be a key or a phone number.
const MAX_DIGITS: usize = 4;
/// A field's title is cut in a sentence after this many characters.
const MAX_TITLE: usize = 80;
/// How many errors stand in one line.
const MAX_IN_LINE: usize = 5;

/// One thing that is wrong with a config. It never contains a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct ValidationError {
    /// Where, as a JSON pointer: `/api_key`. Names that the schema does not know are left out unless they are short
    /// and plain.
    pub pointer: String,
    /// The field's name for people: `API key`.
    pub title: String,
    /// What is wrong, as it goes on after the title: `is required`.
    pub message: String,
}

impl fmt::Display for ValidationError {
    /// Writes the sentence: `API key is required`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.title, self.message)
    }
}

/// All that is wrong with a config, in the order of its form. It never contains a value.
///
/// After 200 errors it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ValidationErrors(Vec<ValidationError>);

impl ValidationErrors {
    /// Makes the error of one field, or of the whole config.
    #[cfg(feature = "integrations")]
    pub(crate) fn of_one(field: Option<&str>, message: &str) -> Self {
        Self(vec![ValidationError {
            pointer: field.map(|field| join("", field)).unwrap_or_default(),
            title: field.map_or_else(|| "The config".to_owned(), humanised),
            message: message.to_owned(),
        }])
    }

    /// The sentences, without saying of what.
    pub(crate) fn in_a_line(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| write_some(f, &self.0))
    }

    /// Returns the errors.
    pub fn iter(&self) -> std::slice::Iter<'_, ValidationError> {
        self.0.iter()
    }

    /// Returns the errors of one field, by its name in the config.
    pub fn of_field<'e>(&'e self, name: &str) -> impl Iterator<Item = &'e ValidationError> {
        let own = join("", name);
        let within = format!("{own}/");
        self.0
            .iter()
            .filter(move |error| error.pointer == own || error.pointer.starts_with(&within))
    }
}

impl<'e> IntoIterator for &'e ValidationErrors {
    type Item = &'e ValidationError;
    type IntoIter = std::slice::Iter<'e, ValidationError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for ValidationErrors {
    type Item = ValidationError;
    type IntoIter = std::vec::IntoIter<ValidationError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the config is not valid: {}", self.in_a_line())
    }
}

impl std::error::Error for ValidationErrors {}

/// Writes the first few of a list in one line, and how many more there are.
pub(super) fn write_some(f: &mut fmt::Formatter<'_>, list: &[impl fmt::Display]) -> fmt::Result {
    for (number, item) in list.iter().take(MAX_IN_LINE).enumerate() {
        if number > 0 {
            f.write_str("; ")?;
        }
        write!(f, "{item}")?;
    }
    match list.len().saturating_sub(MAX_IN_LINE) {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

/// Checks a config, however hostile.
pub(super) fn validate(
    schema: &Value,
    validator: &jsonschema::Validator,
    known_names: &BTreeSet<String>,
    field_order: &[&str],
    config: &Value,
) -> Result<(), ValidationErrors> {
    if !LIMITS.allow(config) {
        return Err(ValidationErrors(vec![ValidationError {
            pointer: String::new(),
            title: "The config".to_owned(),
            message: "is too large".to_owned(),
        }]));
    }
    let words = Words {
        schema,
        config,
        known_names,
    };
    let mut errors: Vec<ValidationError> = Vec::new();
    for error in validator.iter_errors(config).take(MAX_LOOKED_AT) {
        words.add(&error, &mut errors);
        // Several rules may find the same fault; it counts once.
        if errors.len() > MAX_ERRORS {
            errors.sort();
            errors.dedup();
        }
        if errors.len() > MAX_ERRORS {
            errors.truncate(MAX_ERRORS);
            break;
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let rank = |error: &ValidationError| {
        let name = error.pointer.split('/').nth(1).unwrap_or_default();
        let place = field_order.iter().position(|field| *field == name);
        place.unwrap_or(field_order.len())
    };
    errors.sort();
    errors.dedup();
    errors.sort_by_key(rank);
    Err(ValidationErrors(errors))
}

/// Finds the words for an error: where, of which field, what.
struct Words<'a> {
    schema: &'a Value,
    config: &'a Value,
    known_names: &'a BTreeSet<String>,
}

impl Words<'_> {
    fn add(&self, error: &jsonschema::ValidationError<'_>, to: &mut Vec<ValidationError>) {
        let path = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                // A missing field has its own place: that is where a form shows what is wrong.
                let name = property.as_str().unwrap_or_default();
                let (pointer, title, _) = self.place(path, Some(name));
                let message = sentence(error.kind(), false);
                to.push(ValidationError {
                    pointer,
                    title,
                    message,
                });
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected.iter().take(MAX_ERRORS) {
                    to.push(self.unknown(path, name));
                }
            }
            kind => {
                let (pointer, title, sealed) = self.place(path, None);
                let empty = error.instance().as_str() == Some("");
                let message = match kind {
                    // What a sealed field has to be is nobody's to read, even where a schema says it.
                    ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. }
                        if sealed =>
                    {
                        "is not valid".to_owned()
                    }
                    kind => sentence(kind, empty),
                };
                to.push(ValidationError {
                    pointer,
                    title,
                    message,
                });
            }
        }
    }

    fn unknown(&self, path: &str, name: &str) -> ValidationError {
        let (parent, _, _) = self.place(path, None);
        let (pointer, title) = if self.may_show(name) {
            (join(&parent, name), name.to_owned())
        } else {
            (parent, "A field with an unusual name".to_owned())
        };
        ValidationError {
            pointer,
            title,
            message: UNKNOWN.to_owned(),
        }
    }

    /// Follows a path through config and schema. Returns it as it may be shown, the title of what is there, and
    /// whether it is a sealed field.
    fn place(&self, path: &str, missing: Option<&str>) -> (String, String, bool) {
        let mut pointer = String::new();
        let mut title = "The config".to_owned();
        let mut schema = Some(resolve(self.schema, self.schema));
        let mut config = Some(self.config);
        let steps = path.split('/').skip(1).map(unescaped);
        for step in steps.chain(missing.map(str::to_owned)) {
            let index = match config {
                Some(Value::Array(_)) => step.parse::<usize>().ok(),
                _ => None,
            };
            if let Some(index) = index {
                pointer = join(&pointer, &step);
                title = format!("{title}, entry {}", index.saturating_add(1));
                schema = schema
                    .and_then(|schema| schema.get("items"))
                    .map(|items| match items {
                        Value::Array(list) => list.get(index).unwrap_or(&Value::Null),
                        one => one,
                    });
                config = config.and_then(|config| config.get(index));
            } else {
                schema = schema.and_then(|schema| schema.get("properties")?.get(&step));
                let show = self.may_show(&step);
                pointer = join(&pointer, if show { &step } else { "*" });
                title = match schema {
                    Some(schema) => title_of(&step, resolve(self.schema, schema)),
                    None if show => humanised(&step),
                    None => "A field with an unusual name".to_owned(),
                };
                config = config.and_then(|config| config.get(&step));
            }
            schema = schema.map(|schema| resolve(self.schema, schema));
        }
        let title = title
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_TITLE)
            .collect();
        (pointer, title, schema.is_some_and(is_sealed))
    }

    /// Returns whether a name may be repeated: the schema's own, or one so short and plain that it is no value.
    fn may_show(&self, name: &str) -> bool {
        self.known_names.contains(name)
            || (name.len() <= MAX_UNKNOWN_NAME
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().filter(char::is_ascii_digit).count() <= MAX_DIGITS
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
