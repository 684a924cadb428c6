//! What only the inside of the store can bring about: its own connections made unable to write.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::task::Poll;

use chrono::DateTime;
use integration_core::instance::StoredIntegration;
use integration_core::status::{HistoryEntry, State};
use integration_core::store::{
    IntegrationFilter, IntegrationLog, IntegrationStore, LogFilter, LogStatus, LogStore,
    TemplateStore,
};
use integration_core::template::{IntegrationTemplate, NewTemplate};
use integration_core::{IntegrationId, LogId, Scope, TemplateId, TenantId};
use rstest::rstest;
use serde_json::json;
use sqlx::Executor;
use tempfile::TempDir;

use super::*;

/// An open store with a template and an instance in it.
struct Filled {
    store: SqliteStore,
    row: StoredIntegration,
    _directory: TempDir,
}

async fn filled() -> Filled {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("store.db"))
        .await
        .unwrap();
    let now = DateTime::UNIX_EPOCH;
    let words = NewTemplate::new("phone", "Phone", "phone");
    let template = IntegrationTemplate::new(TemplateId::generate(), words, now);
    store.insert_template(&template).await.unwrap();
    let state: State = serde_json::from_value(json!({
        "status": "pending", "is_active": false, "enable_pending": false, "needs_reauth": false,
        "consecutive_failures": 0, "credentials": 1, "version": 1,
    }))
    .unwrap();
    let tenant = TenantId::default();
    let id = IntegrationId::generate();
    let row = StoredIntegration::new(id, tenant, template.id, "phone", "Desk", state, now);
    store.insert_integration(&row, &[]).await.unwrap();
    Filled {
        store,
        row,
        _directory: directory,
    }
}

impl Filled {
    /// Runs a statement on the connection that writes; it stays in force there.
    async fn on_writer(&self, sql: &'static str) {
        let mut writer = self.store.writer.acquire().await.unwrap();
        writer.execute(sql).await.unwrap();
    }

    /// Returns a change that touches every table there is, and takes room.
    fn change(&self) -> (StoredIntegration, HistoryEntry) {
        let mut row = self.row.clone();
        row.state.version = 2;
        row.description = Some("x".repeat(100_000));
        row.source_ids = vec!["L1".to_owned()];
        row.config
            .sealed
            .insert("api_key".to_owned(), "y".repeat(100_000));
        let history = json!({
            "at": row.updated_at, "from": "pending", "to": "active", "event": "test_passed",
            "version": 2,
        });
        (row, serde_json::from_value(history).unwrap())
    }

    /// Checks that everything is as [`filled`] has written it.
    async fn is_as_before(&self) {
        let everybody = Scope::Administrator;
        let filter = IntegrationFilter::new();
        let rows = self.store.integrations(&everybody, &filter).await.unwrap();
        assert!(rows == std::slice::from_ref(&self.row));
        let history = self.store.history(&everybody, self.row.id, 10).await;
        assert_eq!(history.unwrap(), []);
        let logs = self.store.logs(&everybody, &LogFilter::new()).await;
        assert_eq!(logs.unwrap(), []);
    }
}

fn big_logs() -> Vec<IntegrationLog> {
    let entry = |_| {
        let mut entry = IntegrationLog::new(
            LogId::generate(),
            TenantId::default(),
            "phone",
            "calls.list",
            LogStatus::Success,
            DateTime::UNIX_EPOCH,
        );
        entry.payload = Some(json!("z".repeat(20_000)));
        entry
    };
    // More than one statement's worth.
    (0..700).map(entry).collect()
}

#[tokio::test]
async fn connections_are_set_up_to_lose_nothing() {
    let filled = filled().await;
    for (pool, query_only) in [(&filled.store.writer, 0), (&filled.store.readers, 1)] {
        let read = async |pragma: &'static str| -> i64 {
            sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap()
        };
        let mode: String = sqlx::query_scalar("pragma journal_mode")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        // 2 is FULL.
        assert_eq!(read("pragma synchronous").await, 2);
        assert_eq!(read("pragma foreign_keys").await, 1);
        assert_eq!(read("pragma busy_timeout").await, 5_000);
        assert_eq!(read("pragma query_only").await, query_only);
    }
}

