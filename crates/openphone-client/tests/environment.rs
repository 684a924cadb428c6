//! `from_env` reads the environment of a real process: this one again, with variables set.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::process::{Command, Stdio};

use openphone_client::Client;

const CHILD: &str = "OPENPHONE_CLIENT_TEST_CHILD";

/// Runs the test `name` of this file again, in a process with exactly these variables.
fn passes(name: &str, vars: &[(&str, &str)]) -> bool {
    let program = std::env::current_exe().expect("the path of this program");
    let status = Command::new(program)
        .args(["--exact", name])
        .env_remove("OPENPHONE_API_KEY")
        .env_remove("OPENPHONE_BASE_URL")
        .envs(vars.iter().copied())
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .status();
    status.expect("this program starts again").success()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

#[test]
fn key_and_address_are_taken() {
    if is_child() {
        let client = Client::from_env().unwrap();
        assert_eq!(client.base_url().as_str(), "http://127.0.0.1:9/");
        return;
    }
    let vars = [
        ("OPENPHONE_API_KEY", "k3y"),
        ("OPENPHONE_BASE_URL", "http://127.0.0.1:9/v1/"),
    ];
    assert!(passes("key_and_address_are_taken", &vars));
}

#[test]
fn a_missing_key_is_an_error() {
    if is_child() {
        let error = Client::from_env().unwrap_err();
        assert_eq!(error.message(), Some("OPENPHONE_API_KEY is not set"));
        return;
    }
    assert!(passes("a_missing_key_is_an_error", &[]));
}
