//! Values that an older system sealed: read once, and sealed anew.

use std::sync::Arc;

use integration_core::Scope;
use integration_core::instance::IntegrationError;
use integration_core::store::IntegrationStore;
use integration_core::vault::{Legacy, StoredForm, VaultError};

use crate::acme::{AcmeClient, Config, KEY};
use crate::world::{World, builder, tenant, vault};

const ALL: Scope = Scope::Administrator;
const OLDER_SECRET: &str = "the older system's secret";
/// `{"api_key":"sk_live_abc"}` under that secret.
const OLDER: &str = "2804bad6fe94a55f18b2b37e300919a5:eff6841f84e9cda9d922773c417d6007b82d52e9ec1f8b7524a24d87fbbf1cda";

#[tokio::test(start_paused = true)]
async fn a_value_of_the_older_form_is_sealed_anew_when_it_is_first_read() {
    let world = World::new().await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    let mut row = world.store.integration(&ALL, id).await.unwrap().unwrap();
    let read = row.state.version;
    row.config
        .sealed
        .insert("api_key".to_owned(), OLDER.to_owned());
    row.state.version += 1;
    world
        .store
        .update_integration(&ALL, &row, read, &[])
        .await
        .unwrap();

    // Whoever was not told of such values does not take them.
    let refused = world.integrations.client::<AcmeClient>(tenant(), id).await;
    let Err(IntegrationError::Vault { source, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(source, VaultError::Malformed);

    let legacy = Arc::new(Legacy::new(&OLDER_SECRET.into()).unwrap());
    let it = builder(&world.store, vault(), &world.acme)
        .legacy(Arc::clone(&legacy))
        .build()
        .await
        .unwrap();
    let client = it.client::<AcmeClient>(tenant(), id).await.unwrap();
    client.account().await.unwrap_err();
    assert_eq!(world.acme.requests(), [r#"{"api_key":"sk_live_abc"}"#]);

    let row = world.store.integration(&ALL, id).await.unwrap().unwrap();
    let form = StoredForm::of(&row.config.sealed["api_key"]);
    assert!(matches!(form, StoredForm::Sealed { .. }), "{form:?}");
    legacy.set_allowed(false);
    world
        .integrations
        .client::<AcmeClient>(tenant(), id)
        .await
        .unwrap();
    assert_eq!(world.acme.connects(), 2);
}
