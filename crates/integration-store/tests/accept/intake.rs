//! A running worker takes over what hosts have put in by `enqueue`, and delivers it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{
    Action, Contact, Context, Delivered, Delivery, Hit, Person, Region, RemoteId, SignupHook,
    StaticDirectory, Target, TargetError, Unmapped, Updated, Worker,
};
use integration_store::PostgresStore;
use tokio::sync::mpsc;

use crate::places::Place;
use crate::server;

#[tokio::test]
async fn a_running_worker_delivers_what_hosts_put_in() {
    let Some(schema) = server::schema() else {
        return;
    };
    let builder = PostgresStore::builder().schema(&schema.name);
    let store = builder.max_connections(4).connect(schema.url()).await;
    let store = Arc::new(store.unwrap());
    let hook = SignupHook::new(store.clone(), StaticDirectory::new().on(NAME)).region(Region::US);
    let (names, mut delivered) = mpsc::unbounded_channel();
    // Asking after a while would be too late for the test: it has to hear of them.
    let worker = Worker::new(store.clone())
        .target(Arc::new(Told(names)))
        .poll(Duration::from_mins(10))
        .intake(hook)
        .start();
    worker.idle().await;

    let put = format!("select {}.enqueue($1::jsonb)", schema.name);
    let mut host = schema.connection().await;
    let mut heard = Vec::new();
    for n in 0..3 {
        let signup = format!(r#"{{"name": "Ann Lee {n}", "email": "ann{n}@example.com"}}"#);
        sqlx::query(sqlx::AssertSqlSafe(put.clone()))
            .bind(signup)
            .execute(&mut host)
            .await
            .unwrap();
        let name = tokio::time::timeout(Duration::from_secs(30), delivered.recv());
        heard.push(name.await.unwrap().unwrap());
    }
    assert_eq!(heard, ["0", "1", "2"]);

    worker.idle().await;
    let stopped = worker.shutdown(Duration::from_secs(10)).await;
    assert_eq!((stopped.finished, stopped.released), (0, 0));
    let place = Place::Schema((*store).clone(), schema);
    for (table, rows) in [
        ("sync_intake", 0),
        ("sync_outbox", 0),
        ("sync_contacts", 3),
        ("sync_attempts", 3),
    ] {
        let count = format!("select count(*) from main.{table}");
        assert_eq!(place.number(&count).await, rows, "{table}");
    }
}

const NAME: &str = "told";

/// A target that tells whose record it has created.
struct Told(mpsc::UnboundedSender<String>);

#[async_trait]
impl Target for Told {
    fn name(&self) -> &'static str {
        NAME
    }

    fn can_delete(&self) -> bool {
        true
    }

    fn search_lag(&self) -> Duration {
        Duration::ZERO
    }

    fn settle_time(&self) -> Duration {
        Duration::ZERO
    }

    fn unmapped(&self, _contact: &Contact) -> Vec<Unmapped> {
        Vec::new()
    }

    async fn find(&self, _: &Context<'_>, _: &Person<'_>) -> Result<Vec<Hit>, TargetError> {
        Ok(Vec::new())
    }

    async fn create(&self, _: &Context<'_>, person: &Person<'_>) -> Result<RemoteId, TargetError> {
        Ok(RemoteId::from(person.key.as_str()))
    }

    async fn update(
        &self,
        _: &Context<'_>,
        _: &RemoteId,
        _: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        Ok(Updated::Unchanged)
    }

    async fn delete(&self, _: &Context<'_>, _: &RemoteId) -> Result<(), TargetError> {
        Ok(())
    }

    async fn deliver(
        &self,
        _: &Context<'_>,
        delivery: &Delivery,
    ) -> Result<Delivered, TargetError> {
        let name = delivery.contact.name();
        let last = name.last().unwrap_or_default();
        self.0.send(last.to_owned()).unwrap();
        let remote = RemoteId::from(delivery.key.as_str());
        Ok(Delivered::done(remote, Action::Created))
    }
}
