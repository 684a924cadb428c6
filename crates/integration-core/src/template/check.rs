//! Which schemas are taken.

use std::collections::BTreeSet;
use std::fmt;

use jsonschema::{EmailOptions, PatternOptions, Validator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::check_hints::check_hints;
use super::expansion;
use super::form::is_sealed;
use super::schema::DRAFT_07;
use super::sentence::sentence;
use super::validate::write_some;
use super::walk::{Limits, children, definition, join};

/// What a schema may be at most. A large one has a few thousand bytes.
const LIMITS: Limits = Limits {
    depth: 32,
    values: 5_000,
    bytes: 64 * 1024,
};
const MAX_FIELDS: usize = 100;
const MAX_FIELD_NAME: usize = 64;
const MAX_PATTERNS: usize = 64;
const MAX_PATTERN: usize = 512;
/// The size of a compiled pattern, in bytes: short text can stand for a large machine, `(\w{500}){500}`.
const MAX_COMPILED_PATTERN: usize = 512 * 1024;
/// After this many problems, more of them tell nobody anything.
const MAX_PROBLEMS: usize = 50;
/// What a sealed field's schema may say. Everything else could carry a value, or leave open that it is text.
const SEALED_KEYWORDS: [&str; 12] = [
    "$comment",
    "description",
    "format",
    "maxLength",
    "minLength",
    "pattern",
    "readOnly",
    "title",
    "type",
    "ui",
    "writeOnly",
    "x-sealed",
];

/// What a schema with a sealed field may not say of the whole config: each carries values.
const WHOLE_VALUES: [&str; 4] = ["const", "default", "enum", "examples"];

/// What a schema is for.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Config,
    Settings,
}

/// A schema that was taken.
pub(super) struct Checked {
    pub(super) schema: Value,
    pub(super) validator: Validator,
    /// Every name of a property, at any depth.
    pub(super) known_names: BTreeSet<String>,
}

/// One thing that is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaProblem {
    /// Where, as a JSON pointer into the schema.
    pub pointer: String,
    /// What is wrong, as a sentence without its subject: `must be an object`.
    pub message: String,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() {
            "the schema"
        } else {
            &self.pointer
        };
        write!(f, "{at} {}", self.message)
    }
}

/// Everything that is wrong with a schema, up to 50 problems. It repeats names of the schema, and no value that
/// stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct InvalidSchema(Vec<SchemaProblem>);

impl InvalidSchema {
    /// Returns what is wrong.
    pub fn problems(&self) -> &[SchemaProblem] {
        &self.0
    }
}

impl fmt::Display for InvalidSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the schema cannot be used: ")?;
        write_some(f, &self.0)
    }
}

impl std::error::Error for InvalidSchema {}

/// Checks a schema.
pub(super) fn check(schema: &Value, purpose: Purpose) -> Result<Checked, InvalidSchema> {
    let mut problems = Problems::default();
    if !LIMITS.allow(schema) {
        problems.add("", "is too large");
        return Err(problems.into_error());
    }
    let Value::Object(root) = schema else {
        problems.add("", "must be an object");
        return Err(problems.into_error());
    };
    let mut walk = Walk::default();
    walk.visit(schema, "", Place::Root, &mut problems);
    if walk.too_many_patterns {
        // They are not even looked at: parsing one is already work without bound.
        return Err(problems.into_error());
    }
    check_root(root, &mut problems);
    check_fields(root, purpose, &mut problems);
    check_hints(root, &mut problems);
    let meta = jsonschema::draft7::meta::validator();
    for error in meta.iter_errors(schema) {
        let message = sentence(error.kind(), false);
        problems.add(error.instance_path().as_str(), message);
    }
    problems.none()?;

    if let Err(problem) = expansion::check(schema) {
        problems.add("", problem);
        return Err(problems.into_error());
    }

    let mut effective = root.clone();
    // References are read against it: under a foreign name they would mean another document.
    effective.remove("$id");
    effective.entry("$schema").or_insert(json!(DRAFT_07));
    effective
        .entry("additionalProperties")
        .or_insert(json!(false));
    let effective = Value::Object(effective);
    let validator = match compile(&effective) {
        Ok(validator) => validator,
        Err(error) => {
            let place = error.schema_path().as_str().to_owned();
            problems.add(&place, sentence(error.kind(), false));
            return Err(problems.into_error());
        }
    };
    check_defaults(root, &validator, &mut problems);
    problems.none()?;
    Ok(Checked {
        schema: effective,
        validator,
        known_names: walk.property_names,
    })
}

