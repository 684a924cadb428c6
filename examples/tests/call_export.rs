//! An export that is interrupted and gone on with has every call.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test they are called from"
)]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use examples::call_export::{COLUMNS, CallExport};
use openphone_client::{Client, ExportRange, NewMessage, Rate, RateClass};
use vendor_sandbox::Sandbox;

const SOURCE: &str = "a test";
/// On two numbers that makes ten conversations of two pages.
const CALLS: u64 = 1_500;
const PEOPLE: u64 = 5;

async fn vendor() -> (Sandbox, Client) {
    let sandbox = Sandbox::openphone().rate_limit(None).start().await.unwrap();
    sandbox.control().seed_calls(CALLS, PEOPLE);
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .rate(RateClass::DEFAULT, Rate::per_second(1_000_000))
        .build()
        .unwrap();
    let people = ["+12025550143", "+12025550144"];
    let group = NewMessage::group(sandbox.phone_number(), people, "Hello both");
    client.messages().send(&group).await.unwrap();
    (sandbox, client)
}

fn open(client: &Client, path: &Path) -> CallExport {
    CallExport::open(client, SOURCE, ExportRange::all(), path).unwrap()
}

/// The ids in the file, every row of which must be whole.
fn ids(path: &Path) -> Vec<String> {
    let mut rows = csv::Reader::from_path(path).unwrap();
    assert_eq!(rows.headers().unwrap(), &COLUMNS[..]);
    let id = |row: csv::Result<csv::StringRecord>| row.unwrap().get(0).unwrap().to_owned();
    rows.records().map(id).collect()
}

async fn in_one_go(client: &Client, path: &Path) -> BTreeSet<String> {
    let mut export = open(client, path);
    while export.next_page().await.unwrap().is_some() {}
    assert!(export.is_complete() && !export.is_resumed());
    assert_eq!(export.totals().left_out, 1);
    ids(path).into_iter().collect()
}

fn checkpoint(path: &Path) -> PathBuf {
    path.with_extension("csv.checkpoint")
}

#[tokio::test]
async fn interrupted_after_every_page_of_calls_and_in_the_middle_of_the_next() {
    let (_sandbox, client) = vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let all = in_one_go(&client, &folder.path().join("whole.csv")).await;
    assert_eq!(all.len() as u64, CALLS);

    let path = folder.path().join("calls.csv");
    let mut runs = 0_u64;
    loop {
        let mut export = open(&client, &path);
        assert_eq!(export.is_resumed(), runs > 0);
        runs += 1;
        assert!(runs <= CALLS, "it does not come further");
        if export.next_page().await.unwrap().is_none() {
            assert_eq!(export.totals().left_out, 1);
            assert_eq!(export.totals().calls, ids(&path).len() as u64);
            break;
        }
        drop(export);
        // The end of a run that was killed while it wrote.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"AC0,2026-03-01T00:00:00.000Z,\"inc")
            .unwrap();
    }
    // As many as there are pages of calls, at least.
    assert!(runs > CALLS / 100, "{runs} runs");
    let found = ids(&path);
    assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(found.len(), all.len(), "what was cut off came twice");
}

#[tokio::test]
async fn killed_before_the_first_page() {
    let (_sandbox, client) = vendor().await;
    let folder = tempfile::tempdir().unwrap();
    for file_is_there in [true, false] {
        let path = folder.path().join(format!("{file_is_there}.csv"));
        drop(open(&client, &path));
        if !file_is_there {
            fs::remove_file(&path).unwrap();
        }
        let mut export = open(&client, &path);
        while export.next_page().await.unwrap().is_some() {}
        assert_eq!(ids(&path).len() as u64, CALLS);
    }
}

#[tokio::test]
async fn what_is_complete_asks_for_nothing_more() {
    let (sandbox, client) = vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.csv");
    in_one_go(&client, &path).await;
    let (asked, before) = (sandbox.control().request_count(), fs::read(&path).unwrap());

    let mut export = open(&client, &path);
    assert!(export.is_complete());
    assert_eq!(export.next_page().await.unwrap(), None);
    assert_eq!(export.totals().calls, CALLS);
    assert_eq!(sandbox.control().request_count(), asked);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_file_and_a_checkpoint_that_do_not_belong_together_are_refused() {
    let (_sandbox, client) = vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.csv");
    let refused = |source: &str| {
        CallExport::open(&client, source, ExportRange::all(), &path)
            .unwrap_err()
            .to_string()
    };

    fs::write(&path, "somebody's file").unwrap();
    assert!(refused(SOURCE).contains("name another file"));
    assert_eq!(fs::read(&path).unwrap(), b"somebody's file");
    fs::remove_file(&path).unwrap();

    in_one_go(&client, &path).await;
    assert!(refused("another account").contains("not of another account"));
    let later = ExportRange::from("2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()..);
    let error = CallExport::open(&client, SOURCE, later, &path).unwrap_err();
    assert!(error.to_string().contains("another time"));
    fs::write(&path, "id\n").unwrap();
    assert!(refused(SOURCE).contains("shorter"));
    fs::remove_file(&path).unwrap();
    assert!(refused(SOURCE).contains("calls.csv"));
    assert!(!path.exists());
    assert!(checkpoint(&path).exists());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_reads_who_called_whom() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_sandbox, client) = vendor().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.csv");
    drop(open(&client, &path));
    for file in [checkpoint(&path), path] {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
