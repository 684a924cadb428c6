use std::time::Duration;

use integration_core::store::{IntegrationLog, LogFilter, LogResult, LogStatus, StoreError};
use integration_core::{LogId, Scope};
use serde_json::json;

use super::Subject;
use super::samples::{EVERYBODY, at, log, plain, tenant, with, with_template};

fn full_log(tenant: &str, seconds: i64) -> IntegrationLog {
    let mut entry = log(tenant, "phone", seconds);
    entry.request_id = Some("req-1".to_owned());
    entry.status = LogStatus::Failed;
    entry.related_type = Some("contact".to_owned());
    entry.related_id = Some("17".to_owned());
    entry.payload = Some(json!({"name": "***", "list": [1, null, 2.5]}));
    entry.response = Some(json!("[truncated]"));
    entry.error_message = Some("openphone: contacts.create: 500".to_owned());
    entry.http_status = Some(500);
    entry.duration = Some(Duration::from_millis(1_234));
    entry
}

fn ids(entries: &[IntegrationLog]) -> Vec<LogId> {
    entries.iter().map(|entry| entry.id).collect()
}

pub(crate) async fn come_back_as_they_were_written(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, plain("acme", &template)).await;
    let mut entries = [
        full_log("acme", 2),
        full_log("acme", 1),
        log("acme", "phone", 0),
    ];
    entries[0].integration = Some(row.id);
    entries[1].payload = Some(json!(null));
    entries[1].http_status = Some(u16::MAX);
    entries[1].duration = Some(Duration::ZERO);
    store.append_logs(&entries).await.unwrap();
    let stored = store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap();
    assert_eq!(stored, entries);
}

pub(crate) async fn are_appended_once(subject: &impl Subject) {
    let store = subject.store();
    store.append_logs(&[]).await.unwrap();
    let first = full_log("acme", 1);
    store
        .append_logs(std::slice::from_ref(&first))
        .await
        .unwrap();

    let mut again = first.clone();
    again.action = "something else".to_owned();
    let second = full_log("acme", 2);
    let mut second_again = second.clone();
    second_again.action = "something else".to_owned();
    store
        .append_logs(&[again, second.clone(), second_again])
        .await
        .unwrap();
    let stored = store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap();
    assert_eq!(stored, [second, first]);
}

pub(crate) async fn are_finished_once(subject: &impl Subject) {
    let store = subject.store();
    let mut entry = log("acme", "phone", 0);
    let untouched = log("acme", "phone", -1);
    store
        .append_logs(&[entry.clone(), untouched.clone()])
        .await
        .unwrap();

    let mut result = LogResult::new(LogStatus::Success);
    result.request_id = Some("req-2".to_owned());
    result.response = Some(json!({"id": "C1"}));
    result.error_message = Some("only a warning".to_owned());
    result.http_status = Some(201);
    result.duration = Some(Duration::from_millis(80));
    store.finish_log(entry.id, &result).await.unwrap();
    entry.status = LogStatus::Success;
    entry.request_id.clone_from(&result.request_id);
    entry.response.clone_from(&result.response);
    entry.error_message.clone_from(&result.error_message);
    entry.http_status = result.http_status;
    entry.duration = result.duration;
    let expected = [entry.clone(), untouched];
    assert_eq!(
        store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap(),
        expected
    );

    // It has ended, and stays as it is.
    let mut late = LogResult::new(LogStatus::Failed);
    late.error_message = Some("timed out".to_owned());
    store.finish_log(entry.id, &late).await.unwrap();
    assert_eq!(
        store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap(),
        expected
    );

    // What the result does not say stays as it was.
    let mut known = log("acme", "phone", 1);
    known.request_id = Some("req-3".to_owned());
    known.response = Some(json!("begun"));
    known.duration = Some(Duration::from_millis(5));
    store
        .append_logs(std::slice::from_ref(&known))
        .await
        .unwrap();
    store.finish_log(known.id, &late).await.unwrap();
    known.status = LogStatus::Failed;
    known.error_message.clone_from(&late.error_message);
    let newest = LogFilter::new().limit(1);
    assert_eq!(store.logs(&EVERYBODY, &newest).await.unwrap(), [known]);

    let result = store.finish_log(LogId::generate(), &late).await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}

pub(crate) async fn are_shown_newest_first(subject: &impl Subject) {
    let store = subject.store();
    let old = log("acme", "phone", -10);
    let one = log("acme", "phone", 0);
    let two = log("acme", "phone", 0);
    let mut late_id_old_time = log("beta", "phone", -20);
    late_id_old_time.id = LogId::generate();
    let entries = [
        two.clone(),
        old.clone(),
        late_id_old_time.clone(),
        one.clone(),
    ];
    store.append_logs(&entries).await.unwrap();
    let (first, second) = if one.id > two.id {
        (one, two)
    } else {
        (two, one)
    };
    let stored = store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap();
    assert_eq!(
        ids(&stored),
        [first.id, second.id, old.id, late_id_old_time.id]
    );
}

