use integration_core::status::{CredentialsVersion, ReasonCode, Status};
use integration_core::store::{IntegrationFilter, LogFilter, StoreError};
use integration_core::{Actor, EndpointId, IntegrationId, TemplateId};
use serde_json::json;

use super::Subject;
use super::samples::{
    EVERYBODY, at, config, endpoint, entry, full, ids, log, plain, plain_template, read, state,
    tenant, with, with_template,
};

pub(crate) async fn come_back_as_they_were_written(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    for row in [plain("acme", &template), full("acme", &template)] {
        store.insert_integration(&row, &[]).await.unwrap();
        let stored = store
            .integration(&EVERYBODY, row.id)
            .await
            .unwrap()
            .unwrap();
        assert!(stored == row, "{stored:?} is not {row:?}");
        let stored = store
            .integration(&(&row.tenant).into(), row.id)
            .await
            .unwrap();
        assert!(stored == Some(row));
    }
    let missing = store
        .integration(&EVERYBODY, IntegrationId::generate())
        .await;
    assert!(missing.unwrap().is_none());
}

pub(crate) async fn hold_any_text_and_number(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut row = full("o'neill; drop table main.integrations --", &template);
    row.name = "main.integrations json_object( \"Zoë\" 電話 %_\\ \n\t".to_owned();
    row.description = Some(String::new());
    row.settings = json!({"": "", "$1": "\u{1F600}", "big": u64::MAX, "low": i64::MIN, "f": 0.1})
        .as_object()
        .unwrap()
        .clone();
    row.config = config(u64::MAX, &[("", "icv1"), ("field.with.dots", "a:b:c")]);
    row.state.credentials = CredentialsVersion(u64::MAX);
    row.state.consecutive_failures = u32::MAX;
    row.state.version = u64::MAX;
    row.state.reason = Some(ReasonCode::Unknown("meteor_strike".to_owned()));
    row.source_ids = ["twice", "twice", ""].map(str::to_owned).to_vec();
    row.last_test_data = Some(json!(null));
    store.insert_integration(&row, &[]).await.unwrap();
    assert!(read(&*store, row.id).await == row);

    let mut next = row.clone();
    next.state.version = 1;
    store
        .update_integration(&EVERYBODY, &next, u64::MAX, &[])
        .await
        .unwrap();
    assert!(read(&*store, row.id).await == next);
}

