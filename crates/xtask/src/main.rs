//! The project's own tool: `cargo xtask <command>`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its results"
)]

mod build_cost;
mod check;
mod conformance;
mod torture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a command came to: a sentence for the person who ran it.
type Outcome = Result<(), String>;

const USAGE: &str = "\
usage: cargo xtask <command>

  check               what clippy cannot see: `# Errors` on methods that return a Call, no `ignore`d doc example
  build-cost CRATE    CPU seconds and crate count of a clean release build, against reqwest alone
  conformance VENDOR  the client's flow through a proxy that validates it against the vendor's specification
  torture [OPTION…]   the outbox with its workers killed and its vendors broken, on SQLite and PostgreSQL; `--small` for a
                      minute's worth, `--help` for the options";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => check::run(&workspace_root()),
        ["build-cost", name] => build_cost::run(&workspace_root(), name),
        ["conformance", vendor] => conformance::run(&workspace_root(), vendor),
        ["torture", options @ ..] => torture::run(&workspace_root(), options),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's `Cargo.toml`.
fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
