//! Exports that fail leave no file, no part of one, and contacts that still wait.

use std::error::Error;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use rstest::rstest;
use suitedash_client::export::{
    Column, ExportContact, ExportError, Exporter, Field, LongCells, Profile, Standing,
    export_contacts,
};

use crate::contacts::{contacts, exporter, new_export, parts, visible};

/// Gives contacts, and then fails, or nothing for ever.
struct Then(Vec<ExportContact>, Option<io::Error>);

impl Stream for Then {
    type Item = io::Result<ExportContact>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match (self.0.pop(), self.1.take()) {
            (Some(contact), error) => {
                self.1 = error;
                Poll::Ready(Some(Ok(contact)))
            }
            (None, Some(error)) => Poll::Ready(Some(Err(error))),
            (None, None) => Poll::Pending,
        }
    }
}

async fn nothing_happened(exporter: &Exporter, directory: &Path) {
    assert_eq!(visible(directory), Vec::<String>::new());
    assert_eq!(parts(directory), Vec::<String>::new());
    assert_eq!(exporter.runs().await.unwrap(), []);
    let standing = exporter.history().standing(&["c-0", "c-1"]).await.unwrap();
    assert_eq!(standing, [Standing::Waiting, Standing::Waiting]);
    // And nothing is in the way of the next.
    let done = exporter
        .export(new_export(), contacts(0..2000))
        .await
        .unwrap();
    assert_eq!(done.counts.rows, 2000);
}

#[tokio::test]
async fn a_source_that_fails_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let source = Then(contacts(0..2000), Some(io::Error::other("lost")));
    let error = exporter
        .export_stream(new_export(), source)
        .await
        .unwrap_err();
    assert!(matches!(error, ExportError::Contacts { .. }), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "lost");
    nothing_happened(&exporter, directory.path()).await;
}

#[tokio::test(start_paused = true)]
async fn an_export_given_up_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let endless = exporter.export_stream(new_export(), Then(contacts(0..2000), None));
    let given_up = tokio::time::timeout(Duration::from_secs(1), endless).await;
    assert!(given_up.is_err());
    nothing_happened(&exporter, directory.path()).await;
}

#[tokio::test(start_paused = true)]
async fn two_at_a_time_do_not_mix() {
    let directory = tempfile::tempdir().unwrap();
    let one = exporter(directory.path()).await;
    let two = exporter(directory.path()).await;
    let first = one.export_stream(new_export(), Then(contacts(0..2000), None));
    let first = tokio::time::timeout(Duration::from_secs(2), first);
    let second = async {
        // By then the first has written what there is, and waits.
        let a_second = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>());
        assert!(a_second.await.is_err());
        let busy = two.export(new_export(), contacts(0..2)).await.unwrap_err();
        assert!(matches!(busy, ExportError::Busy { .. }), "{busy:?}");
        assert_eq!(two.runs().await.unwrap(), [], "to look is no harm");
    };
    let (first, ()) = tokio::join!(first, second);
    assert!(first.is_err());
    nothing_happened(&two, directory.path()).await;
}

#[rstest]
#[case::no_id(ExportContact::new(" "), Profile::default(), "contact 1001 has no id")]
#[case::long(
    ExportContact::new("1").message("x".repeat(32_768)),
    Profile::default().long_cells(LongCells::Refuse),
    "the Message of contact 1001 is longer than a cell of a spreadsheet"
)]
#[tokio::test]
async fn a_bad_contact_is_named_and_leaves_nothing(
    #[case] bad: ExportContact,
    #[case] profile: Profile,
    #[case] message: &str,
) {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let mut given = contacts(0..2000);
    given.insert(1000, bad);
    let export = new_export().profile(profile);
    let error = exporter.export(export, given).await.unwrap_err();
    assert_eq!(error.to_string(), message);
    nothing_happened(&exporter, directory.path()).await;
}

#[tokio::test]
async fn a_profile_that_makes_no_header_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = exporter(directory.path()).await;
    let twice = Profile::default().with(Column::named(Field::Title, "phone"));
    let export = new_export().profile(twice);
    let error = exporter.export(export, contacts(0..2)).await.unwrap_err();
    assert!(matches!(
        error,
        ExportError::DuplicateColumn {
            field: Field::Title
        }
    ));
    nothing_happened(&exporter, directory.path()).await;
}

#[rstest]
#[case::missing("missing/exports")]
#[case::a_file("file")]
#[tokio::test]
async fn a_directory_that_is_none_is_named(#[case] name: &str) {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("file"), "x").unwrap();
    let path = place.path().join(name);
    let opened = Exporter::open(&path).await.unwrap_err();
    let memory = Exporter::new(&path, suitedash_client::export::MemoryHistory::default());
    let exported = memory
        .export(new_export(), contacts(0..2))
        .await
        .unwrap_err();
    for error in [opened, exported] {
        assert!(matches!(error, ExportError::Directory { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_made_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("exports");
    let exporter = Exporter::open(&path).await.unwrap();
    let written = exporter.export(new_export(), contacts(0..2)).await.unwrap();
    assert!(exporter.path(&written.run.unwrap()).is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    // One that is there stays as it is.
    Exporter::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_vanishes_fails_the_export() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("exports");
    std::fs::create_dir(&directory).unwrap();
    let exporter = exporter(&directory).await;
    std::fs::remove_dir_all(&directory).unwrap();
    let error = exporter
        .export(new_export(), contacts(0..2))
        .await
        .unwrap_err();
    assert!(matches!(error, ExportError::Directory { .. }), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_apart() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let error = export_contacts(full, contacts(0..5000), &Profile::default()).unwrap_err();
    assert!(matches!(error, ExportError::DiskFull { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("no room on the disk"),
        "{error}"
    );
}
