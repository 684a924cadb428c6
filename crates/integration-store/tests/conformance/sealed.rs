use std::collections::BTreeSet;

use integration_core::instance::StoredIntegration;
use integration_core::store::{SealedValue, StoreError};

use super::samples::{EVERYBODY, config, endpoint, full, read, with, with_template};
use super::{Ports, Subject};

/// Reads the whole sweep in pages.
async fn sweep(store: &dyn Ports, page: u32) -> Vec<SealedValue> {
    let mut all: Vec<SealedValue> = Vec::new();
    loop {
        let cursor = all.last().map(|value| value.cursor.clone());
        let values = store.sealed_values(cursor.as_ref(), page).await.unwrap();
        assert!(values.len() <= page as usize);
        if values.is_empty() {
            return all;
        }
        all.extend(values);
    }
}

/// What a value is bound to, and itself.
fn bound(value: &SealedValue) -> (String, String, String, String) {
    (
        value.tenant.to_string(),
        value.instance.clone(),
        value.field.clone(),
        value.value.clone(),
    )
}

/// What the sweep has to show of an instance.
fn expected(row: &StoredIntegration) -> BTreeSet<(String, String, String, String)> {
    let credentials = std::iter::once(&row.config)
        .chain(&row.serving)
        .flat_map(|config| config.sealed.clone());
    let webhooks = row.endpoints.iter().flat_map(|endpoint| {
        endpoint.webhooks.iter().filter_map(|webhook| {
            let field = format!("webhook.{}.{}", endpoint.id, webhook.vendor_webhook_id);
            Some((field, webhook.secret.clone()?))
        })
    });
    credentials
        .chain(webhooks)
        .map(|(field, value)| (row.tenant.to_string(), row.id.to_string(), field, value))
        .collect()
}

pub(crate) async fn shows_every_value_with_what_it_is_bound_to(subject: &impl Subject) {
    let store = subject.store();
    assert_eq!(sweep(&*store, 3).await, []);
    let template = with_template(&*store, "phone").await;
    let mut wanted = BTreeSet::new();
    for tenant in ["acme", "beta"] {
        let row = with(&*store, full(tenant, &template)).await;
        wanted.extend(expected(&row));
    }
    assert_eq!(wanted.len(), 10);
    let whole = sweep(&*store, 100).await;
    assert_eq!(whole.len(), 10);
    assert_eq!(whole.iter().map(bound).collect::<BTreeSet<_>>(), wanted);
    let places: BTreeSet<_> = whole.iter().map(|value| &value.place).collect();
    assert_eq!(places.len(), 10, "two values in one place");
    for page in [1, 2, 3, 4, 6, 10] {
        assert_eq!(sweep(&*store, page).await, whole, "pages of {page}");
    }
}

pub(crate) async fn goes_on_where_a_page_ended_while_values_change(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut rows = Vec::new();
    for tenant in ["acme", "beta", "gamma"] {
        rows.push(with(&*store, full(tenant, &template)).await);
    }
    let before: BTreeSet<_> = rows.iter().flat_map(expected).collect();
    let mut seen = BTreeSet::new();
    let mut cursor = None;
    let mut pages = 0;
    loop {
        let values = store.sealed_values(cursor.as_ref(), 2).await.unwrap();
        let Some(last) = values.last() else { break };
        cursor = Some(last.cursor.clone());
        for value in &values {
            assert!(seen.insert(bound(value)), "seen twice");
            // A longer value, so that no order by values would survive.
            let renewed = format!("zz.{}", value.value);
            assert!(store.replace_sealed(value, &renewed).await.unwrap());
        }
        pages += 1;
        if pages == 2 {
            store
                .delete_integration(&EVERYBODY, rows[0].id)
                .await
                .unwrap();
        }
        assert!(pages < 100, "the sweep does not end");
    }
    let of_others = |bound: &&(String, String, String, String)| bound.0 != "acme";
    let missed: Vec<_> = before.difference(&seen).filter(of_others).collect();
    assert!(missed.is_empty(), "{missed:?}");
    let left = sweep(&*store, 100).await;
    assert_eq!(left.len(), 10);
    assert!(left.iter().all(|value| value.value.starts_with("zz.")));
}

pub(crate) async fn replaces_exactly_what_was_read(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, full("acme", &template)).await;
    for value in sweep(&*store, 100).await {
        let renewed = format!("renewed.{}", value.value);
        assert!(store.replace_sealed(&value, &renewed).await.unwrap());
        // Read before that, and therefore too late.
        assert!(!store.replace_sealed(&value, "lost").await.unwrap());
    }
    let mut wanted = row.clone();
    let renew = |value: &mut String| value.insert_str(0, "renewed.");
    wanted.config.sealed.values_mut().for_each(renew);
    wanted
        .serving
        .as_mut()
        .unwrap()
        .sealed
        .values_mut()
        .for_each(renew);
    for endpoint in &mut wanted.endpoints {
        endpoint
            .webhooks
            .iter_mut()
            .filter_map(|hook| hook.secret.as_mut())
            .for_each(renew);
    }
    let stored = read(&*store, row.id).await;
    wanted.state.version = stored.state.version;
    assert!(stored == wanted);

    let value = sweep(&*store, 1).await.remove(0);
    store.delete_integration(&EVERYBODY, row.id).await.unwrap();
    assert!(!store.replace_sealed(&value, "nowhere").await.unwrap());
}

/// A rotation must not be undone by somebody who read the old value before it and writes it after.
pub(crate) async fn is_not_undone_by_a_change_that_was_computed_before(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let mut row = full("acme", &template);
    row.config = config(1, &[("api_key", "icv1.old")]);
    row.serving = None;
    row.endpoints = vec![endpoint("one")];
    let row = with(&*store, row).await;
    for value in sweep(&*store, 100).await {
        let before = read(&*store, row.id).await;
        assert!(store.replace_sealed(&value, "icv1.renewed").await.unwrap());
        let mut unaware = before.clone();
        unaware.name = "renamed".to_owned();
        unaware.state.version += 1;
        let result = store
            .update_integration(&EVERYBODY, &unaware, before.state.version, &[])
            .await;
        assert!(
            matches!(result, Err(StoreError::VersionConflict)),
            "{result:?}"
        );
    }
    let values = sweep(&*store, 100).await;
    assert_eq!(values.len(), 2);
    assert!(values.iter().all(|value| value.value == "icv1.renewed"));
}