pub(crate) async fn need_their_template(subject: &impl Subject) {
    let store = subject.store();
    let mut gone = plain_template("phone");
    gone.id = TemplateId::generate();
    let row = full("acme", &gone);
    let history = [entry(1, Status::Pending, "created")];
    let error = store.insert_integration(&row, &history).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound), "{error:?}");
    assert!(
        store
            .integration(&EVERYBODY, row.id)
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn have_ids_of_their_own(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let first = with(&*store, full("acme", &template)).await;

    let mut same_id = plain("umbrella", &template);
    same_id.id = first.id;
    let mut same_endpoint = plain("umbrella", &template);
    same_endpoint.endpoints = vec![endpoint("new"), first.endpoints[0].clone()];
    let mut one_endpoint_twice = plain("umbrella", &template);
    let twice = endpoint("twice");
    one_endpoint_twice.endpoints = vec![twice.clone(), twice.clone()];
    let mut one_webhook_twice = plain("umbrella", &template);
    one_webhook_twice.endpoints = vec![twice];
    one_webhook_twice.endpoints[0].webhooks[1].vendor_webhook_id = "WH-twice-b".to_owned();
    let taken = [
        &same_id,
        &same_endpoint,
        &one_endpoint_twice,
        &one_webhook_twice,
    ];
    for second in taken {
        let error = store.insert_integration(second, &[]).await.unwrap_err();
        assert!(matches!(error, StoreError::AlreadyExists), "{error:?}");
    }
    let all = store
        .integrations(&EVERYBODY, &IntegrationFilter::new())
        .await
        .unwrap();
    assert!(all == [first]);
    let unwritten = same_endpoint.endpoints[0].id;
    assert!(
        store
            .integration_by_endpoint(&EVERYBODY, unwritten)
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn are_listed_by_tenant_and_age(subject: &impl Subject) {
    let store = subject.store();
    let phone = with_template(&*store, "phone").await;
    let crm = with_template(&*store, "crm").await;
    let old = plain("acme", &phone);
    let mut young = plain("acme", &crm);
    young.state = state(Status::Active, 1);
    let capital = plain("Zebra", &phone);
    let mut other = plain("beta", &phone);
    other.state = state(Status::Active, 1);
    for row in [&other, &young, &capital, &old] {
        store.insert_integration(row, &[]).await.unwrap();
    }
    let list = async |filter: IntegrationFilter| {
        ids(&store.integrations(&EVERYBODY, &filter).await.unwrap())
    };
    let filter = IntegrationFilter::new;
    assert_eq!(
        list(filter()).await,
        [capital.id, old.id, young.id, other.id]
    );
    assert_eq!(
        list(filter().vendor("phone")).await,
        [capital.id, old.id, other.id]
    );
    assert_eq!(
        list(filter().status(Status::Active)).await,
        [young.id, other.id]
    );
    assert_eq!(
        list(filter().vendor("crm").status(Status::Active)).await,
        [young.id]
    );
    assert_eq!(list(filter().vendor("crm").status(Status::Error)).await, []);
    assert_eq!(list(filter().vendor("fax")).await, []);
}

pub(crate) async fn are_found_by_source(subject: &impl Subject) {
    let store = subject.store();
    let phone = with_template(&*store, "phone").await;
    let crm = with_template(&*store, "crm").await;
    let with_sources = |tenant, template, sources: &[&str]| {
        let mut row = plain(tenant, template);
        row.source_ids = sources.iter().map(|&source| source.to_owned()).collect();
        row
    };
    let acme = with(&*store, with_sources("acme", &phone, &["L1", "L2", "L1"])).await;
    let beta = with(&*store, with_sources("beta", &phone, &["L1"])).await;
    let other_vendor = with(&*store, with_sources("acme", &crm, &["L1"])).await;

    let find = async |vendor: &str, source: &str| {
        ids(&store
            .integrations_by_source(&EVERYBODY, vendor, source)
            .await
            .unwrap())
    };
    assert_eq!(find("phone", "L1").await, [acme.id, beta.id]);
    assert_eq!(find("phone", "L2").await, [acme.id]);
    assert_eq!(find("crm", "L1").await, [other_vendor.id]);
    assert_eq!(find("crm", "L2").await, []);
    assert_eq!(find("phone", "l1").await, []);

    let mut moved = acme.clone();
    moved.source_ids = vec!["L3".to_owned()];
    moved.state.version = 2;
    store
        .update_integration(&EVERYBODY, &moved, 1, &[])
        .await
        .unwrap();
    assert_eq!(find("phone", "L2").await, []);
    assert_eq!(find("phone", "L1").await, [beta.id]);
    assert_eq!(find("phone", "L3").await, [acme.id]);
}

pub(crate) async fn are_found_by_endpoint(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut row = with(&*store, full("acme", &template)).await;
    with(&*store, full("beta", &template)).await;
    let find = async |endpoint| {
        let found = store
            .integration_by_endpoint(&EVERYBODY, endpoint)
            .await
            .unwrap();
        found.map(|row| row.id)
    };
    let gone = row.endpoints[0].id;
    let kept = row.endpoints[1].id;
    assert_eq!(find(gone).await, Some(row.id));
    assert_eq!(find(kept).await, Some(row.id));
    assert_eq!(find(EndpointId::generate()).await, None);

    row.endpoints.remove(0);
    row.state.version = 13;
    store
        .update_integration(&EVERYBODY, &row, 12, &[])
        .await
        .unwrap();
    assert_eq!(find(gone).await, None);
    assert_eq!(find(kept).await, Some(row.id));
}

pub(crate) async fn are_written_over_the_version_that_was_read(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, plain("acme", &template)).await;

    let mut next = row.clone();
    next.name = "Back office".to_owned();
    next.state.version = 2;
    store
        .update_integration(&EVERYBODY, &next, 1, &[])
        .await
        .unwrap();

    let mut late = row.clone();
    late.name = "too late".to_owned();
    late.state.version = 2;
    for expected in [0, 1, 3] {
        let result = store
            .update_integration(&EVERYBODY, &late, expected, &[])
            .await;
        assert!(
            matches!(result, Err(StoreError::VersionConflict)),
            "{result:?}"
        );
    }
    assert!(read(&*store, row.id).await == next);

    let missing = plain("acme", &template);
    let result = store.update_integration(&EVERYBODY, &missing, 1, &[]).await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}

pub(crate) async fn keep_what_never_changes(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let other = with_template(&*store, "crm").await;
    let row = with(&*store, full("acme", &template)).await;

    let mut next = row.clone();
    next.tenant = tenant("umbrella");
    next.template = other.id;
    next.vendor = other.name;
    next.created_at = at(999);
    next.created_by = Some(Actor::from("somebody else"));
    next.description = None;
    next.state.version = 13;
    store
        .update_integration(&EVERYBODY, &next, 12, &[])
        .await
        .unwrap();

    let mut expected = row;
    expected.description = None;
    expected.state.version = 13;
    assert!(read(&*store, expected.id).await == expected);
}

pub(crate) async fn are_changed_with_all_their_parts(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let plain_row = with(&*store, plain("acme", &template)).await;

    // From nothing to everything, and through every kind of change of a part, back to nothing.
    let mut everything = full("acme", &template);
    everything.id = plain_row.id;
    everything.created_at = plain_row.created_at;
    everything.created_by = None;
    everything.state.version = 2;
    let mut parts_changed = everything.clone();
    parts_changed.state.version = 3;
    parts_changed.serving = None;
    parts_changed.config = config(8, &[("api_secret", "icv1.other"), ("token", "icv1.token")]);
    parts_changed.source_ids.reverse();
    parts_changed.endpoints.reverse();
    parts_changed.endpoints[0].webhooks.reverse();
    parts_changed.endpoints[1].webhooks[0].secret = None;
    parts_changed.endpoints[1].url = "https://elsewhere.example".to_owned();
    parts_changed.endpoints.insert(1, endpoint("three"));
    let mut fewer = parts_changed.clone();
    fewer.state.version = 4;
    fewer.config.version = CredentialsVersion(9);
    fewer.serving = Some(config(8, &[]));
    fewer.endpoints.remove(0);
    let mut nothing = plain_row.clone();
    nothing.state.version = 5;
    let steps = [everything, parts_changed, fewer, nothing];
    for (step, row) in (1..).zip(&steps) {
        store
            .update_integration(&EVERYBODY, row, step, &[])
            .await
            .unwrap();
        assert!(read(&*store, row.id).await == *row, "step {step}");
    }
    assert_eq!(store.sealed_values(None, 100).await.unwrap(), []);
}

pub(crate) async fn are_changed_by_one_of_several_at_once(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, full("acme", &template)).await;
    let mut expected = row.state.version;
    for round in 0..5 {
        let mut writing = tokio::task::JoinSet::new();
        for writer in 0..8_u64 {
            let store = subject.store();
            let mut changed = row.clone();
            changed.name = format!("round {round}, writer {writer}");
            changed.config = config(8, &[("api_key", &format!("icv1.{round}.{writer}"))]);
            changed.state.version = expected + 1;
            let history = [entry(expected + 1, Status::Active, &changed.name)];
            writing.spawn(async move {
                let name = changed.name.clone();
                let scope = (&changed.tenant).into();
                (
                    name,
                    store
                        .update_integration(&scope, &changed, expected, &history)
                        .await,
                )
            });
        }
        let mut winner = None;
        for (name, result) in writing.join_all().await {
            match result {
                Ok(()) => assert_eq!(winner.replace(name), None, "two of them won"),
                Err(error) => assert!(matches!(error, StoreError::VersionConflict), "{error:?}"),
            }
        }
        expected += 1;
        let stored = read(&*store, row.id).await;
        let history = store.history(&EVERYBODY, row.id, 100).await.unwrap();
        assert_eq!(Some(&stored.name), winner.as_ref());
        assert_eq!(Some(&history[0].event), winner.as_ref());
        assert_eq!(history.len(), round + 1);
        assert_eq!(stored.state.version, expected);
    }
}

pub(crate) async fn leave_nothing_behind_when_a_change_fails(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let default = with(&*store, full("acme", &template)).await;
    let other = with(&*store, plain("acme", &template)).await;

    // It would take the default, change every part and write history, and then it claims another's endpoint.
    let mut greedy = full("acme", &template);
    greedy.id = other.id;
    greedy.state.version = 2;
    greedy.endpoints.push(default.endpoints[0].clone());
    let history = [entry(2, Status::Active, "grabbed")];
    let result = store
        .update_integration(&EVERYBODY, &greedy, 1, &history)
        .await;
    assert!(
        matches!(result, Err(StoreError::AlreadyExists)),
        "{result:?}"
    );

    // And this one comes too late.
    greedy.endpoints.clear();
    let result = store
        .update_integration(&EVERYBODY, &greedy, 7, &history)
        .await;
    assert!(
        matches!(result, Err(StoreError::VersionConflict)),
        "{result:?}"
    );

    assert!(read(&*store, default.id).await == default);
    assert!(read(&*store, other.id).await == other);
    assert_eq!(store.history(&EVERYBODY, other.id, 10).await.unwrap(), []);
}

pub(crate) async fn have_one_default_per_tenant_and_vendor(subject: &impl Subject) {
    let store = subject.store();
    let phone = with_template(&*store, "phone").await;
    let crm = with_template(&*store, "crm").await;
    let default = |tenant, template| {
        let mut row = plain(tenant, template);
        row.is_default = true;
        row
    };
    let first = with(&*store, default("acme", &phone)).await;
    let other_vendor = with(&*store, default("acme", &crm)).await;
    let other_tenant = with(&*store, default("beta", &phone)).await;
    let second = with(&*store, default("acme", &phone)).await;

    let is_default = async |id| read(&*store, id).await.is_default;
    assert!(!is_default(first.id).await);
    assert!(is_default(second.id).await);
    for untouched in [other_vendor, other_tenant] {
        assert!(read(&*store, untouched.id).await == untouched);
    }

    // None is a choice too.
    let mut none = second.clone();
    none.is_default = false;
    none.state.version = 2;
    store
        .update_integration(&EVERYBODY, &none, 1, &[])
        .await
        .unwrap();
    assert!(!is_default(first.id).await);
    assert!(!is_default(second.id).await);
}

pub(crate) async fn pass_the_default_on_in_one_step(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut first = plain("acme", &template);
    first.is_default = true;
    let first = with(&*store, first).await;
    let mut second = with(&*store, plain("acme", &template)).await;
    second.is_default = true;
    second.state.version = 2;
    store
        .update_integration(&EVERYBODY, &second, 1, &[])
        .await
        .unwrap();
    assert!(!read(&*store, first.id).await.is_default);
    assert!(read(&*store, second.id).await == second);

    // Whoever read the first while it was the default does not write the mark back unawares.
    let mut unaware = first.clone();
    unaware.name = "renamed".to_owned();
    unaware.state.version = first.state.version + 1;
    let result = store
        .update_integration(&EVERYBODY, &unaware, first.state.version, &[])
        .await;
    assert!(
        matches!(result, Err(StoreError::VersionConflict)),
        "{result:?}"
    );
    assert!(read(&*store, second.id).await.is_default);
}

pub(crate) async fn have_one_default_after_many_chose_at_once(subject: &impl Subject) {
    let template = with_template(&*subject.store(), "phone").await;
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = subject.reopened().await;
        let mut row = plain("acme", &template);
        row.is_default = true;
        writing.spawn(async move {
            store.insert_integration(&row, &[]).await.unwrap();
            // Then each takes it again.
            loop {
                let mut row = read(&*store, row.id).await;
                let read = row.state.version;
                row.is_default = true;
                row.state.version += 1;
                match store.update_integration(&EVERYBODY, &row, read, &[]).await {
                    Ok(()) => break,
                    Err(error) => {
                        assert!(matches!(error, StoreError::VersionConflict), "{error:?}");
                    }
                }
            }
        });
    }
    writing.join_all().await;
    let all = subject
        .store()
        .integrations(&EVERYBODY, &IntegrationFilter::new())
        .await
        .unwrap();
    assert_eq!(all.len(), 8);
    assert_eq!(all.iter().filter(|row| row.is_default).count(), 1);
}

