//! A history on the disk: what it survives, and what it refuses.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use suitedash_client::export::{
    ExportHistory, ExportRun, FileHistory, HistoryError, RunId, RunState, Standing,
};

use crate::contacts::{contacts, exporter, new_export, now};

fn journal(directory: &Path) -> PathBuf {
    directory.join(".suitedash-history/journal.jsonl")
}

async fn with_two_runs(directory: &Path) -> Vec<ExportRun> {
    let exporter = exporter(directory).await;
    for numbers in [0..3, 3..5] {
        exporter
            .export(new_export(), contacts(numbers))
            .await
            .unwrap();
    }
    exporter.runs().await.unwrap()
}

#[tokio::test]
async fn a_line_cut_off_by_a_crash_is_ignored_and_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let runs = with_two_runs(directory.path()).await;
    let whole = fs::read(journal(directory.path())).unwrap();
    let last = whole[..whole.len() - 1]
        .iter()
        .rposition(|b| *b == b'\n')
        .unwrap()
        + 1;
    // The last line says that the second file is in its place.
    for cut in last..whole.len() {
        fs::write(journal(directory.path()), &whole[..cut]).unwrap();
        let history = FileHistory::open(directory.path()).await.unwrap();
        let seen = history.runs().await.unwrap();
        assert_eq!(seen[0].state, RunState::Prepared);
        assert_eq!(seen[1], runs[1]);
        history.finish(&runs[0].id).await.unwrap();
        assert_eq!(fs::read(journal(directory.path())).unwrap(), whole);
        assert_eq!(history.runs().await.unwrap(), runs);
    }
}

#[tokio::test]
async fn what_was_changed_by_hand_is_refused_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let runs = with_two_runs(directory.path()).await;
    let whole = fs::read_to_string(journal(directory.path())).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let twice_exported = format!("{}\n{}\n{}\n", lines[0], lines[2], lines[3]);
    let cases = [
        (
            whole.replacen("\"event\":\"exported\"", "\"event\":\"wished\"", 1),
            "journal.jsonl makes no sense in line 2",
        ),
        (
            whole.replacen('{', "[", 1),
            "journal.jsonl makes no sense in line 1",
        ),
        (
            format!("{}\n{}\n", lines[0], lines[3]),
            "journal.jsonl contradicts itself in line 2",
        ),
        (twice_exported, ""),
    ];
    for (text, message) in cases {
        fs::write(journal(directory.path()), text).unwrap();
        match FileHistory::open(directory.path()).await {
            Err(error) => assert!(error.to_string().contains(message), "{error}"),
            Ok(_) => assert_eq!(message, ""),
        }
    }
    fs::write(journal(directory.path()), &whole).unwrap();
    let contacts = journal(directory.path()).with_file_name(format!("{}.ids.jsonl", runs[0].id));
    for text in ["\"c-3\"\n", "\"c-3\"\n\"c-4\"\n\"c-5\"\n", "c-3\nc-4\n"] {
        fs::write(&contacts, text).unwrap();
        let error = FileHistory::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, HistoryError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(runs[0].id.as_str()), "{error}");
    }
}

#[tokio::test]
async fn a_journal_that_shrinks_under_an_open_history_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    with_two_runs(directory.path()).await;
    let history = FileHistory::open(directory.path()).await.unwrap();
    fs::write(journal(directory.path()), "").unwrap();
    let error = history.runs().await.unwrap_err();
    assert!(matches!(error, HistoryError::Damaged { .. }), "{error:?}");
}

#[tokio::test]
async fn two_histories_of_one_directory_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let one = FileHistory::open(directory.path()).await.unwrap();
    let two = FileHistory::open(directory.path()).await.unwrap();
    let run = RunId::from("run-1");
    let mut open = one.begin(&run, false).await.unwrap();
    open.include(&["a"]).await.unwrap();
    let busy = two.begin(&RunId::from("run-2"), false).await.err().unwrap();
    assert!(matches!(busy, HistoryError::Busy), "{busy:?}");

    let mut counts = suitedash_client::export::ExportCounts::default();
    counts.rows = 1;
    let record = ExportRun::new(&run, "file.csv", now(), "user-7", counts);
    open.prepare(&record).await.unwrap();
    assert_eq!(two.runs().await.unwrap(), [record]);
    two.finish(&run).await.unwrap();
    two.mark_imported(&run, now(), "user-8").await.unwrap();
    assert_eq!(
        one.standing(&["a"]).await.unwrap(),
        [Standing::Imported { run: run.clone() }]
    );
    let gone = one.abandon(&run).await.unwrap_err();
    assert!(matches!(gone, HistoryError::NoSuchRun), "{gone:?}");
}

#[tokio::test]
async fn ids_are_opaque() {
    let directory = tempfile::tempdir().unwrap();
    let strange = ["a\nb", "\"", "\u{0}", "é\u{2028}", "a", "\\"];
    let exporter = exporter(directory.path()).await;
    let given = strange.map(suitedash_client::export::ExportContact::new);
    let done = exporter.export(new_export(), given.clone()).await.unwrap();
    assert_eq!(done.counts.rows, 6);
    let other = crate::contacts::exporter(directory.path()).await;
    let again = other.export(new_export(), given).await.unwrap();
    assert_eq!(again.counts.exported_before, 6);
}

#[tokio::test]
async fn leftovers_of_other_runs_are_removed_when_the_next_begins() {
    let directory = tempfile::tempdir().unwrap();
    let runs = with_two_runs(directory.path()).await;
    let place = directory.path().join(".suitedash-history");
    let left = ["ghost.ids.jsonl", "ghost.ids.jsonl.part"];
    for name in left {
        let mut file = fs::File::create(place.join(name)).unwrap();
        file.write_all(b"\"c-0\"\n").unwrap();
    }
    fs::write(directory.path().join(".suitedash-contacts-ghost.part"), "x").unwrap();
    fs::write(directory.path().join("theirs.csv"), "not ours").unwrap();
    let exporter = exporter(directory.path()).await;
    exporter.export(new_export(), contacts(5..6)).await.unwrap();
    assert!(left.iter().all(|name| !place.join(name).exists()));
    assert!(
        !directory
            .path()
            .join(".suitedash-contacts-ghost.part")
            .exists()
    );
    assert!(directory.path().join("theirs.csv").exists());
    assert!(place.join(format!("{}.ids.jsonl", runs[1].id)).exists());
}
