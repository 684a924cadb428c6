//! The store on SQLite: the conformance suite on a file, and what may be wrong with a file.
#![cfg(all(feature = "core", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "support/clock.rs"]
mod clock;
mod conformance;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conformance::samples::{
    EVERYBODY, at, entry, full, plain, plain_template, read, with, with_template,
};
use conformance::{Ports, Subject, suite};
use integration_core::status::Status;
use integration_core::store::{IntegrationFilter, IntegrationStore, StoreError, TemplateStore};
use integration_store::{OpenError, SqliteStore};
use rstest::rstest;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

struct OnFile {
    directory: TempDir,
    clock: Arc<clock::MovedClock>,
    store: Arc<SqliteStore>,
}

impl OnFile {
    async fn open(directory: &TempDir, clock: &Arc<clock::MovedClock>) -> Arc<SqliteStore> {
        let store = SqliteStore::builder()
            .timer(clock.clone())
            .open(directory.path().join("integrations.db"))
            .await;
        Arc::new(store.unwrap())
    }
}

#[async_trait]
impl Subject for OnFile {
    fn store(&self) -> Arc<dyn Ports> {
        self.store.clone()
    }

    async fn reopened(&self) -> Arc<dyn Ports> {
        Self::open(&self.directory, &self.clock).await
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

async fn on_file() -> Option<OnFile> {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::default();
    let store = OnFile::open(&directory, &clock).await;
    Some(OnFile {
        directory,
        clock,
        store,
    })
}

suite!(crate::on_file);

fn path(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("integrations.db")
}

/// A connection of another program.
async fn another_program(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    options.connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    with_template(&store, "phone").await;
    let mut files = 0;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
        files += 1;
    }
    // The database, its log of writes and the index of that.
    assert_eq!(files, 3);
}

#[tokio::test]
async fn what_is_written_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let template = with_template(&store, "phone").await;
    let row = with(&store, full("acme", &template)).await;
    store.close().await;
    let error = store
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");

    let store = SqliteStore::open(path(&directory)).await.unwrap();
    assert!(read(&store, row.id).await == row);
}

#[tokio::test]
async fn a_store_in_memory_is_of_its_clones_alone() {
    let store = SqliteStore::in_memory().await.unwrap();
    let template = with_template(&store, "phone").await;
    let other = store.clone();
    drop(store);
    assert_eq!(other.template(template.id).await.unwrap(), Some(template));
    let another = SqliteStore::in_memory().await.unwrap();
    assert!(
        another
            .templates(&integration_core::Scope::Administrator)
            .await
            .unwrap()
            .is_empty()
    );
}

/// Names that mean something else to SQLite, or to those who write addresses, are names.
#[tokio::test]
async fn any_name_is_the_name_of_a_file() {
    for name in [":memory:", "file:a?mode=memory", "a b#c%20?.db", "ünï.db"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        let store = SqliteStore::open(&path).await.unwrap();
        with_template(&store, "phone").await;
        store.close().await;
        assert!(std::fs::metadata(&path).unwrap().len() > 0, "{name}");
    }
}