pub(crate) async fn take_everything_with_them_but_their_logs(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let kept = with(&*store, full("beta", &template)).await;
    let row = full("acme", &template);
    let history = [entry(1, Status::Pending, "created")];
    store.insert_integration(&row, &history).await.unwrap();
    let mut entries = [log("acme", "phone", 0), log("acme", "phone", 1)];
    entries[0].integration = Some(row.id);
    store.append_logs(&entries).await.unwrap();

    store.delete_integration(&EVERYBODY, row.id).await.unwrap();
    assert!(
        store
            .integration(&EVERYBODY, row.id)
            .await
            .unwrap()
            .is_none()
    );
    let endpoint = row.endpoints[0].id;
    assert!(
        store
            .integration_by_endpoint(&EVERYBODY, endpoint)
            .await
            .unwrap()
            .is_none()
    );
    let found = store
        .integrations_by_source(&EVERYBODY, "phone", "LOC-1")
        .await
        .unwrap();
    assert_eq!(ids(&found), [kept.id]);
    let sealed = store.sealed_values(None, 100).await.unwrap();
    assert!(sealed.iter().all(|value| value.tenant == kept.tenant));
    assert_eq!(sealed.len(), 5);
    let result = store.history(&EVERYBODY, row.id, 10).await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");

    let logs = store.logs(&EVERYBODY, &LogFilter::new()).await.unwrap();
    entries[0].integration = None;
    entries.reverse();
    assert_eq!(logs, entries);

    let result = store.delete_integration(&EVERYBODY, row.id).await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
    assert!(read(&*store, kept.id).await == kept);
    // Its ids are free again.
    store.insert_integration(&row, &[]).await.unwrap();
}

