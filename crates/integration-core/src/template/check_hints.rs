//! Whether the hints of a schema fit its fields.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::check::Problems;
use super::form::is_sealed;
use super::ui::{FieldUi, Widget};
use super::walk::join;

/// Checks the hints, so that a slip in them is found when the template is saved and not in the form.
pub(super) fn check_hints(root: &Map<String, Value>, problems: &mut Problems) {
    let Some(ui) = root.get("ui") else {
        return;
    };
    let Value::Object(ui) = ui else {
        problems.add("/ui", "must be an object");
        return;
    };
    let properties = root.get("properties").and_then(Value::as_object);
    let field = |name: &str| properties.and_then(|fields| fields.get(name));
    for part in ui.keys() {
        if !matches!(part.as_str(), "order" | "fields") {
            problems.add(
                &join("/ui", part),
                "must not be there: ui has order and fields",
            );
        }
    }
    match ui.get("order") {
        None => {}
        Some(Value::Array(order)) => {
            for (number, name) in order.iter().enumerate() {
                if name.as_str().is_none_or(|name| field(name).is_none()) {
                    problems.add(
                        &format!("/ui/order/{number}"),
                        "must be the name of a field",
                    );
                }
            }
        }
        Some(_) => problems.add("/ui/order", "must be a list"),
    }
    let hints = match ui.get("fields") {
        None => return,
        Some(Value::Object(hints)) => hints,
        Some(_) => {
            problems.add("/ui/fields", "must be an object");
            return;
        }
    };
    for (name, hints) in hints {
        check_field_hints(root, name, hints, problems);
    }
}

fn check_field_hints(
    root: &Map<String, Value>,
    name: &str,
    hints: &Value,
    problems: &mut Problems,
) {
    let properties = root.get("properties").and_then(Value::as_object);
    let field = |name: &str| properties.and_then(|fields| fields.get(name));
    let at = join("/ui/fields", name);
    let Some(schema) = field(name) else {
        problems.add(&at, "must be the name of a field");
        return;
    };
    // Not the reader's own words: they may repeat what stands there.
    let Ok(hints) = FieldUi::deserialize(hints) else {
        problems.add(
                &at,
                "must have no more than widget, help, placeholder, labels and visible_when, as they are described",
            );
        return;
    };
    let masked = matches!(hints.widget, Some(Widget::Password));
    let fits_sealed = matches!(
        hints.widget,
        None | Some(Widget::Password | Widget::Textarea)
    );
    if (is_sealed(schema) && !fits_sealed) || (masked && !is_sealed(schema)) {
        let message =
            "must be password or textarea for a sealed field, and never password for another";
        problems.add(&join(&at, "widget"), message);
    }
    let Some(condition) = hints.visible_when else {
        return;
    };
    let at = join(&at, "visible_when");
    if condition.field == name || field(&condition.field).is_none_or(is_sealed) {
        problems.add(
            &join(&at, "field"),
            "must be the name of another field that is not sealed",
        );
    }
    let required = root.get("required").and_then(Value::as_array);
    if required.is_some_and(|required| required.iter().any(|required| required == name)) {
        problems.add(&at, "must not be there: a required field has to be seen");
    }
}
