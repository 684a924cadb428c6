//! The fields of a form, in order, with all that a user interface needs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Number, Value, json};

use super::ui::{Ui, VisibleWhen, Widget};
use super::walk::resolve;

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FormField {
    /// The name of its value in the config.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is, in a sentence or two.
    pub description: Option<String>,
    /// How to fill it in, or where to find what belongs there.
    pub help: Option<String>,
    /// What stands in it, greyed, while it is empty.
    pub placeholder: Option<String>,
    /// How it is shown.
    pub widget: Widget,
    /// What its value is.
    pub value_type: ValueType,
    /// Whether it has to be filled in.
    pub required: bool,
    /// Whether its value is a secret: written, never read back. A form shows whether it is set.
    pub sealed: bool,
    /// What it is when it is left out.
    pub default: Option<Value>,
    /// What there is to choose from, where that is given.
    pub options: Vec<FieldOption>,
    /// When it is shown, if not always.
    pub visible_when: Option<VisibleWhen>,
    /// The fewest characters.
    pub min_length: Option<u64>,
    /// The most characters.
    pub max_length: Option<u64>,
    /// The smallest number.
    pub minimum: Option<Number>,
    /// The largest number.
    pub maximum: Option<Number>,
    /// What text has to match, as an ECMAScript regular expression without look-around and back-references.
    pub pattern: Option<String>,
    /// What kind of text it is: `email`, `uri`, `date` and so on.
    pub format: Option<String>,
}

/// One of the values to choose from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldOption {
    /// The value.
    pub value: Value,
    /// What it is called.
    pub label: String,
}

/// What a value is in JSON.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A group of named values.
    Object,
    /// More than one of them.
    Any,
}

impl FormField {
    /// Reads what somebody typed as a value of this field: `8` is a number in a field for numbers, `yes` is true in
    /// one to tick, a list has one entry to a line. Returns nothing for empty text.
    ///
    /// What cannot be read stays text, so that [`ConfigSchema::validate`](super::ConfigSchema::validate) says what
    /// is wrong with it.
    pub fn read(&self, typed: &str) -> Option<Value> {
        if self.sealed || self.value_type == ValueType::String {
            // Blanks belong to a password; around other text they are slips.
            let text = if self.sealed { typed } else { typed.trim() };
            return (!text.is_empty()).then(|| json!(text));
        }
        let text = typed.trim();
        if text.is_empty() {
            return None;
        }
        let read = match self.value_type {
            ValueType::Integer => text.parse::<i64>().ok().map(Value::from),
            ValueType::Number => text
                .parse::<f64>()
                .ok()
                .and_then(Number::from_f64)
                .map(Value::Number),
            ValueType::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "on" | "1" => Some(json!(true)),
                "false" | "no" | "n" | "off" | "0" => Some(json!(false)),
                _ => None,
            },
            ValueType::Array if matches!(self.widget, Widget::List | Widget::MultiSelect) => {
                let entries = text.lines().map(str::trim).filter(|line| !line.is_empty());
                Some(entries.collect())
            }
            _ => serde_json::from_str(text).ok(),
        };
        Some(read.unwrap_or_else(|| json!(text)))
    }
}

