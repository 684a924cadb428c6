//! The vendor's description of API v1, compared with what this crate calls: nothing more, nothing less.
//!
//! `CONNECTORS_SHARED_DIR` names a folder that holds `vendor-specs/openphone.json`. With
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
        .map(|root| PathBuf::from(root).join("vendor-specs/openphone.json"));
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
fn shared_specification_has_43_operations_and_this_crate_calls_each_of_them() {
    let Some(specification) = specification("shared_specification") else {
        return;
    };
    let described = described(&specification);
    assert_eq!(described.len(), 43);
    let mut called = Operations::new();
    for endpoint in openphone_client::endpoints() {
        let name = (
            endpoint.method.as_str().to_owned(),
            endpoint.path.to_owned(),
        );
        let twice = called.insert(name, endpoint.success.to_vec());
        assert!(twice.is_none(), "{} is there twice", endpoint.name);
    }
    assert_eq!(called, described);
}

/// The largest pages, which lists ask for unless told otherwise, and the parameters that must be sent.
#[test]
fn shared_specification_of_pages_is_what_the_lists_ask_for() {
    use openphone_client::{
        ListCalls, ListContacts, ListConversations, ListMessages, ListTasks, ListUsers,
    };
    let Some(specification) = specification("shared_specification_of_pages") else {
        return;
    };
    for (path, size, required) in [
        (
            "calls",
            ListCalls::new("PN1", "x").max_results,
            &["maxResults", "participants", "phoneNumberId"][..],
        ),
        ("contacts", ListContacts::new().max_results, &["maxResults"]),
        (
            "conversations",
            ListConversations::new().max_results,
            &["maxResults"],
        ),
        (
            "messages",
            ListMessages::new("PN1", ["x"]).max_results,
            &["maxResults", "participants", "phoneNumberId"],
        ),
        ("tasks", ListTasks::new().max_results, &["maxResults"]),
        ("users", ListUsers::new().max_results, &["maxResults"]),
    ] {
        let parameters = specification["paths"][format!("/v1/{path}")]["get"]["parameters"]
            .as_array()
            .unwrap();
        let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
        let mut found: Vec<_> = parameters
            .iter()
            .filter(|it| it["required"] == true)
            .map(name)
            .collect();
        found.sort();
        assert_eq!(found, required, "{path}");
        let pages = parameters
            .iter()
            .find(|it| it["name"] == "maxResults")
            .unwrap();
        assert_eq!(pages["schema"]["maximum"], size, "{path}");
    }
}