/// No room, as on a full disk, and none to write at all. Each change starts, gets some way, and leaves nothing.
#[rstest]
#[case::full("pragma max_page_count = 1")]
#[case::read_only("pragma query_only = on")]
#[tokio::test]
async fn what_cannot_be_written_is_told_and_leaves_nothing_behind(#[case] obstacle: &'static str) {
    let filled = filled().await;
    let (row, history) = filled.change();
    let store = &filled.store;
    let everybody = Scope::Administrator;
    let history = [history];

    filled.on_writer(obstacle).await;
    let changed = store
        .update_integration(&everybody, &row, 1, &history)
        .await;
    assert!(
        matches!(changed, Err(StoreError::ReadOnly(_))),
        "{changed:?}"
    );
    filled.is_as_before().await;

    let mut another = row.clone();
    another.id = IntegrationId::generate();
    filled.on_writer(obstacle).await;
    let inserted = store.insert_integration(&another, &history).await;
    assert!(
        matches!(inserted, Err(StoreError::ReadOnly(_))),
        "{inserted:?}"
    );
    filled.on_writer(obstacle).await;
    let logged = store.append_logs(&big_logs()).await;
    assert!(matches!(logged, Err(StoreError::ReadOnly(_))), "{logged:?}");
    filled.is_as_before().await;

    // Once it can be written it goes on.
    filled.on_writer("pragma max_page_count = 1000000").await;
    filled.on_writer("pragma query_only = off").await;
    store.append_logs(&big_logs()).await.unwrap();
    let changed = store
        .update_integration(&everybody, &row, 1, &history)
        .await;
    changed.unwrap();
}

/// A caller that goes away in the middle of a change leaves nothing of it, or all where the commit was under way, and
/// its connection to the next.
#[tokio::test]
async fn a_change_that_is_cut_off_leaves_nothing_behind() {
    let filled = filled().await;
    let (row, history) = filled.change();
    let mut cut_off = 0;
    for polls in 1..1_000 {
        let scope = Scope::Administrator;
        let history = [history.clone()];
        let mut change = Box::pin(filled.store.update_integration(&scope, &row, 1, &history));
        // It is let go on so many times, and then dropped.
        let mut left = polls;
        let result = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            change.as_mut().poll(context).map(Some)
        });
        let result = result.await;
        drop(change);
        if let Some(done) = result {
            done.unwrap();
            break;
        }
        cut_off += 1;
        // Whatever is under way on the connection ends before another has it.
        filled.on_writer("select 1").await;
        let stored = filled.store.integration(&Scope::Administrator, row.id);
        if stored.await.unwrap().as_ref() == Some(&row) {
            break;
        }
        filled.is_as_before().await;
    }
    assert!(cut_off > 0, "never cut off");
    let stored = filled.store.integration(&Scope::Administrator, row.id);
    assert!(stored.await.unwrap().as_ref() == Some(&row));
    let written = filled.store.history(&Scope::Administrator, row.id, 10);
    assert_eq!(written.await.unwrap(), [history]);
}

/// Everything an error and its causes say.
fn chain(error: &dyn StdError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause:?} {cause}");
        source = cause.source();
    }
    text
}

#[rstest]
#[case::settings("update integrations set settings = '[\"canary-7\"'")]
#[case::other_json("update integrations set settings = '[\"canary-7\"]'")]
#[case::state("update integrations set state = '{\"failing_since\": \"canary-7\"}'")]
#[case::config("update integrations set config = '\"canary-7\"'")]
#[case::hints("update integrations set config_hints = '{\"a\": [\"canary-7\"]}'")]
#[case::status("update integrations set status = 'canary-7'")]
#[case::failures("update integrations set consecutive_failures = -1")]
#[case::time("update integrations set updated_at = 'canary-7'")]
#[case::id("update integrations set template_id = 'canary-7'")]
#[case::last_test("update integrations set last_test_at = updated_at")]
#[case::stray_secret(
    "insert into integration_secrets (integration_id, config, credentials_version, field, value)
     select id, 'serving', 1, 'api_key', 'canary-7' from integrations"
)]
#[tokio::test]
async fn garbage_in_a_column_is_told_and_not_repeated(#[case] garbage: &'static str) {
    let filled = filled().await;
    filled.on_writer("pragma foreign_keys = off").await;
    filled.on_writer(garbage).await;
    filled.on_writer("pragma foreign_keys = on").await;
    let store = &filled.store;
    let read = store
        .integration(&Scope::Administrator, filled.row.id)
        .await;
    let error = read.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    assert!(!chain(&error).contains("canary-7"), "{}", chain(&error));
    // It can still be thrown away.
    let deleted = store
        .delete_integration(&Scope::Administrator, filled.row.id)
        .await;
    deleted.unwrap();
}

