//! Word of work, from one store to another.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{JobStore, SignupHook, StaticDirectory};
use integration_store::{PostgresStore, RecordIn};
use sqlx::Connection;

use crate::places::{ann, tenant};
use crate::server;

#[tokio::test]
async fn workers_hear_of_the_hosts_commit_and_not_before() {
    let Some(schema) = server::schema() else {
        return;
    };
    let builder = PostgresStore::builder().schema(&schema.name);
    let here = builder
        .max_connections(3)
        .connect(schema.url())
        .await
        .unwrap();
    let there = PostgresStore::builder().schema(&schema.name);
    let there = there
        .max_connections(3)
        .connect(schema.url())
        .await
        .unwrap();
    let hook = SignupHook::new(Arc::new(here), StaticDirectory::new().on("a"));
    // Listening begins with a word to oneself: there may have been work before.
    there.work_added().await;
    let mut host = schema.connection().await;
    let mut tx = host.begin().await.unwrap();
    hook.plan(&ann()).record_in(&mut tx).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), there.work_added()).await;
    assert!(early.is_err(), "nothing is committed yet");
    let heard = async {
        tokio::time::timeout(Duration::from_secs(20), there.work_added())
            .await
            .unwrap();
    };
    let (committed, ()) = tokio::join!(tx.commit(), heard);
    committed.unwrap();

    // What another store has accepted is heard of as well.
    let heard = async {
        tokio::time::timeout(Duration::from_secs(20), there.work_added())
            .await
            .unwrap();
    };
    let (accepted, ()) = tokio::join!(hook.on_signup(ann().tenant(tenant())), heard);
    accepted.unwrap();
}
