//! Contacts that somebody imports into SuiteDash, and what a person reads about their files.

use std::fmt::Write as _;
use std::path::Path;

use suitedash_client::export::{ExportContact, ExportRun, Exported, RunState};

use crate::table;

/// Made-up people, the same in every run.
pub fn contacts(count: u64) -> impl Iterator<Item = ExportContact> + Send {
    const SERVICES: [&str; 4] = ["Boats", "Sails", "Moorings", "Repairs"];
    (1..=count).map(|n| {
        let service = SERVICES.get(usize::try_from(n % 4).unwrap_or_default());
        let mut contact = ExportContact::new(format!("contact-{n}"))
            .first_name("Synthetic")
            .last_name(format!("Person {n}"))
            .email(format!("synthetic.{n}@example.com"))
            .phone(format!("+1202555{:04}", 100 + n % 100))
            .source("website")
            .message(format!("Question number {n}."))
            .tags(["form"]);
        contact.service_interest = service.map(|it| (*it).to_owned());
        contact
    })
}

/// Tells what came of an export.
pub fn report(directory: &Path, done: &Exported) -> String {
    let counts = &done.counts;
    let mut text = match &done.run {
        Some(run) => format!(
            "{} contacts in {}\n",
            run.rows(),
            directory.join(&run.file).display()
        ),
        None => "nobody is left to export; there is no new file\n".to_owned(),
    };
    if counts.exported_before > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} left out: in a file already",
            counts.exported_before
        );
    }
    text
}

/// Lists exports.
pub fn history(runs: &[ExportRun]) -> String {
    let mut rows = vec![["run", "made at", "contacts", "state", "file"].map(str::to_owned)];
    rows.extend(runs.iter().map(|run| {
        let state = match &run.state {
            RunState::Imported { at, .. } => format!("imported {}", at.format("%Y-%m-%d")),
            RunState::Exported => "to be imported".to_owned(),
            _ => "prepared".to_owned(),
        };
        [
            run.id.to_string(),
            run.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            run.rows().to_string(),
            state,
            run.file.clone(),
        ]
    }));
    format!("\n{}", table::layout(&rows))
}
