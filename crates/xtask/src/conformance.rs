//! The clients against the vendors' specifications: fetches the validating proxy and starts the flow.
//!
//! The specifications lie in the folder that `CONNECTORS_SHARED_DIR` names. What needs them says in a line that it was
//! skipped where there are none, unless `CONNECTORS_REQUIRE_SHARED=1` makes that a failure.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// Runs the flows of `vendor` through the proxy.
pub(crate) fn run(root: &Path, vendor: &str) -> Outcome {
    let shared = match (env::var_os("CONNECTORS_SHARED_DIR"), missing_program()) {
        (None, _) => return skip("CONNECTORS_SHARED_DIR is not set"),
        (_, Some(program)) => return skip(&format!("`{program}` cannot be run")),
        (Some(shared), None) => PathBuf::from(shared),
    };
    // The flow runs in the workspace's folder, whatever the folder of the caller.
    let shared = shared
        .canonicalize()
        .map_err(|e| format!("{}: {e}", shared.display()))?;
    let proxy = install(root)?;
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "conformance", "--", vendor])
        .args([&shared, &proxy])
        .current_dir(root)
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("conformance {vendor}: {status}"))
    }
}

fn skip(reason: &str) -> Outcome {
    if env::var_os("CONNECTORS_REQUIRE_SHARED").is_some_and(|value| value == "1") {
        return Err(format!("conformance: {reason}, and it is required"));
    }
    println!("conformance: skipped, {reason}");
    Ok(())
}

/// The first program that the proxy needs and that is not here.
fn missing_program() -> Option<&'static str> {
    ["node", "npm"].into_iter().find(|program| {
        let started = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        !started.is_ok_and(|status| status.success())
    })
}

/// Installs the proxy into `target/conformance`, exactly as its lock file has it, unless that has been done.
fn install(root: &Path) -> Result<PathBuf, String> {
    let source = root.join("crates/conformance/proxy");
    let folder = root.join("target/conformance");
    let failed = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let lock_file = source.join("package-lock.json");
    let lock = fs::read(&lock_file).map_err(|e| failed(&lock_file, &e))?;
    // Written last, so that it is there only when all the rest is.
    let installed = folder.join("installed.json");
    if fs::read(&installed).is_ok_and(|done| done == lock) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), folder.join(name)).map_err(|e| failed(&folder, &e))?;
    }
    // No package's script runs: one of them would only report the installation to somebody.
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .map_err(|e| format!("npm: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("npm ci in {}:\n{said}", folder.display()));
    }
    fs::write(&installed, lock).map_err(|e| failed(&installed, &e))?;
    Ok(folder)
}
