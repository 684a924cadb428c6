//! Import mode: waiting, files, marks, and processes that end at the wrong moment.

use std::path::Path;

use chrono::{DateTime, Utc};
use contact_sync::targets::suitedash::{ExportsError, Settings};
use contact_sync::{Action, ErrorClass, Progress, Reason, Signup, StrictError, TenantId, Ticket};
use suitedash_client::connection::{Connection, ImportPlace};
use suitedash_client::export::{ExportStep, Exported, NewExport, RunState};
use vendor_sandbox::Sandbox;

use crate::world::{World, ann, client};

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn at(second: i64) -> NewExport {
    NewExport::new(now() + chrono::TimeDelta::seconds(second), "user-7")
}

async fn export(world: &World, second: i64) -> Exported {
    let tenant = TenantId::default();
    world.exports().export(&tenant, at(second)).await.unwrap()
}

async fn mark(world: &World, exported: &Exported) {
    let (tenant, run) = (TenantId::default(), exported.run.as_ref().unwrap());
    let exports = world.exports();
    let marked = exports
        .mark_imported(&tenant, &run.id, now(), "user-7")
        .await;
    assert!(matches!(marked.unwrap().state, RunState::Imported { .. }));
}

fn text(directory: &Path, exported: &Exported) -> String {
    std::fs::read_to_string(directory.join(&exported.run.as_ref().unwrap().file)).unwrap()
}

fn bob() -> Signup {
    Signup::new().name("Bob Ray").email("bob@example.com")
}

#[tokio::test]
async fn a_signup_waits_for_a_file_and_then_for_its_import() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    let exports = world.exports();
    let tenant = TenantId::default();
    let receipt = world.sign_up(ann().notes("hello")).await;
    assert_eq!(
        (receipt.targets[0].integrated, receipt.targets[0].reason),
        (false, Some(Reason::AwaitsImport))
    );
    world.sign_up(bob()).await;
    assert_eq!(exports.waiting(&tenant).await.unwrap(), 2);

    let first = export(&world, 0).await;
    assert_eq!(first.counts.rows, 2);
    let file = text(directory.path(), &first);
    assert!(
        file.contains("ann@example.com") && file.contains("website"),
        "{file}"
    );
    // In a file is not imported.
    assert_eq!(
        world.sign_up(ann()).await.targets[0].reason,
        Some(Reason::AwaitsImport)
    );
    let second = export(&world, 1).await;
    assert_eq!((second.run, second.counts.exported_before), (None, 2));

    mark(&world, &first).await;
    world.work().await;
    assert_eq!(exports.waiting(&tenant).await.unwrap(), 0);
    let synced = world.sign_up(ann()).await;
    let line = &synced.targets[0];
    assert!(line.integrated);
    let id = line.contact_id.as_ref().unwrap().as_str();
    let run = &first.run.as_ref().unwrap().id;
    assert!(id.starts_with(&format!("import:{run}:user-1.")), "{id}");
    assert_eq!(world.actions()[..2], [Action::Created, Action::Created]);
    assert!(
        world.actions()[2..]
            .iter()
            .all(|it| *it == Action::Unchanged)
    );
    assert_eq!(exports.runs(&tenant).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_changes_waits_for_another_file_and_who_does_not_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    for (second, company) in [(0, "Lee Ltd"), (1, "Ray Ltd"), (2, "Lee Ltd")] {
        let receipt = world.sign_up(ann().company(company)).await;
        assert_eq!(
            receipt.targets[0].reason,
            Some(Reason::AwaitsImport),
            "{company}"
        );
        let exported = export(&world, second).await;
        assert_eq!(exported.counts.rows, 1);
        assert!(text(directory.path(), &exported).contains(company));
        mark(&world, &exported).await;
        world.work().await;
        let again = world.sign_up(ann().company(company)).await;
        assert!(again.targets[0].integrated, "{company}");
    }
    assert_eq!(
        world
            .actions()
            .iter()
            .filter(|it| **it == Action::Updated)
            .count(),
        2
    );
}

/// One person under two ids of the host: one row, and the second needs none.
#[tokio::test]
async fn one_address_is_in_a_file_once() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    let other = || ann().host_id("user-2");
    world.sign_up(ann()).await;
    let receipt = world.sign_up(other()).await;
    assert_eq!(receipt.targets[0].reason, Some(Reason::AwaitsImport));
    let exported = export(&world, 0).await;
    assert_eq!(exported.counts.rows, 1);
    mark(&world, &exported).await;
    world.work().await;
    assert!(world.sign_up(other()).await.targets[0].integrated);
    assert_eq!(export(&world, 1).await.run, None);
}

