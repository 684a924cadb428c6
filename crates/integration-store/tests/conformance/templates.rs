use chrono::TimeDelta;
use integration_core::TemplateId;
use integration_core::store::StoreError;

use super::Subject;
use super::samples::{at, full_template, plain, plain_template, with, with_template};

pub(crate) async fn come_back_as_they_were_written(subject: &impl Subject) {
    let store = subject.store();
    for template in [plain_template("plain"), full_template("full")] {
        store.insert_template(&template).await.unwrap();
        let by_id = store.template(template.id).await.unwrap();
        assert_eq!(by_id.as_ref(), Some(&template));
        let by_name = store.template_named(&template.name).await.unwrap();
        assert_eq!(by_name.as_ref(), Some(&template));
    }
    assert_eq!(store.template(TemplateId::generate()).await.unwrap(), None);
    assert_eq!(store.template_named("Full").await.unwrap(), None);
}

pub(crate) async fn have_one_name_and_one_id(subject: &impl Subject) {
    let store = subject.store();
    let first = with_template(&*store, "first").await;

    let same_name = plain_template("first");
    let mut same_id = plain_template("second");
    same_id.id = first.id;
    for second in [same_name, same_id] {
        let error = store.insert_template(&second).await.unwrap_err();
        assert!(matches!(error, StoreError::AlreadyExists), "{error:?}");
    }
    assert_eq!(
        store
            .templates(&integration_core::Scope::Administrator)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.template(first.id).await.unwrap(), Some(first));
}

pub(crate) async fn are_seeded_where_they_are_missing(subject: &impl Subject) {
    let store = subject.store();
    let mut kept = full_template("kept");
    kept.description = "edited by the administrator".to_owned();
    store.insert_template(&kept).await.unwrap();

    let new = full_template("new");
    let seed = [full_template("kept"), new.clone()];
    assert_eq!(store.seed_templates(&seed).await.unwrap(), 1);
    assert_eq!(store.template_named("kept").await.unwrap(), Some(kept));
    assert_eq!(store.template_named("new").await.unwrap(), Some(new));

    assert_eq!(store.seed_templates(&seed).await.unwrap(), 0);
    assert_eq!(store.seed_templates(&[]).await.unwrap(), 0);
}

pub(crate) async fn are_seeded_once_by_several_processes_at_once(subject: &impl Subject) {
    let names: Vec<String> = (0..6).map(|number| format!("vendor-{number}")).collect();
    let mut starting = tokio::task::JoinSet::new();
    for process in 0..4 {
        let store = subject.reopened().await;
        let mut seed: Vec<_> = names.iter().map(|name| plain_template(name)).collect();
        // Not all list them in the same order.
        seed.rotate_left(process);
        starting.spawn(async move { store.seed_templates(&seed).await.unwrap() });
    }
    let written: u64 = starting.join_all().await.into_iter().sum();
    assert_eq!(written, 6);
    let there = subject
        .store()
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap();
    let there: Vec<_> = there
        .into_iter()
        .map(|summary| summary.template.name)
        .collect();
    assert_eq!(there, names);
}

pub(crate) async fn are_listed_by_name_with_the_number_of_their_users(subject: &impl Subject) {
    let store = subject.store();
    for name in ["beta", "Zeta", "alpha", "a_b", "ab"] {
        with_template(&*store, name).await;
    }
    let used = with_template(&*store, "used").await;
    for tenant in ["acme", "acme", "umbrella"] {
        with(&*store, plain(tenant, &used)).await;
    }
    let there: Vec<_> = store
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap()
        .into_iter()
        .map(|summary| (summary.template.name, summary.integrations))
        .collect();
    let expected = [
        ("Zeta", 0),
        ("a_b", 0),
        ("ab", 0),
        ("alpha", 0),
        ("beta", 0),
        ("used", 3),
    ];
    assert_eq!(
        there,
        expected.map(|(name, users)| (name.to_owned(), users))
    );
    for (tenant, users) in [("acme", 2), ("umbrella", 1), ("nobody", 0)] {
        let scope = integration_core::Scope::from(integration_core::TenantId::from(tenant));
        let there = store.templates(&scope).await.unwrap();
        assert_eq!(there.len(), 6, "all are shown to {tenant}");
        let used = there.last().unwrap();
        assert_eq!(
            (used.template.name.as_str(), used.integrations),
            ("used", users)
        );
    }
}

pub(crate) async fn are_written_over_the_version_that_was_read(subject: &impl Subject) {
    let store = subject.store();
    let taken = with_template(&*store, "taken").await;
    let mut template = with_template(&*store, "phone").await;
    let read = template.updated_at;
    let id = template.id;
    template = full_template("phone");
    template.id = id;
    template.updated_at = read + TimeDelta::microseconds(1);
    store.update_template(&template, read).await.unwrap();
    assert_eq!(store.template(id).await.unwrap().as_ref(), Some(&template));

    let mut late = template.clone();
    late.description = "late".to_owned();
    late.updated_at = at(500);
    let error = store.update_template(&late, read).await.unwrap_err();
    assert!(matches!(error, StoreError::VersionConflict), "{error:?}");

    late.name.clone_from(&taken.name);
    let error = store
        .update_template(&late, template.updated_at)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::AlreadyExists), "{error:?}");
    assert_eq!(store.template(id).await.unwrap(), Some(template));

    late.id = TemplateId::generate();
    let error = store.update_template(&late, read).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound), "{error:?}");
}

pub(crate) async fn are_changed_by_one_of_several_at_once(subject: &impl Subject) {
    let template = with_template(&*subject.store(), "phone").await;
    let mut writing = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = subject.store();
        let mut changed = template.clone();
        changed.description = format!("writer {writer}");
        changed.updated_at = at(200 + writer);
        let read = template.updated_at;
        writing.spawn(async move { (writer, store.update_template(&changed, read).await) });
    }
    let mut winner = None;
    for (writer, result) in writing.join_all().await {
        match result {
            Ok(()) => assert_eq!(winner.replace(writer), None, "two of them won"),
            Err(error) => assert!(matches!(error, StoreError::VersionConflict), "{error:?}"),
        }
    }
    let stored = subject
        .store()
        .template(template.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.description, format!("writer {}", winner.unwrap()));
}

pub(crate) async fn cannot_be_deleted_while_in_use(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let one = with(&*store, plain("acme", &template)).await;
    let two = with(&*store, plain("umbrella", &template)).await;

    let error = store.delete_template(template.id).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { count: 2 }), "{error:?}");
    assert!(store.template(template.id).await.unwrap().is_some());

    for row in [one, two] {
        store
            .delete_integration(&(&row.tenant).into(), row.id)
            .await
            .unwrap();
    }
    store.delete_template(template.id).await.unwrap();
    assert_eq!(store.template(template.id).await.unwrap(), None);
    let error = store.delete_template(template.id).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound), "{error:?}");
}
