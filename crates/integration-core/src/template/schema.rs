//! From a Rust type to the schema of its form.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::form::default_widget;
use super::order::field_order;
use super::walk::for_each_child;

/// The meta-schema of every schema here.
pub(super) const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

/// Describes a field that is sealed wherever it is kept: a key, a token, a client id or secret. For a
/// `SecretString`, as `#[schemars(schema_with = "integration_core::template::sealed")]`.
///
/// It may not be empty. A longer minimum, a title and hints can stand beside it; a default or an example is left
/// out.
pub fn sealed(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "format": "password",
        "minLength": 1,
        "writeOnly": true,
        "x-sealed": true,
    })
}

/// Describes a sealed field that may be left out: [`sealed`] for an `Option<SecretString>`.
pub fn sealed_optional(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = sealed(generator);
    // What permits null need not be there; `schema_of` makes of it what it makes of any `Option`.
    schema.insert("type".to_owned(), json!(["string", "null"]));
    schema
}

/// Returns the JSON Schema (draft-07) of a type, made fit for forms.
///
/// - Types used in it are written out in place; only a type that contains itself leaves a `$ref`.
/// - An `Option` is a field that may be left out, not one that may be null.
/// - An enum of plain variants is an `enum`; titles of the variants, or else the first line of their docs, are
///   its labels.
/// - Integers have the bounds of their type. Defaults are kept, but not for sealed fields.
/// - Unknown fields are refused.
/// - `ui` has the `order` of the fields, which is that of the source, and hints for each: `widget`, `help`,
///   `placeholder`, `labels`, `visible_when`. They are set with `#[schemars(extend("ui" = {"widget": "textarea"}))]`
///   on the field; `#[schemars(extend("ui" = {"order": ["b", "a"]}))]` on the type changes the order. Where a field
///   is flattened, the order is not known and is that of the alphabet unless it is given.
///
/// The same type gives the same schema, byte for byte.
pub fn schema_of<T: JsonSchema + DeserializeOwned>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    let Some(root) = schema.as_object_mut() else {
        return schema.to_value();
    };
    // The name of a Rust type is no title for people.
    if root.get("title").and_then(Value::as_str) == Some(&*T::schema_name()) {
        root.remove("title");
    }
    tidy(root);
    if root.get("type").and_then(Value::as_str) == Some("object") {
        root.entry("additionalProperties").or_insert(json!(false));
        root.entry("properties").or_insert(json!({}));
        let hints = lift_hints(root, field_order::<T>());
        root.insert("ui".to_owned(), hints);
    }
    schema.to_value()
}

/// Tidies a schema and all within it.
fn tidy(schema: &mut Map<String, Value>) {
    for_each_child(schema, |keyword, child| {
        tidy(child);
        if keyword == "properties" {
            tidy_property(child);
        }
    });
    let nullable = forbid_null_properties(schema);
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !nullable.iter().any(|nullable| name == nullable));
        if required.is_empty() {
            schema.remove("required");
        }
    }
    unite_variants(schema);
    bound_integer(schema);
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = unwrap_lines(text);
    }
}

fn tidy_property(schema: &mut Map<String, Value>) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if schema.get("x-sealed") == Some(&json!(true)) {
        for keyword in ["default", "const", "enum", "examples"] {
            schema.remove(keyword);
        }
    }
}

/// Takes null out of what properties permit. Returns the names of those that permitted it.
fn forbid_null_properties(schema: &mut Map<String, Value>) -> Vec<String> {
    let mut nullable = Vec::new();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            if let Value::Object(property) = property
                && forbid_null(property)
            {
                nullable.push(name.clone());
            }
        }
    }
    nullable
}

fn forbid_null(schema: &mut Map<String, Value>) -> bool {
    let mut had_null = false;
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        let before = types.len();
        types.retain(|name| name != "null");
        had_null = types.len() < before;
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        let before = values.len();
        values.retain(|value| !value.is_null());
        had_null |= values.len() < before;
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(list)) = schema.get_mut(keyword) else {
            continue;
        };
        let before = list.len();
        list.retain(|schema| schema != &json!({ "type": "null" }));
        had_null |= list.len() < before;
        if had_null && let [Value::Object(only)] = list.as_slice() {
            let only = only.clone();
            schema.remove(keyword);
            for (keyword, value) in only {
                // The field's own words stand before those of its type.
                schema.entry(keyword).or_insert(value);
            }
            // An `Option` of a documented enum is united only now.
            unite_variants(schema);
        }
    }
    had_null
}