pub(crate) async fn tell_their_history_newest_first(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = plain("acme", &template);
    let other = with(&*store, plain("acme", &template)).await;
    let mut first = entry(1, Status::Pending, "created");
    first.actor = Some(Actor::from("user-1"));
    let mut second = entry(1, Status::Error, "test_failed");
    second.from = Some(Status::Pending);
    second.reason = Some(ReasonCode::TestFailed);
    second.message = Some("The key was refused.".to_owned());
    store
        .insert_integration(&row, &[first.clone(), second.clone()])
        .await
        .unwrap();

    // Of the same moment, and then one whose clock went back.
    let mut third = entry(2, Status::Active, "test_passed");
    third.at = at(-5);
    third.reason = Some(ReasonCode::Unknown("newer_reason".to_owned()));
    let mut next = row.clone();
    next.state.version = 2;
    store
        .update_integration(&EVERYBODY, &next, 1, std::slice::from_ref(&third))
        .await
        .unwrap();

    let history = async |limit| store.history(&EVERYBODY, row.id, limit).await.unwrap();
    assert_eq!(history(10).await, [third.clone(), second.clone(), first]);
    assert_eq!(history(2).await, [third, second]);
    assert_eq!(history(0).await, []);
    assert_eq!(store.history(&EVERYBODY, other.id, 10).await.unwrap(), []);
    let result = store
        .history(&EVERYBODY, IntegrationId::generate(), 10)
        .await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}

