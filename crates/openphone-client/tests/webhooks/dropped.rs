//! What a payload says and an event does not.

use serde_json::Value;

/// Members that an event leaves out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "object",
        "the kind of object, which the type of the event says",
    ),
    ("lookupStatus", "becomes `Lookup`"),
    ("resolution", "becomes `Lookup`"),
    ("isUpdated", "becomes the list of updated fields"),
    (
        "enrichment",
        "where a note mentions whom, for its display in the vendor's app",
    ),
    (
        "clientId",
        "an id of the vendor's app, which no part of the API takes",
    ),
];

/// The places of `payload` whose values do not occur in the description of the event.
pub(crate) fn dropped(payload: &Value, description: &str) -> Vec<String> {
    let description = letters(description);
    let mut dropped = Vec::new();
    walk(payload, "", &mut |place, leaf| {
        // What the event is called is tested with what it is read as.
        if place != "/type" && !description.contains(&letters(&leaf)) {
            dropped.push(format!("{place}: {leaf}"));
        }
    });
    dropped
}

fn walk(value: &Value, place: &str, visit: &mut impl FnMut(&str, String)) {
    match value {
        Value::Null => {}
        Value::Bool(truth) => visit(place, truth.to_string()),
        Value::Number(number) => visit(place, number.to_string()),
        Value::String(text) => match text.parse::<chrono::DateTime<chrono::Utc>>() {
            Ok(time) => visit(place, time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
            Err(_) => visit(place, text.clone()),
        },
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}/{index}"), visit);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                if !LEFT_OUT.iter().any(|(left_out, _)| left_out == key) {
                    walk(member, &format!("{place}/{key}"), visit);
                }
            }
        }
    }
}

/// Letters and digits alone: `no-answer` is printed as `NoAnswer`, and numbers of seconds with or without a fraction.
fn letters(text: &str) -> String {
    let letters = text.replace(".0,", ",").replace(".0\n", "\n");
    letters
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