/// Compiles a schema. Nothing is fetched; patterns go to the engine whose time is linear.
fn compile(schema: &Value) -> Result<Validator, jsonschema::ValidationError<'static>> {
    jsonschema::draft7::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_COMPILED_PATTERN))
        .should_validate_formats(true)
        .with_email_options(EmailOptions::default().without_display_text())
        // Draft-07 does not know it; people do.
        .with_format("uuid", |text: &str| uuid::Uuid::try_parse(text).is_ok())
        .build(schema)
}

/// What has been found wrong so far.
#[derive(Default)]
pub(super) struct Problems(Vec<SchemaProblem>);

impl Problems {
    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        let problem = SchemaProblem {
            pointer: pointer
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect(),
            message: message.into(),
        };
        if self.0.len() < MAX_PROBLEMS && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    fn into_error(self) -> InvalidSchema {
        InvalidSchema(self.0)
    }

    fn none(&mut self) -> Result<(), InvalidSchema> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(InvalidSchema(std::mem::take(&mut self.0)))
    }
}

/// Where a schema stands: it decides what it may say.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Place {
    Root,
    Field,
    Below,
}

/// Looks at every schema within a schema.
#[derive(Default)]
struct Walk {
    property_names: BTreeSet<String>,
    patterns: usize,
    too_many_patterns: bool,
}

impl Walk {
    fn visit(&mut self, schema: &Value, at: &str, place: Place, problems: &mut Problems) {
        let Value::Object(map) = schema else {
            return;
        };
        check_reference(map, at, place, problems);
        if let Some(Value::String(pattern)) = map.get("pattern") {
            self.count_pattern(pattern, &join(at, "pattern"), problems);
        }
        if place != Place::Field && map.contains_key("x-sealed") {
            let message = "must not be there: only a field directly in the config can be sealed";
            problems.add(&join(at, "x-sealed"), message);
        }
        if place != Place::Field && map.get("format") == Some(&json!("password")) {
            let message = "must not be password: only a field directly in the config can be sealed";
            problems.add(&join(at, "format"), message);
        }
        if place != Place::Root && map.contains_key("$id") {
            problems.add(
                &join(at, "$id"),
                "must not be there: references would lead elsewhere",
            );
        }
        for child in children(map) {
            let pointer = child.pointer(at);
            if let (Some(name), "properties") = (&child.key, child.keyword) {
                self.property_names.insert(name.clone());
            }
            if let (Some(pattern), "patternProperties") = (&child.key, child.keyword) {
                self.count_pattern(pattern, &pointer, problems);
            }
            let place = match (place, child.keyword) {
                (Place::Root, "properties") => Place::Field,
                _ => Place::Below,
            };
            self.visit(child.schema, &pointer, place, problems);
        }
    }

    fn count_pattern(&mut self, pattern: &str, at: &str, problems: &mut Problems) {
        self.patterns += 1;
        if pattern.len() > MAX_PATTERN {
            self.too_many_patterns = true;
            problems.add(at, format!("must be at most {MAX_PATTERN} bytes long"));
        }
        if self.patterns > MAX_PATTERNS {
            self.too_many_patterns = true;
            problems.add("", format!("must have at most {MAX_PATTERNS} patterns"));
        }
    }
}

fn check_reference(schema: &Map<String, Value>, at: &str, place: Place, problems: &mut Problems) {
    let Some(reference) = schema.get("$ref") else {
        return;
    };
    let at = join(at, "$ref");
    if place == Place::Root {
        problems.add(
            &at,
            "must not be there: the fields stand in the schema itself",
        );
    } else if reference
        .as_str()
        .is_none_or(|text| definition(text).is_none())
    {
        // Whatever it names is not repeated: an address may carry a password.
        problems.add(
            &at,
            "must be of the form #/definitions/NAME: nothing is fetched from elsewhere",
        );
    }
}