pub(crate) async fn are_due_for_a_check_by_age(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let due = |tenant, seconds: Option<i64>| {
        let mut row = plain(tenant, &template);
        row.next_check_at = seconds.map(at);
        row
    };
    let long_ago = with(&*store, due("acme", Some(-100))).await;
    let just_now = with(&*store, due("beta", Some(0))).await;
    let a_while = with(&*store, due("acme", Some(-50))).await;
    with(&*store, due("acme", Some(1))).await;
    with(&*store, due("acme", None)).await;

    let list = async |limit| ids(&store.due_for_check(at(0), limit).await.unwrap().rows);
    assert_eq!(list(10).await, [long_ago.id, a_while.id, just_now.id]);
    assert_eq!(list(2).await, [long_ago.id, a_while.id]);
    assert_eq!(list(0).await, []);
    let before = store.due_for_check(at(-101), 10).await.unwrap();
    assert!(before.rows.is_empty() && before.unreadable.is_empty());
}

pub(crate) async fn are_put_off_without_being_read(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut row = full("acme", &template);
    row.next_check_at = Some(at(-100));
    let row = with(&*store, row).await;
    let other = with(&*store, full("beta", &template)).await;

    store.postpone_check(row.id, Some(at(7))).await.unwrap();
    let mut expected = row.clone();
    expected.next_check_at = Some(at(7));
    expected.state.version += 1;
    assert!(read(&*store, row.id).await == expected);
    // Whoever read it before does not write the old time back unawares.
    let result = store
        .update_integration(&EVERYBODY, &row, row.state.version, &[])
        .await;
    assert!(
        matches!(result, Err(StoreError::VersionConflict)),
        "{result:?}"
    );
    store.postpone_check(row.id, None).await.unwrap();
    assert_eq!(read(&*store, row.id).await.next_check_at, None);

    assert!(read(&*store, other.id).await == other);
    let result = store.postpone_check(IntegrationId::generate(), None).await;
    assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
}
