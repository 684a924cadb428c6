//! What the SuiteDash programs do, against the simulated vendor and in a directory.

use examples::{suitedash, suitedash_files};
use suitedash_client::export::{Exporter, NewExport};
use suitedash_client::{ContactInput, LeadSubmission};

fn form() -> LeadSubmission {
    let person = ContactInput::new()
        .full_name("Jane Roe")
        .email("jane.roe@example.com");
    LeadSubmission::new(person)
        .source("website")
        .message("Do you build boats?")
        .status("new")
}

#[tokio::test]
async fn a_form_is_one_contact_however_often_it_is_sent() {
    let vendor = suitedash::connect().await.unwrap();
    let first = suitedash::send(&vendor.client, &form()).await.unwrap();
    for said in [
        "a new contact",
        "calls spent: 1; this month: 1",
        "no place for status",
    ] {
        assert!(first.contains(said), "{said}: {first}");
    }
    let second = suitedash::send(&vendor.client, &form()).await.unwrap();
    assert!(second.contains("nothing to write"), "{second}");
    let control = vendor.sandbox.unwrap().control();
    assert_eq!((control.contact_count(), control.calls_used()), (1, 3));
    assert!(control.welcome_mails().is_empty());
}

#[tokio::test]
async fn a_dry_run_makes_no_call() {
    let vendor = suitedash::connect().await.unwrap();
    let text = suitedash::try_out(&vendor.client, &form()).unwrap();
    for said in [
        "POST /contact, Always",
        "jane.roe@example.com",
        "no place for status",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let nobody = LeadSubmission::new(ContactInput::new().full_name("Jane Roe").email("nobody"));
    let error = suitedash::send(&vendor.client, &nobody).await.unwrap_err();
    assert!(error.to_string().contains("nothing was sent"), "{error}");
    assert_eq!(vendor.sandbox.unwrap().control().calls_used(), 0);
}

#[tokio::test]
async fn a_second_export_leaves_out_what_the_first_had() {
    let directory = tempfile::tempdir().unwrap();
    let exporter = Exporter::open(directory.path()).await.unwrap();
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    let mut files = Vec::new();
    for (count, said) in [
        (10_000, "10000 contacts in"),
        (10_000, "10000 left out"),
        (10_500, "500 contacts in"),
    ] {
        let export = NewExport::new(now, "operator");
        let contacts = suitedash_files::contacts(count);
        let done = exporter.export(export, contacts).await.unwrap();
        let text = suitedash_files::report(directory.path(), &done);
        assert!(text.contains(said), "{said}: {text}");
        files.extend(done.run);
    }
    let rows = files.iter().map(|run| {
        let mut file = csv::Reader::from_path(exporter.path(run)).unwrap();
        file.records().count()
    });
    assert_eq!(rows.collect::<Vec<_>>(), [10_000, 500]);
    let first = &files[0].id;
    exporter
        .history()
        .mark_imported(first, now, "operator")
        .await
        .unwrap();
    let history = suitedash_files::history(&exporter.runs().await.unwrap());
    assert_eq!(
        history.matches("imported 2026-11-21").count(),
        1,
        "{history}"
    );
    assert_eq!(history.matches("to be imported").count(), 1, "{history}");
}
