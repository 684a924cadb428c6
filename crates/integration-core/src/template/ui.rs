//! Hints for a form: the object `ui` of a schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a field is shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Widget {
    /// One line of text.
    Text,
    /// Several lines of text.
    Textarea,
    /// One line that nobody looking on can read; for sealed fields only.
    Password,
    /// A box to tick: true or false.
    Checkbox,
    /// One of a few.
    Select,
    /// Some of a few.
    MultiSelect,
    /// A number.
    Number,
    /// A list of texts, one to a line.
    List,
    /// Anything else, as JSON.
    Json,
}

/// When a field is shown: when another one has this value. It is a matter of the form alone; validation takes the
/// field either way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VisibleWhen {
    /// The other field.
    pub field: String,
    /// What it has to be.
    pub equals: Value,
}

/// The hints for one field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FieldUi {
    pub(super) widget: Option<Widget>,
    pub(super) help: Option<String>,
    pub(super) placeholder: Option<String>,
    /// What the values of an `enum` are called.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) visible_when: Option<VisibleWhen>,
}

/// The hints of a schema that has been checked. What cannot be read counts as not there.
pub(super) struct Ui<'s>(Option<&'s Map<String, Value>>);

impl<'s> Ui<'s> {
    pub(super) fn of(schema: &'s Value) -> Self {
        Self(schema.get("ui").and_then(Value::as_object))
    }

    /// Returns the names in `order`.
    pub(super) fn order(&self) -> impl Iterator<Item = &'s str> {
        self.0
            .and_then(|ui| ui.get("order"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Returns the hints for a field.
    pub(super) fn field(&self, name: &str) -> FieldUi {
        self.0
            .and_then(|ui| ui.get("fields"))
            .and_then(|fields| fields.get(name))
            .and_then(|hints| FieldUi::deserialize(hints).ok())
            .unwrap_or_default()
    }
}
