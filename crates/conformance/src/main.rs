//! The clients, held against the vendors' own specifications.
//!
//! Client → judge → validating proxy → tap → sandbox, all on loopback. The flow of a surface carries out every
//! operation of its client; the proxy, an implementation of the specification by other hands, says what in the
//! requests and answers breaks it. `explained.json` has those breaches in which the specification is wrong, each with
//! its reason. Any other breach, an explained one that is gone, and an operation left out fail the run.
//!
//! `cargo xtask conformance VENDOR` fetches the proxy and starts this program. It is a package of its own so that the
//! other commands of xtask need not wait for clients, sandbox and Tokio to compile.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its results"
)]

mod explained;
mod judge;
mod openphone;
mod prism;
mod report;
mod specification;
mod surface;
mod tap;
mod violation;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::explained::Explained;
use crate::report::Report;
use crate::specification::Specification;
use crate::surface::{SURFACES, Setting};

const USAGE: &str = "usage: conformance VENDOR SHARED-FOLDER PROXY-FOLDER";

/// How long one surface may take. What hangs is a fault too.
const TIME_LIMIT: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [vendor, shared, proxy] => run(vendor, Path::new(shared), Path::new(proxy)),
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

fn run(vendor: &str, shared: &Path, proxy: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let mut failed = Vec::new();
    let mut known = false;
    for surface in SURFACES.iter().filter(|surface| surface.vendor == vendor) {
        known = true;
        let file = shared.join(surface.specification);
        let specification = Specification::read(&file)?;
        let explained = Explained::of(surface.name)?;
        let setting = Setting {
            specification: &file,
            proxy,
        };
        let walk = runtime
            .block_on(async { tokio::time::timeout(TIME_LIMIT, (surface.walk)(setting)).await })
            .map_err(|_| format!("{}: not done in {TIME_LIMIT:?}", surface.name))??;
        let report = Report::new(&specification, &(surface.endpoints)(), &walk, &explained);
        print!("surface={}\n{report}", surface.name);
        if !report.is_clean() {
            failed.push(surface.name);
        }
    }
    match (known, failed.is_empty()) {
        (false, _) => Err(format!("no surface of a vendor `{vendor}` is known here")),
        (true, false) => Err(format!("does not conform: {}", failed.join(", "))),
        (true, true) => Ok(()),
    }
}
