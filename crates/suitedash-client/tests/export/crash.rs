//! Processes that end in the middle of an export, and disks that are full: a file is whole or not there, and the history
//! agrees with the files.
//!
//! The process that ends is this test program, started again for the test `in_a_process_of_its_own`.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;
use suitedash_client::export::{ExportError, ExportStep, RunState, Standing};

use crate::contacts::{all_ids, contacts, exporter, ids, new_export, parts, visible};

const DIRECTORY: &str = "EXPORT_CRASH_DIRECTORY";
const STEP: &str = "EXPORT_CRASH_STEP";
const CONTACTS: usize = 2000;
const FULL: &str = "full";

/// Runs an export in another process, under a shell that `before` is said to.
fn in_another_process(directory: &Path, step: &str, before: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{before} exec \"$@\""), "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "crash::in_a_process_of_its_own", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(STEP, step)
        .output()
        .unwrap()
}

#[tokio::test]
async fn in_a_process_of_its_own() {
    let (Some(directory), Some(step)) = (std::env::var_os(DIRECTORY), std::env::var_os(STEP))
    else {
        return;
    };
    let exporter = exporter(Path::new(&directory)).await;
    if step == FULL {
        let error = exporter
            .export(new_export(), contacts(0..CONTACTS))
            .await
            .unwrap_err();
        assert!(matches!(error, ExportError::DiskFull { .. }), "{error:?}");
        return;
    }
    let export = new_export().on_progress(move |progress| {
        if *step == *format!("{:?}", progress.step) {
            std::process::abort();
        }
    });
    exporter
        .export(export, contacts(0..CONTACTS))
        .await
        .unwrap();
}

#[rstest]
#[case(ExportStep::Writing, 0)]
#[case(ExportStep::Written, 0)]
#[case(ExportStep::Synced, 0)]
#[case(ExportStep::Prepared, 0)]
#[case(ExportStep::InPlace, 1)]
#[case(ExportStep::Recorded, 1)]
#[tokio::test]
async fn a_crash_after_any_step_leaves_a_whole_file_or_none(
    #[case] step: ExportStep,
    #[case] files: usize,
) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let ended = in_another_process(path, &format!("{step:?}"), "ulimit -c 0;");
    assert!(
        !ended.status.success(),
        "it should have ended early: {ended:?}"
    );

    let there = visible(path);
    assert_eq!(there.len(), files);
    for file in &there {
        assert_eq!(ids(&path.join(file)).len(), CONTACTS);
    }
    // Whoever looks first puts it right.
    let exporter = exporter(path).await;
    let runs = exporter.runs().await.unwrap();
    let listed: Vec<_> = runs.iter().map(|run| run.file.clone()).collect();
    assert_eq!(listed, there);
    assert!(runs.iter().all(|run| run.state == RunState::Exported));
    let standing = exporter.history().standing(&["c-0"]).await.unwrap();
    assert_eq!(standing == [Standing::Waiting], files == 0);

    // The next export has what is not exported, and all files together have everybody once.
    let rest = exporter
        .export(new_export(), contacts(0..CONTACTS + 1))
        .await
        .unwrap();
    let expected = if files == 0 { CONTACTS + 1 } else { 1 };
    assert_eq!(rest.counts.rows, expected as u64);
    let mut everybody: Vec<_> = contacts(0..CONTACTS + 1)
        .into_iter()
        .map(|c| c.id)
        .collect();
    everybody.sort();
    assert_eq!(all_ids(path), everybody);
    assert!(parts(path).is_empty());
}

/// Nobody looks in between: the next export itself finds out what became of the last.
#[rstest]
#[case(ExportStep::Prepared)]
#[case(ExportStep::InPlace)]
#[tokio::test]
async fn an_export_after_a_crash_leaves_nobody_out(#[case] step: ExportStep) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    in_another_process(path, &format!("{step:?}"), "ulimit -c 0;");
    let exporter = exporter(path).await;
    exporter
        .export(new_export(), contacts(0..CONTACTS + 1))
        .await
        .unwrap();
    assert_eq!(all_ids(path).len(), CONTACTS + 1);
}

#[rstest]
// In blocks of 512 bytes or 1 KiB, by the shell: the file of contacts is full at once, or after some chunks.
#[case::at_once("ulimit -f 1;")]
#[case::later("ulimit -f 40;")]
#[tokio::test]
async fn a_disk_that_fills_up_leaves_nothing(#[case] limit: &str) {
    let directory = tempfile::tempdir().unwrap();
    // Without the signal, a write beyond the limit fails, as one on a full disk does.
    let ended = in_another_process(directory.path(), FULL, &format!("trap '' XFSZ; {limit}"));
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stdout)
    );

    assert_eq!(visible(directory.path()), Vec::<String>::new());
    assert_eq!(parts(directory.path()), Vec::<String>::new());
    let exporter = exporter(directory.path()).await;
    assert_eq!(exporter.runs().await.unwrap(), []);
    let done = exporter
        .export(new_export(), contacts(0..CONTACTS))
        .await
        .unwrap();
    assert_eq!(done.counts.rows, CONTACTS as u64);
}
