//! Where schemas stand within a schema (draft-07), and JSON pointers to them.

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const ONE: [&str; 8] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "not",
    "propertyNames",
    "then",
];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value maps names to schemas.
const MAP: [&str; 5] = [
    "$defs",
    "definitions",
    "dependencies",
    "patternProperties",
    "properties",
];

/// A schema within a schema.
pub(super) struct Child<'s> {
    /// The keyword it stands under.
    pub(super) keyword: &'static str,
    /// Its name or number there.
    pub(super) key: Option<String>,
    /// The schema: an object, a boolean, or what somebody mistook for one.
    pub(super) schema: &'s Value,
}

impl Child<'_> {
    /// Returns the pointer to it, given that of the schema it stands in.
    pub(super) fn pointer(&self, parent: &str) -> String {
        let at = join(parent, self.keyword);
        match &self.key {
            Some(key) => join(&at, key),
            None => at,
        }
    }
}

/// Returns the schemas that stand directly in a schema.
pub(super) fn children(schema: &Map<String, Value>) -> Vec<Child<'_>> {
    let mut found = Vec::new();
    let mut add = |keyword, key, schema| {
        found.push(Child {
            keyword,
            key,
            schema,
        });
    };
    for keyword in ONE {
        if let Some(schema) = schema.get(keyword) {
            add(keyword, None, schema);
        }
    }
    for keyword in LIST {
        for (number, schema) in list(schema.get(keyword)) {
            add(keyword, Some(number), schema);
        }
    }
    match schema.get("items") {
        items @ Some(Value::Array(_)) => {
            for (number, schema) in list(items) {
                add("items", Some(number), schema);
            }
        }
        Some(items) => add("items", None, items),
        None => {}
    }
    for keyword in MAP {
        for (name, schema) in schema
            .get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            // A dependency may also be a list of names.
            if !schema.is_array() {
                add(keyword, Some(name.clone()), schema);
            }
        }
    }
    found
}

/// Calls `visit` for every schema that stands directly in a schema.
pub(super) fn for_each_child(
    schema: &mut Map<String, Value>,
    mut visit: impl FnMut(&'static str, &mut Map<String, Value>),
) {
    let mut each = |keyword, value: &mut Value| {
        if let Value::Object(schema) = value {
            visit(keyword, schema);
        }
    };
    for keyword in ONE {
        if let Some(value) = schema.get_mut(keyword) {
            each(keyword, value);
        }
    }
    for keyword in LIST {
        if let Some(Value::Array(list)) = schema.get_mut(keyword) {
            for value in list {
                each(keyword, value);
            }
        }
    }
    match schema.get_mut("items") {
        Some(Value::Array(list)) => list.iter_mut().for_each(|value| each("items", value)),
        Some(value) => each("items", value),
        None => {}
    }
    for keyword in MAP {
        if let Some(Value::Object(map)) = schema.get_mut(keyword) {
            map.values_mut().for_each(|value| each(keyword, value));
        }
    }
}

/// Returns the schema that a `$ref` of the forms `#/definitions/NAME` and `#/$defs/NAME` means.
pub(super) fn referred<'s>(root: &'s Value, reference: &str) -> Option<&'s Value> {
    let (section, name) = definition(reference)?;
    root.get(section)?.get(name)
}

/// Takes a `$ref` of the forms `#/definitions/NAME` and `#/$defs/NAME` apart.
pub(super) fn definition(reference: &str) -> Option<(&str, &str)> {
    let (section, name) = reference.strip_prefix("#/")?.split_once('/')?;
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    (plain && matches!(section, "definitions" | "$defs")).then_some((section, name))
}

/// Follows references until there is none. Schemas whose references go in circles have been refused before.
pub(super) fn resolve<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
    for _ in 0..MAX_HOPS {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| referred(root, reference));
        match target {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

const MAX_HOPS: usize = 32;

/// Adds a step to a JSON pointer.
pub(super) fn join(parent: &str, step: &str) -> String {
    format!("{parent}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// How large a JSON value may be.
#[derive(Copy, Clone)]
pub(super) struct Limits {
    pub(super) depth: usize,
    pub(super) values: usize,
    pub(super) bytes: usize,
}

impl Limits {
    /// Returns whether a value keeps within them. It stops at the first it breaks, and never recurses.
    pub(super) fn allow(self, value: &Value) -> bool {
        let mut open = vec![(value, 1)];
        let (mut values, mut bytes) = (0_usize, 0_usize);
        while let Some((value, depth)) = open.pop() {
            values = values.saturating_add(1);
            match value {
                Value::String(text) => bytes = bytes.saturating_add(text.len()),
                Value::Array(list) => {
                    // Before they are queued: a list may be far longer than the limit.
                    if list.len() > self.values {
                        return false;
                    }
                    open.extend(list.iter().map(|value| (value, depth + 1)));
                }
                Value::Object(map) => {
                    if map.len() > self.values {
                        return false;
                    }
                    for (name, value) in map {
                        bytes = bytes.saturating_add(name.len());
                        open.push((value, depth + 1));
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
            if depth > self.depth || values > self.values || bytes > self.bytes {
                return false;
            }
        }
        true
    }
}

fn list(value: Option<&Value>) -> impl Iterator<Item = (String, &Value)> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(number, schema)| (number.to_string(), schema))
}
