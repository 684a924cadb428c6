//! What the tests export, and how they read it back.

use std::path::Path;

use chrono::{DateTime, Utc};
use suitedash_client::export::{ExportContact, Exporter, NewExport};

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(crate) fn new_export() -> NewExport {
    NewExport::new(now(), "user-7")
}

pub(crate) fn contacts(numbers: std::ops::Range<usize>) -> Vec<ExportContact> {
    let contact = |n| ExportContact::new(format!("c-{n}")).first_name(format!("Person {n}"));
    numbers.map(contact).collect()
}

pub(crate) async fn exporter(directory: &Path) -> Exporter {
    Exporter::open(directory).await.unwrap()
}

/// The names of what is in a directory for anybody to see.
pub(crate) fn visible(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// What is left of files that were begun.
pub(crate) fn parts(directory: &Path) -> Vec<String> {
    let mut parts = Vec::new();
    for place in [directory.to_owned(), directory.join(".suitedash-history")] {
        let Ok(entries) = std::fs::read_dir(place) else {
            continue;
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let left = paths.filter(|path| path.extension().is_some_and(|end| end == "part"));
        parts.extend(left.map(|path| path.display().to_string()));
    }
    parts
}

/// The ids in a file, which must be whole: every row as long as the header, the last one ended.
pub(crate) fn ids(file: &Path) -> Vec<String> {
    let bytes = std::fs::read(file).unwrap();
    assert!(bytes.ends_with(b"\r\n"), "cut off");
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let records = reader.records().map(|record| record.unwrap());
    records.map(|record| record[0].to_owned()).collect()
}

/// The ids in all files of a directory.
pub(crate) fn all_ids(directory: &Path) -> Vec<String> {
    let files = visible(directory);
    let mut all: Vec<_> = files
        .iter()
        .flat_map(|name| ids(&directory.join(name)))
        .collect();
    all.sort();
    all
}
