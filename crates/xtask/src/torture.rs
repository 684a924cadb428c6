//! The outbox under torture: builds the program for it and starts it.

use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Runs it with these options.
pub(crate) fn run(root: &Path, options: &[&str]) -> Outcome {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--package", "torture"]);
    // A minute's run is not worth an optimised build.
    if !options.contains(&"--small") {
        cargo.arg("--release");
    }
    let status = cargo
        .arg("--")
        .args(options)
        .current_dir(root)
        // A server that is started for it syncs its commits as one of a host does.
        .env("CONNECTORS_POSTGRES_DURABLE", "1")
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("torture: {status}"))
    }
}
