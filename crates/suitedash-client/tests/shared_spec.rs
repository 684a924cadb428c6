//! The vendor's description of the Secure API, as it was reconstructed, compared with what this crate calls: nothing more, nothing less.
//!
//! `CONNECTORS_SHARED_DIR` names a folder that holds `vendor-specs/suitedash.json`. With
//! `CONNECTORS_REQUIRE_SHARED=1` a missing folder or file fails.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from, or say why it is skipped"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// The description, or `None` after saying that the test is skipped.
fn specification(test: &str) -> Option<Value> {
    let required = std::env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|it| it == "1");
    let file = std::env::var_os("CONNECTORS_SHARED_DIR")
        .map(|root| PathBuf::from(root).join("vendor-specs/suitedash.json"));
    match file {
        Some(file) if file.is_file() => {
            Some(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
        }
        Some(file) if required => panic!("{} is not a file", file.display()),
        None if required => panic!("CONNECTORS_SHARED_DIR is not set"),
        _ => {
            println!("{test}: skipped, CONNECTORS_SHARED_DIR names no folder with the description");
            None
        }
    }
}

/// Method and path to the statuses of success.
type Operations = BTreeMap<(String, String), Vec<u16>>;

fn described(specification: &Value) -> Operations {
    let mut operations = Operations::new();
    for (path, methods) in specification["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["operationId"].is_null() {
                continue;
            }
            let statuses = operation["responses"].as_object().unwrap().keys();
            let successes = statuses.filter_map(|status| status.parse().ok());
            let successes = successes.filter(|status| (200..300).contains(status));
            operations.insert((method.to_uppercase(), path.clone()), successes.collect());
        }
    }
    operations
}

#[test]
fn shared_spec_has_16_operations_and_this_crate_calls_each_of_them() {
    let Some(specification) = specification("shared_spec") else {
        return;
    };
    let described = described(&specification);
    assert_eq!(described.len(), 16);
    let mut called = Operations::new();
    for endpoint in suitedash_client::endpoints() {
        let name = (
            endpoint.method.as_str().to_owned(),
            endpoint.path.to_owned(),
        );
        let twice = called.insert(name, endpoint.success.to_vec());
        assert!(twice.is_none(), "{} is there twice", endpoint.name);
    }
    assert_eq!(called, described);
}