pub(crate) async fn are_shown_as_the_filter_says(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, plain("acme", &template)).await;
    let mut of_row = log("acme", "phone", 4);
    of_row.integration = Some(row.id);
    let mut failed = log("acme", "phone", 3);
    failed.status = LogStatus::Failed;
    let crm = log("acme", "crm", 2);
    let beta = log("beta", "phone", 1);
    store
        .append_logs(&[beta.clone(), crm.clone(), failed.clone(), of_row.clone()])
        .await
        .unwrap();

    let acme = Scope::from(tenant("acme"));
    let show =
        async |scope: &Scope, filter: LogFilter| ids(&store.logs(scope, &filter).await.unwrap());
    let filter = LogFilter::new;
    let all = [of_row.id, failed.id, crm.id, beta.id];
    assert_eq!(show(&EVERYBODY, filter()).await, all);
    assert_eq!(show(&acme, filter()).await, all[..3]);
    assert_eq!(
        show(&EVERYBODY, filter().integration(row.id)).await,
        [of_row.id]
    );
    assert_eq!(show(&EVERYBODY, filter().provider("crm")).await, [crm.id]);
    assert_eq!(show(&acme, filter().provider("phone")).await, all[..2]);
    assert_eq!(
        show(&EVERYBODY, filter().status(LogStatus::Failed)).await,
        [failed.id]
    );
    assert_eq!(show(&acme, filter().status(LogStatus::Success)).await, []);
    // Not older than the one, older than the other.
    assert_eq!(show(&EVERYBODY, filter().from(at(2))).await, all[..3]);
    assert_eq!(show(&EVERYBODY, filter().until(at(2))).await, [beta.id]);
    assert_eq!(
        show(&EVERYBODY, filter().from(at(2)).until(at(4))).await,
        all[1..3]
    );
    let narrow = filter()
        .provider("phone")
        .status(LogStatus::Pending)
        .from(at(0))
        .until(at(9))
        .after(failed.id)
        .limit(1);
    assert_eq!(show(&EVERYBODY, narrow).await, [beta.id]);
    assert_eq!(show(&EVERYBODY, filter().limit(0)).await, []);
}

pub(crate) async fn are_shown_page_by_page(subject: &impl Subject) {
    let store = subject.store();
    // Several of one moment, so that a page ends among them.
    let entries: Vec<_> = (0..23)
        .map(|number| log("acme", "phone", number / 5))
        .collect();
    store.append_logs(&entries).await.unwrap();
    let acme = Scope::from(tenant("acme"));
    let whole = ids(&store.logs(&acme, &LogFilter::new()).await.unwrap());
    assert_eq!(whole.len(), 23);

    let mut pages = Vec::new();
    let mut filter = LogFilter::new().limit(4);
    loop {
        let page = ids(&store.logs(&acme, &filter).await.unwrap());
        let Some(&last) = page.last() else { break };
        // What comes in meanwhile is newer, and does not shift the pages.
        store
            .append_logs(&[log("acme", "phone", 100)])
            .await
            .unwrap();
        filter = filter.after(last);
        pages.extend(page);
    }
    assert_eq!(pages, whole);
}

pub(crate) async fn are_capped(subject: &impl Subject) {
    let store = subject.store();
    let entries: Vec<_> = (0..1_101)
        .map(|number| log("acme", "phone", number))
        .collect();
    store.append_logs(&entries).await.unwrap();
    let show = async |filter: LogFilter| store.logs(&EVERYBODY, &filter).await.unwrap();
    assert_eq!(show(LogFilter::new()).await.len(), 100);
    assert_eq!(show(LogFilter::new().limit(999)).await.len(), 999);
    let most = show(LogFilter::new().limit(u32::MAX)).await;
    assert_eq!(most.len(), 1_000);
    assert_eq!(most[0].id, entries[1_100].id);
}

pub(crate) async fn forget_the_oldest_first(subject: &impl Subject) {
    let store = subject.store();
    let entries: Vec<_> = (0..6).map(|number| log("acme", "phone", number)).collect();
    store.append_logs(&entries).await.unwrap();
    let left = async || {
        let mut left = ids(&store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap());
        left.reverse();
        left
    };
    let expected = ids(&entries);
    assert_eq!(store.delete_logs(at(4), 3).await.unwrap(), 3);
    assert_eq!(left().await, expected[3..]);
    assert_eq!(store.delete_logs(at(4), 0).await.unwrap(), 0);
    assert_eq!(store.delete_logs(at(4), 3).await.unwrap(), 1);
    assert_eq!(left().await, expected[4..]);
    assert_eq!(store.delete_logs(at(4), 3).await.unwrap(), 0);
}

/// A call may end, and be logged, after its integration was deleted. One of another tenant is as good as none.
pub(crate) async fn outlive_their_integration(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, plain("acme", &template)).await;
    let mut entry = log("acme", "phone", 0);
    entry.integration = Some(row.id);
    let mut stranger = log("umbrella", "phone", 1);
    stranger.integration = Some(row.id);
    store
        .append_logs(std::slice::from_ref(&stranger))
        .await
        .unwrap();
    stranger.integration = None;
    let logs = store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap();
    assert_eq!(logs, [stranger.clone()]);
    store.delete_integration(&EVERYBODY, row.id).await.unwrap();
    store
        .append_logs(std::slice::from_ref(&entry))
        .await
        .unwrap();
    entry.integration = None;
    assert_eq!(
        store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap(),
        [stranger, entry]
    );
}
