//! Exports the calls of an account to a CSV file, and goes on where it was when it is interrupted.
//!
//! ```console
//! $ cargo run --example export_calls                                  # to calls.csv; stop it with Ctrl-C, start it again
//! $ cargo run --example export_calls -- --output FILE --from 2026-03-01T00:00:00Z --until 2026-04-01T00:00:00Z
//! $ OPENPHONE_API_KEY=… cargo run --example export_calls              # the real API
//! ```
//!
//! `FILE.checkpoint` says where it is. Every call is in the file at least once; one whose conversation moved while it was
//! read stands there twice, under the same id.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Parser;
use examples::call_export::{CallExport, Totals};
use examples::{openphone, output};
use indicatif::{ProgressBar, ProgressStyle};
use openphone_client::{Client, Error, ExportProgress, ExportRange, NewMessage};

/// What the simulated vendor holds, the same in every run.
const CALLS: u64 = 5_000;
const PEOPLE: u64 = 20;

#[derive(Parser)]
#[command(about = "Exports the calls of an account to a CSV file")]
struct Arguments {
    /// The CSV file; FILE.checkpoint beside it says where the export is
    #[arg(long, value_name = "FILE", default_value = "calls.csv")]
    output: PathBuf,
    /// Only calls made at this time or later, such as 2026-03-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Only calls made before this time
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let vendor = openphone::connect(None, |client| client).await?;
    let source = match &vendor.sandbox {
        Some(sandbox) => {
            sandbox.control().seed_calls(CALLS, PEOPLE);
            write_to_a_group(&vendor.client, sandbox.phone_number()).await?;
            "a simulated OpenPhone".to_owned()
        }
        None => vendor.client.base_url().to_string(),
    };
    let mut range = ExportRange::all();
    range.from = arguments.from;
    range.until = arguments.until;

    let path = &arguments.output;
    let mut export = CallExport::open(&vendor.client, &source, range, path)?;
    if export.is_complete() {
        let text = report(path, export.totals());
        output::print(&format!("it was complete already:\n{text}"))?;
        return Ok(());
    }
    if export.is_resumed() {
        eprintln!("going on behind {} calls", export.totals().calls);
    }
    let bar = progress_bar();
    loop {
        match export.next_page().await {
            Ok(Some(progress)) => show(&bar, &progress, export.totals()),
            Ok(None) => break,
            Err(error) => {
                bar.abandon();
                let calls = export.totals().calls;
                let path = path.display();
                return Err(format!(
                    "{error}\n{calls} calls are in {path}. Start again to go on; if the place to go on from is \
                     what is refused, delete {path} and {path}.checkpoint to begin anew."
                )
                .into());
            }
        }
    }
    bar.finish_and_clear();
    output::print(&report(path, export.totals()))?;
    Ok(())
}

/// Makes a conversation with several people, which API v1 cannot list calls of.
async fn write_to_a_group(client: &Client, from: &str) -> Result<(), Error> {
    let people = ["+12025550143", "+12025550144"];
    let text = NewMessage::group(from, people, "Shall the three of us talk tomorrow?");
    client.messages().send(&text).await.map(drop)
}

fn progress_bar() -> ProgressBar {
    // How many calls there are is not known, but how many numbers.
    let bar = ProgressBar::new(1);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:20} {pos}/{len} numbers, {msg}, {elapsed}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, progress: &ExportProgress, totals: &Totals) {
    bar.set_length(progress.numbers);
    bar.set_position(progress.numbers_done);
    bar.set_message(format!(
        "{} conversations, {} calls",
        progress.conversations_read, totals.calls
    ));
}

/// What a person reads at the end: counts and ids, and nobody's number.
fn report(path: &Path, totals: &Totals) -> String {
    let mut text = format!("{} calls in {}\n", totals.calls, path.display());
    if totals.left_out > 0 {
        let named: Vec<String> = totals
            .left_out_first
            .iter()
            .map(ToString::to_string)
            .collect();
        let more = match totals.left_out.saturating_sub(named.len() as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "conversations left out: {} ({}{more})\nAPI v1 lists the calls with one other number only; theirs are with \
             several people, a short code or a hidden number",
            totals.left_out,
            named.join(", ")
        );
    }
    text
}