/// As a file of that name it would be found by nobody else.
#[rstest]
#[case::relative("sqlite://a.db?mode=rwc", "write a.db")]
#[case::absolute("sqlite:///var/a.db", "write /var/a.db")]
#[case::short("SQLite:a b.db", "write a b.db")]
#[case::memory("sqlite::memory:", "in memory")]
#[case::nothing("sqlite://", "name a file")]
#[tokio::test]
async fn an_address_is_no_path(#[case] address: &str, #[case] says: &str) {
    let error = SqliteStore::open(address).await.unwrap_err();
    assert!(matches!(error, OpenError::NotAPath { .. }), "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(!Path::new(address).exists());
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named_and_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = SqliteStore::open(missing.join("integrations.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::NoDirectory { .. }), "{error:?}");
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_directory_is_not_a_database() {
    let directory = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(directory.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::IsDirectory { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_written_is_told_at_once() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    SqliteStore::open(path(&directory))
        .await
        .unwrap()
        .close()
        .await;
    let readable = std::fs::Permissions::from_mode(0o400);
    std::fs::set_permissions(path(&directory), readable).unwrap();
    let writable = std::fs::OpenOptions::new()
        .write(true)
        .open(path(&directory))
        .is_ok();
    let opened = SqliteStore::open(path(&directory)).await;
    if writable {
        // The modes of files do not bind root.
        opened.unwrap();
        return;
    }
    assert!(
        matches!(opened, Err(OpenError::ReadOnly { .. })),
        "{opened:?}"
    );
}

#[tokio::test]
async fn a_file_of_something_else_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let text = "not a database ".repeat(1_000);
    std::fs::write(path(&directory), &text).unwrap();
    let error = SqliteStore::open(path(&directory)).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("integrations.db"), "{error}");
    assert_eq!(std::fs::read_to_string(path(&directory)).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_file_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let template = with_template(&store, "phone").await;
    with(&store, full("acme", &template)).await;
    store.close().await;
    // The header and the list of tables stay, the tables are overwritten.
    let mut bytes = std::fs::read(path(&directory)).unwrap();
    let first_pages = 4_096 * 5;
    bytes[first_pages..].fill(0xa5);
    std::fs::write(path(&directory), bytes).unwrap();
    match SqliteStore::open(path(&directory)).await {
        Err(error) => assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}"),
        Ok(store) => {
            let error = store
                .integrations(&EVERYBODY, &IntegrationFilter::new())
                .await
                .unwrap_err();
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_database_from_the_future_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    SqliteStore::open(path(&directory))
        .await
        .unwrap()
        .close()
        .await;
    let mut other = another_program(&path(&directory)).await;
    run(
        &mut other,
        "insert into integration_migrations values (999, 'later', 'x', '2030-01-01T00:00:00Z');
         create table of_the_future (a text) strict",
    )
    .await;
    let error = SqliteStore::open(path(&directory)).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 999, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("newer version of the program"),
        "{error}"
    );

    run(
        &mut other,
        "delete from integration_migrations where version = 999;
         update integration_migrations set checksum = 'other' where version = 1",
    )
    .await;
    let error = SqliteStore::open(path(&directory)).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Changed { version: 1, .. }),
        "{error:?}"
    );
    run(&mut other, "select * from of_the_future").await;
}

/// A step that fails half-way, here because something has the name of an index, leaves the file as it was.
#[tokio::test]
async fn steps_are_taken_together_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let mut other = another_program(&path(&directory)).await;
    run(&mut other, "create table integrations_by_check (a text)").await;
    let error = SqliteStore::open(path(&directory)).await.unwrap_err();
    assert!(matches!(error, OpenError::Failed { .. }), "{error:?}");
    assert_eq!(tables(&mut other).await, ["integrations_by_check"]);

    run(&mut other, "drop table integrations_by_check").await;
    SqliteStore::open(path(&directory)).await.unwrap();
}

async fn tables(connection: &mut SqliteConnection) -> Vec<String> {
    sqlx::query_scalar("select name from sqlite_master where type in ('table', 'view')")
        .fetch_all(connection)
        .await
        .unwrap()
}

#[rstest]
#[case::first("create table integrations (a text)", "integrations")]
#[case::another("create table integration_templates (a text)", "integration_templates")]
#[case::of_a_later_step("create table integration_tokens (a text)", "integration_tokens")]
#[case::in_capitals("create table INTEGRATIONS (a text)", "integrations")]
#[case::a_view("create view integrations as select 1 as a", "integrations")]
#[case::steps(
    "create table integration_migrations (id integer)",
    "integration_migrations"
)]
#[tokio::test]
async fn tables_of_somebody_else_are_told_and_left_alone(
    #[case] sql: &'static str,
    #[case] named: &str,
) {
    let directory = tempfile::tempdir().unwrap();
    let mut other = another_program(&path(&directory)).await;
    run(&mut other, sql).await;
    run(&mut other, "pragma user_version = 7").await;
    let before = tables(&mut other).await;
    let error = SqliteStore::open(path(&directory)).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::TakenInFile { table, .. } if table == named),
        "{error:?}"
    );
    assert!(error.to_string().contains("integrations.db"), "{error}");
    assert_eq!(tables(&mut other).await, before);
    let version: i64 = sqlx::query_scalar("pragma user_version")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(version, 7);
}

/// Whoever copies the file alone has all of it: after `close`, and soon after the last clone is dropped, also while
/// another program has the file open.
#[rstest]
#[case::closed(true, false)]
#[case::closed_while_open_elsewhere(true, true)]
#[case::dropped(false, false)]
#[tokio::test]
async fn a_file_that_was_closed_is_whole_by_itself(#[case] close: bool, #[case] elsewhere: bool) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let template = with_template(&store, "phone").await;
    let row = with(&store, full("acme", &template)).await;
    let mut other = another_program(&path(&directory)).await;
    assert!(tables(&mut other).await.len() > 5);
    let other = elsewhere.then_some(other);
    let log = directory.path().join("integrations.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    if close {
        store.close().await;
        let left = std::fs::metadata(&log).map_or(0, |log| log.len());
        assert_eq!(left, 0);
    } else {
        drop(store);
        // The threads of its connections see to it.
        while log.exists() {
            std::thread::yield_now();
        }
    }
    let copy = directory.path().join("copy.db");
    std::fs::copy(path(&directory), &copy).unwrap();
    let copied = SqliteStore::open(copy).await.unwrap();
    assert!(read(&copied, row.id).await == row);
    drop(other);
}

