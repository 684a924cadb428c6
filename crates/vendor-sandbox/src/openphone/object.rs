use serde_json::Value;

/// Adds a name to an object that is built piece by piece; to anything else nothing is added.
pub(super) fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value);
    }
}
