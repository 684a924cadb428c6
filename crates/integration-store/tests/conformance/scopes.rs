use integration_core::Scope;
use integration_core::store::{IntegrationFilter, LogFilter, StoreError};

use super::Subject;
use super::samples::{EVERYBODY, entry, full, ids, log, read, tenant, with_template};
use integration_core::status::Status;

pub(crate) async fn hide_every_row_of_another_tenant(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = full("acme", &template);
    let history = [entry(12, Status::Error, "created")];
    store.insert_integration(&row, &history).await.unwrap();
    let mut logged = log("acme", "phone", 0);
    logged.integration = Some(row.id);
    store
        .append_logs(std::slice::from_ref(&logged))
        .await
        .unwrap();

    // Names that a careless comparison would take for the right one.
    for stranger in ["umbrella", "", "Acme", "acme ", "%", "acm_"] {
        let stranger = Scope::from(tenant(stranger));
        assert!(
            store
                .integration(&stranger, row.id)
                .await
                .unwrap()
                .is_none()
        );
        let all = store
            .integrations(&stranger, &IntegrationFilter::new())
            .await
            .unwrap();
        assert!(all.is_empty());
        let filter = IntegrationFilter::new()
            .vendor("phone")
            .status(Status::Error);
        assert!(
            store
                .integrations(&stranger, &filter)
                .await
                .unwrap()
                .is_empty()
        );
        let found = store
            .integrations_by_source(&stranger, "phone", "LOC-1")
            .await;
        assert!(found.unwrap().is_empty());
        let endpoint = row.endpoints[0].id;
        let found = store.integration_by_endpoint(&stranger, endpoint).await;
        assert!(found.unwrap().is_none());

        let mut changed = row.clone();
        changed.name = "mine now".to_owned();
        changed.state.version = 13;
        for expected in [12, 13] {
            let result = store
                .update_integration(&stranger, &changed, expected, &[])
                .await;
            assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
        }
        let result = store.delete_integration(&stranger, row.id).await;
        assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");
        let result = store.history(&stranger, row.id, 10).await;
        assert!(matches!(result, Err(StoreError::NotFound)), "{result:?}");

        for filter in [LogFilter::new(), LogFilter::new().integration(row.id)] {
            assert!(store.logs(&stranger, &filter).await.unwrap().is_empty());
        }
    }
    assert!(read(&*store, row.id).await == row);

    // An entry that is not within the scope is no place to go on from either.
    let mine = log("umbrella", "phone", -10);
    store.append_logs(&[mine]).await.unwrap();
    let filter = LogFilter::new().after(logged.id);
    let umbrella = Scope::from(tenant("umbrella"));
    assert!(store.logs(&umbrella, &filter).await.unwrap().is_empty());
}

pub(crate) async fn show_an_administrator_everything(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let acme = full("acme", &template);
    let beta = full("beta", &template);
    for row in [&beta, &acme] {
        let history = [entry(12, Status::Error, "created")];
        store.insert_integration(row, &history).await.unwrap();
        store
            .append_logs(&[log(row.tenant.as_str(), "phone", 0)])
            .await
            .unwrap();
    }
    let all = store
        .integrations(&EVERYBODY, &IntegrationFilter::new())
        .await
        .unwrap();
    assert_eq!(ids(&all), [acme.id, beta.id]);
    let found = store
        .integrations_by_source(&EVERYBODY, "phone", "LOC-1")
        .await
        .unwrap();
    assert_eq!(ids(&found), [acme.id, beta.id]);
    assert_eq!(
        store
            .logs(&EVERYBODY, &LogFilter::new())
            .await
            .unwrap()
            .len(),
        2
    );
    for mut row in [acme, beta] {
        assert_eq!(
            store.history(&EVERYBODY, row.id, 10).await.unwrap().len(),
            1
        );
        let endpoint = row.endpoints[0].id;
        assert!(
            store
                .integration_by_endpoint(&EVERYBODY, endpoint)
                .await
                .unwrap()
                .is_some()
        );
        row.state.version = 13;
        store
            .update_integration(&EVERYBODY, &row, 12, &[])
            .await
            .unwrap();
        store.delete_integration(&EVERYBODY, row.id).await.unwrap();
    }
}