#[tokio::test]
async fn the_tables_of_a_new_file_are_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let _open = SqliteStore::open(path(&directory)).await.unwrap();
    let copy = directory.path().join("copy.db");
    std::fs::copy(path(&directory), &copy).unwrap();
    let mut copied = another_program(&copy).await;
    assert!(tables(&mut copied).await.len() > 5);
}

/// By a page, by a part of one, with and without a log of writes beside it. Nothing is written into what is left.
#[rstest]
#[case::a_page(4_096, false)]
#[case::a_part_of_a_page(100, false)]
#[case::pages_that_are_not_in_the_log(4_096 * 3, true)]
#[tokio::test]
async fn a_file_that_was_cut_short_is_damaged(#[case] bytes: u64, #[case] with_log: bool) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    // What nobody reads while the file is opened.
    let mut other = another_program(&path(&directory)).await;
    run(
        &mut other,
        "create table theirs (a text); insert into theirs values (hex(zeroblob(20000)));
         pragma wal_checkpoint(truncate)",
    )
    .await;
    sqlx::Connection::close(other).await.unwrap();
    with_template(&store, "phone").await;
    let copy = directory.path().join("copy.db");
    if !with_log {
        store.close().await;
    }
    std::fs::copy(path(&directory), &copy).unwrap();
    if with_log {
        let log = directory.path().join("integrations.db-wal");
        std::fs::copy(log, directory.path().join("copy.db-wal")).unwrap();
    }
    let file = std::fs::OpenOptions::new().write(true).open(&copy).unwrap();
    let short = file.metadata().unwrap().len() - bytes;
    file.set_len(short).unwrap();
    drop(file);
    // The second time as well as the first.
    for _ in 0..2 {
        let error = SqliteStore::open(&copy).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("copy.db"), "{error}");
        assert_eq!(std::fs::metadata(&copy).unwrap().len(), short);
    }
}

/// A process that is killed while it brings its log into the file leaves a file that is short, and the rest in the log.
#[tokio::test]
async fn a_file_whose_end_is_in_the_log_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut other = another_program(&path(&directory)).await;
    run(
        &mut other,
        "pragma journal_mode = wal; pragma wal_autocheckpoint = 0",
    )
    .await;
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let template = with_template(&store, "phone").await;
    let row = with(&store, full("acme", &template)).await;
    run(
        &mut other,
        "create table theirs (a text); insert into theirs values (hex(zeroblob(20000)))",
    )
    .await;
    let (copy, log) = (directory.path().join("copy.db"), "copy.db-wal");
    let from = directory.path().join("integrations.db-wal");
    std::fs::copy(from, directory.path().join(log)).unwrap();
    // What a checkpoint writes first is the first page, which knows how many there are.
    store.close().await;
    run(&mut other, "pragma wal_checkpoint(truncate)").await;
    std::fs::copy(path(&directory), &copy).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&copy).unwrap();
    file.set_len(file.metadata().unwrap().len() - 4_096 * 5)
        .unwrap();
    drop(file);
    let copied = SqliteStore::open(&copy).await.unwrap();
    assert!(read(&copied, row.id).await == row);
}

/// Locks are of a process: a second store in it must not take those of the first away when it looks at the file.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn opening_a_file_again_leaves_its_locks() {
    use std::os::unix::fs::MetadataExt;

    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    with_template(&store, "phone").await;
    let inode = format!(":{} ", std::fs::metadata(path(&directory)).unwrap().ino());
    let own = format!(" {} ", std::process::id());
    let locked = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        let ours = |line: &&str| line.contains(&inode) && line.contains(&own);
        locks.lines().filter(ours).count()
    };
    let before = locked();
    assert!(before > 0);
    // One that fails gives back what it took, and no more.
    let impatient = SqliteStore::builder().readers(1);
    let again = impatient.open(path(&directory)).await.unwrap();
    assert_eq!(locked(), before);
    again.close().await;
    assert_eq!(locked(), before);
}