/// A row that one tenant's misfortune has made unreadable stops the checks of nobody, and is named where it is wanted.
#[tokio::test]
async fn a_row_that_cannot_be_read_stops_no_other_from_being_checked() {
    let filled = filled().await;
    let store = &filled.store;
    let mut well = filled.row.clone();
    well.id = IntegrationId::generate();
    well.tenant = TenantId::from("beta");
    well.next_check_at = Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1));
    store.insert_integration(&well, &[]).await.unwrap();
    let broken = filled.row.id;
    store
        .postpone_check(broken, Some(DateTime::UNIX_EPOCH))
        .await
        .unwrap();
    filled
        .on_writer("update integrations set status = 'canary-7' where tenant_id <> 'beta'")
        .await;

    let later = DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1);
    let due = store.due_for_check(later, 10).await.unwrap();
    assert!(due.rows == std::slice::from_ref(&well));
    let [unreadable] = &due.unreadable[..] else {
        panic!("{due:?}")
    };
    assert_eq!(unreadable.id, broken);
    assert_eq!(unreadable.tenant, filled.row.tenant);
    assert_eq!(unreadable.vendor, "phone");
    let text = chain(&unreadable.error);
    assert!(text.contains(&broken.to_string()), "{text}");
    assert!(!text.contains("canary-7"), "{text}");

    store.postpone_check(broken, Some(later)).await.unwrap();
    let due = store.due_for_check(well.next_check_at.unwrap(), 1).await;
    let due = due.unwrap();
    assert!(due.rows == std::slice::from_ref(&well) && due.unreadable.is_empty());

    // A list is whole or says which row is in the way; that of another tenant is not.
    let filter = IntegrationFilter::new();
    let all = store.integrations(&Scope::Administrator, &filter).await;
    let text = chain(&all.unwrap_err());
    assert!(text.contains(&broken.to_string()), "{text}");
    let of_beta = store.integrations(&(&well.tenant).into(), &filter).await;
    assert!(of_beta.unwrap() == [well]);
}

#[tokio::test]
async fn history_cannot_be_rewritten() {
    let filled = filled().await;
    let (row, history) = filled.change();
    let store = &filled.store;
    let changed = store
        .update_integration(
            &Scope::Administrator,
            &row,
            1,
            std::slice::from_ref(&history),
        )
        .await;
    changed.unwrap();
    let rewrite = "update integration_status_history set event = 'x'";
    let rewritten = filled.store.writer.execute(rewrite).await.unwrap_err();
    assert!(rewritten.to_string().contains("append-only"));
    let kept = store.history(&Scope::Administrator, row.id, 10).await;
    assert_eq!(kept.unwrap(), [history]);
}

#[rstest]
#[case::busy(5, Class::Locked)]
#[case::busy_snapshot(517, Class::Locked)]
#[case::locked(6, Class::Locked)]
#[case::read_only(8, Class::ReadOnly)]
#[case::read_only_moved(1032, Class::ReadOnly)]
#[case::full(13, Class::ReadOnly)]
#[case::cannot_open(14, Class::ReadOnly)]
#[case::write(778, Class::ReadOnly)]
#[case::no_room_for_shared_memory(4874, Class::ReadOnly)]
#[case::read(266, Class::Unavailable)]
#[case::damaged(11, Class::Damaged)]
#[case::damaged_index(779, Class::Damaged)]
#[case::no_database(26, Class::Damaged)]
#[case::check(275, Class::Refused)]
#[case::too_big(18, Class::Unfit)]
#[case::no_memory(7, Class::Unavailable)]
#[case::no_such_table(1, Class::Unavailable)]
fn codes_are_sorted(#[case] code: i32, #[case] class: Class) {
    assert_eq!(class_of(code), class);
}
