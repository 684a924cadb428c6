//! The outbox under torture: worker processes that are killed and paused, vendors that fail in every way.
//!
//! Two bars, on SQLite and on PostgreSQL:
//!
//! - *Queue*: worker processes share a store while one of them after the other is killed, or stopped for longer than
//!   its lease. Every job is done, or dead after exactly as many recorded crashes as it was granted; no worker
//!   completes a job that another has taken over; the jobs of one contact, and those of contacts that share an
//!   identifier, are worked on in turn; a job that kills whoever runs it is dead after its limit. What the workers did
//!   is judged by journals of their own, not by what the store says.
//! - *Signups*: every vendor answers errors, hangs or resets connections. Every signup is accepted, at a 99th
//!   percentile of at most three times that of a bare commit, and once the vendors are well each person has exactly one
//!   record at each of them.
//!
//! `cargo xtask torture` starts this program. It prints its figures as `name=value` lines and fails when a bar is
//! missed. It is a package of its own so that the other commands of xtask need not wait for the stores to compile.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program prints its results"
)]

mod herd;
mod journal;
mod options;
mod people;
mod percentile;
mod place;
mod poison;
mod queue;
#[path = "../../integration-store/tests/support/postgres.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "written for tests, which use the rest of it, and end where they fail"
)]
mod server;
mod signup;
mod vendor_side;
mod vendors;
mod verdict;
mod worker;

use std::process::ExitCode;

use crate::options::{Command, Options};
use crate::place::Place;

/// What a step came to: a sentence for the person who ran it.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = Command::parse(&arguments).and_then(|command| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        runtime.block_on(async {
            match command {
                Command::Run(options) => run(&options).await,
                Command::Worker(settings) => worker::run(&settings).await,
                Command::Vendors(settings) => vendor_side::run(&settings).await,
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Outcome {
    let mut missed = Vec::new();
    for database in &options.databases {
        if options.jobs > 0 {
            let Some(place) = Place::new(*database).await? else {
                continue;
            };
            missed.extend(queue::run(&place, options).await?);
            let Some(place) = Place::new(*database).await? else {
                continue;
            };
            missed.extend(poison::run(&place, options).await?);
        }
        if options.signups > 0 {
            let Some(place) = Place::new(*database).await? else {
                continue;
            };
            missed.extend(signup::run(&place, options).await?);
        }
    }
    println!("bars_missed={}", missed.len());
    if missed.is_empty() {
        Ok(())
    } else {
        Err(missed.join("\n"))
    }
}