#[tokio::test]
async fn a_lock_that_stays_is_told_and_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let impatient = || SqliteStore::builder().busy_timeout(Duration::from_millis(50));
    let store = impatient().open(path(&directory)).await.unwrap();
    let template = with_template(&store, "phone").await;
    let row = with(&store, full("acme", &template)).await;

    let mut other = another_program(&path(&directory)).await;
    run(&mut other, "begin immediate").await;
    let mut changed = row.clone();
    changed.name.push('!');
    changed.state.version += 1;
    let history = [entry(13, Status::Active, "test_passed")];
    let result = store
        .update_integration(&EVERYBODY, &changed, 12, &history)
        .await;
    assert!(matches!(result, Err(StoreError::Locked(_))), "{result:?}");
    let result = store.delete_template(template.id).await;
    assert!(matches!(result, Err(StoreError::Locked(_))), "{result:?}");
    // Reading goes on, and so does opening what is up to date.
    assert!(read(&store, row.id).await == row);
    assert!(read(&impatient().open(path(&directory)).await.unwrap(), row.id).await == row);

    run(&mut other, "rollback").await;
    assert_eq!(store.history(&EVERYBODY, row.id, 10).await.unwrap(), []);
    store
        .update_integration(&EVERYBODY, &changed, 12, &history)
        .await
        .unwrap();

    // A new file that somebody holds cannot be made into a database.
    let new = directory.path().join("new.db");
    let mut other = another_program(&new).await;
    run(&mut other, "begin exclusive; create table a (a text)").await;
    let error = impatient().open(&new).await.unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
}

#[tokio::test]
async fn times_are_cut_to_microseconds() {
    let store = SqliteStore::in_memory().await.unwrap();
    let template = with_template(&store, "phone").await;
    let mut row = plain("acme", &template);
    row.updated_at = at(0) + chrono::TimeDelta::nanoseconds(999);
    row.next_check_at = Some(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    store.insert_integration(&row, &[]).await.unwrap();
    let stored = read(&store, row.id).await;
    assert_eq!(stored.updated_at, at(0));
    assert_eq!(
        stored.next_check_at.unwrap().to_rfc3339(),
        "9999-12-31T00:00:00+00:00"
    );
    let due = store
        .due_for_check(chrono::DateTime::<chrono::Utc>::MIN_UTC, 1)
        .await
        .unwrap();
    assert!(due.rows.is_empty());
}

const ANOTHER_PROCESS: &str = "INTEGRATION_STORE_TEST_PATH";

/// Not a test by itself: what `several_processes_open_and_write_one_file_at_once` starts. It opens the file, seeds, and
/// adds rows until it has added as many as it should.
#[tokio::test]
#[ignore = "run by another test, as a process of its own"]
async fn as_another_process() {
    let Some(path) = std::env::var_os(ANOTHER_PROCESS) else {
        return;
    };
    let store = SqliteStore::open(path).await.unwrap();
    store
        .seed_templates(&[plain_template("phone"), plain_template("crm")])
        .await
        .unwrap();
    let template = store.template_named("phone").await.unwrap().unwrap();
    for _ in 0..10 {
        let mut row = full("acme", &template);
        row.is_default = true;
        store.insert_integration(&row, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn several_processes_open_and_write_one_file_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let processes: Vec<_> = (0..4)
        .map(|_| {
            let program = std::env::current_exe().unwrap();
            tokio::process::Command::new(program)
                .args(["as_another_process", "--exact", "--ignored"])
                .env(ANOTHER_PROCESS, path(&directory))
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .unwrap()
        })
        .collect();
    for mut process in processes {
        assert!(process.wait().await.unwrap().success());
    }
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let names: Vec<_> = store
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap()
        .into_iter()
        .map(|summary| (summary.template.name, summary.integrations))
        .collect();
    assert_eq!(names, [("crm".to_owned(), 0), ("phone".to_owned(), 40)]);
    let rows = store
        .integrations(&EVERYBODY, &IntegrationFilter::new())
        .await
        .unwrap();
    assert_eq!(rows.iter().filter(|row| row.is_default).count(), 1);
}

/// A process that is killed while it writes leaves whole changes only.
#[tokio::test]
async fn a_process_that_is_killed_leaves_whole_changes() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(path(&directory)).await.unwrap();
    let mut written = 0;
    for round in 0..5 {
        let mut process = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["as_another_process", "--exact", "--ignored"])
            .env(ANOTHER_PROCESS, path(&directory))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // Once it has begun to write, after so many rows.
        loop {
            let rows = store
                .integrations(&EVERYBODY, &IntegrationFilter::new())
                .await
                .unwrap();
            if rows.len() > written + round || process.try_wait().unwrap().is_some() {
                break;
            }
        }
        process.kill().await.unwrap();
        let rows = store
            .integrations(&EVERYBODY, &IntegrationFilter::new())
            .await
            .unwrap();
        assert!(rows.len() > written);
        written = rows.len();
        for row in &rows {
            assert_eq!(row.source_ids.len(), 3);
            assert_eq!(row.endpoints.len(), 2);
            assert_eq!(row.endpoints[1].webhooks.len(), 2);
            assert_eq!(row.config.sealed.len(), 2);
        }
        assert_eq!(rows.iter().filter(|row| row.is_default).count(), 1);
    }
}