/// Makes one `enum` of a `oneOf` of text constants, which is how variants with docs arrive.
fn unite_variants(schema: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else {
        return;
    };
    let (mut values, mut labels) = (Vec::new(), Map::new());
    for variant in variants {
        match (variant.get("const"), variant.get("enum")) {
            (Some(Value::String(value)), None) => {
                let label = variant.get("title").or_else(|| variant.get("description"));
                if let Some(label) = label.and_then(Value::as_str).and_then(|l| l.lines().next()) {
                    labels.insert(value.clone(), label.trim_end_matches('.').into());
                }
                values.push(json!(value));
            }
            (None, Some(Value::Array(several))) if several.iter().all(Value::is_string) => {
                values.extend_from_slice(several);
            }
            _ => return,
        }
    }
    schema.remove("oneOf");
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), Value::Array(values));
    if labels.is_empty() {
        return;
    }
    if let Value::Object(ui) = schema.entry("ui").or_insert(json!({})) {
        ui.entry("labels").or_insert(Value::Object(labels));
    }
}

/// Writes the bounds of an integer type where its name stands, which only schemars knows as a format. 64 bits and
/// more are left open: no JSON number of a browser reaches them exactly.
fn bound_integer(schema: &mut Map<String, Value>) {
    let Some(Value::String(format)) = schema.get("format") else {
        return;
    };
    let (minimum, maximum) = match format.as_str() {
        "int32" => (Some(i64::from(i32::MIN)), Some(i64::from(i32::MAX))),
        "uint32" => (Some(0), Some(i64::from(u32::MAX))),
        "uint64" | "uint128" | "uint" => (Some(0), None),
        "int8" | "int16" | "uint8" | "uint16" | "int64" | "int128" | "int" | "float" | "double" => {
            (None, None)
        }
        _ => return,
    };
    schema.remove("format");
    if let Some(minimum) = minimum {
        schema.entry("minimum").or_insert(json!(minimum));
    }
    if let Some(maximum) = maximum {
        schema.entry("maximum").or_insert(json!(maximum));
    }
}

/// Makes paragraphs of lines that were broken where the source was full.
fn unwrap_lines(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>())
        .map(|lines| lines.join(" "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Takes the hints out of the type and its fields. Returns them as one object.
fn lift_hints(root: &mut Map<String, Value>, source_order: &[&str]) -> Value {
    let given = root.remove("ui");
    let given_order: Vec<String> = given
        .as_ref()
        .and_then(|ui| ui.get("order"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let mut fields = Map::new();
    let mut order: Vec<String> = Vec::new();
    if let Some(Value::Object(properties)) = root.get_mut("properties") {
        let names = given_order
            .iter()
            .map(String::as_str)
            .chain(source_order.iter().copied());
        for name in names.chain(properties.keys().map(String::as_str)) {
            if properties.contains_key(name) && !order.iter().any(|known| known == name) {
                order.push(name.to_owned());
            }
        }
        for (name, property) in properties {
            fields.insert(name.clone(), field_hints(property));
        }
    }
    json!({ "order": order, "fields": fields })
}

fn field_hints(property: &mut Value) -> Value {
    let widget = default_widget(property);
    let Value::Object(property) = property else {
        return json!({ "widget": widget });
    };
    // The labels of a list's entries serve the list.
    let of_items = match property.get_mut("items") {
        Some(Value::Object(items)) => items.remove("ui"),
        _ => None,
    };
    let mut hints = match property.remove("ui") {
        Some(Value::Object(hints)) => hints,
        _ => Map::new(),
    };
    if let Some(Value::Object(of_items)) = of_items
        && let Some(labels) = of_items.get("labels")
    {
        hints.entry("labels").or_insert(labels.clone());
    }
    hints.entry("widget").or_insert(json!(widget));
    Value::Object(hints)
}
