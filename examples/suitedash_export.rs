//! Exports contacts to a file that a person imports into SuiteDash, and lists what was exported before.
//!
//! ```console
//! $ cargo run --example suitedash_export --features suitedash                  # 10,000 made-up contacts
//! $ cargo run --example suitedash_export --features suitedash                  # again: they are in a file already
//! $ cargo run --example suitedash_export --features suitedash -- --count 12000  # the 2,000 that are new
//! $ cargo run --example suitedash_export --features suitedash -- --mark-imported RUN
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use connector_http::{Timer as _, TokioTimer};
use examples::{output, suitedash_files};
use indicatif::{ProgressBar, ProgressStyle};
use suitedash_client::export::{Exporter, NewExport, Profile, RunId, directory_from_env};

#[derive(Parser)]
#[command(about = "Exports contacts to a file that a person imports into SuiteDash")]
struct Arguments {
    /// The directory for files and history; `SUITEDASH_EXPORT_PATH` if not given, else suitedash-exports
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// How many contacts there are
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Take those in, too, that are in a file already
    #[arg(long)]
    again: bool,
    /// Columns that match the attributes of the Secure API
    #[arg(long)]
    attribute_columns: bool,
    /// Note that the file of this run was imported, and export nothing
    #[arg(long, value_name = "RUN")]
    mark_imported: Option<String>,
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
    let directory = match (
        &arguments.directory,
        std::env::var_os("SUITEDASH_EXPORT_PATH"),
    ) {
        (Some(directory), _) => directory.clone(),
        (None, Some(_)) => directory_from_env()?,
        (None, None) => PathBuf::from("suitedash-exports"),
    };
    std::fs::create_dir_all(&directory)?;
    let exporter = Exporter::open(&directory).await?;
    let now = TokioTimer.utc_now();
    if let Some(run) = &arguments.mark_imported {
        let run = RunId::from(run.as_str());
        exporter
            .history()
            .mark_imported(&run, now, "operator")
            .await?;
    } else {
        let mut profile = Profile::default();
        if arguments.attribute_columns {
            profile = profile.attribute_columns();
        }
        let bar = progress_bar(arguments.count);
        let shown = bar.clone();
        let export = NewExport::new(now, "operator")
            .profile(profile)
            .include_exported(arguments.again)
            .on_progress(move |progress| {
                shown.set_position(progress.contacts);
                shown.set_message(format!("{} rows, {} bytes", progress.rows, progress.bytes));
            });
        let contacts = suitedash_files::contacts(arguments.count);
        let done = exporter.export(export, contacts).await;
        bar.finish_and_clear();
        output::print(&suitedash_files::report(&directory, &done?))?;
    }
    output::print(&suitedash_files::history(&exporter.runs().await?))?;
    Ok(())
}

fn progress_bar(count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} contacts, {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
