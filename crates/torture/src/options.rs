//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Outcome;
use crate::place::{Address, Database};

const USAGE: &str = "\
usage: cargo xtask torture [--small] [--jobs N] [--workers N] [--signups N] [--database sqlite|postgres|both]
                           [--seconds-cap N] [--seed N]

  --small         2000 jobs, two workers and 500 signups, unless the other options say otherwise
  --jobs          jobs of the queue, 100000 by default; 0 leaves the queue out
  --workers       worker processes, 8 by default
  --signups       signups, 100000 by default; 0 leaves them out
  --seconds-cap   how long one part may take on one database, 3600 by default
  --seed          of the kills and pauses

A PostgreSQL server is started for the run, unless DATABASE_URL names one.";

/// What this process is to do.
pub(crate) enum Command {
    Run(Options),
    Worker(crate::worker::Settings),
    Vendors(crate::vendor_side::Settings),
}

/// What the person who runs it may set.
pub(crate) struct Options {
    pub(crate) jobs: usize,
    pub(crate) workers: usize,
    pub(crate) signups: usize,
    pub(crate) databases: Vec<Database>,
    pub(crate) cap: Duration,
    pub(crate) seed: u64,
    /// What the 99th percentile of a signup may be, in bare commits.
    pub(crate) p99_bar: f64,
}

impl Command {
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut words = arguments.iter().map(String::as_str);
        match words.next() {
            // How this program starts itself.
            Some("worker") => Ok(Self::Worker(crate::worker::Settings {
                address: Address::parse(&next(&mut words, "worker")?)?,
                journal: PathBuf::from(next(&mut words, "worker")?),
                max_crashes: number(&mut words, "worker")?,
                concurrency: number(&mut words, "worker")?,
            })),
            Some("vendors") => Ok(Self::Vendors(crate::vendor_side::Settings {
                address: Address::parse(&next(&mut words, "vendors")?)?,
            })),
            _ => Options::parse(arguments).map(Self::Run),
        }
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            jobs: 100_000,
            workers: 8,
            signups: 100_000,
            databases: vec![Database::Sqlite, Database::Postgres],
            cap: Duration::from_hours(1),
            seed: 7,
            p99_bar: 3.0,
        };
        if arguments.iter().any(|word| word == "--small") {
            options.jobs = 2_000;
            options.workers = 2;
            options.signups = 500;
            // Five slow ones of 500 decide it, and what else the machine does decides them: printed, not judged.
            options.p99_bar = f64::INFINITY;
            options.cap = Duration::from_mins(2);
        }
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--small" => {}
                "--jobs" => options.jobs = number(&mut words, word)?,
                "--workers" => options.workers = number(&mut words, word)?,
                "--signups" => options.signups = number(&mut words, word)?,
                "--seed" => options.seed = number(&mut words, word)?,
                "--seconds-cap" => options.cap = Duration::from_secs(number(&mut words, word)?),
                "--database" => {
                    options.databases = match next(&mut words, word)?.as_str() {
                        "sqlite" => vec![Database::Sqlite],
                        "postgres" => vec![Database::Postgres],
                        "both" => vec![Database::Sqlite, Database::Postgres],
                        _ => return Err(USAGE.to_owned()),
                    }
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        if options.workers == 0 {
            return Err(format!("at least one worker\n\n{USAGE}"));
        }
        Ok(options)
    }
}

fn next<'a>(words: &mut impl Iterator<Item = &'a str>, after: &str) -> Outcome<String> {
    let word = words.next().map(str::to_owned);
    word.ok_or_else(|| format!("{after} wants a value\n\n{USAGE}"))
}

fn number<'a, N: std::str::FromStr>(
    words: &mut impl Iterator<Item = &'a str>,
    after: &str,
) -> Outcome<N> {
    let word = next(words, after)?;
    word.parse()
        .map_err(|_| format!("{after} wants a number, not `{word}`\n\n{USAGE}"))
}
