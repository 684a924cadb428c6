//! What a user pays at compile time: a clean release build of one crate, against reqwest alone.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Outcome;

/// Builds reqwest alone and `name` with its default features, each from nothing, and prints the ratio of CPU seconds.
pub(crate) fn run(root: &Path, name: &str) -> Outcome {
    let metadata = metadata(root)?;
    let crate_folder = root.join("crates").join(name);
    if !crate_folder.join("Cargo.toml").is_file() {
        return Err(format!("no crate `{name}` in crates/"));
    }
    let scratch = root.join("target").join("build-cost");
    let bare = measure(root, &scratch.join("reqwest"), &reqwest_line(&metadata)?)?;
    let line = format!(
        "{name} = {{ path = {:?} }}",
        crate_folder.display().to_string()
    );
    let ours = measure(root, &scratch.join(name), &line)?;

    println!("reqwest_cpu_s={:.1}", bare.cpu_seconds);
    println!("reqwest_crates={}", bare.crates);
    println!("{}_cpu_s={:.1}", name.replace('-', "_"), ours.cpu_seconds);
    println!("{}_crates={}", name.replace('-', "_"), ours.crates);
    println!("build_cpu_ratio={:.3}", ours.cpu_seconds / bare.cpu_seconds);
    Ok(())
}

struct Cost {
    cpu_seconds: f64,
    crates: usize,
}

/// Builds a package with one dependency in `folder`, twice: the first fetches, the second is measured.
fn measure(root: &Path, folder: &Path, dependency: &str) -> Result<Cost, String> {
    let failed =
        |what: &str, e: &dyn std::fmt::Display| format!("{}: {what}: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| failed("cannot be emptied", &e))?;
    }
    fs::create_dir_all(folder.join("src")).map_err(|e| failed("cannot be made", &e))?;
    let manifest = format!(
        "[package]\nname = \"build-cost\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).map_err(|e| failed("manifest", &e))?;
    fs::write(folder.join("src/lib.rs"), "").map_err(|e| failed("source", &e))?;
    // The same versions on both sides: those that the workspace is tested with.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|e| failed("lock file", &e))?;

    cargo(folder, &["fetch"])?;
    let tree = cargo(
        folder,
        &[
            "tree",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    )?;
    let mut crates: Vec<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    crates.sort_unstable();
    crates.dedup();

    let before = cpu_seconds_of_children()?;
    cargo(folder, &["build", "--release", "--offline"])?;
    let cpu_seconds = cpu_seconds_of_children()? - before;
    // The package itself is not a dependency.
    Ok(Cost {
        cpu_seconds,
        crates: crates.len().saturating_sub(1),
    })
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTFLAGS")
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "cargo {} in {}:\n{said}",
            arguments.join(" "),
            folder.display()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// User and system time of every child that has ended and been waited for, theirs included (`man 5 proc`, fields 16
/// and 17 of `stat`, in hundredths of a second).
fn cpu_seconds_of_children() -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat")
        .map_err(|e| format!("build-cost reads CPU time from Linux's /proc/self/stat: {e}"))?;
    // The second field is the program's name in parentheses and may hold blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| {
        fields
            .split_whitespace()
            .nth(index)
            .and_then(|f| f.parse::<f64>().ok())
    };
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err("/proc/self/stat has an unknown form".to_owned()),
    }
}

fn metadata(root: &Path) -> Result<Value, String> {
    let text = cargo(root, &["metadata", "--format-version", "1", "--no-deps"])?;
    serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))
}

/// The manifest line for reqwest with the very features that connector-http asks for.
fn reqwest_line(metadata: &Value) -> Result<String, String> {
    let dependency = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["name"] == "connector-http")
        .flat_map(|package| package["dependencies"].as_array().into_iter().flatten())
        .find(|dependency| dependency["name"] == "reqwest" && dependency["kind"].is_null())
        .ok_or("connector-http does not depend on reqwest")?;
    Ok(format!(
        "reqwest = {{ version = {}, default-features = {}, features = {} }}",
        dependency["req"], dependency["uses_default_features"], dependency["features"]
    ))
}
