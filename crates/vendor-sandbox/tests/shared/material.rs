//! The vendor's own material, which is not part of this repository: `CONNECTORS_SHARED_DIR` names
//! the folder that holds it.

#![expect(clippy::print_stderr, reason = "what is skipped is said")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

/// The folder, or `None` after saying that there is none. Where it is required, it must be there.
pub(crate) fn shared() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CONNECTORS_SHARED_DIR") {
        return Some(folder.into());
    }
    let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(
        !required,
        "CONNECTORS_REQUIRE_SHARED is set and CONNECTORS_SHARED_DIR is not"
    );
    eprintln!("skipped: CONNECTORS_SHARED_DIR is not set");
    None
}

pub(crate) fn read(folder: &std::path::Path, name: &str) -> Value {
    let path = folder.join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn fixture(folder: &std::path::Path, name: &str) -> Value {
    fixture_of(folder, "openphone", name)
}

pub(crate) fn fixture_of(folder: &std::path::Path, vendor: &str, name: &str) -> Value {
    read(folder, &format!("vendor-fixtures/{vendor}/{name}.json"))
}

/// Every path of keys in a value; the items of a list share one path. Below null nothing is
/// known, so `null` hides what the other side has there.
pub(crate) fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = format!("{path}/{key}");
                paths(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, path, found)),
        _ => {}
    }
}

#[track_caller]
pub(crate) fn assert_same_keys(ours: &Value, theirs: &Value, what: &str) {
    let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
    paths(ours, "", &mut left);
    paths(theirs, "", &mut right);
    assert_eq!(left, right, "{what}");
}