/// A process that ends with the file in its place and the history behind: nobody is lost, nobody is in two files.
#[tokio::test]
async fn a_crash_between_the_file_and_the_mark_loses_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    world.sign_up(ann()).await;
    let (tenant, exports) = (TenantId::default(), world.exports());
    let ended = tokio::spawn(async move {
        let export = at(0).on_progress(|progress| {
            assert!(
                progress.step != ExportStep::InPlace,
                "the process ends here"
            );
        });
        exports.export(&tenant, export).await.map(drop)
    });
    assert!(ended.await.unwrap_err().is_panic());

    // After the restart: the same store and directory, nothing in memory.
    let after = World {
        target: World::in_files(directory.path()).target,
        ..world
    };
    assert_eq!(
        after.sign_up(ann()).await.targets[0].reason,
        Some(Reason::AwaitsImport)
    );
    let again = export(&after, 1).await;
    assert_eq!((&again.run, again.counts.exported_before), (&None, 1));
    let tenant = TenantId::default();
    let runs = after.exports().runs(&tenant).await.unwrap();
    assert_eq!((runs.len(), &runs[0].state), (1, &RunState::Exported));
    let (exports, run) = (after.exports(), &runs[0].id);
    exports
        .mark_imported(&tenant, run, now(), "user-7")
        .await
        .unwrap();
    after.work().await;
    assert!(after.sign_up(ann()).await.targets[0].integrated);
}

/// One that ends before there is a file: everybody still waits, and is in the next one.
#[tokio::test]
async fn a_crash_before_the_file_leaves_everybody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    world.sign_up(ann()).await;
    let (tenant, exports) = (TenantId::default(), world.exports());
    let ended = tokio::spawn(async move {
        let export = at(0).on_progress(|progress| {
            assert!(progress.step != ExportStep::Synced, "the process ends here");
        });
        exports.export(&tenant, export).await.map(drop)
    });
    assert!(ended.await.unwrap_err().is_panic());
    let after = World {
        target: World::in_files(directory.path()).target,
        ..world
    };
    assert_eq!(export(&after, 1).await.counts.rows, 1);
}

#[tokio::test]
async fn tenants_do_not_meet_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    world.sign_up(ann().tenant("acme")).await;
    world.sign_up(bob().tenant("other")).await;
    let acme = TenantId::from("acme");
    let done = world.exports().export(&acme, at(0)).await.unwrap();
    let file = text(directory.path(), &done);
    assert!(file.contains("ann@example.com") && !file.contains("bob@example.com"));
    assert_eq!(world.exports().waiting(&acme).await.unwrap(), 1);
}

#[tokio::test]
async fn a_directory_that_is_not_there_parks_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(&directory.path().join("no/such"));
    let receipt = world.sign_up(ann()).await;
    assert_eq!(receipt.targets[0].reason, Some(Reason::Retrying));
    let first = world.events.lock().unwrap()[0].clone();
    let Progress::Retrying { failure, .. } = &first.progress else {
        panic!("{first:?}")
    };
    assert_eq!(failure.class, ErrorClass::Unavailable);
    let tenant = TenantId::default();
    let refused = world.exports().export(&tenant, at(0)).await.unwrap_err();
    assert!(matches!(refused, ExportsError::Export(_)), "{refused:?}");
}

/// From files to the API: who was imported is looked for, not created again.
#[tokio::test]
async fn a_tenant_may_change_the_mode() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::in_files(directory.path());
    world.sign_up(ann()).await;
    let exported = export(&world, 0).await;
    mark(&world, &exported).await;
    world.work().await;

    let sandbox = Sandbox::suitedash().start().await.unwrap();
    let record = serde_json::json!({
        "role": "Lead", "first_name": "Ann", "last_name": "Lee", "email": "ann@example.com",
    });
    let uid = sandbox.control().seed_contact(&record).unwrap();
    let api = World {
        target: World::with(client(&sandbox, |it| it), Settings::new()).target,
        ..world
    };
    let receipt = api.sign_up(ann()).await;
    assert_eq!(
        receipt.targets[0].contact_id.as_ref().unwrap().as_str(),
        uid
    );
    assert_eq!(sandbox.control().contact_count(), 1);
    let tenant = TenantId::default();
    let refused = api.exports().runs(&tenant).await.unwrap_err();
    assert!(
        matches!(refused, ExportsError::NotImportMode),
        "{refused:?}"
    );
    // And back: the API's own id says nothing of a file.
    let back = World {
        target: World::in_files(directory.path()).target,
        ..api
    };
    let receipt = back.sign_up(ann().company("Ray Ltd")).await;
    assert_eq!(receipt.targets[0].reason, Some(Reason::AwaitsImport));
    assert_eq!(export(&back, 1).await.counts.rows, 1);
}

#[tokio::test]
async fn nothing_is_created_while_somebody_waits() {
    let directory = tempfile::tempdir().unwrap();
    let connection = Connection::from(ImportPlace::new(directory.path()));
    let world = World::with(connection, Settings::new());
    let crm = world.crm().leave_and_flag();
    let refused = crm
        .create(&ann(), async |_: Ticket| Ok::<_, std::io::Error>(()))
        .await
        .unwrap_err();
    let StrictError::Vendor { error, .. } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(error.class(), ErrorClass::AwaitsImport);
    assert_eq!(world.store.contact_count(), 0);
}