fn check_root(root: &Map<String, Value>, problems: &mut Problems) {
    let draft_07 = [DRAFT_07, DRAFT_07.trim_end_matches('#')];
    if !root
        .get("$schema")
        .is_none_or(|dialect| draft_07.iter().any(|known| dialect == known))
    {
        problems.add("/$schema", format!("must be {DRAFT_07}, or left out"));
    }
    if root.get("type") != Some(&json!("object")) {
        problems.add("/type", "must be object: a config is a group of fields");
    }
    if !root
        .get("additionalProperties")
        .is_none_or(|rest| rest == &json!(false))
    {
        let message = "must be false: a value under an unknown name would be kept readable";
        problems.add("/additionalProperties", message);
    }
    if root.contains_key("patternProperties") {
        let message = "must not be there: every field of a config has its own name";
        problems.add("/patternProperties", message);
    }
    let properties = root.get("properties").and_then(Value::as_object);
    let required = root.get("required").and_then(Value::as_array);
    for (number, name) in required.into_iter().flatten().enumerate() {
        let known = name
            .as_str()
            .is_some_and(|name| properties.is_some_and(|fields| fields.contains_key(name)));
        if !known {
            let at = format!("/required/{number}");
            problems.add(&at, "must be the name of a field");
        }
    }
}

fn check_fields(root: &Map<String, Value>, purpose: Purpose, problems: &mut Problems) {
    let Some(properties) = root.get("properties").and_then(Value::as_object) else {
        return;
    };
    if properties.len() > MAX_FIELDS {
        problems.add(
            "/properties",
            format!("must have at most {MAX_FIELDS} fields"),
        );
    }
    for (name, schema) in properties {
        let at = join("/properties", name);
        let plain = (1..=MAX_FIELD_NAME).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !plain {
            // Sealed values are bound to the name, and the names with a dot are taken: `oauth.access_token`.
            problems.add(
                &at,
                format!("must have a name of at most {MAX_FIELD_NAME} letters, digits, _ and -"),
            );
        }
        match schema {
            Value::Object(schema) => check_field(schema, &at, purpose, problems),
            Value::Bool(true) => {}
            _ => problems.add(&at, "must be an object"),
        }
    }
    if properties.values().any(is_sealed) {
        for keyword in WHOLE_VALUES {
            if root.contains_key(keyword) {
                let message = "must not be there: it could give a sealed field away";
                problems.add(&join("", keyword), message);
            }
        }
    }
}

fn check_field(schema: &Map<String, Value>, at: &str, purpose: Purpose, problems: &mut Problems) {
    let sealed = match schema.get("x-sealed") {
        None => false,
        Some(Value::Bool(sealed)) => *sealed,
        Some(_) => {
            problems.add(&join(at, "x-sealed"), "must be true or false");
            return;
        }
    };
    if !sealed {
        if schema.get("format") == Some(&json!("password")) {
            let message =
                "must not be password without x-sealed: what was typed would be kept readable";
            problems.add(&join(at, "format"), message);
        }
        return;
    }
    if purpose == Purpose::Settings {
        problems.add(at, "must not be sealed: settings are kept readable");
    }
    if schema.get("type") != Some(&json!("string")) {
        problems.add(&join(at, "type"), "must be string: only text can be sealed");
    }
    for keyword in schema.keys() {
        if !SEALED_KEYWORDS.contains(&keyword.as_str()) {
            problems.add(&join(at, keyword), "must not be there: the field is sealed");
        }
    }
}

/// Checks that every default is a value that its field takes.
fn check_defaults(root: &Map<String, Value>, validator: &Validator, problems: &mut Problems) {
    for (name, schema) in root
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Some(default) = schema.get("default") else {
            continue;
        };
        let own = join("", name);
        let within = format!("{own}/");
        let config = json!({ name: default });
        let breaks = validator.iter_errors(&config).any(|error| {
            let path = error.instance_path().as_str();
            path == own || path.starts_with(&within)
        });
        if breaks {
            let at = join(&join("/properties", name), "default");
            problems.add(&at, "must be a value that the field takes");
        }
    }
}
