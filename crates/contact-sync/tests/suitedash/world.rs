//! A host with SuiteDash as its only target.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_http::RetryPolicy as CallPolicy;
use contact_sync::targets::suitedash::{Settings, SuiteDashExports, SuiteDashTarget};
use contact_sync::{
    Action, CrmHook, Event, MemoryStore, Progress, Receipt, Region, RetryPolicy, SharedClient,
    Signup, SignupHook, StaticDirectory, Worker,
};
use suitedash_client::connection::{Connection, ImportPlace};
use suitedash_client::{Client, ClientBuilder};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::SuiteDash;

pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) target: Arc<SuiteDashTarget>,
    pub(crate) hook: SignupHook,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl World {
    /// On the simulated vendor.
    pub(crate) fn on(sandbox: &Sandbox<SuiteDash>) -> Self {
        Self::with(client(sandbox, |client| client), Settings::new())
    }

    /// On a directory.
    pub(crate) fn in_files(directory: &Path) -> Self {
        let settings = Settings::new().source("website");
        Self::with(ImportPlace::new(directory), settings)
    }

    pub(crate) fn with(connection: impl Into<Connection>, settings: Settings) -> Self {
        let store = Arc::new(MemoryStore::new());
        // The simulated vendor's latest effects come 300 ms after a request.
        let target = SuiteDashTarget::new(SharedClient::new(connection.into()))
            .settings(settings)
            .settle_after(Duration::from_millis(600))
            .check_imports_every(Duration::from_hours(1));
        let directory = StaticDirectory::new().on("suitedash");
        let hook = SignupHook::new(store.clone(), directory).region(Region::US);
        Self {
            store,
            target: Arc::new(target),
            hook,
            events: Arc::default(),
        }
    }

    pub(crate) fn worker(&self) -> Worker {
        let heard = Arc::clone(&self.events);
        let policy = RetryPolicy::new()
            .base(Duration::from_millis(5))
            .cap(Duration::from_millis(50))
            .park_pause(Duration::from_millis(20))
            .rate_limit_pause(Duration::from_millis(20));
        Worker::new(self.store.clone())
            .target(self.target.clone())
            .retry(policy)
            .concurrency(8)
            .on_event(move |event| heard.lock().unwrap().push(event.clone()))
    }

    /// Works until nothing is live.
    pub(crate) async fn work(&self) {
        let worker = self.worker().start();
        worker.idle().await;
        worker.shutdown(Duration::from_secs(1)).await;
    }

    /// Signs somebody up and works for a while; what the receipt says then.
    pub(crate) async fn sign_up(&self, signup: Signup) -> Receipt {
        let worker = self.worker().start();
        let receipt = self
            .hook
            .on_signup_wait(signup, Duration::from_millis(500))
            .await
            .unwrap();
        worker.shutdown(Duration::from_secs(1)).await;
        receipt
    }

    pub(crate) fn exports(&self) -> SuiteDashExports {
        SuiteDashExports::new(self.store.clone(), &self.target)
    }

    pub(crate) fn crm(&self) -> CrmHook {
        CrmHook::new(self.store.clone(), StaticDirectory::new().on("suitedash"))
            .target(self.target.clone())
            .region(Region::US)
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event.progress {
                Progress::Delivered { action, .. } => Some(action),
                _ => None,
            })
            .collect()
    }
}

pub(crate) fn client(
    sandbox: &Sandbox<SuiteDash>,
    tune: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    let calls = CallPolicy::new()
        .attempt_timeout(Duration::from_millis(400))
        .max_attempts(2)
        .base(Duration::from_millis(5));
    let client = Client::builder()
        .public_id(sandbox.public_id())
        .secret_key(sandbox.secret_key())
        .base_url(sandbox.base_url())
        .retry(calls);
    tune(client).build().unwrap()
}

pub(crate) fn ann() -> Signup {
    Signup::new()
        .host_id("user-1")
        .name("Ann Lee")
        .email("Ann@Example.com")
        .phone("202 555 0143")
        .company("Lee Ltd")
}
