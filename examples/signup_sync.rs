//! Takes a CSV of signups, accepts every one of them, and brings each person to OpenPhone once.
//!
//! ```console
//! $ cargo run --example signup_sync
//! $ cargo run --example signup_sync -- --fault-rate 0.2        # a fifth of the calls go wrong; the same people arrive
//! $ cargo run --example signup_sync -- --input FILE --json
//! $ cargo run --example signup_sync -- --store sqlite://signups.db  # on disk: kill it in the middle, run it again
//! $ cargo run --example signup_sync --features postgres -- --store postgres://USER@HOST/DATABASE
//! $ OPENPHONE_API_KEY=… cargo run --example signup_sync -- --input FILE      # the real API
//! $ RUST_LOG=contact_sync=info cargo run --example signup_sync               # what the worker says, on standard error
//! ```
//!
//! With a file, the vendor is an integration: its key is sealed under the master key in `FILE.key` (mode 0600), or in
//! `API_KEY_ENCRYPTION_SECRET`. The simulated vendor ends with this program; for one that remembers what it had before
//! a kill, start `vendor-sandbox serve` and point `OPENPHONE_BASE_URL` and `OPENPHONE_API_KEY` at it
//! (and `--input` at `examples/data/signups.csv`). After a kill, what was under way goes on when its lease is over: about a
//! minute, because a create that nobody heard of may still take effect at the vendor.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use connector_http::{RetryPolicy, Timer as _, TokioTimer};
use contact_sync::{
    Action, ContactId, DeliveryState, Event, Issue, Progress, Receipt, Region, Signup, SignupHook,
    Standing, Unmapped,
};
use examples::signup_csv::{self, Row, RowError};
use examples::sync_store::{Place, Sync, TARGET};
use examples::{openphone, output, table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;
use vendor_sandbox::FaultPlan;

/// Forty invented signups.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/signups.csv");
/// Characters of a name that the table shows.
const NAME_WIDTH: usize = 24;

#[derive(Parser)]
#[command(about = "Brings a CSV of signups to OpenPhone, each person once")]
struct Arguments {
    /// The CSV file, with the columns of examples/data/signups.csv, which is taken if no key is set
    #[arg(long)]
    input: Option<PathBuf>,
    /// Make the last line of standard output one JSON object
    #[arg(long)]
    json: bool,
    /// The share of calls that the simulated vendor lets go wrong, from 0 to 1
    #[arg(long, value_parser = share)]
    fault_rate: Option<f64>,
    /// Where contacts, the vendor's ids of them and what is still to be delivered are kept: `memory`, which ends with
    /// this program, `sqlite://FILE` or `postgres://USER@HOST/DATABASE`
    #[arg(long, default_value = "memory")]
    store: Place,
    /// The country whose national phone formats people mean
    #[arg(long, default_value = "US")]
    region: Region,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Without RUST_LOG, errors alone.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(Summary { failed: 0, .. }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Summary, Box<dyn std::error::Error>> {
    let input = match arguments.input {
        Some(input) => input,
        None if openphone::is_real() => {
            return Err(
                "OPENPHONE_API_KEY is set: name a file with --input, its people go to that account"
                    .into(),
            );
        }
        None => PathBuf::from(EXAMPLE),
    };
    let place = |e: &dyn std::fmt::Display| format!("{}: {e}", input.display());
    let file = std::fs::read(&input).map_err(|e| place(&e))?;
    let rows = signup_csv::read(&file).map_err(|e| place(&e))?;
    // The job behind each call has all the patience there is, so one request need not have much.
    let policy = RetryPolicy::new().attempt_timeout(Duration::from_secs(5));
    if arguments.fault_rate.is_some() && openphone::is_real() {
        return Err(
            "only the simulated vendor can be told to fail; unset OPENPHONE_API_KEY".into(),
        );
    }
    let vendor = openphone::connect(None, |client| client.retry(policy)).await?;

    let (events, mut news) = mpsc::unbounded_channel();
    let tell = move |event: &Event| {
        // It fails only once nobody listens any more.
        let _ = events.send(event.clone());
    };
    let listen = |worker: contact_sync::Worker| worker.on_event(tell);
    let sync = Sync::open(&arguments.store, &vendor, listen, arguments.region).await?;
    // Connecting may go well: it is the signups that have to arrive whatever happens.
    if let (Some(rate), Some(sandbox)) = (arguments.fault_rate, &vendor.sandbox) {
        sandbox.control().faults(FaultPlan::rate(rate));
    }

    let timer = TokioTimer;
    let start = timer.now();
    let bar = progress_bar(rows.len());
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        lines.push(accept(&sync.hook, row).await);
    }
    {
        let mut idle = std::pin::pin!(sync.worker.idle());
        while lines.iter().any(|line| line.result.is_none()) {
            tokio::select! {
                biased;
                Some(event) = news.recv() => {
                    if let Progress::Retrying { failure, after } = &event.progress {
                        bar.println(format!("{failure}; trying again in {:.0} s", after.as_secs_f64()));
                    }
                    note(&event, &mut lines);
                }
                () = &mut idle => break,
            }
            let done = lines.iter().filter(|line| line.result.is_some()).count();
            bar.set_position(done as u64);
        }
    }
    while let Ok(event) = news.try_recv() {
        note(&event, &mut lines);
    }
    for line in &mut lines {
        // What another process on the same store has delivered is no event of this one.
        if let (None, Some(contact)) = (&line.result, line.contact) {
            line.result = sync.standing(contact).await?.and_then(elsewhere);
        }
    }
    sync.close(Duration::from_secs(10)).await;
    bar.finish_and_clear();

    let elapsed = timer.now().saturating_duration_since(start);
    let summary = Summary::of(&lines, elapsed);
    let mut text = report(&lines);
    text.push('\n');
    for (loss, count) in losses(&lines) {
        writeln!(text, "{count} without {loss}")?;
    }
    writeln!(text, "{summary}")?;
    if let Some(sandbox) = &vendor.sandbox {
        let control = sandbox.control();
        writeln!(
            text,
            "the simulated vendor holds {} contacts after {} requests",
            control.contact_count(),
            control.request_count()
        )?;
    }
    if arguments.json {
        writeln!(text, "{}", serde_json::to_string(&summary)?)?;
    }
    output::print(&text)?;
    Ok(summary)
}

/// One row of the file and what became of it.
#[derive(Default)]
struct Line {
    number: u64,
    id: String,
    name: String,
    contact: Option<ContactId>,
    result: Option<Outcome>,
    remarks: Vec<String>,
    /// What the vendor has no place for.
    losses: Vec<String>,
}

enum Outcome {
    Created(String),
    Updated(String),
    Unchanged(String),
    Skipped(String),
    Failed(String),
}

/// Hands one signup to the hook.
async fn accept(hook: &SignupHook, row: Result<Row, RowError>) -> Line {
    let mut line = Line::default();
    let row = match row {
        Ok(row) => row,
        Err(error) => {
            line.number = error.line;
            line.result = Some(Outcome::Failed(error.problem));
            return line;
        }
    };
    line.number = row.line;
    let names = [row.first_name.trim(), row.last_name.trim()];
    line.name = names.join(" ").trim().into();
    let signup = signup(&row);
    line.remarks = hook
        .plan(&signup)
        .contact
        .issues()
        .into_iter()
        .map(remark)
        .collect();
    line.id = row.id;
    match hook.on_signup(signup).await {
        Ok(receipt) => {
            line.contact = Some(receipt.contact);
            line.result = skipped(&receipt);
        }
        Err(error) => line.result = Some(Outcome::Failed(with_causes(&error))),
    }
    line
}

/// The error and what it came of, down to what the database said.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// The row as the hook takes it. A form with one field for the name puts all of it into the first.
fn signup(row: &Row) -> Signup {
    let signup = Signup::new()
        .host_id(row.id.as_str())
        .email(row.email.as_str())
        .phone(row.phone.as_str())
        .company(row.company.as_str())
        .notes(row.notes.as_str());
    if row.last_name.trim().is_empty() {
        signup.name(row.first_name.as_str())
    } else {
        signup
            .first_name(row.first_name.as_str())
            .last_name(row.last_name.as_str())
    }
}

fn skipped(receipt: &Receipt) -> Option<Outcome> {
    match receipt.target(TARGET) {
        Some(target) if target.skipped().is_none() => None,
        Some(target) => Some(Outcome::Skipped(format!("{:?}", target.reason))),
        None => Some(Outcome::Skipped("no such target".to_owned())),
    }
}

/// Notes what a worker did. One job can serve two signups of one person; the second finds the work done.
fn note(event: &Event, lines: &mut [Line]) {
    let mut mine = lines
        .iter_mut()
        .filter(|line| line.contact == Some(event.contact) && line.result.is_none());
    match &event.progress {
        Progress::Delivered {
            remote,
            action,
            unmapped,
        } => {
            let id = remote.to_string();
            if let Some(first) = mine.next() {
                first.result = Some(match action {
                    Action::Created => Outcome::Created(id.clone()),
                    Action::Updated => Outcome::Updated(id.clone()),
                    _ => Outcome::Unchanged(id.clone()),
                });
                if event.attempt > 1 {
                    first
                        .remarks
                        .push(format!("took {} attempts", event.attempt));
                }
                let loss = |lost: &Unmapped| format!("{:?} ({})", lost.field, lost.reason);
                first.losses = unmapped.iter().map(loss).collect();
            }
            for other in mine {
                other.result = Some(Outcome::Unchanged(id.clone()));
            }
        }
        Progress::Review { failure } | Progress::Dead { failure } => {
            for line in mine {
                line.result = Some(Outcome::Failed(failure.to_string()));
            }
        }
        _ => {}
    }
}

fn elsewhere(state: DeliveryState) -> Option<Outcome> {
    match (state.standing, state.remote) {
        (Standing::Review(failure) | Standing::Dead(failure), _) => {
            Some(Outcome::Failed(failure.to_string()))
        }
        (_, Some(remote)) => Some(Outcome::Unchanged(remote.to_string())),
        (Standing::Queued | Standing::Retrying(_), None) => {
            Some(Outcome::Failed("still on its way".to_owned()))
        }
        _ => None,
    }
}

fn remark(issue: Issue) -> String {
    match issue {
        Issue::EmailNotValid => "e-mail kept as typed: not an address",
        Issue::PhoneNotReadable => "phone kept as typed: not a number",
        Issue::PhoneNotVerified => "phone number not in any numbering plan",
        Issue::NoName => "no name",
        Issue::NoEmailOrPhone => "no e-mail and no phone",
        _ => "flagged",
    }
    .to_owned()
}

/// What did not reach the vendor, and from how many signups.
fn losses(lines: &[Line]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for loss in lines.iter().flat_map(|line| &line.losses) {
        let count: &mut usize = counts.entry(loss.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

fn progress_bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} signups, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn report(lines: &[Line]) -> String {
    let heading = ["line", "signup", "name", "result", "contact", "remarks"].map(str::to_owned);
    let row = |line: &Line| {
        let (result, contact, reason) = match &line.result {
            Some(Outcome::Created(id)) => ("created", id.as_str(), None),
            Some(Outcome::Updated(id)) => ("updated", id.as_str(), None),
            Some(Outcome::Unchanged(id)) => ("already there", id.as_str(), None),
            Some(Outcome::Skipped(reason)) => ("skipped", "", Some(reason)),
            Some(Outcome::Failed(reason)) => ("failed", "", Some(reason)),
            None => ("failed", "", None),
        };
        let remarks: Vec<&str> = reason
            .into_iter()
            .chain(&line.remarks)
            .map(String::as_str)
            .collect();
        [
            line.number.to_string(),
            line.id.clone(),
            line.name.chars().take(NAME_WIDTH).collect(),
            result.to_owned(),
            contact.to_owned(),
            remarks.join("; "),
        ]
    };
    let rows: Vec<[String; 6]> = [heading].into_iter().chain(lines.iter().map(row)).collect();
    table::layout(&rows)
}

/// What scripts read. `updated` counts signups of people the vendor had already, changed or not.
#[derive(Serialize)]
struct Summary {
    accepted: usize,
    created: usize,
    updated: usize,
    skipped: usize,
    failed: usize,
    elapsed_ms: u128,
}

impl Summary {
    fn of(lines: &[Line], elapsed: Duration) -> Self {
        let count = |matches: fn(&Line) -> bool| lines.iter().filter(|line| matches(line)).count();
        Self {
            accepted: count(|line| line.contact.is_some()),
            created: count(|line| matches!(line.result, Some(Outcome::Created(_)))),
            updated: count(|line| {
                matches!(
                    line.result,
                    Some(Outcome::Updated(_) | Outcome::Unchanged(_))
                )
            }),
            skipped: count(|line| matches!(line.result, Some(Outcome::Skipped(_)))),
            failed: count(|line| matches!(line.result, Some(Outcome::Failed(_)) | None)),
            elapsed_ms: elapsed.as_millis(),
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            accepted,
            created,
            updated,
            skipped,
            failed,
            elapsed_ms,
        } = self;
        write!(
            f,
            "{accepted} accepted: {created} created, {updated} already there, {skipped} skipped, {failed} failed, in {:.1} s",
            Duration::from_millis(u64::try_from(*elapsed_ms).unwrap_or(u64::MAX)).as_secs_f64()
        )
    }
}
