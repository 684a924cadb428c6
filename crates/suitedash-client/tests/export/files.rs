//! Files and what is in them, run after run.

use std::sync::{Arc, Mutex};

use suitedash_client::export::{
    ExportContact, ExportStep, Exporter, Field, MemoryHistory, Profile, RunState, Standing,
};

use crate::contacts::{all_ids, contacts, exporter, ids, new_export, now, parts, visible};

#[tokio::test]
async fn a_run_makes_one_file_and_the_next_has_only_what_is_new() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let first = exporter
        .export(new_export(), contacts(0..600))
        .await
        .unwrap();
    let run = first.run.unwrap();
    assert_eq!(
        run.file,
        format!("suitedash-contacts-2026-09-21-{}.csv", run.id)
    );
    assert_eq!(
        (run.rows(), run.by.as_str(), &run.state),
        (600, "user-7", &RunState::Exported)
    );
    assert_eq!(ids(&exporter.path(&run)).len(), 600);

    let second = exporter
        .export(new_export(), contacts(500..700))
        .await
        .unwrap();
    assert_eq!(
        (second.counts.rows, second.counts.exported_before),
        (100, 100)
    );
    let all: Vec<_> = contacts(0..700).into_iter().map(|c| c.id).collect();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(all_ids(directory.path()), sorted);

    let runs = exporter.runs().await.unwrap();
    assert_eq!(runs, [second.run.unwrap(), run], "newest first");
    assert!(parts(directory.path()).is_empty());
}

#[tokio::test]
async fn nothing_new_makes_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let none = exporter.export(new_export(), []).await.unwrap();
    assert_eq!((none.run, none.counts.rows), (None, 0));
    exporter.export(new_export(), contacts(0..3)).await.unwrap();
    let none = exporter.export(new_export(), contacts(0..3)).await.unwrap();
    assert_eq!((none.run, none.counts.exported_before), (None, 3));
    assert_eq!(visible(directory.path()).len(), 1);
    assert_eq!(exporter.runs().await.unwrap().len(), 1);
    assert!(parts(directory.path()).is_empty());
}

#[tokio::test]
async fn a_contact_has_one_row_even_when_asked_again() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let twice = || contacts(0..400).into_iter().chain(contacts(0..400));
    let first = exporter.export(new_export(), twice()).await.unwrap();
    assert_eq!((first.counts.rows, first.counts.repeated), (400, 400));

    let again = new_export().include_exported(true);
    let again = exporter.export(again, twice()).await.unwrap();
    assert_eq!((again.counts.rows, again.counts.repeated), (400, 400));
    assert_eq!(again.counts.exported_before, 0);
    assert_eq!(ids(&exporter.path(&again.run.unwrap())).len(), 400);
}

#[tokio::test]
async fn a_contact_counts_as_synced_once_its_run_is_marked() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let asked = ["c-0", "c-1", "c-9"];
    let run = exporter.export(new_export(), contacts(0..2)).await.unwrap();
    let run = run.run.unwrap().id;
    let waiting_there = Standing::Exported { run: run.clone() };
    let standing = exporter.history().standing(&asked).await.unwrap();
    assert_eq!(
        standing,
        [waiting_there.clone(), waiting_there, Standing::Waiting]
    );

    let history = exporter.history();
    let marked = history.mark_imported(&run, now(), "user-8").await.unwrap();
    let state = RunState::Imported {
        at: now(),
        by: "user-8".to_owned(),
    };
    assert_eq!(marked.state, state);
    let again = history.mark_imported(&run, now(), "user-9").await.unwrap();
    assert_eq!(again.state, state, "the first mark stays");

    // Another process sees it.
    let other = Exporter::open(directory.path()).await.unwrap();
    assert_eq!(other.runs().await.unwrap()[0].state, state);
    let standing = other.history().standing(&asked).await.unwrap();
    let imported = Standing::Imported { run };
    assert_eq!(standing, [imported.clone(), imported, Standing::Waiting]);
}

#[tokio::test]
async fn a_contact_without_text_is_not_exported_and_still_waits() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let profile = Profile::default().without(Field::Id);
    let mut given = contacts(0..2);
    given.insert(1, ExportContact::new("empty"));
    let done = exporter
        .export(new_export().profile(profile), given)
        .await
        .unwrap();
    assert_eq!((done.counts.rows, done.counts.empty_rows), (2, 1));
    let standing = exporter.history().standing(&["empty"]).await.unwrap();
    assert_eq!(standing, [Standing::Waiting]);
}

#[tokio::test]
async fn counts_of_the_cells_are_kept_in_the_history() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let contact = ExportContact::new("1")
        .first_name("=1")
        .message("a\0b\u{7}");
    let done = exporter.export(new_export(), [contact]).await.unwrap();
    assert_eq!(
        (done.counts.cells_changed, done.counts.cells_guarded),
        (2, 1)
    );
    assert_eq!(done.counts.control_characters_replaced, 2);
    let other = Exporter::open(directory.path()).await.unwrap();
    assert_eq!(other.runs().await.unwrap()[0].counts, done.counts);
}

#[tokio::test]
async fn progress_tells_every_step_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let export = new_export().on_progress(move |progress| kept.lock().unwrap().push(progress));
    let done = exporter.export(export, contacts(0..1000)).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.step));
    assert!(seen.is_sorted_by_key(|progress| progress.rows));
    let mut steps: Vec<_> = seen.iter().map(|progress| progress.step).collect();
    assert_eq!(
        steps
            .iter()
            .filter(|step| **step == ExportStep::Writing)
            .count(),
        4
    );
    steps.dedup();
    let last = seen.last().unwrap();
    assert_eq!(steps.len(), 6);
    assert_eq!(
        (last.step, last.contacts, last.rows),
        (ExportStep::Recorded, 1000, 1000)
    );
    let size = std::fs::metadata(exporter.path(&done.run.unwrap()))
        .unwrap()
        .len();
    assert_eq!(last.bytes, size);
}

/// However large they are, and whichever of their texts is: a megabyte at a time is in memory.
#[tokio::test]
async fn huge_contacts_are_not_gathered() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let huge = contacts(0..8).into_iter().enumerate().map(|(n, contact)| {
        let text = "x".repeat(1024 * 1024);
        match n % 4 {
            0 => contact.company(text),
            1 => contact.tags([text]),
            2 => contact.first_name(text),
            _ => contact.message(text),
        }
    });
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let export = new_export().on_progress(move |progress| {
        *count.lock().unwrap() += u32::from(progress.step == ExportStep::Writing);
    });
    exporter.export(export, huge).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), 8);
}

#[tokio::test]
async fn a_history_in_memory_does_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = Exporter::new(directory.path(), MemoryHistory::default());
    exporter
        .export(new_export(), contacts(0..10))
        .await
        .unwrap();
    let done = exporter
        .export(new_export(), contacts(5..15))
        .await
        .unwrap();
    assert_eq!((done.counts.rows, done.counts.exported_before), (5, 5));
    assert_eq!(exporter.runs().await.unwrap().len(), 2);
    assert_eq!(all_ids(directory.path()).len(), 15);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let done = exporter.export(new_export(), contacts(0..2)).await.unwrap();
    let history = directory.path().join(".suitedash-history");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&exporter.path(&done.run.unwrap())), 0o600);
    assert_eq!(mode(&history), 0o700);
    for entry in std::fs::read_dir(history).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn debug_shows_nobody() {
    let run = format!("{:?}", new_export());
    assert!(!run.contains("user-7"), "{run}");
}