/// Makes the fields of a schema that has been checked.
pub(super) fn form_fields(root: &Value) -> Vec<FormField> {
    let ui = Ui::of(root);
    let Some(properties) = root.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut names: Vec<&str> = Vec::new();
    for name in ui.order().chain(properties.keys().map(String::as_str)) {
        if properties.contains_key(name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .filter_map(|name| Some(form_field(root, &ui, name, properties.get(name)?)))
        .collect()
}

/// Returns how a field is shown unless a hint says otherwise.
pub(super) fn default_widget(schema: &Value) -> Widget {
    if is_sealed(schema) {
        return Widget::Password;
    }
    if !options(schema, &BTreeMap::new()).is_empty() {
        return Widget::Select;
    }
    match value_type(schema) {
        ValueType::String => Widget::Text,
        ValueType::Integer | ValueType::Number => Widget::Number,
        ValueType::Boolean => Widget::Checkbox,
        ValueType::Array => match schema.get("items") {
            Some(items) if !options(items, &BTreeMap::new()).is_empty() => Widget::MultiSelect,
            Some(items) if value_type(items) == ValueType::String => Widget::List,
            _ => Widget::Json,
        },
        ValueType::Object | ValueType::Any => Widget::Json,
    }
}

/// Returns whether a schema marks a sealed field.
pub(super) fn is_sealed(schema: &Value) -> bool {
    schema.get("x-sealed") == Some(&Value::Bool(true))
}

/// Returns the title of a field, made from its name if it has none.
pub(super) fn title_of(name: &str, schema: &Value) -> String {
    match schema.get("title").and_then(Value::as_str) {
        Some(title) if !title.trim().is_empty() => title.to_owned(),
        _ => humanised(name),
    }
}

/// Makes `API key` of `api_key` and of `apiKey`.
pub(super) fn humanised(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut after_small = false;
    for c in name.chars() {
        let gap = matches!(c, '_' | '-' | ' ');
        if gap || words.is_empty() || (after_small && c.is_uppercase()) {
            words.push(String::new());
        }
        if let (false, Some(word)) = (gap, words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    for (number, word) in words.iter_mut().enumerate() {
        if matches!(
            word.as_str(),
            "api" | "crm" | "id" | "ip" | "sms" | "uri" | "url"
        ) {
            *word = word.to_uppercase();
        } else if number == 0 {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            *word = first.chain(letters.as_str().chars()).collect();
        }
    }
    words.join(" ")
}

fn form_field(root: &Value, ui: &Ui<'_>, name: &str, written: &Value) -> FormField {
    let schema = resolve(root, written);
    let hints = ui.field(name);
    // Words beside a `$ref` are those of the field; draft-07 checks nothing beside it.
    let words = |keyword| {
        let found = written.get(keyword).or_else(|| schema.get(keyword))?;
        found.as_str().map(str::to_owned)
    };
    let of_entries = schema.get("items").map(|items| resolve(root, items));
    let options = match of_entries {
        Some(items) => options(items, &hints.labels),
        None => options(schema, &hints.labels),
    };
    FormField {
        name: name.to_owned(),
        title: words("title")
            .filter(|title| !title.trim().is_empty())
            .unwrap_or_else(|| humanised(name)),
        description: words("description"),
        help: hints.help,
        placeholder: hints.placeholder,
        widget: hints.widget.unwrap_or_else(|| default_widget(schema)),
        value_type: value_type(schema),
        required: root
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|required| required.iter().any(|required| required == name)),
        sealed: is_sealed(schema),
        default: written
            .get("default")
            .or_else(|| schema.get("default"))
            .cloned(),
        options,
        visible_when: hints.visible_when,
        min_length: schema.get("minLength").and_then(Value::as_u64),
        max_length: schema.get("maxLength").and_then(Value::as_u64),
        minimum: schema.get("minimum").and_then(Value::as_number).cloned(),
        maximum: schema.get("maximum").and_then(Value::as_number).cloned(),
        pattern: words("pattern"),
        format: words("format"),
    }
}

/// Returns what there is to choose from: an `enum`, or a choice of constants.
fn options(schema: &Value, labels: &BTreeMap<String, String>) -> Vec<FieldOption> {
    let choice = |value: &Value, title: Option<&Value>| {
        let own = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let label = labels.get(&own).cloned();
        let title = title.and_then(Value::as_str).map(str::to_owned);
        FieldOption {
            value: value.clone(),
            label: label.or(title).unwrap_or(own),
        }
    };
    if let Some(Value::Array(values)) = schema.get("enum") {
        return values.iter().map(|value| choice(value, None)).collect();
    }
    let variants = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    variants
        .and_then(Value::as_array)
        .and_then(|variants| {
            let constant = |variant: &Value| {
                let value = variant.get("const")?;
                Some(choice(value, variant.get("title")))
            };
            variants.iter().map(constant).collect()
        })
        .unwrap_or_default()
}

fn value_type(schema: &Value) -> ValueType {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => ValueType::String,
        Some("integer") => ValueType::Integer,
        Some("number") => ValueType::Number,
        Some("boolean") => ValueType::Boolean,
        Some("array") => ValueType::Array,
        Some("object") => ValueType::Object,
        _ => ValueType::Any,
    }
}
